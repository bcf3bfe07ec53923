"""Tests of significance: chi-square, F, t and z."""

from __future__ import annotations

import math

from sheetrun.runtime import special
from sheetrun.runtime.errors import DIV0, NA, Raised, demand
from sheetrun.runtime.functions.aggregate import mean, numbers_in, pairs_in, refuse_errors, total
from sheetrun.runtime.functions.sampling import f_dist_rt, t_tails
from sheetrun.runtime.functions.statistics import some, squares, variance
from sheetrun.runtime.registry import excel
from sheetrun.runtime.values import Arr


def _line(cells: Arr) -> Arr:
    """The cells in one row: what is compared may be laid out otherwise (measured)."""
    return Arr(cells.num.reshape(1, -1), None if cells.tag is None else cells.tag.reshape(1, -1))


@excel("CHISQ.TEST(actual: array, expected: array) -> number", also=("CHITEST",))
def chisq_test(actual: Arr, expected: Arr) -> float:
    """The probability of frequencies at least this far from the expected ones."""
    rows, columns = actual.shape
    if actual.size != expected.size or rows * columns == 1:
        raise Raised(NA)
    refuse_errors(actual, expected)
    seen, wanted = pairs_in(_line(actual), _line(expected), NA)
    if not len(wanted) or (wanted == 0.0).any():
        raise Raised(DIV0)
    demand(bool((wanted > 0.0).all()))
    distance = total((seen - wanted) ** 2 / wanted)
    demand(math.isfinite(distance))
    degrees = (rows - 1) * (columns - 1) if rows > 1 and columns > 1 else rows * columns - 1
    return special.gamma_upper(degrees / 2.0, distance / 2.0)


@excel("F.TEST(array1: array, array2: array) -> number", also=("FTEST",))
def f_test(array1: Arr, array2: Arr) -> float:
    """The probability, both tails, that two samples with these variances come from equally spread populations."""
    refuse_errors(array1, array2)
    first, second = (some(numbers_in((a,)), 2, DIV0) for a in (array1, array2))
    v1, v2 = variance(first, sample=True), variance(second, sample=True)
    if v1 == 0.0 or v2 == 0.0:
        raise Raised(DIV0)
    tail = f_dist_rt(v1 / v2, len(first) - 1.0, len(second) - 1.0)
    return 2.0 * min(tail, 1.0 - tail)


@excel("T.TEST(array1: array, array2: array, tails: integer, type: integer) -> number", also=("TTEST",))
def t_test(array1: Arr, array2: Arr, tails: int, type: int) -> float:
    """The probability that two samples with these means come from populations with the same mean.

    Type 1: pairs, 2: equal variances, 3: unequal variances (Welch, with fractional degrees of freedom).
    """
    demand(tails in (1, 2) and type in (1, 2, 3))
    if type == 1:
        x, y = pairs_in(array1, array2, NA)
        away = some(x - y, 2, DIV0)
        degrees = len(away) - 1.0
        error = math.sqrt(squares(away) / degrees / len(away))
        distance = mean(away)
    else:
        refuse_errors(array1, array2)
        first, second = (some(numbers_in((a,)), 2, DIV0) for a in (array1, array2))
        n1, n2 = len(first), len(second)
        distance = mean(first) - mean(second)
        if type == 2:
            degrees = n1 + n2 - 2.0
            error = math.sqrt((squares(first) + squares(second)) / degrees * (1.0 / n1 + 1.0 / n2))
        else:
            e1, e2 = variance(first, sample=True) / n1, variance(second, sample=True) / n2
            error = math.sqrt(e1 + e2)
            if error == 0.0:
                raise Raised(DIV0)
            degrees = (e1 + e2) ** 2 / (e1 * e1 / (n1 - 1) + e2 * e2 / (n2 - 1))
    if error == 0.0:
        raise Raised(DIV0)
    return t_tails(distance / error, degrees) * tails / 2.0


@excel("Z.TEST(array: array, x: number, [sigma: number ~ None]) -> number", also=("ZTEST",))
def z_test(array: Arr, x: float, sigma: float | None = None) -> float:
    """The probability that the mean of a sample is above the one found, if the population's mean is x."""
    numbers = some(numbers_in((array,)), 1, NA)
    if sigma is None or len(numbers) == 1:  # one number is #DIV/0! whatever sigma is (measured)
        deviation = math.sqrt(variance(numbers, sample=True))
        if deviation == 0.0:
            raise Raised(DIV0)
    else:
        demand(sigma > 0.0)
        deviation = sigma
    return special.normal_cdf((x - mean(numbers)) / (deviation / math.sqrt(len(numbers))))
