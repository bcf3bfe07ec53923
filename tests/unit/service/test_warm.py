"""Calls in this process, one after another on what is kept, give what a run of the whole workbook gives."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheetrun.runtime.inputs import InputError
from sheetrun.service.local import Model
from sheetrun.service.scenarios import OWN
from sheetrun.service.warm import Warm
from sheetrun.workbook.model import Settings, Workbook
from tests.unit.compiler.grids import workbooks
from tests.unit.compiler.making import error, workbook_of
from tests.unit.compiler.test_lanes import VALUES, constants_of, formulas_of, same


def of(workbook: Workbook) -> Warm:
    """``Model.calculate`` without a sandbox for its first run."""
    from sheetrun.service.local import _in_process
    from sheetrun.service.recalculated import recalculated
    from sheetrun.service.rundata import run_input

    script = Model(Path("book.xlsx"), workbook, 0.0).script()
    return Warm(recalculated(workbook, _in_process(script, run_input(workbook, script).to_bytes())))


def in_one_run(workbook: Workbook, inputs: dict[str, Any], outputs: list[str]) -> dict[str, Any]:
    done = Model(Path("book.xlsx"), workbook, 0.0).run(inputs, sandboxed=False)
    return {name: done.get(name) for name in outputs}


def agree(workbook: Workbook, calls: list[dict[str, Any]], *outputs: str) -> None:
    warm = of(workbook)
    for inputs in calls:
        assert warm.calculate(inputs, outputs) == in_one_run(workbook, inputs, list(outputs)), inputs


BOOK = {
    "A1": 2.0,
    "A2": 3.0,
    "A3": "word",
    "B1:B9": "=A$1*ROW()+A$2",
    "C1": "=SUM(B1:B9)",
    "C2": "=C1/A2",
    "C3": '=IF(C1>100,"much",IF(A1=0,"none",C1))',
    "C4": '=A3&" "&TEXT(C1,"0.00")',
    "C5": "=IF(A2=0,0,ROUND(C1/A2,2))",
    "C6": "=MAX(B1:B9,C2)-MIN(0,C1)",
    "C7": "=NOT(A1>1)",
    "C8": "=IFERROR(C2,-1)",
    "C9": "=C5+C6",
    "D1": "=B1-A2",
    "D2:D9": "=D1*1.1+B2",
}


def test_numbers_texts_errors_and_numbers_again() -> None:
    calls: list[dict[str, Any]] = [{"A1": value, "A2": other} for value in (1, 50, -3.5) for other in (3, 0, 7)]
    calls += [{"A1": "text", "A2": 1}, {"A1": True, "A2": None}, {"A1": error("#N/A"), "A2": 2}, {"A1": 4, "A2": 5}]
    agree(workbook_of(BOOK), calls * 2, "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "D2:D9", "B1:B9")


def test_a_division_by_zero_now_and_then_leaves_the_rest_right() -> None:
    dice = random.Random(5)
    calls = [{"A2": dice.choice([0, 0.0, 1.5, 2, -1])} for _ in range(40)]
    agree(workbook_of(BOOK), calls, "C2", "C6", "C9", "D9")


def test_an_input_that_holds_a_formula() -> None:
    agree(workbook_of(BOOK), [{"B3": 5, "A1": 1}, {"B3": 7, "A1": 2}, {"B3": "x", "A1": 3}], "C1", "B3", "D5")


def test_what_can_not_be_computed_in_lanes() -> None:
    cells = {"A1": 3.0, "B1:B3": "#=SEQUENCE(A1)", "C1": "=SUM(B1#)", "D1": '=SUM(INDIRECT("B1:B"&A1))', "E1": "=A1+1"}
    agree(workbook_of(cells), [{"A1": n} for n in (1, 3, 2, 3)], "C1", "D1", "E1")


def test_precision_as_displayed() -> None:
    agree(
        workbook_of({"A1": 1.0, "B1": "=A1/3"}, settings=Settings(full_precision=False)), [{"A1": 1}, {"A1": 2}], "B1"
    )


def test_nothing_to_compute() -> None:
    book = workbook_of({"A1": 1.0, "B1": "=A1*2", "C1": "hello"})
    agree(book, [{}, {}], "B1", "C1", "D9")
    agree(book, [{"C1": "x"}, {"C1": 1}], "B1", "C1")


def test_the_clock_goes_on() -> None:
    warm = of(workbook_of({"A1": 1.0, "B1": "=NOW()*A1"}))
    first = warm.calculate({"A1": 1}, ["B1"])["B1"]
    assert warm.calculate({"A1": 1}, ["B1"])["B1"] >= first
    assert warm.calculate({"A1": 0}, ["B1"]) == {"B1": 0}


def test_two_workbooks_that_count_days_otherwise() -> None:
    cells = {"A1": 1.0, "B1": '=A1+"1/2/2026"', "C1": "=DATE(2026,1,A1)"}
    books = [workbook_of(cells, settings=Settings(date1904=late)) for late in (False, True)]
    warm = [of(book) for book in books]
    for n in (1, 2, 3, 4):
        for book, each in zip(books, warm, strict=True):
            assert each.calculate({"A1": n}, ["B1", "C1"]) == in_one_run(book, {"A1": n}, ["B1", "C1"])


def test_references_that_are_none() -> None:
    warm = of(workbook_of(BOOK))
    with pytest.raises(InputError, match="there is no sheet"):
        warm.calculate({"Nope!A1": 1}, ["C1"])
    with pytest.raises(InputError):
        warm.calculate({"A1": 1}, ["no such thing"])
    with pytest.raises(InputError, match="finite"):
        warm.calculate({"A1": float("nan")}, ["C1"])
    with pytest.raises(InputError, match="rows"):
        warm.calculate({"A1:A2": [[1, 2]]}, ["C1"])
    assert warm.calculate({"A1:A2": [[1], [2]]}, ["B1"]) == {"B1": 3}


def test_threads_take_turns() -> None:
    warm = of(workbook_of(BOOK))
    found: dict[int, Any] = {}

    def call(n: int) -> None:
        found[n] = [warm.calculate({"A1": n}, ["B9", "C1"]) for _ in range(20)]

    threads = [threading.Thread(target=call, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, answers in found.items():
        assert answers == [{"B9": 9 * n + 3, "C1": 45 * n + 27}] * 20


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(workbooks(), st.data())
def test_random_workbooks(workbook: Workbook, data: st.DataObject) -> None:
    cells, outputs = constants_of(workbook), formulas_of(workbook)
    if not cells or not outputs:
        return
    names = data.draw(st.lists(st.sampled_from(cells), min_size=1, max_size=2, unique=True))
    wanted = data.draw(st.lists(st.sampled_from(outputs), min_size=1, max_size=4, unique=True))
    warm = of(workbook)
    for _ in range(data.draw(st.integers(2, 4))):
        inputs = {name: value for name in names if not isinstance(value := data.draw(VALUES), type(OWN))}
        found, told = warm.calculate(inputs, wanted), in_one_run(workbook, inputs, wanted)
        for name in wanted:
            assert same([found[name]], [told[name]]), (name, inputs, found[name], told[name])
