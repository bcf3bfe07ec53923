"""The README tells the truth: its programs are files that run, its limits are the settings, its codes exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sheetrun.client.commands import COMMANDS
from sheetrun.settings import MIB, Settings
from tests.elsewhere import Service

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "docs" / "examples"


def blocks() -> dict[str, str]:
    return dict(re.findall(r"<!-- docs/examples/(\S+) -->\n```\w+\n(.*?)```", README, flags=re.S))


def environment(service: Service | None = None) -> dict[str, str]:
    found = {name: value for name, value in os.environ.items() if not name.startswith("SHEETRUN_")}
    found["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{found['PATH']}"
    if service is not None:
        found |= {"SHEETRUN_URL": service.url, "SHEETRUN_KEY": service.key}
    return found


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with the examples in it, where the programs may write."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


def test_every_example_is_in_the_readme_word_for_word() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES.iterdir() if path.is_file()}
    assert blocks() == {name: text.removeprefix("#!/usr/bin/env bash\n") for name, text in files.items()}


def run(name: str, folder: Path, environment: dict[str, str]) -> str:
    command = [sys.executable if name.endswith(".py") else "bash", str(EXAMPLES / name)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_for_a_person_with_a_spreadsheet(workplace: Path) -> None:
    out = run("here.sh", workplace, environment())
    assert "1 file: 1 ok" in out
    assert 0.15 < float(out.splitlines()[-1]) < 0.25
    compile((workplace / "solar_farm.py").read_text(), "solar_farm.py", "exec")


@pytest.mark.e2e
@pytest.mark.timeout(180)
def test_the_python_client(workplace: Path, service: Service) -> None:
    out = run("submit.py", workplace, environment(service))
    assert "succeeded" in out
    assert re.search(r"Equity IRR 0\.19\d", out)
    assert (workplace / "solar_farm.recalculated.xlsx").read_bytes().startswith(b"PK")
    assert "Calculated with your inputs" in (workplace / "solar_farm.report.html").read_text(encoding="utf-8")


def test_a_workbook_in_a_notebook(workplace: Path) -> None:
    out = run("notebook.py", workplace, environment())
    assert "solar_farm.xlsx: 8 sheets, 1,423 formulas" in out
    assert re.search(r"EquityIRR +0\.189", out)
    assert re.search(r"0\.07 +32686\.54", out)


@pytest.mark.e2e
@pytest.mark.timeout(180)
def test_ten_thousand_futures(workplace: Path, service: Service) -> None:
    out = run("scenarios.py", workplace, environment(service))
    assert re.search(r"P5 of the equity's value: -?\d+", out)
    assert len(re.findall(r"^(?:InterestRate|CapexRate) -?\d+ -?\d+$", out, flags=re.M)) == 2
    assert "<svg" in (workplace / "futures.html").read_text(encoding="utf-8")


@pytest.mark.e2e
@pytest.mark.timeout(180)
def test_a_model_is_called(workplace: Path, service: Service) -> None:
    lines = run("call.py", workplace, environment(service)).splitlines()
    found = re.fullmatch(r"Equity IRR (0\.\d{3}), from (\d+) cells", lines[0])
    assert found, lines
    assert 0.15 < float(found[1]) < 0.25
    assert int(found[2]) > 10
    assert re.fullmatch(r"Equity IRR 0\.18 needs a price of \d+\.\d\d", lines[1]), lines


@pytest.mark.e2e
@pytest.mark.timeout(180)
@pytest.mark.skipif(shutil.which("jq") is None or shutil.which("curl") is None, reason="needs curl and jq")
def test_the_curl_client(workplace: Path, service: Service) -> None:
    out = run("submit.sh", workplace, environment(service))
    assert '"state": "succeeded"' in out
    assert '"formulas": 1423' in out
    assert out.splitlines()[-1].startswith("0.1")


def test_the_users_test_runs_without_a_service(workplace: Path) -> None:
    shutil.copy(EXAMPLES / "test_mine.py", workplace)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(workplace), "test_mine.py"]
    done = subprocess.run(command, cwd=workplace, env=environment(), capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_limits_are_the_settings() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)( MiB| s)? \|", README, flags=re.M)
    assert len(rows) >= 8
    for name, number, unit in rows:
        assert getattr(Settings(), name) == int(number.replace(",", "")) * (MIB if unit == " MiB" else 1), name


def test_the_codes_of_bad_files_are_in_the_source() -> None:
    table = README.split("### When the input is bad")[1].split("## An operator")[0]
    codes = {
        code for row in re.findall(r"^\|.*\| (`.*) \|$", table, flags=re.M) for code in re.findall(r"`(\w+)`", row)
    }
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "functions/sheetrun/workbook").glob("*.py"))
    assert len(codes) > 15
    assert [code for code in sorted(codes) if f'"{code}"' not in source] == []


def test_the_commands_that_it_names_exist() -> None:
    named = set(re.findall(r"\bsheetrun ([a-z]+)", README)) - {"client", "is"}
    assert named <= set(COMMANDS)


def test_the_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "docs" / "README.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
