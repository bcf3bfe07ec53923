"""Whole columns in array formulas: every row counts, also those below the used range, and none of those is walked.

Excel's answer for A1:A60 is known to be right when all 60 rows are read. ``whole_columns.txt`` holds formulas over such
ranges; each is computed again with ranges of more than 40 rows taken for whole columns, which are read to row 24 only.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from sheetrun.formula.a1 import cell_name
from sheetrun.runtime import address, indexes
from sheetrun.runtime.lineindex import Index
from sheetrun.runtime.values import Arr
from tests.unit.compiler.making import Cells, computed, error, run, workbook_of

FORMULAS = Path(__file__).with_name("whole_columns.txt").read_text("utf-8").splitlines()

#: The columns, a line each; _ is an empty cell, '' a text of no length.
_COLUMNS = """
x x _ y x _ z x y _ x x z y _ x z x y x _ _ x y
1 2 _ 3.5 -1 1 2 _ 2 3.5 -1 _ 1 1 2 3.5 _ 2 -1 1 _ 2 3.5 1
x _ y '' 3 z _ 12 5 _ -2 x TRUE _ '' 3 y _ 5 z _ x 3 _
1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24
"""


def _value(written: str) -> Any:
    if written == "TRUE":
        return True
    return "'" + written.strip("'") if written[0] in "xyz'" else float(written)


def data() -> dict[str, Any]:
    lines = zip("ABCD", _COLUMNS.strip().splitlines(), strict=True)
    return {f"{c}{i}": _value(v) for c, line in lines for i, v in enumerate(line.split(" "), 1) if v != "_"}


def results(cells: Cells) -> dict[str, Any]:
    """Every formula of the list; they stand beside the data, so that the used range ends at row 24."""
    places = {formula: cell_name(i % 20, 8 + i // 20) for i, formula in enumerate(FORMULAS)}
    values = computed({**cells, **{at: f"{{={f}}}" for f, at in places.items()}}, {f"A{i}": i for i in range(1, 9)})
    return {formula: values.get(at) for formula, at in places.items()}


@pytest.fixture(scope="module")
def walked() -> dict[str, Any]:
    return results(data())


@pytest.fixture(scope="module")
def clipped() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(address, "VAST_ROWS", 40)
        return results(data())


@pytest.mark.parametrize("formula", FORMULAS)
def test_rows_below_the_used_range_count(formula: str, walked: dict[str, Any], clipped: dict[str, Any]) -> None:
    ours, wanted = clipped[formula], walked[formula]
    assert wanted is not None
    if isinstance(wanted, float):
        assert math.isclose(ours, wanted, rel_tol=1e-12, abs_tol=1e-12)
    assert isinstance(wanted, float) or ours == wanted


def columns(**formulas: str) -> dict[str, Any]:
    """Formulas about three short columns, on a sheet of their own."""
    cells = {"A1": "'x", "A3": "'y", "A4": "'x", "B1": 1.0, "B2": 2.0, "B4": 4.0, "C1": 1.0, "C2": 2.0, "C3": 3.0}
    found = computed(cells, {"A1": 1.0, "A9": 9.0}, {at: f"{{={f}}}" for at, f in formulas.items()})
    return {at: found.get(f"Sheet3!{at}") for at in formulas}


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("SUMPRODUCT(--(Sheet1!C1:C1048576=Sheet1!B1:B1048576))", 1_048_574),
        ('SUMPRODUCT(--(Sheet1!A:A=""))', 1_048_573),
        ('COUNT(IF(Sheet1!A:A="",1))', 1_048_573),
        ("SUMPRODUCT(--ISBLANK(Sheet1!A:A))", 1_048_573),
        ("SUM(--NOT(ISNUMBER(Sheet1!A:A)))", 1_048_576),
        ('ROWS(FILTER(Sheet1!A:A,Sheet1!A:A=""))', 1_048_573),
        ("SUMPRODUCT(1-(Sheet1!B:B>0))", 1_048_573),
        ('SUMPRODUCT(--(Sheet1!A2:A1048576=""))', 1_048_573),
        ('SUMPRODUCT(--(Sheet1!1:1=""))', 16_381),
        ('SUMPRODUCT(--(Sheet1!1:3=""))', 3 * 16_384 - 7),
        ('SUM(--(Sheet1!A:XFD=""))', 2.0**34 - 9),
        ("SUMPRODUCT(--(Sheet1!C:C=Sheet2!A:A))", 1_048_573),
        ("SUM(Sheet1!C:C,Sheet1!B:B)", 13),
        ('SUM(FILTER(Sheet1!C:C,Sheet1!A:A="x"))', 1),
        ('INDEX(Sheet1!C:C,MATCH(1,(Sheet1!A:A="y")*(Sheet1!C:C>2),0))', 3),
        ('MAX((Sheet1!A:A<>"")*ROW(Sheet1!A:A))', 4),
        ("SUM(ROW(Sheet1!A:A))", 2.0**19 * (2**20 + 1)),
        ("ROWS(MAP(Sheet1!A:A,LAMBDA(x,x)))", 1_048_576),
        ('REDUCE(0,Sheet1!A:A,LAMBDA(s,x,s+(x="x")))', 2),
        ('REDUCE(0,Sheet1!A:A,LAMBDA(s,x,MIN(s+(x=""),500)))', 500),
        ('SUM(REDUCE({1,2},Sheet1!A:A,LAMBDA(s,x,s+(x="x"))))', 7),
        ("SUM(SCAN(0,Sheet1!C:C,LAMBDA(s,x,s+x)))", 1 + 3 + 6.0 * (2**20 - 2)),
    ],
)
def test_a_million_rows(formula: str, result: float) -> None:
    assert columns(A1=formula)["A1"] == result


def test_an_array_that_would_not_fit_is_refused() -> None:
    report = run(workbook_of({"A1": 1.0}, {"A1": "{=MEDIAN(Sheet1!A:XFD+1)}"})).report
    assert "1,048,576 × 16,384" in str(report["errors"])


def test_a_whole_column_spills_from_the_first_row_only() -> None:
    cells = {"A1": "'x", "A3": "'y", "C1": '#=A:A=""', "E2": '#=A:A=""', "G1": "{=SUM(--C1#)}"}
    values = computed(cells)
    assert [values[at] for at in ("C1", "C2", "C3", "E2")] == [False, True, False, error("#SPILL!")]
    assert values["G1"] == 1_048_574


def test_whole_rows_repeat_their_last_column(monkeypatch: pytest.MonkeyPatch) -> None:
    cells: dict[str, Any] = {"A1": 1.0, "C1": 3.0, "A2": "'x", "B2": "'x"}
    formulas = [
        "SUM(--(A1:T1=0))",
        'SUM((A1:T1="")*(A2:T2="x"))',
        'COLUMNS(FILTER(A1:T2,A2:T2=""))',
        "SUM(A1:T2+Sheet2!A1:A3)",
        'MATCH(TRUE,A1:T1="",0)',
        'SUM(INDEX(--(A1:T2=""),2,0))',
        "SUM(--(TRANSPOSE(A1:T1)=0))",
        'AVERAGE(--(A1:T2=""))',
        'SUM(IF(A1:T1="",COLUMN(A1:T1)))',
    ]
    book = {**cells, **{f"F{i + 3}": f"{{={f}}}" for i, f in enumerate(formulas)}}
    wanted = computed(book, {"A1": 1.0})
    monkeypatch.setattr(address, "VAST_COLUMNS", 12)
    assert computed(book, {"A1": 1.0}) == wanted


def test_an_array_with_errors_and_a_whole_column() -> None:
    """Both have an arithmetic of their own: the whole column's is asked."""
    formulas = ("C:C+F1:F12", "F1:F12+C:C", "F1:F12*C:C", "C:C-F1:F12")
    cells = {f"H{row}": f"{{=SUM(IFERROR({formula},1))}}" for row, formula in enumerate(formulas, 1)}
    found = computed({"F2": "=1/0", **cells})
    assert [found[f"H{row}"] for row in range(1, 5)] == [2**20 - 11] * 4


def test_what_is_held_is_never_a_million_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """The point of it all: of the issue's formulas none makes an array of the column's length."""
    made: list[int] = []
    before = Arr.__init__

    def noted(self: Arr, num: Any, tag: Any = None) -> None:
        made.append(num.size)
        before(self, num, tag)

    monkeypatch.setattr(Arr, "__init__", noted)
    columns(
        A1='SUMPRODUCT((Sheet1!A:A="x")*(Sheet1!B:B>1),Sheet1!C:C)',
        A2='SUM(FILTER(Sheet1!C:C,Sheet1!A:A=""))',
        A3='INDEX(Sheet1!C:C,MATCH(1,(Sheet1!A:A="y")*(Sheet1!C:C>2),0))',
        A4='SMALL(IF(Sheet1!A:A="x",ROW(Sheet1!A:A)),2)',
        A5="LOOKUP(2,1/(Sheet1!A:A<>0),Sheet1!C:C)",
        A6='XLOOKUP("y",Sheet1!A:A&"",Sheet1!C:C)',
        A7='VLOOKUP("y",CHOOSE({1,2},Sheet1!A:A,Sheet1!C:C),2,0)',
        A8="AVERAGE(IF(ISNUMBER(Sheet1!B:B),Sheet1!C:C))",
    )
    assert max(made) < 1_000


def test_whole_columns_are_prepared_for_lookups_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Index] = []

    def make(*cells: Any) -> Index:
        made.append(Index(*cells))
        return made[-1]

    monkeypatch.setattr(indexes, "Index", make)
    cells = {f"A{r}": f"t{r}" for r in range(1, 41)} | {f"C{r}": f"=MATCH(D{r},A:A,0)" for r in range(1, 41)}
    got = run(workbook_of(cells | {f"D{r}": f"T{41 - r}" for r in range(1, 41)})).cells()
    assert [got[f"Sheet1!C{r}"] for r in range(1, 41)] == list(range(40, 0, -1))
    assert len(made) == 1
