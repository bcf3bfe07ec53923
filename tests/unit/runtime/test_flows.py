"""NPV and IRR of many series at once are those of each series, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from sheetrun.runtime.api import IRR, NPV
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER
from sheetrun.runtime.errors import DIV0
from sheetrun.runtime.flows import flows
from sheetrun.runtime.values import Arr
from sheetrun.runtime.windows import Window

amounts = st.one_of(
    st.sampled_from([0.0, -100.0, 100.0, 1e300, -1e-300, float(DIV0)]),
    st.floats(-1e6, 1e6),
    st.integers(-9, 9).map(float),
)
rates = st.one_of(st.sampled_from([-1.0, -2.0, 0.0, 0.1, float(DIV0)]), st.floats(-0.99, 3.0))
tables = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(
        st.lists(amounts, min_size=shape[0] * shape[1] * shape[2], max_size=shape[0] * shape[1] * shape[2]).map(
            lambda values: np.array(values).reshape(shape[0], shape[1], 1, shape[2])
        ),
        st.lists(rates, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
            lambda values: np.array(values).reshape(shape[:2])
        ),
        st.booleans(),
    )
)


@given(tables)
def test_each_series_as_if_alone(table: tuple[np.ndarray, np.ndarray, bool]) -> None:
    num, side, mixed = table
    tag = np.full(num.shape, NUMBER, np.int32)
    if mixed:
        tag[..., 0] = EMPTY
        tag[..., -1] = LOGICAL
    window = Window(num, tag)
    side_arr = Arr(side)
    for function, found in (
        (NPV, Arr.of(flows(NPV, window, side_arr))),
        (IRR, Arr.of(flows(IRR, window, side_arr))),
        (None, Arr.of(flows(IRR, window))),
    ):
        for row, col in np.ndindex(side.shape):
            cells, rate = Arr(num[row, col], tag[row, col]), side_arr.cell(row, col)
            alone = IRR(cells) if function is None else NPV(rate, cells) if function is NPV else IRR(cells, rate)
            assert found.cell(row, col) == alone
        event(f"{'numbers' if np.isfinite(found.num).all() else 'errors'}")


def test_a_walk_that_is_lost_goes_on_alone() -> None:
    """Series whose secant walk finds nothing have the root that the function itself looks for, or #NUM!."""
    series = np.array(
        [[-1.0, 3.0, -2.5, 0.0, 0.0], [-70000.0, 12000.0, 15000.0, 18000.0, 21000.0], [1.0, 2.0, 3.0, 4.0, 5.0]]
    )
    window = Window(series.reshape(1, 3, 1, 5), np.zeros((1, 3, 1, 5), np.int32))
    found = Arr.of(flows(IRR, window))
    assert [found.cell(0, k) for k in range(3)] == [IRR(Arr(line.reshape(1, -1))) for line in series]
    assert found.cell(0, 1) == pytest.approx(-0.0212448482734)
