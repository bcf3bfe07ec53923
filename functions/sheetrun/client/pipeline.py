"""A job's three steps here, with no service: what commands do that want its results and not only its values."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from sheetrun.client.console import about
from sheetrun.client.literals import parse_assignments
from sheetrun.service.compute import Executed

_SECONDS = 3600.0
_MEMORY = 8 * 2**30


def execute(file: str, settings: Sequence[str] = ()) -> Executed:
    """``settings``: as of ``--set``. Raises WorkbookError, InputError, SandboxError, OSError."""
    from sheetrun.sandbox.forked import run
    from sheetrun.service import compute
    from sheetrun.workbook.store import load

    path = Path(file)
    source = path.read_bytes()
    with about(file):
        begun = time.perf_counter()
        parsed = compute.parse(source, path.name)
        read = time.perf_counter()
        date1904 = load(parsed.artefact).settings.date1904 if settings else False
        inputs = parse_assignments(settings, date1904=date1904)
        generated = compute.generate(parsed.artefact, inputs=inputs)
        before = {"parse": _milliseconds(begun, read), "generate": _milliseconds(read, time.perf_counter())}
        return compute.execute(
            parsed.artefact,
            generated,
            source,
            inputs=inputs or None,
            timeout=_SECONDS,
            memory=_MEMORY,
            run=run,
            before=before,
        )


def _milliseconds(start: float, end: float) -> float:
    return round((end - start) * 1000, 1)
