"""Ranges that move or grow from cell to cell of a block, told for all its cells at once."""

from __future__ import annotations

from typing import Final

from sheetrun.compiler.brackets import corners
from sheetrun.compiler.layout import Layout, NotWhole
from sheetrun.compiler.literal import literal
from sheetrun.compiler.ranges import Range
from sheetrun.formula.a1 import range_name

_LARGEST: Final = 100_000  #: cells of a range that is given to each cell of a block


def window(node: Range, layout: Layout) -> str:
    """The call of a sheet that gives each cell of the block the cells of its own window (``A2:C2``). Raises NotWhole."""
    rect = layout.rect
    if node.last_sheet is not None or layout.blanks is not None or node.wraps(rect):
        raise NotWhole
    if layout.moving:
        if node.whole_columns or node.whole_rows:
            raise NotWhole
        return f"window(({corners(node, layout)}), 1, 1)"
    if node.top.absolute != node.bottom.absolute or node.left.absolute != node.right.absolute:
        raise NotWhole
    first = node.at(rect.top, rect.left)
    if first.size > _LARGEST or node.whole_columns or node.whole_rows:
        raise NotWhole
    steps = (1 if node.fixed_rows else rect.height, 1 if node.fixed_columns else rect.width)
    if layout.lanes and steps not in ((rect.height, rect.width), (1, 1)):
        raise NotWhole
    return f"window({literal(range_name(*first))}, {steps[0]}, {steps[1]})"


def growing(node: Range, layout: Layout) -> str | None:
    """For ``A$2:A2`` filled down, or ``$B2:B2`` filled to the right: the call of a sheet for one pass over the longest."""
    rect = layout.rect
    if layout.lanes or layout.blanks is not None or node.last_sheet is not None or node.wraps(rect):
        return None
    down = node.top.absolute and not node.bottom.absolute and (node.fixed_columns or rect.width == 1)
    right = node.left.absolute and not node.right.absolute and (node.fixed_rows or rect.height == 1)
    first = node.at(rect.top, rect.left)
    if down and rect.height > 1 and node.bottom.at(rect.top) >= node.top.index:
        return f"growing({literal(range_name(*first))}, {rect.height}, 1)"
    if right and rect.width > 1 and first.height == 1 and node.right.at(rect.left) >= node.left.index:
        return f"growing({literal(range_name(*first))}, 1, {rect.width})"
    return None
