"""Sums that leave only noise: the rule of binary digits, and that every way of adding up holds to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from calls import call, ref
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.noise import cleared, is_noise, noise_in
from sheetrun.runtime.registry import find
from sheetrun.runtime.tape import add_up
from sheetrun.runtime.values import Arr
from sheetrun.runtime.windows import Growing, Window, over

#: (what the last addition left, what stood before it, whether Excel stored 0): from real workbooks.
MEASURED = [
    (6.661338147750939e-16, 0.6999999999999993, True),
    (1.4210854715202004e-13, 91.60000000000014, False),
    (-1.1368683772161603e-13, 114.54381868167880, False),  # less than 1E-15 of it, and stored as it is
    (-2.7755575615628914e-17, -0.03, False),
    (1.3322676295501878e-15, 1.3040000000000014, True),  # more than 1E-15 of it, and stored as 0
    (-2.486899575160351e-14, -23.0372, True),
    (5.12e-13, 490.093, False),
    (2.220446049250313e-16, -1.225, True),
]

#: Numbers that cancel but for rounding, and others.
TENTHS = st.integers(-30, 30).map(lambda n: n / 10)
CELLS = st.lists(st.one_of(TENTHS, TENTHS, st.sampled_from([None, "t", True, 0.0])), min_size=2, max_size=9)


@pytest.mark.parametrize(("total", "before", "noise"), MEASURED)
def test_as_measured(total: float, before: float, noise: bool) -> None:
    assert is_noise(total, before) is noise
    assert noise_in(np.array([total, 1.0]), np.array([before, 1.0])).tolist() == [noise, False]
    assert cleared(np.array([total]), before).tolist() == [0.0 if noise else total]


@given(st.floats(allow_infinity=False), st.floats(allow_infinity=False))
def test_one_by_one_as_in_an_array(total: float, before: float) -> None:
    assert (
        noise_in(np.array([total]), np.array([before])).tolist() == [total != 0.0 and is_noise(total, before)]
        or not total
    )


def plainly(cells: list[Any]) -> float:
    """SUM, step by step."""
    numbers = [c for c in cells if type(c) is float]
    total = before = 0.0
    for number in numbers:
        before, total = total, total + number
    return 0.0 if is_noise(total, before) else total


@given(CELLS)
def test_every_way_of_adding_up(values: list[Any]) -> None:
    entry = find("SUM")
    assert entry is not None
    column = Arr.flat(values, (len(values), 1))
    assert entry.call(column) == plainly(values)
    growing = Arr.of(over(entry.call, Growing(column, (1, 1), len(values), down=True)))
    assert list(growing) == [plainly(values[: k + 1]) for k in range(len(values))]
    height = len(values) // 2
    sliding = Arr.of(over(entry.call, Window.sliding(column, height, 1)))
    assert list(sliding) == [plainly(values[k : k + height]) for k in range(len(values) - height + 1)]
    first, rest = Window.sliding(column.take(slice(0, 1), slice(None)), 1, 1), column.take(slice(1, None), slice(None))
    both = Arr.of(over(entry.call, first, Window(rest.num[None, None], rest.tags()[None, None])))
    assert list(both) == [plainly(values)]


@given(st.lists(TENTHS, min_size=2, max_size=9))
def test_in_lanes(values: list[float]) -> None:
    for last, wanted in ((True, plainly(values)), (False, float(np.add.accumulate(values)[-1]))):
        out = np.empty((1, 1, 2))
        add_up(np.repeat(np.array(values), 2).reshape(-1, 1, 2), last, out)
        assert out.ravel().tolist() == [wanted, wanted]


def test_subtotals_too() -> None:
    assert call("SUBTOTAL", 9, ref([[0.1], [0.2], [-0.3]])) == 0.0
