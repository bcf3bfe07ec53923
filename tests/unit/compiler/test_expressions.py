"""What the text of a formula becomes: for one cell (D5), for the cell of a loop, and for a block (D5:D9) at once."""

from __future__ import annotations

from typing import Any

import pytest

from sheetrun.compiler.depth import check_depth
from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.expressions import Emitter
from sheetrun.compiler.layout import Layout, NotWhole
from sheetrun.compiler.resolve import Resolver, Scope
from sheetrun.compiler.scriptnames import Names, ScriptNames
from sheetrun.formula.parser import parse
from sheetrun.workbook.model import Workbook

from .making import computed, rect_of, workbook_of

CELL = Layout(rect_of("D5"))
ROWS = Layout(rect_of("D5:D9"), row_var=True)
BOTH = Layout(rect_of("D5:F9"), row_var=True, col_var=True)
WHOLE = Layout(rect_of("D5:D9"), whole=True)


def book() -> Workbook:
    return workbook_of({"A1": 1}, {"A1": 1}, names={"Rate": "Sheet1!$B$1"})


def emit(text: str, layout: Layout, *, arrays: bool = False) -> str:
    scope, rect = Scope.of(book()), layout.rect
    tree = Resolver(scope, 0, rect.top, rect.left).resolve(parse(text, rect.top, rect.left))
    names = Names(ScriptNames())
    emitter = Emitter(layout, 0, names, lambda sheet: ("s", "t")[sheet], scope.sheet_name, arrays=arrays)
    return emitter.formula(tree)


def emitted(text: str, layout: Layout) -> str | None:
    """None where a block cannot be computed at once."""
    try:
        return emit(text, layout)
    except NotWhole:
        return None


@pytest.mark.parametrize(
    ("text", "cell", "rows", "whole"),
    [
        ("A1", "s['A1']", "s[r - 4, 1]", "s['A1:A5']"),
        ("A5", "s['A5']", "s[r, 1]", "s['A5:A9']"),
        ("A6", "s['A6']", "s[r + 1, 1]", "s['A6:A10']"),
        ("$A$1", "s['A1']", "s['A1']", "s['A1']"),
        ("N(A1:C5)", "N(s['A1'])", "N(s[r - 4, 1])", "N(s['A1:A5'])"),
        ("Sheet2!A5", "t['A5']", "t[r, 1]", "t['A5:A9']"),
        ("Rate*A5", "s.n['B1'] * s.n['A5']", "s.n['B1'] * s.n[r, 1]", "s.n['B1'] * s.n['A5:A9']"),
        # arithmetic: the last + or - of a formula is cleared of noise
        ("A5+1", "add(s.n['A5'], 1.0)", "add(s.n[r, 1], 1.0)", "add(s.n['A5:A9'], 1.0)"),
        ("(A5+1)", "s.n['A5'] + 1.0", "s.n[r, 1] + 1.0", "s.n['A5:A9'] + 1.0"),
        (
            "A5+B5-C5",
            "sub(s.n['A5'] + s.n['B5'], s.n['C5'])",
            "sub(s.n[r, 1] + s.n[r, 2], s.n[r, 3])",
            "sub(s.n['A5:A9'] + s.n['B5:B9'], s.n['C5:C9'])",
        ),
        ("A5/B5", "div(s.n['A5'], s.n['B5'])", "div(s.n[r, 1], s.n[r, 2])", "div(s.n['A5:A9'], s.n['B5:B9'])"),
        ("-A5^2", "power(-s.n['A5'], 2.0)", "power(-s.n[r, 1], 2.0)", "power(-s.n['A5:A9'], 2.0)"),
        ("A5%", "div(s.n['A5'], 100.0)", "div(s.n[r, 1], 100.0)", "div(s.n['A5:A9'], 100.0)"),
        (
            'A5&"x"&B5',
            "concat(s['A5'], 'x', s['B5'])",
            "concat(s[r, 1], 'x', s[r, 2])",
            "concat(s['A5:A9'], 'x', s['B5:B9'])",
        ),
        ("A5<>1", "ne(s['A5'], 1.0)", "ne(s[r, 1], 1.0)", "ne(s['A5:A9'], 1.0)"),
        # functions
        ("ROUND(A5,2)", "ROUND(s.n['A5'], 2.0)", "ROUND(s.n[r, 1], 2.0)", "ROUND(s.n['A5:A9'], 2.0)"),
        ("SUM(A5:C5)", "SUM(s.arr['A5:C5'])", "SUM(s.arr[r, 1, r, 3])", "over(SUM, s.window('A5:C5', 5, 1))"),
        ("SUM($A$1:$C$3)", "SUM(s.arr['A1:C3'])", "SUM(s.arr['A1:C3'])", "over(SUM, s.window('A1:C3', 1, 1))"),
        ("SUM(A:A)", "SUM(s.arr['A1:A1048576'])", "SUM(s.arr[1, 1, 1048576, 1])", None),
        ("MAX(A5,0)", "MAX(s.arr['A5'], 0.0)", "MAX(s.arr[r, 1], 0.0)", "over(MAX, s.window('A5', 5, 1), 0.0)"),
        (
            "IF(A5>1,B5,C5)",
            "IF(gt(s['A5'], 1.0), lambda: s['B5'], lambda: s['C5'])",
            "IF(gt(s[r, 1], 1.0), lambda: s[r, 2], lambda: s[r, 3])",
            "IF(gt(s['A5:A9'], 1.0), lambda: s['B5:B9'], lambda: s['C5:C9'])",
        ),
        (
            "IF(A5,,1)",
            "IF(s['A5'], lambda: MISSING, lambda: 1.0)",
            "IF(s[r, 1], lambda: MISSING, lambda: 1.0)",
            "IF(s['A5:A9'], lambda: MISSING, lambda: 1.0)",
        ),
        (
            "NORM.DIST(A5,0,1,TRUE)",
            "NORM_DIST(s.n['A5'], 0.0, 1.0, True)",
            "NORM_DIST(s.n[r, 1], 0.0, 1.0, True)",
            "NORM_DIST(s.n['A5:A9'], 0.0, 1.0, True)",
        ),
        (
            "VLOOKUP(A5,$A$1:$B$9,2,FALSE)",
            "VLOOKUP(s['A5'], s.arr['A1:B9'], 2.0, False)",
            "VLOOKUP(s[r, 1], s.arr['A1:B9'], 2.0, False)",
            "VLOOKUP(s['A5:A9'], s.arr['A1:B9'], 2.0, False)",
        ),
        (
            "SUM(Sheet1:Sheet2!A1)",
            "SUM(book.span('Sheet1', 'Sheet2', 'A1'))",
            "SUM(book.span('Sheet1', 'Sheet2', (r - 4, 1)))",
            None,
        ),
        ("ROW()", "ROW(s.ref['D5'])", "ROW(s.ref[r, 4])", None),
        (
            "OFFSET(A5,1,0)",
            "single(OFFSET(s.ref['A5'], 1.0, 0.0), s.ref['D5'])",
            "single(OFFSET(s.ref[r, 1], 1.0, 0.0), s.ref[r, 4])",
            None,
        ),
        # implicit intersection
        ("$A$1:$A$9", "s['A5']", "s[r, 1]", "s['A5:A9']"),
        ("$A$1:$A$4", "VALUE_ERROR", "single(s.ref['A1:A4'], s.ref[r, 4])", None),
        ("@A1:A9", "single(s.ref['A1:A9'], s.ref['D5'])", "single(s.ref[r - 4, 1, r + 4, 1], s.ref[r, 4])", None),
        # reference operators
        ("SUM((A1,B2))", "SUM(union(s.ref['A1'], s.ref['B2']))", "SUM(union(s.ref[r - 4, 1], s.ref[r - 3, 2]))", None),
        (
            "SUM(A1:B2 $B$2:$C$3)",
            "SUM(intersection(s.ref['A1:B2'], s.ref['B2:C3']))",
            "SUM(intersection(s.ref[r - 4, 1, r - 3, 2], s.ref['B2:C3']))",
            None,
        ),
        ("SUM(A1#)", "SUM(spilled(s.ref['A1']))", "SUM(spilled(s.ref[r - 4, 1]))", None),
        # constants
        ("#N/A", "NA_ERROR", "NA_ERROR", "NA_ERROR"),
        ("#GETTING_DATA", "ExcelError('#GETTING_DATA')", "ExcelError('#GETTING_DATA')", "ExcelError('#GETTING_DATA')"),
        ('"a""b"', "'a\"b'", "'a\"b'", "'a\"b'"),
        (
            '{1,TRUE;"a",#N/A}',
            "text_array([[1.0, True], ['a', NA_ERROR]])",
            "text_array([[1.0, True], ['a', NA_ERROR]])",
            None,
        ),
        (
            "LET(x,A5,x*x)",
            "single(let(s.ref['A5'], lambda x: times(num(spread(x)), num(spread(x)))), s.ref['D5'])",
            "single(let(s.ref[r, 1], lambda x: times(num(spread(x)), num(spread(x)))), s.ref[r, 4])",
            None,
        ),
    ],
)
def test_expressions(text: str, cell: str, rows: str, whole: str | None) -> None:
    assert emit(text, CELL) == cell
    assert emit(text, ROWS) == rows
    assert emitted(text, WHOLE) == whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A1*$B1+C$1", "add(s.n[r - 4, c - 3] * s.n[r - 4, 2], s.n[1, c - 1])"),
        ("SUM($A$1:A1)", "SUM(s.arr[1, 1, r - 4, c - 3])"),
        ("SUM(2:3)", "SUM(s.arr[r - 3, 1, r - 2, 16384])"),
    ],
)
def test_two_loop_variables(text: str, expected: str) -> None:
    assert emit(text, BOTH) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(A1:A3+B1:B3)*2", "(s.n['A1:A3'] + s.n['B1:B3']) * 2.0"),
        ("(A1:A3*B1:B2)", "times(s.n['A1:A3'], s.n['B1:B2'])"),  # NumPy cannot pair these
        ("(A1:A3*B1:D1)", "s.n['A1:A3'] * s.n['B1:D1']"),
        ("A1:A3", "s['A1:A3']"),
        ('A1:A3&"x"', "concat(s['A1:A3'], 'x')"),
        ("EDATE(A1:A3,1)", "EDATE(VALUE_ERROR, 1.0)"),  # the Analysis ToolPak refuses several cells
        ("EDATE(+A1:A3,1)", "EDATE(s['A1:A3'], 1.0)"),
        ("SUM(IF(A1:A3>1,B1:B3))", "SUM(IF(gt(s['A1:A3'], 1.0), lambda: s.ref['B1:B3']))"),
    ],
)
def test_array_formulas_keep_their_ranges(text: str, expected: str) -> None:
    assert emit(text, CELL, arrays=True) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(2-(3-4))*1", 3.0),
        ("(2-3-4)*1", -5.0),
        ("(2*(3+4))*1", 14.0),
        ("(-(2+3))*1", -5.0),
        ("(-2*-3)*1", 6.0),
        ("(2*(3*4))*1", 24.0),
        ("(1-(-1))*1", 2.0),
        ("(- -2)*1", 2.0),
        ("((1+2)*(3-(4-5)))*1", 12.0),
        ("(1+2*3-4*(5-6))*1", 11.0),
    ],
)
def test_operators_bind_as_in_excel(text: str, value: float) -> None:
    """Numbers alone give an expression of Python's own operators."""
    assert eval(emit(text, CELL), {}) == value


def test_a_whole_block_needs_the_same_column_for_all_or_one_for_each() -> None:
    wide = Layout(rect_of("D5:F9"), whole=True)
    assert emit("$A5*B$1", wide) == "s.n['A5:A9'] * s.n['B1:D1']"
    assert emit("SUM($A5:$C5)", wide) == "over(SUM, s.window('A5:C5', 5, 1))"
    assert emitted("SUM(A$5:A5)", wide) is None


def test_references_that_leave_the_sheet_within_a_block() -> None:
    with pytest.raises(CannotCompile) as caught:
        emit("XFD1", Layout(rect_of("A1:C1"), col_var=True))
    assert caught.value.code == "reference_wraps"


def test_depth() -> None:
    check_depth("f(" * 100 + "1" + ")" * 100)
    check_depth("1" + " + 1" * 400)
    for text in ("f(" * 195 + "1" + ")" * 195, "1" + " + 1" * 600, "1" + " + 1" * 100_000):
        with pytest.raises(CannotCompile) as caught:
            check_depth(text)
        assert caught.value.code == "too_deep"


@pytest.mark.parametrize(
    ("formula", "values"),
    [
        ("=DROP($F$1:$F$4,1)+A1", [21, 22, 23]),
        ("=TAKE($F$1:$F$4,3)*A1", [10, 20, 30]),
        ("=TRIMRANGE($F$2:$F$4)*A1", [20, 40, 60]),
        ("=ROW($F$2:$F$4)*A1", [2, 4, 6]),
    ],
)
def test_an_array_in_a_filled_formula_is_its_first_cell_in_each(formula: str, values: list[float]) -> None:
    """Also where it has the shape of the block."""
    cells: dict[str, Any] = {f"A{row}": float(row) for row in range(1, 4)} | {
        f"F{row}": 10.0 * row for row in range(1, 5)
    }
    found = computed({**cells, "B1:B3": formula})
    assert [found[f"B{row}"] for row in range(1, 4)] == values


def test_products_are_made_from_the_first_number_to_the_last() -> None:
    """Also in a filled formula: 2.5*1*3*0.1 is 0.75, and 2.5*(1*3*0.1) is not."""
    cells: dict[str, Any] = {
        "A1": 1.0,
        "A2": 3.0,
        "A3": 0.1,
        "A4": 2.0,
        "B1:B2": "=PRODUCT(2.5,A1:A3)",
        "C1": "=PRODUCT(2.5,A1:A3)",
    }
    found = computed(cells)
    assert found["B1"] == found["C1"] == 0.75
    assert found["B2"] == 2.5 * 3.0 * 0.1 * 2.0
