"""Vertical runs of cells that share a key, gathered while rows stream by: a filled-down column costs one run."""

from __future__ import annotations

from array import array

import numpy as np

from sheetrun.workbook.model import Rect
from sheetrun.workbook.rectangles import Indices, Rectangles, join_runs


class Runs:
    """Add cells in document order; ``rectangles`` joins them. Keys are small integers, rows and columns 0-based."""

    def __init__(self) -> None:
        self._key = array("q")
        self._col = array("q")
        self._top = array("q")
        self._bottom = array("q")
        self._open: dict[int, list[int]] = {}  # column -> [key, first row, last row]

    def add(self, key: int, row: int, col: int) -> None:
        self.extend(key, row, row, col)

    def extend(self, key: int, top: int, bottom: int, col: int) -> None:
        """Adds the cells ``top`` to ``bottom`` of a column."""
        run = self._open.get(col)
        if run is not None:
            if run[0] == key and run[2] == top - 1:
                run[2] = bottom
                return
            self._close(col, run)
            run[:] = key, top, bottom
            return
        self._open[col] = [key, top, bottom]

    def above(self, row: int, col: int) -> int | None:
        """The key of the cell above, if it was the last one added to its column."""
        run = self._open.get(col)
        return run[0] if run is not None and run[2] == row - 1 else None

    def arrays(self) -> tuple[Indices, Indices, Indices, Indices]:
        """(key, column, top, bottom), one entry per run."""
        for col, run in self._open.items():
            self._close(col, run)
        self._open.clear()
        return (
            np.array(self._key, dtype=np.int64),
            np.array(self._col, dtype=np.int64),
            np.array(self._top, dtype=np.int64),
            np.array(self._bottom, dtype=np.int64),
        )

    def rectangles(self) -> Rectangles:
        return join_runs(*self.arrays())

    def rects(self) -> list[Rect]:
        """The rectangles of all keys together, as ``Rect``."""
        found = self.rectangles()
        return as_rects(found)

    def _close(self, col: int, run: list[int]) -> None:
        self._key.append(run[0])
        self._col.append(col)
        self._top.append(run[1])
        self._bottom.append(run[2])


def as_rects(found: Rectangles) -> list[Rect]:
    corners = (found.top, found.left, found.bottom, found.right)
    return [Rect(*corner) for corner in zip(*(array.tolist() for array in corners), strict=True)]
