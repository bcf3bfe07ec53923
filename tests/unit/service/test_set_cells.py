"""Cells that a call sets count as if the file held them, whatever type the cell had when the script was written."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheetrun.service.rundata import find_cells
from sheetrun.workbook.model import Workbook
from tests.unit.compiler.grids import workbooks
from tests.unit.compiler.making import grid_of, run
from tests.unit.compiler.test_lanes import constants_of, formulas_of, same

VALUES = st.one_of(
    st.integers(-5, 9),
    st.sampled_from([0.5, 1e300, "", "x", "12", "-3.5", "TRUE", True, False, {"error": "#N/A"}, None]),
)


def written(workbook: Workbook, cells: dict[str, Any]) -> Workbook:
    """The workbook with other constants in some cells."""
    other = deepcopy(workbook)
    other.strings = list(other.strings)
    for reference, value in cells.items():
        sheet, rect = find_cells(other, reference)
        (grid,) = (g for g in other.sheets[sheet].grids if g.rect.contains(rect.top, rect.left))
        at = rect.top - grid.top, rect.left - grid.left
        one = grid_of({(0, 0): value}, other.strings, 1, 1)
        grid.num[at], grid.tag[at] = one.num[0, 0], one.tag[0, 0]
    return other


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(workbooks(), st.data())
def test_set_is_as_if_written(workbook: Workbook, data: st.DataObject) -> None:
    cells, outputs = constants_of(workbook), formulas_of(workbook)
    if not cells or not outputs:
        return
    chosen = data.draw(st.lists(st.sampled_from(cells), min_size=1, max_size=3, unique=True))
    values = {name: data.draw(VALUES) for name in chosen}
    set_, stored = run(workbook, values), run(written(workbook, values))
    for name in outputs:
        assert same([set_.get(name)], [stored.get(name)]), (name, values)
