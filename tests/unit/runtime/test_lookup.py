"""Lookups: exact and approximate, wildcards, types, whole columns at once, and the indexes behind them."""

from __future__ import annotations

import random
import time
from typing import Any

import numpy as np
import pytest
from calls import DIV0, MISSING, NA, REF, VALUE, call, ref, rows, sheet_of
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime import indexes
from sheetrun.runtime.registry import find
from sheetrun.runtime.values import Arr

TABLE = [["apple", 1, "a"], ["Banana", 2, "b"], ["cherry*", 3, "c"], [4, 4, "d"], [True, 5, "e"], [None, 6, "f"]]
NUMBERS = [1, 2, 2, 2, 5, 9]


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (("BANANA", TABLE, 2, False), 2.0),
        (("b*", TABLE, 3, False), "b"),
        (("cherry~*", TABLE, 2, False), 3.0),
        (("?anana", TABLE, 2, False), 2.0),
        ((4, TABLE, 3, False), "d"),
        (("4", TABLE, 3, False), NA),
        ((True, TABLE, 2, False), 5.0),
        ((None, TABLE, 2, False), NA),
        (("apple", TABLE, 0, False), VALUE),
        (("apple", TABLE, 4, False), REF),
        (("pear", TABLE, 0, False), NA),  # what is not found comes before a column that there is not
        (("pear", TABLE, 4, False), NA),
        ((DIV0, TABLE, 2, False), DIV0),
        ((3, [[1, "x"], [2, "y"], [4, "z"]], 2), "y"),
        ((0.5, [[1, "x"], [2, "y"]], 2), NA),
        ((2, [[1, "x"], [2, "y"], [2, "z"]], 2, True), "z"),
        (("x" * 256, TABLE, 1, False), VALUE),
        ((1, DIV0, 1, False), DIV0),
    ],
)
def test_vlookup(args: tuple[Any, ...], wanted: Any) -> None:
    assert call("VLOOKUP", *args) == wanted


def test_lookup_answers_from_a_vector_alone() -> None:
    table = ref([[1, 10], [2, 20], [3, 30]])
    assert call("LOOKUP", 2, ref([[1], [2], [3]]), table) is NA
    assert call("LOOKUP", [2, 3], [1, 2, 3], table) == [[NA], [NA]]


def test_hlookup_and_lookup() -> None:
    table = [["Axles", "Bearings", "Bolts"], [4, 4, 9], [5, 7, 10]]
    assert call("HLOOKUP", "Axles", table, 2, True) == 4.0
    assert call("HLOOKUP", "B", table, 3, True) == 5.0
    assert call("HLOOKUP", ["Bolts", "x"], table, 3, False) == [[10.0], [NA]]
    frequencies, colors = [4.14, 4.19, 5.17, 5.77, 6.39], ["red", "orange", "yellow", "green", "blue"]
    assert call("LOOKUP", 5.75, frequencies, colors) == "yellow"
    assert call("LOOKUP", 0, frequencies, colors) == NA
    assert call("LOOKUP", [7.66, 4.19], frequencies, colors) == [["blue"], ["orange"]]
    assert call("LOOKUP", "bump", [["a", 1], ["b", 2], ["c", 3]]) == 2.0
    assert call("LOOKUP", 2, [[1, 2, 3], ["a", "b", "c"]]) == "b"
    assert call("LOOKUP", 2, [1, DIV0, 1, DIV0], ["a", "b", "c", "d"]) == "c"


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ((2, NUMBERS), 4.0),
        ((2, NUMBERS, 0), 2.0),
        ((6, NUMBERS, 1), 5.0),
        ((0, NUMBERS, 1), NA),
        ((10, [5, 3, 1], -1), NA),
        ((2, [5, 3, 1], -1), 2.0),
        ((4, [5, 3, 6], -1), 1.0),
        ((3, [5, 3, 3, 1], -1), 2.0),
        ((0.3, [0.1 + 0.2], 0), NA),
        (("", ["a", None, ""], 0), 3.0),
        ((1, [[1, 2], [3, 4]], 0), NA),
        (("b", [1, "a", 2, "c"], 1), 2.0),
        ((9e307, [1, "x", 3, None, 2, "y"], 1), 5.0),
        ((False, [True, False], 0), 2.0),
    ],
)
def test_match(args: tuple[Any, ...], wanted: Any) -> None:
    assert call("MATCH", *args) == wanted


SCATTERED = [2, 5, 4, 5, 3, True, "ala"]
LETTERS = list("abcdefg")


@pytest.mark.parametrize(
    ("value", "options", "wanted"),
    [
        (5, (), "b"),
        (5, (MISSING, 0, -1), "d"),
        (9, ("none",), "none"),
        (9, (MISSING,), NA),
        (4.8, (MISSING, -1), "c"),
        (10, (MISSING, -1, -1), "d"),
        (1.8, (MISSING, -1), NA),
        (4.8, (MISSING, 1), "b"),
        (False, (MISSING, -1), "g"),  # the next smaller type, measured
        ("a*", (MISSING, 2), "g"),
        ("a*", (MISSING, 0), NA),
        ("^AL", (MISSING, 3), NA),
        ("^al", (MISSING, 3), "g"),
        (5, (MISSING, 4), VALUE),
        (5, (MISSING, 0, 3), VALUE),
    ],
)
def test_xlookup(value: Any, options: tuple[Any, ...], wanted: Any) -> None:
    assert call("XLOOKUP", value, SCATTERED, LETTERS, *options) == wanted


def test_xlookup_shapes() -> None:
    assert call("XLOOKUP", 2, [1, 2], [["a", "b"], ["c", "d"]]) == [["c", "d"]]
    assert call("XLOOKUP", 2, [[1, 2]], [["a", "b"], ["c", "d"]]) == [["b"], ["d"]]
    assert call("XLOOKUP", 1, [[1, 2]], [["a", "b", "c"]]) == VALUE
    assert call("XLOOKUP", [2, 7, DIV0], [1, 2], ["x", "y"], "no") == [["y"], ["no"], [DIV0]]
    assert call("XLOOKUP", None, ["a", None], [1, 2]) == 2.0
    entry = find("XLOOKUP")
    assert entry is not None
    found = entry.call(2.0, rows([[1], [2]]), ref([["a", 1], ["b", 2]]))
    assert found.address == "A2:B2"


@pytest.mark.parametrize(
    ("value", "mode", "search", "wanted"),
    [(3, 0, 2, 3.0), (2.5, -1, 2, 2.0), (2.5, 1, 2, 3.0), (0, -1, 2, NA), (2.5, 0, 2, NA), ("x", 2, 2, VALUE)],
)
def test_xmatch_in_order(value: Any, mode: int, search: int, wanted: Any) -> None:
    assert call("XMATCH", value, [1, 2, 3, 4], mode, search) == wanted


def test_xmatch_descending() -> None:
    assert call("XMATCH", 2.5, [4, 3, 2, 1], -1, -2) == 3.0
    assert call("XMATCH", 2.5, [4, 3, 2, 1], 1, -2) == 2.0
    assert call("XMATCH", 3, [4, 3, 3, 1], 0, -2) == 3.0
    assert call("XMATCH", 3, [1, 3, 3, 4], 0, 2) == 2.0
    assert call("XMATCH", "a", [1, 2], -1, 2) == 2.0
    assert call("XMATCH", 5, ["a", "b"], 1, 2) == 1.0


VALUES = st.one_of(
    st.integers(-3, 3).map(float), st.sampled_from(["a", "B", "b", "", "c*"]), st.booleans(), st.none(), st.just(DIV0)
)


@given(st.lists(VALUES, min_size=1, max_size=12), st.lists(VALUES, min_size=2, max_size=6), st.sampled_from([0, 1]))
def test_many_at_once_agree_with_one_by_one(cells: list[Any], wanted: list[Any], kind: int) -> None:
    assert call("MATCH", wanted, cells, kind) == [[call("MATCH", w, cells, kind)] for w in wanted]
    table = [[c, i] for i, c in enumerate(cells)]
    approximate = kind == 1
    assert call("VLOOKUP", wanted, table, 2, approximate) == [
        [call("VLOOKUP", w, table, 2, approximate)] for w in wanted
    ]
    assert call("XMATCH", wanted, cells, 2, -1) == [[call("XMATCH", w, cells, 2, -1)] for w in wanted]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.integers(-1, 31))
def test_an_approximate_match_in_order_is_the_last_not_greater(cells: list[int], value: int) -> None:
    cells.sort()
    below = [i for i, c in enumerate(cells) if c <= value]
    assert call("MATCH", value, cells, 1) == (below[-1] + 1.0 if below else NA)


def test_a_block_of_lookups_takes_no_time_to_speak_of() -> None:
    generator = random.Random(1)
    keys = list(range(20_000))
    generator.shuffle(keys)
    table = Arr(np.array([[k, k * 2] for k in keys], np.float64))
    wanted = np.array([[generator.randrange(25_000)] for _ in range(50_000)], np.float64)
    entry = find("VLOOKUP")
    assert entry is not None
    started = time.perf_counter()
    found = Arr.of(entry.call(wanted, table, 2.0, False))
    assert time.perf_counter() - started < 5.0  # two thousand times that when each one scans
    for at in (0, 1, 49_999):
        value = float(wanted[at, 0])
        assert found.cell(at, 0) == (value * 2 if value < 20_000 else NA)


def test_single_lookups_share_an_index_within_a_run() -> None:
    sheet = sheet_of([[i] for i in range(1_000)])
    column = sheet.arr["A1:A1000"]
    assert indexes.index_of(column) is not indexes.index_of(column)
    with indexes.kept():
        first = indexes.index_of(column)
        assert indexes.index_of(sheet.arr["A1:A1000"]) is first
        assert indexes.index_of(sheet.arr["A1:A999"]) is not first
        assert [first.exact(500.0) for _ in range(5)] == [500] * 5
        sheet["A501"] = -1.0
        indexes.forget()
        assert indexes.index_of(sheet.arr["A1:A1000"]).exact(500.0) == -1
