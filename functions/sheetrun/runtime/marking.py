"""Cells tagged as not computed yet, very many at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from sheetrun.runtime.address import Span

if TYPE_CHECKING:
    from sheetrun.runtime.sheet import Sheet

_FEW: Final = 8  #: ranges that are tagged one by one in less time


def mark_single(sheet: Sheet, spans: Sequence[Span], tag: int) -> Sequence[Span]:
    """Tags the ranges that are one cell of the sheet's main area, where there are many; gives all the others."""
    if len(spans) < _FEW:
        return spans
    area = sheet._main
    rows, columns = area.num.shape
    top, left, bottom, right = np.fromiter(chain.from_iterable(spans), np.int64, 4 * len(spans)).reshape(-1, 4).T
    r, c = top - area.top, left - area.left
    here = (top == bottom) & (left == right) & (r >= 0) & (c >= 0) & (r < rows) & (c < columns)
    area.tag[r[here], c[here]] = tag
    return [spans[k] for k in np.flatnonzero(~here).tolist()]
