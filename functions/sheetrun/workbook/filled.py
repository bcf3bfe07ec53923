"""One-cell array formulas that were filled over a rectangle, joined to one block: each cell computes its own array."""

from __future__ import annotations

import numpy as np

from sheetrun.formula.r1c1 import relative_key
from sheetrun.workbook.model import Block, Kind, Rect
from sheetrun.workbook.rectangles import join_runs


def join_filled(areas: list[Block]) -> list[Block]:
    """The array blocks of a sheet, those of one cell with equal formulas in R1C1 terms joined where they touch."""
    singles: list[Block] = []
    out: list[Block] = []
    for block in areas:
        joins = block.rect.size == 1 and block.kind in (Kind.ARRAY, Kind.DYNAMIC)
        (singles if joins else out).append(block)
    if len(singles) < 2:
        return areas
    numbers: dict[tuple[Kind, str], int] = {}
    keys = np.array(
        [numbers.setdefault((b.kind, relative_key(b.text, b.rect.top, b.rect.left)), len(numbers)) for b in singles],
        np.int64,
    )
    rows = np.array([b.rect.top for b in singles], np.int64)
    columns = np.array([b.rect.left for b in singles], np.int64)
    at = {b.rect[:2]: b for b in singles}
    found = join_runs(keys, columns, rows, rows)
    for top, left, bottom, right in zip(found.top, found.left, found.bottom, found.right, strict=True):
        rect = Rect(int(top), int(left), int(bottom), int(right))
        first = at[rect[:2]]
        out.append(first if rect.size == 1 else Block(rect, first.text, first.kind, filled=True))
    return out
