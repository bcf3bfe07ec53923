"""The script of a workbook run by itself, beside its data."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .files import sales


def script_in(folder: Path) -> Path:
    model = sales(folder).model()
    script = folder / "model.py"
    script.write_text(model.script(), encoding="utf-8")
    script.with_suffix(".data").write_bytes(model.data())
    return script


def call(script: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(script), *args], capture_output=True, text=True, timeout=60)


def test_the_script_runs_by_itself(tmp_path: Path) -> None:
    script = script_in(tmp_path)
    done = call(script, "--set", "My Sheet!D1=2", "--get", "My Sheet!E1", "--get", "'My Sheet'!E3", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"'My Sheet'!E1": 12, "'My Sheet'!E3": "24"}
    everything = call(script, "--json")
    assert json.loads(everything.stdout)["'My Sheet'!E1"] == pytest.approx(0.6)
    bare = call(script, "--get", "My Sheet!E2", "--set", "My Sheet!D1=2")
    assert bare.stdout.strip() in ("24", "24.0")


def test_the_script_says_what_is_wrong(tmp_path: Path) -> None:
    script = script_in(tmp_path)
    assert "no sheet 'Nope'" in call(script, "--get", "Nope!A1").stderr
    assert call(script, "--set", "A1").returncode == 2
    assert call(script, "--get", "nonsense!!").returncode == 2
    script.with_suffix(".data").unlink()
    missing = call(script)
    assert missing.returncode == 1
    assert "model.data" in missing.stderr
