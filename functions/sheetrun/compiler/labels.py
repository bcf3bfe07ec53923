"""What a person calls a block: the text to its left in a row, or above it in a column."""

from __future__ import annotations

from sheetrun.runtime.cells import TEXT
from sheetrun.workbook.model import Grid, Rect, Workbook

_REACH = 30  # cells to look at in each direction
_LONGEST = 60


class Labels:
    """Finds labels among the constants of a workbook."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook

    def of(self, sheet: int, rect: Rect) -> str | None:
        """The label of a block, if one stands where people write them."""
        left, above = (0, -1), (-1, 0)
        for down, across in (left, above) if rect.width >= rect.height else (above, left):
            found = self._scan(sheet, rect.top, rect.left, down, across)
            if found:
                return found
        return None

    def _scan(self, sheet: int, row: int, col: int, down: int, across: int) -> str | None:
        for _ in range(_REACH):
            row, col = row + down, col + across
            if row < 0 or col < 0:
                return None
            text = self._text(sheet, row, col)
            if text:
                return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        return None

    def _text(self, sheet: int, row: int, col: int) -> str | None:
        for grid in self._workbook.sheets[sheet].grids:
            r, c = row - grid.top, col - grid.left
            if 0 <= r < grid.num.shape[0] and 0 <= c < grid.num.shape[1]:
                return self._at(grid, r, c)
        return None

    def _at(self, grid: Grid, r: int, c: int) -> str | None:
        tag = grid.tag.item(r, c)
        return self._workbook.strings[tag - TEXT].strip() if tag >= TEXT else None
