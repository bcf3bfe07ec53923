"""A file in, numbers out: the whole path from .xlsx to values, against values that are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from sheetrun.sandbox.errors import SandboxError
from sheetrun.service import local
from sheetrun.service.local import open_model
from sheetrun.workbook.errors import NoFormulas, WorkbookError
from sheetrun.workbook.reader import read
from tests.unit.compiler.making import workbook_of

from .files import DIV0, NA, VALUE, File, cells_of, computed, down, model_of, run_of, sales


def test_a_column_filled_down(tmp_path: Path) -> None:
    cells = {"A1": 1, "A2": 2, "A3": 3, **down("B1", 3, lambda r: f"=A{r}*10")}
    assert computed(tmp_path, cells) == {"B1": 10, "B2": 20, "B3": 30}


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
        "B4": "=SUM(0.1,0.2,-0.3,0)",
        "C1": "=0.1+0.2=0.3",
    }
    got = computed(tmp_path, cells)
    assert got["A1"] == 0
    assert got["A2"] == got["A3"] == 0.1 + 0.2 - 0.3 > 0
    assert got["A4"] == 0  # 8E-17 has an exponent 50 below that of what was subtracted from
    assert got["B2"] == 0
    assert got["B3"] == 0
    assert got["B4"] == 0.1 + 0.2 - 0.3
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


@pytest.mark.parametrize(("formula", "times"), [("A1*2", 1), ("A1*2+0*RAND()", 2)])
def test_what_a_workbook_is_by_itself_is_computed_once(
    formula: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = local.Model("book.xlsx", workbook_of({"A1": 1.0, "B1": f"={formula}"}), 0.0)
    own, runs = local._computed, []

    def counted(*args: Any) -> Any:
        runs.append(args)
        return own(*args)

    monkeypatch.setattr(local, "_computed", counted)
    for low in (1.0, 5.0):
        table = model.scenarios({"A1": [low, low + 1.0]}, ["B1"])
        assert table.column(0) == [2 * low, 2 * low + 2.0]
    assert len(runs) == times
