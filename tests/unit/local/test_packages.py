"""Packages without what no function loads, and no larger than Lambda takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sheetrun.local import packages
from sheetrun.local.errors import LocalError


def made(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 10)


def left(root: Path) -> set[str]:
    return {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}


def test_what_no_function_loads_is_taken_out(tmp_path: Path) -> None:
    kept = {
        "app.py",
        "pandas/core.py",
        "pyarrow/libarrow.so.2600",
        "pyarrow/libarrow_python.so.2600",
        "fontTools/agl.py",
    }
    gone = {
        "bin/f2py",
        "pandas/tests/test_a.py",
        "numpy/linalg/tests/test_b.py",
        "pyarrow/include/api.h",
        "pyarrow/libarrow_flight.so.2600",
        "pyarrow/_flight.so",
        "pyarrow/libarrow_python.so",
        "pyarrow/libarrow_python.so.2600.1.0",
        "fontTools/varLib/a.py",
    }
    made(tmp_path, *kept, *gone)
    assert packages.trim(tmp_path) == 10 * len(kept)
    assert left(tmp_path) == kept
    assert packages.trim(tmp_path) == 10 * len(kept)


def test_a_package_that_lambda_would_not_take_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path, "a", "b")
    monkeypatch.setattr(packages, "LARGEST", 19)
    with pytest.raises(LocalError, match="20 bytes"):
        packages.trim(tmp_path)
    monkeypatch.setattr(packages, "install", lambda function, directory, target: packages.trim(directory))
    assert packages.main(["api", str(tmp_path), "3.13", "arm64"]) == 1
    assert "at most 19" in capsys.readouterr().err
    assert packages.main(["api"]) == 2


def test_pandas_is_only_where_it_is_needed() -> None:
    wanted = {
        file.parent.name
        for file in packages.FUNCTIONS.glob("*/requirements.txt")
        if any(line.startswith("pandas") for line in file.read_text(encoding="utf-8").splitlines())
    }
    assert wanted == {"execute"}


def test_what_looks_at_parquet_loads_without_pandas() -> None:
    """The function parse has no pandas, and its sandbox brings this in before anything else."""
    program = (
        "import sys; sys.modules.update(pandas=None, matplotlib=None)\n"
        "from sheetrun.datasets.steps import _DESCRIBE_PRELOAD\n"
        "from sheetrun.sandbox.worker import bring_in\n"
        "for name in _DESCRIBE_PRELOAD: bring_in(name, whole=True)\n"
        "assert 'sheetrun.datasets.schema' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
