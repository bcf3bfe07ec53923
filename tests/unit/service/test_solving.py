"""Zeros of functions: found wherever the sign changes, in few steps, and the best point is told when there is none."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.service.solving import around, between, bracket, find_zero


def solve(function: Callable[[float], float], low: float, high: float) -> tuple[float, float, int]:
    """(x, f(x), evaluations)."""
    count = 0

    def counted(x: float) -> float:
        nonlocal count
        count += 1
        return function(x)

    x, value = find_zero(counted, (low, function(low)), (high, function(high)), close=1e-12, tries=200)
    return x, value, count


#: Chandrupatla's own examples, and some that bracketing methods find hard; with their zeros.
HARD = [
    (lambda x: x**3 - 2 * x - 5, 2.0, 3.0, 2.0945514815423265),
    (lambda x: 1 - 1 / x**2, 0.5, 1.51, 1.0),
    (lambda x: (x - 3) ** 3, 0.0, 5.0, 3.0),
    (lambda x: math.exp(x) - 1 - x - x * x / 2, -1.0, 0.5, 0.0),
    (lambda x: x**9, -1.0, 0.9, 0.0),
    (lambda x: math.atan(x - 7), -1e6, 1e6, 7.0),
]


@pytest.mark.parametrize(("function", "low", "high", "zero"), HARD)
def test_known_zeros(function: Callable[[float], float], low: float, high: float, zero: float) -> None:
    x, value, count = solve(function, low, high)
    assert abs(value) <= 1e-12
    assert x == pytest.approx(zero, abs=0.1 if value == 0 or abs(value) < 1e-12 else 1e-9)
    assert count < 100


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1000), st.sampled_from([1, 3, 5]))
def test_any_monotone_function(zero: float, scale: float, power: int) -> None:
    function = lambda x: scale * (x - zero) ** power  # noqa: E731
    x, value, count = solve(function, zero - 3e5, zero + 7e5)
    assert count <= 200
    assert abs(value) <= 1e-6 or abs(x - zero) <= 1e-8 * max(1, abs(zero))


def test_a_jump_has_no_zero_and_its_edge_is_told() -> None:
    x, value, _ = solve(lambda x: 1.0 if x > 0.3 else -1.0, 0.0, 1.0)
    assert x == pytest.approx(0.3)
    assert abs(value) == 1.0


def test_the_bracket_nearest_to_where_we_are() -> None:
    points = [(0.0, 1.0), (1.0, -1.0), (2.0, None), (3.0, 2.0), (4.0, -2.0)]
    assert bracket(points, 4.0) == ((3.0, 2.0), (4.0, -2.0))
    assert bracket(points, 0.0) == ((0.0, 1.0), (1.0, -1.0))
    assert bracket([(0.0, 1.0), (1.0, 2.0)], 0.0) is None
    assert bracket([], 0.0) is None


@given(st.floats(-1e9, 1e9))
def test_points_around_a_start_are_in_order_and_on_both_sides(start: float) -> None:
    points = around(start)
    assert points == sorted(set(points))
    assert points[0] < start < points[-1]


def test_points_between_bounds_hold_both() -> None:
    points = between(0.1, 0.7)
    assert (points[0], points[-1], len(points)) == (0.1, 0.7, 33)
