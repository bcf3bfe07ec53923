"""A script while it is written: part by part into steps, and what could not be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sheetrun.compiler.datatables import data_table
from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.formulas import Formulas
from sheetrun.compiler.labels import Labels
from sheetrun.compiler.layout import NotAlike
from sheetrun.compiler.loops import Loops
from sheetrun.compiler.program import Program, program
from sheetrun.compiler.schedule import Alike, Loop, Part, Solve, units_of
from sheetrun.compiler.scriptnames import Names
from sheetrun.compiler.statements import Statements
from sheetrun.compiler.steps import Statement, Step
from sheetrun.compiler.units import Refused, Unit
from sheetrun.formula.a1 import cell_name
from sheetrun.workbook.model import Kind


class Draft:
    """Takes the parts of a schedule in their order.

    ``refused``: formulas that are known not to be computed, and behind them those that turn out to be so here.
    """

    def __init__(self, formulas: Formulas, refused: Iterable[Refused]) -> None:
        self.refused = list(refused)
        self._formulas = formulas
        self._steps: list[Step] = []
        labels = Labels(formulas.scope.workbook)
        self._loops = Loops(formulas, labels)
        self._statements = Statements(formulas, labels, self._loops)

    def add(self, part: Part) -> None:
        """Writes a part, without the units that cannot be written."""
        step = self._step(part)
        if isinstance(part, Solve):
            self._each(step, part.units, self._statements.define)
        elif isinstance(part, Loop):
            self._loop(step, part)
        elif isinstance(part, Alike):
            self._alike(step, part)
        else:
            self._each(step, (part.unit,), self._whole)

    def program(self) -> Program:
        """The whole text."""
        return program(self._formulas, [step for step in self._steps if step.statements], len(self.refused))

    def _step(self, part: Part) -> Step:
        """The step that a part goes into: the last one while it is on the same sheet and not full."""
        unit = units_of(part)[0]
        solved = isinstance(part, Solve)
        # What is computed again by others, or computes others again, stands alone.
        alone = solved or unit.block.kind is Kind.TABLE
        last = self._steps[-1] if self._steps else None
        if last is not None and last.sheet == unit.sheet and not last.full and not alone:
            return last
        names = self._formulas.names
        title = self._formulas.scope.sheet_name(unit.sheet)
        name = names.new(f"{title}_{cell_name(*unit.rect[:2]).lower()}", "sheet")
        self._steps.append(Step(name, unit.sheet, solved, alone, Names(names)))
        return self._steps[-1]

    def _each(self, step: Step, units: tuple[Unit, ...], write: Callable[[Step, Unit], Statement]) -> None:
        """A statement for each unit."""
        for unit in units:
            try:
                statement = write(step, unit)
            except CannotCompile as error:
                self._refuse(unit, error)
            else:
                step.add(statement, (unit,))

    def _whole(self, step: Step, unit: Unit) -> Statement:
        if unit.block.kind is Kind.TABLE:
            return data_table(step, unit, self._steps, self._formulas)
        return self._statements.whole(step, unit)

    def _alike(self, step: Step, part: Alike) -> None:
        try:
            statement = self._statements.alike(step, part)
        except (NotAlike, CannotCompile):
            self._each(step, part.units, self._whole)
        else:
            step.add(statement, part.units)

    def _loop(self, step: Step, part: Loop) -> None:
        try:
            statement = self._loops.statement(step, part)
        except CannotCompile:
            good = tuple(unit for unit in part.units if self._can_turn(step, unit, part))
            if not good:
                return
            part = Loop(good, part.by_row, part.forward, part.inner_forward)
            statement = self._loops.statement(step, part)
        step.add(statement, part.units)

    def _can_turn(self, step: Step, unit: Unit, part: Loop) -> bool:
        """Whether a loop can be written for a unit; else it is refused."""
        try:
            self._loops.turn(step, unit, part)
        except CannotCompile as error:
            self._refuse(unit, error)
            return False
        return True

    def _refuse(self, unit: Unit, error: CannotCompile) -> None:
        self.refused.append(Refused(unit.sheet, unit.rect, unit.block.text, error.code, error.detail))
