"""Scalars in arrays and out again, shapes as Excel pairs them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from calls import ref
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime import pool
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT
from sheetrun.runtime.errors import DIV0, NA, VALUE, error_of
from sheetrun.runtime.tails import is_array
from sheetrun.runtime.values import MISSING, Arr, Erring, common_shape, decode, encode, erring

SCALARS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.text(max_size=8),
    st.sampled_from([NA, DIV0, VALUE]),
)


@given(SCALARS)
def test_what_is_encoded_is_decoded(value: Any) -> None:
    again = decode(*encode(value))
    assert type(again) is type(value)
    assert again == value
    assert Arr.of(value).cell(0, 0) == value


def test_the_encoding() -> None:
    assert encode(2.5) == (2.5, NUMBER)
    assert encode(3) == (3.0, NUMBER)
    assert encode(True) == (1.0, LOGICAL)
    assert encode(None) == encode(MISSING) == (0.0, EMPTY)
    num, tag = encode("12.5")
    assert (num, pool.text(tag - TEXT)) == (12.5, "12.5")
    num, tag = encode("abc")
    assert error_of(num) is VALUE
    assert tag >= TEXT
    num, tag = encode(NA)
    assert error_of(num) is NA
    assert tag == NUMBER


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_rows_go_in_and_come_out(height: int, width: int, data: st.DataObject) -> None:
    cells = [[data.draw(SCALARS) for _ in range(width)] for _ in range(height)]
    array = Arr.rows(cells)
    assert array.shape == (height, width)
    assert array.size == height * width
    assert array.to_rows() == cells
    assert list(array) == [v for row in cells for v in row]
    assert array.transposed().to_rows() == [list(column) for column in zip(*cells, strict=True)]
    flat = list(array)
    turned = [flat[i * height : (i + 1) * height] for i in range(width)]
    assert array.reshaped((width, height)).to_rows() == turned
    assert array.take(slice(0, 1), slice(None)).to_rows() == cells[:1]
    assert array.take(np.array([height - 1, 0]), np.array([0])).to_rows() == [[cells[-1][0]], [cells[0][0]]]
    first = next((v for v in array if v in (NA, DIV0, VALUE) and not isinstance(v, str | float | bool)), None)
    assert array.first_error() is first


def test_masks() -> None:
    array = Arr.rows([[1.0, "1", True, None, NA, "x"]])
    assert array.numbers().tolist() == [[True, False, False, False, False, False]]
    assert array.texts().tolist() == [[False, True, False, False, False, True]]
    assert array.empties().tolist() == [[False, False, False, True, False, False]]
    assert array.errors().tolist() == [[False, False, False, False, True, False]]
    plain = Arr(np.array([[1.0, float(NA)]]))
    assert plain.numbers().tolist() == [[True, False]]
    assert not plain.texts().any()
    assert not plain.empties().any()
    assert plain.first_error() is NA
    assert Arr.of("x").first_error() is None


def test_ways_to_make_an_array() -> None:
    assert Arr.column([1.0, "a"]).to_rows() == [[1.0], ["a"]]
    assert Arr.full((2, 2), "z").to_rows() == [["z", "z"], ["z", "z"]]
    assert Arr.full((1, 2), 5.0).tag is None
    assert Arr.logicals(np.array([[True, False]])).to_rows() == [[True, False]]
    assert Arr.of(np.array([[True]])).to_rows() == [[True]]
    assert Arr.of(np.array([[1.5]])).to_rows() == [[1.5]]
    assert Arr.of(ref([["a", 2]])).to_rows() == [["a", 2.0]]
    array = Arr.of(1.0)
    assert Arr.of(array) is array


@pytest.mark.parametrize(
    ("cells", "shape", "expected"),
    [
        ([[1]], (2, 2), [[1, 1], [1, 1]]),
        ([[1, "b"]], (2, 2), [[1, "b"], [1, "b"]]),
        ([[1], [True]], (2, 3), [[1, 1, 1], [True, True, True]]),
        ([[1, 2]], (2, 3), [[1, 2, NA], [1, 2, NA]]),
        ([[1, 2], [3, None]], (3, 3), [[1, 2, NA], [3, None, NA], [NA, NA, NA]]),
        ([[1, 2], [3, 4]], (2, 2), [[1, 2], [3, 4]]),
        ([[1, 2], [3, 4]], (1, 1), [[1]]),
    ],
)
def test_arrays_grow_as_excel_lets_them(cells: list[Any], shape: tuple[int, int], expected: list[Any]) -> None:
    assert Arr.rows(cells).expanded(shape).to_rows() == expected


def test_shapes() -> None:
    assert common_shape([]) == (1, 1)
    assert common_shape([np.zeros((2, 1)), Arr.of(1.0), np.zeros((1, 5))]) == (2, 5)


def test_what_is_an_array() -> None:
    assert is_array(Arr.of(1.0))
    assert is_array(np.zeros((1, 1)))
    assert is_array(erring(np.array([[float(NA)]])))
    assert not is_array(1.0)
    assert not is_array("x")


def test_only_arrays_with_errors_need_care() -> None:
    clean = np.ones((3, 1))
    assert erring(clean) is clean
    dirty = np.array([[1.0], [float(NA)]])
    assert isinstance(erring(dirty), Erring)
    assert np.shares_memory(erring(dirty), dirty)
