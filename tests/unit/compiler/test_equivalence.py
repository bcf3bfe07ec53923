"""A block computed at once, in a loop, by demand, or cell by cell: always the same numbers.

Random sheets of blocks are computed in three ways: as the compiler would have it, with every unit solved on demand, and
with every block cut into single cells. What differs is a mistake of one of the three.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sheetrun.compiler import script as writer
from sheetrun.compiler.graph import components, link
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Part, Solve
from sheetrun.compiler.units import Unit
from sheetrun.formula.a1 import cell_name, range_name
from sheetrun.formula.r1c1 import shift
from sheetrun.workbook.model import Block, Kind, Rect, Workbook

from .making import run, workbook_of

ROWS, COLUMNS = 9, 7

constants = st.one_of(
    st.integers(-3, 9),
    st.sampled_from([0.1, 0.2, 0.3, -0.5, 1e-17, 1e300, 2.5]),
    st.booleans(),
    st.sampled_from(["", "x", "12", "Apple", "apple", "TRUE", "'=x", "1e3"]),
    st.sampled_from([{"error": "#N/A"}, {"error": "#DIV/0!"}, {"error": "#VALUE!"}]),
    st.none(),
)


@st.composite
def rectangles(draw: st.DrawFn) -> Rect:
    """One to three rectangles of a row, a column or both."""
    top, left = draw(st.integers(0, ROWS - 1)), draw(st.integers(1, COLUMNS - 1))
    tall, wide = draw(st.sampled_from([(1, 1), (5, 1), (ROWS, 1), (1, 4), (3, 2), (2, 3)]))
    return Rect(top, left, min(top + tall, ROWS) - 1, min(left + wide, COLUMNS) - 1)


class Reference:
    """Text of references from a host block; ``back`` keeps them above it or to its left."""

    def __init__(self, draw: st.DrawFn, host: Rect, back: bool) -> None:
        self.draw, self.host, self.back = draw, host, back

    def cell(self) -> str:
        draw, host = self.draw, self.host
        if draw(st.booleans()):  # near: recurrences are made of these
            row, col = host.top + draw(st.integers(-2, 2)), host.left + draw(st.integers(-2, 2))
            row, col = min(max(row, 0), ROWS - 1), min(max(col, 0), COLUMNS - 1)
        else:
            row, col = draw(st.integers(0, ROWS - 1)), draw(st.integers(0, COLUMNS - 1))
        if self.back and (row, col) >= (host.top, host.left):
            row, col = (host.top - 1, col) if host.top else (row, host.left - 1)
        fixed_row, fixed_col = draw(
            st.sampled_from([(False, False), (False, False), (True, False), (False, True), (True, True)])
        )
        return ("$" if fixed_col else "") + _column(col) + ("$" if fixed_row else "") + str(row + 1)

    def area(self) -> str:
        return f"{self.cell()}:{self.cell()}"


def _column(col: int) -> str:
    return cell_name(0, col)[:-1]


BINARY = ["+", "-", "*", "/", "^", "&", "=", "<>", "<", "<=", ">", ">="]
AGGREGATES = ["SUM", "MAX", "MIN", "COUNT", "COUNTA", "AVERAGE", "PRODUCT", "AND", "OR"]


def expression(draw: st.DrawFn, reference: Reference, depth: int) -> str:
    """A formula's text from a small grammar."""
    kind = draw(st.sampled_from(["cell", "cell", "constant"] if depth == 0 else list(_MAKERS)))
    return _MAKERS[kind](draw, reference, lambda: expression(draw, reference, depth - 1))


Maker = Callable[[st.DrawFn, Reference, Callable[[], str]], str]


def _binary(draw: st.DrawFn, reference: Reference, inner: Callable[[], str]) -> str:
    return f"({inner()}{draw(st.sampled_from(BINARY))}{inner()})"


def _aggregate(draw: st.DrawFn, reference: Reference, inner: Callable[[], str]) -> str:
    name = draw(st.sampled_from(AGGREGATES))
    args = [draw(st.sampled_from([reference.area, reference.cell, inner]))() for _ in range(draw(st.integers(1, 3)))]
    return f"{name}({','.join(args)})"


def _lookup(draw: st.DrawFn, reference: Reference, inner: Callable[[], str]) -> str:
    return draw(
        st.sampled_from(
            [
                lambda: f"INDEX({reference.area()},{draw(st.integers(1, 3))},1)",
                lambda: f"SUMIF({reference.area()},{inner()})",
                lambda: f"COUNTIF({reference.area()},{inner()})",
                lambda: f"MATCH({inner()},{reference.area()},0)",
                lambda: f"SUMPRODUCT({reference.area()}*1)",
                lambda: f"IFERROR({inner()},{inner()})",
                lambda: f"ROUND({inner()},1)",
                lambda: f"ISERROR({inner()})",
                lambda: f"LEN({inner()})",
                lambda: f"N({reference.cell()})",
                lambda: f"ISBLANK({reference.cell()})",
                lambda: f"CHOOSE({inner()},{inner()},{inner()})",
                lambda: f"ROW({reference.cell()})",
                lambda: "ROW()",
                lambda: f"LET(x,{inner()},x&{inner()})",
                lambda: f"IF({inner()},{inner()})",
                lambda: f"NOT({inner()})",
                lambda: f"ABS({inner()})",
                lambda: f"MOD({inner()},3)",
                lambda: f"XOR({inner()},{reference.area()})",
                lambda: f"SUM({reference.area()}*{inner()})",
                lambda: f"OFFSET({reference.cell()},{inner()},0)",
                lambda: f'INDIRECT("B"&{inner()})',
                lambda: f"SUM({reference.cell()}:INDEX({reference.area()},1))",
                lambda: f"SUM(({reference.area()},{reference.cell()}))",
                lambda: f"SUBTOTAL(9,{reference.area()})",
                lambda: f"VLOOKUP({inner()},{reference.area()},1,FALSE)",
                lambda: f"SUM(IF({reference.area()}>1,{inner()},{inner()}))",
                lambda: f"AND({reference.area()},{inner()})",
                lambda: f"{inner()}&{reference.cell()}",
                lambda: f"COUNTBLANK({reference.area()})",
                lambda: f"LOOKUP({inner()},{reference.area()})",
                lambda: f"SWITCH({inner()},{inner()},1,{inner()},2,3)",
                lambda: f'TEXT({inner()},"0.0")',
                lambda: f"LARGE({reference.area()},{inner()})",
                lambda: f"NPV(0.1,{reference.area()})",
                lambda: f"({reference.area()})={inner()}",
                lambda: f"POWER({inner()},{inner()})",
                lambda: f"MAX({inner()},{inner()})",
                lambda: f"{{1,2;3,4}}*{inner()}",
                lambda: f"IF(ISNUMBER({reference.cell()}),{inner()},{reference.cell()})",
            ]
        )
    )()


_MAKERS: dict[str, Maker] = {
    "cell": lambda draw, reference, inner: reference.cell(),
    "constant": lambda draw, reference, inner: draw(
        st.sampled_from(["1", "2.5", "0", "TRUE", '"a"', '""', "#N/A", "#DIV/0!", '"3"'])
    ),
    "binary": _binary,
    "top": lambda draw, reference, inner: f"{inner()}{draw(st.sampled_from(['+', '-', '*', '/']))}{inner()}",
    "unary": lambda draw, reference, inner: draw(st.sampled_from(["-{}", "+{}", "{}%"])).format(f"({inner()})"),
    "if": lambda draw, reference, inner: f"IF({inner()},{inner()},{inner()})",
    "aggregate": _aggregate,
    "lookup": _lookup,
    "area": lambda draw, reference, inner: reference.area(),
}


@st.composite
def workbooks(draw: st.DrawFn) -> Workbook:
    """Constants in a grid, and blocks of formulas over a part of it. Half of them read only what stands before."""
    cells: dict[str, Any] = {}
    for row in range(ROWS):
        for col in range(COLUMNS):
            cells[cell_name(row, col)] = draw(constants)
    taken: list[Rect] = []
    back = draw(st.booleans())
    for _ in range(draw(st.integers(1, 6))):
        rect = draw(rectangles())
        if any(rect.overlaps(other) for other in taken):
            continue
        taken.append(rect)
        text = expression(draw, Reference(draw, rect, back), draw(st.integers(1, 3)))
        mark = draw(st.sampled_from(["=", "=", "=", "=", "{=", "#="]))
        cells[range_name(*rect)] = mark + text + ("}" if mark == "{=" else "")
    for rect in taken:
        for row in range(rect.top, rect.bottom + 1):
            for col in range(rect.left, rect.right + 1):
                if rect.size > 1:
                    cells.pop(cell_name(row, col), None)
    return workbook_of(cells)


def by_demand(units: list[Unit], scope: Scope) -> list[Part]:
    """A schedule in which every unit is solved by cells."""
    link(units, scope)
    return [Solve(tuple(units[i] for i in members)) for members in components(units)]


def in_cells(workbook: Workbook) -> Workbook:
    """The same workbook, each block of formulas cut into blocks of one cell."""
    for sheet in workbook.sheets:
        blocks = []
        for block in sheet.blocks:
            if block.kind is not Kind.NORMAL:
                blocks.append(block)
                continue
            top, left, bottom, right = block.rect
            for row in range(top, bottom + 1):
                for col in range(left, right + 1):
                    text = shift(block.text, row - top, col - left) if (row, col) != (top, left) else block.text
                    blocks.append(Block(Rect(row, col, row, col), text))
        sheet.blocks = blocks
    return workbook


def same(a: Any, b: Any) -> bool:
    if isinstance(a, bool) or isinstance(b, bool) or not (isinstance(a, int | float) and isinstance(b, int | float)):
        return bool(a == b and type(a) is type(b))
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)


def agree(workbook: Workbook) -> None:
    """Fails when the three ways of computing a workbook give different cells."""
    formulas = {range_name(*b.rect): f"{b.kind}: {b.text}" for b in workbook.sheets[0].blocks}
    whole = run(workbook)
    with mock.patch.object(writer, "schedule", by_demand):
        demanded = run(workbook)
    single = run(in_cells(workbook))
    for one in (whole, demanded, single):
        internal = [e for e in one.proof.errors if e["code"] not in ("circular_reference", "reference_wraps")]
        assert not internal, (formulas, internal)
    circular = {one.report["circular"] > 0 for one in (whole, demanded, single)}
    event("circular" if True in circular else "in order")
    if True in circular:  # which cells of a cycle are met first depends on the way
        assert circular == {True}, formulas
        return
    a, b, c = whole.cells(), demanded.cells(), single.cells()
    assert a.keys() == b.keys() == c.keys()
    different = {k: (a[k], b[k], c[k]) for k in a if not (same(a[k], b[k]) and same(b[k], c[k]))}
    assert not different, (formulas, different)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(workbooks())
def test_three_ways_agree(workbook: Workbook) -> None:
    agree(workbook)
