"""The error that comes first wins in + - * /, for scalars and arrays, in both orders, at every length SIMD loops have.

Errors in arrays are NaNs that carry a code; this rests on what this machine's NumPy does with two NaNs.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime import ops
from sheetrun.runtime.cells import ERROR_CODES, box, error_numbers, unbox
from sheetrun.runtime.errors import DIV0, NA, NUM, REF, VALUE, ExcelError, error_of
from sheetrun.runtime.values import Arr, Erring, erring

PYTHON = [operator.add, operator.sub, operator.mul]
OPERATORS = [ops.plus, ops.minus, ops.times, ops.add, ops.sub, ops.div, ops.power]
LENGTHS = [*range(1, 20), 31, 32, 33, 63, 64, 65, 127, 1000, 1023, 4096, 10_001]


def filled(value: Any, length: int) -> Any:
    return erring(np.full((length, 1), float(value)))


def codes(array: Any) -> set[str]:
    array = np.asarray(array)
    assert np.isnan(array).all()
    return {unbox(v) for v in array.ravel().tolist()}


@pytest.mark.parametrize("code", ERROR_CODES)
def test_a_boxed_error_is_read_again(code: str) -> None:
    assert unbox(box(code)) == code
    assert unbox(-box(code)) == code
    assert error_of(float(ExcelError(code))) is ExcelError(code)
    assert error_numbers(np.array([box(code), float("nan")])).tolist() == [ERROR_CODES[code], ERROR_CODES["#NUM!"]]


@pytest.mark.parametrize("operation", PYTHON)
@pytest.mark.parametrize("length", LENGTHS)
def test_arrays_as_scripts_write_them(operation: Callable[[Any, Any], Any], length: int) -> None:
    first, second, numbers = filled(REF, length), filled(NA, length), np.full((length, 1), 2.0)
    assert codes(operation(first, second)) == {"#REF!"}
    assert codes(operation(second, first)) == {"#N/A"}
    assert codes(operation(first, numbers)) == codes(operation(numbers, first)) == {"#REF!"}
    assert codes(operation(first, 2.0)) == codes(operation(2.0, first)) == {"#REF!"}
    assert codes(operation(first, NA)) == {"#REF!"}
    assert codes(operation(NA, first)) == {"#N/A"}
    assert codes(operation(numbers, NA)) == codes(operation(NA, numbers)) == {"#N/A"}
    assert isinstance(operation(first, second), Erring)
    assert codes(operation(operation(first, 1.0), second)) == {"#REF!"}
    assert codes(operation(operation(numbers, second), first)) == {"#N/A"}
    assert codes(-first) == {"#REF!"}


@pytest.mark.parametrize("operation", OPERATORS)
@pytest.mark.parametrize("length", LENGTHS)
def test_arrays_by_operators(operation: Callable[[Any, Any], Any], length: int) -> None:
    first, second = Arr(np.full((length, 1), float(DIV0))), Arr(np.full((length, 1), float(VALUE)))
    assert codes(operation(first, second)) == {"#DIV/0!"}
    assert codes(operation(second, first)) == {"#VALUE!"}
    assert codes(operation(first, VALUE)) == {"#DIV/0!"}
    assert codes(operation(VALUE, first)) == {"#VALUE!"}
    assert codes(operation(3.0, first)) == codes(operation(first, 3.0)) == {"#DIV/0!"}


@pytest.mark.parametrize("operation", [*PYTHON, *OPERATORS])
def test_scalars(operation: Callable[[Any, Any], Any]) -> None:
    assert operation(REF, NA) is REF
    assert operation(NA, REF) is NA
    assert operation(1.0, NA) is NA
    assert operation(NA, 1.0) is NA


def test_division_by_zero_and_by_errors() -> None:
    zeros = np.zeros((9, 1))
    assert codes(ops.div(1.0, Arr(zeros))) == {"#DIV/0!"}
    assert codes(ops.div(Arr(np.full((9, 1), float(NA))), Arr(zeros))) == {"#N/A"}
    assert codes(ops.div(Arr(zeros), NA)) == {"#N/A"}
    assert ops.div(NA, 0.0) is NA
    assert ops.div(0.0, 0.0) is DIV0
    assert codes(ops.power(Arr(zeros), 0.0)) == {"#NUM!"}
    assert ops.power(0.0, -1.0) is DIV0


def test_an_error_is_no_condition() -> None:
    with pytest.raises(TypeError):
        bool(NUM)


ERRORS = st.sampled_from([DIV0, NA, NUM, REF, VALUE])
MIXED = st.lists(st.one_of(st.floats(-100, 100), ERRORS), min_size=1, max_size=70)


@given(MIXED, st.data(), st.sampled_from(PYTHON))
def test_element_by_element(left: list[Any], data: st.DataObject, operation: Callable[[Any, Any], Any]) -> None:
    right = data.draw(st.lists(st.one_of(st.floats(-100, 100), ERRORS), min_size=len(left), max_size=len(left)))
    a = erring(np.array([[float(v)] for v in left]))
    b = erring(np.array([[float(v)] for v in right]))
    got = list(Arr(np.asarray(operation(a, b))))
    assert got == [operation(x, y) for x, y in zip(left, right, strict=True)]
    strided = operation(a[::-1], b[::-1])
    assert list(Arr(np.asarray(strided)))[::-1] == got
