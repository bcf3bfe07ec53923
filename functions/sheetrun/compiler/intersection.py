"""Implicit intersection: which one cell of a range a formula means that has room for one value only."""

from __future__ import annotations

from typing import Final

from sheetrun.compiler.layout import Layout, NotAlike, NotWhole
from sheetrun.compiler.ranges import Range
from sheetrun.formula.nodes import Axis

_HERE: Final = Axis(0, False)  #: the row, or the column, of the host


def here(sheet: int) -> Range:
    """The cell that holds the formula."""
    return Range(sheet, _HERE, _HERE, _HERE, _HERE, True)


def narrowed(node: Range, layout: Layout) -> Range | None:
    """The cell that each host means by a written range; None where there is none (#VALUE!).

    Raises NotWhole where the hosts do not all have one, or none, and NotAlike where that is not known.
    """
    rect = layout.rect
    if layout.blanks is not None:
        raise NotAlike
    if layout.fixed:
        node = node.anchored(rect.top, rect.left)  # F1:$F$1 is one cell here, whatever its corners are elsewhere
    first, last = node.at(rect.top, rect.left), node.at(rect.bottom, rect.right)
    if first.size == 1 and node.one:
        return node
    if node.left == node.right:
        if first.top <= rect.top and rect.bottom <= last.bottom and last.top <= rect.bottom:
            return Range(node.sheet, _HERE, node.left, _HERE, node.right, True)
    elif node.top == node.bottom:
        if first.left <= rect.left and rect.right <= last.right and last.left <= rect.right:
            return Range(node.sheet, node.top, _HERE, node.bottom, _HERE, True)
    elif first.contains(rect.top, rect.left) and last.contains(rect.bottom, rect.right):
        return here(node.sheet)
    if layout.whole or not layout.fixed:
        raise NotWhole
    return None
