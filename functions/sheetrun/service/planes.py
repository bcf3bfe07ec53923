"""Cells of a sheet as whole rectangles of numbers and tags, and one cell as a JSON value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from sheetrun.runtime.cells import EMPTY, LOGICAL, TEXT, Numbers, unbox
from sheetrun.runtime.sheet import Area
from sheetrun.workbook.model import Grid, Rect

_LEAST_FLOAT: Final = 1e15  #: whole numbers from here on are written as what they are


class Plane:
    """Cells of one sheet as whole rectangles: (num, tag) of any rectangle, 0-based."""

    def __init__(self, areas: Iterable[tuple[int, int, Any, Any]]) -> None:
        self._areas = list(areas)

    @classmethod
    def of_grids(cls, grids: Iterable[Grid]) -> Plane:
        return cls((g.top, g.left, g.num, g.tag) for g in grids)

    @classmethod
    def of_areas(cls, areas: Iterable[Area]) -> Plane:
        return cls((a.top - 1, a.left - 1, a.num, a.tag) for a in areas)

    def get(self, rect: Rect) -> tuple[Any, Any]:
        num = tag = None
        for top, left, cells, tags in self._areas:
            rows, columns = cells.shape
            r0, c0 = max(rect.top, top), max(rect.left, left)
            r1, c1 = min(rect.bottom, top + rows - 1), min(rect.right, left + columns - 1)
            if r0 > r1 or c0 > c1:
                continue
            here = (slice(r0 - top, r1 - top + 1), slice(c0 - left, c1 - left + 1))
            if (r0, c0, r1, c1) == tuple(rect):
                return cells[here], tags[here]
            if num is None or tag is None:
                num, tag = np.zeros((rect.height, rect.width)), np.full((rect.height, rect.width), EMPTY, np.int32)
            there = (slice(r0 - rect.top, r1 - rect.top + 1), slice(c0 - rect.left, c1 - rect.left + 1))
            num[there], tag[there] = cells[here], tags[here]
        if num is None:
            return np.zeros((rect.height, rect.width)), np.full((rect.height, rect.width), EMPTY, np.int32)
        return num, tag


def inside(rect: Rect, other: Rect) -> tuple[slice, slice]:
    """Where the part of another rectangle that overlaps this one is in its array."""
    return (
        slice(max(other.top - rect.top, 0), other.bottom - rect.top + 1),
        slice(max(other.left - rect.left, 0), other.right - rect.left + 1),
    )


def plain(num: float, tag: int, texts: Sequence[str]) -> Any:
    """A cell as a JSON value (API: "Values")."""
    if tag >= TEXT:
        return texts[tag - TEXT]
    if tag == LOGICAL:
        return bool(num)
    if tag == EMPTY:
        return None
    value = float(num)
    if value != value:
        return {"error": unbox(value)}
    return int(value) if value.is_integer() and abs(value) < _LEAST_FLOAT else value


def plain_numbers(num: Numbers) -> list[float]:
    """The same of many cells. Those that are no finite numbers are left to ``plain``."""
    values: list[float] = num.tolist()
    for at in np.flatnonzero((num == np.floor(num)) & (np.abs(num) < _LEAST_FLOAT)).tolist():
        values[at] = int(values[at])
    return values
