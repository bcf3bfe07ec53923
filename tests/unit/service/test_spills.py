"""References that are known only when a workbook is computed, and formulas whose results are arrays."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from .files import NA, REF, File, cells_of, computed, down, error, model_of, run_of


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


def test_functions_that_see_errors_see_those_of_an_array_formula_in_more_cells(tmp_path: Path) -> None:
    cells = {
        "A1": 1, "A2": "'x", "A3": 3,
        "C1:C4": "{=ISTEXT(A1:A3)}",
        "D1:D4": "{=ISERROR(A1:A3*2)}",
        "E1:E4": '{=IFERROR(A1:A3*2,"none")}',
        "F1:F4": '{=IF(ISNA(A1:A3),"none",A1:A3)}',
        "G1:G4": "{=IFNA(LET(x,A1:A3,x),0)+SUM(IFNA(A1:A3,0))}",
        "H1:I4": "{=ISNUMBER(A1:A3)}",
    }  # fmt: skip
    got = computed(tmp_path, cells)
    columns = {c: [got[f"{c}{r}"] for r in (1, 2, 3, 4)] for c in "CDEFGHI"}
    assert columns["C"] == [False, True, False, False]
    assert columns["D"] == [False, True, False, True]
    assert columns["E"] == [2, "none", 6, "none"]
    assert columns["F"] == [1, "x", 3, "none"]
    assert columns["G"] == [5, error("#VALUE!"), 7, 4]
    assert columns["H"] == columns["I"] == [True, False, True, False]


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


def test_a_long_chain_of_arrays_that_read_what_comes_later(tmp_path: Path) -> None:
    """Each reads cells that the next one fills only once it has grown: a pass for each of them, and no guess."""
    columns = [chr(ord("B") + k) for k in range(20)]
    cells: dict[str, Any] = {
        f"{c}1": f"#=SEQUENCE(1+COUNT({after}2:{after}50))" for c, after in itertools.pairwise(columns)
    }
    run = model_of(tmp_path, cells | {f"{columns[-1]}1": "#=SEQUENCE(A1)", "A1": 1}).run({"A1": 7}, sandboxed=False)
    assert run.get("B1:B8") == [[1], [2], [3], [4], [5], [6], [7], [None]]


def test_an_array_that_never_settles_is_spill(tmp_path: Path) -> None:
    """Microsoft's page "#SPILL! error - Indeterminate size" has this formula."""
    model = model_of(tmp_path, {"A1": "#=SEQUENCE(RANDBETWEEN(1,1000))", "B1": "=SUM(A1:A1000)", "C1": "#=SEQUENCE(3)"})
    run = model.run(sandboxed=False)
    assert run.get("A1") == {"error": "#SPILL!"}
    assert run.get("B1") == {"error": "#SPILL!"}
    assert run.get("C1:C3") == [[1], [2], [3]]


def test_one_call_over_an_array_draws_for_each_cell(tmp_path: Path) -> None:
    assert computed(tmp_path, {"B1": "{=COUNT(UNIQUE(RANDBETWEEN(0*ROW(A1:A300),10^12)))}"})["B1"] == 300


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"C2": 9}, [{"error": "#SPILL!"}, 9, None]),  # in its way
        ({"C1": 9}, [9, None, None]),  # in the place of its formula
        ({"C2": None}, [1, 2, 3]),
        ({"C4": 9}, [1, 2, 3]),
    ],
)
def test_an_input_within_a_spill(tmp_path: Path, inputs: dict[str, Any], expected: list[Any]) -> None:
    model = model_of(tmp_path, {"A1": 3, "C1:C3": "#=SEQUENCE(A1)"})
    assert [row[0] for row in model.run(inputs, sandboxed=False).get("C1:C3")] == expected
    assert model.calculate(inputs, ["Sheet1!C1:C3"])["Sheet1!C1:C3"] == [[value] for value in expected]


def test_a_spill_with_something_in_its_way(tmp_path: Path) -> None:
    cells = {"A1": 2, "C1:C2": "#=SEQUENCE(A1)", "C4": "stop", "E1:E2": "#=SEQUENCE(A1)", "E4": "=A1"}
    run = model_of(tmp_path, cells).run({"A1": 4}, sandboxed=False)
    assert run.get("C1:C4") == [[error("#SPILL!")], [None], [None], ["stop"]]
    assert run.get("E1:E4") == [[error("#SPILL!")], [None], [None], [4]]


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


def test_a_basis_that_is_several_areas(tmp_path: Path) -> None:
    """It is looked at before the dates are, whatever it is."""
    run = run_of(tmp_path, {"A1": 1, "B1": "=YEARFRAC(0,1,(A1,A1))", "B2": "=YEARFRAC(0,400,LAMBDA(x,x))"})
    assert run.report["errors"] == []
    assert run.get("B2") == error("#VALUE!")
