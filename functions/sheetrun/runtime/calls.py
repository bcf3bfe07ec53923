"""Where the script of a call meets its values: each row of inputs is a run of its own, over a workbook that was computed.

As ``scenarios.run_in_turn``, and it also tells which cells could not be computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sheetrun.runtime.failures import Failure
from sheetrun.runtime.payload import RunOutput
from sheetrun.runtime.scenarios import ScenarioInput
from sheetrun.runtime.sheet import Area
from sheetrun.runtime.values import decode, encode

Progress = Callable[[int, int, str], None]


def run_calls(namespace: Mapping[str, Any], payload: bytes, progress: Progress | None = None) -> bytes:
    """One sheet comes back, with a row for each output and a column for each row of inputs; failures are of all rows."""
    source = ScenarioInput.from_bytes(payload)
    tags = source.tags()
    shape = len(source.outputs), source.count
    num, tag = np.zeros(shape), np.zeros(shape, np.int32)
    failures: dict[tuple[str, tuple[int, ...]], Failure] = {}
    circular: set[tuple[int, int, int]] = set()
    started = time.perf_counter()
    for at in range(source.count):
        book = source.book.book()
        for k, (sheet, row, col) in enumerate(source.inputs):
            book.override(sheet, row, col, decode(float(source.num[at, k]), int(tags[at, k])))
        book.run(namespace["STEPS"])
        for k, (sheet, row, col) in enumerate(source.outputs):
            num[k, at], tag[k, at] = encode(book.sheets[sheet].cell(row, col))
        for failure in book.failures:
            failures.setdefault((failure.sheet, tuple(failure.span)), failure)
        circular.update(book.circular)
    seconds = time.perf_counter() - started
    return RunOutput([[Area(1, 1, num, tag)]], [], list(failures.values()), sorted(circular), [], seconds).to_bytes()
