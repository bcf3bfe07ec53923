"""The script of one call of a model: only what lies between the inputs that are set and the outputs that are asked for.

The same writer as for the whole workbook; what it does not write is read as the workbook computed it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sheetrun.compiler.cone import Cone, Place, chosen
from sheetrun.compiler.draft import Draft
from sheetrun.compiler.formulas import Formulas
from sheetrun.compiler.graph import regions, sheets_of
from sheetrun.compiler.growth import grows
from sheetrun.compiler.plan import Plan
from sheetrun.compiler.units import Refused
from sheetrun.records import dataclass
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
    found = plan.cone(inputs, outputs)
    draft = Draft(Formulas(plan.scope), plan.refused)
    for part in chosen(plan.parts, found.units):
        draft.add(part)
    own = sorted(draft.refused[len(plan.refused) :], key=lambda r: (r.sheet, r.rect))
    return CallScript(draft.program().text, found.units, boxes_of(plan, found, outputs), tuple(own))


def boxes_of(plan: Plan, found: Cone, outputs: Sequence[Place]) -> dict[int, Rect] | None:
    """For each sheet a range around all that the units of a cone read and write; None when only the run can tell."""
    around: dict[int, Rect] = {}
    for sheet, rect in (*found.places, *outputs):
        _widen(around, sheet, rect)
    for index in found.units:
        unit = plan.units[index]
        if unit.dynamic or unit.block.kind is Kind.TABLE or grows(unit):
            return None
        for read, rect in regions(unit):
            for sheet in sheets_of(read, plan.scope):
                _widen(around, sheet, rect)
    return around


def _widen(around: dict[int, Rect], sheet: int, rect: Rect) -> None:
    around[sheet] = Rect.around((around.get(sheet, rect), rect))
