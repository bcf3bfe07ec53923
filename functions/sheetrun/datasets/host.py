"""Inside the sandbox: the file's bytes to a frame, the script's tasks on it, their results as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from sheetrun.datasets.errors import DatasetError

Progress = Callable[[int, int, str], None]


def run_payload(namespace: Mapping[str, Any], payload: bytes, progress: Progress) -> bytes:
    """``{"rows", "columns", "seconds", "results"}`` or ``{"error": {code, detail}}``."""
    return _answer(lambda: _analyze(namespace, payload, progress))


def describe_parquet(_namespace: Mapping[str, Any], payload: bytes, _progress: Progress) -> bytes:
    """``{"columns": [[name, type, sample], …]}`` or ``{"error": {code, detail}}``."""
    from sheetrun.datasets.parquet import parquet_columns

    return _answer(lambda: {"columns": parquet_columns(payload)})


def _answer(work: Callable[[], dict[str, Any]]) -> bytes:
    try:
        found = work()
    except DatasetError as error:
        found = {"error": {"code": error.code, "detail": error.detail, "part": error.part}}
    return json.dumps(found, allow_nan=False).encode()


def _analyze(namespace: Mapping[str, Any], payload: bytes, progress: Progress) -> dict[str, Any]:
    from sheetrun.datasets.frames import read_frame, schema_of

    columns, tasks = namespace["COLUMNS"], namespace["TASKS"]
    progress(0, len(tasks) + 1, "reading")
    begun = time.perf_counter()
    frame = read_frame(payload, schema_of(columns, namespace["READ"]))
    seconds = {"reading": time.perf_counter() - begun}
    results = {}
    for done, (name, task) in enumerate(tasks.items(), 1):
        progress(done, len(tasks) + 1, name.replace("_", " "))
        begun = time.perf_counter()
        results[name] = task(frame, dict(columns))
        seconds[name] = time.perf_counter() - begun
    return {"rows": len(frame), "columns": len(columns), "seconds": seconds, "results": results}
