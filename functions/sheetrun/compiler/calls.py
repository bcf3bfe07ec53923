"""The script of one call of a model: only what lies between the inputs that are set and the outputs that are asked for.

The same writer as for the whole workbook; what it does not write is read as the workbook computed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sheetrun.compiler.cone import Cone, Place, chosen
from sheetrun.compiler.graph import regions, sheets_of
from sheetrun.compiler.plan import Plan
from sheetrun.compiler.schedule import Part
from sheetrun.compiler.script import Writer
from sheetrun.compiler.units import Refused, Unit
from sheetrun.workbook.model import Kind, Rect


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
    return CallScript(script.text, writer.cone.units, boxes_of(plan, writer.cone, outputs), refused)


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


def boxes_of(plan: Plan, found: Cone, outputs: Sequence[Place]) -> dict[int, Rect] | None:
    """For each sheet a range around all that the units of a cone read and write; None when only the run can tell."""
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
