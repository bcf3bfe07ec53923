"""Rows and columns of cells each of which adds something to the cell before it: one chain, not a statement for each cell.

A running balance is written so: ``D16 = C16 + D15``, ``E16 = D16 + E15``, … Its cells have to be computed one after the
other, yet what is added lies side by side, or is the same for all.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from sheetrun.records import dataclass
from sheetrun.runtime import ops
from sheetrun.runtime.address import Span, span_of
from sheetrun.runtime.recorded import Call, Read, Statement

_LEAST: Final = 4  #: cells from which a chain pays
_SAME_TURNED: Final = (ops.add, operator.add, operator.mul)
_CHAINED: Final = (*_SAME_TURNED, ops.sub, operator.sub)


@dataclass(frozen=True, slots=True)
class Chain:
    """``count`` statements that store ``line``: ``function(cell before, step)``, or ``turned`` the other way round.

    ``before``: the cell before the first; ``step``: a Read of as many cells, or an expression that is the same for all.
    """

    count: int
    function: Callable[..., Any]
    turned: bool
    before: Read
    step: Any
    line: Span


@dataclass(frozen=True, slots=True)
class _Link:
    """A statement that may be one of a chain. ``way``: rows and columns from the cell before to its own."""

    function: Callable[..., Any]
    turned: bool
    before: Read
    step: Any
    sheet: int
    cell: Span
    way: tuple[int, int]


def chain_from(statements: Sequence[Statement | None], at: int) -> Chain | None:
    """The chain that starts with a statement (None: a step that was not recorded)."""
    for link in _links(statements[at]):
        for fits in (_is_moved, _is_same):
            count = 1
            while at + count < len(statements) and _goes_on(link, statements[at + count], count, fits):
                count += 1
            if count >= _LEAST:
                return _chain(link, count, moves=fits is _is_moved)
    return None


def _links(statement: Statement | None) -> Iterator[_Link]:
    match statement:
        case Statement(sheet, _, Call(function, (left, right))) if function in _CHAINED:
            cell = statement.span
            for before, step, turned in ((left, right, False), (right, left, True)):
                way = _way(before, sheet, cell)
                if way is not None and (function in _SAME_TURNED or not turned):
                    yield _Link(function, turned, before, step, sheet, cell, way)


def _way(before: Any, sheet: int, cell: Span) -> tuple[int, int] | None:
    """From the cell above or to the left of a cell, if that is what is read."""
    if (
        not isinstance(before, Read)
        or before.sheet != sheet
        or before.how not in ("n", "value")
        or cell.shape != (1, 1)
    ):
        return None
    span, _ = span_of(before.key)
    return next((way for way in ((0, 1), (1, 0)) if _shifted(span, way, 1) == cell), None)


def _goes_on(link: _Link, statement: Statement | None, count: int, fits: Callable[[_Link, Any, int], bool]) -> bool:
    """Whether a statement is what the chain of ``link`` goes on with, ``count`` cells further."""
    return any(
        (other.function, other.turned, other.sheet, other.way) == (link.function, link.turned, link.sheet, link.way)
        and other.cell == _shifted(link.cell, link.way, count)
        and fits(link, other.step, count)
        for other in _links(statement)
    )


def _is_moved(link: _Link, step: Any, count: int) -> bool:
    """Whether a step is the first one's cell, moved along."""
    first = link.step
    return (
        isinstance(first, Read)
        and isinstance(step, Read)
        and (first.sheet, first.how) == (step.sheet, step.how)
        and _shifted(span_of(first.key)[0], link.way, count) == span_of(step.key)[0]
    )


def _is_same(link: _Link, step: Any, _: int) -> bool:
    return _same(link.step, step)


def _same(a: Any, b: Any) -> bool:
    match a, b:
        case Read(sheet, key, how), Read(other, place, manner):
            return (sheet, how, span_of(key)) == (other, manner, span_of(place))
        case Call(function, args), Call(other, others):
            return function is other and len(args) == len(others) and all(map(_same, args, others))
        case float(), float():
            return bool(a == b)
    return False


def _chain(link: _Link, count: int, *, moves: bool) -> Chain | None:
    """None where a step is itself a cell of the chain."""
    line = _stretched(link.cell, link.way, count)
    step = link.step
    if moves:
        cells = _stretched(span_of(step.key)[0], link.way, count)
        step = Read(step.sheet, (cells.top, cells.left, cells.bottom, cells.right), step.how)
    if any(read.sheet == link.sheet and span_of(read.key)[0].overlaps(line) for read in _reads(step)):
        return None
    return Chain(count, link.function, link.turned, link.before, step, line)


def _reads(node: Any) -> Iterator[Read]:
    if isinstance(node, Read):
        yield node
    elif isinstance(node, Call):
        for arg in node.args:
            yield from _reads(arg)


def _shifted(span: Span, way: tuple[int, int], count: int) -> Span:
    down, across = way[0] * count, way[1] * count
    return Span(span.top + down, span.left + across, span.bottom + down, span.right + across)


def _stretched(cell: Span, way: tuple[int, int], count: int) -> Span:
    last = _shifted(cell, way, count - 1)
    return Span(cell.top, cell.left, last.bottom, last.right)
