"""Names of columns, cells, ranges and sheets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.formula.a1 import (
    MAX_COLUMNS,
    MAX_ROWS,
    cell_name,
    column_index,
    column_name,
    parse_cell,
    parse_corner,
    quote_sheet,
    range_name,
)


@pytest.mark.parametrize(
    ("index", "name"),
    [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")],
)
def test_columns(index: int, name: str) -> None:
    assert column_name(index) == name
    assert column_index(name) == column_index(name.lower()) == index


@given(st.integers(0, MAX_COLUMNS - 1))
def test_every_column_is_read_back(index: int) -> None:
    assert column_index(column_name(index)) == index


@pytest.mark.parametrize("index", [-1, MAX_COLUMNS])
def test_columns_off_the_sheet_have_no_name(index: int) -> None:
    with pytest.raises(ValueError, match="columns 0 to 16383"):
        column_name(index)


@pytest.mark.parametrize("name", ["", "XFE", "AAAA", "A" * 10_000, "A1", "É", "A B"])
def test_other_letters_are_no_column(name: str) -> None:
    with pytest.raises(ValueError, match="is not a column"):
        column_index(name)


def test_cells() -> None:
    assert cell_name(0, 0) == "A1"
    assert cell_name(6, 1, row_absolute=True, col_absolute=True) == "$B$7"
    assert cell_name(6, 1, row_absolute=True) == "B$7"
    assert cell_name(6, 1, col_absolute=True) == "$B7"
    assert range_name(0, 0, 8, 1) == "A1:B9"
    assert range_name(2, 2, 2, 2) == "C3"
    assert parse_cell("b7") == parse_cell("$B$7") == (6, 1)
    assert parse_corner("$B7") == (6, False, 1, True)
    assert parse_corner("XFD$1048576") == (1_048_575, True, 16_383, False)


@pytest.mark.parametrize("row", [-1, MAX_ROWS])
def test_rows_off_the_sheet_have_no_name(row: int) -> None:
    with pytest.raises(ValueError, match="rows 0 to 1048575"):
        cell_name(row, 0)


@pytest.mark.parametrize(
    "text", ["", "A", "1", "A0", "A1048577", "XFE1", "A1:B2", "A-1", "A1 ", "$$A1", "A" + "9" * 9999]
)
def test_other_texts_are_no_cell(text: str) -> None:
    with pytest.raises(ValueError, match="is not a c"):
        parse_cell(text)


@pytest.mark.parametrize(
    "name", ["Sheet1", "Data", "_x", "P.L", "Übersicht", "売上", "A1B", "XFE1", "RC1A", "Row", "Col1.x"]
)
def test_plain_sheet_names_stand_alone(name: str) -> None:
    assert quote_sheet(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "Sheet 1",
        "2024",
        "1st",
        ".x",
        "a-b",
        "a&b",
        "A1",
        "q4",
        "XFD1",
        "R",
        "c",
        "RC",
        "R1C1",
        "r5",
        "C7",
        "TRUE",
        "x!",
        "a'b",
    ],
)
def test_other_sheet_names_are_quoted(name: str) -> None:
    assert quote_sheet(name) == "'" + name.replace("'", "''") + "'"
