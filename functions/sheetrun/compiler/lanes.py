"""The script of many scenarios at once: only what the inputs reach, each cell with a value for every scenario.

The same writer as for the whole workbook, in another layout: what a block computes at once is now all its cells in all
scenarios (``runtime.lanes``). A formula that cannot be written so is computed scenario by scenario (``each``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sheetrun.compiler.cone import Cone, Place, chosen, cone
from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.graph import region, sheets_of
from sheetrun.compiler.layout import Layout, NotWhole
from sheetrun.compiler.plan import Plan
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.schedule import Part, Solve, units_of
from sheetrun.compiler.script import Function, Writer
from sheetrun.compiler.tracks import Tracks
from sheetrun.compiler.units import Unit
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
    writer = _LaneWriter(workbook, inputs, outputs, plan)
    text = writer.script().text
    return LaneScript(text, writer.cone.places)


class _LaneWriter(Writer):
    def __init__(
        self, workbook: Workbook, inputs: Sequence[Place], outputs: Sequence[Place], plan: Plan | None
    ) -> None:
        super().__init__(workbook)
        self._plan = plan
        if plan is not None:
            self._scope = plan.scope
        self.tracked = False
        self._inputs = inputs
        self._outputs = outputs
        self.cone = Cone(frozenset(), ())

    def _planned(self) -> tuple[list[Unit], list[Part]]:
        if self._plan is None:
            return super()._planned()
        self._refused = list(self._plan.refused)
        return self._plan.units, self._plan.parts

    def _chosen(self, units: list[Unit], parts: list[Part]) -> Iterable[Part]:
        self.cone = cone(units, parts, self._scope, self._inputs, self._outputs)
        kept = list(chosen(parts, self.cone.units))
        for part in kept:
            for unit in units_of(part):
                _check(unit, solved=isinstance(part, Solve))
        return kept

    def _varies(self, unit: Unit, reference: Range) -> bool:
        return self.cone.holds(sheets_of(reference, self._scope), region(unit, reference))

    def _block_layout(self, rect: Rect) -> Layout:
        return Layout(rect, whole=True, lanes=True)

    def _expression(self, function: Function, unit: Unit, layout: Layout, tracks: Tracks | None = None) -> str:
        if unit.scalar and not unit.block.filled:
            try:
                return super()._expression(function, unit, replace(layout, whole=True, lanes=True))
            except NotWhole:
                pass
        function.names.imports.add("each")
        shape = "" if unit.scalar else f", {unit.rect.height}, {unit.rect.width}"
        return f"each(book, lambda: {super()._expression(function, unit, layout)}{shape})"


def _check(unit: Unit, *, solved: bool) -> None:
    """Raises NotLaned for what has no place of its own in every scenario."""
    if solved or unit.dynamic:
        raise NotLaned("scenarios", "what a formula reads is known only when it runs")
    if unit.block.kind is Kind.TABLE:
        raise NotLaned("scenarios", "a what-if data table computes the workbook again itself")
    if unit.block.kind is Kind.DYNAMIC:
        raise NotLaned("scenarios", "a dynamic array may have another size in each scenario")
