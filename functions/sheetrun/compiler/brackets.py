"""What stands in the brackets behind a sheet: the cells that a reference means in a layout, as an address or as numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.layout import Layout, NotWhole, counted
from sheetrun.compiler.literal import literal
from sheetrun.compiler.ranges import Range
from sheetrun.formula.a1 import range_name
from sheetrun.formula.nodes import Axis
from sheetrun.workbook.model import Rect

#: What a place in a formula wants of a reference -> how the sheet is asked for it.
ACCESSORS: Final = {"number": ".n", "value": "", "arr": ".arr", "ref": ".ref"}


class Brackets:
    """Says what a relative reference becomes. ``varies``: whether it may have another value in another scenario."""

    def __init__(self, layout: Layout, varies: Callable[[Range], bool]) -> None:
        self.layout = layout
        self._varies = varies

    def key(self, node: Range, want: str) -> str:
        """An address, or the loop's variables. Raises NotWhole, and CannotCompile for what leaves the sheet."""
        layout = self.layout
        if layout.blanks is not None and node in layout.blanks:
            return layout.blanks[node]
        if layout.fixed:
            return _address(node.at(layout.rect.top, layout.rect.left))
        if layout.lanes and want in ("arr", "ref") and self._varies(node):
            raise NotWhole
        if layout.whole and not layout.moving:
            return _address(self._over(node, want))
        if node.fixed_rows and node.fixed_columns:
            return _address(node.at(0, 0))
        if node.wraps(layout.rect):
            raise CannotCompile("reference_wraps", "a relative reference leaves the sheet within the block")
        if node.single or (node.one and want in ("number", "value")):
            return f"{_row(node.top, layout)}, {_column(node.left, layout)}"
        return corners(node, layout)

    def same(self, node: Range) -> bool:
        """Whether the reference means the same for every cell of the block."""
        layout = self.layout
        if layout.blanks is not None and node in layout.blanks:
            return False
        if layout.lanes and self._varies(node):
            return False
        if layout.moving:
            return True
        rows_same = node.fixed_rows or layout.rect.height == 1
        columns_same = node.fixed_columns or layout.rect.width == 1
        return rows_same and columns_same and (not node.single or (node.fixed_rows and node.fixed_columns))

    def _over(self, node: Range, want: str) -> Rect:
        """The rectangle that the block's cells refer to, one cell each, or all the same."""
        rect = self.layout.rect
        if node.fixed_rows and node.fixed_columns:
            return node.at(rect.top, rect.left)
        if want in ("arr", "ref"):
            if not self.same(node):
                raise NotWhole
            return node.at(rect.top, rect.left)
        if node.wraps(rect) or not node.one:
            raise NotWhole
        found = node.over(rect)
        if self.layout.lanes and (found.height, found.width) not in ((rect.height, rect.width), (1, 1)):
            raise NotWhole  # a row that meets a column: the cells of a block are one axis here
        return found


def corners(node: Range, layout: Layout) -> str:
    """Top, left, bottom and right, counting from 1."""
    top, left = _row(node.top, layout), _column(node.left, layout)
    return f"{top}, {left}, {_row(node.bottom, layout)}, {_column(node.right, layout)}"


def _row(axis: Axis, layout: Layout) -> str:
    if layout.row_var and not axis.absolute:
        return counted(axis, "r")
    return str(axis.at(layout.rect.top) + 1)


def _column(axis: Axis, layout: Layout) -> str:
    if layout.col_var and not axis.absolute:
        return counted(axis, "c")
    return str(axis.at(layout.rect.left) + 1)


def _address(rect: Rect) -> str:
    return literal(range_name(*rect))
