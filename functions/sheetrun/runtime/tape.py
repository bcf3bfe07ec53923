"""The calls of a tape: NumPy's, and these, on memory that is known beforehand (``taping`` writes them)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from sheetrun.runtime.cells import Mask, Numbers
from sheetrun.runtime.compare import ordered_numbers
from sheetrun.runtime.noise import LEAST, cleared, deep, is_noise
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


def clear_at(total: Numbers, before: Any, rows: Any, columns: Any) -> None:
    """The same, for some of the cells."""
    total[rows, columns] = cleared(total[rows, columns], before[rows, columns])


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


class Running:
    """Cells of which each adds its step to the cell before it (``chains``): a call of the tape with no arguments.

    ``first``: the cell before them, one row of lanes; ``steps``, ``out``: cells × lanes, ``steps`` of shapes that go with
    those of ``out``. ``room``: memory for looking for noise, None where a chain's function leaves none.
    """

    __slots__ = ("_function", "_links", "_out", "_room", "_steps", "_turned")

    def __init__(
        self, function: np.ufunc, first: Any, steps: Any, out: Any, *, turned: bool, room: tuple[Any, Any, Any] | None
    ) -> None:
        self._function = function
        self._turned = turned
        self._out = out
        self._steps = steps
        self._room = room
        each = np.broadcast_to(steps, (len(out), steps.shape[1]))
        self._links = list(zip([first, *out[:-1]], each, out, strict=True))

    def __call__(self) -> None:
        if self._out.shape[1] == 1:
            self._in_one_lane()
        else:
            for link in self._links:
                self._function(*link)
        if self._room is not None and self._noisy(*self._room):
            for before, step, total in self._links:
                self._function(before, step, total)
                total[...] = cleared(total, step if self._turned else before)

    def _in_one_lane(self) -> None:
        line = np.empty(len(self._out) + 1)
        line[0], line[1:] = self._links[0][0][0], self._steps[:, 0]
        self._function.accumulate(line, out=line)
        self._out[:, 0] = line[1:]

    def _noisy(self, least: Numbers, size: Numbers, near: Mask) -> bool:
        """Whether a sum is next to nothing beside what stood before it, and not 0."""
        np.absolute(self._out, size)
        if self._turned:
            np.absolute(self._steps, least)
        else:
            np.absolute(self._links[0][0], least[0])
            least[1:] = size[:-1]
        np.multiply(least, LEAST, least)
        np.less(size, least, near)
        return bool(near.any()) and bool((near & (size != 0.0)).any())


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
