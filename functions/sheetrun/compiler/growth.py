"""Where dynamic arrays may come to lie when inputs change: right of and below their first cell, to the end of the sheet."""

from __future__ import annotations

from collections.abc import Iterable
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


class Rooms:
    """The rooms of many arrays, which a rectangle may meet: told by the few whose corners no other room holds."""

    def __init__(self) -> None:
        self._corners: dict[int, dict[int, tuple[int, int]]] = {}  # by sheet, then by unit
        self._outer: dict[int, list[tuple[int, int]]] = {}

    def add(self, unit: Unit) -> None:
        corner = unit.rect.top, unit.rect.left
        self._corners.setdefault(unit.sheet, {})[unit.index] = corner
        self._outer[unit.sheet] = _outermost([*self._outer.get(unit.sheet, ()), corner])

    def meet(self, sheet: int, rect: Rect) -> bool:
        """Whether an array may come to fill a cell of a rectangle."""
        return any(top <= rect.bottom and left <= rect.right for top, left in self._outer.get(sheet, ()))

    def take(self, sheet: int, rect: Rect) -> list[int]:
        """The units whose arrays may, each once: the next caller is not told of them."""
        if not self.meet(sheet, rect):
            return []
        corners = self._corners[sheet]
        met = [index for index, (top, left) in corners.items() if top <= rect.bottom and left <= rect.right]
        for index in met:
            del corners[index]
        self._outer[sheet] = _outermost(corners.values())
        return met


def _outermost(corners: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that are not right of and below another one."""
    out: list[tuple[int, int]] = []
    for top, left in sorted(corners):
        if not out or left < out[-1][1]:
            out.append((top, left))
    return out


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
