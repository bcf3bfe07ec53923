"""Products of arrays: SUMPRODUCT, sums over pairs, matrix product, inverse and determinant."""

from __future__ import annotations

import math

import numpy as np

from sheetrun.runtime.cells import NUMBER, Numbers
from sheetrun.runtime.errors import DIV0, NA, NUM, VALUE, Raised
from sheetrun.runtime.functions.aggregate import pairs_in, total
from sheetrun.runtime.registry import excel, kept
from sheetrun.runtime.tails import Tailed, any_tailed, over
from sheetrun.runtime.values import Arr, Value


@excel("SUMPRODUCT(*arrays: array) -> number", tails=kept)
def sumproduct(*arrays: Arr | Tailed) -> float:
    """The sum of the products of cells in the same place; what is no number counts as 0."""
    if not arrays or any(a.shape != arrays[0].shape for a in arrays):
        raise Raised(VALUE)
    if not any_tailed(*arrays):
        return total(_products(*arrays).ravel())
    found = over(_products, *arrays)
    pieces = found.pieces() if type(found) is Tailed else ((Arr.of(found), 1),)
    return math.fsum(total(part.num.ravel()) * times for part, times in pieces)


def _products(*arrays: Value) -> Numbers:
    found = _factors(Arr.of(arrays[0]))
    for each in arrays[1:]:
        found = found * _factors(Arr.of(each))
    return found


def _factors(array: Arr) -> Numbers:
    error = array.first_error()
    if error is not None:
        raise Raised(error)
    if array.tag is None:
        return array.num
    return np.where(array.tag == NUMBER, array.num, 0.0)


def _pairs(array_x: Arr, array_y: Arr) -> tuple[Numbers, Numbers]:
    """The pairs of numbers; #DIV/0! where there is none (measured)."""
    x, y = pairs_in(array_x, array_y, NA)
    if not len(x):
        raise Raised(DIV0)
    return x, y


@excel("SUMX2MY2(array_x: array, array_y: array) -> number", tails=kept)
def sumx2my2(array_x: Arr, array_y: Arr) -> float:
    """The sum of the differences of squares."""
    x, y = _pairs(array_x, array_y)
    return total(x * x - y * y)


@excel("SUMX2PY2(array_x: array, array_y: array) -> number", tails=kept)
def sumx2py2(array_x: Arr, array_y: Arr) -> float:
    """The sum of the sums of squares."""
    x, y = _pairs(array_x, array_y)
    return total(x * x + y * y)


@excel("SUMXMY2(array_x: array, array_y: array) -> number", tails=kept)
def sumxmy2(array_x: Arr, array_y: Arr) -> float:
    """The sum of the squares of differences."""
    x, y = _pairs(array_x, array_y)
    return total((x - y) ** 2)


def matrix(array: Arr) -> Numbers:
    """The array as a matrix: an error in it is raised, anything else that is no number is #VALUE!."""
    error = array.first_error()
    if error is not None:
        raise Raised(error)
    if array.tag is not None and (array.tag != NUMBER).any():
        raise Raised(VALUE)
    return array.num


def _square(array: Arr) -> Numbers:
    found = matrix(array)
    if found.shape[0] != found.shape[1]:
        raise Raised(VALUE)
    return found


@excel("MMULT(array1: array, array2: array) -> array")
def mmult(array1: Arr, array2: Arr) -> Numbers:
    """The matrix product of two arrays."""
    first, second = matrix(array1), matrix(array2)
    if first.shape[1] != second.shape[0]:
        raise Raised(VALUE)
    with np.errstate(all="ignore"):
        product: Numbers = first @ second
    if not np.isfinite(product).all():
        raise Raised(NUM)
    return product


@excel("MINVERSE(array: array) -> array")
def minverse(array: Arr) -> Numbers:
    """The inverse of a square matrix; #NUM! when it has none."""
    try:
        inverse: Numbers = np.asarray(np.linalg.inv(_square(array)), np.float64)
    except np.linalg.LinAlgError:
        raise Raised(NUM) from None
    return inverse


@excel("MDETERM(array: array) -> number")
def mdeterm(array: Arr) -> float:
    """The determinant of a square matrix."""
    return float(np.linalg.det(_square(array)))


@excel("MUNIT(dimension: integer) -> array")
def munit(dimension: int) -> Numbers:
    """The unit matrix of a size."""
    if dimension < 1:
        raise Raised(VALUE)
    if dimension > 10_000:
        raise Raised(NUM)
    return np.eye(dimension)
