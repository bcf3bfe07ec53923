"""``sheetrun models`` and ``calculate``: what is sent, and what a person sees."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sheetrun.client import Request, Response
from sheetrun.client.cli import main

from .service import Scripted, job, problem

ROUTE = "service/v1/models/job_1"
MODEL: dict[str, Any] = {
    "id": "job_1",
    "version": 2,
    "filename": "loan.xlsx",
    "date1904": False,
    "counts": {"inputs": 3, "outputs": 1},
    "inputs": [
        {
            "reference": "Inputs!B1",
            "name": "Rate",
            "label": "Rate",
            "type": "number",
            "value": 0.06,
            "format": "0%",
            "validation": {"kind": "decimal", "minimum": 0, "maximum": 1},
        },
        {"reference": "Data!A2:A40", "name": None, "label": None, "value": None, "shape": [39, 1]},
    ],
    "outputs": [{"reference": "Model!B1", "name": None, "label": "Payment", "value": 44.5}],
    "schema": {"type": "object"},
}


def last(service: Scripted) -> Request:
    return service.requests[-1]


def test_a_model_is_shown(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    service.on(f"GET {ROUTE}", lambda _: Response.of_json(200, MODEL))
    assert main(["models", "job_1", "--pin", "2"]) == 0
    assert last(service).url.endswith("?version=2")
    assert capsys.readouterr().out.splitlines() == [
        "loan.xlsx  version 2  job_1",
        "inputs:",
        "  Inputs!B1 (Rate)  0.06  Rate, at least 0, at most 1",
        "  Data!A2:A40       39x1",
        "  … and 1 more",
        "outputs:",
        "  Model!B1  44.5  Payment",
    ]
    assert main(["models", "job_1", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == {"type": "object"}
    assert main(["models", "job_1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == MODEL


def test_versions_and_what_changed(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    version = {"version": 1, "created_at": "2026-01-31", "state": "succeeded", "filename": "a.xlsx", "job": "job_1"}
    service.on(f"GET {ROUTE}/versions", lambda _: Response.of_json(200, {"versions": [version]}))
    assert main(["models", "job_1", "--versions"]) == 0
    assert capsys.readouterr().out == "  1  2026-01-31  succeeded  a.xlsx  job_1\n"
    found = {
        "from": 1,
        "to": 2,
        "counts": {"formulas": 1, "inputs": 1, "outputs": 2},
        "formulas": [{"cells": "M!B1", "from": "=A1", "to": None}],
        "inputs": [{"cell": "I!A1", "from": 0.06, "to": None}],
        "outputs": [
            {"reference": "M!C1", "from": 1, "to": {"error": "#N/A"}, "causes": ["M!B1"]},
            {"reference": "M!D1:D9", "from": [[1]], "to": [[2]], "causes": []},
        ],
    }
    service.on(f"GET {ROUTE}/diff", lambda _: Response.of_json(200, found))
    assert main(["models", "job_1", "--diff", "1..2"]) == 0
    assert last(service).url.endswith("?from=1&to=2")
    assert capsys.readouterr().out.splitlines() == [
        "version 1 to 2: 1 formula, 1 input, 2 outputs",
        "  M!B1  =A1 -> nothing",
        "  I!A1  0.06 -> ",
        "  M!C1  1 -> #N/A  because of M!B1",
        "  M!D1:D9  a range -> a range",
    ]
    assert main(["models", "job_1", "--diff", ".."]) == 0
    assert "?" not in last(service).url
    assert main(["models", "job_1", "--diff", "1-2"]) == 2


def test_a_model_is_called(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    error = {"cell": "Model!B5", "code": "unknown_function", "detail": "the function NOSUCH is not known"}
    answer = {"outputs": {"Model!B1": 44.5, "R": [[1], [2]]}, "duration_ms": 1, "errors": [error]}
    service.on(f"POST {ROUTE}/calculate", lambda _: Response.of_json(200, answer))
    assert main(["calculate", "job_1", "--set", "Rate=7%", "--get", "Model!B1", "--get", "R", "--seconds", "5"]) == 0
    assert last(service).json() == {"inputs": {"Rate": 0.07}, "outputs": ["Model!B1", "R"], "timeout_seconds": 5}
    told = capsys.readouterr()
    assert told.out == "44.5\n1\n2\n"
    assert "Model!B5: the function NOSUCH is not known" in told.err
    assert main(["calculate", "job_1", "--pin", "1", "--loose"]) == 0
    assert last(service).json() == {"inputs": {}, "version": 1, "strict": False}
    assert capsys.readouterr().out == "Model!B1  44.5\nR  1\nR  2\n"


def test_dates_are_set_as_the_workbook_counts_them(service: Scripted) -> None:
    service.on(f"GET {ROUTE}", lambda _: Response.of_json(200, {**MODEL, "date1904": True}))
    service.on(f"POST {ROUTE}/calculate", lambda _: Response.of_json(200, {"outputs": {}, "duration_ms": 1}))
    assert main(["calculate", "job_1", "--set", "A1=1904-01-02"]) == 0
    assert last(service).json()["inputs"] == {"A1": 1}


def test_how_an_output_came_about(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    steps = [
        {"cell": "Inputs!B1", "value": 0.07, "formula": None, "label": "Rate"},
        {"cell": "M!A1:A3", "value": None, "formula": None, "label": None},
        {"cell": "Model!B1", "value": 44.5, "formula": "=Inputs!B1*2", "label": "Payment"},
    ]
    answer = {"outputs": {"Model!B1": 44.5}, "explain": {"Model!B1": {"steps": steps, "complete": False}}}
    service.on(f"POST {ROUTE}/calculate", lambda _: Response.of_json(200, answer))
    assert main(["calculate", "job_1", "--explain", "Model!B1"]) == 0
    assert last(service).json()["explain"] == ["Model!B1"]
    assert capsys.readouterr().out.splitlines() == [
        "Inputs!B1  0.07  Rate",
        "M!A1:A3",
        "Model!B1   44.5  =Inputs!B1*2",
        "… and more: the chain is too long to tell whole",
    ]


def test_a_goal_is_sought(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    found = {"input": {"value": 0.0712}, "output": {"value": 100}, "evaluations": 9}
    service.on(
        f"POST {ROUTE}/goal-seek", lambda _: Response.of_json(200, found), problem(422, "no_solution", "none was found")
    )
    words = ["calculate", "job_1", "--goal", "NPV=100", "--by", "Rate", "--between", "0", "1"]
    assert main(words) == 0
    assert last(service).json() == {"inputs": {}, "output": "NPV", "target": 100, "input": "Rate", "bounds": [0, 1]}
    assert capsys.readouterr().out == "0.0712\n"
    assert main(words) == 1
    assert "none was found" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--by", "A1"],
        ["--goal", "A1=2"],
        ["--goal", "A1=x", "--by", "A2"],
        ["--goal", "A1=1", "--by", "B", "--get", "C"],
    ],
)
def test_what_cannot_go_together(service: Scripted, words: list[str]) -> None:
    assert main(["calculate", "job_1", *words]) == 2


def test_a_new_version_is_submitted(service: Scripted, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"PK")
    service.on("POST service/v1/jobs", lambda _: Response.of_json(202, job(model="job_0")))
    assert main(["submit", str(file), "--replaces", "job_0"]) == 0
    assert last(service).json()["replaces"] == "job_0"
    assert main(["submit", str(file), str(file), "--replaces", "job_0"]) == 2
