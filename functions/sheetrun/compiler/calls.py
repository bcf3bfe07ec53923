"""The script of one call of a model: only what lies between the inputs that are set and the outputs that are asked for.

The same writer as for the whole workbook; what it does not write is read as the workbook computed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sheetrun.compiler.cone import Cone, Place, chosen, cone
from sheetrun.compiler.graph import regions, sheets_of
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Part, schedule
from sheetrun.compiler.script import Writer
from sheetrun.compiler.units import Refused, Unit, make_units
from sheetrun.workbook.model import Kind, Rect, Workbook


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


@dataclass(frozen=True, slots=True)
class CallScript:
    """``units`` are those that it computes. ``boxes``: for each sheet a range around all that it reads or writes; None
    when only the run can tell."""

    text: str
    units: frozenset[int]
    boxes: dict[int, Rect] | None
    refused: tuple[Refused, ...]


def compile_call(plan: Plan, inputs: Sequence[Place], outputs: Sequence[Place]) -> CallScript:
    """The script that computes ``outputs`` again when ``inputs`` change."""
    writer = _CallWriter(plan, inputs, outputs)
    script = writer.script()
    own = {(block.sheet, block.rect) for block in plan.refused}
    refused = tuple(block for block in script.refused if (block.sheet, block.rect) not in own)
    return CallScript(script.text, writer.cone.units, _boxes(plan, writer.cone, outputs), refused)


class _CallWriter(Writer):
    def __init__(self, plan: Plan, inputs: Sequence[Place], outputs: Sequence[Place]) -> None:
        super().__init__(plan.workbook)
        self._scope = plan.scope
        self._plan = plan
        self.cone = plan.cone(inputs, outputs)

    def _planned(self) -> tuple[list[Unit], list[Part]]:
        self._refused = list(self._plan.refused)
        return self._plan.units, self._plan.parts

    def _chosen(self, units: list[Unit], parts: list[Part]) -> Iterable[Part]:
        return chosen(parts, self.cone.units)


def _boxes(plan: Plan, found: Cone, outputs: Sequence[Place]) -> dict[int, Rect] | None:
    around: dict[int, Rect] = {}
    for sheet, rect in (*found.places, *outputs):
        _widen(around, sheet, rect)
    for index in found.units:
        unit = plan.units[index]
        if unit.dynamic or unit.block.kind is Kind.TABLE or (unit.block.kind is Kind.DYNAMIC and not unit.block.filled):
            return None
        for read, rect in regions(unit):
            for sheet in sheets_of(read, plan.scope):
                _widen(around, sheet, rect)
    return around


def _widen(around: dict[int, Rect], sheet: int, rect: Rect) -> None:
    known = around.get(sheet, rect)
    around[sheet] = Rect(
        min(known.top, rect.top),
        min(known.left, rect.left),
        max(known.bottom, rect.bottom),
        max(known.right, rect.right),
    )
