"""Formulas that read what their own block computes: running totals, recurrences of every direction, cycles."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheetrun.service.local import open_model

from .files import File, cells_of, computed, down, run_of


def test_running_totals(tmp_path: Path) -> None:
    cells = {
        **{f"A{r}": r for r in range(1, 11)},
        **down("B1", 10, lambda r: f"=SUM(A$1:A{r})"),
        "C1": "=A1",
        **down("C2", 10, lambda r: f"=C{r - 1}+A{r}"),
    }
    got = computed(tmp_path, cells)
    for r in range(1, 11):
        assert got[f"B{r}"] == got[f"C{r}"] == r * (r + 1) / 2


def test_recurrence_across_columns(tmp_path: Path) -> None:
    cells = {"A1": 1, "B1": 1}
    for previous, column, following in zip("ABCDEFGH", "BCDEFGHI", "CDEFGHIJ", strict=True):
        cells[f"{following}1"] = f"={previous}1+{column}1"  # type: ignore[assignment]
    got = computed(tmp_path, cells)
    assert [got[f"{c}1"] for c in "CDEFGHIJ"] == [2, 3, 5, 8, 13, 21, 34, 55]


def test_backward_recurrence(tmp_path: Path) -> None:
    """A value discounted from the last row to the first."""
    cells = {
        "B6": 100,
        **{f"A{r}": r for r in range(1, 6)},
        **down("B1", 5, lambda r: f"=A{r}+B{r + 1}/2"),
    }
    got = computed(tmp_path, cells)
    expected = 100.0
    for r in range(5, 0, -1):
        expected = r + expected / 2
        assert got[f"B{r}"] == expected


def test_mutual_recurrence(tmp_path: Path) -> None:
    """A loan: interest reads the balance before, the balance reads the interest."""
    cells = {
        "C1": 1000,
        **down("A2", 13, lambda r: f"=C{r - 1}*0.01"),
        **down("B2", 13, lambda r: f"=100-A{r}"),
        **down("C2", 13, lambda r: f"=C{r - 1}-B{r}"),
    }
    got = computed(tmp_path, cells)
    balance = 1000.0
    for r in range(2, 14):
        interest = balance * 0.01
        balance -= 100 - interest
        assert got[f"C{r}"] == pytest.approx(balance, rel=1e-12)


def test_recurrence_over_sheets(tmp_path: Path) -> None:
    first = {"A1": 1, **down("A2", 6, lambda r: f"=Sheet2!A{r - 1}*2")}
    second = down("A1", 6, lambda r: f"=Sheet1!A{r}+1")
    got = computed(tmp_path, first, second)
    assert [got[f"A{r}"] for r in range(2, 7)] == [4, 10, 22, 46, 94]
    assert got["Sheet2!A6"] == 95


def test_two_dimensions(tmp_path: Path) -> None:
    """Pascal's triangle."""
    cells = {f"{c}1": 1 for c in "ABCDEF"} | {f"A{r}": 1 for r in range(2, 7)}
    for left, column in zip("ABCDE", "BCDEF", strict=True):
        cells |= down(f"{column}2", 6, lambda r, a=left, b=column: f"={a}{r}+{b}{r - 1}")  # type: ignore[misc, assignment]
    got = computed(tmp_path, cells)
    assert got["F6"] == 252
    assert got["B6"] == 6


def test_cycles_keep_their_values_and_are_reported(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        {"A1": "=B1+1", "B1": "=A1*2", "C1": "=5*2"},
        cached={"A1": 7, "B1": 14},
    )
    assert cells_of(run) == {"A1": 7, "B1": 14, "C1": 10}
    assert run.report["circular"] == 2
    assert {(e["cell"], e["code"]) for e in run.report["errors"]} == {
        ("Sheet1!A1", "circular_reference"),
        ("Sheet1!B1", "circular_reference"),
    }
    assert run.report["unsupported"] == 2


def test_cycles_converge_where_iteration_is_on(tmp_path: Path) -> None:
    """Interest on the average balance, which holds the interest: b = 100 + 0.1 (100 + b) / 2."""
    file = File(tmp_path / "book.xlsx")
    file.sheet("Sheet1", {"A1": 100, "A2": "=(A1+A3)/2*0.1", "A3": "=A1+A2"})
    file.book.close()
    run = open_model(_with_iteration(file.path)).run(sandboxed=False)
    got = cells_of(run)
    assert got["A3"] == pytest.approx(105 / 0.95, abs=1e-3)
    assert got["A2"] == pytest.approx(105 / 0.95 - 100, abs=1e-3)
    assert run.report["errors"] == []


def _with_iteration(path: Path) -> Path:
    import zipfile

    changed = path.with_name("iterating.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "xl/workbook.xml":
                data = data.replace(b"<calcPr ", b'<calcPr iterate="1" ')
                assert b"iterate=" in data
            target.writestr(name, data)
    return changed


def test_a_counter_with_iteration_counts_from_its_value(tmp_path: Path) -> None:
    file = File(tmp_path / "book.xlsx")
    file.sheet("Sheet1", {"A1": "=MIN(A1+1,5)"}, cached={"A1": 2})
    file.book.close()
    assert cells_of(open_model(_with_iteration(file.path)).run(sandboxed=False)) == {"A1": 5}
