"""The example workbook is what its generator makes, and its numbers hold together."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import openpyxl
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    generator = importlib.import_module("make_solar_farm")
    path = tmp_path / "made.xlsx"
    generator.make(path)
    for name in [name for name in sys.modules if name.startswith(("solar_", "make_solar"))]:
        del sys.modules[name]
    return path


@pytest.mark.parametrize("cached", [False, True])
def test_the_committed_workbook_is_the_generated_one(made: Path, cached: bool) -> None:
    books = [openpyxl.load_workbook(path, data_only=cached) for path in (made, EXAMPLES / "solar_farm.xlsx")]
    fresh, committed = (
        {(sheet.title, cell.coordinate): cell.value for sheet in book for row in sheet for cell in row}
        for book in books
    )
    assert fresh == committed
    formulas = [value for value in fresh.values() if isinstance(value, str) and value.startswith("=")]
    assert cached or len(formulas) > 1000


def test_its_own_checks_are_all_right(made: Path) -> None:
    sheet = openpyxl.load_workbook(made, data_only=True)["Dashboard"]
    labels = {row[0].value: row[1].value for row in sheet.iter_rows(max_col=2)}
    assert labels["All checks"] == "OK"
    assert labels["The loan ends at zero"] is True
