"""A call, which computes only what its inputs reach, gives what a run of the whole workbook gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sheetrun.compiler.growth import grows
from sheetrun.compiler.plan import Plan
from sheetrun.formula.a1 import range_name
from sheetrun.runtime.calls import run_calls
from sheetrun.sandbox.allowlist import check
from sheetrun.sandbox.job import Job, Result
from sheetrun.service.calling import Engine, LoadedModel
from sheetrun.service.fakes import MemoryBlobs
from sheetrun.service.interface import Interface, Ports
from sheetrun.service.local import Run
from sheetrun.service.recalculated import recalculated
from sheetrun.service.rundata import set_cells
from sheetrun.workbook.model import Rect, Workbook

from .grids import inputs_of, workbooks
from .making import run, workbook_of
from .test_equivalence import same


def in_process(job: Job, *_: Any, **__: Any) -> Result:
    assert job.policy is not None
    check(job.script, job.policy)
    namespace: dict[str, Any] = {"__name__": "model", "__file__": "model.py"}
    exec(compile(job.script, "model.py", "exec"), namespace)
    return Result(run_calls(namespace, job.payload), b"", b"", 0.0, 0.0, 0, (), {})


def loaded(workbook: Workbook, before: Run | None = None) -> LoadedModel:
    computed = recalculated(workbook, (before or run(workbook))._output)
    return LoadedModel(Plan.of(computed), Interface(computed, Ports()), {}, 0)


def engine() -> Engine:
    return Engine(MemoryBlobs(), in_process, memory=2**30, cache=2**30)


def called(
    workbook: Workbook, inputs: dict[str, Any], places: list[tuple[int, Rect]], before: Run | None = None
) -> dict[str, Any]:
    """Values by address, of cells."""
    model = loaded(workbook, before)
    cells = {
        (sheet, rect.top, rect.left): (value,)
        for name, given in inputs.items()
        for sheet, rect, value in set_cells(workbook, name, given)
    }
    answered = engine().call(model, cells, places, seconds=10)
    found = {}
    for k, (sheet, rect) in enumerate(places):
        found[f"{workbook.sheets[sheet].name}!{range_name(*rect)}"] = answered.value(k)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(workbooks(), inputs_of(), st.data())
def test_a_call_is_a_run(workbook: Workbook, inputs: dict[str, Any], data: st.DataObject) -> None:
    before, whole = run(workbook), run(workbook, inputs)
    if whole.report["circular"] or before.report["circular"]:
        event("circular")  # what a cycle begins with is the value before
        return
    formulas = [
        (s, Rect(r, c, r, c))
        for s, sheet in enumerate(workbook.sheets)
        for block in sheet.blocks
        for r in range(block.rect.top, block.rect.bottom + 1)
        for c in range(block.rect.left, block.rect.right + 1)
    ]
    if not formulas:
        return
    places = data.draw(st.lists(st.sampled_from(formulas), min_size=1, max_size=4, unique=True))
    expected = {f"{workbook.sheets[s].name}!{range_name(*r)}": None for s, r in places}
    expected = {name: whole.get(name) for name in expected}
    found = called(workbook, inputs, places, before)
    different = {name: (found[name], value) for name, value in expected.items() if not same(found[name], value)}
    assert not different, ([(b.rect, b.text) for sheet in workbook.sheets for b in sheet.blocks], inputs, different)


def test_what_if_tables_are_computed_with_what_they_tabulate() -> None:
    workbook = workbook_of({"A1": 2, "B1": "=A1*10", "D1": "=B1", "C2": 1, "C3": 3})
    answer = called(workbook, {"A1": 4}, [(0, Rect(0, 3, 0, 3))])
    assert answer == {"Sheet1!D1": 40}


def test_cells_that_a_dynamic_array_comes_to_fill_are_computed_and_read() -> None:
    cells = {"A1": 2, "B1": "=C4*10", "B2": "=SUM(C3:C9)", "B3": "=B1+B2", "C1:C2": "#=SEQUENCE(A1)", "E1": "=D2"}
    workbook = workbook_of(cells)
    places = [(0, Rect(2, 1, 2, 1)), (0, Rect(4, 2, 4, 2)), (0, Rect(0, 4, 0, 4))]
    answers = [called(workbook, {"A1": rows}, places) for rows in (4, 2, 5)]
    assert [list(answer.values()) for answer in answers] == [[47, None, 0], [0, None, 0], [52, 5, 0]]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("SUM(A1:A9*2)", False),
        ("MAX(IF(A1:A9>0,B1:B9))+1", False),
        ("IF(A1,SUM(B1:B9),-B2%)", False),
        ("ROUND(A1,B1)", False),
        ("ROUND(A1:A9,1)", True),
        ("A1:A9", True),
        ("SUMIF(A1:A9,B1:B3,C1:C9)", True),
        ("INDEX(A1:B9,A1,B1)", True),
        ("LET(x,A1,x)", True),
        ("IF(A1,B1:B9,2)", True),
        ("SEQUENCE(A1)", True),
    ],
)
def test_what_may_take_another_size(formula: str, expected: bool) -> None:
    plan = Plan.of(workbook_of({"D1": f"#={formula}"}))
    assert [grows(unit) for unit in plan.units] == [expected]


def test_many_cases_in_one_call() -> None:
    workbook = workbook_of({"A1": 2, "A2": 5, "B1": "=A1*A2"})
    answered = engine().call(
        loaded(workbook), {(0, 0, 0): (1.0, 2.0, "x")}, [(0, Rect(0, 1, 0, 1))], seconds=10, cases=3
    )
    assert [answered.value(0, case) for case in range(3)] == [5, 10, {"error": "#VALUE!"}]
    assert answered.num.shape == (1, 3)
    assert isinstance(answered.num, np.ndarray)


def test_scripts_are_kept_and_the_oldest_go() -> None:
    workbook = workbook_of({f"A{row}": row for row in range(1, 60)} | {"B1": "=SUM(A1:A59)"})
    model = loaded(workbook)
    one = engine()
    for row in range(40):
        one.call(model, {(0, row, 0): (0.0,)}, [(0, Rect(0, 1, 0, 1))], seconds=10)
    assert len(model.scripts) == 32
