"""Equal formulas become rectangles: few of them, that cover each cell once, with the text of their first cell."""

from __future__ import annotations

import io

import numpy as np
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.formula.r1c1 import relative_key, shift
from sheetrun.workbook.formulas import Formulas
from sheetrun.workbook.model import Block, Rect
from sheetrun.workbook.reader import read
from sheetrun.workbook.rectangles import join_runs
from sheetrun.workbook.references import cell_name
from sheetrun.workbook.templates import make_column_template, make_template


def blocks_of(formulas: dict[tuple[int, int], str]) -> list[Block]:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        for (row, col), text in sorted(formulas.items()):
            sheet.write_formula(row, col, "=" + text, None, 1)
    return read(buffer.getvalue()).sheets[0].blocks


def test_filled_down_right_and_over_are_one_block_each() -> None:
    down = {(row, 2): f"A{row + 1}*2+$B$1" for row in range(1, 400)}
    right = {(0, col): shift("Z1+1", 0, col) for col in range(4, 64)}
    over = {(row, col): shift("AA7*B7", row, col) for row in range(5, 305) for col in range(5, 15)}
    found = {block.rect: block.text for block in blocks_of(down | right | over)}
    assert found == {
        Rect(1, 2, 399, 2): "A2*2+$B$1",
        Rect(0, 4, 0, 63): shift("Z1+1", 0, 4),
        Rect(5, 5, 304, 14): shift("AA7*B7", 5, 5),
    }


@pytest.mark.parametrize(
    "rows",
    [
        [f"A{n}*{n}" for n in range(5, 300)],  # a constant that follows the row
        [f'A{n}&"B{n}"' for n in range(5, 300)],  # text that looks like a reference
        [f"'B{n}'!A1" for n in range(5, 300)],  # a sheet that looks like one
        [f"T[B{n}]+A1" for n in range(5, 300)],
        [f"A{n - n % 2}" for n in range(5, 300)],
    ],
)
def test_what_only_looks_filled_down_stays_apart(rows: list[str]) -> None:
    formulas = {(4 + place, 1): text for place, text in enumerate(rows)}
    blocks = blocks_of(formulas)
    assert {(block.rect.top, block.rect.left): block.text for block in blocks} == formulas
    assert len(blocks) == len(rows)


@given(st.dictionaries(st.tuples(st.integers(0, 12), st.integers(0, 9)), st.integers(0, 2), max_size=80))
def test_rectangles_cover_every_cell_once(cells: dict[tuple[int, int], int]) -> None:
    places = sorted(cells)
    key = np.array([cells[place] for place in places], dtype=np.int64)
    row = np.array([place[0] for place in places], dtype=np.int64)
    col = np.array([place[1] for place in places], dtype=np.int64)
    found = join_runs(key, col, row, row)
    covered = {}
    for key_, top, left, bottom, right in zip(found.key, found.top, found.left, found.bottom, found.right, strict=True):
        for r in range(top, bottom + 1):
            for c in range(left, right + 1):
                assert (r, c) not in covered
                covered[r, c] = key_
    assert covered == cells


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 5), st.integers(0, 5))
def test_a_filled_rectangle_is_one(height: int, width: int, top: int, left: int) -> None:
    rows, cols = (index.ravel() for index in np.indices((height, width)))
    found = join_runs(np.zeros(len(rows), dtype=np.int64), cols + left, rows + top, rows + top)
    assert len(found) == 1


def test_rows_first_where_it_gives_fewer() -> None:
    """Three rows of different length: three rectangles by rows, more by columns."""
    lengths = {0: 10, 1: 20, 2: 5}
    cells = [(row, col) for row, length in lengths.items() for col in range(length)]
    row, col = (np.array(axis, dtype=np.int64) for axis in zip(*cells, strict=True))
    assert len(join_runs(np.zeros(len(row), dtype=np.int64), col, row, row)) == 3


TEXTS = [
    "A5+B6",
    "$A$5+B5",
    "SUM(A$1:A5)",
    "Sheet1!A5*5",
    '"A5"&A5',
    "5:7",
    "LOG10(A5)",
    "A5+A4+A6",
    "T[[#This Row],[A5]]",
]


@given(st.sampled_from(TEXTS), st.integers(5, 900))
def test_a_prediction_that_fits_is_the_same_formula(text: str, row: int) -> None:
    predicted = make_template(text, 5).at(row)
    assert make_template(text, 5).at(5) == text
    assert relative_key(predicted, row - 1, 3) == relative_key(text, 4, 3)
    assert cell_name(row - 1, 3) == f"D{row}"


TEXTS_ACROSS = [
    "D5+C6",
    "$D$5+D$5",
    "SUM($A1:D1)",
    "Sheet1!D5*5",
    "D!D5",
    '"D5"&D5',
    "SUM(D:E)",
    "SUM($D:$D)+LOG10(D5)",
    "T[[#This Row],[D5]]",
    "D5+D5%",
    "Timeline!D$6*DAY(Timeline!D$3)/30",
]


@given(st.sampled_from(TEXTS_ACROSS), st.integers(3, 900))
def test_a_prediction_to_the_right_that_fits_is_the_same_formula(text: str, col: int) -> None:
    predicted = make_column_template(text, 3).at(col)
    assert make_column_template(text, 3).at(3) == text
    assert relative_key(predicted, 4, col) == relative_key(text, 4, 3)


def test_nothing_is_predicted_beside_the_sheet() -> None:
    assert "XFD" in make_column_template("B1", 0).at(16382)
    assert "\0" in make_column_template("B1", 0).at(16383)
    assert "\0" in make_column_template("A1", 1).at(0)


@given(
    st.lists(st.tuples(st.sampled_from([*TEXTS_ACROSS, "A01+1", "D5", "d5", "Name", "1"]), st.booleans()), max_size=12)
)
def test_formulas_of_a_row_are_numbered_as_one_by_one(cells: list[tuple[str, bool]]) -> None:
    """Whatever stands side by side: equal numbers exactly where the keys are equal."""
    formulas = Formulas("Sheet")
    texts = [shift(text, 0, at) if filled else text for at, (text, filled) in enumerate(cells)]
    numbers = [formulas.normal(4, 3 + at, text) for at, text in enumerate(texts)]
    keys = [relative_key(text, 4, 3 + at) for at, text in enumerate(texts)]
    assert [numbers.index(number) for number in numbers] == [keys.index(key) for key in keys]
