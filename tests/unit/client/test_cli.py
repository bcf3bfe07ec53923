"""The commands that compute here, and what all commands share: usage, errors, exit codes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from sheetrun.client import Request, Response
from sheetrun.client.cli import main
from sheetrun.client.progress import ProgressLine
from sheetrun.workbook.errors import NotAWorkbook

from .engine import REPORT, Engine
from .service import Scripted, job


def test_run_prints_a_headline(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "m.xlsx"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("m.xlsx: 1,204 formulas, all 1,190 as in Excel, 14 volatile, ")
    assert err == ""


def test_run_prints_values_alone(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["run", "m.xlsx", "--set", "Inputs!B2=7%", "--get", "NPV", "--get", "Out!A1:B2", "--get", "Inputs!B2"])
        == 0
    )
    assert capsys.readouterr() == ("12.5\n1\na\n\nTRUE\n0.07\n", "")


def test_run_writes_json_and_a_workbook(
    engine: Engine, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["run", "m.xlsx", "--json", "-", "--xlsx", str(tmp_path / "out.xlsx")]) == 0
    document = json.loads(capsysbinary.readouterr().out)
    assert document == {"cells": {"Out!A1": 12.5, "Out!A2": {"error": "#N/A"}}, "report": REPORT}
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("out.xlsx", b"PK recalculated")]


def test_run_tells_what_it_could_not_compute(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    errors = [{"cell": "A!B1", "code": "unsupported_function", "detail": "CUBEVALUE needs a server"}]
    engine(report={**REPORT, "unsupported": 2, "mismatched": 1, "matched": 1189, "errors": errors})
    assert main(["run", "m.xlsx"]) == 0
    out, err = capsys.readouterr()
    assert "1,189 of 1,190 as in Excel" in out
    assert "2 cells kept Excel's value (A!B1: CUBEVALUE needs a server; …)" in err
    assert "`sheetrun check` shows them" in err


def test_compile_writes_the_script(engine: Engine, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["compile", "m.xlsx"]) == 0
    assert capsysbinary.readouterr().out.decode() == "print('ünï')\n"
    assert main(["compile", "m.xlsx", "-o", str(tmp_path / "no" / "m.py")]) == 2
    assert b"no such file" in capsysbinary.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (NotAWorkbook("it is a PDF document"), 1, "sheetrun: m.xlsx: it is a PDF document [not_a_workbook]\n"),
        (FileNotFoundError(2, "No such file", "m.xlsx"), 2, "sheetrun: no such file: m.xlsx\n"),
        (PermissionError(13, "Permission denied", "m.xlsx"), 1, "sheetrun: m.xlsx: Permission denied\n"),
        (KeyboardInterrupt(), 130, "\nsheetrun: interrupted\n"),
    ],
)
def test_an_error_is_one_line(
    engine: Engine, error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine(error=error)
    assert main(["run", "m.xlsx"]) == code
    assert capsys.readouterr() == ("", line)


def test_a_bug_is_told_as_a_bug_and_traced_on_demand(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine(error=RuntimeError("oh\nno"))
    assert main(["run", "m.xlsx"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("sheetrun: m.xlsx: internal error: RuntimeError: oh no\n")
    assert "SHEETRUN_DEBUG=1" in err
    monkeypatch.setenv("SHEETRUN_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["run", "m.xlsx"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rum"], "did you mean 'run'?"),
        ([], "COMMAND"),
        (["run"], "FILE.xlsx"),
        (["run", "m.xlsx", "--set", "x"], "is not REF=VALUE"),
        (["run", "m.xlsx", "--json", "-", "--get", "A1"], "only one of"),
        (["check", "m.xlsx", "--jobs", "0"], "more than 0"),
        (["scenarios", "m.xlsx", "--scenarios", "s.csv", "--get", "A", "-o", "x.doc"], "must end in"),
        (["fetch", "job_1", "-o", "-"], "takes one NAME"),
        (["up", "--port", "99999"], "--port"),
        (["submit", "m.xlsx", "--meta", "x"], "NAME=VALUE"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    engine: Engine, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert "Traceback" not in err


def test_help_names_every_command_and_imports_little() -> None:
    code = (
        "import sys; from sheetrun.client.cli import main; main(['--help']);"
        "heavy = {'numpy', 'http.client', 'ssl', 'boto3', 'pandas', 'hashlib'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("run", "check", "scenarios", "up", "doctor"):
        assert f"\n    {name}" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")
def test_what_is_thrown_away_by_starting_again_is_little() -> None:
    code = (
        "import os, sys; from sheetrun.client.cli import main; sys.argv = ['sheetrun', 'run', 'x'];"
        "os.execve = lambda *_: sys.exit(' '.join(sys.modules)); main()"
    )
    told = {**os.environ, "AWS_SECRET_ACCESS_KEY": "symmetrical-scratch"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=told)
    imported = set(done.stderr.split())
    ours = {"sheetrun", "sheetrun.client", "sheetrun.client.cli", "sheetrun.sandbox", "sheetrun.sandbox.bare"}
    assert {name for name in imported if name.startswith("sheetrun")} == ours, done.stderr
    assert not imported & {"argparse", "dataclasses", "json", "pathlib", "re", "typing"}


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"]])
def test_a_reader_that_goes_away_is_no_error(words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # gone before the first line
    command = [sys.executable, "-m", "sheetrun.client.cli", *words]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, env=buffered)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def checked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs the check in this process, so that it meets the fake engine."""
    from sheetrun.client import checking, workers

    monkeypatch.setattr(workers, "each", lambda _f, items, _w, _t: map(checking.check_file, items))


def test_check_shows_differences_causes_first_and_totals(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    checked(engine, monkeypatch)
    mismatches = [
        {"cell": "A!C1", "formula": "B1*2", "ours": 4, "excel": 6, "root": False},
        {"cell": "A!B1", "formula": "LEFT(A1)", "ours": "x", "excel": None, "root": True},
    ]
    engine(report={**REPORT, "matched": 1188, "mismatched": 2, "mismatches": mismatches})
    for name in ("b.xlsx", "a.xlsm", "~$a.xlsm", ".hidden.xlsx", "notes.txt"):
        (tmp_path / name).touch()
    out_file = tmp_path / "out.json"
    assert main(["check", str(tmp_path), "--json", str(out_file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"DIFFERS  {tmp_path}/a.xlsm: 1,204 formulas, 1,188 of 1,190 match")
    assert [line.strip() for line in lines[1:5]] == [
        "A!B1  =LEFT(A1)",
        'ours "x"   Excel (empty)',
        "A!C1  =B1*2  (follows from another)",
        "ours 4   Excel 6",
    ]
    assert lines[-2] == "2 files: 0 ok, 2 differs"
    assert "2,376 of 2,380 compared match Excel (99.8319 %), 4 differ" in lines[-1]
    totals = json.loads(out_file.read_text())["totals"]
    assert (totals["files"], totals["mismatch"], totals["mismatched"]) == (2, 2, 4)


def test_check_shows_what_was_set_apart(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked(engine, monkeypatch)
    engine(report={**REPORT, "stale": 1500, "rounding": 2, "uncached": 3, "precision_as_displayed": True})
    assert main(["check", "a.xlsx"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1,500 stale, 2 from rounding, 3 without a stored value, " in lines[0]
    assert "note: the workbook calculates with precision as displayed" in lines[1]
    assert lines[-1].endswith("1,500 stale, 2 from rounding, 3 without a stored value")


def test_check_goes_on_after_a_file_that_is_refused(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked(engine, monkeypatch)
    engine(error=NotAWorkbook("it is a PDF document"))
    assert main(["check", "a.xlsx", "b.xlsx", "--json", "-"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [(one["status"], one["code"]) for one in document["files"]] == [("refused", "not_a_workbook")] * 2
    engine(error=ZeroDivisionError("bug"))
    assert main(["check", "a.xlsx"]) == 1
    assert "CRASHED  a.xlsx: internal error: ZeroDivisionError: bug [ZeroDivisionError]" in capsys.readouterr().out
    engine(error=None)
    assert main(["check", "a.xlsx"]) == 0
    assert "1 file: 1 ok" in capsys.readouterr().out


def test_scenarios_calculate_each_row(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "s.csv"
    table.write_text("\ufeffInputs!B2,Name\n7%,x\n,\n", encoding="utf-8")
    words = ["scenarios", "m.xlsx", "--scenarios", str(table), "--get", "NPV", "--get", "Inputs!B2", "-o"]
    assert main([*words, "-"]) == 0
    out, err = capsys.readouterr()
    assert out == "scenario,Inputs!B2,Name,NPV,Inputs!B2\n1,0.07,x,12.5,0.07\n2,,,12.5,\n"
    assert "computed one after another, which takes longer: it reads what only the run can tell" in err
    assert "2 of 2 scenarios" in err
    assert main([*words[:-3], "-o", str(tmp_path / "out.jsonl")]) == 0
    first = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])
    assert first == {"scenario": 1, "Inputs!B2": 0.07, "Name": "x", "NPV": 12.5}
    table.write_text("a,b\n1\n")
    assert main([*words, "-"]) == 2
    assert "line 2 has 1 fields" in capsys.readouterr().err


def test_scenarios_of_a_plan(engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"grid": {"Inputs!B2": [1, 2], "Name": ["a"]}}')
    words = ["scenarios", "m.xlsx", "--plan", str(plan), "--get", "NPV", "-o", "-"]
    assert main(words) == 0
    assert capsys.readouterr().out == "scenario,Inputs!B2,Name,NPV\n1,1,a,12.5\n2,2,a,12.5\n"
    plan.write_text('{"grid": {"Inputs!B2": []}}')
    assert main(words) == 1
    assert "must be a list of at least one number" in capsys.readouterr().err
    plan.write_text('{"count": 3, "inputs": {}}')
    assert main(words) == 2
    assert main(["scenarios", "m.xlsx", "--plan", str(plan), "-o", "-"]) == 2
    assert "--get REF" in capsys.readouterr().err


def test_scenarios_of_a_model_are_the_services(
    service: Scripted, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('[{"Inputs!B2": 1}]')
    asked: list[Any] = []

    def create(request: Request) -> Response:
        asked.append(request.json())
        return Response.of_json(202, job(state="queued", kind="scenarios"))

    service.on("POST service/v1/models/job_9/scenarios", create)
    service.on("GET service/v1/jobs/job_1", Response.of_json(200, job(state="succeeded", kind="scenarios")))
    service.on("GET service/v1/jobs/job_1/results/csv", Response(302, {"location": "http://store.test/csv"}, b""))
    service.on("GET store/csv", Response(200, {}, b"scenario,NPV\n1,2\n"))
    assert main(["scenarios", "job_9", "--plan", str(plan), "--get", "NPV", "-o", "-"]) == 0
    assert asked == [{"scenarios": [{"Inputs!B2": 1}], "outputs": ["NPV"]}]
    assert capsys.readouterr().out == "scenario,NPV\n1,2\n"
    assert main(["scenarios", "job_9", "--plan", str(plan), "-o", "x.jsonl"]) == 2


def test_run_takes_a_clock_and_a_seed(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine()
    told = ["run", "m.xlsx", "--now", "2026-01-31T12:00Z", "--seed", "7", "--get", "now", "--get", "seed"]
    assert main(told) == 0
    assert capsys.readouterr().out.splitlines() == ["2026-01-31 12:00:00", "7"]
    assert main(["run", "m.xlsx", "--now", "yesterday"]) == 2
    assert "--now 'yesterday' is no time" in capsys.readouterr().err


def test_the_bar_is_drawn_over_itself_and_taken_away() -> None:
    stream = io.StringIO()
    with ProgressLine(stream, terminal=True) as progress:
        progress.show("m.xlsx", 50, "executing: long message")
        progress.show("m.xlsx", 100, "done")
    written = stream.getvalue()
    assert " 50 %  m.xlsx  executing: long message" in written
    assert "\n" not in written
    assert written.endswith("\r")
    width = len(written.split("\r")[1])
    assert len(written.split("\r")[2]) == width, "nothing of the longer line stays"


def test_up_prints_json_first_and_stops_cleanly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped: list[bool] = []
    running = types.SimpleNamespace(url="http://127.0.0.1:9/v1", key="k", alive=True, log="x.log")
    running.stop = lambda: stopped.append(True)
    local = types.ModuleType("sheetrun.local")
    seen: dict[str, Any] = {}

    def up(**options: Any) -> Any:
        seen.update(options)
        return running

    local.up = up  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sheetrun.local", local)
    monkeypatch.setattr("sheetrun.local", local, raising=False)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("threading.Event.wait", interrupted)
    assert main(["up", "--json", "--port", "4000", "--data", "state"]) == 0
    assert capsys.readouterr().out == '{"url": "http://127.0.0.1:9/v1", "key": "k"}\n'
    assert stopped == [True]
    assert seen.pop("tell")
    assert seen == {"port": 4000, "data_dir": Path("state")}
    running.alive = False
    assert main(["up"]) == 1
    assert "ended by itself; its log: x.log" in capsys.readouterr().err
