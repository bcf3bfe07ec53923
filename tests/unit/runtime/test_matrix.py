"""SUMPRODUCT, sums over pairs, MMULT, MINVERSE, MDETERM, MUNIT."""

from __future__ import annotations

from typing import Any

import pytest
from calls import NA, NUM, VALUE, agrees, call

YS, XS = [2, 3, 9, 1, 8, 7, 5], [6, 5, 11, 7, 5, 4, 4]


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("SUMPRODUCT", ([[3, 4], [8, 6], [1, 9]], [[2, 7], [6, 7], [5, 3]]), 156.0),
        ("SUMPRODUCT", ([1, "x", True, None, 2],), 3.0),
        ("SUMPRODUCT", ([1, 2], [1, 2, 3]), VALUE),
        ("SUMPRODUCT", ([1, NA], [1, 0]), NA),
        ("SUMPRODUCT", (3, 4), 12.0),
        ("SUMX2MY2", (YS, XS), -55.0),
        ("SUMX2PY2", (YS, XS), 521.0),
        ("SUMXMY2", (YS, XS), 79.0),
        ("SUMXMY2", ([1, "x", 5], [2, 3, 7]), 5.0),
        ("SUMXMY2", ([1, 2], [1]), NA),
        ("MMULT", ([[1, 3], [7, 2]], [[2, 0], [0, 2]]), [[2.0, 6.0], [14.0, 4.0]]),
        ("MMULT", ([[1, 3]], [[1, 2]]), VALUE),
        ("MMULT", ([[1, None]], [1, 2]), VALUE),
        ("MMULT", ([[1e308, 1e308]], [[10], [10]]), NUM),
        ("MINVERSE", ([[4, -1], [2, 0]],), [[0.0, 0.5], [-1.0, 2.0]]),
        ("MINVERSE", ([[0, 0], [0, 0]],), NUM),
        ("MINVERSE", ([[1, 2]],), VALUE),
        ("MDETERM", ([[1, 3, 8, 5], [1, 3, 6, 1], [1, 1, 1, 0], [7, 3, 10, 2]],), 88.0),
        ("MDETERM", ([[3, "x"], [1, 1]],), VALUE),
        ("MUNIT", (2,), [[1.0, 0.0], [0.0, 1.0]]),
        ("MUNIT", (0,), VALUE),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert agrees(call(name, *args), wanted, 12)
