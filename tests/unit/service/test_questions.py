"""What else a model may be asked than to calculate: to explain, to seek a goal, tables of data, many cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sheetrun.sandbox.errors import Crashed
from sheetrun.sandbox.job import Job, Result
from sheetrun.service.calling import ENTRY, LANES

from .called import JOBS, Called, here, loan, payment
from .files import File


def test_explain_tells_the_way_from_the_inputs(loans: Called) -> None:
    found = loans.calculate(inputs={"Rate": 0.12}, outputs=["Model!B2"], explain=True)["explain"]["Model!B2"]
    steps = {step["cell"]: step for step in found["steps"]}
    assert list(steps)[-1] == "Model!B2"
    assert steps["Inputs!B1"] == {
        "cell": "Inputs!B1",
        "label": "Rate",
        "formula": None,
        "value": 0.12,
        "input": True,
        "reads": [],
    }
    assert steps["Model!B1"]["formula"] == "=-PMT(Inputs!B1/12,Inputs!B2,Inputs!B3)"
    assert steps["Model!B1"]["value"] == pytest.approx(payment(0.12))
    assert set(steps["Model!B2"]["reads"]) == {"Model!B1", "Inputs!B2", "Inputs!B3"}
    assert found["complete"]
    order = list(steps)
    assert all(order.index(read) < order.index(cell) for cell, step in steps.items() for read in step["reads"])


def test_explain_of_ranges_and_of_what_no_input_reaches(loans: Called) -> None:
    found = loans.calculate(inputs={"Rate": 0.5}, outputs=["Model!B14"], explain=["Model!B14", "Model!E1"])["explain"]
    steps = {step["cell"]: step for step in found["Model!B14"]["steps"]}
    assert steps["Model!B10:B13"]["formula"] == "=A10*Inputs!$B$1"
    assert steps["Model!B10:B13"]["value"] == [[5], [5.5], [6], [6.5]]
    assert [step["cell"] for step in found["Model!E1"]["steps"]] == ["Model!E1"], "nothing of it was computed again"
    alone = loans.calculate(outputs=["Model!E1"], explain=True)["explain"]["Model!E1"]["steps"]
    assert [(step["cell"], step["formula"], step["value"]) for step in alone] == [
        ("Model!D1", "=1+1", 2),
        ("Model!E1", "=D1*2", 4),
    ]
    assert loans.refused(explain=["Model!B10:B13"]) == {"Model!B10:B13": "not_a_cell"}


def test_goal_seek(loans: Called) -> None:
    goal = {"output": "Model!B1", "target": 50, "input": "Inputs!B3"}
    found = loans.post("goal-seek", "Sought", **goal)
    assert found["input"]["value"] == pytest.approx(50 / payment(0.06, amount=1))
    assert found["output"]["value"] == pytest.approx(50)
    found = loans.post("goal-seek", "Sought", **{**goal, "input": "Rate", "target": 46}, bounds=[1, 0.001])
    assert payment(found["input"]["value"]) == pytest.approx(46)
    other = loans.post("goal-seek", "Sought", **{**goal, "inputs": {"Inputs!B2": 12}})
    assert other["input"]["value"] == pytest.approx(50 / payment(0.06, 12, 1))


def test_a_goal_that_cannot_be_reached(loans: Called) -> None:
    problem = loans.post(
        "goal-seek", status=422, output="Model!B1", target=1, input="Rate", bounds=[0.01, 0.5], timeout_seconds=20
    )
    assert problem["code"] == "no_solution"
    assert problem["closest"]["input"] == 0.01
    jump = loans.post(
        "goal-seek", status=422, output="Model!B4", target=2000.5, input="Inputs!B6", bounds=[30000, 40000]
    )
    assert "jumps" in jump["detail"]
    point = loans.post("goal-seek", status=422, output="Model!B1", target=1, input="Rate", bounds=[0.5, 0.5])
    assert point["closest"]["input"] == 0.5
    text = loans.post("goal-seek", status=422, output="Model!B3", target=1, input="Rate", bounds=[0, 1])
    assert (text["code"], text["closest"]) == ("no_solution", None)
    assert loans.refused("goal-seek", output="Model!B1", target=1, input="Model!B2") == {"Model!B2": "formula_cell"}
    assert loans.refused("goal-seek", output="Model!B10:B12", target=1, input="Nope") == {
        "Model!B10:B12": "not_a_cell",
        "Nope": "unknown_name",
    }
    assert loans.refused("goal-seek", target="x", bounds=[2]) == {
        "output": "required",
        "input": "required",
        "target": "type",
        "bounds": "type",
    }


def test_data_tables(loans: Called) -> None:
    one = loans.post("data-table", "Tables", row={"Rate": [0.06, 0.12]}, outputs=["Model!B1", "Model!B14"])
    assert one["tables"]["Model!B1"] == [[pytest.approx(payment(0.06)), pytest.approx(payment(0.12))]]
    assert one["tables"]["Model!B14"] == [[pytest.approx(2.76), pytest.approx(5.52)]]
    assert (one["row"], one["column"]) == ({"reference": "Rate", "values": [0.06, 0.12]}, None)
    two = loans.post(
        "data-table", "Tables", row={"Rate": [0.06, 0.12]}, column={"Inputs!B2": [12, 24, 36]}, outputs=["Model!B1"]
    )
    wanted = [[pytest.approx(payment(r, n)) for r in (0.06, 0.12)] for n in (12, 24, 36)]
    assert two["tables"] == {"Model!B1": wanted}


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"row": {"Rate": [0.1, 3]}, "outputs": ["Model!B1"]}, {"Rate": "not_allowed"}),
        ({"row": {"Rate": [0.1]}, "column": {"Inputs!B1": [1]}, "outputs": ["Model!B1"]}, {"Rate": "set_twice"}),
        ({"row": {"Rate": [0.1]}, "outputs": ["Model!B1:B2"]}, {"Model!B1:B2": "not_a_cell"}),
        ({"row": {"Rate": []}, "outputs": ["Model!B1"]}, {"row.Rate": "length"}),
        ({"row": {"Rate": [[1]]}, "outputs": ["Model!B1"]}, {"row.Rate": "type"}),
        ({"row": {}, "outputs": ["Model!B1"]}, {"row": "type"}),
        ({"outputs": ["Model!B1"]}, {"row": "required"}),
        ({"row": {"Rate": [0.1]}}, {"outputs": "required"}),
        ({"row": {"Rate": [0.1] * 200}, "column": {"A1": [1] * 60}, "outputs": ["A2"]}, {"row": "too_many"}),
    ],
)
def test_data_tables_that_do_not_fit(loans: Called, body: dict[str, Any], faults: dict[str, str]) -> None:
    assert loans.refused("data-table", **body) == faults


def test_many_cases_are_computed_at_once_and_come_to_the_same(loans: Called) -> None:
    rates = [n / 100 for n in range(1, 41)]
    JOBS.clear()
    many = loans.post(
        "data-table",
        "Tables",
        row={"Rate": rates},
        column={"Inputs!B4": ["a", "b"]},
        outputs=["Model!B1", "Model!B3", "Model!B14", "Model!E1"],
    )["tables"]
    assert JOBS[-1].entry == LANES
    assert many["Model!B1"] == [[pytest.approx(payment(rate)) for rate in rates]] * 2
    assert many["Model!B3"] == [["a!"] * 40, ["b!"] * 40]
    assert many["Model!E1"] == [[4] * 40] * 2
    one = loans.calculate(inputs={"Rate": 0.07}, outputs=["Model!B14"])["outputs"]["Model!B14"]
    assert many["Model!B14"][0][6] == pytest.approx(one)


def test_what_can_only_be_computed_case_by_case_is(tmp_path: Path) -> None:
    file = File(tmp_path / "s.xlsx")
    file.sheet("S", {"A1": 1, "B1": 5, "B2": 6, "C1": '=INDIRECT("B"&A1)', "D1": "=SUM(B1:B2)*A1"})
    file.book.close()
    called = Called(file.path.read_bytes())
    values = [1, 2] * 5
    found = called.post("data-table", "Tables", row={"S!A1": values}, outputs=["S!C1", "S!D1"])["tables"]
    assert found == {"S!C1": [[5, 6] * 5], "S!D1": [[11, 22] * 5]}
    assert JOBS[-1].entry == ENTRY


def test_lanes_that_crash_are_computed_in_turn(tmp_path: Path) -> None:
    called = Called(loan(tmp_path))

    def crashing(job: Job, limits: Any, **options: Any) -> Result:
        if job.entry == LANES:
            raise Crashed(1, "", "Varies: a cell", 3)
        return here(job, limits, **options)

    called.bench.engine.run = crashing
    rates = [n / 100 for n in range(1, 11)]
    found = called.post("data-table", "Tables", row={"Rate": rates}, outputs=["Model!B1"])["tables"]
    assert found["Model!B1"] == [[pytest.approx(payment(rate)) for rate in rates]]
