"""References as values: INDEX, OFFSET, INDIRECT, ROW, ADDRESS, CELL and what they say of a sheet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from calls import DIV0, MISSING, NA, REF, VALUE, book_of, call, plain, ref

from sheetrun.runtime.address import Span
from sheetrun.runtime.book import Book
from sheetrun.runtime.errors import ExcelError, Unsupported
from sheetrun.runtime.names import Named, Tables
from sheetrun.runtime.refs import Ref, Refs
from sheetrun.runtime.registry import find

GRID = [[1, 2, 3], [4, 5, 6], [7, "x", None]]


def run(name: str, *args: Any) -> Any:
    entry = find(name)
    assert entry is not None
    return entry.call(*(float(a) if type(a) is int else a for a in args))


def address(value: Any) -> Any:
    return f"{value.sheet.name}!{value.address}" if isinstance(value, Ref) else value


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ((2, 3), "Sheet1!C2"),
        ((2, 0), "Sheet1!A2:C2"),
        ((0, 2), "Sheet1!B1:B3"),
        ((0, 0), "Sheet1!A1:C3"),
        ((2,), REF),
        ((4, 1), REF),
        ((1, -1), VALUE),
        ((1, 1, 2), REF),
    ],
)
def test_index_of_a_reference_is_a_reference(args: tuple[Any, ...], wanted: Any) -> None:
    assert address(run("INDEX", ref(GRID), *args)) == wanted


def test_index_of_arrays() -> None:
    assert call("INDEX", [[1, 2, 3]], 2) == 2.0
    assert call("INDEX", [1, 2, 3], 3) == 3.0
    assert call("INDEX", [[1, 2], [3, 4]], 2, 0) == [[3.0, 4.0]]
    assert call("INDEX", 7, 1, 1) == 7.0
    assert call("INDEX", DIV0, 1) == DIV0
    assert call("INDEX", [10, 20, 30], [3, 1, NA, 9, -1]) == [[30.0], [10.0], [NA], [REF], [VALUE]]
    assert plain(run("INDEX", ref(GRID), np.array([[3.0], [1.0]]), 2.0)) == [["x"], [2.0]]
    both = Refs((ref([[1]]), ref([[5], [6]])))
    assert address(run("INDEX", both, 2, 1, 2)) == "Sheet1!A2"


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ((1, 1), "Sheet1!B2"),
        ((1, 1, 2, 2), "Sheet1!B2:C3"),
        ((2, 2, -2, -2), "Sheet1!B2:C3"),
        ((0, 0, 2, 0.9), "Sheet1!A1:A2"),  # measured
        ((-1, 0), REF),
        ((0, 0, 0, 1), REF),
        ((1.9, 0, MISSING, 3), "Sheet1!A2:C2"),
    ],
)
def test_offset(args: tuple[Any, ...], wanted: Any) -> None:
    assert address(run("OFFSET", ref([[1]]), *args)) == wanted


@pytest.fixture
def book() -> Book:
    made = book_of(Sheet1=GRID, **{"My Sheet": [["k", "v"], ["a", 1], ["b", 2], ["sum", 3]]})
    made.names["total"] = Named(1, Span(4, 2, 4, 2))
    made.names["sheet1!here"] = Named(0, Span(1, 1, 1, 2))
    made.tables["sales"] = Tables(1, Span(1, 1, 4, 2), ("k", "v]"), 1, 1)
    made.spills[0, 1, 1] = Span(1, 1, 3, 1)
    made.formulas[0, 2, 2] = "=A1+4"
    made.path = "/data/Model.xlsx"
    return made


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("B2", "Sheet1!B2"),
        ("$b$2:a1", "Sheet1!A1:B2"),
        ("A05", "Sheet1!A5"),
        ("'My Sheet'!A1", "My Sheet!A1"),
        ("my sheet!A1", "My Sheet!A1"),
        ("B:B", "Sheet1!B1:B1048576"),
        ("2:2", "Sheet1!A2:XFD2"),
        ("A1#", "Sheet1!A1:A3"),
        ("Total", "My Sheet!B4"),
        ("here", "Sheet1!A1:B1"),
        ("'My Sheet'!here", REF),
        ("Sales", "My Sheet!A2:B3"),
        ("Sales[k]", "My Sheet!A2:A3"),
        ("Sales[v']]", "My Sheet!B2:B3"),
        ("Sales[#All]", "My Sheet!A1:B4"),
        ("Sales[[#Totals],[k]]", "My Sheet!A4"),
        ("Sales[[#Headers],[#Data],[k]:[v']]]", "My Sheet!A1:B3"),
        ("Sales[nope]", REF),
        ("XFE1", REF),
        ("A1048577", REF),
        ("[Other.xlsx]Sheet1!A1", REF),
        ("Nowhere!A1", REF),
        ("", REF),
    ],
)
def test_indirect(book: Book, text: str, wanted: Any) -> None:
    assert address(run("INDIRECT", book["Sheet1"].ref["C3"], text)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("R2C1", "Sheet1!A2"),
        ("R[-1]C[1]", "Sheet1!D2"),
        ("RC", "Sheet1!C3"),
        ("R1C1:R2C", "Sheet1!A1:C2"),
        ("C2", "Sheet1!B1:B1048576"),
        ("A1", REF),
    ],
)
def test_indirect_r1c1(book: Book, text: str, wanted: Any) -> None:
    assert address(run("INDIRECT", book["Sheet1"].ref["C3"], text, False)) == wanted


def test_rows_and_columns(book: Book) -> None:
    host = book["Sheet1"].ref["C7"]
    area = book["Sheet1"].ref["B2:C4"]
    assert run("ROW", host) == 7.0
    assert run("COLUMN", host) == 3.0
    assert plain(run("ROW", host, area)) == [[2.0], [3.0], [4.0]]
    assert plain(run("COLUMN", host, area)) == [[2.0, 3.0]]
    assert run("ROWS", area) == 3.0
    assert run("COLUMNS", area) == 2.0
    assert call("ROWS", [1, 2]) == 2.0
    assert call("COLUMNS", 5) == 1.0
    assert run("AREAS", Refs((area, host))) == 2.0


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ((2, 3), "$C$2"),
        ((2, 3, 2), "C$2"),
        ((2, 3, 2, False), "R2C[3]"),
        ((2, 3, 1, False, "EXCEL SHEET"), "'EXCEL SHEET'!R2C3"),
        ((1, 1, 4, True, "Data"), "Data!A1"),
        ((1, 1, 1, True, "it's"), "'it''s'!$A$1"),
        ((1, 1, 1, True, "A1"), "'A1'!$A$1"),
        ((1, 1, MISSING, MISSING, ""), "!$A$1"),
        ((0, 1), VALUE),
        ((1, 16385), VALUE),
        ((1, 1, 5), VALUE),
    ],
)
def test_address(args: tuple[Any, ...], wanted: Any) -> None:
    assert call("ADDRESS", *args) == wanted


def test_what_is_written_in_a_cell(book: Book) -> None:
    sheet = book["Sheet1"]
    assert run("FORMULATEXT", sheet.ref["B2"]) == "=A1+4"
    assert run("FORMULATEXT", sheet.ref["A1"]) is NA
    assert plain(run("FORMULATEXT", sheet.ref["B1:B2"])) == [[NA], ["=A1+4"]]
    assert run("ISFORMULA", sheet.ref["B2"]) is True
    assert run("ISFORMULA", sheet.ref["A1"]) is False
    assert call("ISFORMULA", 1) is VALUE
    assert call("HYPERLINK", "http://x", "go") == "go"
    assert call("HYPERLINK", "http://x") == "http://x"
    assert call("TRANSPOSE", [[1, "a"], [2, None]]) == [[1.0, 2.0], ["a", None]]


def test_sheets(book: Book) -> None:
    host = book["My Sheet"].ref["A1"]
    assert run("SHEET", host) == 2.0
    assert run("SHEET", host, "sheet1") == 1.0
    assert run("SHEET", host, "Sales") == 2.0
    assert run("SHEET", host, "none") is NA
    assert run("SHEETS", host) == 2.0
    assert run("SHEETS", host, book.span("Sheet1", "My Sheet", "A1")) == 2.0


@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        ("address", "$B$3"),
        ("row", 3.0),
        ("COL", 2.0),
        ("contents", "x"),
        ("type", "l"),
        ("filename", "/data/[Model.xlsx]Sheet1"),
        ("format", "G"),
        ("nonsense", VALUE),
    ],
)
def test_cell(book: Book, what: str, wanted: Any) -> None:
    assert run("CELL", book["Sheet1"].ref["A1"], what, book["Sheet1"].ref["B3:C3"]) == wanted


def test_cell_of_another_sheet(book: Book) -> None:
    assert run("CELL", book["Sheet1"].ref["A1"], "address", book["My Sheet"].ref["A1"]) == "'[Model.xlsx]My Sheet'!$A$1"
    with pytest.raises(Unsupported, match="style"):
        run("CELL", book["Sheet1"].ref["A1"], "width")


@pytest.mark.parametrize("name", ["CUBEVALUE", "RTD", "WEBSERVICE", "IMAGE", "TRANSLATE", "PY"])
def test_what_needs_the_world_outside_says_so(name: str) -> None:
    with pytest.raises(Unsupported, match=name):
        run(name, "x")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("ISBLANK", [False, False, False, True, False]),
        ("ISNUMBER", [True, False, False, False, False]),
        ("ISTEXT", [False, True, False, False, False]),
        ("ISNONTEXT", [True, False, True, True, True]),
        ("ISLOGICAL", [False, False, True, False, False]),
        ("ISERROR", [False, False, False, False, True]),
        ("ISERR", [False, False, False, False, True]),
        ("ISNA", [False, False, False, False, False]),
        ("N", [1.0, 0.0, 1.0, 0.0, DIV0]),
        ("T", ["", "a", "", "", DIV0]),
        ("ERROR.TYPE", [NA, NA, NA, NA, 2.0]),
    ],
)
def test_kinds_of_values(name: str, wanted: list[Any]) -> None:
    values = [1, "a", True, None, DIV0]
    assert call(name, values) == [[w] for w in wanted]
    assert [call(name, v) for v in values] == wanted


def test_kinds_more() -> None:
    assert call("ISNA", NA) is True
    assert call("ISERR", NA) is False
    assert call("ISEVEN", -1.9) is False
    assert call("ISODD", "3") is True
    assert call("ISEVEN", True) is VALUE
    assert call("ISREF", ref([[1]])) is True
    assert call("ISREF", 1) is False
    assert [call("TYPE", v) for v in (1, "a", True, DIV0, [1, 2], None)] == [1.0, 2.0, 4.0, 16.0, 64.0, 1.0]
    assert call("TYPE", ref([["a"]])) == 2.0
    assert call("NA") is NA
    assert call("ERROR.TYPE", ExcelError("#SPILL!")) == 9.0


def test_web() -> None:
    xml = "<a><b k='1'>x</b><b k='2'>3</b><c><b>z</b></c></a>"
    assert call("ENCODEURL", "http://a b/ü") == "http%3A%2F%2Fa%20b%2F%C3%BC"
    assert call("FILTERXML", xml, "//b") == [["x"], [3.0], ["z"]]
    assert call("FILTERXML", xml, "/a/b[@k='2']") == 3.0
    assert call("FILTERXML", xml, "//b[last()]") == [[3.0], ["z"]]
    assert call("FILTERXML", xml, "//b[not(contains(., 'x'))]") == [[3.0], ["z"]]
    assert call("FILTERXML", xml, "//b/@k") == [[1.0], [2.0]]
    assert call("FILTERXML", xml, "//nope") is VALUE
    assert call("FILTERXML", "<a>", "//a") is VALUE
    assert call("FILTERXML", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "//a") is VALUE
