"""Different values as numpy.unique finds them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.distinct import distinct, distinct_places


@given(st.lists(st.integers(-5, 5)))
def test_as_numpy_finds_them(values: list[int]) -> None:
    given = np.array(values, np.int64)
    unique, inverse = np.unique(given, return_inverse=True)
    assert distinct(given).tolist() == unique.tolist()
    found, places = distinct_places(given)
    assert (found.tolist(), places.tolist()) == (unique.tolist(), inverse.tolist())


@given(st.lists(st.lists(st.integers(-5, 5), min_size=3, max_size=3), min_size=1))
def test_of_a_rectangle(values: list[list[int]]) -> None:
    assert distinct(np.array(values)).tolist() == np.unique(np.array(values)).tolist()
