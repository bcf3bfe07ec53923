"""The formula of a unit as code within a step, in the layout that a statement asks for."""

from __future__ import annotations

from functools import partial
from typing import Final

from sheetrun.compiler.expressions import Emitter
from sheetrun.compiler.formtexts import Blanks, FormText, FormTexts
from sheetrun.compiler.layout import Layout
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Alike
from sheetrun.compiler.scriptnames import Names, ScriptNames
from sheetrun.compiler.steps import Step
from sheetrun.compiler.tracks import Tracks
from sheetrun.compiler.units import Unit
from sheetrun.formula import nodes
from sheetrun.workbook.model import Block, Kind, Rect

_NOWHERE: Final = Rect(0, 0, 0, 0)  #: the host of a formula that belongs to no cell


class Formulas:
    """Writes the formulas of one script. The code of a form is written once (see ``formtexts``)."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.names = ScriptNames()
        #: Loops keep lines of cells in lists; not where each result must be rounded to what its cell shows.
        self.tracked = scope.workbook.settings.full_precision
        self._forms = FormTexts()

    def cell(self, step: Step, unit: Unit, layout: Layout, tracks: Tracks | None = None) -> str:
        """For one cell, or for the cell of a loop. Raises NotTracked and CannotCompile."""
        if unit.form is not None and layout.fixed:
            text = self._forms.text(unit, unit.form, self._form_emitter)
            if text is not None:
                return text.of(unit.blanks, unit.rect, step.names, self.names.sheets)
        emitter = self._emitter(step, layout, unit, tracks)
        whole = isinstance(unit.tree, Range) and unit.block.kind is Kind.DYNAMIC and layout.fixed
        return emitter.reference(unit.tree) if whole else emitter.formula(unit.tree)

    def spills(self, unit: Unit) -> bool:
        """Whether the result lies where it has room, whatever its size."""
        return unit.block.kind is Kind.DYNAMIC

    def block(self, step: Step, unit: Unit) -> str:
        """For all cells of a block at once. Raises NotWhole and CannotCompile."""
        return self._emitter(step, self._block_layout(unit.rect), unit).formula(unit.tree)

    def asked(self, step: Step, unit: Unit, layout: Layout) -> str:
        """For a cell that is computed when it is asked for."""
        return self._emitter(step, layout, unit).formula(unit.tree)

    def form(self, part: Alike) -> FormText | None:
        """For any of the units; None when each must be written by itself."""
        return self._forms.text(part.units[0], part.form, self._form_emitter)

    def together(self, part: Alike) -> FormText | None:
        """For all of the units at once; None where that cannot be."""
        return self._forms.text(part.units[0], part.form, self._form_emitter, together=True)

    def function(self, step: Step, key: str) -> str:
        """A defined LAMBDA."""
        nobody = Unit(-1, step.sheet, Block(_NOWHERE, "", Kind.DYNAMIC), nodes.Missing())
        return self._emitter(step, Layout(_NOWHERE), nobody).function_body(self.scope.functions[key])

    def alias(self, step: Step, sheet: int) -> str:
        """What a sheet is called in a step."""
        known = self.names.sheets.get(sheet)
        if known is None:
            known = self.names.sheets[sheet] = self.names.new(self.scope.sheet_name(sheet), "sheet")
        step.names.aliases[sheet] = known
        return known

    def scratch(self, sheet: int) -> Step:
        """A step that is not part of the script, for code that goes into several."""
        return Step("", sheet, False, False, Names(self.names))

    def _varies(self, _unit: Unit, _reference: Range) -> bool:
        """Whether what a unit reads through a reference may be another value in another scenario."""
        return True

    def _block_layout(self, rect: Rect) -> Layout:
        return Layout(rect, whole=True)

    def _emitter(self, step: Step, layout: Layout, unit: Unit, tracks: Tracks | None = None) -> Emitter:
        return Emitter(
            layout,
            unit.sheet,
            step.names,
            partial(self.alias, step),
            self.scope.sheet_name,
            arrays=unit.arrays,
            varies=partial(self._varies, unit),
            tracks=tracks,
        )

    def _form_emitter(self, unit: Unit, blanks: Blanks, together: bool) -> tuple[Emitter, Names]:
        """Writes the form of a unit, for any formula of it or for many ``together``."""
        step = self.scratch(unit.sheet)
        return self._emitter(step, Layout(_NOWHERE, whole=together, blanks=blanks), unit), step.names
