"""Aggregates over growing ranges in one pass are the same as one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.errors import DIV0, NA
from sheetrun.runtime.registry import find
from sheetrun.runtime.values import Arr
from sheetrun.runtime.windows import Growing, over

CELLS = st.one_of(
    st.floats(-1e6, 1e6), st.integers(-5, 5).map(float), st.sampled_from(["t", "5", True, False, None, DIV0, NA])
)


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("name", ["SUM", "MAX", "MIN", "COUNT", "COUNTA", "AVERAGE", "PRODUCT"])
@given(values=st.lists(CELLS, min_size=2, max_size=24))
def test_every_stage_is_as_computed_alone(name: str, down: bool, values: list[Any]) -> None:
    entry = find(name)
    assert entry is not None
    cells = Arr.flat(values, (len(values), 1) if down else (1, len(values)))
    found = Arr.of(over(entry.call, Growing(cells, (1, 1), len(values), down=down)))
    for k, ours in enumerate(found):
        part = cells.take(slice(0, k + 1), slice(None)) if down else cells.take(slice(None), slice(0, k + 1))
        alone = entry.call(part)
        if isinstance(alone, float) and isinstance(ours, float):
            assert math.isclose(ours, alone, rel_tol=1e-12, abs_tol=1e-9)
        else:
            assert ours is alone


def test_a_sum_grows_in_excels_order_of_adding() -> None:
    values = np.array([[0.1], [0.2], [0.3], [1e16], [-1e16]])
    entry = find("SUM")
    assert entry is not None
    found = over(entry.call, Growing(Arr(values), (1, 1), 5, down=True))
    total, expected = 0.0, []
    for value in values.ravel().tolist():
        total += value
        expected.append(total)
    assert np.asarray(found).ravel().tolist() == expected
