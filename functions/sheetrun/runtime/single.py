"""Statements of one cell as functions of single values, for a book with one lane: arrays of one cell take three to six
times longer.

A script for lanes makes an array of every cell that varies, and a function is lifted over it. With one lane each such
array has one element, and the statement of one cell is Excel's formula again: its nodes become nested Python functions
that read memory known beforehand and hand on plain values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sheetrun.runtime.address import Span, span_of
from sheetrun.runtime.errors import CALC, ExcelError, error_of
from sheetrun.runtime.flows import flows
from sheetrun.runtime.lanes import LaneBook, LaneSheet, each
from sheetrun.runtime.recorded import Call, Later, Node, Read, Statement, Windowed
from sheetrun.runtime.tails import shown
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value, decode
from sheetrun.runtime.windows import over

_Give = Callable[[], Value]
_SCALARS: Final = frozenset({float, str, bool, ExcelError, type(None)})


class NotSingle(Exception):
    """A statement of more than one cell, or one that does what is only written for arrays."""


class Single:
    """A statement of one cell. ``book``: with one lane, and run once, so that which cells vary is known."""

    __slots__ = ("_book", "_col", "_give", "_row", "_sheet")

    def __init__(self, statement: Statement, book: LaneBook) -> None:
        """Raises NotSingle."""
        self._book = book
        self._sheet = book.laned(statement.sheet)
        place = self._sheet.own_cell(statement.span)
        if place is None or book.lanes != 1:
            raise NotSingle
        self._row, self._col = place
        self._give = _giver(statement.value, book)

    def run(self) -> bool:
        """Computes and stores it. False where the cell was a finite number before and is none now. Raises NotSingle for
        a result that is no single value; nothing is stored then."""
        self._book.lane = 0
        try:
            value = self._give()
            if type(value) not in _SCALARS:
                value = _only(value)
        finally:
            self._book.lane = None
        return self._sheet.store_one(self._row, self._col, value)


def _only(value: Value) -> Scalar:
    """The scalar of an array of one cell."""
    if type(value) is Arr and value.size == 1:
        return value.cell(0, 0)
    raise NotSingle


def _giver(node: Any, book: LaneBook) -> _Give:
    match node:
        case Read(sheet, key, how):
            return _reader(book.laned(sheet), *span_of(key), how)
        case Windowed(sheet, key, 1, 1):
            return _cells(book.laned(sheet), span_of(key)[0])
        case Call(function, (_, Later(value), *shape)) if function is each and all(n == 1 for n in shape):
            return _corner(_giver(value, book))
        case Call(function, (aggregate, *args)) if function is over or function is flows:
            if aggregate.__name__ == "NPV":  # ``flows`` takes the flows first
                args = [*args[1:], args[0]]
            return _call(aggregate, [_giver(arg, book) for arg in args])
        case Call(function, (test, Later(then), Later(otherwise))) if function.__name__ == "IF":
            return _choice(function, *(_giver(part, book) for part in (test, then, otherwise)))
        case Call(function, args):
            return _call(function, [_giver(arg, book) for arg in args])
        case Later(value):
            later = _giver(value, book)
            return lambda: later
        case Node():
            raise NotSingle
    return lambda: node


def _call(function: Callable[..., Value], givers: list[_Give]) -> _Give:
    if len(givers) == 1:
        (only,) = givers
        return lambda: function(only())
    if len(givers) == 2:
        first, second = givers
        return lambda: function(first(), second())
    return lambda: function(*[give() for give in givers])


def _choice(function: Callable[..., Value], test: _Give, then: _Give, otherwise: _Give) -> _Give:
    """IF, without the way through its arguments where its condition is a logical value."""

    def chosen() -> Value:
        holds = test()
        if type(holds) is bool:
            found = then() if holds else otherwise()
            return 0.0 if found is MISSING else found
        return function(holds, then, otherwise)

    return chosen


def _corner(give: _Give) -> _Give:
    """What a cell shows of a formula (see ``each``)."""

    def first() -> Value:
        value = give()
        return value if type(value) in _SCALARS else shown(CALC if callable(value) else value, (1, 1)).cell(0, 0)

    return first


def _reader(sheet: LaneSheet, span: Span, single: bool, how: str) -> _Give:
    if how in ("arr", "ref"):
        view = getattr(sheet, how)
        key = (span.top, span.left) if single else tuple(span)
        return lambda: view[key]
    if span.shape != (1, 1):
        raise NotSingle
    place = sheet.varying_cell(span)
    if place is None:
        value = sheet.number(span.top, span.left) if how == "n" else sheet.cell(span.top, span.left)
        return lambda: value
    row, col = place
    num_at, tag_at = sheet.nums.item, sheet.tags.item

    def number() -> Value:
        num = num_at(row, col, 0)
        return num if num == num else error_of(num)

    return number if how == "n" else lambda: decode(num_at(row, col, 0), tag_at(row, col, 0))


def _cells(sheet: LaneSheet, span: Span) -> _Give:
    """The cells of a range as an array; the number of a single cell as it is."""
    part = sheet.part(span)
    if part is None or sheet.varies[part].shape != span.shape:
        return lambda: sheet.rectangle(span)
    num, tag, plain = sheet.nums[part][:, :, 0], sheet.tags[part][:, :, 0], sheet.plain[part]
    if span.shape == (1, 1):
        # What counts in a reference and in a value differs for texts and logical values, and not for numbers.
        return lambda: num.item() if plain.item() and num.item() == num.item() else Arr(num, tag)
    return lambda: Arr(num, None if plain.all() else tag)
