"""Where dynamic arrays may come to lie when inputs change: right of and below their first cell, to the end of the sheet."""

from __future__ import annotations

from typing import Any

from sheetrun.compiler.ranges import Range
from sheetrun.compiler.traits import PASSING
from sheetrun.compiler.units import Unit, entry_of
from sheetrun.formula import nodes
from sheetrun.runtime.signatures import LIFTED
from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, Kind, Rect

_OPAQUE = LIFTED | {"raw", "lazy"}  #: kinds of parameter whose arguments may make an array of the result


def grows(unit: Unit) -> bool:
    """Whether a unit's result may have another size in another run."""
    return unit.block.kind is Kind.DYNAMIC and not one_value(unit.tree)


def room(unit: Unit) -> Rect:
    """All cells that an array which grows may fill."""
    return Rect(unit.rect.top, unit.rect.left, MAX_ROWS - 1, MAX_COLUMNS - 1)


def one_value(node: Any) -> bool:
    """Whether the result of a part of an array formula is a single value, whatever the cells hold."""
    match node:
        case nodes.Number() | nodes.Text() | nodes.Logical() | nodes.Error() | nodes.Missing() | nodes.Implicit():
            return True
        case nodes.Paren(inner) | nodes.Percent(inner) | nodes.Unary(_, inner):
            return one_value(inner)
        case nodes.Binary(_, left, right):
            return one_value(left) and one_value(right)
        case Range():
            return node.single
        case nodes.Call("LET" | "LAMBDA"):
            return False
        case nodes.Call(name, args) if name in PASSING:
            return all(map(one_value, args))
        case nodes.Call(_, args):
            entry = entry_of(node)
            shaped = (arg for i, arg in enumerate(args) if entry.kind_of(i) in _OPAQUE)
            return entry.returns in ("number", "text", "logical") and all(map(one_value, shaped))
    return False
