"""The real computing of a small workbook, done once and remembered: it is pure, and every schedule needs the same."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import xlsxwriter

from sheetrun.service import compute
from sheetrun.service.compute import Executed, Generated, Parsed, Progress


def _workbook() -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Model")
    for row in range(5):
        sheet.write_number(row, 0, row + 1)
        sheet.write_formula(row, 1, f"=A{row + 1}*2", None, 2 * (row + 1))
    sheet.write_formula("B6", "=SUM(B1:B5)", None, 30)
    book.close()
    return out.getvalue()


FILES = {"good": _workbook(), "broken": b"PK\x03\x04 this is no workbook"}


def right_values(data: bytes) -> bool:
    """Whether a job's values are those of the good workbook."""
    cells = json.loads(data)["cells"]
    return bool(cells["Model!B6"] == 30 and cells["Model!B1"] == 2)


class Remembered:
    """``sheetrun.service.compute``, with a word about its progress in the middle, which is where it can be stopped.

    ``worker`` is written into the results: two workers' are never the same bytes.
    """

    def __init__(self, worker: int) -> None:
        self._worker = worker

    def parse(self, source: bytes, filename: str, *, progress: Progress | None = None) -> Parsed:
        _told(progress)
        return _parse(bytes(source), filename)

    def generate(
        self,
        artefact: bytes,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> Generated:
        _told(progress)
        return _generate(bytes(artefact))

    def execute(
        self,
        artefact: bytes,
        generated: Generated,
        source: bytes,
        *,
        progress: Progress | None = None,
        **_: Any,
    ) -> Executed:
        _told(progress)
        executed = _execute(bytes(artefact), generated.script, generated.line_map, generated.ports, bytes(source))
        mark = b" " * self._worker  # at the end of any of the results, it changes nothing that they say
        results = {name: (kind, data + mark) for name, (kind, data) in executed.results.items()}
        return Executed(results, executed.report, executed.errors, executed.artefacts)


def _told(progress: Callable[[int, int, str], None] | None) -> None:
    for done in range(2):
        if progress is not None:
            progress(done, 2, "half-way")


@cache
def _parse(source: bytes, filename: str) -> Parsed:
    return compute.parse(source, filename)


@cache
def _generate(artefact: bytes) -> Generated:
    return compute.generate(artefact)


@cache
def _execute(artefact: bytes, script: str, line_map: bytes, ports: bytes, source: bytes) -> Executed:
    return compute.execute(artefact, Generated(script, line_map, ports=ports), source)
