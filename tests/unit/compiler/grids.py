"""Random workbooks for property tests: a grid of constants with blocks of formulas from a small grammar over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from sheetrun.formula.a1 import cell_name, range_name
from sheetrun.workbook.model import Rect, Workbook

from .making import workbook_of

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
    """Text of references from a host block; ``back`` keeps them above it or to its left, and on its sheet or before."""

    def __init__(self, draw: st.DrawFn, sheet: int, host: Rect, back: bool) -> None:
        self.draw, self.sheet, self.host, self.back = draw, sheet, host, back

    def cell(self) -> str:
        prefix, elsewhere = self._sheet()
        return prefix + self._corner(elsewhere)

    def area(self) -> str:
        if self.draw(st.integers(0, 4)) == 0:  # running: one corner stays
            row, col = self.draw(st.integers(0, self.host.top)), self.draw(st.integers(0, COLUMNS - 1))
            return f"{_column(col)}${row + 1}:{_column(col)}{self.host.top + (0 if self.back else 1) or 1}"
        prefix, elsewhere = self._sheet()
        return f"{prefix}{self._corner(elsewhere)}:{self._corner(elsewhere)}"

    def _sheet(self) -> tuple[str, bool]:
        other = 1 - self.sheet
        if self.draw(st.integers(0, 9)) > 0 or (self.back and other > self.sheet):
            return "", False
        return f"Sheet{other + 1}!", True

    def _corner(self, elsewhere: bool) -> str:
        draw, host = self.draw, self.host
        if draw(st.booleans()):  # near: recurrences are made of these
            row, col = host.top + draw(st.integers(-2, 2)), host.left + draw(st.integers(-2, 2))
            row, col = min(max(row, 0), ROWS - 1), min(max(col, 0), COLUMNS - 1)
        else:
            row, col = draw(st.integers(0, ROWS - 1)), draw(st.integers(0, COLUMNS - 1))
        if self.back and not elsewhere and (row, col) >= (host.top, host.left):
            row, col = (host.top - 1, col) if host.top else (row, host.left - 1)
        fixed_row, fixed_col = draw(
            st.sampled_from([(False, False), (False, False), (True, False), (False, True), (True, True)])
        )
        return ("$" if fixed_col else "") + _column(col) + ("$" if fixed_row else "") + str(row + 1)


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
                lambda: f"NPV({inner()},{reference.area()})",
                lambda: f"IRR({reference.area()})",
                lambda: f"IRR({reference.area()},{inner()})",
                lambda: f"({reference.area()})={inner()}",
                lambda: f"POWER({inner()},{inner()})",
                lambda: f"MAX({inner()},{inner()})",
                lambda: f"{{1,2;3,4}}*{inner()}",
                lambda: f"SUM(Sheet1:Sheet2!{reference.cell().rpartition('!')[2]})",
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
    """Two sheets of constants with blocks of formulas. Half of them read only what stands before."""
    back = draw(st.booleans())
    first = _sheet(draw, 0, back, draw(st.integers(1, 6)))
    return workbook_of(first, _sheet(draw, 1, back, draw(st.integers(0, 2))))


def _sheet(draw: st.DrawFn, sheet: int, back: bool, blocks: int) -> dict[str, Any]:
    taken: list[Rect] = []
    formulas: dict[str, str] = {}
    for _ in range(blocks):
        rect = draw(rectangles())
        if any(rect.overlaps(other) for other in taken):
            continue
        taken.append(rect)
        text = expression(draw, Reference(draw, sheet, rect, back), draw(st.integers(1, 3)))
        mark = draw(st.sampled_from(["=", "=", "=", "=", "{=", "#="]))
        formulas[range_name(*rect)] = mark + text + ("}" if mark == "{=" else "")
    free = [
        cell_name(row, col)
        for row in range(ROWS)
        for col in range(COLUMNS)
        if not any(rect.contains(row, col) for rect in taken)
    ]
    values = draw(st.lists(constants, min_size=len(free), max_size=len(free)))
    return {**dict(zip(free, values, strict=True)), **formulas}


def inputs_of() -> st.SearchStrategy[dict[str, Any]]:
    """Values for some cells of the first sheet."""
    cells = st.builds(cell_name, st.integers(0, ROWS), st.integers(0, COLUMNS))
    return st.dictionaries(cells, st.sampled_from([0, 1, 7.5, "x", "3", "", True, None]), min_size=1, max_size=4)
