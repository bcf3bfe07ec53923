"""The statement of a what-if data table: which cells are its inputs, and which steps compute what it tabulates."""

from __future__ import annotations

from collections.abc import Sequence

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.formulas import Formulas
from sheetrun.compiler.graph import region
from sheetrun.compiler.literal import literal
from sheetrun.compiler.steps import Statement, Step
from sheetrun.compiler.units import Unit
from sheetrun.formula.a1 import cell_name, range_name


def data_table(step: Step, unit: Unit, before: Sequence[Step], formulas: Formulas) -> Statement:
    """``before``: the steps of the script so far."""
    table = unit.block.table
    if table is None or table.first_input is None:
        raise CannotCompile("data_table", "the data table has no input cell")
    address = range_name(*unit.rect)
    first = literal(cell_name(*table.first_input))
    if table.two_inputs and table.second_input is not None:
        row, column = first, literal(cell_name(*table.second_input))
    else:
        row, column = (first, "None") if table.by_row else ("None", first)
    through = ", ".join(literal(name) for name in _between(unit, before))
    sheet = formulas.alias(step, unit.sheet)
    line = f"{sheet}.data_table({literal(address)}, row={row}, column={column}, through=[{through}])"
    return Statement([f"# {address}: what-if data table", line], [((unit,), 1)])


def _between(table: Unit, steps: Sequence[Step]) -> list[str]:
    """The steps that compute, from the table's inputs, the formulas that it tabulates; in order."""
    inputs = [read.at(0, 0) for read in table.reads[2:]]
    above = _ancestors(table, steps)
    affected: set[int] = set()
    names = []
    for step in steps:
        for unit in step.units:
            if unit.index in above and (
                unit.needs & affected
                or any(
                    read.sheet == table.sheet and region(unit, read).overlaps(rect)
                    for read in unit.reads
                    for rect in inputs
                )
            ):
                affected.add(unit.index)
        if any(unit.index in affected for unit in step.units):
            names.append(step.name)
    return names


def _ancestors(unit: Unit, steps: Sequence[Step]) -> set[int]:
    """All units that a unit reads from, directly or not."""
    by_index = {u.index: u for step in steps for u in step.units}
    found: set[int] = set()
    stack = list(unit.needs)
    while stack:
        index = stack.pop()
        if index not in found and index in by_index:
            found.add(index)
            stack.extend(by_index[index].needs)
    return found
