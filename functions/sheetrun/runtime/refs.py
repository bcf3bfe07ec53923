"""References as values: a rectangle of one sheet, or several of them.

A reference is read when its cells are needed, and reading computes what is not computed yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime.address import Span, span_address
from sheetrun.runtime.errors import CALC, REF, VALUE, Raised
from sheetrun.runtime.tails import Tailed
from sheetrun.runtime.values import Arr, Scalar, Value

if TYPE_CHECKING:
    from sheetrun.runtime.book import Book
    from sheetrun.runtime.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference as a value: a rectangle of one sheet. Reading it computes what is not computed yet."""

    sheet: Sheet
    span: Span

    @property
    def shape(self) -> tuple[int, int]:
        return self.span.shape

    @property
    def book(self) -> Book:
        return self.sheet.book

    def clipped(self) -> Span:
        """The part within the used range of the sheet, at least one cell."""
        return self.sheet.clipped(self.span)

    def arr(self) -> Arr:
        """The cells as an array (whole rows and columns end with the used range)."""
        if not self.span.inside():
            raise Raised(REF)
        return self.book.live(self.sheet.index).rectangle(self.span)

    def whole(self) -> Arr | Tailed:
        """The cells as an array with all rows and columns (see ``tails``)."""
        if not self.span.inside():
            raise Raised(REF)
        return self.book.live(self.sheet.index).whole(self.span)

    def cell(self, row: int = 0, col: int = 0) -> Scalar:
        """The value ``row`` down and ``col`` to the right of the first cell."""
        return self.sheet.cell(self.span.top + row, self.span.left + col)

    def moved(self, rows: int, cols: int, height: int, width: int) -> Ref:
        """OFFSET: raises #REF! when it leaves the sheet."""
        top, left = self.span.top + rows, self.span.left + cols
        if height < 0:
            top, height = top + height + 1, -height
        if width < 0:
            left, width = left + width + 1, -width
        span = Span(top, left, top + height - 1, left + width - 1)
        if height == 0 or width == 0 or not span.inside():
            raise Raised(REF)
        return Ref(self.sheet, span)

    def at(self, row: int, col: int) -> Ref:
        """Implicit intersection with the row and column of a host cell; raises #VALUE! where there is none."""
        span = self.span
        if span.top == span.bottom and span.left == span.right:
            return self
        if span.left == span.right:
            col = span.left
        elif span.top == span.bottom:
            row = span.top
        if span.contains(row, col):
            return Ref(self.sheet, Span(row, col, row, col))
        raise Raised(VALUE)

    @property
    def address(self) -> str:
        return span_address(self.span)

    def parts(self) -> Iterator[Ref]:
        yield self


@dataclass(frozen=True, slots=True)
class Refs:
    """Several rectangles: a union, or a 3-D reference (the same rectangle of several sheets)."""

    refs: tuple[Ref, ...]

    @property
    def book(self) -> Book:
        return self.refs[0].book

    def parts(self) -> Iterator[Ref]:
        yield from self.refs

    def arr(self) -> Arr:
        """All cells in one column of values, area by area (what aggregates need)."""
        arrays = [r.arr() for r in self.refs]
        num = np.concatenate([a.num.ravel() for a in arrays]).reshape(-1, 1)
        tag = np.concatenate([a.tags().ravel() for a in arrays]).reshape(-1, 1)
        return Arr(num, tag)


def read(value: Value) -> Value:
    """A reference as the cells in it, which are computed now; anything else as it is."""
    if isinstance(value, Ref):
        return value.whole()
    return value.arr() if isinstance(value, Refs) else value


def first_of(value: Value) -> Value:
    """What a cell shows of a result: the first cell of an array or reference, #CALC! for a function."""
    if type(value) is Tailed:
        return value.cell(0, 0)
    if isinstance(value, Arr | np.ndarray):
        return Arr.of(value).cell(0, 0)
    if hasattr(value, "arr"):
        return value.arr().cell(0, 0)
    return CALC if callable(value) else value
