"""LARGE and SMALL, percentiles, quartiles, ranks."""

from __future__ import annotations

from typing import Any

import pytest
from calls import NA, NUM, VALUE, agrees, call

DATA = [3, 5, 3, 5, 4, 4, 2, 4, 6, 7]
PARTS = [13, 12, 11, 8, 4, 3, 2, 1, 1, 1]
SCORES = [1, 2, 3, 6, 6, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("LARGE", (DATA, 3), 5.0),
        ("LARGE", (DATA, 7), 4.0),
        ("LARGE", (DATA, 0), NUM),
        ("LARGE", (DATA, 11), NUM),
        ("LARGE", (DATA, [1, 2, 99]), [7.0, 6.0, NUM]),
        ("SMALL", (DATA, 2), 3.0),
        ("SMALL", ("3.4", 1), 3.4),
        ("SMALL", (True, 1), 1.0),
        ("SMALL", ("Hello", 1), VALUE),
        ("SMALL", ([NA, 1], [[1, 2]]), [[NA, NA]]),
        ("PERCENTILE", ([1, 3, 2, 4], 0.3), 1.9),
        ("PERCENTILE.INC", ([1, 3, 2, 4], [0, 1, 1.1]), [1.0, 4.0, NUM]),
        ("PERCENTILE.EXC", (SCORES, 0.25), 2.5),
        ("PERCENTILE.EXC", (SCORES, 0.01), NUM),
        ("PERCENTILE.EXC", (SCORES, 0.9), 9.0),
        ("QUARTILE", ([1, 2, 4, 7, 8, 9, 10, 12], 1), 3.5),
        ("QUARTILE.INC", ([1, 2], 5), NUM),
        ("QUARTILE.EXC", ([6, 7, 15, 36, 39, 40, 41, 42, 43, 47, 49], 1), 15.0),
        ("QUARTILE.EXC", ([6, 7, 15, 36, 39, 40, 41, 42, 43, 47, 49], 3), 43.0),
        ("QUARTILE.EXC", (SCORES, 0), NUM),
        ("PERCENTRANK", (PARTS, 2), 0.333),
        ("PERCENTRANK.INC", (PARTS, 4), 0.555),
        ("PERCENTRANK.INC", (PARTS, 8), 0.666),
        ("PERCENTRANK.INC", (PARTS, 5), 0.583),
        ("PERCENTRANK.INC", (PARTS, 14), NA),
        ("PERCENTRANK.EXC", (SCORES, 7), 0.7),
        ("PERCENTRANK.EXC", (SCORES, 5.43), 0.381),
        ("PERCENTRANK.EXC", (SCORES, 5.43, 1), 0.3),
        ("PERCENTRANK.EXC", (SCORES, 5.43, 0), NUM),
        ("RANK", (3.5, [7, 3.5, 3.5, 1, 2], 1), 3.0),
        ("RANK.EQ", (7, [7, 3.5, 3.5, 1, 2], 1), 5.0),
        ("RANK.EQ", (3.5, [7, 3.5, 3.5, 1, 2]), 2.0),
        ("RANK.AVG", (94, [89, 88, 92, 101, 94, 97, 95]), 4.0),
        ("RANK.AVG", (3.5, [7, 3.5, 3.5, 1, 2]), 2.5),
        ("RANK", (4, [1, 2, 3]), NA),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert agrees(call(name, *args), wanted, 9)


def test_a_column_of_numbers_is_ranked_like_each_of_them() -> None:
    numbers = [7, 3.5, 3.5, 1, 2, "x", 99]
    for name in ("RANK.EQ", "RANK.AVG"):
        for order in (0, 1):
            assert call(name, numbers, numbers, order) == [[call(name, n, numbers, order)] for n in numbers]
