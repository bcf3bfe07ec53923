"""Precision as displayed: numbers rounded by the formats of their cells."""

from __future__ import annotations

import pytest
from tests.unit.compiler.making import computed, rect_of, run, workbook_of

from sheetrun.runtime.displayed import as_displayed
from sheetrun.workbook.model import Settings


@pytest.mark.parametrize(
    ("number", "code", "wanted"),
    [
        (2.345, "0.00", 2.35),
        (-2.345, "0.00", -2.35),
        (1.005, "#,##0.00", 1.01),
        (2.5, "0", 3.0),
        (-2.5, "0;(0.0)", -2.5),
        (0.12345, "0.0%", 0.123),
        (1234567.0, "#,##0,", 1235000.0),
        (1234567.0, "0.00E+00", 1230000.0),
        (0.00012345, "0.0E+00", 0.00012),
        (1234567.0, "##0.0E+0", 1200000.0),
        (0.3, "# ?/?", 2 / 7),
        (1.26, "# ?/4", 1.25),
        (1.26, "0.0_);[Red](0.0)", 1.3),
        (1 / 3, "General", 1 / 3),
        (45000.123456, "yyyy-mm-dd", 45000.123456),
        (1.26, "@", 1.26),
        (1.26, '"text"', 1.26),
        (1.26, "[>1]0;0.0", 1.0),
        (0.26, "[>1]0;0.0", 0.3),
        (1.26, "yyyy0.0.0q[", 1.26),
        (0.0, "0.0E+0", 0.0),
    ],
)
def test_what_a_format_shows(number: float, code: str, wanted: float) -> None:
    assert as_displayed(number, code) == pytest.approx(wanted, rel=1e-15)


def test_results_are_rounded_before_they_are_read() -> None:
    cells = {"A1": 10, "B1": "=A1/3", "C1": "=B1*3", "A2": 20, "B2": "=A2/3", "C2": "=B2*3", "D1:D2": "#=B1:B2/7"}
    workbook = workbook_of(cells, settings=Settings(full_precision=False))
    workbook.number_formats = ["General", "0.00"]
    workbook.sheets[0].formats = {1: [rect_of("B1:B2"), rect_of("D1:D2")]}
    found = {key.removeprefix("Sheet1!"): value for key, value in run(workbook).cells().items()}
    assert found == {"B1": 3.33, "C1": 9.99, "B2": 6.67, "C2": pytest.approx(20.01), "D1": 0.48, "D2": 0.95}
    assert computed(cells)["C1"] == 10


def test_a_recurrence_goes_on_with_what_is_shown() -> None:
    workbook = workbook_of({"A1": 100, "A2:A40": "=A1*1.01"}, settings=Settings(full_precision=False))
    workbook.number_formats = ["General", "0"]
    workbook.sheets[0].formats = {1: [rect_of("A1:A40")]}
    cells = run(workbook).cells()
    assert [cells[f"Sheet1!A{row}"] for row in (2, 3, 40)] == [101, 102, 139]
    assert run(workbook, {"A5": 1000}).cells()["Sheet1!A6"] == 1010


def test_causes_are_found_with_rounding_too() -> None:
    cached = {"B1": 3.33, "C1": 9.99, "B2": 4, "C2": 8}
    cells = {"A1": 10, "B1": "=A1/3", "C1": "=B1*3", "B2": "=A1/4", "C2": "=B2*2"}
    workbook = workbook_of(cells, cached=cached, settings=Settings(full_precision=False))
    workbook.number_formats = ["General", "0.00"]
    workbook.sheets[0].formats = {1: [rect_of("B1:B2")]}
    from pathlib import Path

    from sheetrun.service.local import Model

    proof = Model(Path("book.xlsx"), workbook, 0.0).run(sandboxed=False, explain=True).proof
    assert [(m.cell, m.root) for m in proof.mismatches] == [("Sheet1!B2", True), ("Sheet1!C2", False)]


def test_cell_tells_the_format() -> None:
    workbook = workbook_of({"A1": 1, "A2": 2, "B1": '=CELL("format",A1)', "B2": '=CELL("format",A2)'})
    workbook.number_formats = ["General", "0.00%"]
    workbook.sheets[0].formats = {1: [rect_of("A1")]}
    assert run(workbook).cells() == {"Sheet1!B1": "P2", "Sheet1!B2": "G"}
