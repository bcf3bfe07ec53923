"""Order: the k-th number, percentiles and quartiles, and the rank of a number.

An array of ranks or of numbers is answered from one sorting. Source: Microsoft's page of each function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.errors import NA, NUM, Raised
from sheetrun.runtime.functions.aggregate import numbers_in
from sheetrun.runtime.functions.rounding import whole_below
from sheetrun.runtime.registry import excel
from sheetrun.runtime.tails import Tailed, is_array, numbers_only
from sheetrun.runtime.values import MISSING, Arr, Value

_BOX_NA: Final = float(NA)


def _sorted(array: Value) -> Numbers:
    """The numbers in ascending order; #NUM! when there are none."""
    return np.sort(present(numbers_in((array,))))


def present(numbers: Numbers) -> Numbers:
    """The numbers themselves; #NUM! when there are none."""
    if not len(numbers):
        raise Raised(NUM)
    return numbers


def _each(pick: Callable[[Numbers, float], float]) -> Callable[..., Value]:
    """Answers for an array of ``k``: one sorting for all. An error among ``k`` comes before one in the array."""

    def whole(array: Value, k: Value) -> Value:
        array = numbers_only(array) if type(array) is Tailed else array
        wanted = Arr.of(k)
        try:
            ordered = _sorted(Arr.of(array) if is_array(array) or hasattr(array, "arr") else array)
        except Raised as stop:
            return np.where(np.isnan(wanted.num), wanted.num, float(stop.error))
        out = np.empty(wanted.shape)
        for at, value in np.ndenumerate(wanted.num):
            try:
                out[at] = pick(ordered, float(value)) if value == value else value
            except Raised as stop:
                out[at] = float(stop.error)
        return out

    return whole


def kth_largest(ordered: Numbers, k: float) -> float:
    return float(ordered[-_place(ordered, math.ceil(k), k)])


def kth_smallest(ordered: Numbers, k: float) -> float:
    return float(ordered[_place(ordered, math.floor(k), k) - 1])


def _place(ordered: Numbers, place: int, k: float) -> int:
    """Measured: from 1 on, LARGE rounds k up and SMALL down."""
    if k < 1.0 or place > len(ordered):
        raise Raised(NUM)
    return place


@excel("LARGE(array: values, k: number) -> number", tails=numbers_only, whole=_each(kth_largest))
def large(array: Value, k: float) -> float:
    """The k-th largest number."""
    return kth_largest(_sorted(array), k)


@excel("SMALL(array: values, k: number) -> number", tails=numbers_only, whole=_each(kth_smallest))
def small(array: Value, k: float) -> float:
    """The k-th smallest number."""
    return kth_smallest(_sorted(array), k)


# -- percentiles -----------------------------------------------------------------------------------------------------


def _between(ordered: Numbers, place: float) -> float:
    """The value at a place from 0 to n-1, interpolated."""
    low = min(int(place), len(ordered) - 1)
    value = float(ordered[low])
    part = place - low
    return value + part * (float(ordered[low + 1]) - value) if part > 0.0 else value


def inclusive(ordered: Numbers, k: float) -> float:
    """The percentile with the smallest number at 0 and the largest at 1."""
    if not 0.0 <= k <= 1.0:
        raise Raised(NUM)
    return _between(ordered, k * (len(ordered) - 1))


def exclusive(ordered: Numbers, k: float) -> float:
    """The percentile with 1/(n+1) before the smallest and after the largest number."""
    place = k * (len(ordered) + 1) - 1.0
    if not 0.0 < k < 1.0 or not -1e-12 <= place <= len(ordered) - 1 + 1e-12:
        raise Raised(NUM)
    return _between(ordered, max(0.0, min(place, len(ordered) - 1.0)))


def quartile_inclusive(ordered: Numbers, quart: float) -> float:
    return inclusive(ordered, _quart(quart, 0, 4) / 4.0)


def quartile_exclusive(ordered: Numbers, quart: float) -> float:
    return exclusive(ordered, _quart(quart, 1, 3) / 4.0)


def _quart(quart: float, least: int, most: int) -> int:
    whole = math.trunc(quart)
    if quart < 0.0 or not least <= whole <= most:
        raise Raised(NUM)
    return whole


@excel(
    "PERCENTILE.INC(array: values, k: number) -> number",
    tails=numbers_only,
    whole=_each(inclusive),
    also=("PERCENTILE",),
)
def percentile_inc(array: Value, k: float) -> float:
    """The percentile of numbers, 0 and 1 included."""
    return inclusive(_sorted(array), k)


@excel("PERCENTILE.EXC(array: values, k: number) -> number", tails=numbers_only, whole=_each(exclusive))
def percentile_exc(array: Value, k: float) -> float:
    """The percentile of numbers, 0 and 1 excluded."""
    return exclusive(_sorted(array), k)


@excel(
    "QUARTILE.INC(array: values, quart: number) -> number",
    tails=numbers_only,
    whole=_each(quartile_inclusive),
    also=("QUARTILE",),
)
def quartile_inc(array: Value, quart: float) -> float:
    """The quartile of numbers, 0 and 4 included."""
    return quartile_inclusive(_sorted(array), quart)


@excel("QUARTILE.EXC(array: values, quart: number) -> number", tails=numbers_only, whole=_each(quartile_exclusive))
def quartile_exc(array: Value, quart: float) -> float:
    """The quartile of numbers, 0 and 4 excluded."""
    return quartile_exclusive(_sorted(array), quart)


# -- ranks -----------------------------------------------------------------------------------------------------------


def _percentrank(array: Value, x: float, significance: float, place: Callable[[float, int], float]) -> float:
    """The place of x among the numbers, cut off to a number of digits; #N/A beyond them."""
    ordered = _sorted(array)
    digits = math.trunc(significance)
    if digits < 1:
        raise Raised(NUM)
    if not ordered[0] <= x <= ordered[-1]:
        raise Raised(NA)
    below = int(np.searchsorted(ordered, x, "left"))
    at = float(below)
    if ordered[below] != x:
        before, after = float(ordered[below - 1]), float(ordered[below])
        at = below - 1 + (x - before) / (after - before)
    power = 10.0**digits
    return whole_below(place(at, len(ordered)) * power) / power


@excel(
    "PERCENTRANK.INC(array: values, x: number, [significance: number ~ 3]) -> number",
    tails=numbers_only,
    also=("PERCENTRANK",),
)
def percentrank_inc(array: Value, x: float, significance: float = 3.0) -> float:
    """The rank of a value as a part of the numbers, 0 and 1 included."""
    return _percentrank(array, x, significance, lambda at, n: at / (n - 1) if n > 1 else 1.0)


@excel("PERCENTRANK.EXC(array: values, x: number, [significance: number ~ 3]) -> number", tails=numbers_only)
def percentrank_exc(array: Value, x: float, significance: float = 3.0) -> float:
    """The rank of a value as a part of the numbers, 0 and 1 excluded."""
    return _percentrank(array, x, significance, lambda at, n: (at + 1.0) / (n + 1))


def _ranks(number: Numbers, ordered: Numbers, ascending: bool, average: bool) -> Numbers:
    """The rank of each number among sorted ones; #N/A for what is not among them."""
    low = np.searchsorted(ordered, number, "left")
    high = np.searchsorted(ordered, number, "right")
    first = low + 1.0 if ascending else len(ordered) - high + 1.0
    ranks = first + (high - low - 1) / 2.0 if average else first
    return np.where(np.isnan(number), number, np.where(low == high, _BOX_NA, ranks))


def _rank(number: float, reference: Arr, order: float, *, average: bool) -> float:
    found = numbers_in((reference,))
    equal = int(np.count_nonzero(found == number))
    if not equal:
        raise Raised(NA)
    before = np.count_nonzero(found < number) if order != 0.0 else np.count_nonzero(found > number)
    return float(before) + 1.0 + ((equal - 1) / 2.0 if average else 0.0)


def _rank_each(average: bool) -> Callable[..., Value]:
    def whole(number: Value, reference: Value, order: Value = None) -> Value:
        ascending = 0.0 if order is None or order is MISSING else Arr.of(order).num
        if np.size(ascending) != 1:
            return None
        ordered = np.sort(numbers_in((Arr.of(reference),)))
        way = float(np.asarray(ascending).flat[0])
        if way != way:
            return None
        return _ranks(Arr.of(number).num, ordered, way != 0.0, average)

    return whole


@excel(
    "RANK.EQ(number: number, reference: array, [order: number = 0]) -> number", whole=_rank_each(False), also=("RANK",)
)
def rank_eq(number: float, reference: Arr, order: float = 0.0) -> float:
    """The rank of a number; equal numbers share the best one. Descending, or ascending with an order other than 0."""
    return _rank(number, reference, order, average=False)


@excel("RANK.AVG(number: number, reference: array, [order: number = 0]) -> number", whole=_rank_each(True))
def rank_avg(number: float, reference: Arr, order: float = 0.0) -> float:
    """The rank of a number; equal numbers share the mean of theirs."""
    return _rank(number, reference, order, average=True)
