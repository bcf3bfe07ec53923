"""Cells that share a key, joined to rectangles: how formulas filled down, right or over become one block.

Works on vertical runs (key, column, first row, last row), never on single cells where runs are long.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sheetrun.records import dataclass
from sheetrun.runtime.distinct import distinct_places

Indices = NDArray[np.int64]

#: Keys whose cells are more than this are only joined vertical-first: the other way needs every cell on its own.
_MOST_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Rectangles:
    """Parallel arrays, one entry per rectangle, corners included."""

    key: Indices
    top: Indices
    left: Indices
    bottom: Indices
    right: Indices

    def __len__(self) -> int:
        return len(self.key)


def join_runs(key: Indices, col: Indices, top: Indices, bottom: Indices) -> Rectangles:
    """Rectangles that cover the runs: columns first or rows first, per key, whichever gives fewer.

    The runs must not overlap. Sorted by (top, left). All arrays have one entry per run.
    """
    key, col, top, bottom = _join_touching(key, col, top, bottom)
    lines = _join_lines(key, col, top, bottom)
    by_columns = Rectangles(lines[0], top=lines[2], left=lines[1], bottom=lines[4], right=lines[3])
    again = _worth_another_way(by_columns)
    if len(again):
        chosen = np.isin(key, again)
        by_rows = _rows_first(key[chosen], col[chosen], top[chosen], bottom[chosen])
        fewer = _fewer(by_columns, by_rows, again)
        by_columns = _concatenate(
            _take(by_columns, ~np.isin(by_columns.key, fewer)), _take(by_rows, np.isin(by_rows.key, fewer))
        )
    return _take(by_columns, np.lexsort((by_columns.left, by_columns.top)))


def _join_touching(
    key: Indices, col: Indices, top: Indices, bottom: Indices
) -> tuple[Indices, Indices, Indices, Indices]:
    """Runs of one column that continue each other become one run."""
    if len(key) == 0:
        return key, col, top, bottom
    order = np.lexsort((top, col, key))
    key, col, top, bottom = key[order], col[order], top[order], bottom[order]
    starts = np.ones(len(key), dtype=bool)
    starts[1:] = (key[1:] != key[:-1]) | (col[1:] != col[:-1]) | (top[1:] != bottom[:-1] + 1)
    first = np.flatnonzero(starts)
    last = np.append(first[1:], len(key)) - 1
    return key[first], col[first], top[first], bottom[last]


def _join_lines(
    key: Indices, line: Indices, first: Indices, last: Indices
) -> tuple[Indices, Indices, Indices, Indices, Indices]:
    """Neighbouring lines with the same extent become one rectangle: (key, first line, first, last line, last)."""
    order = np.lexsort((line, last, first, key))
    key, line, first, last = key[order], line[order], first[order], last[order]
    starts = np.ones(len(key), dtype=bool)
    starts[1:] = (
        (key[1:] != key[:-1]) | (first[1:] != first[:-1]) | (last[1:] != last[:-1]) | (line[1:] != line[:-1] + 1)
    )
    begin = np.flatnonzero(starts)
    end = np.append(begin[1:], len(key)) - 1 if len(begin) else begin
    return key[begin], line[begin], first[begin], line[end], last[begin]


def _worth_another_way(found: Rectangles) -> Indices:
    """Keys that have several rectangles in more than one column, and not too many cells."""
    if len(found) == 0:
        return found.key
    keys, inverse = distinct_places(found.key)
    counts = np.bincount(inverse)
    leftmost = np.full(len(keys), np.iinfo(np.int64).max)
    np.minimum.at(leftmost, inverse, found.left)
    rightmost = np.zeros(len(keys), dtype=np.int64)
    np.maximum.at(rightmost, inverse, found.right)
    cells = np.zeros(len(keys), dtype=np.int64)
    np.add.at(cells, inverse, (found.bottom - found.top + 1) * (found.right - found.left + 1))
    worth = (counts > 1) & (rightmost > leftmost) & (cells <= _MOST_CELLS)
    budget = np.cumsum(np.where(worth, cells, 0)) <= 2 * _MOST_CELLS
    return keys[worth & budget]


def _rows_first(key: Indices, col: Indices, top: Indices, bottom: Indices) -> Rectangles:
    heights = bottom - top + 1
    row = np.repeat(top, heights) + (np.arange(int(heights.sum())) - np.repeat(np.cumsum(heights) - heights, heights))
    keys, rows, first, last = _join_touching(np.repeat(key, heights), row, *(2 * (np.repeat(col, heights),)))
    found = _join_lines(keys, rows, first, last)
    return Rectangles(found[0], top=found[1], left=found[2], bottom=found[3], right=found[4])


def _fewer(by_columns: Rectangles, by_rows: Rectangles, keys: Indices) -> Indices:
    """Keys that rows-first covers with fewer rectangles."""
    columns = np.bincount(np.searchsorted(keys, by_columns.key[np.isin(by_columns.key, keys)]), minlength=len(keys))
    rows = np.bincount(np.searchsorted(keys, by_rows.key), minlength=len(keys))
    return keys[rows < columns]


def _take(found: Rectangles, which: NDArray[np.bool_] | NDArray[np.intp]) -> Rectangles:
    return Rectangles(found.key[which], found.top[which], found.left[which], found.bottom[which], found.right[which])


def _concatenate(one: Rectangles, two: Rectangles) -> Rectangles:
    return Rectangles(
        np.concatenate((one.key, two.key)),
        np.concatenate((one.top, two.top)),
        np.concatenate((one.left, two.left)),
        np.concatenate((one.bottom, two.bottom)),
        np.concatenate((one.right, two.right)),
    )
