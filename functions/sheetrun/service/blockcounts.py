"""How many cells of each block of formulas differ from the stored ones, for all blocks of a sheet at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetrun.records import dataclass
from sheetrun.runtime.cells import Mask
from sheetrun.service.planes import Plane, inside
from sheetrun.service.sameness import Texts
from sheetrun.workbook.model import Rect, Sheet


@dataclass(frozen=True, slots=True)
class Counts:
    """Of each block of a sheet how many cells differ; -1 where that must be seen cell by cell: where a special range
    (failed, or without a stored value) lies over the block, or no single grid holds it. ``sizes``: all its cells."""

    differ: NDArray[np.int64]
    sizes: NDArray[np.int64]
    masks: list[tuple[Rect, Mask]]  #: of each grid, which of its cells differ

    def mask(self, rect: Rect) -> Mask:
        """Which cells of a block differ that a single grid holds."""
        around, bad = next((r, bad) for r, bad in self.masks if r.contains(*rect[:2]))
        found: Mask = bad[inside(around, rect)]
        return found


def differing_cells(sheet: Sheet, ours: Plane, texts: Texts, special: Sequence[Rect]) -> Counts:
    """Compares the cells of all blocks of a sheet at once."""
    corners = chain.from_iterable(block.rect for block in sheet.blocks)
    rects = np.fromiter(corners, np.int64, 4 * len(sheet.blocks)).reshape(-1, 4)
    masks = []
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
        masks.append((grid.rect, bad))
    sizes = (rects[:, 2] - rects[:, 0] + 1) * (rects[:, 3] - rects[:, 1] + 1)
    return Counts(counts, sizes, masks)


def _sums(mask: Mask, rects: Any) -> Any:
    """How many cells of a mask are set in each of many rectangles (n × 4: top, left, bottom, right; corners included)."""
    top, left, bottom, right = rects.T
    if not mask.any():
        return np.zeros(len(rects), np.int64)
    table = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1, out=table[1:, 1:])
    return table[bottom + 1, right + 1] - table[top, right + 1] - table[bottom + 1, left] + table[top, left]
