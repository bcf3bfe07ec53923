"""NPV and IRR of many series of cash flows at once: what each series gives alone, to the last bit.

For scenarios in lanes (``lanes``): the flows of a cell in every lane are a ``Window``. The steps are those of
``functions.cashflow``, each taken for all series; a series that these steps are not meant for is given to the function
itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.functions.cashflow import CLOSE, FIRST_STEP, ROUNDS
from sheetrun.runtime.values import Arr, Value
from sheetrun.runtime.windows import Window

_FEW: Final = 32  #: series, up to which NumPy's own loop over their flows is the faster one


def flows(function: Callable[..., Value], window: Window, *others: Value) -> Value:
    """``NPV(rate, window)`` or ``IRR(window, guess)`` for each cell and lane: cells × lanes.

    ``others``: the rate, or the guess if there is one.
    """
    beside = [Arr.of(other) for other in others]
    # the flows, or the rate, may be the same in all lanes
    shape = np.broadcast_shapes(window.num.shape[:2], *(arr.shape for arr in beside))
    whole = (*shape, *window.num.shape[2:])
    window = Window(np.broadcast_to(window.num, whole), np.broadcast_to(window.tag, whole))
    sides = [np.broadcast_to(arr.num, shape) for arr in beside]
    walks_alone = shape == (1, 1) and function.__name__ == "IRR"  # one walk takes less time in floats
    plain = not walks_alone and not window.tag.any() and all(arr.plain() for arr in beside)
    out = np.full(shape, np.nan)
    if plain:
        series = np.ascontiguousarray(window.num.transpose(2, 3, 0, 1).reshape(-1, shape[0] * shape[1]))
        rates = sides[0].ravel() if sides else np.full(series.shape[1], 0.1)
        with np.errstate(all="ignore"):
            out = (_npv if function.__name__ == "NPV" else _irr)(series, rates).reshape(shape)
    if np.isfinite(out).all():
        return out
    return _alone(function, window, others, out)


def _alone(function: Callable[..., Value], window: Window, others: tuple[Value, ...], out: Numbers) -> Arr:
    """The series whose result is not known yet, one by one."""
    cells: list[Any] = out.ravel().tolist()
    columns = out.shape[1]
    beside = [Arr.of(other).expanded(out.shape) for other in others]
    for at in np.flatnonzero(~np.isfinite(out)).tolist():
        row, col = divmod(at, columns)
        values = Arr(window.num[row, col], window.tag[row, col])
        given = [arr.cell(row, col) for arr in beside]
        cells[at] = function(*given, values) if function.__name__ == "NPV" else function(values, *given)
    return Arr.flat(cells, out.shape)


def _npv(series: Numbers, rates: Numbers) -> Numbers:
    """``series``: flows × series."""
    base = 1.0 + rates
    return np.where(base == 0.0, np.nan, _present(series, rates) / base)


def _present(series: Numbers, rates: Numbers) -> Numbers:
    """The value of each series now, its first flow being now; NaN where the rate is -1."""
    base = 1.0 + rates
    factors = np.empty(series.shape)  # in C's order, in which the sum below adds one row after another
    factors[0] = 1.0
    few = series.shape[1] <= _FEW
    if few:
        factors[1:] = base
        np.multiply.accumulate(factors, axis=0, out=factors)
    else:
        for before, after in itertools.pairwise(factors):
            np.multiply(before, base, after)
    values = np.divide(series, factors, out=factors)
    total = np.add.accumulate(values, axis=0)[-1] if few else np.add.reduce(values, axis=0)
    return np.where(base == 0.0, np.nan, total)


def _irr(series: Numbers, guesses: Numbers) -> Numbers:
    """The rates that the secant walk finds; NaN for a series that has none, or is lost on the way."""
    out = np.full(series.shape[1], np.nan)
    usable = (guesses > -1.0) & (series > 0.0).any(axis=0) & (series < 0.0).any(axis=0)
    if not usable.all():
        if usable.any():
            out[usable] = _irr(series[:, usable], guesses[usable])
        return out
    end, rest = np.empty(out.shape), np.empty(out.shape)  # where each walk ends, and the balance there
    at, left = np.arange(out.size), series  # the walks that are looked at
    walking = np.ones(out.shape, np.bool_)  # those of them that go on; the steps of others are of no interest
    a = 1.0 / (1.0 + guesses)
    fa = _balance(left, a)
    b = a + np.where(fa > 0.0, FIRST_STEP, -FIRST_STEP)
    fb = _balance(left, b)

    def stop(stopped: Any) -> None:
        end[at[stopped]], rest[at[stopped]] = b[stopped], fb[stopped]
        walking[stopped] = False

    for _ in range(ROUNDS):
        stop(walking & ((fb == 0.0) | (fa == fb) | ~np.isfinite(fa) | ~np.isfinite(fb)))
        if not walking.any():
            break
        if 2 * np.count_nonzero(walking) < walking.size:
            at, left, a, b, fa, fb = at[walking], left[:, walking], a[walking], b[walking], fa[walking], fb[walking]
            walking = np.ones(at.shape, np.bool_)
        a, b, fa = b, a - fa * (b - a) / (fb - fa), fb
        fb = _balance(left, b)
        stop(walking & (np.abs(b - a) < CLOSE))
    stop(walking)
    return _judged(series, end, rest)


def _balance(series: Numbers, factors: Numbers) -> Numbers:
    return np.where(factors == 0.0, np.inf, _present(series, 1.0 / factors - 1.0))


def _judged(series: Numbers, v: Numbers, balance: Numbers) -> Numbers:
    """The rates where the walks ended at a root, else NaN."""
    found = (v > 0.0) & (np.abs(balance) < 1e-7 * _present(np.abs(series), 1.0 / v - 1.0))
    return np.where(found, 1.0 / v - 1.0, np.nan)
