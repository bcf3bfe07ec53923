"""SUBTOTAL and AGGREGATE: nested subtotals, hidden rows, errors."""

from __future__ import annotations

from typing import Any

import pytest
from calls import DIV0, NA, NUM, VALUE, agrees, book_of, call, ref

DATA = [[1], [2], [4], [8], [3]]


@pytest.mark.parametrize(
    ("number", "wanted"),
    [(1, 3.6), (2, 5.0), (3, 5.0), (4, 8.0), (5, 1.0), (6, 192.0), (7, 2.701851), (8, 2.416609), (9, 18.0), (10, 7.3),
     (11, 5.84), (109, 18.0), (0, VALUE), (12, VALUE), (112, VALUE)],
)  # fmt: skip
def test_functions(number: int, wanted: Any) -> None:
    assert agrees(call("SUBTOTAL", number, ref(DATA)), wanted, 6)


def test_rows_hidden_by_hand_and_by_a_filter() -> None:
    area = ref(DATA)
    for view in area.book.views(0):
        view.hidden_rows = frozenset({2, 4})
    assert call("SUBTOTAL", 9, area) == 18.0
    assert call("SUBTOTAL", 109, area) == 8.0
    assert call("AGGREGATE", 9, 5, area) == 8.0
    assert call("AGGREGATE", 9, 4, area) == 18.0
    for view in area.book.views(0):
        view.filtered = True
    assert call("SUBTOTAL", 9, area) == 8.0


def test_nested_subtotals_do_not_count_twice() -> None:
    area = ref(DATA)
    area.book.formulas[0, 5, 1] = "=SUBTOTAL(9,A1:A2)"
    assert call("SUBTOTAL", 9, area) == 15.0
    assert call("AGGREGATE", 9, 0, area) == 15.0
    assert call("AGGREGATE", 9, 4, area) == 18.0
    area.book.formulas[0, 1, 1] = "=MYSUBTOTAL(1)"
    assert call("SUBTOTAL", 9, area) == 15.0


def test_aggregate_passes_over_errors() -> None:
    area = ref([[5], [NA], [2], [DIV0], [9]])
    assert call("SUBTOTAL", 9, area) is NA
    assert call("AGGREGATE", 9, 6, area) == 16.0
    assert call("AGGREGATE", 3, 6, area) == 3.0
    assert call("AGGREGATE", 9, 4, area) is NA
    assert call("AGGREGATE", 12, 6, area) == 5.0
    assert call("AGGREGATE", 14, 6, area, 1) == 9.0
    assert call("AGGREGATE", 15, 6, [5, NA, 2], 2) == 5.0
    assert call("AGGREGATE", 15, 6, [5, NA, 2], 3) is NUM
    assert call("AGGREGATE", 15, 6, [5, NA, 2], [1, 2, 3]) == [[2.0], [5.0], [NUM]]
    assert agrees(call("AGGREGATE", 16, 6, area, 0.5), 5.0)
    assert call("AGGREGATE", 20, 6, area) is VALUE
    assert call("AGGREGATE", 9, 8, area) is VALUE


def test_references_over_several_sheets_are_refused() -> None:
    book = book_of(A=DATA, B=DATA)
    assert call("SUBTOTAL", 9, book.span("A", "B", "A1:A5")) is VALUE
    assert call("SUBTOTAL", 9, 5.0) is VALUE
