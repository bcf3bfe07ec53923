"""The sample run: results by their labels, files for a look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sheetrun.client.session
from sheetrun.client import MockTransport, Response
from sheetrun.client.sample import highlights, labels, run_sample, value_table

from .service import Scripted, awaiting, job

WORKBOOK = Path(__file__).parents[3] / "examples" / "solar_farm.xlsx"


def test_labels_stand_to_the_left_of_the_summary() -> None:
    found = labels(WORKBOOK)
    assert found["Dashboard!B8"] == "Equity IRR"
    assert not any(reference.startswith("Debt!") for reference in found)


def test_without_a_summary_the_last_cells_are_shown() -> None:
    assert highlights({"A!A1": 1, "A!A2": 2}, {}, limit=1) == [("A!A2", "", 2)]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(154.00000000000003, "154"), (0.15593, "0.1559"), (32686.5447, "32,686.54"), (True, "TRUE"), ("OK", "OK")],
)
def test_values_are_shown_short(value: Any, shown: str) -> None:
    assert value_table([("S!B1", "Label", value)])[0].split() == ["Label", "S!B1", shown]


def test_the_sample_is_submitted_and_its_results_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = job("succeeded", urls={"results": {"report": "u", "values": "u"}})
    service = Scripted().on("POST service/v1/jobs", Response.of_json(202, awaiting()))
    service.on("POST store/uploads", Response(204)).on("GET service/v1/jobs/job_1", Response.of_json(200, done))
    values = {"cells": {"Dashboard!B8": 0.15593, "Debt!C1": 3}}
    service.on("GET service/v1/jobs/job_1/results/values", lambda _: Response.of_json(200, values))
    service.on("GET service/v1/jobs/job_1/results/report", lambda _: Response(200, {}, b"<html>"))
    monkeypatch.setattr(sheetrun.client.session, "HttpTransport", lambda: MockTransport(service))
    run_sample("http://service.test", "k", WORKBOOK, tmp_path)
    out = capsys.readouterr().out
    assert "Equity IRR  Dashboard!B8        0.1559" in out
    assert "Debt!C1" not in out
    assert (tmp_path / "model.report.html").read_bytes() == b"<html>"
    assert str(tmp_path / "model.report.html") in out
