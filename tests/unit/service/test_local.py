"""A file in, numbers out: the whole path from .xlsx to values, against values that are known."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import xlsxwriter

from sheetrun.runtime.inputs import InputError
from sheetrun.sandbox.errors import SandboxError
from sheetrun.service.local import open_model
from sheetrun.workbook.errors import NoFormulas, WorkbookError
from sheetrun.workbook.reader import read

from .files import File, cells_of, computed, down, error, model_of, run_of

DIV0, NA, VALUE, REF, NAME = map(error, ("#DIV/0!", "#N/A", "#VALUE!", "#REF!", "#NAME?"))


def test_a_column_filled_down(tmp_path: Path) -> None:
    cells = {"A1": 1, "A2": 2, "A3": 3, **down("B1", 3, lambda r: f"=A{r}*10")}
    assert computed(tmp_path, cells) == {"B1": 10, "B2": 20, "B3": 30}


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


# -- cycles ------------------------------------------------------------------------------------------------------------


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


# -- references made at run time ---------------------------------------------------------------------------------------


def test_offset_and_indirect_reach_cells_that_come_later(tmp_path: Path) -> None:
    cells = {
        "A1": "=OFFSET(A1,2,0)",  # A3, which reads through INDIRECT
        "A3": '=INDIRECT("B"&5)+1',
        "B5": "=C9*2",
        "C9": "=OFFSET(D1,1,1,1,1)",
        "E2": "=3+4",
        "F1": "=SUM(OFFSET(A1,0,0,3,1))",
    }
    got = computed(tmp_path, cells)
    assert got == {"A1": 15, "A3": 15, "B5": 14, "C9": 7, "E2": 7, "F1": 30}


def test_chains_of_offset_are_not_bound_by_the_stack(tmp_path: Path) -> None:
    cells = {"A2001": 5, **down("A1", 2000, lambda r: f"=OFFSET(A{r},1,0)")}
    got = computed(tmp_path, cells)
    assert got["A1"] == got["A2000"] == 5


def test_indirect_by_name_table_and_r1c1(tmp_path: Path) -> None:
    file = File(tmp_path / "book.xlsx")
    sheet = file.sheet(
        "Sheet1",
        {
            "D1": '=INDIRECT("Rate")',
            "D2": '=SUM(INDIRECT("Sales[Qty]"))',
            "D3": '=INDIRECT("R2C1",FALSE)',
            "D4": '=INDIRECT("Nowhere!A1")',
            "D5": "=INDIRECT(A9)",
            "A9": "x",
        },
    )
    sheet.add_table("A1:B4", {"name": "Sales", "data": [[1, 2], [3, 4], [5, 6]], "columns": [{"header": "Qty"}, {}]})
    file.book.define_name("Rate", "=Sheet1!$B$3")
    assert cells_of(file.model().run(sandboxed=False)) == {"D1": 4, "D2": 9, "D3": 1, "D4": REF, "D5": REF}


# -- arrays ------------------------------------------------------------------------------------------------------------


def test_array_formulas(tmp_path: Path) -> None:
    cells = {
        "A1": 1, "A2": 2, "A3": 3, "B1": 4, "B2": 5, "B3": 6,
        "D1": "{=SUM(A1:A3*B1:B3)}",
        "E1:E3": "{=A1:A3+B1:B3}",
        "F1:F4": "{=A1:A3*10}",
        "G1:H2": "{=TRANSPOSE(A1:B2)}",
        "I1:I3": "{=7}",
    }  # fmt: skip
    got = computed(tmp_path, cells)
    assert got["D1"] == 32
    assert [got[f"E{r}"] for r in (1, 2, 3)] == [5, 7, 9]
    assert [got[f"F{r}"] for r in (1, 2, 3, 4)] == [10, 20, 30, NA]
    assert [got["G1"], got["H1"], got["G2"], got["H2"]] == [1, 2, 4, 5]
    assert [got[f"I{r}"] for r in (1, 2, 3)] == [7, 7, 7]


def test_spills(tmp_path: Path) -> None:
    cells = {
        "A1": 3, "A2": 1, "A3": 2,
        "C1:C3": "#=SORT(A1:A3)",
        "D1": "=SUM(C1#)",
        "E1:E3": "#=C1#*2",
        "F1": "=ROWS(C1#)",
        "G1": "=A1#",
    }  # fmt: skip
    run = run_of(tmp_path, cells)
    got = cells_of(run)
    assert [got[f"C{r}"] for r in (1, 2, 3)] == [1, 2, 3]
    assert [got[f"E{r}"] for r in (1, 2, 3)] == [2, 4, 6]
    assert got["D1"] == 6
    assert got["F1"] == 3
    assert got["G1"] == REF


def test_a_spill_that_grows(tmp_path: Path) -> None:
    model = model_of(tmp_path, {"A1": 2, "C1:C2": "#=SEQUENCE(A1)", "D1": "=SUM(C1#)"})
    run = model.run({"Sheet1!A1": 4}, sandboxed=False)
    assert run.get("C1:C5") == [[1], [2], [3], [4], [None]]
    assert run.get("D1") == 10
    shrunk = model.run({"Sheet1!A1": 1}, sandboxed=False)
    assert shrunk.get("C1:C2") == [[1], [None]]


def test_cells_that_a_spill_comes_to_reach_are_read_again(tmp_path: Path) -> None:
    cells = {"A1": 2, "B1": "=C4*10", "B2": "=SUM(C3:C9)", "B3": "=B1+B2", "C1:C2": "#=SEQUENCE(A1)"}
    model = model_of(tmp_path, cells)
    assert [model.run({"A1": n}, sandboxed=False).get("B3") for n in (4, 2, 5)] == [47, 0, 52]


def test_an_input_in_a_cell_that_a_spill_has_left_stays(tmp_path: Path) -> None:
    model = model_of(tmp_path, {"A1": 3, "C1:C3": "#=SEQUENCE(A1)", "D1": "=C1#*C3"})
    run = model.run({"A1": 1, "C3": 7}, sandboxed=False)
    assert run.get("C1:C3") == [[1], [None], [7]]
    assert run.get("D1") == 7


def test_arrays_that_shrink_where_another_one_grows(tmp_path: Path) -> None:
    """What grows is why all is computed again; what has shrunk by then has left cells that are still called its own."""
    cells = {"A1": 3, "A2": 2, "C1:C3": "#=SEQUENCE(A1)", "E1:E2": "#=SEQUENCE(A2)", "D1": "=C1#*C3", "F1": "=E4"}
    model = model_of(
        tmp_path, cells | {"G1": "=COUNT(C1:C9)+F1", "H1": '=INDIRECT("C2")', "J1:J3": "#=SEQUENCE(A1,1,F1)"}
    )
    run = model.run({"A1": 1, "A2": 4, "C3": 7}, sandboxed=False)
    assert run.get("C1:C3") == [[1], [None], [7]]
    assert [run.get(cell) for cell in ("D1", "F1", "G1", "H1")] == [7, 4, 6, 0]
    assert run.get("J1:J3") == [[4], [None], [None]]


def test_a_spill_with_something_in_its_way(tmp_path: Path) -> None:
    cells = {"A1": 2, "C1:C2": "#=SEQUENCE(A1)", "C4": "stop", "E1:E2": "#=SEQUENCE(A1)", "E4": "=A1"}
    run = model_of(tmp_path, cells).run({"A1": 4}, sandboxed=False)
    assert run.get("C1:C4") == [[error("#SPILL!")], [None], [None], ["stop"]]
    assert run.get("E1:E4") == [[error("#SPILL!")], [None], [None], [4]]


def test_implicit_intersection(tmp_path: Path) -> None:
    cells = {
        "A1": 10, "A2": 20, "A3": 30, "B5": 7, "C5": 8,
        "E1": "=$A$1:$A$3", "E2": "=$A$1:$A$3*2", "E3": "=$A$1:$A$3", "E4": "=$A$1:$A$3",
        "B6": "=$B$5:$C$5", "C6": "=$B$5:$C$5", "D6": "=$B$5:$C$5",
        "F2": "=SUM($A$1:$A$3*2)",
        "G2": "=IF($A$1:$A$3>15,1,0)",
    }  # fmt: skip
    got = computed(tmp_path, cells)
    assert [got[f"E{r}"] for r in (1, 2, 3, 4)] == [10, 40, 30, VALUE]
    assert [got[f"{c}6"] for c in "BCD"] == [7, 8, VALUE]
    assert got["F2"] == 40
    assert got["G2"] == 1


# -- errors, text and numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 17, 100])
def test_the_first_error_wins_in_blocks_of_any_size(tmp_path: Path, size: int) -> None:
    """NumPy may swap operands for the last few elements of an array: the code of an error must not change with that."""
    file = File(tmp_path / "book.xlsx")
    sheet = file.sheet("Sheet1", {})
    for r in range(1, size + 1):
        sheet.write_formula(f"A{r}", "=NA()", None, "#N/A")
        sheet.write_formula(f"B{r}", "=1/0", None, "#DIV/0!")
        for column, operator in zip("CDEF", "+-*/", strict=True):
            sheet.write_formula(f"{column}{r}", f"=A{r}{operator}B{r}")
        for column, operator in zip("GHIJ", "+-*/", strict=True):
            sheet.write_formula(f"{column}{r}", f"=B{r}{operator}A{r}")
        sheet.write_formula(f"K{r}", f"=A{r}^B{r}")
        sheet.write_formula(f"L{r}", f"=B{r}&A{r}")
        sheet.write_formula(f"M{r}", f"=(1+B{r})*(2-A{r})")
        sheet.write_formula(f"N{r}", f"=SUM(B{r},A{r})")
        sheet.write_formula(f"O{r}", f"=A{r}=B{r}")
        sheet.write_formula(f"P{r}", f"=-B{r}+A{r}")
    got = cells_of(file.model().run(sandboxed=False))
    for r in range(1, size + 1):
        assert [got[f"{c}{r}"] for c in "CDEFKO"] == [NA] * 6, r
        assert [got[f"{c}{r}"] for c in "GHIJLMNP"] == [DIV0] * 8, r


@pytest.mark.parametrize("size", [1, 3, 17, 100])
def test_coercion_in_blocks_of_any_size(tmp_path: Path, size: int) -> None:
    values = [3, "4", "x", True, None, "", "1e2", " 5 ", "12%", "$3"]
    cells: dict[str, object] = {}
    for r in range(1, size + 1):
        if values[r % len(values)] is not None:
            cells[f"A{r}"] = values[r % len(values)]
        cells[f"B{r}"] = f"=A{r}+1"
        cells[f"C{r}"] = f'=A{r}&"!"'
        cells[f"D{r}"] = f"=SUM(A{r},1)"
        cells[f"E{r}"] = f"=-A{r}"
        cells[f"F{r}"] = f"=A{r}>5"
    expected = {
        0: (4, "3!", 4, -3, False),
        1: (5, "4!", 1, -4, True),
        2: (VALUE, "x!", 1, VALUE, True),
        3: (2, "TRUE!", 1, -1, True),
        4: (1, "!", 1, 0, False),
        5: (VALUE, "!", 1, VALUE, True),
        6: (101, "1e2!", 1, -100, True),
        7: (6, " 5 !", 1, -5, True),
        8: (1.12, "12%!", 1, -0.12, True),
        9: (4, "$3!", 1, -3, True),
    }
    got = computed(tmp_path, cells)
    for r in range(1, size + 1):
        assert tuple(got[f"{c}{r}"] for c in "BCDEF") == expected[r % len(values)], r


def test_sums_that_are_only_noise_are_zero(tmp_path: Path) -> None:
    cells = {
        "A1": "=0.1+0.2-0.3",
        "A2": "=(0.1+0.2-0.3)",
        "A3": "=(0.1+0.2-0.3)*1",
        "A4": "=1.1-1-0.1",
        "B1": 0.3,
        "B2": "=0.1*3-B1",
        "B3": "=SUM(0.1,0.2,-0.3)",
        "C1": "=0.1+0.2=0.3",
    }
    got = computed(tmp_path, cells)
    assert got["A1"] == 0
    assert got["A2"] == got["A3"] == 0.1 + 0.2 - 0.3 > 0
    assert got["A4"] == 0  # 8E-17 is less than 1E-15 of what it was subtracted from
    assert got["B2"] == 0
    assert got["B3"] == 0.1 + 0.2 - 0.3
    assert got["C1"] is True


@pytest.mark.parametrize("size", [1, 3, 17])
def test_noise_in_blocks(tmp_path: Path, size: int) -> None:
    cells: dict[str, object] = {}
    for r in range(1, size + 1):
        cells |= {
            f"A{r}": 0.1,
            f"B{r}": 0.2,
            f"C{r}": 0.3,
            f"D{r}": f"=A{r}+B{r}-C{r}",
            f"E{r}": f"=(A{r}+B{r}-C{r})*2",
        }
    got = computed(tmp_path, cells)
    assert {got[f"D{r}"] for r in range(1, size + 1)} == {0}
    assert all(got[f"E{r}"] > 0 for r in range(1, size + 1))


@pytest.mark.parametrize("size", [1, 12])
def test_if_computes_only_the_branch_that_it_takes(tmp_path: Path, size: int) -> None:
    cells: dict[str, object] = {}
    for r in range(1, size + 1):
        cells |= {
            f"A{r}": r % 2,
            f"B{r}": f"=IF(A{r}=1,1/A{r},0)",
            f"C{r}": f"=IF(A{r}=0,5,1/0)",
            f"D{r}": f'=IFERROR(1/A{r},"none")',
            f"E{r}": f"=IF(A{r},10)",
            f"F{r}": f'=CHOOSE(A{r}+1,"zero",1/A{r})',
        }
    got = computed(tmp_path, cells)
    for r in range(1, size + 1):
        odd = r % 2 == 1
        expected = (1, DIV0, 1, 10, 1) if odd else (0, 5, "none", False, "zero")
        assert tuple(got[f"{c}{r}"] for c in "BCDEF") == expected


@pytest.mark.parametrize("size", [1, 9])
def test_aggregates_over_windows(tmp_path: Path, size: int) -> None:
    """SUM(A1:C1) filled down is one reduction; texts, logicals and empty cells count as for one cell."""
    rows = [(1, 2, 3), (4, "5", True), ("x", None, None), (None, None, -2), (1.5, "", 2.5)]
    cells: dict[str, object] = {}
    names = ("SUM", "AVERAGE", "MAX", "MIN", "COUNT", "COUNTA", "PRODUCT")
    for r in range(1, size + 1):
        for column, value in zip("ABC", rows[r % 5], strict=True):
            if value is not None:
                cells[f"{column}{r}"] = value
        for column, name in zip("EFGHIJK", names, strict=True):
            cells[f"{column}{r}"] = f"={name}(A{r}:C{r})"
    expected = {
        0: (6, 2, 3, 1, 3, 3, 6),
        1: (4, 4, 4, 4, 1, 3, 4),
        2: (0, DIV0, 0, 0, 0, 1, 0),
        3: (-2, -2, -2, -2, 1, 1, -2),
        4: (4, 2, 2.5, 1.5, 2, 3, 3.75),
    }
    got = computed(tmp_path, cells)
    for r in range(1, size + 1):
        assert tuple(got[f"{c}{r}"] for c in "EFGHIJK") == expected[r % 5], r


# -- what cannot be computed -------------------------------------------------------------------------------------------


def test_an_unknown_function_keeps_its_value_and_the_rest_goes_on(tmp_path: Path) -> None:
    cells = {"A1": 2, "B1": "=FROBNICATE(A1)", "C1": "=B1+1", "D1": "=A1*3"}
    run = run_of(tmp_path, cells, cached={"B1": 41, "C1": 42, "D1": 6})
    assert cells_of(run) == {"B1": 41, "C1": 42, "D1": 6}
    (problem,) = run.report["errors"]
    assert problem["cell"] == "Sheet1!B1"
    assert problem["code"] == "unknown_function"
    assert "FROBNICATE" in problem["detail"]
    assert (run.report["unsupported"], run.report["compared"], run.report["matched"]) == (1, 2, 2)


def test_a_formula_that_is_none(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"A1": "=1+", "A2": "=2+2"}, cached={"A1": 9, "A2": 4})
    assert cells_of(run) == {"A1": 9, "A2": 4}
    assert [e["code"] for e in run.report["errors"]] == ["bad_formula"]


def test_a_failure_while_running_spares_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sheetrun.runtime import api

    def broken(*_: object) -> float:
        raise RuntimeError("no")

    model = model_of(
        tmp_path,
        {"A1": 1, "A2": 2, **down("B1", 2, lambda r: f"=CEILING(A{r},5)"), **down("C1", 2, lambda r: f"=A{r}+1")},
        cached={"B1": 5, "B2": 5, "C1": 2, "C2": 3},
    )
    model.script()
    assert api.CEILING is not broken
    monkeypatch.setitem(vars(api), "CEILING", broken)
    run = model.run(sandboxed=False)
    assert cells_of(run) == {"B1": 5, "B2": 5, "C1": 2, "C2": 3}
    assert {e["code"] for e in run.report["errors"]} == {"internal_error"}
    assert run.report["unsupported"] == 2
    assert run.report["matched"] == 2


def test_external_links_use_what_the_file_has(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"A1": "='[Other.xlsx]Far'!A1*2", "A2": "=1+1"}, cached={"A1": 8, "A2": 2})
    assert cells_of(run) == {"A1": 8, "A2": 2}
    assert [e["code"] for e in run.report["errors"]] == ["external_link"]


# -- inputs and outputs ------------------------------------------------------------------------------------------------


def sales(folder: Path) -> File:
    file = File(folder / "book.xlsx")
    sheet = file.sheet("My Sheet", {"D1": 0.1, "E1": "=SUM(Sales[Qty])*Rate", "E2": "=E1*2", "E3": '=E2&""'})
    columns = [{"header": "Item"}, {"header": "Qty"}]
    sheet.add_table("A1:B4", {"name": "Sales", "data": [["a", 1], ["b", 2], ["c", 3]], "columns": columns})
    file.book.define_name("Rate", "='My Sheet'!$D$1")
    file.book.define_name("Total", "='My Sheet'!$E$1")
    return file


def test_outputs_by_every_kind_of_reference(tmp_path: Path) -> None:
    run = sales(tmp_path).model().run(sandboxed=False)
    assert run.get("E1") == pytest.approx(0.6)
    assert run.get("'My Sheet'!E1") == run.get("My Sheet!e1") == run.get("total") == run.get("=$E$1")
    assert run.get("Sales[Qty]") == [[1], [2], [3]]
    assert run.get("sales[[#all],[qty]]") == [["Qty"], [1], [2], [3]]
    assert run.get("A2:B3") == [["a", 1], ["b", 2]]
    assert run.get("Z99") is None


def test_inputs_by_every_kind_of_reference(tmp_path: Path) -> None:
    model = sales(tmp_path).model()
    assert model.run({"Rate": 1}, sandboxed=False).get("Total") == 6
    assert model.run({"my sheet!d1": "0.5"}, sandboxed=False).get("Total") == 3
    assert model.run({"Sales[Qty]": 10, "Rate": 1}, sandboxed=False).get("Total") == 30
    assert model.run({"Sales[Qty]": [10, 20, 30], "Rate": 1}, sandboxed=False).get("Total") == 60
    assert model.run({"B2:B4": [[1], [1], [1]], "Rate": 1}, sandboxed=False).get("Total") == 3
    assert model.run({"D1": None}, sandboxed=False).get("Total") == 0
    assert model.run({"D1": "x"}, sandboxed=False).get("Total") == VALUE
    assert model.run(sandboxed=False).get("Total") == pytest.approx(0.6)  # a run changes nothing for the next


def test_a_formula_cell_can_be_set(tmp_path: Path) -> None:
    run = sales(tmp_path).model().run({"E1": 100}, sandboxed=False)
    assert run.get("E1") == 100
    assert run.get("E2") == 200
    assert run.get("E3") == "200"
    assert run.report["inputs_changed"]


def test_a_cell_within_a_block_can_be_set(tmp_path: Path) -> None:
    model = model_of(
        tmp_path, {"A1": 1, **down("A2", 9, lambda r: f"=A{r - 1}+1"), **down("B1", 9, lambda r: f"=A{r}*2")}
    )
    got = cells_of(model.run({"A5": 100, "B2": -1}, sandboxed=False))
    assert [got[f"A{r}"] for r in range(2, 10)] == [2, 3, 4, 100, 101, 102, 103, 104]
    assert [got[f"B{r}"] for r in range(1, 10)] == [2, -1, 6, 8, 200, 202, 204, 206, 208]


def test_a_cell_that_is_set_breaks_its_cycle(tmp_path: Path) -> None:
    model = model_of(tmp_path, {"A1": "=B1+1", "B1": "=A1*2", "C1": "=B1"}, cached={"A1": 7, "B1": 14, "C1": 14})
    run = model.run({"A1": 10}, sandboxed=False)
    assert cells_of(run) == {"A1": 10, "B1": 20, "C1": 20}
    assert run.report["circular"] == 0


def test_a_set_cell_whose_formula_cannot_be_computed(tmp_path: Path) -> None:
    model = model_of(tmp_path, {"A1": "=FOO(1)", "B1": "=A1*2"}, cached={"A1": 7, "B1": 14})
    assert cells_of(model.run({"A1": 10}, sandboxed=False)) == {"A1": 10, "B1": 20}


def test_thousands_of_inputs(tmp_path: Path) -> None:
    cells = {"B1": 1, **down("A1", 5000, lambda r: f"=B{r}*2"), "C1": "=SUM(A1:A5000)"}
    model = model_of(tmp_path, cells)
    assert model.run({"B1:B5000": 3}, sandboxed=False).get("C1") == 30_000
    assert model.run({"A1:A4999": 1}, sandboxed=False).get("C1") == 4999


def test_a_cell_beyond_the_used_range_can_be_set(tmp_path: Path) -> None:
    run = model_of(tmp_path, {"A1": "=SUM(Z90:Z99)+A50"}).run({"Z95": 5, "A50": 2}, sandboxed=False)
    assert run.get("A1") == 7


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("Nope", "unknown_name"),
        ("Nope!A1", "unknown_sheet"),
        ("1+1", "unknown_reference"),
        ("A1:", "bad_reference"),
        ("", "bad_reference"),
        ("Sales[Nope]", "unknown_reference"),
        ("XFE1", "bad_reference"),
        ("A1048577", "bad_reference"),
    ],
)
def test_references_that_are_none(tmp_path: Path, reference: str, code: str) -> None:
    model = sales(tmp_path).model()
    with pytest.raises(InputError) as caught:
        model.run({reference: 1}, sandboxed=False)
    assert caught.value.code == code
    with pytest.raises(InputError):
        model.run(sandboxed=False).get(reference)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {}, object(), [[1], [2]], 10**400], ids=lambda value: repr(value)[:12]
)
def test_values_that_are_none(tmp_path: Path, value: object) -> None:
    with pytest.raises(InputError):
        sales(tmp_path).model().run({"D1": value}, sandboxed=False)


@pytest.mark.parametrize("value", [[1, 2], [[1, 2, 3]], [[1], [2]], []])
def test_arrays_of_the_wrong_shape(tmp_path: Path, value: object) -> None:
    with pytest.raises(InputError) as caught:
        sales(tmp_path).model().run({"Sales[Qty]": value}, sandboxed=False)
    assert caught.value.code == "wrong_shape"


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_without_formulas(tmp_path: Path) -> None:
    with pytest.raises(NoFormulas):
        model_of(tmp_path, {"A1": 1})


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"not a zip")
    with pytest.raises(WorkbookError):
        open_model(tmp_path / "x.xlsx")
    with pytest.raises(OSError):
        open_model(tmp_path / "absent.xlsx")


def test_the_file_with_new_values(tmp_path: Path) -> None:
    model = sales(tmp_path).model()
    data = model.run({"Rate": 1}, sandboxed=False).workbook_bytes()
    (tmp_path / "out.xlsx").write_bytes(data)
    again = open_model(tmp_path / "out.xlsx")
    assert again.run(sandboxed=False).report["mismatched"] == 0
    assert again.run(sandboxed=False).get("Total") == 6
    assert [s.name for s in read(data).sheets] == ["My Sheet"]


def test_report(tmp_path: Path) -> None:
    run = run_of(
        tmp_path, {"A1": 1, "B1": "=A1+1", "B2": "=A1+2", "B3": "=RAND()"}, cached={"B1": 2, "B2": 7, "B3": 0.5}
    )
    report = run.report
    assert (report["formulas"], report["compared"], report["matched"], report["mismatched"]) == (3, 2, 1, 1)
    assert report["volatile"] == 1
    assert report["mismatches"] == [{"cell": "Sheet1!B2", "formula": "=A1+2", "ours": 3, "excel": 7, "root": True}]
    assert set(report["duration_ms"]) == {"parse", "generate", "execute"}
    json.dumps(report)


def test_in_the_sandbox_the_same(tmp_path: Path) -> None:
    model = sales(tmp_path).model()
    inside, here = model.run({"Rate": 3}), model.run({"Rate": 3}, sandboxed=False)
    assert inside.cells() == here.cells()
    assert inside.get("Total") == 18


def test_in_the_sandbox_time_is_limited(tmp_path: Path) -> None:
    model = model_of(tmp_path, {"A1": "=SUM(SEQUENCE(1000000))", "A2": "=SUMPRODUCT(SORT(RANDARRAY(1000000)))"})
    with pytest.raises(SandboxError):
        model.run(timeout=0.01)


# -- the script by itself ----------------------------------------------------------------------------------------------


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


def test_names_with_hostile_text_in_a_file(tmp_path: Path) -> None:
    title = "a'\"{x}#\\"[:31].replace("\\", "").replace("'", "’")
    book = xlsxwriter.Workbook(str(tmp_path / "we\"ird'{0}.xlsx"))
    sheet = book.add_worksheet(title)
    sheet.write_string("A1", "\"\"\"\n'''\nimport os\x0b")
    sheet.write_formula("B1", '=A1&"""\\"&"{0}"')
    book.close()
    run = open_model(tmp_path / "we\"ird'{0}.xlsx").run()
    assert run.get("B1") == '"""\n\'\'\'\nimport os\x0b"\\{0}'


def test_a_function_of_an_add_in_is_not_excels_of_that_name(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"A1": "=_xll.SUM(1,2)", "B1": "=SUM(1,2)"}, cached={"A1": 7, "B1": 3})
    assert cells_of(run) == {"A1": 7, "B1": 3}
    assert [(e["cell"], e["code"]) for e in run.report["errors"]] == [("Sheet1!A1", "add_in")]


def test_lambdas_get_references_to_the_cells_of_a_range(tmp_path: Path) -> None:
    cells = {
        **{f"A{r}": r for r in range(1, 4)},
        **{f"B{r}": 10 * r for r in range(1, 4)},
        "D1:D3": "#=MAP(A1:A3,LAMBDA(a,OFFSET(a,0,1)+a))",
        "E1:E3": "#=BYROW(A1:B3,LAMBDA(r,ROW(r)*SUBTOTAL(9,r)))",
        "F1:G1": "#=BYCOL(A1:B3,LAMBDA(c,SUM(OFFSET(c,1,0,2))))",
        "H1:H3": "#=MAP(A1:A3*2,B1:B3,LAMBDA(a,b,a+b))",
        "I1:I2": "#=MAP(DROP(A1:A3,1),LAMBDA(a,OFFSET(a,-1,0)))",
    }
    got = cells_of(run_of(tmp_path, cells))
    assert [got[f"D{r}"] for r in (1, 2, 3)] == [11, 22, 33]
    assert [got[f"E{r}"] for r in (1, 2, 3)] == [11, 44, 99]
    assert [got["F1"], got["G1"]] == [5, 50]
    assert [got[f"H{r}"] for r in (1, 2, 3)] == [12, 24, 36]
    assert [got["I1"], got["I2"]] == [1, 2]
