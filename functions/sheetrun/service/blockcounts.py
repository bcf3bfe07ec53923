"""How many cells of each block of formulas differ from the stored ones, for all blocks of a sheet at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sheetrun.runtime.cells import Mask
from sheetrun.service.planes import Plane, inside
from sheetrun.service.sameness import Texts
from sheetrun.workbook.model import Rect, Sheet


def differing_cells(sheet: Sheet, ours: Plane, texts: Texts, special: Sequence[Rect]) -> Sequence[int]:
    """For each block how many cells differ, all blocks at once; -1 where that must be seen cell by cell: where a special
    range (failed, or without a stored value) lies over the block, or no single grid holds it."""
    rects = np.array([block.rect for block in sheet.blocks], np.int64)
    counts = np.full(len(rects), -1, np.int64)
    for grid in sheet.grids:
        top, left, bottom, right = grid.rect
        held = (rects[:, 0] >= top) & (rects[:, 1] >= left) & (rects[:, 2] <= bottom) & (rects[:, 3] <= right)
        if not held.any():
            continue
        num, tag = ours.get(grid.rect)
        tag = texts.renumbered(tag)
        bad = (grid.num != num) | (grid.tag != tag)
        at = np.nonzero(bad)  # these few may still be close enough, or errors, which are equal to nothing
        bad[at] = ~texts.same(grid.num[at], grid.tag[at], num[at], tag[at])
        within = rects[held] - (top, left, top, left)
        number = _sums(bad, within)
        if special:
            over = np.zeros(bad.shape, np.bool_)
            for rect in special:
                if rect.overlaps(grid.rect):
                    over[inside(grid.rect, rect)] = True
            number[_sums(over, within) > 0] = -1
        counts[held] = number
    numbers: list[int] = counts.tolist()
    return numbers


def _sums(mask: Mask, rects: Any) -> Any:
    """How many cells of a mask are set in each of many rectangles (n × 4: top, left, bottom, right; corners included)."""
    top, left, bottom, right = rects.T
    if not mask.any():
        return np.zeros(len(rects), np.int64)
    table = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1, out=table[1:, 1:])
    return table[bottom + 1, right + 1] - table[top, right + 1] - table[bottom + 1, left] + table[top, left]
