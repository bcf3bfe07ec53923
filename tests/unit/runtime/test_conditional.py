"""COUNTIF, SUMIF and kin: criteria, shapes, whole columns, many criteria at once."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from calls import DIV0, MISSING, NA, VALUE, book_of, call, ref, rows
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime import indexes
from sheetrun.runtime.sheet import Sheet

CELLS = [5, "5", "apple", "Apricot", True, None, "", NA, 7.5, "a*c", -1]
SALES = [
    ["East", 1, 10],
    ["West", 2, 20],
    ["east", 3, "n/a"],
    ["North", 4, 40],
    ["East", 5, True],
    ["East", 6, 60],
]


@pytest.mark.parametrize(
    ("criterion", "wanted"),
    [(5, 2), ("5", 2), ("=5", 2), (">5", 1), (">=5", 2), ("<0", 1), ("<>5", 10), ("apple", 1), ("APPLE", 1), ("a*", 3),
     ("?????", 1), ("a~*c", 1), ("", 2), ("=", 1), ("<>", 10), (True, 1), ("TRUE", 1), (NA, 1), ("#N/A", 1), (">b", 0),
     (None, 0), (MISSING, 0)],
)  # fmt: skip
def test_countif(criterion: Any, wanted: int) -> None:
    cells = ref([[c] for c in CELLS])
    assert call("COUNTIF", cells, criterion) == wanted
    assert call("COUNTIF", cells, [criterion, "zebra"]) == [[float(wanted)], [0.0]]


def sales() -> Sheet:
    return book_of(Sheet1=SALES)["Sheet1"]


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("SUMIF", ("A1:A6", "East", "C1:C6"), 70.0),
        ("SUMIF", ("A1:A6", "East", "C1"), 70.0),
        ("SUMIF", ("B1:B6", ">4"), 11.0),
        ("AVERAGEIF", ("A1:A6", "East", "C1:C6"), 35.0),
        ("AVERAGEIF", ("A1:A6", "South", "C1:C6"), DIV0),
        ("SUMIFS", ("C1:C6", "A1:A6", "East", "B1:B6", ">1"), 60.0),
        ("SUMIFS", ("C1:C6", "A1:A6", "East", "B1:B5", ">1"), VALUE),
        ("COUNTIFS", ("A1:A6", "East", "B1:B6", "<6"), 3.0),
        ("COUNTIFS", ("A1:A6", "East", "B1:B6"), VALUE),
        ("AVERAGEIFS", ("B1:B6", "A1:A6", "East"), 3.75),
        ("MAXIFS", ("C1:C6", "A1:A6", "East"), 60.0),
        ("MINIFS", ("C1:C6", "A1:A6", "East"), 10.0),
        ("MAXIFS", ("C1:C6", "A1:A6", "South"), 0.0),
    ],
)
def test_values(name: str, args: tuple[str, ...], wanted: Any) -> None:
    sheet = sales()
    values = [sheet.ref[a] if a[0] in "ABC" and a[1].isdigit() else a for a in args]
    assert call(name, *values) == wanted


def test_errors_among_the_selected_cells_are_the_result() -> None:
    sheet = book_of(Sheet1=[["a", 1], ["b", NA], ["a", 2]])["Sheet1"]
    key, value = sheet.ref["A1:A3"], sheet.ref["B1:B3"]
    assert call("SUMIFS", value, key, "a") == 3.0
    assert call("SUMIFS", value, key, "b") is NA
    assert call("SUMIFS", value, key, ["a", "b"]) == [[3.0], [NA]]
    assert call("MAXIFS", value, key, ["a", "b", "c"]) == [[2.0], [NA], [0.0]]


def test_whole_columns_are_clipped_to_what_is_used() -> None:
    book = book_of(Short=[["a", 1], ["b", 2]], Long=[[1], [2], [3], [""]])
    short, long = book["Short"], book["Long"]
    every = 1048576.0
    assert call("COUNTIF", short.ref["A1:A1048576"], "a") == 1.0
    assert call("COUNTIF", short.ref["A1:A1048576"], "") == every - 2
    assert call("COUNTIF", long.ref["A1:A1048576"], "=") == every - 4
    assert call("COUNTIFS", short.ref["A1:A1048576"], "", long.ref["A1:A1048576"], ["", "<>"]) == [
        [every - 3],
        [2.0],
    ]
    assert call("SUMIF", short.ref["A1:A1048576"], "", long.ref["A1:A1048576"]) == 3.0


def test_a_union_or_several_sheets_are_refused() -> None:
    book = book_of(A=SALES, B=SALES)
    assert call("COUNTIF", book.span("A", "B", "A1:A6"), "East") is VALUE
    assert call("COUNTIFS", ["a", "b"], ["a", "b"], ["a", "b"], book.span("A", "B", "A1:A6")) is VALUE


KEYS = st.sampled_from(["a", "A", "b", "c d", "", None, True, 1.0, 2.0, "2", 0.3, 0.1 + 0.2, NA])
CRITERIA = st.sampled_from(
    ["a", "b", "a*", "<>a", "", "=", "<>", ">1", "<=2", 2.0, "2", 0.3, True, None, NA, ">a", "?"]
)


@given(
    st.lists(st.tuples(KEYS, KEYS, st.one_of(st.integers(-9, 9), st.just("t"))), min_size=1, max_size=12),
    st.lists(CRITERIA, min_size=1, max_size=5),
    st.lists(CRITERIA, min_size=1, max_size=5),
)
def test_many_criteria_at_once_are_answered_like_each_alone(
    table: list[tuple[Any, ...]], first: list[Any], second: list[Any]
) -> None:
    sheet = book_of(Sheet1=[list(row) for row in table])["Sheet1"]
    last = len(table)
    a, b, c = (sheet.ref[f"{column}1:{column}{last}"] for column in "ABC")
    down, across = rows([[f] for f in first]), rows([second])
    pairs = list(itertools.product(first, second))
    for name, before in (("SUMIFS", (c,)), ("COUNTIFS", ()), ("AVERAGEIFS", (c,)), ("MAXIFS", (c,)), ("MINIFS", (c,))):
        found = call(name, *before, a, down, b, across)
        flat = [v for row in found for v in row] if isinstance(found, list) else [found]
        assert flat == [call(name, *before, a, x, b, y) for x, y in pairs]


def test_indexes_answer_like_scans() -> None:
    values = [[f"k{i % 7}", (i * 37) % 101, i / 4] for i in range(400)]
    sheet = book_of(Sheet1=values)["Sheet1"]
    key, number, amount = (sheet.ref[f"{column}1:{column}400"] for column in "ABC")
    asked = [("k3", ">50"), ("K3", "<=20"), ("<>k1", 37.0), ("k*", ">=100"), ("k9", ">0"), ("k5", "<>3")]
    scanned = [call("SUMIFS", amount, key, x, number, y) for x, y in asked]
    with indexes.kept():
        for _ in range(4):
            assert [call("SUMIFS", amount, key, x, number, y) for x, y in asked] == scanned
        sheet.store(1, 1, "k9")
        indexes.forget()
        assert call("COUNTIF", key, "k9") == 1.0
    between = call("SUMIFS", amount, number, [">10", ">20"], number, ["<30", "<25"])
    assert between == [
        [sum(c for _, b, c in values if 10 < b < 30)],
        [sum(c for _, b, c in values if 20 < b < 25)],
    ]
