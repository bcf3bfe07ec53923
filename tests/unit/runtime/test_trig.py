"""Trigonometric and hyperbolic functions."""

from __future__ import annotations

import math
from typing import Any

import pytest
from calls import DIV0, NUM, agrees, call


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("SIN", (math.pi / 2,), 1.0),
        ("SIN", (2.0**27,), NUM),
        ("SIN", (math.pi,), 1.22514845490862e-16),
        ("COS", (-math.pi / 2,), 6.1257422745431e-17),
        ("TAN", (math.pi / 2,), 1.63245522776191e16),
        ("COT", (1.5707963267938965,), 1.0001501580050864e-12),
        ("COS", (1.047,), 0.50017107),
        ("TAN", (0.785,), 0.99920399),
        ("COT", (30,), -0.15611995),
        ("COT", (0,), DIV0),
        ("SEC", (45,), 1.90359441),
        ("CSC", (15,), 1.53778056),
        ("ASIN", (-0.5,), -0.52359878),
        ("ASIN", (1.1,), NUM),
        ("ACOS", (-0.5,), 2.0943951),
        ("ATAN", (1,), 0.78539816),
        ("ATAN2", (-1, -1), -2.35619449),
        ("ATAN2", (0, 0), DIV0),
        ("ACOT", (2,), 0.46364761),
        ("ACOT", (-2,), 2.67794504),
        ("SINH", (1,), 1.17520119),
        ("COSH", (4,), 27.30823284),
        ("COSH", (1000,), NUM),
        ("TANH", (0.5,), 0.46211716),
        ("COTH", (2,), 1.03731472),
        ("COTH", (1e13,), 1.0),
        ("SECH", (45,), 5.7250371611e-20),
        ("SECH", (1e13,), 0.0),
        ("CSCH", (1.5,), 0.46964242),
        ("CSCH", (-1e13,), 0.0),
        ("CSCH", (0,), DIV0),
        ("ASINH", (-2.5,), -1.64723115),
        ("ACOSH", (10,), 2.99322285),
        ("ACOSH", (0.5,), NUM),
        ("ATANH", (0.76159416,), 1.00000001),
        ("ATANH", (1,), NUM),
        ("ACOTH", (6,), 0.16823612),
        ("ACOTH", (1,), NUM),
        ("DEGREES", (math.pi,), 180.0),
        ("RADIANS", (270,), 4.71238898),
        ("PI", (), math.pi),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert agrees(call(name, *args), wanted, 8)


@pytest.mark.parametrize(
    ("name", "angle", "wanted"),
    [  # measured: near the poles the pi of 64 bits shows
        ("COT", 3.141592653588793, -999788629259.2037),
        ("CSC", 3.141592653588793, 999788629259.2037),
        ("SEC", 1.5707963267938965, 999849864538.9548),
        ("SEC", 1.5707963267958966, -999972357604.5276),
        ("COT", 1.5707963267958966, -1.0000276431595956e-12),
        ("ACOT", 9999999999999.0, 1.0000000000001e-13),
    ],
)
def test_near_the_poles(name: str, angle: float, wanted: float) -> None:
    assert call(name, angle) == pytest.approx(wanted, rel=1e-13)
    assert call(name, [angle, angle])[1][0] == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize(
    "name",
    [
        "SIN", "COS", "TAN", "COT", "SEC", "CSC", "ASIN", "ACOS", "ATAN", "ACOT", "SINH", "COSH", "TANH", "COTH",
        "SECH", "CSCH", "ASINH", "ACOSH", "ATANH", "ACOTH", "DEGREES",
    ],
)  # fmt: skip
def test_arrays_are_answered_like_scalars(name: str) -> None:
    numbers = [-(2.0**27), -3.0, -0.5, 0.0, 0.25, 1.0, 2.0, 800.0]
    assert agrees(call(name, numbers), [call(name, n) for n in numbers], 14)
