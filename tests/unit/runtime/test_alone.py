"""Formulas on their own: from stored values, and only those that are wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.compiler.making import Cells, workbook_of

from sheetrun.compiler.script import compile_workbook
from sheetrun.runtime.address import Span
from sheetrun.runtime.payload import RunOutput
from sheetrun.service.local import _in_process
from sheetrun.service.rundata import run_input

CELLS: Cells = {"A1": 1, "B1": "=A1+1", "C1:C3": "=B1+1", "D1:D2": "#=SEQUENCE(2)+B1", "E1": "=OFFSET(A1,0,1)*2"}
STORED = {"B1": 10, "C1": 20, "C2": 20, "C3": 20, "D1": 30, "D2": 30, "E1": 40}


def alone(*wanted: Span) -> list[Any]:
    """B1, C1, D1, D2 and E1 of a run with the given formulas wanted."""
    workbook = workbook_of(CELLS, cached=STORED)
    script = compile_workbook(workbook).text
    source = replace(run_input(workbook, script), alone=True, wanted=[(0, span) for span in wanted])
    output: RunOutput = _in_process(script, source.to_bytes())
    (area,) = output.sheets[0]
    return [area.num[0, 1], area.num[0, 2], area.num[0, 3], area.num[1, 3], area.num[0, 4]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ((), [2, 11, 11, 12, 20]),
        ((Span(1, 2, 1, 2),), [2, 20, 30, 30, 40]),
        ((Span(2, 3, 2, 3),), [10, 11, 30, 30, 40]),
        ((Span(1, 4, 2, 4),), [10, 20, 11, 12, 40]),
        ((Span(1, 5, 1, 5), Span(1, 2, 1, 2)), [2, 20, 30, 30, 20]),
        ((Span(9, 9, 9, 9),), [10, 20, 30, 30, 40]),
    ],
)
def test_what_is_wanted_is_computed_from_stored_values(wanted: tuple[Span, ...], found: list[float]) -> None:
    assert alone(*wanted) == found
