"""Products of arrays: SUMPRODUCT, sums over pairs, matrix product, inverse and determinant."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime.cells import NUMBER, Numbers
from sheetrun.runtime.errors import DIV0, NA, NUM, VALUE, Raised
from sheetrun.runtime.functions.aggregate import pairs_in, total
from sheetrun.runtime.registry import excel, kept
from sheetrun.runtime.tails import Tailed, any_tailed, over
from sheetrun.runtime.values import Arr, Value

_SUMMED_IN_ORDER: Final = 1 << 27  #: products of numbers in a product of matrices; that many take half a second


@excel("SUMPRODUCT(*arrays: array) -> number", tails=kept)
def sumproduct(*arrays: Arr | Tailed) -> float:
    """The sum of the products of cells in the same place; what is no number counts as 0."""
    if not arrays or any(a.shape != arrays[0].shape for a in arrays):
        error = arrays[0].first_error() if arrays and type(arrays[0]) is Arr else None  # measured
        raise Raised(VALUE if error is None else error)
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


@dataclass(frozen=True, slots=True)
class _Triangles:
    """A square matrix as the product of a lower and an upper triangle, both in ``both``; ``order``: where rows came from."""

    both: Numbers
    order: list[int]
    sign: float
    singular: bool


def _triangles(square: Numbers) -> _Triangles:
    """Gauss's elimination with the largest pivot of a column (measured: Excel's inverses come out to the last bit)."""
    both, order, sign = square.copy(), list(range(len(square))), 1.0
    for k in range(len(both)):
        pivot = k + int(np.argmax(np.abs(both[k:, k])))
        if both[pivot, k] == 0.0:
            return _Triangles(both, order, sign, True)
        if pivot != k:
            both[[k, pivot]] = both[[pivot, k]]
            order[k], order[pivot] = order[pivot], order[k]
            sign = -sign
        both[k + 1 :, k] /= both[k, k]
        both[k + 1 :, k + 1 :] -= np.outer(both[k + 1 :, k], both[k, k + 1 :])
    return _Triangles(both, order, sign, False)


def _inverse(square: Numbers) -> Numbers:
    found = _triangles(square)
    if found.singular:
        raise Raised(NUM)
    both, size = found.both, len(square)
    out = np.eye(size)[found.order]
    for k in range(size):
        out[k + 1 :] -= np.outer(both[k + 1 :, k], out[k])
    for i in reversed(range(size)):
        known = both[i, i + 1 :, None] * out[i + 1 :]
        out[i] = np.subtract.reduce(np.concatenate([out[i : i + 1], known]), axis=0) / both[i, i]
    return out


def _product(first: Numbers, second: Numbers) -> Numbers:
    """The product, each cell summed from left to right as all sums are (measured); of large matrices as NumPy does it."""
    if first.shape[0] * second.size > _SUMMED_IN_ORDER:
        large: Numbers = first @ second
        return large
    product = first[:, :1] * second[:1]
    for k in range(1, first.shape[1]):
        product += first[:, k : k + 1] * second[k : k + 1]
    return product


@excel("MMULT(array1: array, array2: array) -> array")
def mmult(array1: Arr, array2: Arr) -> Numbers:
    """The matrix product of two arrays."""
    first, second = matrix(array1), matrix(array2)
    if first.shape[1] != second.shape[0]:
        raise Raised(VALUE)
    with np.errstate(all="ignore"):
        product = _product(first, second)
    if not np.isfinite(product).all():
        raise Raised(NUM)
    return product


@excel("MINVERSE(array: array) -> array")
def minverse(array: Arr) -> Numbers:
    """The inverse of a square matrix; #NUM! when it has none."""
    with np.errstate(all="ignore"):
        return _inverse(_square(array))


@excel("MDETERM(array: array) -> number")
def mdeterm(array: Arr) -> float:
    """The determinant of a square matrix."""
    with np.errstate(all="ignore"):
        found = _triangles(_square(array))
    return 0.0 if found.singular else found.sign * float(np.multiply.reduce(np.diag(found.both)))


@excel("MUNIT(dimension: integer) -> array")
def munit(dimension: int) -> Numbers:
    """The unit matrix of a size."""
    if dimension < 1:
        raise Raised(VALUE)
    if dimension > 10_000:
        raise Raised(NUM)
    return np.eye(dimension)
