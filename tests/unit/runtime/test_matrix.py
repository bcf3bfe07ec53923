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


def test_an_inverse_is_exact_to_the_last_bit_of_elimination() -> None:
    """Where nearly all digits cancel the order of the operations shows: that of elimination by hand, column by column."""
    first, second, third = [7.0, 8.0, 9.0], [4.0, 5.0, 6.0], [1.0, 2.0, 3.0000001]
    a, b = second[0] / first[0], third[0] / first[0]
    second = [0.0, second[1] - a * first[1], second[2] - a * first[2]]
    third = [0.0, third[1] - b * first[1], third[2] - b * first[2]]
    assert abs(third[1]) > abs(second[1])  # they change places
    c = second[1] / third[1]
    last = second[2] - c * third[2]
    z = [(0.0 - a - c * (0.0 - b)) / last, 1.0 / last, (0.0 - c) / last]
    inverse = call("MINVERSE", [[1.0, 2.0, 3.0000001], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    assert inverse[2] == [z[2], z[1], z[0]]
    assert call("MDETERM", [[1.0, 2.0, 3.0000001], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]) == first[0] * third[1] * last


def test_products_are_summed_from_left_to_right() -> None:
    assert call("MMULT", [[0.1, 0.2, -0.3]], [[1.0], [1.0], [1.0]]) == [[0.1 + 0.2 - 0.3]]
    assert call("MMULT", [[-0.3, 0.2, 0.1]], [[1.0], [1.0], [1.0]]) == [[-0.3 + 0.2 + 0.1]]
