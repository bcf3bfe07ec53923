"""A workbook's formulas, resolved and in order, worked out once for many scripts: what reaches what, and what is stale."""

from __future__ import annotations

from collections.abc import Sequence

from sheetrun.compiler.cone import Cone, Place, cone
from sheetrun.compiler.graph import regions, sheets_of
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Part, schedule
from sheetrun.compiler.units import Refused, Unit, make_units
from sheetrun.records import dataclass
from sheetrun.workbook.model import Kind, Workbook


@dataclass(frozen=True, slots=True)
class Plan:
    """A workbook's formulas, resolved and in order, once for all calls."""

    workbook: Workbook
    scope: Scope
    units: list[Unit]
    parts: list[Part]
    refused: tuple[Refused, ...]
    volatile: frozenset[int]

    @classmethod
    def of(cls, workbook: Workbook) -> Plan:
        scope = Scope.of(workbook)
        units, refused = make_units(workbook, scope)
        parts = schedule(units, scope)
        volatile = frozenset(unit.index for unit in units if unit.volatile)
        return cls(workbook, scope, units, parts, tuple(refused), volatile)

    def cone(self, inputs: Sequence[Place], outputs: Sequence[Place]) -> Cone:
        """What must be computed again. A what-if table computes other formulas itself: then it is all of them."""
        found = cone(self.units, self.parts, self.scope, inputs, outputs, also=self.volatile)
        if any(self.units[i].block.kind is Kind.TABLE for i in found.units):
            places = [(unit.sheet, unit.rect) for unit in self.units]
            return Cone(frozenset(range(len(self.units))), (*inputs, *places))
        return found

    def behind(self, outputs: Sequence[Place]) -> set[int]:
        """The units that outputs are computed from, changed or not."""
        left = [u.index for u in self.units if any(u.sheet == s and u.rect.overlaps(r) for s, r in outputs)]
        found = set(left)
        while left:
            for index in self.units[left.pop()].needs - found:
                found.add(index)
                left.append(index)
        return found

    def stale(self, outputs: Sequence[Place]) -> list[Refused]:
        """Blocks that cannot be computed and that outputs read: they keep the value that Excel stored."""
        if not self.refused:
            return []
        read: list[Place] = list(outputs)
        for index in self.behind(outputs):
            read += [(sheet, rect) for r, rect in regions(self.units[index]) for sheet in sheets_of(r, self.scope)]
        return [
            block
            for block in self.refused
            if any(sheet == block.sheet and rect.overlaps(block.rect) for sheet, rect in read)
        ]
