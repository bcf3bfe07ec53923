"""Intervals hold what they are said to hold, and a tape that trusts them gives the bits of one that looks at everything."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laned import EVERY_KIND, FORMULAS, Lanes

from sheetrun.runtime import ops
from sheetrun.runtime.address import Span
from sheetrun.runtime.bounds import Between, Bounds
from sheetrun.runtime.recorded import Statement
from sheetrun.runtime.values import Scalar

NUMBERS = st.floats(-1e9, 1e9, allow_subnormal=False) | st.sampled_from([0.0, 1.0, -1.0, 0.1, 0.3, 1e-9, 1e300, -1e300])


@st.composite
def held(draw: st.DrawFn) -> tuple[Between, float]:
    """An interval and a number of it."""
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    return Between(low, high), draw(st.floats(low, high))


@given(held(), held(), st.sampled_from([operator.add, operator.sub, operator.mul, operator.truediv]))
def test_what_numbers_of_two_intervals_make_lies_in_what_the_intervals_make(
    one: tuple[Between, float], two: tuple[Between, float], function: Any
) -> None:
    (a, x), (b, y) = one, two
    with np.errstate(all="ignore"):
        found, value = function(a, b), function(np.float64(x), np.float64(y))
    if np.isfinite(value):
        assert found.low <= value <= found.high
    else:
        assert not np.isfinite(found.size), "what may be no number is not said to be one"


CELLS = {
    **EVERY_KIND,
    "G1": "=A1-2*B1+3",
    "G2:G9": "=$A$1*3-F2*0.15",  # at one of them 0.3 - 0.3
    "H1": "=(1+A1)^(1/12)-1",
    "H2": "=A1^2-ABS(A1)",
    "H3": "=100/(A1+3)",
    "H4": "=INT(A1*10)+ROUNDUP(A1,1)",
    "H5": "=MAX(C1:C4)-MIN(A1,0.2)-SUM(F1:F3)",
    "H6": '=IF(A1>0.25,"x",A1)',
    "H7": "=1/(A1-0.2)",
    "I1": "=A1+1", "I2": "=I1+$F$3", "I3": "=I2+$F$3", "I4": "=I3+$F$3", "I5": "=I4+$F$3", "I6": "=I5+$F$3",
    "J1": "=A1-1", "J2": "=J1+$F$1", "J3": "=J2+$F$1", "J4": "=J3+$F$1", "J5": "=J4+$F$1",
}  # fmt: skip
OUTPUTS = [*FORMULAS, "G1", "G2:G9", *(f"H{n}" for n in range(1, 8)), "I6", "J5"]
ADDRESSES = [address.partition(":")[0] for address in OUTPUTS] + [f"G{n}" for n in range(3, 10)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0.05, 0.4) | st.sampled_from([0.1, 0.2, 0.25, 0.3]), min_size=2, max_size=4))
def test_a_tape_that_knows_the_bounds_gives_the_bits_of_the_script(values: list[Scalar]) -> None:
    lanes = Lanes(CELLS, ADDRESSES, values, Between(0.05, 0.4))
    lanes.again(*values)
    lanes.again(*([0.1] * len(values)))


@given(st.lists(st.floats(0.05, 0.4), min_size=2, max_size=4))
@settings(max_examples=50, deadline=None)
def test_every_cell_lies_where_its_bounds_say(values: list[Scalar]) -> None:
    lanes = Lanes(CELLS, ADDRESSES, values)
    bounds = Bounds(lanes.book, {(0, 1, 1): Between(0.05, 0.4)})
    known = 0
    for part in lanes.replay._each:
        for sheet, span in part.stores:
            finite = bounds.follow(sheet, span, part.statement)
            num = lanes.book.laned(sheet)._lanes_of(span, lanes.book.laned(sheet).part(span) or (slice(0), slice(0)))[0]
            found = bounds._cells(sheet, span)
            numbers = np.isfinite(num)
            assert numbers.all() or not finite
            assert ((found.low[:, :, None] <= num) & (num <= found.high[:, :, None]) | ~numbers).all(), span
            known += finite
    assert known > len(lanes.replay._each) // 2


def doubts_of(formula: str, known: Between, others: dict[str, Any]) -> list[bool]:
    lanes = Lanes({"A1": 2.0, **others, "B1:B4": formula}, ["B1", "B4"], [2.0, 3.0], known)
    (doubt,) = lanes.replay._doubts.values()
    return np.broadcast_to(doubt, (4, 1)).ravel().tolist()


@pytest.mark.parametrize(
    ("formula", "known", "doubts"),
    [
        ("=$A$1+F1", Between(0.0, 9.0), [False] * 4),  # of one sign
        ("=$A$1-F1", Between(-9.0, -1.0), [False] * 4),
        ("=$A$1-F1", Between(1.5, 2.5), [False, True, False, False]),  # cancels beside 2 alone
        ("=F1-$A$1", Between(-9.0, 9.0), [True] * 4),
        ("=$A$1+F1", Between.holding(np.array([1.0]), np.array([5], np.int32)), [True] * 4),  # no number
    ],
)
def test_where_a_sum_may_be_noise(formula: str, known: Between, doubts: list[bool]) -> None:
    assert doubts_of(formula, known, {f"F{n}": float(n) for n in range(1, 5)}) == doubts


def test_what_a_step_is_that_nothing_is_known_of() -> None:
    lanes = Lanes({"A1": 2.0, "B1": "=A1+1"}, ["B1"], [2.0, 3.0])
    bounds = Bounds(lanes.book, {(0, 1, 1): Between(1.0, 2.0)})
    span = Span(1, 2, 1, 2)
    assert not bounds.follow(0, span, None)
    assert bounds.follow(0, span, Statement(0, "B1", 3.0))
    assert not bounds.follow(0, span, Statement(0, "B1", "word"))
    assert not bounds.follow(7, span, None), "a sheet of which no cell varies"


def test_an_input_stays_as_it_is_given_where_a_formula_stands() -> None:
    lanes = Lanes({"A1": 2.0, "B1": "=A1+1"}, ["B1"], [2.0, 3.0])
    bounds = Bounds(lanes.book, {(0, 1, 1): Between(1.0, 2.0), (0, 1, 2): Between(7.0, 8.0)})
    bounds.follow(0, Span(1, 2, 1, 2), Statement(0, "B1", 3.0))
    assert bounds._cells(0, Span(1, 2, 1, 2)).low == 7.0


def test_sums_that_may_be_noise_are_still_made_0() -> None:
    lanes = Lanes(CELLS, ADDRESSES, [0.2, 0.3], Between(0.05, 0.4))
    found = lanes.again(0.1, 0.3)
    assert found[str(Span(2, 7, 2, 7))] == [0.0, pytest.approx(0.6)], "0.1 * 3 - 0.3 is 5.55E-17 otherwise"
    assert ops.sub(0.1 * 3.0, 0.3) == 0.0
