"""The statement of a loop over rows or columns; within a turn its units in their order."""

from __future__ import annotations

from functools import partial

from sheetrun.compiler.formulas import Formulas
from sheetrun.compiler.labels import Labels
from sheetrun.compiler.layout import Layout, NotTracked
from sheetrun.compiler.schedule import Loop
from sheetrun.compiler.steps import Statement, Step
from sheetrun.compiler.tracks import Tracks
from sheetrun.compiler.units import Unit


class Loops:
    """Writes the loops of one script."""

    def __init__(self, formulas: Formulas, labels: Labels) -> None:
        self._formulas = formulas
        self._labels = labels

    def statement(self, step: Step, part: Loop) -> Statement:
        """Raises CannotCompile when one of the units cannot be written."""
        alias = partial(self._formulas.alias, step)
        tracks = Tracks.of(part, step.names, alias) if self._formulas.tracked else None
        try:
            return self._written(step, part, tracks)
        except NotTracked:
            return self._written(step, part, None)

    def turn(self, step: Step, unit: Unit, part: Loop, tracks: Tracks | None = None) -> list[str]:
        """What one turn of the loop does for a unit: its cells in this row or column, where it has any."""
        rect = unit.rect
        across = rect.width if part.by_row else rect.height
        low, high = (rect.top, rect.bottom) if part.by_row else (rect.left, rect.right)
        variable = "r" if part.by_row else "c"
        inner_loop = across > 1
        layout = Layout(rect, row_var=part.by_row or inner_loop, col_var=not part.by_row or inner_loop)
        if high == low and tracks is None:
            layout = Layout(rect, row_var=not part.by_row and inner_loop, col_var=part.by_row and inner_loop)
        expression = self._formulas.cell(step, unit, layout, tracks)
        sheet = self._formulas.alias(step, unit.sheet)
        row = "r" if layout.row_var else str(rect.top + 1)
        column = "c" if layout.col_var else str(rect.left + 1)
        lines = [f"{sheet}[{row}, {column}] = {expression}"]
        if tracks is not None:
            lines = [f"{tracks.target(unit)}[{variable}] = {step.names.call('kept', expression)}"]
        if self._formulas.spills(unit):
            lines = [f"{sheet}.spill(({row}, {column}), {expression})"]
        if inner_loop:
            inner, word = ("c", "columns") if part.by_row else ("r", "rows")
            start, end = (rect.left, rect.right) if part.by_row else (rect.top, rect.bottom)
            if not part.inner_forward.get(unit.index, True):
                start, end = end, start
            lines = [f"for {inner} in {step.names.call(word, str(start + 1), str(end + 1))}:", "    " + lines[0]]
        if (low, high) != _extent(part):
            test = f"{variable} == {low + 1}" if low == high else f"{low + 1} <= {variable} <= {high + 1}"
            lines = [f"if {test}:", *("    " + line for line in lines)]
        return lines

    def _written(self, step: Step, part: Loop, tracks: Tracks | None) -> Statement:
        first, last = _extent(part)
        if not part.forward:
            first, last = last, first
        variable, word = ("r", "rows") if part.by_row else ("c", "columns")
        loop = f"for {variable} in {step.names.call(word, str(first + 1), str(last + 1))}:"
        head = [self._labels.heading(part.units[0])] if len(part.units) == 1 else []
        lines: list[str] = []
        computes: list[tuple[Unit, int]] = []
        for unit in part.units:
            if len(part.units) > 1:
                lines.append("    " + self._labels.heading(unit))
            lines += ["    " + line for line in self.turn(step, unit, part, tracks)]
            computes.append((unit, len(lines)))
        before, after = ([], []) if tracks is None else ([*tracks.before()], [*tracks.after()])
        offset = len(head) + len(before)
        return Statement([*head, *before, loop, *lines, *after], [((unit,), offset + at) for unit, at in computes])


def _extent(part: Loop) -> tuple[int, int]:
    """First and last row (or column) of all units of a loop, 0-based."""
    if part.by_row:
        return min(u.rect.top for u in part.units), max(u.rect.bottom for u in part.units)
    return min(u.rect.left for u in part.units), max(u.rect.right for u in part.units)
