"""The installed command, in processes of its own, on real files: values, scripts, proofs and refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

EXAMPLE = str(Path(__file__).parents[2] / "examples" / "solar_farm.xlsx")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def sheetrun(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sheetrun", *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHEETRUN_")}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment, timeout=100)


def test_other_inputs_give_other_results_in_every_form(tmp_path: Path) -> None:
    done = sheetrun("run", EXAMPLE, "--set", "PriceCase=High", "--get", "EquityIRR", "--get", "Dashboard!A30:B30")
    assert done.returncode == 0, done.stderr
    rate, year, revenue = map(float, done.stdout.split())
    assert 0.18 < rate < 0.20
    assert year == 2047
    assert revenue > 80_000

    words = ("--set", "'Inputs'!B13=High", "--json", "-", "--xlsx", str(tmp_path / "high.xlsx"))
    done = sheetrun("run", EXAMPLE, *words)
    document = json.loads(done.stdout)
    assert document["cells"]["Dashboard!B8"] == pytest.approx(rate)
    assert len(document["cells"]) == 1423
    assert document["report"]["formulas"] == 1423

    import openpyxl

    book = openpyxl.load_workbook(tmp_path / "high.xlsx", data_only=True)
    assert book["Dashboard"]["B8"].value == pytest.approx(rate)
    assert book["Inputs"]["B13"].value == "High"


def test_the_script_is_python_and_the_same_every_time(tmp_path: Path) -> None:
    first = sheetrun("compile", EXAMPLE)
    second = sheetrun("compile", EXAMPLE, "-o", str(tmp_path / "model.py"))
    assert first.returncode == second.returncode == 0
    assert first.stdout == (tmp_path / "model.py").read_text()
    compile(first.stdout, "model.py", "exec")
    assert "=EnergyP50*Availability*E7" in first.stdout


def test_a_check_goes_through_good_and_bad_files(tmp_path: Path) -> None:
    (tmp_path / "cut.xlsx").write_bytes(Path(EXAMPLE).read_bytes()[:20_000])
    (tmp_path / "text.xlsx").write_text("a,b\n1,2\n")
    (tmp_path / "empty.xlsx").touch()
    (tmp_path / "locked.xlsx").write_bytes(OLE)
    done = sheetrun("check", EXAMPLE, str(tmp_path), "--json", "result.json", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == ""
    result = json.loads((tmp_path / "result.json").read_text())
    found = {Path(one["file"]).name: (one["status"], one.get("code")) for one in result["files"]}
    assert found.pop("solar_farm.xlsx") == ("ok", None)
    assert {status for status, _ in found.values()} == {"refused"}
    assert found["text.xlsx"][1] == "text_file"
    assert result["totals"]["matched"] == result["totals"]["compared"] > 1400
    assert done.stdout.splitlines()[-2] == "5 files: 1 ok, 4 refused"
    assert sheetrun("check", EXAMPLE).returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("run", EXAMPLE, "--set", "Nope!A1=3"), 1, "there is no sheet 'Nope'"),
        (("run", EXAMPLE, "--get", "Sites[Nope]"), 1, "does not name a cell or range"),
        (("run", "no such file.xlsx"), 2, "no such file: no such file.xlsx"),
        (("run", EXAMPLE, "--xlsx", "no/such/folder/out.xlsx"), 2, "no such file: no/such/folder"),
    ],
)
def test_refusals_are_one_line_and_no_trace(words: tuple[str, ...], code: int, told: str, tmp_path: Path) -> None:
    done = sheetrun(*words, cwd=tmp_path)
    assert done.returncode == code
    assert done.stdout == ""
    assert told in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_scenarios_are_rows(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("PriceCase,PPAShare\nLow,50%\nHigh,\n")
    words = ("--scenarios", "s.csv", "--get", "EquityIRR", "--get", "Dashboard!B23", "-o", "out.csv")
    done = sheetrun("scenarios", EXAMPLE, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    head, low, high = [line.split(",") for line in (tmp_path / "out.csv").read_text().splitlines()]
    assert head == ["scenario", "PriceCase", "PPAShare", "EquityIRR", "Dashboard!B23"]
    assert low[:3] == ["1", "Low", "0.5"]
    assert high[:3] == ["2", "High", ""]
    assert float(low[3]) < float(high[3])
    assert low[4] == high[4] == "OK"


def test_a_dataset_is_analyzed_and_its_script_runs_on_its_own(tmp_path: Path) -> None:
    rows = [f"{n},{'east' if n % 2 else 'west'},{n * 1.5}" for n in range(50)]
    (tmp_path / "sales.csv").write_text("id,region,amount\n" + "\n".join(rows) + "\n")
    done = sheetrun("analyze", "sales.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sales.csv: 50 rows, 3 columns, 0 things to look at, ")
    assert "Nothing stands out." in (tmp_path / "sales.csv.report.html").read_text(encoding="utf-8")

    here = sheetrun("analyze", "sales.csv", "--task", "statistical_summary", "-o", "-", cwd=tmp_path)
    assert sheetrun("analyze", "sales.csv", "--task", "statistical_summary", "-o", "s.py", cwd=tmp_path).returncode == 0
    command = [sys.executable, "s.py", "sales.csv"]
    alone = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(alone.stdout)["statistical_summary"] == json.loads(here.stdout)["statistical_summary"]

    (tmp_path / "empty.csv").touch()
    bad = sheetrun("analyze", "empty.csv", cwd=tmp_path)
    assert (bad.returncode, bad.stderr) == (1, "sheetrun: empty.csv: The file is empty. [empty_file]\n")


def test_ctrl_c_ends_it_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}.xlsx").symlink_to(EXAMPLE)
    words = [sys.executable, "-m", "sheetrun", "check", "."]
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        # Where tests run in the background of a shell, Ctrl-C is ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ok")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told.strip() == "sheetrun: interrupted"


def test_a_workbook_as_a_page_and_as_a_module(tmp_path: Path) -> None:
    done = sheetrun("report", EXAMPLE, "-o", "farm.html", "--graph", "farm.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1,423 formulas, all 1,410 as in Excel" in done.stdout
    page = (tmp_path / "farm.html").read_text()
    assert all(told in page for told in ("solar_farm.xlsx", "Read", "Write the script", "Run and compare"))
    assert (tmp_path / "farm.svg").read_text().startswith("<svg")

    done = sheetrun("bundle", EXAMPLE, "-o", "farm.zip", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "farm.zip") as bundle:
        bundle.extractall(tmp_path / "farm")
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def python(*words: str) -> str:
        command = [sys.executable, "-W", "error", *words]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path / "farm", env=alone, timeout=100)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert python("test_model.py") == "1,410 of 1,410 cells are as in Excel\n"
    set_, get = ("--set", "PriceCase=High"), ("--get", "EquityIRR")
    assert 0.18 < float(python("model.py", *set_, *get)) < 0.20
    program = "from model import cells; print(cells(['EquityIRR', 'Dashboard!A30:B30'], {'Inputs!B13': 'High'}))"
    assert python("-c", program).startswith("{'EquityIRR': 0.1")
    assert "pandas" not in python("-c", "import model, sys; print(*sys.modules)")


def test_scenarios_of_a_model_find_their_service_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('[{"A1": 1}]')
    command = [sys.executable, "-m", "sheetrun", "scenarios", "job_1", "--plan", "plan.json", "-o", "x.csv"]
    environment = {**os.environ, "SHEETRUN_URL": "http://127.0.0.1:9/v1", "SHEETRUN_KEY": "sr_x"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=100)
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr
