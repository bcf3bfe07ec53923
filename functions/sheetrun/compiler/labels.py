"""What a person calls a block: the text to its left in a row, or above it in a column."""

from __future__ import annotations

from sheetrun.compiler.literal import comment
from sheetrun.compiler.units import Unit
from sheetrun.formula.a1 import range_name
from sheetrun.runtime.cells import TEXT
from sheetrun.workbook.model import Kind, Rect, Workbook

_REACH = 30  # cells to look at in each direction
_LONGEST = 60


class Labels:
    """Finds labels among the constants of a workbook."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook

    def of(self, sheet: int, rect: Rect) -> str | None:
        """The label of a block, if one stands where people write them."""
        for left in (True, False) if rect.width >= rect.height else (False, True):
            found = self._nearest(sheet, rect.top, rect.left, left=left)
            if found:
                return found if len(found) <= _LONGEST else found[: _LONGEST - 1] + "…"
        return None

    def heading(self, unit: Unit) -> str:
        """The comment over a block: range, label, original formula."""
        label = self.of(unit.sheet, unit.rect)
        name = f" {comment(label)}:" if label else ":"
        formula = comment(unit.block.text)
        formula = f"{{={formula}}}" if unit.block.kind is Kind.ARRAY else f"={formula}"
        return f"# {range_name(*unit.rect)}{name} {formula}"

    def _nearest(self, sheet: int, row: int, col: int, *, left: bool) -> str | None:
        """The text nearest to the left of a cell, or above it, in the grid that holds the cell."""
        for grid in self._workbook.sheets[sheet].grids:
            r, c = row - grid.top, col - grid.left
            if 0 <= r < grid.num.shape[0] and 0 <= c < grid.num.shape[1]:
                line = grid.tag[r, max(c - _REACH, 0) : c] if left else grid.tag[max(r - _REACH, 0) : r, c]
                for tag in reversed(line[line >= TEXT].tolist()):
                    text: str = self._workbook.strings[tag - TEXT].strip()
                    if text:
                        return text
        return None
