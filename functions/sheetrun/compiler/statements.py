"""A unit as a statement: computed at once, cell by cell when asked for, or in a loop over the cells of its form."""

from __future__ import annotations

from sheetrun.compiler.formtexts import columns_of, names_of
from sheetrun.compiler.formulas import Formulas
from sheetrun.compiler.labels import Labels
from sheetrun.compiler.layout import Layout, NotAlike, NotWhole
from sheetrun.compiler.literal import comment, literal, wrapped
from sheetrun.compiler.loops import Loops
from sheetrun.compiler.schedule import Alike, Loop
from sheetrun.compiler.steps import Statement, Step
from sheetrun.compiler.units import Unit
from sheetrun.formula.a1 import cell_name, range_name
from sheetrun.workbook.model import Kind, Rect


class Statements:
    """Writes the statements of one script, those of loops with ``loops``."""

    def __init__(self, formulas: Formulas, labels: Labels, loops: Loops) -> None:
        self._formulas = formulas
        self._labels = labels
        self._loops = loops

    def whole(self, step: Step, unit: Unit) -> Statement:
        """A block at once; in a loop where that cannot be."""
        rect = unit.rect
        in_loop = Loop((unit,), rect.height >= rect.width, True, {})
        if unit.block.filled:
            return self._loops.statement(step, in_loop)
        if not unit.scalar or rect.size == 1:
            expression = self._formulas.cell(step, unit, Layout(_first(rect), fills=_fills(unit)))
        else:
            try:
                expression = self._formulas.block(step, unit)
            except NotWhole:
                return self._loops.statement(step, in_loop)
        sheet, address = self._formulas.alias(step, unit.sheet), literal(range_name(*rect))
        if self._formulas.spills(unit):
            return self._headed(unit, f"{sheet}.spill({address}, {expression})")
        return self._headed(unit, f"{sheet}[{address}] = {expression}")

    def define(self, step: Step, unit: Unit) -> Statement:
        """A block whose cells are computed when they are asked for."""
        rect = unit.rect
        sheet, address = self._formulas.alias(step, unit.sheet), literal(range_name(*rect))
        if unit.scalar:
            layout = Layout(rect, row_var=rect.height > 1, col_var=rect.width > 1)
            how, head = "define", "lambda r, c"
        else:
            layout = Layout(_first(rect), fills=_fills(unit))
            how, head = ("define_spill" if unit.block.kind is Kind.DYNAMIC else "define_array"), "lambda"
        expression = self._formulas.asked(step, unit, layout)
        return self._headed(unit, f"{sheet}.{how}({address}, {head}: {expression})")

    def alike(self, step: Step, part: Alike) -> Statement:
        """A loop over a list of cells, and of what stands in the blanks of their form, or one turn for all of them. Raises
        NotAlike."""
        text, over = self._formulas.together(part), "together"
        if text is None:
            text, over = self._formulas.form(part), "alike"
        if text is None:
            raise NotAlike
        names = [self._formulas.names.local(name, ("blank", name)) for name in names_of(part.form)]
        first = part.units[0]
        sheet = self._formulas.alias(step, first.sheet)
        expression = text.named(names, step.names, self._formulas.names.sheets)
        heading = f"# {len(part.units)} cells like {cell_name(*first.rect[:2])}: ={comment(first.block.text)}"
        lines = [heading, f"for {', '.join(names)} in {step.names.imported(over)}("]
        for column in columns_of(part.units, part.form):
            *rows, last = wrapped(column)
            lines += [f"    {literal(row + ' ')}" for row in rows] + [f"    {literal(last)},"]
        lines += ["):", f"    {sheet}[{names[0]}] = {expression}"]
        return Statement(lines, [(part.units, len(lines) - 1)])

    def _headed(self, unit: Unit, line: str) -> Statement:
        return Statement([self._labels.heading(unit), line], [((unit,), 1)])


def _fills(unit: Unit) -> tuple[int, int] | None:
    rect = unit.rect
    return (rect.height, rect.width) if unit.block.kind is Kind.ARRAY and rect.size > 1 else None


def _first(rect: Rect) -> Rect:
    """The first cell."""
    return Rect(rect.top, rect.left, rect.top, rect.left)
