"""Order and equality across types; arrays compare as their elements do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime import pool
from sheetrun.runtime.compare import (
    compare,
    compare_arrays,
    compare_texts,
    equal_arrays,
    equal_numbers,
    rank,
    same_number,
)
from sheetrun.runtime.errors import NA
from sheetrun.runtime.values import Arr


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1.0, 2.0, -1),
        (2.0, 2.0, 0),
        (0.1 + 0.2, 0.3, 0),
        (1.0, 1.0 + 1e-14, -1),
        (1.0, 1.0 + 2e-16, 0),
        (0.0, 1e-300, -1),
        (-1.0, 1.0, -1),
        (1e300, -1e300, 1),
        ("a", "B", -1),
        ("a", "A", 0),
        ("STRASSE", "Straße", 0),
        ("é", "f", -1),
        ("a", "é", -1),
        ("co-op", "coop", 1),
        ("coop", "co-oq", -1),
        ("", "a", -1),
        ("1", "a", -1),
        ("_", "1", -1),
        ('"', "_", -1),
        (" ", "!", -1),
        ("~", "+", -1),
        (">", "0", -1),
        ("a b", "ab", -1),
        (9e99, "", -1),
        ("z", False, -1),
        (1.0, False, -1),
        (False, True, -1),
        (True, True, 0),
        (None, 0.0, 0),
        (None, "", 0),
        (None, False, 0),
        (None, None, 0),
        (None, 1.0, -1),
        (None, -1.0, 1),
        (None, "a", -1),
        (None, True, -1),
    ],
)
def test_pairs(a: Any, b: Any, expected: int) -> None:
    assert compare(a, b) == expected
    assert compare(b, a) == -expected


def test_ranks() -> None:
    assert [rank(v) for v in (1.0, "a", True, NA, None)] == [0, 1, 2, 3, 4]


NUMBERS = st.one_of(
    st.floats(-1e3, 1e3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 0.1 + 0.2, 0.3, 1.0, 1.0 + 2**-52, 1e15, 1e15 + 0.125, -0.3]),
)


@given(NUMBERS, st.integers(-40, 40))
def test_numbers_are_equal_to_fifteen_digits(value: float, steps: int) -> None:
    other = value
    for _ in range(abs(steps)):
        other = math.nextafter(other, math.inf if steps > 0 else -math.inf)
    if math.isfinite(other):
        assert same_number(value, other) == same_number(other, value)
        if same_number(value, other):
            assert f"{value:.14e}" == f"{other:.14e}" or value == other
    if 1e-290 < abs(value) < 1e300:
        assert not same_number(value, value * (1.0 + 2e-14))


SCALARS = st.one_of(
    NUMBERS, st.text("aAbB-' ", max_size=3), st.text(max_size=3), st.booleans(), st.none(), st.sampled_from(["", "10"])
)


@given(st.lists(st.tuples(SCALARS, SCALARS), min_size=1, max_size=12))
def test_arrays_compare_as_their_elements(pairs: list[tuple[Any, Any]]) -> None:
    left, right = Arr.column([a for a, _ in pairs]), Arr.column([b for _, b in pairs])
    order, bad = compare_arrays(left, right)
    assert not bad.any()
    assert order.ravel().tolist() == [compare(a, b) for a, b in pairs]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_equal_numbers_in_arrays(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array([[x] for x, _ in pairs]), np.array([[y] for _, y in pairs])
    assert equal_numbers(a, b).ravel().tolist() == [same_number(x, y) for x, y in pairs]
    assert equal_numbers(a, a.copy()).all()


def test_errors_in_arrays_are_told() -> None:
    order, bad = compare_arrays(Arr.column([1.0, NA, "x"]), Arr.of(1.0))
    assert bad.ravel().tolist() == [False, True, False]
    assert order[0, 0] == 0
    _, bad = compare_arrays(Arr(np.array([[1.0, float(NA)]])), Arr(np.array([[1.0], [float(NA)]])))
    assert bad.tolist() == [[False, True], [True, True]]


@given(st.lists(st.text(max_size=4), min_size=3, max_size=3))
def test_texts_have_one_order(texts: list[str]) -> None:
    a, b, c = texts
    assert compare_texts(a, b) == -compare_texts(b, a)
    if compare_texts(a, b) <= 0 and compare_texts(b, c) <= 0:
        assert compare_texts(a, c) <= 0


def test_cells_meet_a_text_before_any_text_was_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, fresh in (("_texts", []), ("_ids", {}), ("_folded", np.empty(0, np.int32)), ("_folded_count", 0)):
        monkeypatch.setattr(pool, name, fresh)
    cells = Arr.column(["4C", "4c", 1.0])
    same, _ = equal_arrays(cells, Arr.column(["4C"]))
    assert same.ravel().tolist() == [True, True, False]
