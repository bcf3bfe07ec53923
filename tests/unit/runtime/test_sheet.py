"""Cells of a sheet: read and written by address and by number, in areas that grow; references as values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from calls import book_of, sheet_of
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.address import (
    MAX_COLUMNS,
    MAX_ROWS,
    Span,
    cell_address,
    column_letters,
    column_number,
    read_span,
    span_address,
    span_of,
)
from sheetrun.runtime.book import Book
from sheetrun.runtime.cells import EMPTY
from sheetrun.runtime.errors import CALC, NA, NUM, SPILL, VALUE, Raised
from sheetrun.runtime.refs import Ref, Refs
from sheetrun.runtime.sheet import Area, Sheet
from sheetrun.runtime.values import Arr, Erring

ROWS = [[1, "two", True], [None, NA, "4"], [5.5, "", False]]


@pytest.fixture
def s() -> Sheet:
    return sheet_of(ROWS)


def test_reading_cells(s: Sheet) -> None:
    assert s["A1"] == 1.0
    assert s["$B$1"] == "two"
    assert s[1, 3] is True
    assert s["A2"] is None
    assert s[2, 2] is NA
    assert s["Z99"] is None
    assert s.n["A1"] == 1.0
    assert s.n["C1"] == 1.0
    assert s.n["A2"] == 0.0
    assert s.n["C2"] == 4.0
    assert s.n["B1"] is VALUE
    assert s.n["B2"] is NA
    assert s.n["Z99"] == 0.0


def test_reading_ranges(s: Sheet) -> None:
    assert s["A1:C3"].to_rows() == [[1.0, "two", True], [None, NA, "4"], [5.5, "", False]]
    assert s[1, 1, 2, 1].to_rows() == [[1.0], [None]]
    assert s["C2:D4"].to_rows() == [["4", None], [False, None], [None, None]]
    assert s[2, 2, 1, 1].to_rows() == [[1.0, "two"], [None, NA]]
    assert s.arr["B1"].to_rows() == [["two"]]
    numbers = s.n["A1:A3"]
    assert numbers.ravel().tolist() == [1.0, 0.0, 5.5]
    assert type(numbers) is np.ndarray
    assert isinstance(s.n["A1:B2"], Erring)


def test_whole_columns_end_with_the_used_range(s: Sheet) -> None:
    assert s.arr[1, 1, MAX_ROWS, 1].shape == (3, 1)
    assert s.arr[1, 1, 1, MAX_COLUMNS].shape == (1, 3)
    assert Ref(s, Span(1, 2, MAX_ROWS, 2)).clipped() == Span(1, 2, 3, 2)
    assert s.arr[1, 8, MAX_ROWS, 8].shape == (3, 1)
    assert s[1, 1, MAX_ROWS, 1].shape == (MAX_ROWS, 1)


def test_outside_the_sheet_is_an_error(s: Sheet) -> None:
    for key in ((0, 1), (1, 0), (MAX_ROWS + 1, 1), (1, MAX_COLUMNS + 1), (0, 1, 5, 1), (1, 1, 1, MAX_COLUMNS + 1)):
        with pytest.raises(Raised, match="REF"):
            s[key]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2, 2.0),
        ("x", "x"),
        (None, 0.0),
        (NA, NA),
        (float("inf"), NUM),
        (Arr.rows([["first", 2.0]]), "first"),
        (np.array([[7.0, 8.0]]), 7.0),
        (len, CALC),
    ],
)
def test_storing_a_result(s: Sheet, value: Any, expected: Any) -> None:
    for key in ("B2", "F9"):
        s[key] = value
        assert s[key] == expected
        assert type(s[key]) is type(expected)
    assert s["A1"] == 1.0


def test_storing_a_range(s: Sheet) -> None:
    s["E1:F3"] = Arr.rows([["a"], [None], [float(2)]])
    assert s["E1:F3"].to_rows() == [["a", "a"], [0.0, 0.0], [2.0, 2.0]]
    s["A1:C2"] = np.array([[1.0, 2.0]])
    assert s["A1:C2"].to_rows() == [[1.0, 2.0, NA], [1.0, 2.0, NA]]
    s["A1:B2"] = 9.0
    assert s["A1:C3"].to_rows() == [[9.0, 9.0, NA], [9.0, 9.0, NA], [5.5, "", False]]
    s["A1:A2"] = np.array([[np.inf], [1.0]])
    assert s["A1"] is NUM


def test_areas_grow_together() -> None:
    book = Book()
    sheet = book.add_sheet("S", [Area(1, 1, np.ones((2, 2)), np.zeros((2, 2), np.int32))])
    sheet["J20"] = 5
    assert len(sheet.areas) == 2
    assert sheet["A1:B2"].num.sum() == 4.0
    sheet["A1:J20"] = Arr.of(1.0)
    assert len(sheet.areas) == 1
    assert sheet["A1:J20"].num.sum() == 200.0
    assert book.live("S")["J20"] == 1.0
    assert sheet.used() == Span(1, 1, 20, 10)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 8), st.integers(-9, 9)), max_size=25))
def test_what_is_stored_is_read(writes: list[tuple[int, int, int]]) -> None:
    sheet = sheet_of([[0]])
    model: dict[tuple[int, int], float] = {(1, 1): 0.0}
    for row, col, value in writes:
        sheet[row, col] = value
        model[row, col] = float(value)
    read = {(r, c): sheet[r, c] for r in range(1, 31) for c in range(1, 9) if sheet[r, c] is not None}
    assert read == model
    block = sheet[1, 1, 30, 8].to_rows()
    assert {(r + 1, c + 1): v for r, row in enumerate(block) for c, v in enumerate(row) if v is not None} == model


def test_a_spill_clears_what_it_was_and_stops_at_what_is_in_its_way() -> None:
    sheet = sheet_of([[None, None, "old"], [None, None, None], [None, "wall", None]])
    sheet.spill("A1", Arr.rows([[1.0, 2.0], [3.0, 4.0]]))
    assert sheet["A1:B2"].to_rows() == [[1.0, 2.0], [3.0, 4.0]]
    assert sheet.book.spills[0, 1, 1] == Span(1, 1, 2, 2)
    sheet.spill("A1:B2", Arr.column([7.0]))
    assert sheet["A1:B2"].to_rows() == [[7.0, None], [None, None]]
    sheet.spill("A1", Arr.column([1.0, 2.0, 3.0]).transposed())
    assert sheet["A1"] is SPILL
    assert sheet["C1"] == "old"
    sheet.spill("B1", Arr.column([1.0, 2.0, 3.0]))
    assert sheet["B1"] is SPILL
    assert sheet["B3"] == "wall"


def test_references(s: Sheet) -> None:
    ref = s.ref["A1:B2"]
    assert ref.shape == (2, 2)
    assert ref.address == "A1:B2"
    assert ref.arr().to_rows() == [[1.0, "two"], [None, NA]]
    assert ref.cell(0, 1) == "two"
    assert list(ref.parts()) == [ref]
    assert ref.moved(1, 1, 1, 1).address == "B2"
    assert ref.moved(1, 0, -2, 1).address == "A1:A2"
    for arguments in ((-1, 0, 1, 1), (0, 0, 0, 1), (0, MAX_COLUMNS, 1, 1)):
        with pytest.raises(Raised, match="REF"):
            ref.moved(*arguments)


def test_intersection_with_the_host(s: Sheet) -> None:
    assert s.ref["A1:A3"].at(2, 9).address == "A2"
    assert s.ref["A1:C1"].at(9, 3).address == "C1"
    assert s.ref["B2"].at(9, 9).address == "B2"
    assert s.ref["A1:C3"].at(2, 2).address == "B2"
    for ref, row, col in (("A1:A3", 4, 1), ("A1:C3", 5, 5)):
        with pytest.raises(Raised, match="VALUE"):
            s.ref[ref].at(row, col)


def test_several_areas_at_once() -> None:
    book = book_of(Jan=[[1]], Feb=[["x"]], Mar=[[3]])
    refs = book.span("Mar", "jan", "A1")
    assert isinstance(refs, Refs)
    assert refs.arr().to_rows() == [[1.0], ["x"], [3.0]]
    assert [r.sheet.name for r in refs.parts()] == ["Jan", "Feb", "Mar"]


def test_sheets_are_found_without_case() -> None:
    book = book_of(Data=[[1]])
    assert book["DATA"] is book["data"] is book.sheet("Data")
    assert book.sheet("none") is None
    with pytest.raises(KeyError):
        book["none"]


@given(st.integers(1, MAX_COLUMNS), st.integers(1, MAX_ROWS))
def test_addresses(col: int, row: int) -> None:
    assert column_number(column_letters(col)) == col
    assert read_span(cell_address(row, col)) == (Span(row, col, row, col), True)
    span = Span(row, col, min(MAX_ROWS, row + 3), min(MAX_COLUMNS, col + 2))
    assert read_span(span_address(span))[0] == span
    assert span_of((row, col)) == (Span(row, col, row, col), True)
    assert span.inside()


def test_corners_in_any_order() -> None:
    assert read_span("C9:$A$2") == (Span(2, 1, 9, 3), False)
    assert span_of((5, 3, 2, 1)) == (Span(2, 1, 5, 3), False)
    with pytest.raises(ValueError, match="address"):
        read_span("A0x")


def test_an_empty_sheet() -> None:
    sheet = Book().add_sheet("S", [])
    assert sheet["A1"] is None
    assert sheet.used() == Span(1, 1, 1, 1)
    assert (sheet["A1:B2"].tags() == EMPTY).all()
    sheet["B2"] = 1
    assert sheet.used() == Span(2, 2, 2, 2)
