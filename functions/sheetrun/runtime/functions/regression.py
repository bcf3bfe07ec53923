"""Least squares: LINEST and LOGEST with their statistics, TREND and GROWTH, FORECAST.

As in Excel, a variable that the ones before it explain already gets the coefficient 0 and gives its degree of freedom
back (Microsoft, "LINEST function", collinearity).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.errors import DIV0, NA, NUM, REF, VALUE, Raised
from sheetrun.runtime.functions.aggregate import mean, pairs_in, total
from sheetrun.runtime.functions.matrix import matrix as numbers_of
from sheetrun.runtime.registry import excel
from sheetrun.runtime.values import MISSING, Arr, Value

_BOX_NA: Final = float(NA)
_BOX_NUM: Final = float(NUM)
_COLLINEAR: Final = 1e-7  # what is left of a variable, as a part of it, below which it says nothing new
_PERFECT: Final = 1e-28  # a part of the total that is rounding noise: the fit is exact


@dataclass(slots=True)
class Fit:
    """A fitted plane y = slopes · x + intercept and what its statistics need."""

    slopes: Numbers  #: one per variable, in their order; 0 for a redundant one
    intercept: float
    errors: Numbers  #: standard errors of the slopes
    intercept_error: float
    explained: float  #: sums of squares
    residual: float
    degrees: int  #: of freedom of the residual
    variables: int  #: that are not redundant


def matrix(array: Arr) -> Numbers:
    """The array as a matrix; whatever is no number in it, an error too, is #VALUE! (measured)."""
    if array.first_error() is not None:
        raise Raised(VALUE)
    return numbers_of(array)


def _samples(known_ys: Arr, known_xs: Arr | None) -> tuple[Numbers, Numbers, bool]:
    """(y, X with a column per variable, whether y stands in a row). A shape that does not fit is told first (measured)."""
    if known_xs is not None and not _fit(known_ys.shape, known_xs.shape):
        raise Raised(REF)
    y = matrix(known_ys)
    if known_xs is None:
        return y.ravel(), np.arange(1.0, y.size + 1.0).reshape(-1, 1), y.shape[0] == 1 and y.shape[1] > 1
    x = matrix(known_xs)
    if x.shape == y.shape:
        return y.ravel(), x.reshape(-1, 1), y.shape[0] == 1 and y.shape[1] > 1
    if y.shape[1] == 1 and x.shape[0] == y.shape[0]:
        return y.ravel(), x, False
    return y.ravel(), x.T, True


def _fit(ys: tuple[int, int], xs: tuple[int, int]) -> bool:
    """Whether there is a value of each variable for each y."""
    return xs == ys or (ys[1] == 1 and xs[0] == ys[0]) or (ys[0] == 1 and xs[1] == ys[1])


def fit(y: Numbers, x: Numbers, const: bool) -> Fit:
    """Least squares by Householder's QR on centred columns, one redundant variable after the other left out."""
    n = len(y)
    centre = x.mean(axis=0) if const else np.zeros(x.shape[1])
    middle = float(y.mean()) if const else 0.0
    away, target = x - centre, y - middle
    kept = _independent(away, x)
    if n < len(kept) + const:
        kept = kept[: n - const]
    slopes, errors = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    q, r = np.linalg.qr(away[:, kept])
    parts = q.T @ target
    inverse = np.linalg.inv(r) if kept else np.zeros((0, 0))
    slopes[kept] = inverse @ parts
    left = target - away @ slopes
    residual, whole = float(left @ left), float(target @ target)
    if residual < _PERFECT * whole:
        residual = 0.0
    explained = float(parts @ parts)
    degrees = n - len(kept) - const
    unit = residual / degrees if degrees else 0.0
    spread = inverse @ inverse.T
    errors[kept] = np.sqrt(unit * np.diag(spread))
    reach = centre[kept] @ spread @ centre[kept]
    return Fit(
        slopes,
        middle - float(centre @ slopes),
        errors,
        math.sqrt(unit * (1.0 / n + float(reach))) if const else math.nan,
        explained,
        residual,
        degrees,
        len(kept),
    )


def _independent(away: Numbers, x: Numbers) -> list[int]:
    """The variables that are not combinations of those before them (and of the constant)."""
    kept: list[int] = []
    basis = np.zeros((len(away), 0))
    for k in range(away.shape[1]):
        column = away[:, k]
        size = float(np.linalg.norm(x[:, k]))
        rest = column - basis @ (basis.T @ column)
        rest = rest - basis @ (basis.T @ rest)
        length = float(np.linalg.norm(rest))
        if length > _COLLINEAR * float(np.linalg.norm(column)) and length > 1e-14 * size:
            kept.append(k)
            basis = np.column_stack([basis, rest / length])
    return kept


def _table(found: Fit, const: bool, slopes: Numbers, intercept: float) -> Numbers:
    """The five rows of LINEST with statistics; slopes in Excel's order, the last variable first."""
    k = len(slopes)
    out = np.full((5, k + 1), _BOX_NA)
    out[0, :k], out[0, k] = slopes[::-1], intercept
    out[1, :k] = found.errors[::-1]
    if const:
        out[1, k] = found.intercept_error
    whole = found.explained + found.residual
    out[2, 0] = found.explained / whole if whole else 1.0
    out[2, 1] = math.sqrt(found.residual / found.degrees) if found.degrees else 0.0
    if found.degrees and found.residual and found.variables:
        out[3, 0] = found.explained / found.variables / (found.residual / found.degrees)
    else:
        out[3, 0] = _BOX_NUM
    out[3, 1] = found.degrees
    out[4, 0], out[4, 1] = found.explained, found.residual
    return out


def _line(found: Fit, slopes: Numbers, intercept: float) -> Numbers:
    return np.append(slopes[::-1], intercept).reshape(1, -1)


_KNOWN: Final = "(known_ys: array, [known_xs: array ~ None]"


@excel(f"LINEST{_KNOWN}, [const: logical ~ TRUE], [stats: logical = FALSE]) -> array")
def linest(known_ys: Arr, known_xs: Arr | None = None, const: bool = True, stats: bool = False) -> Numbers:
    """The coefficients of a straight line (or plane) through points, and the statistics of the fit."""
    y, x, _ = _samples(known_ys, known_xs)
    found = fit(y, x, const)
    if stats:
        return _table(found, const, found.slopes, found.intercept)
    return _line(found, found.slopes, found.intercept)


def _logs(y: Numbers) -> Numbers:
    if (y <= 0.0).any():
        raise Raised(NUM)
    return np.log(y)


@excel(f"LOGEST{_KNOWN}, [const: logical ~ TRUE], [stats: logical = FALSE]) -> array")
def logest(known_ys: Arr, known_xs: Arr | None = None, const: bool = True, stats: bool = False) -> Numbers:
    """The coefficients of an exponential curve through points, and the statistics of the fit of its logarithm."""
    y, x, _ = _samples(known_ys, known_xs)
    found = fit(_logs(y), x, const)
    slopes, intercept = np.exp(found.slopes), math.exp(found.intercept)
    return _table(found, const, slopes, intercept) if stats else _line(found, slopes, intercept)


def _predicted(
    known_ys: Arr,
    known_xs: Arr | None,
    new_xs: Arr | None,
    const: bool,
    into: Callable[[Numbers], Numbers],
    back: Callable[[Any], Any],
) -> Numbers:
    y, x, across = _samples(known_ys, known_xs)
    if new_xs is None:
        wanted, shape = x, known_ys.shape
    else:
        new = matrix(new_xs)
        if x.shape[1] == 1:
            wanted, shape = new.reshape(-1, 1), new.shape
        else:
            wanted = new.T if across else new
            if wanted.shape[1] != x.shape[1]:
                raise Raised(REF)
            shape = (1, len(wanted)) if across else (len(wanted), 1)
    found = fit(into(y), x, const)
    out: Numbers = np.asarray(back(wanted @ found.slopes + found.intercept), np.float64).reshape(shape)
    return out


@excel(f"TREND{_KNOWN}, [new_xs: array ~ None], [const: logical ~ TRUE]) -> array")
def trend(known_ys: Arr, known_xs: Arr | None = None, new_xs: Arr | None = None, const: bool = True) -> Numbers:
    """Values along the straight line (or plane) that fits points best."""
    return _predicted(known_ys, known_xs, new_xs, const, lambda y: y, lambda y: y)


@excel(f"GROWTH{_KNOWN}, [new_xs: array ~ None], [const: logical ~ TRUE]) -> array")
def growth(known_ys: Arr, known_xs: Arr | None = None, new_xs: Arr | None = None, const: bool = True) -> Numbers:
    """Values along the exponential curve that fits points best."""
    return _predicted(known_ys, known_xs, new_xs, const, _logs, np.exp)


def _regression(known_ys: Arr, known_xs: Arr) -> tuple[float, float, float]:
    """(mean of x, mean of y, slope) of the regression line; #DIV/0! where x does not vary."""
    y, x = pairs_in(known_ys, known_xs, NA)
    middle, level = mean(x), mean(y)
    away = x - middle
    squares = total(away * away)
    if squares == 0.0:
        raise Raised(DIV0)
    return middle, level, total(away * (y - level)) / squares


def _forecast_each(x: Value, known_ys: Value, known_xs: Value) -> Value:
    middle, level, slope = _regression(*(Arr.of(None if a is MISSING else a) for a in (known_ys, known_xs)))
    return level + slope * (Arr.of(x).num - middle)


@excel(
    "FORECAST.LINEAR(x: number, known_ys: array, known_xs: array) -> number", whole=_forecast_each, also=("FORECAST",)
)
def forecast_linear(x: float, known_ys: Arr, known_xs: Arr) -> float:
    """The value at x on the regression line."""
    middle, level, slope = _regression(known_ys, known_xs)
    return level + slope * (x - middle)
