"""A block computed at once, in a loop, by demand, or cell by cell: always the same numbers.

Random sheets of blocks are computed in three ways: as the compiler would have it, with every unit solved on demand, and
with every block cut into single cells. What differs is a mistake of one of the three.
"""

from __future__ import annotations

import math
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, event, given, settings

from sheetrun.compiler import script as writer
from sheetrun.compiler.graph import components, link
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Part, Solve
from sheetrun.compiler.units import Unit
from sheetrun.formula.a1 import range_name
from sheetrun.formula.r1c1 import shift
from sheetrun.workbook.model import Block, Kind, Rect, Workbook

from .grids import inputs_of, workbooks
from .making import run


def by_demand(units: list[Unit], scope: Scope) -> list[Part]:
    """A schedule in which every unit is solved by cells."""
    link(units, scope)
    return [Solve(tuple(units[i] for i in members)) for members in components(units)]


def in_cells(workbook: Workbook) -> Workbook:
    """The same workbook, each block of formulas cut into blocks of one cell."""
    for sheet in workbook.sheets:
        blocks = []
        for block in sheet.blocks:
            if block.kind is not Kind.NORMAL:
                blocks.append(block)
                continue
            top, left, bottom, right = block.rect
            for row in range(top, bottom + 1):
                for col in range(left, right + 1):
                    text = shift(block.text, row - top, col - left) if (row, col) != (top, left) else block.text
                    blocks.append(Block(Rect(row, col, row, col), text))
        sheet.blocks = blocks
    return workbook


def same(a: Any, b: Any) -> bool:
    """Which of several errors a call shows when more than one argument has one is not compared here: tables do that."""
    if isinstance(a, dict) and isinstance(b, dict):
        return True
    if isinstance(a, bool) or isinstance(b, bool) or not (isinstance(a, int | float) and isinstance(b, int | float)):
        return bool(a == b and type(a) is type(b))
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)


def agree(workbook: Workbook, inputs: dict[str, Any] | None = None) -> None:
    """Fails when the three ways of computing a workbook give different cells."""
    formulas = {
        f"{sheet.name}!{range_name(*b.rect)}": f"{b.kind}: {b.text}" for sheet in workbook.sheets for b in sheet.blocks
    }
    whole = run(workbook, inputs)
    with mock.patch.object(writer, "schedule", by_demand):
        demanded = run(workbook, inputs)
    single = run(in_cells(workbook), inputs)
    for one in (whole, demanded, single):
        internal = [e for e in one.proof.errors if e["code"] not in ("circular_reference", "reference_wraps")]
        assert not internal, (formulas, internal)
    circular = {one.report["circular"] > 0 for one in (whole, demanded, single)}
    event("circular" if True in circular else "in order")
    if True in circular:  # which cells of a cycle are met first depends on the way
        assert circular == {True}, formulas
        return
    a, b, c = whole.cells(), demanded.cells(), single.cells()
    assert a.keys() == b.keys() == c.keys()
    different = {k: (a[k], b[k], c[k]) for k in a if not (same(a[k], b[k]) and same(b[k], c[k]))}
    assert not different, (formulas, different)


relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@relaxed
@given(workbooks())
def test_three_ways_agree(workbook: Workbook) -> None:
    agree(workbook)


@relaxed
@given(workbooks(), inputs_of())
def test_three_ways_agree_on_other_inputs(workbook: Workbook, inputs: dict[str, Any]) -> None:
    """Constants, empty cells and cells with formulas, set by the caller."""
    agree(workbook, inputs)
