"""Precision as displayed: a workbook that asks for it (``fullPrecision="0"``) goes on with what its cells show.

Each number that a formula gives is rounded by the number format of its cell before anything reads it. General and dates
leave a number as it is. Source: ECMA-376 part 1, 18.2.2 (``fullPrecision``); Microsoft, "Set rounding precision".
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from sheetrun.runtime.address import Span
from sheetrun.runtime.alone import AloneBook
from sheetrun.runtime.book import Book
from sheetrun.runtime.cells import NUMBER
from sheetrun.runtime.errors import Raised
from sheetrun.runtime.formatdigits import Digits, compile_digits, division_value
from sheetrun.runtime.functions.rounding import to_digits, whole_nearest
from sheetrun.runtime.numberformat import section_of
from sheetrun.runtime.sheet import Area, Sheet
from sheetrun.runtime.values import Value


def as_displayed(number: float, code: str) -> float:
    """The number that a cell with this format shows."""
    try:
        section = section_of(number, code)
    except Raised:  # no format code
        return number
    if section is None or section.kind != "number":
        return number
    digits = compile_digits(section.tokens)
    if digits.division is not None:
        return math.copysign(division_value(abs(number), digits), number)
    return to_digits(number, _places(number, digits), whole_nearest)


def _places(number: float, digits: Digits) -> int:
    """Behind the point of the number itself; a percentage shows two more, thousands three fewer."""
    places = digits.decimals + 2 * digits.percents - 3 * digits.scale
    if not digits.exponent or number == 0.0:
        return places
    step = max(sum(1 for slot, _ in digits.whole if slot), 1)
    exponent = math.floor(math.log10(abs(number)))
    return digits.decimals - exponent // step * step


@lru_cache(maxsize=4096)
def _once(number: float, code: str) -> float:
    return as_displayed(number, code)


class _Shown(Sheet):
    """A sheet whose cells hold what they show."""

    __slots__ = ()

    def store(self, row: int, col: int, value: Value) -> None:
        super().store(row, col, value)
        self._round(Span(row, col, row, col))

    def store_array(self, span: Span, value: Value) -> None:
        super().store_array(span, value)
        self._round(span)

    def _fill(self, span: Span, value: Value) -> None:
        super()._fill(span, value)
        self._round(span)

    def _round(self, span: Span) -> None:
        for code, rects in self.book.formats.get(self.index, ()):
            for rect in rects:
                part = rect.shared(span)
                if part is not None:
                    self._round_part(part, code)

    def _round_part(self, span: Span, code: str) -> None:
        place = self._place(span.top, span.left)
        if place is None:
            return
        area, r, c = place
        rows, columns = span.shape
        num, tag = area.num[r : r + rows, c : c + columns], area.tag[r : r + rows, c : c + columns]
        for at in zip(*np.nonzero((tag == NUMBER) & np.isfinite(num)), strict=True):
            num[at] = _once(float(num[at]), code)


class DisplayedBook(Book):
    """A book of such sheets."""

    def new_views(self, index: int, name: str, areas: list[Area]) -> tuple[Sheet, Sheet]:
        return _Shown(self, index, name, areas), _Shown(self, index, name, areas, live=True)


class DisplayedAloneBook(AloneBook):
    """Each formula on its own (see ``alone``), its result rounded."""

    kind = DisplayedBook
