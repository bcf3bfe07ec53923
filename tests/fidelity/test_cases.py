"""Formulas with the results that Excel is known to give: Microsoft's documented examples, and what was measured.

``cases.tsv`` has a formula and its result a line; results are rounded as documented, so as many digits are compared.
Formulas read the cells below; they are computed whole: parsed, compiled, run.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import pytest

from tests.unit.compiler.making import Cells, run, workbook_of

CELLS: Final[Cells] = {
    "A1": 1,
    "A2": 2,
    "A3": 3,
    "A4": 4,
    "A5": 5,
    "B1": "x",
    "B2": "Y",
    "B3": "xz",
    "B5": "",
    "C1": 10,
    "C2": "20",
    "C3": True,
    "C4": {"error": "#N/A"},
    "C5": 30.5,
    "D1": 45000,
    "D2": 45001,
    "D3": 45002.75,
    "D4": 45031,
    "D5": 45061,
    "E1": "a*c",
    "E2": "abc",
    "E3": "a?c",
    "E4": "~",
    "E5": "a~c",
    "F1": -100,
    "F2": 30,
    "F3": 40,
    "F4": 50,
    "F5": 20,
    "G1": "Name",
    "H1": "Age",
    "G2": "Al",
    "H2": 30,
    "G3": "Bo",
    "H3": 40,
    "G4": "Cy",
    "H4": 50,
    "J1": "Age",
    "J2": ">35",
    "K1": "Name",
    "K2": "A*",
}
_PATH: Final = Path(__file__).with_name("cases.tsv")


def cases() -> list[tuple[str, str]]:
    with _PATH.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return [(formula, result) for formula, result in rows]


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """The result of each formula. They stand far below each other and the cells that they read."""
    found = cases()
    cells = {**CELLS, **{f"ZA{50 * i + 1}": "=" + formula for i, (formula, _) in enumerate(found)}}
    computed = run(workbook_of(cells)).cells()
    return {formula: computed[f"Sheet1!ZA{50 * i + 1}"] for i, (formula, _) in enumerate(found)}


def agrees(ours: Any, written: str) -> bool:
    if isinstance(ours, bool):
        return written == str(ours).upper()
    if isinstance(ours, dict):
        return bool(written == ours["error"])
    if not isinstance(ours, int | float):
        return written == (ours or "")
    try:
        wanted = float(written)
    except ValueError:
        return False
    _, point, decimals = written.partition(".")
    shown = 0.6 * 10.0 ** -len(decimals) if point else 0.0
    return abs(ours - wanted) <= max(shown, 1e-12 * abs(wanted))


@pytest.mark.parametrize(("formula", "result"), cases(), ids=[formula for formula, _ in cases()])
def test_known_results(formula: str, result: str, results: dict[str, Any]) -> None:
    assert agrees(results[formula], result), results[formula]
