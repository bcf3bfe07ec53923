"""Whether two operands in array mode are arrays that NumPy can pair, as far as the text of a formula tells."""

from __future__ import annotations

from typing import Any

from sheetrun.compiler.layout import Layout
from sheetrun.compiler.ranges import Range
from sheetrun.formula import nodes
from sheetrun.runtime.address import is_vast


def is_vast_range(node: Range, layout: Layout) -> bool:
    """Whether a range is so large that what is read of it ends with the used range."""
    if node.whole_columns or node.whole_rows:
        return True
    rect = node.over(layout.rect)
    return is_vast(rect.height, rect.width)


def pair(left: Any, right: Any, layout: Layout) -> bool:
    """Whether their shapes are known and fit."""
    a, b = shape(left, layout), shape(right, layout)
    return a is not None and b is not None and all(m == n or 1 in (m, n) for m, n in zip(a, b, strict=True))


def shape(node: Any, layout: Layout) -> tuple[int, int] | None:
    """Rows and columns of an operand; None where only the run can tell."""
    match node:
        case nodes.Number() | nodes.Text() | nodes.Logical():
            return 1, 1
        case Range() if node.last_sheet is None:
            if node.single:
                return 1, 1
            if (layout.blanks is not None and node in layout.blanks) or is_vast_range(node, layout):
                return None
            rect = node.at(layout.rect.top, layout.rect.left)
            return rect.height, rect.width
        case nodes.Paren(inner):
            return shape(inner, layout)
        case nodes.Unary(_, operand) | nodes.Percent(operand):
            return shape(operand, layout)
        case nodes.Binary(_, left, right):
            a, b = shape(left, layout), shape(right, layout)
            if a is None or b is None:
                return None
            return max(a[0], b[0]), max(a[1], b[1])
    return None
