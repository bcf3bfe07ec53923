"""Formulas in relative terms: keys that are equal when trees are, and shared formulas that move."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheetrun.formula import r1c1
from sheetrun.formula.nodes import Cell, Columns, Name, Node, Rows
from sheetrun.formula.parser import parse
from sheetrun.formula.r1c1 import relative_key, shift
from sheetrun.formula.render import to_text
from sheetrun.formula.visitor import walk

from .trees import HOST_COL, HOST_ROW, trees

MANY = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize(
    ("text", "row", "col", "key"),
    [
        ("B17*$C$1", 16, 3, "{c-2}{r0}*$C$1"),
        ("B18*$C$1", 17, 3, "{c-2}{r0}*$C$1"),
        ("$B17+B$17", 16, 3, "$B{r0}+{c-2}$17"),
        ("SUM(A1:B$9)", 0, 0, "SUM({c0}{r0}:{c1}$9)"),
        ("A:C+2:5", 1, 1, "{c-1}:{c1}+{r0}:{r3}"),
        ("$A:C+2:$5", 1, 1, "$A:{c1}+{r0}:$5"),
        ("LOG10(A1)+BIN2DEC(1)", 0, 0, "LOG10({c0}{r0})+BIN2DEC(1)"),
        ('"A1"&A1&"say ""B2"""', 0, 0, '"A1"&{c0}{r0}&"say ""B2"""'),
        ("'Q1 A1'!A1+Q1!A1", 0, 0, "'Q1 A1'!{c0}{r0}+Q1!{c0}{r0}"),
        ("'It''s A1'!A1", 0, 0, "'It''s A1'!{c0}{r0}"),
        ("[1]A1x!A1+[2]B2!A1", 0, 0, "[1]A1x!{c0}{r0}+[2]B2!{c0}{r0}"),
        ("T[A1]+T[[#This Row],[B2]:[C'[3]]+A1", 0, 0, "T[A1]+T[[#This Row],[B2]:[C'[3]]+{c0}{r0}"),
        ("[A1']B2!A1+[1]!A1x", 0, 0, "[A1']B2!{c0}{r0}+[1]!A1x"),
        ("Q1[A1]", 0, 0, "Q1[A1]"),
        ("1E5+A1.x+XFE1+A1048577+A0+Rate1x", 0, 0, "1E5+A1.x+XFE1+A1048577+A0+Rate1x"),
        ("{1,2;3,4}+1:1", 0, 0, "{1,2;3,4}+{r0}:{r0}"),
        ("A1#+x:$A$1", 0, 0, "{c0}{r0}#+x:$A$1"),
        ("a1+xfd1048576", 0, 0, "{c0}{r0}+{c16383}{r1048575}"),
        ("A" + "9" * 5000, 0, 0, "A" + "9" * 5000),
        ("", 0, 0, ""),
    ],
)
def test_keys(text: str, row: int, col: int, key: str) -> None:
    assert relative_key(text, row, col) == key


def test_a_name_that_looks_like_a_cell_spoils_no_plan() -> None:
    assert relative_key("A1048577+1", 4, 0) == "A1048577+1"
    assert relative_key("A5+1", 4, 0) == "{c0}{r0}+1"
    assert relative_key("A0+1", 4, 0) == "A0+1"


def test_plans_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sheetrun.formula.r1c1._CACHED_CHARACTERS", 1000)
    monkeypatch.setattr("sheetrun.formula.r1c1._CACHED_OFFSETS", 10)
    r1c1._plans.clear()
    r1c1._row_offsets.clear()
    for row in range(50):
        assert relative_key(f"A1+{'x' * row}+A{row + 1}", row, 0) == f"{{c0}}{{r{-row}}}+{'x' * row}+{{c0}}{{r0}}"
        assert len(r1c1._plans) <= 10
        assert len(r1c1._row_offsets) <= 10


@given(trees, st.integers(HOST_ROW, 1000), st.integers(HOST_COL, 1000))
@MANY
def test_one_tree_has_one_key_wherever_it_stands(tree: Node, row: int, col: int) -> None:
    tree = parse(to_text(tree, HOST_ROW, HOST_COL), HOST_ROW, HOST_COL)
    here = relative_key(to_text(tree, HOST_ROW, HOST_COL), HOST_ROW, HOST_COL)
    assert relative_key(to_text(tree, row, col), row, col) == here


@given(trees, st.integers(-10, 900), st.integers(-10, 900))
@MANY
def test_a_shared_formula_moves_as_its_tree_does(tree: Node, d_row: int, d_col: int) -> None:
    row, col = HOST_ROW + 10, HOST_COL + 10
    tree = parse(to_text(tree, row, col), row, col)
    text = to_text(tree, row, col)
    moved = shift(text, d_row, d_col)
    assert moved == to_text(tree, row + d_row, col + d_col)
    assert relative_key(moved, row + d_row, col + d_col) == relative_key(text, row, col)


_WORDS = """
    A1 A2 B1 $A1 A$1 $A$1 A1:B2 A:A A:B $A:B 1:1 1:2 Sheet1!A1 'A1'!A1 T[A1] T[A2] LOG10(A1) "A1" "A2" A1.x XFE1 XFE2
    1 2 (A1,B1) Rate Q1!A1 Q2!A1 A1048577 A0
"""
_PIECES = st.sampled_from(_WORDS.split())
_HOSTED = st.tuples(st.lists(_PIECES, min_size=1, max_size=2).map("+".join), st.integers(0, 1), st.integers(0, 1))


@given(_HOSTED, _HOSTED)
@settings(max_examples=500, deadline=None)
def test_keys_are_equal_exactly_when_trees_are(first: tuple[str, int, int], second: tuple[str, int, int]) -> None:
    assert (relative_key(*first) == relative_key(*second)) == (parse(*first) == parse(*second))


@pytest.mark.parametrize(
    ("text", "d_row", "d_col", "moved"),
    [
        ("A1+$A1+A$1+$A$1", 2, 1, "B3+$A3+B$1+$A$1"),
        ("A1", -1, -1, "XFD1048576"),
        ("XFD1048576", 1, 1, "A1"),
        ("A1:B2", -1, 0, "A1048576:B1"),
        ("A:$C+1:$3", 1, 1, "B:$C+2:$3"),
        ("A:A+1:1", -1, -1, "XFD:XFD+1048576:1048576"),
        ("LOG10('A1'!A1)&\"A1\"", 1, 1, "LOG10('A1'!B2)&\"A1\""),
        ("T[[#This Row],[A1]]+XFE1", 1, 1, "T[[#This Row],[A1]]+XFE1"),
        (" SUM( a1 )", 1, 1, " SUM( B2 )"),
    ],
)
def test_shift(text: str, d_row: int, d_col: int, moved: str) -> None:
    assert shift(text, d_row, d_col) == moved


@given(trees)
@MANY
def test_what_moves_is_what_the_parser_calls_a_reference(tree: Node) -> None:
    text = to_text(tree, HOST_ROW, HOST_COL)
    plain = [node for node in walk(parse(text, HOST_ROW, HOST_COL)) if isinstance(node, Cell | Rows | Columns | Name)]
    moved = [
        node
        for node in walk(parse(shift(text, 1, 1), HOST_ROW + 1, HOST_COL + 1))
        if isinstance(node, Cell | Rows | Columns | Name)
    ]
    assert moved == plain
