"""The calls of a tape: NumPy's, and these, on memory that is known beforehand (``taping`` writes them)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from sheetrun.runtime.cells import Mask, Numbers
from sheetrun.runtime.compare import ordered_numbers
from sheetrun.runtime.noise import cleared, deep, is_noise
from sheetrun.runtime.values import Arr, Value

Play = tuple[Callable[..., Any], tuple[Any, ...]]  #: a function and its arguments, the last one where the result goes

_ZEROS: Final = np.zeros(4096)


class Missed(Exception):
    """A tape came upon what it is not meant for: a result that is no finite number."""


def finite(array: Numbers) -> Play:
    """The call that raises Missed when not all of an array's numbers are finite."""
    if array.size <= len(_ZEROS) and array.flags.c_contiguous:
        return _few_finite, (array.reshape(-1), _ZEROS[: array.size])
    return _finite, (array,)


def clear(total: Numbers, before: Any, near: Mask) -> None:
    """Makes sums 0 that are only noise, which few are; ``near`` says where they are next to nothing."""
    if near.any():
        near[near] = deep(total[near], np.broadcast_to(before, total.shape)[near])
        total[near] = 0.0


def add_one(a: Numbers, b: Numbers, out: Numbers) -> None:
    """``ops.add`` for a single number, which a few calls of NumPy would take longer for."""
    x = a.item()
    total = x + b.item()
    out[0, 0, 0] = 0.0 if is_noise(total, x) else total


def sub_one(a: Numbers, b: Numbers, out: Numbers) -> None:
    """``ops.sub`` likewise."""
    x = a.item()
    total = x - b.item()
    out[0, 0, 0] = 0.0 if is_noise(total, x) else total


def add_up(array: Numbers, last: bool, out: Numbers) -> None:
    """The sum of all cells in each lane, each added to the sum before it; ``last``: nothing is added to it any more."""
    sums = np.add.accumulate(array.reshape(-1, array.shape[2]), axis=0)
    out[0, 0] = cleared(sums[-1], sums[-2]) if last else sums[-1]


def _few_finite(array: Numbers, zeros: Numbers) -> None:
    if array.dot(zeros) != 0.0:  # NaN, as 0 × inf is
        raise Missed


def _finite(array: Numbers) -> None:
    if not np.isfinite(np.add.reduce(array, axis=None)) and not np.isfinite(array).all():
        raise Missed


def compare(function: np.ufunc, a: Any, b: Any, of_equals: bool, out: Mask) -> None:
    """A comparison as Excel sees numbers (``ordered_numbers``)."""
    out[...] = ordered_numbers(a, b, function, of_equals)


def call(function: Callable[..., Any], givers: Sequence[Callable[[], Value]], out: Numbers) -> None:
    """A function of the runtime on arrays of cells × lanes."""
    found = Arr.of(function(*[give() for give in givers]))
    fits = all(here in (1, there) for here, there in zip(found.shape, out.shape, strict=True))
    if not fits or not found.plain() or not np.isfinite(found.num).all():
        raise Missed
    np.copyto(out, found.num)
