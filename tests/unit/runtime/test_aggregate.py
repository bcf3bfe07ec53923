"""SUM, COUNT, AVERAGE, MAX and kin: what counts as a number, and the order of adding."""

from __future__ import annotations

import math
from typing import Any

import pytest
from calls import DIV0, MISSING, NA, VALUE, agrees, call, ref

MIXED = [[1, "7", True], [None, 2.5, ""]]


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("SUM", (MIXED,), 3.5),
        ("SUM", (MIXED, "3", True, 2), 9.5),
        ("SUM", (1, MISSING), 1.0),
        ("SUM", ("x",), VALUE),
        ("SUM", ("",), VALUE),
        ("SUM", ([1, NA, DIV0],), NA),
        ("SUM", ([1, DIV0], NA), DIV0),
        ("SUM", ([1, NA], "x"), NA),
        ("SUM", ([None],), 0.0),
        ("SUM", (0.1, 0.2, -0.3), 0.0),  # the last addition leaves noise
        ("SUM", ([0.1, 0.2, -0.3],), 0.0),
        ("SUM", (0.1, 0.2, -0.3, 0), 5.551115123125783e-17),  # it was not the last
        ("AVERAGE", (MIXED,), 1.75),
        ("AVERAGE", (1, MISSING), 0.5),
        ("AVERAGE", (["a"],), DIV0),
        ("AVERAGEA", (MIXED,), 4.5 / 5),
        ("AVERAGEA", ("x",), VALUE),
        ("COUNT", (MIXED,), 2.0),
        ("COUNT", (MIXED, "3", True, "x", MISSING, NA), 5.0),
        ("COUNTA", (MIXED, "", MISSING), 7.0),
        ("COUNTA", ([NA, None],), 1.0),
        ("COUNTBLANK", (MIXED,), 2.0),
        ("MAX", ([-3, -1, "5", True],), -1.0),
        ("MAX", (["a", None],), 0.0),
        ("MAX", (-1, MISSING), 0.0),
        ("MIN", ([3, 1, None],), 1.0),
        ("MAXA", ([-3, True, "5"],), 1.0),
        ("MINA", ([3, 0.5, "text"],), 0.0),
        ("MIN", ([1, NA],), NA),
        ("PRODUCT", ([2, 3, "x", None], 4), 24.0),
        ("PRODUCT", (["x"],), 0.0),
        ("SUMSQ", (3, 4), 25.0),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert agrees(call(name, *args), wanted, 14)


def test_sum_adds_from_left_to_right() -> None:
    terms = [0.1] * 1000
    expected = 0.0
    for term in terms:
        expected += term
    assert call("SUM", terms) == expected
    assert expected != math.fsum(terms)


def test_blank_cells_of_a_whole_column_count_beyond_the_used_range() -> None:
    column = ref([[1], [""], [None], [2]])
    assert call("COUNTBLANK", column.sheet.ref["A1:A1048576"]) == 1048576.0 - 2.0
    assert call("COUNTBLANK", column) == 2.0
