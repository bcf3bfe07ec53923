"""Loops over lists of cells: what a cell may hold, what the caller set, and a formula that fails on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.unit.compiler.making import run, workbook_of

from sheetrun.runtime.book import Book
from sheetrun.runtime.errors import DIV0, NA, NUM, Raised, Unsupported
from sheetrun.runtime.ops import num
from sheetrun.runtime.sheet import Area
from sheetrun.runtime.steps import step
from sheetrun.runtime.tracks import boxed, kept
from sheetrun.runtime.values import Arr


def book_of(rows: list[list[Any]]) -> Book:
    cells = Arr.rows(rows)
    book = Book()
    book.add_sheet("S", [Area(2, 2, cells.num.copy(), cells.tags().copy())])
    book.cached = [[Area(2, 2, cells.num, cells.tags())]]
    return book


def test_a_track_is_indexed_by_the_place_of_its_cells() -> None:
    sheet = book_of([[1.0, "7", True], [NA, None, 2.0]])["S"]
    assert sheet.track("C2:C3") == [None, None, "7", None]
    assert sheet.track_n("C2:C3") == [None, None, 7.0, 0.0]
    assert sheet.track("B2:B3") == [None, None, 1.0, NA]
    assert sheet.track_n("B3:D3") == [None, None, NA, 0.0, 2.0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, 1.5),
        (None, 0.0),
        (float("inf"), NUM),
        (float("nan"), NUM),
        (NA, NA),
        ("x", "x"),
        (True, True),
        (Arr.rows([[3.0, 4.0]]), 3.0),
        (np.array([[5.0]]), 5.0),
    ],
)
def test_a_result_is_kept_as_a_cell_holds_it(value: Any, expected: Any) -> None:
    assert kept(value) == expected


def test_a_number_is_the_same_in_a_box() -> None:
    assert boxed(2.0) == 2.0
    assert isinstance(boxed("x"), Arr)
    assert boxed(None).tags().tolist() == [[1]]


def test_what_the_caller_set_is_not_overwritten_within_a_loop() -> None:
    workbook = workbook_of({"A1": 1.0, "A2:A5": "=A1*2"})
    assert run(workbook, {"Sheet1!A3": 100.0}).cells() == {
        "Sheet1!A2": 2, "Sheet1!A3": 100, "Sheet1!A4": 200, "Sheet1!A5": 400
    }  # fmt: skip


def test_a_cell_of_a_loop_that_cannot_be_computed_keeps_its_value() -> None:
    book = book_of([[1.0], [20.0], [30.0], [40.0]])

    @step("S!B3:B5")
    def steps(book: Any) -> None:
        s = book["S"]
        s_b = s.track("B2:B5")
        for r in range(3, 6):
            s_b[r] = kept(failing(r) if r == 4 else num(s_b[r - 1]) + 1.0)
        s.keep("B3:B5", s_b)

    book.run([steps])
    assert [book["S"].cell(row, 2) for row in range(2, 6)] == [1.0, 2.0, 30.0, 31.0]


def failing(_row: int) -> float:
    raise Unsupported("not_here", "this function is not computed")


def test_an_error_that_is_raised_is_the_result() -> None:
    book = book_of([[1.0], [0.0]])

    @step("S!B3")
    def steps(book: Any) -> None:
        s = book["S"]
        s_b = s.track("B2:B3")
        for r in range(3, 4):
            s_b[r] = kept(dividing())
        s.keep("B3", s_b)

    book.run([steps])
    assert book["S"].cell(3, 2) is DIV0


def dividing() -> float:
    raise Raised(DIV0)


def test_a_line_of_one_cell_is_read_by_its_column_where_the_loop_runs_over_columns() -> None:
    workbook = workbook_of(
        {"C10": 3.0, "C12": 1.0, "C17": 2.0, "B10": "=(C12+C17)/C50", "C36": 1.0, "B36": "=C36/C50", "B50:C50": "=B10+B36"}
    )  # fmt: skip
    computed = run(workbook)
    assert "across=True" in computed._model.script()
    assert computed.report["errors"] == []
    assert computed.cells() == {"Sheet1!B10": 0.75, "Sheet1!B36": 0.25, "Sheet1!B50": 1.0, "Sheet1!C50": 4.0}


@pytest.mark.parametrize(
    ("value", "expected"), [("-3.5", -4.5), (True, 0.0), ("word", {"error": "#VALUE!"}), (None, -1.0), (2.0, 1.0)]
)
def test_what_the_caller_sets_counts_as_its_number_in_arithmetic(value: Any, expected: Any) -> None:
    """E1 is read as a number by a loop over F2:F9."""
    workbook = workbook_of({"F1": 1.0, "F2:F9": "=-(F1)+E1", "E1": 0.0})
    assert run(workbook, {"Sheet1!E1": value}).get("Sheet1!F2") == expected
