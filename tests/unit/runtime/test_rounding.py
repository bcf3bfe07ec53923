"""Rounding to digits, whole numbers and multiples, on the decimal number that Excel shows."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from calls import DIV0, NUM, agrees, call
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("ROUND", (2.675, 2), 2.68),
        ("ROUND", (1.005, 2), 1.01),
        ("ROUND", (2.15, 1), 2.2),
        ("ROUND", (2.149, 1), 2.1),
        ("ROUND", (-1.475, 2), -1.48),
        ("ROUND", (-2.5, 0), -3.0),
        ("ROUND", (21.5, -1), 20.0),
        ("ROUND", (626.3, -3), 1000.0),
        ("ROUND", (1.98, -1), 0.0),
        ("ROUND", (-50.55, -2), -100.0),
        ("ROUND", (1234567890123456, 2), 1234567890123456.0),
        ("ROUND", (5.015, 2.9), 5.02),
        ("ROUND", (1e-20, 21), 1e-20),
        ("ROUND", (5, -400), 0.0),
        ("ROUNDUP", (3.2, 0), 4.0),
        ("ROUNDUP", (-3.14159, 1), -3.2),
        ("ROUNDUP", (31415.92654, -2), 31500.0),
        ("ROUNDUP", (1.1, 1), 1.1),
        ("ROUNDDOWN", (76.9, 0), 76.0),
        ("ROUNDDOWN", (-3.14159, 1), -3.1),
        ("ROUNDDOWN", (4.35, 2), 4.35),
        ("TRUNC", (-8.9,), -8.0),
        ("TRUNC", (0.45,), 0.0),
        ("INT", (-8.9,), -9.0),
        ("INT", (10.0**14 + 0.5,), 100000000000001.0),
        ("INT", (4.35 * 100,), 435.0),
        ("EVEN", (1.5,), 2.0),
        ("EVEN", (-1,), -2.0),
        ("ODD", (1.5,), 3.0),
        ("ODD", (0,), 1.0),
        ("ODD", (-2,), -3.0),
        ("CEILING", (2.5, 1), 3.0),
        ("CEILING", (-2.5, -2), -4.0),
        ("CEILING", (-2.5, 2), -2.0),
        ("CEILING", (2.5, -2), NUM),
        ("CEILING", (1.5, 0.1), 1.5),
        ("CEILING", (0.234, 0.01), 0.24),
        ("CEILING", (5, 0), 0.0),
        ("FLOOR", (3.7, 2), 2.0),
        ("FLOOR", (-2.5, -2), -2.0),
        ("FLOOR", (-2.5, 2), -4.0),
        ("FLOOR", (2.5, -2), NUM),
        ("FLOOR", (7.1, 0.1), 7.1),
        ("FLOOR", (0.234, 0.01), 0.23),
        ("FLOOR", (5, 0), DIV0),
        ("CEILING.MATH", (24.3, 5), 25.0),
        ("CEILING.MATH", (6.7,), 7.0),
        ("CEILING.MATH", (-8.1, 2), -8.0),
        ("CEILING.MATH", (-5.5, 2, -1), -6.0),
        ("FLOOR.MATH", (24.3, 5), 20.0),
        ("FLOOR.MATH", (-8.1, 2), -10.0),
        ("FLOOR.MATH", (-5.5, 2, -1), -4.0),
        ("CEILING.PRECISE", (-4.1, -2), -4.0),
        ("ISO.CEILING", (4.3,), 5.0),
        ("FLOOR.PRECISE", (-3.2, -1), -4.0),
        ("MROUND", (10, 3), 9.0),
        ("MROUND", (-10, -3), -9.0),
        ("MROUND", (1.3, 0.2), 1.4),
        ("MROUND", (5, -2), NUM),
        ("MROUND", (6.05, 0.1), 6.0),
        ("MROUND", (7.05, 0.1), 7.1),
        ("MOD", (3, 2), 1.0),
        ("MOD", (-3, 2), 1.0),
        ("MOD", (3, -2), -1.0),
        ("MOD", (-4, 2), 0.0),
        ("MOD", (3, 0), DIV0),
        ("MOD", (0.9, 0.3), 5.551115123125783e-17),
        ("MOD", (2.5, 0.02), 0.01999999999999995),
        ("MOD", (1e20, 3), NUM),
        ("QUOTIENT", (-10, 3), -3.0),
        ("QUOTIENT", (4.5, 3.1), 1.0),
        ("QUOTIENT", (1, 0), DIV0),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert agrees(call(name, *args), wanted, 14)


@given(st.integers(-(10**9), 10**9), st.integers(0, 6), st.integers(0, 6))
def test_round_is_decimal_rounding(digits: int, scale: int, places: int) -> None:
    decimal = Decimal(digits).scaleb(-scale)
    wanted = float(decimal.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)) + 0.0
    assert call("ROUND", float(decimal), float(places)) == wanted
    assert call("ROUND", [float(decimal)], float(places)) == [[wanted]]


@pytest.mark.parametrize("name", ["ROUND", "ROUNDUP", "ROUNDDOWN", "MOD"])
@given(st.lists(st.floats(-1e6, 1e6) | st.just(DIV0), min_size=1, max_size=5), st.integers(-3, 5))
def test_arrays_are_answered_like_scalars(name: str, numbers: list[Any], second: int) -> None:
    assert call(name, numbers, float(second)) == [[call(name, n, float(second))] for n in numbers]


@pytest.mark.parametrize("name", ["INT", "EVEN", "TRUNC"])
@given(st.lists(st.floats(-1e16, 1e16) | st.just(DIV0), min_size=1, max_size=5))
def test_wholes_of_arrays(name: str, numbers: list[Any]) -> None:
    args = (0.0,) if name == "TRUNC" else ()
    assert call(name, numbers, *args) == [[call(name, n)] for n in numbers]


def test_the_half_of_a_last_digit_counts_up() -> None:
    """Measured: INT(10^14+0.5) is 100000000000001 from Excel 2003 on. All 15 digits count."""
    assert call("INT", 10.0**14 + 0.5) == 100000000000001.0
    assert call("INT", -(10.0**14) - 0.5) == -100000000000001.0
    assert call("ROUND", 10.0**14 + 0.5, 0.0) == 100000000000001.0


@pytest.mark.parametrize("name", ["ROUND", "ROUNDUP", "ROUNDDOWN"])
@given(st.lists(st.floats(1e6, 1e12), min_size=1, max_size=8), st.integers(0, 4), st.integers(0, 3))
def test_long_numbers_in_arrays_are_answered_like_scalars(
    name: str, numbers: list[float], places: int, near: int
) -> None:
    """Next to a half, or to a whole number, where the 15 digits that are shown decide."""
    power = 10.0**places
    close = [(math.floor(n * power) + (0.5, 0.0, 0.4999, 0.95)[near]) / power for n in numbers]
    assert call(name, close, float(places)) == [[call(name, n, float(places))] for n in close]
