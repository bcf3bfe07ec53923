"""Commands about jobs of a service: submit, status, events, cancel, fetch, and how its refusals are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheetrun.client import Request, Response
from sheetrun.client.cli import main

from .engine import REPORT
from .service import STORE, Scripted, awaiting, job, problem


def test_submit_prints_an_id_a_line(service: Scripted, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.xlsx"
    path.write_bytes(b"PK")
    asked: list[Request] = []

    def create(request: Request) -> Response:
        asked.append(request)
        return Response.of_json(202, awaiting())

    service.on("POST service/v1/jobs", create).on("POST store/uploads", Response(204))
    words = ["submit", str(path), str(path), "--set", "A=1", "--get", "B", "--priority", "low", "--meta", "team=x=y"]
    assert main(words) == 0
    assert capsys.readouterr().out == "job_1\njob_1\n"
    body = asked[0].json()
    assert (body["inputs"], body["outputs"], body["metadata"]) == ({"A": 1}, ["B"], {"team": "x=y"})
    assert asked[0].headers["x-api-key"] == "key-1"


def test_submit_and_wait_tells_the_end(service: Scripted, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.xlsx"
    path.write_bytes(b"PK")
    service.on("POST service/v1/jobs", Response.of_json(202, awaiting())).on("POST store/uploads", Response(204))
    service.on(
        "GET service/v1/jobs/job_1",
        Response.of_json(200, job("parsing", progress={"stage": "parsing", "percent": 33.3, "message": "Reading."})),
        Response.of_json(200, job("succeeded", report=REPORT)),
    )
    assert main(["submit", str(path), "--wait"]) == 0
    out, err = capsys.readouterr()
    assert out == "model.xlsx  succeeded  1,204 formulas, all 1,190 as in Excel, 3 ms  job_1\n"
    assert "model.xlsx: parsing: Reading.\n" in err
    assert "\r" not in err
    failed = {"code": "no_formulas", "title": "", "detail": "there is nothing to compile", "stage": "parsing"}
    service.on("POST service/v1/jobs", Response.of_json(202, awaiting()))
    service.on("GET service/v1/jobs/job_1", Response.of_json(200, job("failed", error=failed)))
    assert main(["submit", str(path), "--wait"]) == 1
    assert "failed  there is nothing to compile [no_formulas]" in capsys.readouterr().out


def test_submit_and_wait_prints_what_was_asked_for_alone(
    service: Scripted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.xlsx"
    path.write_bytes(b"PK")
    service.on("POST service/v1/jobs", Response.of_json(202, awaiting())).on("POST store/uploads", Response(204))
    changed = {**REPORT, "inputs_changed": True, "matched": 3}
    done = job("succeeded", report=changed, urls={"results": {"values": "http://service/v1/jobs/job_1/results/values"}})
    service.on("GET service/v1/jobs/job_1", Response.of_json(200, done))
    cells = {"cells": {"IRR": 0.1, "A1:A2": [[1], ["x"]]}}
    service.on("GET service/v1/jobs/job_1/results/values", Response.of_json(200, cells))
    assert main(["submit", str(path), "--set", "B2=1", "--get", "IRR", "--get", "A1:A2", "--wait"]) == 0
    out, err = capsys.readouterr()
    assert out == "0.1\n1\nx\n"
    assert "model.xlsx  succeeded  1,204 formulas, 3 ms  job_1\n" in err


def test_status_tells_the_story_and_lists(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    stamps = {"succeeded": "2026-01-31T09:00:02.000Z", "queued": "2026-01-31T09:00:01.000Z"}
    urls = {"results": {"values": "u", "script": "u"}}
    service.on(
        "GET service/v1/jobs/job_1", lambda _: Response.of_json(200, job("succeeded", timestamps=stamps, urls=urls))
    )
    assert main(["status", "job_1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "model.xlsx  succeeded  job_1",
        "  2026-01-31T09:00:01.000Z  queued",
        "  2026-01-31T09:00:02.000Z  succeeded",
        "  results: script, values",
        "  kept until 2026-01-31 09:30 UTC",
    ]
    service.on("GET service/v1/jobs", Response.of_json(200, {"jobs": [job(), job("failed")], "after": None}))
    assert main(["status", "--limit", "1"]) == 0
    assert capsys.readouterr().out == "model.xlsx  queued  0 %  job_1\n"


def test_events_and_cancel(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    event = {"id": 1, "type": "job.queued", "at": "2026-01-31T09:00:01.000Z", "data": {"size": 4}}
    service.on("GET service/v1/jobs/job_1/events", Response.of_json(200, {"events": [event], "next": 1}))
    service.on(
        "GET service/v1/jobs/job_1/events",
        Response.of_json(200, {"events": [event], "next": 1}),
        Response.of_json(200, {"events": []}),
    )
    assert main(["events", "job_1", "--no-follow"]) == 0
    assert capsys.readouterr().out == "   1  2026-01-31T09:00:01.000Z  job.queued  size=4\n"
    service.on("POST service/v1/jobs/job_1/cancel", Response.of_json(202, job("cancelled")))
    service.on("POST service/v1/jobs/job_2/cancel", problem(409, "already_ended", "the job has ended"))
    assert main(["cancel", "job_2", "job_1"]) == 1
    out, err = capsys.readouterr()
    assert out == "job_1  cancelled\n"
    assert "job_2: the job has ended" in err


def test_fetch_names_files_after_the_workbook_and_stays_in_its_folder(
    service: Scripted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["values", "workbook", "script", "plots/a.png", "../../evil"]
    document = job("succeeded", filename="../x/my.model.xlsm", urls={"results": dict.fromkeys(names, "u")})
    service.on("GET service/v1/jobs/job_1", lambda _: Response.of_json(200, document))
    for name in names:
        location = {"Location": f"{STORE}/{name.replace('/', '-')}"}
        service.on(f"GET service/v1/jobs/job_1/results/{name}", lambda _, h=location: Response(302, h))
        service.on(f"GET store/uploads/{name.replace('/', '-')}", lambda _, n=name: Response(200, {}, n.encode()))
    folder = tmp_path / "out"
    assert main(["fetch", "job_1", "-o", str(folder)]) == 0
    found = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {
        "out/my.model.values.json": "values",
        "out/my.model.recalculated.xlsm": "workbook",
        "out/my.model.py": "script",
        "out/my.model.files/plots/a.png": "plots/a.png",
        "out/my.model.files/evil": "../../evil",
    }
    assert main(["fetch", "job_1", "script", "-o", str(tmp_path / "one.py")]) == 0
    assert (tmp_path / "one.py").read_text() == "script"
    capsys.readouterr()
    assert main(["fetch", "job_1", "script", "-o", "-"]) == 0
    assert capsys.readouterr().out == "script"


def test_fetch_of_a_job_without_results_says_why(service: Scripted, capsys: pytest.CaptureFixture[str]) -> None:
    service.on(
        "GET service/v1/jobs/job_1", Response.of_json(200, job("parsing")), Response.of_json(200, job("cancelled"))
    )
    assert main(["fetch", "job_1"]) == 1
    assert "still parsing" in capsys.readouterr().err
    assert main(["fetch", "job_1"]) == 1
    assert "model.xlsx cancelled" in capsys.readouterr().err


def test_service_errors_are_told_with_a_hint(
    service: Scripted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service.on(
        "GET service/v1/jobs/job_1", problem(401, "unauthenticated", "A valid API key is needed", request_id="r1")
    )
    assert main(["status", "job_1"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "sheetrun: A valid API key is needed (unauthenticated, 401, request r1)",
        "  Check the key (--key or SHEETRUN_KEY).",
    ]
    monkeypatch.delenv("SHEETRUN_URL")
    assert main(["status", "job_1"]) == 2
    assert "SHEETRUN_URL" in capsys.readouterr().err
