"""Descriptive statistics: middle, spread, shape, correlation, frequencies.

Numbers are taken from arguments as by SUM (see ``aggregate``). Source: Microsoft's page of each function.
"""

from __future__ import annotations

import math

import numpy as np

from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.errors import DIV0, NA, NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.functions.aggregate import checked, mean, numbers_a_in, numbers_in, pairs_in, total
from sheetrun.runtime.functions.rounding import whole_below
from sheetrun.runtime.registry import excel, kept
from sheetrun.runtime.tails import numbers_only
from sheetrun.runtime.values import Arr, Value


def some(numbers: Numbers, least: int = 1, error: ExcelError = NUM) -> Numbers:
    """The numbers themselves; an error when there are fewer than ``least``."""
    if len(numbers) < least:
        raise Raised(error)
    return numbers


# -- middle ----------------------------------------------------------------------------------------------------------


@excel("MEDIAN(*numbers: values) -> number", tails=numbers_only)
def median(*numbers: Value) -> float:
    """The number in the middle, or the mean of the two."""
    return median_of(numbers_in(numbers))


def median_of(numbers: Numbers) -> float:
    return float(np.median(some(numbers)))


@excel("MODE(*numbers: values) -> number", tails=numbers_only)
def mode(*numbers: Value) -> float:
    """The number that occurs most often; the first of several; #N/A when none repeats; a written text is #VALUE!."""
    if any(isinstance(value, str) for value in numbers):
        raise Raised(VALUE)  # measured, where MODE.SNGL leaves it out
    return float(modes(numbers_in(numbers))[0])


@excel("MODE.SNGL(*numbers: values) -> number", tails=numbers_only)
def mode_sngl(*numbers: Value) -> float:
    """The number that occurs most often; the first of several; #N/A when none repeats."""
    return float(modes(_no_texts(numbers))[0])


@excel("MODE.MULT(*numbers: values) -> array", tails=numbers_only)
def mode_mult(*numbers: Value) -> Numbers:
    """All numbers that occur most often, as a column in the order in which they come."""
    return modes(_no_texts(numbers)).reshape(-1, 1)


def _no_texts(values: tuple[Value, ...]) -> Numbers:
    """The numbers of the arguments; a text that is written as one does not count (measured)."""
    return numbers_in(value for value in values if not isinstance(value, str))


def modes(numbers: Numbers) -> Numbers:
    found, first, counts = np.unique(numbers, return_index=True, return_counts=True)
    if not len(found) or counts.max() < 2:
        raise Raised(NA)
    most = counts == counts.max()
    ordered: Numbers = found[most][np.argsort(first[most])]
    return ordered


@excel("GEOMEAN(*numbers: values) -> number", tails=numbers_only)
def geomean(*numbers: Value) -> float:
    """The geometric mean of positive numbers."""
    return math.exp(mean(np.log(_positive(numbers_in(numbers)))))


@excel("HARMEAN(*numbers: values) -> number", tails=numbers_only)
def harmean(*numbers: Value) -> float:
    """The harmonic mean of positive numbers."""
    return 1.0 / mean(1.0 / _positive(numbers_in(numbers)))


def _positive(numbers: Numbers) -> Numbers:
    if (some(numbers) <= 0.0).any():
        raise Raised(NUM)
    return numbers


@excel("TRIMMEAN(array: values, percent: number) -> number", tails=numbers_only)
def trimmean(array: Value, percent: float) -> float:
    """The mean without a part of the smallest and largest numbers."""
    if not 0.0 <= percent < 1.0:
        raise Raised(NUM)
    ordered = np.sort(some(numbers_in((array,))))
    cut = int(whole_below(len(ordered) * percent / 2.0))
    return mean(ordered[cut : len(ordered) - cut])


# -- spread ----------------------------------------------------------------------------------------------------------


def squares(numbers: Numbers) -> float:
    """The sum of the squared deviations from the mean."""
    away = numbers - mean(numbers)
    return total(away * away)


def variance(numbers: Numbers, *, sample: bool) -> float:
    """The variance of a sample or of a population; #DIV/0! when there are too few numbers."""
    count = len(numbers) - 1 if sample else len(numbers)
    if count < 1:
        raise Raised(DIV0)
    return squares(numbers) / count


@excel("VAR.S(*numbers: values) -> number", tails=numbers_only, also=("VAR",))
def var_s(*numbers: Value) -> float:
    """The variance of a sample."""
    return variance(numbers_in(numbers), sample=True)


@excel("VAR.P(*numbers: values) -> number", tails=numbers_only, also=("VARP",))
def var_p(*numbers: Value) -> float:
    """The variance of a population."""
    return variance(numbers_in(numbers), sample=False)


@excel("VARA(*values: values) -> number")
def vara(*values: Value) -> float:
    """The variance of a sample, with text as 0 and logical values as 1 and 0."""
    return variance(numbers_a_in(values), sample=True)


@excel("VARPA(*values: values) -> number")
def varpa(*values: Value) -> float:
    """The variance of a population, with text as 0 and logical values as 1 and 0."""
    return variance(numbers_a_in(values), sample=False)


@excel("STDEV.S(*numbers: values) -> number", tails=numbers_only, also=("STDEV",))
def stdev_s(*numbers: Value) -> float:
    """The standard deviation of a sample."""
    return math.sqrt(variance(numbers_in(numbers), sample=True))


@excel("STDEV.P(*numbers: values) -> number", tails=numbers_only, also=("STDEVP",))
def stdev_p(*numbers: Value) -> float:
    """The standard deviation of a population."""
    return math.sqrt(variance(numbers_in(numbers), sample=False))


@excel("STDEVA(*values: values) -> number")
def stdeva(*values: Value) -> float:
    """The standard deviation of a sample, with text as 0 and logical values as 1 and 0."""
    return math.sqrt(variance(numbers_a_in(values), sample=True))


@excel("STDEVPA(*values: values) -> number")
def stdevpa(*values: Value) -> float:
    """The standard deviation of a population, with text as 0 and logical values as 1 and 0."""
    return math.sqrt(variance(numbers_a_in(values), sample=False))


@excel("DEVSQ(*numbers: values) -> number", tails=numbers_only)
def devsq(*numbers: Value) -> float:
    """The sum of the squared deviations from the mean."""
    return squares(some(numbers_in(numbers)))


@excel("AVEDEV(*numbers: values) -> number", tails=numbers_only)
def avedev(*numbers: Value) -> float:
    """The mean distance from the mean."""
    found = some(numbers_in(numbers))
    return mean(np.abs(found - mean(found)))


# -- shape -----------------------------------------------------------------------------------------------------------


def _scores(numbers: Numbers, deviation: float) -> Numbers:
    if deviation == 0.0:
        raise Raised(DIV0)
    scores: Numbers = (numbers - mean(numbers)) / deviation
    return scores


@excel("SKEW(*numbers: values) -> number", tails=numbers_only)
def skew(*numbers: Value) -> float:
    """The skewness of a sample."""
    found = some(numbers_in(numbers), 3, DIV0)
    n = len(found)
    scores = _scores(found, math.sqrt(variance(found, sample=True)))
    return total(scores**3) * n / ((n - 1.0) * (n - 2.0))


@excel("SKEW.P(*numbers: values) -> number", tails=numbers_only)
def skew_p(*numbers: Value) -> float:
    """The skewness of a population."""
    found = some(numbers_in(numbers), 3, DIV0)
    return mean(_scores(found, math.sqrt(variance(found, sample=False))) ** 3)


@excel("KURT(*numbers: values) -> number", tails=numbers_only)
def kurt(*numbers: Value) -> float:
    """The kurtosis of a sample, 0 for a normal distribution."""
    found = some(numbers_in(numbers), 4, DIV0)
    n = float(len(found))
    fourth = total(_scores(found, math.sqrt(variance(found, sample=True))) ** 4)
    ratio = (n - 1.0) / ((n - 2.0) * (n - 3.0))
    return fourth * n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0)) - 3.0 * (n - 1.0) * ratio


# -- pairs -----------------------------------------------------------------------------------------------------------


def _moments(first: Arr, second: Arr) -> tuple[float, float, float, int]:
    """Sums of squared deviations of both, of their products, and the number of pairs; #DIV/0! without pairs."""
    x, y = pairs_in(first, second, NA)
    dx, dy = x - mean(x), y - mean(y)
    return total(dx * dx), total(dy * dy), total(dx * dy), len(x)


@excel("CORREL(array1: array, array2: array) -> number", tails=kept, also=("PEARSON",))
def correl(array1: Arr, array2: Arr) -> float:
    """The correlation of two sets of numbers."""
    xx, yy, xy, _ = _moments(array1, array2)
    if xx == 0.0 or yy == 0.0:
        raise Raised(DIV0)
    return max(-1.0, min(1.0, xy / math.sqrt(xx) / math.sqrt(yy)))


@excel("RSQ(known_ys: array, known_xs: array) -> number", tails=kept)
def rsq(known_ys: Arr, known_xs: Arr) -> float:
    """The square of the correlation of two sets of numbers."""
    return correl(known_ys, known_xs) ** 2


@excel("COVARIANCE.P(array1: array, array2: array) -> number", tails=kept, also=("COVAR",))
def covariance_p(array1: Arr, array2: Arr) -> float:
    """The covariance of a population."""
    _, _, xy, n = _moments(array1, array2)
    return xy / n


@excel("COVARIANCE.S(array1: array, array2: array) -> number", tails=kept)
def covariance_s(array1: Arr, array2: Arr) -> float:
    """The covariance of a sample."""
    _, _, xy, n = _moments(array1, array2)
    if n < 2:
        raise Raised(DIV0)
    return xy / (n - 1)


@excel("SLOPE(known_ys: array, known_xs: array) -> number", tails=kept)
def slope(known_ys: Arr, known_xs: Arr) -> float:
    """The slope of the regression line."""
    _, xx, xy, _ = _moments(known_ys, known_xs)
    if xx == 0.0:
        raise Raised(DIV0)
    return xy / xx


@excel("INTERCEPT(known_ys: array, known_xs: array) -> number", tails=kept)
def intercept(known_ys: Arr, known_xs: Arr) -> float:
    """Where the regression line crosses the y-axis."""
    y, x = pairs_in(known_ys, known_xs, NA)
    return mean(y) - slope(known_ys, known_xs) * mean(x)


@excel("STEYX(known_ys: array, known_xs: array) -> number", tails=kept)
def steyx(known_ys: Arr, known_xs: Arr) -> float:
    """The standard error of the values that the regression line predicts."""
    yy, xx, xy, n = _moments(known_ys, known_xs)
    if n < 3 or xx == 0.0:
        raise Raised(DIV0)
    return math.sqrt(max(0.0, yy - xy * xy / xx) / (n - 2))


# -- frequencies -----------------------------------------------------------------------------------------------------


@excel("FREQUENCY(data: array, bins: array) -> array", tails=numbers_only)
def frequency(data: Arr, bins: Arr) -> Numbers:
    """How many numbers fall in each bin (up to its bound), and how many above all, as a column.

    Bins may be in any order; a bound that comes again counts nothing the second time.
    """
    numbers, bounds = numbers_in((data,)), numbers_in((bins,))
    if not len(bounds):
        bounds = np.zeros(1)  # measured: without a bin, one up to 0
    ordered, first = np.unique(bounds, return_index=True)
    counts = np.bincount(np.searchsorted(ordered, numbers, "left"), minlength=len(ordered) + 1)
    out = np.zeros(len(bounds) + 1)
    out[first] = counts[:-1]
    out[-1] = counts[-1]
    return out.reshape(-1, 1)


@excel("PROB(x_range: array, prob_range: array, lower: number, [upper: number ~ None]) -> number")
def prob(x_range: Arr, prob_range: Arr, lower: float, upper: float | None = None) -> float:
    """The probability that a value lies between two limits."""
    if x_range.size != prob_range.size:
        raise Raised(NA)
    x, p = pairs_in(x_range, prob_range, NA)
    if not len(p):
        raise Raised(DIV0)
    if (p <= 0.0).any() or (p > 1.0).any() or abs(total(checked(p)) - 1.0) > 1e-10:
        raise Raised(NUM)
    return total(p[x == lower] if upper is None else p[(x >= lower) & (x <= upper)])
