"""Between which numbers the cells of a script lie, for inputs that lie between two numbers each.

Known once for all scenarios, so that a tape need not look at every result: terms that cannot cancel leave no noise
(``noise``). Interval arithmetic (Moore, Kearfott, Cloud, "Introduction to Interval Analysis", 2009), and without a margin,
because rounding keeps the order of numbers: what ``+ - * /`` make of the ends of intervals bounds what they make of all
that lies between. What is not known here lies between the infinities.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, Final

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime import ops
from sheetrun.runtime.address import Place, Span, span_of
from sheetrun.runtime.cells import NUMBER, Mask, Numbers, Tags
from sheetrun.runtime.lanes import LaneBook
from sheetrun.runtime.noise import LEAST
from sheetrun.runtime.recorded import Call, Later, Read, Statement, Windowed
from sheetrun.runtime.registry import call_of
from sheetrun.runtime.sheet import Sheet
from sheetrun.runtime.windows import over

#: For additions that end a formula, which of the cells of their block they may leave noise in.
Doubts = Mapping[Call, Mask]

_MOST_CELLS: Final = 256  #: of a window
_RISING: Final = frozenset({"ROUND", "ROUNDUP", "ROUNDDOWN", "TRUNC", "INT"})
_POWER_MARGIN: Final = 1e-12  #: of itself, by which a power may be out of order
_NEXT_TO_NOTHING: Final = 1e-300  #: powers about this may as well be 0


@dataclass(frozen=True, slots=True)
class Between:
    """The least and the greatest that numbers can be: floats, or arrays of rows × columns."""

    low: Any
    high: Any

    @classmethod
    def of(cls, *ends: Any) -> Between:
        """Around all of these; what is NaN there is not known."""
        low, high = reduce(np.minimum, ends), reduce(np.maximum, ends)
        return cls(np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high))

    @classmethod
    def holding(cls, num: Numbers, tag: Tags) -> Between:
        """What holds all values of an input."""
        known = num.size > 0 and (tag == NUMBER).all() and np.isfinite(num).all()
        return cls(num.min(), num.max()) if known else _UNKNOWN

    def __add__(self, other: Between) -> Between:
        return Between.of(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Between:
        return Between(-self.high, -self.low)

    def __sub__(self, other: Between) -> Between:
        return self + -other

    def __mul__(self, other: Between) -> Between:
        return Between.of(*(a * b for a in (self.low, self.high) for b in (other.low, other.high)))

    def __truediv__(self, other: Between) -> Between:
        ends = (np.divide(a, b) for a in (self.low, self.high) for b in (other.low, other.high))
        return Between.of(*ends).where((other.low > 0.0) | (other.high < 0.0))

    def around(self, other: Between) -> Between:
        """The least interval that holds both."""
        return Between.of(self.low, self.high, other.low, other.high)

    def where(self, holds: Any) -> Between:
        """The same where a condition holds; elsewhere not known."""
        return Between(np.where(holds, self.low, -np.inf), np.where(holds, self.high, np.inf))

    @property
    def size(self) -> Any:
        """The greatest that a number can be without its sign."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


_UNKNOWN: Final = Between(-np.inf, np.inf)


class Bounds:
    """The cells of a book, to be told of each statement in its order (``follow``). ``inputs``: what stays as it is given."""

    def __init__(self, book: LaneBook, inputs: Mapping[Place, Between]) -> None:
        self._book = book
        self._inputs = inputs
        self._places = np.array(list(inputs), np.int64).reshape(-1, 3)
        self._boxes: dict[int, tuple[Span, Between]] = {}
        self.doubts: dict[Call, Mask] = {}
        for index in range(len(book.sheets)):
            sheet = book.laned(index)
            if sheet.box is not None:
                held = _fixed(sheet, sheet.box).where(~sheet.varies)
                self._boxes[index] = sheet.box, held
                self._put_inputs(index, sheet.box)

    def follow(self, sheet: int, span: Span, statement: Statement | None) -> bool:
        """A range is stored by a statement; None: by what nothing is known of. Whether all that it stores is finite."""
        if sheet not in self._boxes:
            return False
        with np.errstate(all="ignore"):
            found = _UNKNOWN if statement is None else self._of(statement.value)
        if not _fits(found, span):
            found = _UNKNOWN
        box, held = self._boxes[sheet]
        here = _within(box, span)
        held.low[here], held.high[here] = found.low, found.high
        self._put_inputs(sheet, span)
        return bool(np.isfinite(found.size).all())

    def _put_inputs(self, sheet: int, span: Span) -> None:
        box, held = self._boxes[sheet]
        of, row, col = self._places.T
        inside = (of == sheet) & (row >= span.top) & (row <= span.bottom) & (col >= span.left) & (col <= span.right)
        for place in map(tuple, self._places[inside].tolist()):
            at, given = (place[1] - box.top, place[2] - box.left), self._inputs[place]
            held.low[at], held.high[at] = given.low, given.high

    # -- expressions -----------------------------------------------------------------------------------------------

    def _of(self, node: Any) -> Between:
        match node:
            case float():
                return Between(node, node)
            case Read(sheet, key, "value" | "n"):
                return self._cells(sheet, span_of(key)[0])
            case Call(ops.num, (value,)):
                return self._of(value)
            case Call(operator.neg, (value,)):
                return -self._of(value)
            case Call(ops.add, (left, right)):
                return self._sum(node, self._of(left), self._of(right))
            case Call(ops.sub, (left, right)):
                return self._sum(node, self._of(left), -self._of(right))
            case Call(operator.add | operator.sub | operator.mul as function, (left, right)):
                found: Between = function(self._of(left), self._of(right))
                return found
            case Call(ops.div, (left, right)):
                return self._of(left) / self._of(right)
            case Call(ops.power, (left, right)):
                return _power(self._of(left), self._of(right))
            case Call(function, (_, Later(then), Later(otherwise))) if function is call_of("IF"):
                return self._of(then).around(self._of(otherwise))
            case Call(function, (which, *args)) if function is over:
                return self._over(node, which, args)
            case Call(function, args):
                return self._called(function, args)
        return _UNKNOWN

    def _sum(self, node: Call, a: Between, b: Between) -> Between:
        """``a + b``, of which noise becomes 0. No noise: terms of one sign, or a sum that is never next to nothing."""
        total, least = a + b, LEAST * a.size
        one_sign = (a.low >= 0.0) & (b.low >= 0.0) | (a.high <= 0.0) & (b.high <= 0.0)
        clean = one_sign | (total.low > least) | (total.high < -least)
        self.doubts[node] = ~np.atleast_2d(clean)
        zero = total.around(Between(0.0, 0.0))
        return Between(np.where(clean, total.low, zero.low), np.where(clean, total.high, zero.high))

    def _called(self, function: Callable[..., Any], args: Sequence[Any]) -> Between:
        name = function.__name__
        if not args or function is not call_of(name):
            return _UNKNOWN
        first = self._of(args[0])
        if name == "ABS":
            return Between(np.maximum(np.maximum(first.low, -first.high), 0.0), first.size)
        if name in _RISING and all(isinstance(arg, float) for arg in args[1:]):
            ends = (np.asarray(ops.num(function(np.atleast_2d(end), *args[1:]))) for end in (first.low, first.high))
            return Between.of(*ends).where(np.isfinite(first.low) & np.isfinite(first.high))
        return _UNKNOWN

    def _over(self, node: Call, which: Any, args: Sequence[Any]) -> Between:
        """An aggregate of a window of each cell."""
        members = [member for arg in args for member in self._members(arg)]
        if not members:
            return _UNKNOWN
        if which is call_of("SUM"):
            *others, last = members
            return self._sum(node, reduce(operator.add, others), last) if others else last
        for name, function in (("MAX", np.maximum), ("MIN", np.minimum)):
            if which is call_of(name):
                return Between(reduce(function, (m.low for m in members)), reduce(function, (m.high for m in members)))
        return _UNKNOWN

    def _members(self, arg: Any) -> Iterator[Between]:
        """What is added up, or compared, for each cell of the block, from the first to the last."""
        if not isinstance(arg, Windowed):
            yield self._of(arg)
            return
        span, _ = span_of(arg.key)
        if math.prod(span.shape) > _MOST_CELLS:
            yield _UNKNOWN
            return
        sheet = self._book.laned(arg.sheet)
        for row in range(span.top, span.bottom + 1):
            for col in range(span.left, span.right + 1):
                cells = Span(row, col, row + arg.rows - 1, col + arg.columns - 1)
                if sheet.part(cells) is not None or (Sheet.rectangle(sheet, cells).tags() == NUMBER).any():
                    yield self._cells(arg.sheet, cells)

    def _cells(self, index: int, span: Span) -> Between:
        found = _fixed(self._book.laned(index), span)
        if index in self._boxes:
            box, held = self._boxes[index]
            common = Span(
                max(span.top, box.top),
                max(span.left, box.left),
                min(span.bottom, box.bottom),
                min(span.right, box.right),
            )
            if common.top <= common.bottom and common.left <= common.right:
                here, there = _within(span, common), _within(box, common)
                found.low[here], found.high[here] = held.low[there], held.high[there]
        return found


def _fixed(sheet: Sheet, span: Span) -> Between:
    """Cells that do not vary; not known where they are no numbers."""
    held = Sheet.rectangle(sheet, span)
    return Between(held.num, held.num).where((held.tags() == NUMBER) & ~np.isnan(held.num))


def _within(outer: Span, span: Span) -> tuple[slice, slice]:
    """Where a range lies in an array of another one's cells."""
    r, c = span.top - outer.top, span.left - outer.left
    return slice(r, r + span.shape[0]), slice(c, c + span.shape[1])


def _fits(found: Between, span: Span) -> bool:
    shape = np.broadcast_shapes(np.shape(found.low), np.shape(found.high))
    return len(shape) <= 2 and all(
        here in (1, there) for here, there in zip(shape[::-1], span.shape[::-1], strict=False)
    )


def _power(base: Between, exponent: Between) -> Between:
    """Of positive numbers."""
    ends = [
        ops.power_arrays(np.atleast_2d(a), np.atleast_2d(b))
        for a in (base.low, base.high)
        for b in (exponent.low, exponent.high)
    ]
    found = Between.of(*ends)
    low, high = found.low * (1.0 - _POWER_MARGIN) - _NEXT_TO_NOTHING, found.high * (1.0 + _POWER_MARGIN)
    found = Between(np.maximum(low, 0.0), high)
    return found.where((base.low > 0.0) & np.isfinite(base.high) & np.isfinite(exponent.size))
