"""The script of many scenarios at once: only what the inputs reach, each cell with a value for every scenario.

The same writer as for the whole workbook, in another layout: what a block computes at once is now all its cells in all
scenarios (``runtime.lanes``). A formula that cannot be written so is computed scenario by scenario (``each``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sheetrun.compiler.cone import Cone, Place, chosen, cone
from sheetrun.compiler.draft import Draft
from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.formulas import Formulas
from sheetrun.compiler.graph import region, sheets_of
from sheetrun.compiler.growth import grows
from sheetrun.compiler.layout import Layout, NotWhole
from sheetrun.compiler.plan import Plan
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Alike, Solve, units_of
from sheetrun.compiler.steps import Step
from sheetrun.compiler.tracks import Tracks
from sheetrun.compiler.units import Unit
from sheetrun.records import dataclass
from sheetrun.workbook.model import Kind, Rect, Workbook


class NotLaned(CannotCompile):
    """The scenarios of this workbook can only be computed one after another; ``detail`` says why."""


@dataclass(frozen=True, slots=True)
class LaneScript:
    """``text``: the program. ``places``: the cells that it changes, inputs included."""

    text: str
    places: tuple[Place, ...]


def compile_lanes(
    workbook: Workbook, inputs: Sequence[Place], outputs: Sequence[Place], *, plan: Plan | None = None
) -> LaneScript:
    """The script that computes ``outputs`` for many values of ``inputs``. Raises NotLaned. ``plan``: the workbook's, if
    it is known."""
    if not workbook.settings.full_precision:
        raise NotLaned("scenarios", "each result is rounded to what its cell shows (precision as displayed)")
    plan = plan or Plan.of(workbook)
    found = cone(plan.units, plan.parts, plan.scope, inputs, outputs)
    kept = list(chosen(plan.parts, found.units))
    for part in kept:
        for unit in units_of(part):
            _check(unit, solved=isinstance(part, Solve))
    draft = Draft(_LaneFormulas(plan.scope, found), plan.refused)
    for part in kept:
        draft.add(part)
    return LaneScript(draft.program().text, found.places)


class _LaneFormulas(Formulas):
    """``found``: what the inputs reach."""

    def __init__(self, scope: Scope, found: Cone) -> None:
        super().__init__(scope)
        self.tracked = False
        self._found = found

    def cell(self, step: Step, unit: Unit, layout: Layout, tracks: Tracks | None = None) -> str:
        if unit.scalar and not unit.block.filled:
            try:
                return super().cell(step, unit, replace(layout, whole=True, lanes=True))
            except NotWhole:
                pass
        shape = "" if unit.scalar else f", {unit.rect.height}, {unit.rect.width}"
        each = step.names.imported("each")
        return f"{each}(book, lambda: {super().cell(step, unit, layout)}{shape})"

    def together(self, part: Alike) -> None:
        return None  # a list of cells has no lanes

    def spills(self, unit: Unit) -> bool:
        return False  # what does was refused

    def _varies(self, unit: Unit, reference: Range) -> bool:
        return self._found.holds(sheets_of(reference, self.scope), region(unit, reference))

    def _block_layout(self, rect: Rect) -> Layout:
        return Layout(rect, whole=True, lanes=True)


def _check(unit: Unit, *, solved: bool) -> None:
    """Raises NotLaned for what has no place of its own in every scenario."""
    if solved or unit.dynamic:
        raise NotLaned("scenarios", "what a formula reads is known only when it runs")
    if unit.block.kind is Kind.TABLE:
        raise NotLaned("scenarios", "a what-if data table computes the workbook again itself")
    if grows(unit) or (unit.block.kind is Kind.DYNAMIC and unit.rect.size > 1 and not unit.block.filled):
        raise NotLaned("scenarios", "a dynamic array may have another size in each scenario")
