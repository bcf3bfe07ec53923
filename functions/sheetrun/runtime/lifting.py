"""A function of single values on arrays: for each distinct cell, or on all numbers at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from sheetrun.runtime.coerce import to_number
from sheetrun.runtime.errors import NUM
from sheetrun.runtime.tails import Tailed
from sheetrun.runtime.values import Arr, Erring, Scalar, Value, common_shape

ARRAYS: Final = frozenset({Arr, np.ndarray, Erring, Tailed})


def once_each(call: Callable[..., Value], arrays: list[Any], spread: list[bool], shape: tuple[int, int]) -> Arr:
    """Lifts a pure function: computed once for each distinct combination of arguments (columns repeat themselves)."""
    size = shape[0] * shape[1]
    spreads = [a.expanded(shape) for a, s in zip(arrays, spread, strict=True) if s]
    keys = np.empty((size, 2 * len(spreads)), np.int64)
    for k, a in enumerate(spreads):
        keys[:, 2 * k] = np.ascontiguousarray(a.num).view(np.int64).ravel()
        keys[:, 2 * k + 1] = a.tags().ravel()
    keys = np.ascontiguousarray(keys[:, (keys != keys[0]).any(axis=0)])  # what never changes tells nothing
    if keys.shape[1] == 0:
        first = inverse = np.zeros(1, np.int64)
        inverse = np.zeros(size, np.int64)
    else:
        whole = keys.view(f"V{8 * keys.shape[1]}").ravel() if keys.shape[1] > 1 else keys.ravel()
        _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    columns = [iter(Arr(a.num.ravel()[first], a.tags().ravel()[first])) for a in spreads]
    results = []
    for _ in range(len(first)):
        each = iter(columns)
        results.append(single(call(*(next(next(each)) if s else a for a, s in zip(arrays, spread, strict=True)))))
    distinct = Arr.flat(results, (1, len(results)))
    at = inverse.reshape(shape)
    return Arr(distinct.num[0][at], None if distinct.tag is None else distinct.tag[0][at])


def single(value: Value) -> Scalar:
    """An element of a lifted result: an array inside an array shows its first cell."""
    if type(value) is Tailed:
        return value.cell(0, 0)
    if isinstance(value, Arr | np.ndarray):
        return Arr.of(value).cell(0, 0)
    if hasattr(value, "arr"):
        return value.arr().cell(0, 0)  # type: ignore[no-any-return]
    return value  # type: ignore[no-any-return]


def vector_call(vector: Callable[..., Any], args: tuple[Value, ...]) -> Value:
    """A function of float64 arrays on arguments as they flow, with the errors among them put into the result."""
    nums = []
    for a in args:
        if type(a) in ARRAYS:
            nums.append(a.num if type(a) is Arr else a)
        else:
            number = to_number(a.arr().cell(0, 0) if hasattr(a, "arr") else a)
            nums.append(np.full((1, 1), float(number)))
    shape = common_shape(nums)
    nums = [n if n.shape in (shape, (1, 1)) else Arr(n).expanded(shape).num for n in nums]
    with np.errstate(all="ignore"):
        out = np.asarray(vector(*nums), np.float64)
    if out.shape != shape:
        out = np.broadcast_to(out, shape).copy()
    wrong = ~np.isfinite(out)
    if wrong.any() or any(math.isnan(n.sum()) for n in nums):
        out = np.where(wrong & ~np.isnan(out), float(NUM), out)
        for n in reversed(nums):
            bad = np.isnan(n)
            if bad.any():
                out = np.where(bad, n, out)
        return out.view(Erring)
    return out


def finish(value: Any) -> Value:
    """A function's Python result as a value: ints become floats, a NaN or infinity is #NUM!."""
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else NUM
    if kind is int:
        return float(value)
    if isinstance(value, np.generic):
        return finish(value.item())
    return value
