"""Scattered cells as a few dense grids: a value in XFD1048576 must not cost a billion empty cells."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from sheetrun.workbook.model import Rect

Indices = NDArray[np.int64]

#: A grid may be this much larger than what is in it, or have this many cells at most, before it is cut.
_SLACK = 16
_SMALL = 250_000
_MOST_GRIDS = 256


def bounding_rect(rows: Indices, cols: Indices) -> Rect:
    return Rect(int(rows.min()), int(cols.min()), int(rows.max()), int(cols.max()))


def split(rows: Indices, cols: Indices) -> list[Indices]:
    """Groups of cell numbers whose bounding rectangles do not overlap and are dense enough; one group nearly always.

    Each step cuts the emptiest rectangle in two along the line that saves most.
    """
    everything = np.arange(len(rows))
    heap = [_candidate(rows, cols, everything, 0)]
    done: list[Indices] = []
    serial = 1
    while heap:
        _, _, cells = heapq.heappop(heap)
        rect = bounding_rect(rows[cells], cols[cells])
        dense = rect.size <= max(_SMALL, _SLACK * len(cells))
        if dense or len(heap) + len(done) + 2 > _MOST_GRIDS:
            done.append(cells)
            continue
        for part in _cut(rows, cols, cells):
            heapq.heappush(heap, _candidate(rows, cols, part, serial))
            serial += 1
    done.sort(key=lambda cells: (int(rows[cells].min()), int(cols[cells].min())))
    return done


def _candidate(rows: Indices, cols: Indices, cells: Indices, serial: int) -> tuple[int, int, Indices]:
    """Heap entry: most waste first; the serial number keeps the order of equals (arrays do not compare)."""
    return (len(cells) - bounding_rect(rows[cells], cols[cells]).size, serial, cells)


def _cut(rows: Indices, cols: Indices, cells: Indices) -> tuple[Indices, Indices]:
    """The cells before and after the best horizontal or vertical line."""
    across_cost, across = _best_line(rows[cells], cols[cells])
    down_cost, down = _best_line(cols[cells], rows[cells])
    before = rows[cells] < across if across_cost <= down_cost else cols[cells] < down
    return cells[before], cells[~before]


def _best_line(along: Indices, other: Indices) -> tuple[float, int]:
    """The best cut of ``along``: (cells that the two rectangles need, first index after the line); inf without one."""
    order = np.argsort(along, kind="stable")
    position, width = along[order], other[order]
    cuts = np.flatnonzero(position[1:] != position[:-1])
    if len(cuts) == 0:
        return float("inf"), 0
    left_extent = (np.maximum.accumulate(width) - np.minimum.accumulate(width) + 1)[cuts]
    backwards = width[::-1]
    right_extent = (np.maximum.accumulate(backwards) - np.minimum.accumulate(backwards) + 1)[::-1][cuts + 1]
    cost = (position[cuts] - position[0] + 1) * left_extent + (position[-1] - position[cuts + 1] + 1) * right_extent
    best = int(np.argmin(cost))
    return float(cost[best]), int(position[cuts[best] + 1])
