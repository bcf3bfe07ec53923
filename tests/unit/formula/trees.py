"""Hypothesis strategies for formula trees, whose host is (HOST_ROW, HOST_COL)."""

from __future__ import annotations

from hypothesis import strategies as st

from sheetrun.formula.lexer import ERROR_CODES
from sheetrun.formula.nodes import (
    Area,
    ArrayConst,
    Axis,
    Binary,
    Call,
    Cell,
    Columns,
    Error,
    Implicit,
    Intersection,
    Invoke,
    Logical,
    Missing,
    Name,
    Node,
    Number,
    Paren,
    Percent,
    Prefix,
    RangeOp,
    Rows,
    Spill,
    Structured,
    Text,
    Unary,
    Union,
)
from sheetrun.formula.visitor import transform

HOST_ROW = 50
HOST_COL = 20

row_axes = st.builds(Axis, st.integers(0, 1_048_575), st.just(True)) | st.builds(
    Axis, st.integers(-HOST_ROW, 900), st.just(False)
)
col_axes = st.builds(Axis, st.integers(0, 16_383), st.just(True)) | st.builds(
    Axis, st.integers(-HOST_COL, 900), st.just(False)
)
_sheet_names = st.sampled_from(
    ["Sheet1", "Jan", "Q1", "R1C1", "RC", "2024", "O'Brien", 'a"b', "Profit & Loss", "Übersicht", "TRUE", "a.b", "_x"]
) | st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="[]:*?/\\'"), min_size=1, max_size=8)
_books = st.sampled_from(["1", "12", "Book 1.xlsx", "Book.xlsx", "C:\\Data\\Book 1.xlsx", "https://host/x/B.xlsx"])
prefixes = st.none() | st.builds(Prefix, _sheet_names, st.none() | _sheet_names, st.none() | st.none() | _books)
names = st.sampled_from(
    ["Rate", "tax.rate", "_x", "\\y", "été", "x", "a", "XFE1", "A1048577", "true_", "What?", "A1", "FALSE"]
)
_plain_names = st.sampled_from(["Rate", "tax.rate", "_x", "\\y", "été", "XFE1", "What?"])
numbers = st.builds(Number, st.floats(0, 1e300, allow_nan=False) | st.integers(0, 10**6).map(float))
texts = st.builds(Text, st.text(max_size=8))
logicals = st.builds(Logical, st.booleans())
errors = st.builds(Error, st.sampled_from(ERROR_CODES))
_signed = st.builds(Number, st.floats(-1e300, 1e300, allow_nan=False))


@st.composite
def array_constants(draw: st.DrawFn) -> ArrayConst:
    width = draw(st.integers(1, 3))
    row = st.tuples(*[_signed | texts | logicals | errors] * width)
    return ArrayConst(tuple(draw(st.lists(row, min_size=1, max_size=3))))


_columns = st.text(min_size=1, max_size=6)
structured = st.builds(
    Structured,
    st.none() | st.sampled_from(["Sales", "Table_1", "été"]),
    st.sampled_from([(), ("all",), ("headers", "data"), ("this row",), ("totals",)]),
    _columns,
    st.none() | _columns,
) | st.builds(Structured, st.just("Sales"), st.sampled_from([(), ("all",), ("headers", "data"), ("this row",)]))
plain_references = (
    st.builds(Cell, row_axes, col_axes, prefixes)
    | st.builds(Area, row_axes, col_axes, row_axes, col_axes, prefixes)
    | st.builds(Rows, row_axes, row_axes, prefixes)
    | st.builds(Columns, col_axes, col_axes, prefixes)
    | st.builds(Name, names)
    | st.builds(
        Name, _plain_names | st.just("item 'x'!R1C1"), st.builds(Prefix, _sheet_names | st.none(), st.none(), _books)
    )
    | structured
)
_functions = st.sampled_from(["SUM", "LOG10", "T.TEST", "BIN2DEC", "MY.FN", "LAMBDA", "ÉTÉ"])


def _calls(arguments: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    many = st.lists(arguments | st.just(Missing()), min_size=2, max_size=4).map(tuple)
    some = st.just(()) | st.tuples(arguments) | many
    call = st.builds(Call, _functions, some)
    return call | st.builds(Invoke, call | st.builds(Paren, arguments), some)


def _range(left: Node, right: Node) -> Node:
    """Two cells would make an Area when they are read again; anything else stays a RangeOp."""
    return Intersection(left, right) if isinstance(left, Cell) and isinstance(right, Cell) else RangeOp(left, right)


def _larger_references(smaller: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return (
        st.builds(_range, smaller, smaller)
        | st.builds(Intersection, smaller, smaller)
        | st.builds(Spill, smaller)
        | st.builds(Implicit, smaller)
        | st.builds(Union, st.lists(smaller, min_size=2, max_size=3).map(tuple))
        | _calls(smaller)
    )


references = st.recursive(plain_references | errors, _larger_references, max_leaves=6)


def _larger(smaller: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    operators = st.sampled_from(["+", "-", "*", "/", "^", "&", "=", "<>", "<", "<=", ">", ">="])
    return (
        st.builds(Binary, operators, smaller, smaller)
        | st.builds(Unary, st.sampled_from("+-"), smaller)
        | st.builds(Percent, smaller)
        | st.builds(Implicit, smaller)
        | st.builds(Paren, smaller)
        | _calls(smaller)
    )


trees = st.recursive(numbers | texts | logicals | errors | array_constants() | references, _larger, max_leaves=12)


def without_parentheses(tree: Node) -> Node:
    """The tree's meaning: what parentheses hold together is held together by the tree."""
    return transform(tree, lambda node: node.inner if isinstance(node, Paren) else node)
