"""What is shipped is pinned byte for byte, and whoever is asked about it is asked in CI."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sheetrun.local.packages import COMPUTING, EDGE

ROOT = Path(__file__).parents[3]
PIN = re.compile(r"([a-z0-9._-]+)==[0-9][A-Za-z0-9.]*((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


@pytest.mark.parametrize("function", EDGE + COMPUTING)
def test_every_requirement_is_pinned_with_hashes(function: str) -> None:
    folder = ROOT / "functions" / function
    lines = (folder / "requirements.txt").read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#"))
    pinned = {match[1]: match[2].count("--hash=") for match in PIN.finditer(text)}
    assert PIN.sub("", text) == ""
    wanted = folder / "requirements.in"
    asked = re.findall(r"(?m)^([a-z0-9-]+)", wanted.read_text()) if wanted.exists() else []
    assert set(asked) <= set(pinned)
    assert bool(asked) == bool(pinned)
    for name in set(pinned) & {"numpy", "pandas", "pyarrow"}:
        assert pinned[name] >= 8, f"{name}: four Pythons, two architectures"


def test_the_build_installs_nothing_else() -> None:
    """``sam build`` and ``sheetrun deploy`` make packages in one way."""
    assert "sheetrun.local.packages" in (ROOT / "functions" / "Makefile").read_text()
    assert "--require-hashes" in (ROOT / "functions" / "sheetrun" / "local" / "packages.py").read_text()


def test_ci_asks_the_scanners() -> None:
    ci, make = (ROOT / ".ci" / "run").read_text(), (ROOT / "Makefile").read_text()
    assert "make scan audit sbom" in ci
    assert "make lint" in ci
    for tool in ("bandit", "cfn-lint", "checkov", "pip-audit", "cyclonedx-py"):
        assert tool in make
