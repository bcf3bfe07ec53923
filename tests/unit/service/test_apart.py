"""Differences that are set apart by rule: what Excel did not calculate, and what rounding became."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sheetrun.runtime.address import Span
from sheetrun.runtime.failures import Failure
from sheetrun.runtime.payload import RunOutput
from sheetrun.runtime.sheet import Area
from sheetrun.service import apart
from sheetrun.service.findings import Proof
from sheetrun.service.local import open_model
from sheetrun.service.proof import prove
from sheetrun.workbook.model import Rect, Settings
from tests.unit.compiler.making import error, grid_of, rect_of, workbook_of
from tests.unit.workbook.books import parts_of, sheet_xml, zip_of


def proved(
    cells: dict[str, str],
    excel: dict[str, Any],
    ours: list[Any],
    *,
    reads: dict[str, list[str]] | None = None,
    alone: list[Any] | None = None,
    circular: list[str] = [],  # noqa: B006
    settings: Settings | None = None,
) -> Proof:
    """Cells of row 1: formulas, what Excel stored, what we have, and what each formula gives from Excel's values."""
    workbook = workbook_of(cells, cached=excel)
    workbook.settings = settings or Settings()
    needs = {(0, rect_of(a)): [(0, rect_of(b)) for b in found] for a, found in (reads or {}).items()}
    failures = [
        Failure("Sheet1", Span(r.top + 1, r.left + 1, r.bottom + 1, r.right + 1), "circular_reference", "")
        for r in map(rect_of, circular)
    ]
    return prove(workbook, _output(ours, failures), [], [], needs, None if alone is None else _output(alone, []))


def _output(values: list[Any], failures: list[Failure]) -> RunOutput:
    strings: list[str] = []
    grid = grid_of({(0, n): value for n, value in enumerate(values)}, strings, 1, len(values))
    return RunOutput([[Area(1, 1, grid.num, grid.tag)]], strings, failures, [], [])


def reasons(proof: Proof) -> dict[str, str]:
    return {one.cell.removeprefix("Sheet1!"): one.reason for one in proof.apart}


CHAIN = {"A1": "=X1", "B1": "=A1", "C1": "=B1"}
READS = {"A1": [], "B1": ["A1"], "C1": ["B1"]}


def test_a_cause_is_what_differs_from_excels_own_values_too() -> None:
    proof = proved(CHAIN, {"A1": 1, "B1": 2, "C1": 3}, [1, 9, 9], reads=READS, alone=[1, 9, 3])
    assert [(m.cell, m.root) for m in proof.mismatches] == [("Sheet1!B1", True), ("Sheet1!C1", False)]
    assert proof.rounding == 0


def test_rounding_is_what_follows_from_no_difference() -> None:
    proof = proved(CHAIN, {"A1": 1, "B1": 2, "C1": 3}, [1, 2 + 1e-8, 3], reads=READS, alone=[1, 2, 3])
    assert (proof.compared, proof.matched, proof.mismatched, proof.rounding) == (2, 2, 0, 1)
    assert reasons(proof) == {"B1": "rounding"}


def test_what_follows_from_a_cause_is_no_rounding() -> None:
    proof = proved(CHAIN, {"A1": 1, "B1": 2, "C1": 3}, [9, 9, 9], reads=READS, alone=[9, 2, 3])
    assert [(m.cell, m.root) for m in proof.mismatches] == [
        ("Sheet1!A1", True),
        ("Sheet1!B1", False),
        ("Sheet1!C1", False),
    ]
    assert proof.rounding == 0


@pytest.mark.parametrize(("excel", "ours"), [("a", "b"), (1, "b"), (1, error("#N/A")), (error("#N/A"), 1)])
def test_only_numbers_differ_by_rounding(excel: Any, ours: Any) -> None:
    proof = proved({"A1": "=X1"}, {"A1": excel}, [ours], reads={"A1": []}, alone=[excel])
    assert (proof.mismatched, proof.rounding) == (1, 0)


def test_what_hangs_on_a_circle_and_differs_is_stale() -> None:
    proof = proved(CHAIN, {"A1": 1, "B1": 2, "C1": 3}, [1, 9, 3], reads=READS, circular=["A1"])
    assert (proof.unsupported, proof.compared, proof.matched, proof.stale) == (1, 1, 1, 1)
    assert reasons(proof) == {"B1": "circular"}


def test_what_does_not_hang_on_the_circle_is_an_error() -> None:
    reads = {"A1": [], "B1": [], "C1": ["B1"]}
    proof = proved(CHAIN, {"A1": 1, "B1": 2, "C1": 3}, [1, 9, 3], reads=reads, circular=["A1"])
    assert (proof.mismatched, proof.stale) == (1, 0)


@pytest.mark.parametrize(
    ("settings", "stale"),
    [
        (Settings(), False),
        (Settings(manual=True), False),  # Excel calculates on saving all the same
        (Settings(manual=True, calc_on_save=False), True),
        (Settings(calc_on_save=False), False),
        (Settings(calc_completed=False), True),
        (Settings(full_calc_on_load=True), True),
    ],
)
def test_files_that_say_they_were_not_calculated(settings: Settings, stale: bool) -> None:
    proof = proved({"A1": "=X1"}, {"A1": 1}, [9], settings=settings)
    assert (proof.stale, proof.mismatched) == (int(stale), int(not stale))
    assert reasons(proof) == ({"A1": "not_calculated"} if stale else {})


@pytest.mark.parametrize(
    ("formula", "young"),
    [
        ("IFS(A1,1)", True),
        ("_xlfn.IFS(A1,1)", False),
        ("1+concat(A1)", True),
        ('"IFS("&A1', False),
        ("SUM(A1)", False),
        ("MYIFS(A1)", False),
    ],
)
def test_young_functions_without_their_prefix(formula: str, young: bool) -> None:
    assert apart.unknown_to_writer(formula) is young


def test_a_name_that_the_writer_did_not_know_is_stale() -> None:
    known = proved({"A1": "=IFS(X1,1)"}, {"A1": error("#NAME?")}, [9])
    assert (known.stale, reasons(known)) == (1, {"A1": "unknown_to_writer"})
    other = proved({"A1": "=IFS(X1,1)"}, {"A1": error("#N/A")}, [9])
    assert (other.stale, other.mismatched) == (0, 1)


def test_the_settings_come_from_the_file(tmp_path: Path) -> None:
    cells = '<row r="1"><c r="A1"><f>1+1</f><v>5</v></c></row>'
    path = tmp_path / "book.xlsx"
    path.write_bytes(zip_of(parts_of(sheet_xml(cells), workbook='<calcPr calcId="1" fullCalcOnLoad="1"/>')))
    report = open_model(path).run(sandboxed=False).report
    assert (report["stale"], report["mismatched"], report["set_apart"][0]["cell"]) == (1, 0, "'S1'!A1")
    path.write_bytes(zip_of(parts_of(sheet_xml(cells), workbook='<calcPr calcId="1" fullPrecision="0"/>')))
    report = open_model(path).run(sandboxed=False).report
    assert (report["stale"], report["mismatched"], report["precision_as_displayed"]) == (0, 1, True)


def row(*cells: tuple[str, str, str]) -> str:
    """(address, formula, stored value) each; without a formula a constant."""
    found = "".join(f'<c r="{a}">{f"<f>{f}</f>" if f else ""}<v>{v}</v></c>' for a, f, v in cells)
    return f'<row r="{cells[0][0][1:]}">{found}</row>'


def test_a_second_run_finds_the_cell_where_differences_begin(tmp_path: Path) -> None:
    """A running total of which one stored value in the middle is wrong: the others agree with their own inputs."""
    rows = [row(("A1", "", "1"), ("B1", "A1", "1"))]
    total = 1.0
    for r in range(2, 11):
        total += 1.0 if r != 6 else 100.0
        rows.append(row((f"A{r}", "", "1"), (f"B{r}", f"B{r - 1}+A{r}", repr(total))))
    path = tmp_path / "book.xlsx"
    path.write_bytes(zip_of(parts_of(sheet_xml("".join(rows)))))
    report = open_model(path).run(sandboxed=False, explain=True).report
    assert report["mismatched"] == 5
    assert [m["cell"] for m in report["mismatches"] if m["root"]] == ["'S1'!B6"]


def test_hanging_on_follows_chains_and_ends_in_circles() -> None:
    a, b, c, d = ((0, Rect(n, 0, n, 0)) for n in range(4))
    needs = {b: [a], c: [b, c], a: [c], d: []}
    assert apart.hanging_on([b], needs) == {a, b, c}


def volatile_of(tmp_path: Path, *rows: str) -> tuple[int, int]:
    path = tmp_path / "book.xlsx"
    path.write_bytes(zip_of(parts_of(sheet_xml("".join(rows)))))
    report = open_model(path).run(sandboxed=False).report
    return report["volatile"], report["compared"]


def test_references_made_at_run_time_can_be_compared(tmp_path: Path) -> None:
    cells = row(("A1", "", "1"), ("B1", "OFFSET(A1,0,0)+1", "2"), ("C1", 'INDIRECT("B1")', "2"), ("D1", "C1*2", "4"))
    assert volatile_of(tmp_path, cells) == (0, 3)


def test_beside_chance_they_may_hang_on_it(tmp_path: Path) -> None:
    cells = row(("A1", "RAND()", "0.5"), ("B1", 'INDIRECT("A1")', "0.5"), ("C1", "B1*2", "1"), ("D1", "1+1", "2"))
    assert volatile_of(tmp_path, cells) == (3, 1)


DATES = {"A1": "3/4/2026", "B1": "=A1+0", "C1": "=B1+1", "D1": '=TEXT(A1,"mmm")'}


def day_first(folder: Path, cached: dict[str, object]) -> dict[str, Any]:
    from .files import model_of

    return model_of(folder, DATES, cached=cached).run(sandboxed=False, explain=True).report


def test_dates_of_a_country_with_the_day_first_are_set_apart(tmp_path: Path) -> None:
    report = day_first(tmp_path, {"B1": 46115, "C1": 46116, "D1": "Apr"})
    assert (report["locale"], report["compared"], report["mismatched"]) == (3, 0, 0)
    assert {one["reason"] for one in report["set_apart"]} == {"day_first"}
    assert report["set_apart"][0]["ours"] == 46085


def test_dates_of_the_united_states_are_compared(tmp_path: Path) -> None:
    assert day_first(tmp_path, {"B1": 46085, "C1": 46086, "D1": "Mar"})["matched"] == 3
    report = day_first(tmp_path, {"B1": 46085, "C1": 46086, "D1": "April"})  # wrong in either way
    assert (report["locale"], report["matched"], report["mismatched"]) == (0, 2, 1)
    report = day_first(tmp_path, {"B1": 46085, "C1": 46086, "D1": "Apr"})  # with the day first more would differ
    assert (report["locale"], report["matched"], report["mismatched"]) == (0, 2, 1)


@pytest.mark.parametrize(
    ("criterion", "there", "apart"),
    [(">0,01", 5.5, True), ("<0,75", 0.5, True), (">1,234", 0, False), (">1.000,5", 0, False), ("<-0,5", 0, False)],
)
def test_decimal_commas_of_another_country_are_set_apart(
    tmp_path: Path, criterion: str, there: float, apart: bool
) -> None:
    from .files import model_of

    cells = {"A1": 0.5, "A2": 5, "B1": f'=SUMIF(A1:A2,"{criterion}")'}
    report = model_of(tmp_path, cells, cached={"B1": there}).run(sandboxed=False, explain=True).report
    assert (report["locale"], report["matched"], report["mismatched"]) == ((1, 0, 0) if apart else (0, 1, 0))
