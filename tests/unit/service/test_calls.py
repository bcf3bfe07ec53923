"""Calls of models, computed for real: calculate, what it refuses, clocks, limits, versions and their difference."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sheetrun.sandbox.errors import Killed, ProtocolError, TimedOut
from sheetrun.sandbox.job import Result
from sheetrun.service import calling, calls
from sheetrun.service.web import calls as web_calls

from .called import JOBS, Called, here, loan, payment
from .files import File


def test_outputs_for_other_inputs(loans: Called) -> None:
    found = loans.calculate(inputs={"rate": 0.12, "Inputs!B2": 12}, outputs=["Model!B1", "Model!B10:B11", "Rate"])
    assert found["outputs"]["Model!B1"] == pytest.approx(payment(0.12, 12))
    assert found["outputs"]["Model!B10:B11"] == [[pytest.approx(1.2)], [pytest.approx(1.32)]]
    assert found["outputs"]["Rate"] == 0.12
    assert found["formulas"] == 5, "B1 and B10:B13: nothing else lies between"
    assert (found["model"], found["version"], found["overwritten"], found["errors"]) == (loans.id, 1, [], [])


def test_without_outputs_the_models_own_are_told(loans: Called) -> None:
    found = loans.calculate(inputs={"Inputs!B4": "free", "Inputs!B5": False, "Inputs!B6": "2024-02-01"})
    assert found["outputs"]["Model!B3"] == "free?"
    assert found["outputs"]["Model!B4"] == 2024
    assert found["outputs"]["Model!E1"] == 4
    assert set(found["outputs"]) == {"Model!B2", "Model!B3", "Model!B4", "Model!B5", "Model!E1", "Model!B14"}
    assert found["errors"] == [
        {"cell": "Model!B5", "code": "unknown_function", "detail": "the function NOSUCH is not known"}
    ]
    assert loans.calculate()["formulas"] == 0


def test_what_needs_no_computing_needs_no_sandbox(loans: Called) -> None:
    JOBS.clear()
    asked = ["Inputs!B4", "Inputs!A4:B5", "Model!E1", "Inputs!B2"]
    found = loans.calculate(inputs={"Inputs!B4": "new", "Inputs!B2": 7}, outputs=asked)["outputs"]
    assert found == {
        "Inputs!B4": "new",
        "Inputs!A4:B5": [["Kind", "new"], ["On", True]],
        "Model!E1": 4,
        "Inputs!B2": 7,
    }
    assert JOBS == []


def test_no_call_sees_another_ones_inputs(loans: Called) -> None:
    first = loans.calculate(outputs=["Model!B1"])["outputs"]["Model!B1"]
    loans.calculate(inputs={"Rate": 0.5, "Inputs!B4": "secret-of-this-call"}, outputs=["Model!B1", "Model!B3"])
    assert loans.calculate(outputs=["Model!B1"])["outputs"]["Model!B1"] == first == pytest.approx(payment(0.06))
    JOBS.clear()
    loans.calculate(inputs={"Rate": 0.1}, outputs=["Model!B1", "Model!B3"])
    assert b"secret-of-this-call" not in JOBS[-1].payload


def test_only_what_is_needed_goes_into_the_sandbox(loans: Called) -> None:
    JOBS.clear()
    loans.calculate(inputs={"Rate": 0.1}, outputs=["Model!B14"])
    assert "PMT" not in JOBS[-1].script
    assert b"fixed" not in JOBS[-1].payload, "a text that no formula on the way reads"


def test_inputs_are_checked_all_at_once(loans: Called) -> None:
    wrong = {
        "Inputs!Z1:Z2": [[1]],
        "Nowhere!A1": 1,
        "Inputs!B2": "many",
        "Inputs!B4": 3,
        "Inputs!B5": 1,
        "Rate": 2,
        "Model!B1": 5,
        "Inputs!B3": True,
        "Inputs!B6": "soon",
    }
    assert loans.refused(inputs=wrong, outputs=["Nothing"]) == {
        "Inputs!Z1:Z2": "wrong_shape",
        "Nowhere!A1": "unknown_sheet",
        "Inputs!B2": "wrong_type",
        "Inputs!B4": "wrong_type",
        "Inputs!B5": "wrong_type",
        "Rate": "not_allowed",
        "Model!B1": "formula_cell",
        "Inputs!B3": "wrong_type",
        "Inputs!B6": "wrong_type",
        "Nothing": "unknown_name",
    }
    assert loans.refused(inputs={"Rate": 0.1, "Inputs!B1": 0.2}) == {"Inputs!B1": "set_twice"}


def test_not_strict_anything_goes_and_says_so(loans: Called) -> None:
    found = loans.calculate(inputs={"Model!B1": 100, "Rate": 2}, outputs=["Model!B2", "Model!B14"], strict=False)
    assert found["outputs"] == {"Model!B2": 1400, "Model!B14": 92}
    assert found["overwritten"] == ["Model!B1"]
    assert loans.calculate(inputs={"Inputs!B2": "x"}, outputs=["Model!B1"], strict=False)["outputs"] == {
        "Model!B1": {"error": "#VALUE!"}
    }


def test_null_empties_and_errors_travel(loans: Called) -> None:
    assert loans.calculate(inputs={"Rate": None}, outputs=["Model!B14"])["outputs"] == {"Model!B14": 0}
    found = loans.calculate(inputs={"Rate": {"error": "#N/A"}}, outputs=["Model!B14"])
    assert found["outputs"] == {"Model!B14": {"error": "#N/A"}}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"input": {}}, "input"),
        ({"inputs": []}, "inputs"),
        ({"inputs": {"A1": {"a": 1}}}, "inputs.A1"),
        ({"outputs": []}, "outputs"),
        ({"explain": [1]}, "explain"),
        ({"strict": 1}, "strict"),
        ({"timeout_seconds": 26}, "timeout_seconds"),
        ({"version": 0}, "version"),
    ],
)
def test_a_body_that_does_not_validate(loans: Called, body: dict[str, Any], where: str) -> None:
    problem = loans.post("calculate", status=422, **body)
    assert [error["path"] for error in problem["errors"]] == [where]


def test_what_is_no_json_and_no_model(loans: Called) -> None:
    assert loans.bench.call("POST", f"/v1/models/{loans.id}/calculate", "{")[0] == 400
    assert loans.bench.call("POST", "/v1/models/none/calculate", {})[0] == 404
    status, _, problem = loans.bench.call("POST", f"/v1/models/{loans.id}/calculate", {"version": 2})
    assert (status, problem["code"]) == (404, "no_such_version")


def test_reading_a_model_is_cut_off_when_the_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = Called(loan(tmp_path))

    def slow(_: Any) -> Any:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            pass

    monkeypatch.setattr(calling, "load", slow)
    called.bench.clock.monotonic = time.monotonic  # type: ignore[method-assign]
    called.bench.with_calls(here)
    problem = called.post("calculate", status=504, timeout_seconds=1)
    assert problem["code"] == "time_limit"


def test_an_answer_that_no_gateway_lets_through(loans: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_calls, "_MOST", 100)
    assert loans.post("calculate", status=422)["code"] == "answer_too_large"


def test_without_names_only_what_fits_is_told(loans: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "TOLD", 2)
    assert len(loans.calculate()["outputs"]) == 2


def test_versions_and_their_difference(tmp_path: Path) -> None:
    called = Called(loan(tmp_path))
    called.add(loan(tmp_path, factor=4, rate=0.08), replaces=called.id)
    assert called.calculate(outputs=["Inputs!B1"])["outputs"]["Inputs!B1"] == 0.08
    assert called.calculate(outputs=["Inputs!B1"], version=1)["outputs"]["Inputs!B1"] == 0.06
    status, _, found = called.bench.call("GET", f"/v1/models/{called.id}/diff")
    assert status == 200
    Draft202012Validator({"$ref": "#/components/schemas/Difference", "components": called.schemas}).validate(found)
    assert (found["from"], found["to"]) == (1, 2)
    assert found["formulas"] == [
        {
            "cells": "Model!B1",
            "change": "changed",
            "from": "=-PMT(Inputs!B1/12,Inputs!B2,Inputs!B3)",
            "to": "=-PMT(Inputs!B1/4,Inputs!B2,Inputs!B3)",
        }
    ]
    assert found["inputs"] == [{"cell": "Inputs!B1", "change": "changed", "from": 0.06, "to": 0.08}]
    outputs = {each["reference"]: each for each in found["outputs"]}
    assert set(outputs) == {"Model!B2", "Model!B14"}
    assert outputs["Model!B2"]["causes"] == ["Model!B1", "Inputs!B1"]
    assert outputs["Model!B14"]["causes"] == ["Inputs!B1"]
    assert outputs["Model!B14"]["label"] is None or isinstance(outputs["Model!B14"]["label"], str)
    same = called.bench.call("GET", f"/v1/models/{called.id}/diff", query={"from": "2", "to": "2"})[2]
    assert same["counts"] == {"formulas": 0, "inputs": 0, "outputs": 0}


def test_a_job_with_inputs_makes_a_model_that_starts_from_them(tmp_path: Path) -> None:
    called = Called(loan(tmp_path), inputs={"Rate": 0.12, "Model!D1": 10})
    found = called.calculate(inputs={"Inputs!B2": 12}, outputs=["Model!B1", "Model!E1"])["outputs"]
    assert found == {"Model!B1": pytest.approx(payment(0.12, 12)), "Model!E1": 20}


def test_what_the_clock_and_chance_say_is_new_in_each_call(tmp_path: Path) -> None:
    file = File(tmp_path / "v.xlsx")
    file.sheet("S", {"A1": 1, "B1": "=RAND()+A1", "B2": "=B1*1", "B3": '=INDIRECT("A"&A1)'})
    file.book.close()
    called = Called(file.path.read_bytes())
    seeds = iter(range(100))
    called.bench.engine.seed = lambda: next(seeds)
    found = [called.calculate(outputs=["S!B2"])["outputs"]["S!B2"] for _ in range(2)]
    assert found[0] != found[1]
    assert called.calculate(inputs={"S!A1": 1}, outputs=["S!B3"])["outputs"]["S!B3"] == 1


def test_tables_and_spills_are_computed_whole(tmp_path: Path) -> None:
    file = File(tmp_path / "s.xlsx")
    file.sheet("S", {"A1": 3, "C1:C3": "#=SEQUENCE(A1)", "E1": "=SUM(C1:C3)", "F1": "=COUNT(C:C)"}, {"C1:C3": 1})
    file.book.close()
    called = Called(file.path.read_bytes())
    found = called.calculate(inputs={"S!A1": 2}, outputs=["S!E1", "S!C1:C3"])["outputs"]
    assert found == {"S!E1": 3, "S!C1:C3": [[1], [2], [None]]}


def raising(error: Exception) -> Callable[..., Result]:
    def run(*_: Any, **__: Any) -> Result:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (TimedOut("wall", 1.0), 504, "time_limit"),
        (Killed(31), 422, "killed"),
        (ProtocolError("gone"), 503, "dependency_unavailable"),
    ],
)
def test_what_a_sandbox_says_becomes_an_answer(tmp_path: Path, error: Exception, status: int, code: str) -> None:
    called = Called(loan(tmp_path))
    called.bench.engine.run = raising(error)
    problem = called.post("calculate", status=status, inputs={"Rate": 0.1}, timeout_seconds=1)
    assert problem["code"] == code


def test_calls_are_metered_in_a_bucket_of_their_own(tmp_path: Path) -> None:
    called = Called(loan(tmp_path))
    called.bench.table.set_limits("acme", {"calls_per_minute": 2})
    called.bench.clock.advance(60)
    status, headers, _ = called.bench.call("POST", f"/v1/models/{called.id}/calculate", {"outputs": ["Model!B1"]})
    assert (status, headers["ratelimit-policy"]) == (200, '"calls";q=2;w=60')
    called.bench.call("POST", f"/v1/models/{called.id}/calculate", {"outputs": ["Model!B1"]})
    status, headers, problem = called.bench.call("POST", f"/v1/models/{called.id}/calculate", {})
    assert (status, problem["code"]) == (429, "quota_exceeded")
    assert int(headers["retry-after"]) >= 1
    assert called.bench.call("GET", f"/v1/models/{called.id}")[0] == 200


def test_tokens_of_a_large_bucket_are_taken_several_at_a_time(tmp_path: Path) -> None:
    called = Called(loan(tmp_path))
    taken: list[int] = []
    take = called.bench.table.take

    def counted(*arguments: Any, cost: int = 1) -> Any:
        taken.append(cost)
        return take(*arguments, cost=cost)

    called.bench.table.take = counted  # type: ignore[method-assign]
    remaining = []
    for _ in range(12):
        _, headers, _ = called.bench.call("POST", f"/v1/models/{called.id}/calculate", {"outputs": ["Model!B1"]})
        remaining.append(headers["ratelimit"].split(";")[1])
    assert taken == [10, 10]
    assert remaining == [f"r={5999 - n}" for n in range(12)]
    called.bench.clock.advance(6)
    called.calculate(outputs=["Model!B1"])
    assert taken == [10, 10, 10], "what was not used in time is lost"


def test_models_are_forgotten_when_they_are_too_many(tmp_path: Path) -> None:
    called = Called(loan(tmp_path))
    called.bench.engine.cache = 1
    first = called.bench.engine
    called.calculate(outputs=["Model!B1"])
    other = called.add(loan(tmp_path))
    called.id, kept = other, called.id
    called.calculate(outputs=["Model!B1"])
    assert [key[0] for key in first._models] == [other]
    called.id = kept
    called.calculate(outputs=["Model!B1"])
    assert [key[0] for key in first._models] == [kept]


def test_a_model_of_another_version_of_the_service_says_so(tmp_path: Path) -> None:
    called = Called(loan(tmp_path))
    job = called.bench.table.get(called.id)
    assert job is not None
    called.bench.blobs.put(job.artefacts["computed"], b"SHRB\x00\x01" + b"\0" * 30, content_type="x")
    assert called.post("calculate", status=404)["code"] == "no_model"
