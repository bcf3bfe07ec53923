"""Cells tagged as not computed yet, very many at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sheetrun.runtime.address import Span
from sheetrun.runtime.addresslists import Corners

if TYPE_CHECKING:
    from sheetrun.runtime.sheet import Sheet

_FEW: Final = 8  #: ranges that are tagged one by one in less time


def mark_single(sheet: Sheet, ranges: Corners, tag: int) -> Iterator[Span]:
    """Tags the ranges that are one cell of the sheet's main area, where there are many; gives all the others."""
    if len(ranges) >= _FEW:
        area = sheet._main
        rows, columns = area.num.shape
        top, left, bottom, right = ranges.T
        r, c = top - area.top, left - area.left
        here = (top == bottom) & (left == right) & (r >= 0) & (c >= 0) & (r < rows) & (c < columns)
        area.tag[r[here], c[here]] = tag
        ranges = ranges[~here]
    return itertools.starmap(Span, ranges.tolist())
