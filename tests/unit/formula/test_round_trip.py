"""Trees to text and back; texts that are no formulas."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheetrun.formula.errors import FormulaError
from sheetrun.formula.nodes import (
    Area,
    Axis,
    Binary,
    Cell,
    Implicit,
    Intersection,
    Name,
    Node,
    Number,
    Paren,
    Percent,
    RangeOp,
    Spill,
    Unary,
)
from sheetrun.formula.parser import parse
from sheetrun.formula.r1c1 import relative_key, shift
from sheetrun.formula.render import to_text

from .trees import HOST_COL, HOST_ROW, trees, without_parentheses

#: Pieces of formulas, to be put together in any order.
_WORDS = """
    A1 $B$2 A:C 2:5 SUM( ( ) , ; { } {1,2} " "x" ' 'a_b'! Sheet1! ! [ ] [1] T[ T[a] [@ # #REF! #N/A @ % ^ - + < > =
    & : 1 .5 1E E5 R[1]C RC x _xlfn.SINGLE( _xlpm. _xlop.y XFE1 A0 \\ ? é
"""
_SCRAPS = [*_WORDS.split(), " ", "\n", "\x00", "\u00a0", "0" * 5000]
_garbage = st.lists(st.sampled_from(_SCRAPS), max_size=12).map("".join) | st.text(max_size=30)


@given(trees)
@settings(max_examples=200, deadline=None)
def test_a_tree_written_and_read_means_the_same(tree: Node) -> None:
    text = to_text(tree, HOST_ROW, HOST_COL)
    read = parse(text, HOST_ROW, HOST_COL)
    assert without_parentheses(read) == without_parentheses(tree), text


@given(trees)
@settings(max_examples=200, deadline=None)
def test_what_was_read_is_read_again_from_its_text(tree: Node) -> None:
    read = parse(to_text(tree, HOST_ROW, HOST_COL), HOST_ROW, HOST_COL)
    text = to_text(read, HOST_ROW, HOST_COL)
    assert parse(text, HOST_ROW, HOST_COL) == read, text


@given(_garbage, st.booleans())
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_formula_or_a_formula_error(text: str, r1c1: bool) -> None:
    relative_key(text, 5, 5)
    shift(text, 1, 1)
    failure = _failure(text, r1c1)
    if failure is not None:
        assert 0 <= failure.position <= len(text)
        assert str(failure).endswith("^")
        assert str(pickle.loads(pickle.dumps(failure))) == str(failure)
    elif not r1c1:
        tree = parse(text, 5, 5)
        assert parse(to_text(tree, 5, 5), 5, 5) == tree


def _failure(text: str, r1c1: bool) -> FormulaError | None:
    try:
        parse(text, 5, 5, r1c1=r1c1)
    except FormulaError as error:
        return error
    return None


def _cell(column: int) -> Cell:
    return Cell(Axis(0, True), Axis(column, True))


_A, _B, _C = _cell(0), _cell(1), _cell(2)


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Binary("*", Binary("+", _A, _B), _C), "($A$1+$B$1)*$C$1"),
        (Binary("+", _A, Binary("+", _B, _C)), "$A$1+($B$1+$C$1)"),
        (Binary("^", Unary("-", Number(2.0)), Number(2.0)), "-2^2"),
        (Unary("-", Binary("^", Number(2.0), Number(2.0))), "-(2^2)"),
        (Binary("^", Number(-2.0), Number(2.0)), "-2^2"),
        (Percent(Unary("-", _A)), "(-$A$1)%"),
        (Paren(Paren(_A)), "(($A$1))"),
        (Implicit(Binary("+", _A, _B)), "_xlfn.SINGLE($A$1+$B$1)"),
        (RangeOp(Implicit(_A), _B), "_xlfn.SINGLE($A$1):$B$1"),
        (RangeOp(_A, Implicit(_B)), "$A$1:@$B$1"),
        (Spill(Area(Axis(0, True), Axis(0, True), Axis(1, True), Axis(1, True))), "_xlfn.ANCHORARRAY($A$1:$B$2)"),
        (RangeOp(Name("a"), Name("c")), "a : c"),
        (Intersection(Name("a"), Paren(_A)), "(a) ($A$1)"),
        (Name("A1"), "_xlpm.A1"),
        (Name("true"), "_xlpm.true"),
        (Number(0.0000329), "0.0000329"),
        (Number(1e20), "100000000000000000000"),
        (Number(1e300), "1E+300"),
        (Number(0.1 + 0.2), "0.30000000000000004"),
    ],
)
def test_a_tree_is_written_with_the_parentheses_it_needs(tree: Node, text: str) -> None:
    assert to_text(tree, 0, 0) == text


def test_a_reference_off_the_sheet_is_written_as_an_error() -> None:
    assert to_text(parse("A1+Sheet1!B2:C3", 1, 1), 0, 0) == "#REF!+Sheet1!A1:B2"
    assert to_text(parse("Sheet1!B2:C3+1:2+A:A", 5, 5), 0, 0) == "Sheet1!#REF!+#REF!+#REF!"


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_number_without_spelling_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="cannot stand in a formula"):
        to_text(Number(value), 0, 0)
