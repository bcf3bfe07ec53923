"""Powers to the last bit, against values that Excel stored."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from calls import call

from sheetrun.runtime.errors import DIV0, NUM
from sheetrun.runtime.ops import power_arrays, raised
from sheetrun.runtime.powers import power, powers


@pytest.mark.parametrize(
    ("factor", "x", "y", "stored"),
    [  # stored by Excel as factor * x ^ y; math.pow gives another last digit
        (26.58964323580361, 47.54788230732848, -0.3, 8.347821548007063),
        (4.088334796944807, 7.099221950971362, -0.3, 2.270822700445594),
        (1.0, 2.5482732906242127 * 1.7498069281235102, 0.5, 2.1116311843421767),
        (1.0, 5.389431204774239 * 2.543277480640088, 0.5, 3.702272142422988),
    ],
)
def test_as_excel_stored_them(factor: float, x: float, y: float, stored: float) -> None:
    assert factor * power(x, y) == stored
    assert factor * powers(np.array([[x]]), np.array([[y]])) == stored


def test_whole_exponents_multiply_squares() -> None:
    x = 1.0 + 0.07 / 12
    square = x * x
    assert power(x, 3.0) == x * square
    assert power(x, 5.0) == x * (square * square)
    assert power(x, -5.0) == 1.0 / (x * (square * square))
    assert power(-2.0, 3.0) == -8.0
    assert power(2.0, 1023.0) == 2.0**1023


def test_arrays_are_answered_like_scalars() -> None:
    rng = random.Random(3)
    pairs = [(rng.uniform(0.01, 300.0), rng.choice([rng.uniform(-9, 9), float(rng.randint(-60, 60)), 0.5, -0.5]))
             for _ in range(3000)]  # fmt: skip
    pairs += [(-2.0, 3.0), (-2.0, -2.0), (0.0, 2.5), (1e200, 2.0), (1e-200, -2.0), (7.0, 0.0), (1.0, 2.0**40)]
    x, y = (np.array(column).reshape(-1, 1) for column in zip(*pairs, strict=True))
    together = power_arrays(x, y).ravel().tolist()
    for (base, exponent), found in zip(pairs, together, strict=True):
        alone = raised(base, exponent)
        assert (math.isnan(found) and alone is NUM) or found == alone, (base, exponent)


def test_what_has_no_power() -> None:
    assert call("POWER", 0, 0) is NUM
    assert call("POWER", 0, -1) is DIV0
    assert call("POWER", 0, 2.5) == 0.0
    assert call("POWER", -8, 1 / 3) == pytest.approx(-2.0, rel=1e-15)
    assert call("POWER", -8, 0.5) is NUM
    assert call("POWER", 10, 400) is NUM
    assert call("POWER", 1e-200, -2) is NUM
    for exponent in (-400, -400.5, -1e15):
        assert call("POWER", 10, exponent) == 0.0


def test_close_to_the_nearest_number() -> None:
    rng = random.Random(5)
    for _ in range(2000):
        x, y = rng.uniform(1e-3, 1e3), rng.uniform(-40.0, 40.0)
        assert power(x, y) == pytest.approx(math.pow(x, y), rel=1e-13)


def test_exponentials_and_logarithms_have_all_bits_in_arrays_too() -> None:
    rng = random.Random(7)
    numbers = [rng.uniform(1e-3, 700.0) for _ in range(3000)]
    assert [row[0] for row in call("EXP", numbers)] == [math.exp(x) for x in numbers]
    assert [row[0] for row in call("LN", numbers)] == [math.log(x) for x in numbers]
    assert [row[0] for row in call("LOG10", numbers)] == [math.log10(x) for x in numbers]
    assert call("EXP", [710.0, -800.0, 1.0]) == [[NUM], [0.0], [math.e]]
    assert call("LN", [0.0, -1.0, 1.0]) == [[NUM], [NUM], [0.0]]
