"""Dynamic arrays: made, filtered, sorted, reshaped, grouped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from calls import DIV0, MISSING, NA, NUM, VALUE, call, host, plain, ref
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.errors import CALC
from sheetrun.runtime.refs import Ref
from sheetrun.runtime.registry import find

GRID = [["b", 2], ["a", 3], ["B", 1], ["c", 3]]
SQUARE = [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("SEQUENCE", (2, 3), [[1, 2, 3], [4, 5, 6]]),
        ("SEQUENCE", (MISSING, 3, 10, -5), [[10, 5, 0]]),
        ("SEQUENCE", (0,), CALC),
        ("SEQUENCE", (-1,), VALUE),
        ("SEQUENCE", (1_048_576, 16_384), NUM),
        ("FILTER", (GRID, [True, False, 1, 0]), [["b", 2], ["B", 1]]),
        ("FILTER", (SQUARE, [[1, 0, 1]]), [[1, 3], [4, 6]]),
        ("FILTER", (GRID, [0, 0, 0, 0]), CALC),
        ("FILTER", (GRID, [0, 0, 0, 0], "none"), "none"),
        ("FILTER", (GRID, [0, DIV0, 0, 0]), DIV0),
        ("FILTER", (GRID, [1, 0]), VALUE),
        ("SORT", (GRID,), [["a", 3], ["b", 2], ["B", 1], ["c", 3]]),
        ("SORT", (GRID, 2, -1), [["a", 3], ["c", 3], ["b", 2], ["B", 1]]),
        ("SORT", (GRID, [[2, 1]], [[-1, -1]]), [["c", 3], ["a", 3], ["b", 2], ["B", 1]]),
        ("SORT", ([[3, 1, 2]], MISSING, MISSING, True), [[1, 2, 3]]),
        ("SORT", ([True, "a", 1, None, "B"],), [1, "a", "B", True, None]),
        ("SORT", ([1, None, 3], 1, -1), [3, 1, None]),
        ("SORT", (GRID, 3), VALUE),
        ("SORT", (GRID, 1, 2), VALUE),
        ("SORT", (CALC,), CALC),
        ("SORTBY", (["x", "y", "z"], [2, 1, 2], -1, [1, 1, 0]), ["z", "x", "y"]),
        ("SORTBY", (["x", "y"], [1, 2, 3]), VALUE),
        ("UNIQUE", (["b", "B", "a", 1, "1"],), ["b", "a", 1, "1"]),
        ("UNIQUE", ([1, 2, 1], False, True), [2]),
        ("UNIQUE", ([[1, 1, 2]], True), [[1, 2]]),
        ("UNIQUE", ([1, 1], False, True), CALC),
        ("TAKE", (SQUARE, 1), [[1, 2, 3]]),
        ("TAKE", (SQUARE, MISSING, -2), [[2, 3], [5, 6]]),
        ("TAKE", (SQUARE, 9, 1), [1, 4]),
        ("TAKE", (SQUARE, 0), CALC),
        ("DROP", (SQUARE, 1), [[4, 5, 6]]),
        ("DROP", (SQUARE, MISSING, -1), [[1, 2], [4, 5]]),
        ("DROP", (SQUARE, 2), CALC),
        ("VSTACK", ([[1, 2]], 3), [[1, 2], [3, NA]]),
        ("HSTACK", ([1, 2], "x"), [[1, "x"], [2, NA]]),
        ("VSTACK", ([[1, 2]], CALC), CALC),
        ("HSTACK", ([[1, 2]], CALC), CALC),
        ("TOROW", ([[1, None], [DIV0, 2]], 3), [[1, 2]]),
        ("TOCOL", (SQUARE, 0, True), [1, 4, 2, 5, 3, 6]),
        ("TOCOL", ([None], 1), CALC),
        ("WRAPROWS", ([1, 2, 3], 2), [[1, 2], [3, NA]]),
        ("WRAPCOLS", ([1, 2, 3], 2, 0), [[1, 3], [2, 0]]),
        ("WRAPROWS", (SQUARE, 2), VALUE),
        ("WRAPROWS", ([1], 0), NUM),
        ("EXPAND", ([[1]], 2, 2, "-"), [[1, "-"], ["-", "-"]]),
        ("EXPAND", (SQUARE, 1), VALUE),
        ("CHOOSEROWS", (SQUARE, -1, 1), [[4, 5, 6], [1, 2, 3]]),
        ("CHOOSECOLS", (SQUARE, [[3, 1]]), [[3, 1], [6, 4]]),
        ("CHOOSECOLS", (SQUARE, 4), VALUE),
        ("CHOOSECOLS", (SQUARE, [[1, 2], [2, 3]]), VALUE),
        ("CHOOSEROWS", (SQUARE, [[2], [1]]), [[4, 5, 6], [1, 2, 3]]),
        ("TRIMRANGE", ([[None, None], [None, 1], [None, None]],), [[1]]),
        ("TRIMRANGE", ([[None], [1], [None]], 1, 0), [1, None]),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    got = call(name, *args)
    if isinstance(wanted, list) and not isinstance(wanted[0], list):
        wanted = [[w] for w in wanted]
    assert got == wanted


def test_parts_of_references_are_references() -> None:
    take, trim = find("TAKE"), find("TRIMRANGE")
    assert take is not None
    assert trim is not None
    area = ref([[1, 2], [3, 4], [None, None]])
    part = take.call(area, -2.0, 1.0)
    assert isinstance(part, Ref)
    assert part.address == "A2:A3"
    assert trim.call(area).address == "A1:B2"


def test_random_arrays() -> None:
    draws = np.array(call("RANDARRAY", host(seed=1), 50, 2, 3, 7, True))
    assert draws.shape == (50, 2)
    assert set(draws.ravel().tolist()) == {3.0, 4.0, 5.0, 6.0, 7.0}
    assert call("RANDARRAY", host(), 1, 1, 2, 1) is VALUE
    assert call("RANDARRAY", host(), 1, 1, 0, 1.5, True) is VALUE


@given(st.lists(st.one_of(st.integers(-5, 5).map(float), st.text("aBc", max_size=2), st.booleans()), min_size=1))
def test_sorting_twice_changes_nothing(cells: list[Any]) -> None:
    once = call("SORT", cells)
    assert call("SORT", [row[0] for row in once]) == once


REGION = [["b", "x"], ["a", "x"], ["a", "y"], ["b", "x"]]
SALES = [1, 2, 3, 4]


def function(name: str) -> Any:
    entry = find(name)
    assert entry is not None
    return entry.call


def test_groupby() -> None:
    total, first = function("SUM"), [row[0] for row in REGION]
    assert call("GROUPBY", first, SALES, total) == [["a", 5.0], ["b", 5.0], ["Total", 10.0]]
    assert call("GROUPBY", first, SALES, total, MISSING, 0, -1) == [["b", 5.0], ["a", 5.0]]
    assert call("GROUPBY", REGION, SALES, total) == [
        ["a", "x", 2.0],
        ["a", "y", 3.0],
        ["b", "x", 5.0],
        ["Total", "", 10.0],
    ]
    assert call("GROUPBY", REGION, SALES, total, MISSING, 2) == [
        ["a", "x", 2.0],
        ["a", "y", 3.0],
        ["a", "", 5.0],
        ["b", "x", 5.0],
        ["b", "", 5.0],
        ["Grand Total", "", 10.0],
    ]
    assert call("GROUPBY", REGION, SALES, total, MISSING, 0, -3, MISSING, 1) == [
        ["b", "x", 5.0],
        ["a", "y", 3.0],
        ["a", "x", 2.0],
    ]
    assert call("GROUPBY", ["who", *first], ["n", *SALES], total, 3, 0) == [["who", "n"], ["a", 5.0], ["b", 5.0]]
    wanted = ["only", *(1.0 if one == "a" else 0.0 for one in first)]
    assert call("GROUPBY", ["who", *first], ["n", *SALES], total, 3, 0, MISSING, wanted) == [["who", "n"], ["a", 5.0]]
    assert call("GROUPBY", first, SALES, total, MISSING, 0, MISSING, [1, 0, 0, 1]) == [["b", 5.0]]
    assert call("GROUPBY", first, SALES, function("PERCENTOF"), MISSING, -1) == [["Total", 1.0], ["a", 0.5], ["b", 0.5]]
    assert call("GROUPBY", first, SALES, lambda part: total(part)) == call("GROUPBY", first, SALES, total)
    assert call("GROUPBY", first, SALES, 1) is VALUE
    assert call("GROUPBY", first, [1], total) is VALUE


def test_pivotby() -> None:
    first, second = [row[0] for row in REGION], [row[1] for row in REGION]
    assert call("PIVOTBY", first, second, SALES, function("SUM")) == [
        ["", "x", "y", "Total"],
        ["a", 2.0, 3.0, 5.0],
        ["b", 5.0, "", 5.0],
        ["Total", 7.0, 3.0, 10.0],
    ]
    shares = call("PIVOTBY", first, second, SALES, function("PERCENTOF"), 0, 0, MISSING, 0, MISSING, MISSING, 1)
    assert shares == [["", "x", "y"], ["a", 0.4, 0.6], ["b", 1.0, ""]]
    assert plain(call("PERCENTOF", [1, 2], [1, 2, 3])) == 0.5
    assert call("PERCENTOF", [1], [0]) is DIV0


def test_a_whole_column_ends_with_an_empty_cell() -> None:
    """Measured: DROP(UNIQUE(D:D),-1) takes it off."""
    from tests.unit.compiler.making import computed

    cells = {
        "D1": 1,
        "D2": 2,
        "D3": 1,
        "F1": "#=UNIQUE(D:D)",
        "G1": "#=COUNTA(UNIQUE(D:D))",
        "H1": "#=UNIQUE(D:D,,TRUE)",
    }
    assert computed(cells) == {"F1": 1, "F2": 2, "F3": 0, "G1": 3, "H1": 2}
    assert computed({"D1": 1, "D2": 2, "F1": "#=UNIQUE(D1:D2)", "G1": "#=COUNTA(UNIQUE(D1:D9))"})["G1"] == 3
    assert computed({"A1": 1, "C1": 2, "A3": "#=UNIQUE(1:1,TRUE)"}) == {"A3": 1, "B3": 0, "C3": 2}


def test_the_spill_of_a_cell_that_does_not_spill() -> None:
    from tests.unit.compiler.making import computed, error

    assert computed({"E1": 5, "A1": "=E1#", "A2": "#=SUM(E1#)"}) == {"A1": error("#REF!"), "A2": error("#REF!")}
    assert computed({"E1": "=2+3", "A1": "=E1#", "A2": "#=SUM(E1#)"}) == {"E1": 5, "A1": 5, "A2": 5}  # measured


def test_map_of_a_whole_column_does_not_walk_it() -> None:
    from tests.unit.compiler.making import computed

    cells = {
        "A1": 1,
        "A2": 2,
        "C1": "=SUM(MAP(A:A,LAMBDA(x,x*2)))",
        "D1": "=ROWS(MAP(A:A,LAMBDA(x,x&1)))",
        "E1": "=SUM(MAP(A:A,LAMBDA(x,1)))",
        "I1": "=SUM(BYROW(A:B,LAMBDA(r,SUM(r)+1)))",
        "F1": "=INDEX(MAP(A1:A100000,LAMBDA(x,ROW(x))),99999)",
        "G1": "=SUM(MAP(A1:A100000,SEQUENCE(100000),LAMBDA(x,y,x+y)))",
    }
    found = computed(cells)
    assert found == {"C1": 6, "D1": 1048576, "E1": 1048576, "I1": 1048579, "F1": 99999, "G1": 5000050003}


def test_the_spill_of_an_array_formula() -> None:
    from tests.unit.compiler.making import computed, error

    cells = {"A1:A3": "{=ROW(5:7)*2}", "B1": "{=MAX(A1:A3*2)}", "C1:D2": "{=A1:A3}"}
    asked = {
        "F1": "{=SUM(A1#)}",
        "F2": "=B1#",
        "F3": "=ROWS(C1#)*10+COLUMNS(C1#)",
        "F4": "{=SUM(A2#)}",  # not the first cell
        "F5": '{=SUM(INDIRECT("A1#"))}',
        "F6": '=ROWS(INDIRECT("A2#"))',
        "F7": "#=A1#*1",
    }
    values = computed(cells | asked)
    assert [values[f"F{i}"] for i in range(1, 10)] == [36, 28, 22, error("#REF!"), 36, error("#REF!"), 10, 12, 14]
