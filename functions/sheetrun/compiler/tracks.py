"""The lists that a loop keeps its lines of cells in (``runtime.tracks``): which it needs, and a cell of one as code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Final

from sheetrun.compiler.brackets import ACCESSORS
from sheetrun.compiler.layout import NotTracked, counted
from sheetrun.compiler.literal import literal
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.schedule import Loop
from sheetrun.compiler.scriptnames import Names
from sheetrun.compiler.units import Unit
from sheetrun.formula.a1 import column_name, range_name
from sheetrun.records import dataclass
from sheetrun.workbook.model import Kind, Rect

_ENDINGS: Final = {"number": "_n", "value": "", "arr": "_arr"}  #: of the names of cells that are read once


@dataclass(slots=True)
class Tracks:
    """The lists of one loop: the results of its own units, and what it reads beside itself; and cells that are the same
    in every turn. A line is a column (a row, when the loop runs over columns), 0-based.

    ``alias``: what a sheet is called in the function that the loop is in.
    """

    loop: Loop
    names: Names
    alias: Callable[[int], str]
    own: frozenset[tuple[int, int]]  #: sheet and line of what the loop computes
    used: dict[tuple[int, int, bool], tuple[str, int, int]] = field(
        default_factory=dict
    )  #: (sheet, line, as numbers) -> name, first and last place (0-based)
    fixed: dict[str, str] = field(default_factory=dict)  #: expression -> name

    @classmethod
    def of(cls, loop: Loop, names: Names, alias: Callable[[int], str]) -> Tracks | None:
        """The lists of a loop, when each of its units is one column (or row) of numbers computed one by one."""
        if any(
            (u.rect.width if loop.by_row else u.rect.height) > 1 or u.block.filled or u.block.kind is not Kind.NORMAL
            for u in loop.units
        ):
            return None
        own = frozenset((u.sheet, u.rect.left if loop.by_row else u.rect.top) for u in loop.units)
        return cls(loop, names, alias, own)

    def cell(self, node: Range, want: str, host: Rect) -> str | None:
        """A cell from a list; None for what is read from the sheet. Raises NotTracked."""
        by_row = self.loop.by_row
        along, across = (node.top, node.left) if by_row else (node.left, node.top)
        one = node.single or (node.one and want in ("number", "value"))
        if not one or want == "ref" or node.wraps(host):
            self._keep_off(node, host)
            return None
        if along.absolute:
            self._keep_off(node, host)
            return self._hoisted(node, want) if across.absolute else None
        line = across.at(host.left if by_row else host.top)
        first, last = (host.top, host.bottom) if by_row else (host.left, host.right)
        mine = (node.sheet, line) in self.own
        name = self._track((node.sheet, line, want == "number" and not mine), along.at(first), along.at(last))
        text = f"{name}[{counted(along, 'r' if by_row else 'c')}]"
        if want == "number":
            return self.names.call("num", text) if mine else text
        return self.names.call("boxed", text) if want == "arr" else text

    def target(self, unit: Unit) -> str:
        """The list that takes the results of a unit."""
        rect = unit.rect
        if self.loop.by_row:
            return self._track((unit.sheet, rect.left, False), rect.top, rect.bottom)
        return self._track((unit.sheet, rect.top, False), rect.left, rect.right)

    def check_from(self, sheet: int) -> None:
        """Raises NotTracked for a reference across sheets that begins at one the loop, or a sheet behind it, may write."""
        if any(mine >= sheet for mine, _ in self.own):
            raise NotTracked

    def before(self) -> Iterator[str]:
        """What makes the lists, before the loop."""
        for text, name in self.fixed.items():
            yield f"{name} = {text}"
        for (sheet, line, numbers), (name, first, last) in self.used.items():
            address = range_name(first, line, last, line) if self.loop.by_row else range_name(line, first, line, last)
            across = ", across=True" if first == last and not self.loop.by_row else ""
            yield f"{name} = {self.alias(sheet)}.{'track_n' if numbers else 'track'}({literal(address)}{across})"

    def after(self) -> Iterator[str]:
        """What stores the results, after the loop."""
        for unit in self.loop.units:
            yield f"{self.alias(unit.sheet)}.keep({literal(range_name(*unit.rect))}, {self.target(unit)})"

    def _keep_off(self, node: Range, host: Rect) -> None:
        """Raises NotTracked when a reference means a cell that the loop computes."""
        rect = node.over(host)
        if any(node.sheet == unit.sheet and rect.overlaps(unit.rect) for unit in self.loop.units):
            raise NotTracked

    def _track(self, key: tuple[int, int, bool], first: int, last: int) -> str:
        known = self.used.get(key)
        if known is None:
            sheet, line, numbers = key
            place = column_name(line).lower() if self.loop.by_row else str(line + 1)
            name = f"{self.alias(sheet)}_{place}{'_n' if numbers else ''}"
            known = self.names.script.local(name, (key, self.loop.by_row)), first, last
        self.used[key] = known[0], min(first, known[1]), max(last, known[2])
        return known[0]

    def _hoisted(self, node: Range, want: str) -> str:
        """A cell that is the same in every turn, read once before the loop."""
        address = range_name(*node.at(0, 0))
        alias = self.alias(node.sheet)
        text = f"{alias}{ACCESSORS[want]}[{literal(address)}]"
        name = self.fixed.get(text)
        if name is None:
            name = self.fixed[text] = self.names.script.local(f"{alias}_{address.lower()}{_ENDINGS[want]}", text)
        return name
