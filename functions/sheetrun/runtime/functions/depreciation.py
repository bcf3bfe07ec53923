"""Depreciation of assets: SLN, SYD, DB, DDB, VDB and the French AMORLINC and AMORDEGRC."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sheetrun.runtime import daycount
from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.errors import DIV0, NUM, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_date, strict_integer, strict_numbers
from sheetrun.runtime.values import Scalar

_LONGEST: Final = 1_000_000  # periods that are walked one by one


def _sln_vector(cost: Numbers, salvage: Numbers, life: Numbers) -> Numbers:
    return np.where(life == 0.0, float(DIV0), (cost - salvage) / life)


@excel("SLN(cost: number, salvage: number, life: number) -> number", vector=_sln_vector)
def sln(cost: float, salvage: float, life: float) -> float:
    """Straight-line depreciation of one period."""
    if life == 0.0:
        raise Raised(DIV0)
    return (cost - salvage) / life


@excel("SYD(cost: number, salvage: number, life: number, per: number) -> number")
def syd(cost: float, salvage: float, life: float, per: float) -> float:
    """Sum-of-years' digits depreciation of one period."""
    if salvage < 0.0 or life <= 0.0 or per <= 0.0 or per > life:
        raise Raised(NUM)
    return (cost - salvage) * (life - per + 1.0) * 2.0 / (life * (life + 1.0))


@excel("DB(cost: number, salvage: number, life: number, period: number, [month: number ~ 12]) -> number")
def db(cost: float, salvage: float, life: float, period: float, month: float) -> float:
    """Fixed declining balance depreciation of one period; the rate is rounded to three places."""
    month, whole = math.trunc(month), math.trunc(period)
    if cost < 0.0 or salvage < 0.0 or life <= 0.0 or period <= 0.0 or not 1 <= month <= 12:
        raise Raised(NUM)
    if period > life + (0.0 if month == 12 else 1.0):
        raise Raised(NUM)
    if cost == 0.0:
        return 0.0
    rate = math.floor((1.0 - math.pow(salvage / cost, 1.0 / life)) * 1000.0 + 0.5) / 1000.0
    first = cost * rate * month / 12.0
    if whole <= 1:
        return first
    last = math.trunc(life)
    if whole > last:  # the months of the year after
        return (cost - first) * math.pow(1.0 - rate, last - 1) * rate * (12 - month) / 12.0
    return (cost - first) * math.pow(1.0 - rate, whole - 2) * rate


def _declining(cost: float, salvage: float, life: float, period: float, factor: float) -> float:
    """Double declining balance of one period: what the rate takes off, but never below the salvage value."""
    rate = factor / life
    if rate >= 1.0:
        rate = 1.0
        old = cost if period == 1.0 else 0.0
    else:
        old = cost * math.pow(1.0 - rate, period - 1.0)
    new = cost * math.pow(1.0 - rate, period)
    return max(0.0, old - salvage if new < salvage else old - new)


@excel("DDB(cost: number, salvage: number, life: number, period: number, [factor: number ~ 2]) -> number")
def ddb(cost: float, salvage: float, life: float, period: float, factor: float) -> float:
    """Double declining balance depreciation of one period, or with another factor than 2."""
    if cost < 0.0 or salvage < 0.0 or life <= 0.0 or period <= 0.0 or period > life or factor <= 0.0:
        raise Raised(NUM)
    return _declining(cost, salvage, life, max(period, 1.0), factor)


@excel(
    "VDB(cost: number, salvage: number, life: number, start_period: number, end_period: number,"
    " [factor: number ~ 2], [no_switch: logical = FALSE]) -> number"
)
def vdb(cost: float, salvage: float, life: float, start: float, end: float, factor: float, no_switch: bool) -> float:
    """Declining balance depreciation between two periods, which turns straight-line where that takes off more."""
    if cost < 0.0 or salvage < 0.0 or life <= 0.0 or start < 0.0 or end < start or end > life or factor <= 0.0:
        raise Raised(NUM)
    if salvage > cost:
        return 0.0
    if not no_switch and end > _LONGEST:
        raise Raised(NUM)
    if no_switch:
        return _declined(cost, salvage, life, end, factor) - _declined(cost, salvage, life, start, factor)
    part = start - math.floor(start)
    worth = cost - _switching(cost, salvage, life, life, part, factor)
    # Measured: periods are counted from the fraction of the start on, not from 0.
    worth -= _switching(worth, salvage, life, life - part, math.floor(start), factor)
    return _switching(worth, salvage, life, life - start, end - start, factor)


def _declined(cost: float, salvage: float, life: float, end: float, factor: float) -> float:
    """All declining balance depreciation up to ``end``; of a part of a period, that part."""
    whole = float(math.floor(end))
    worth = cost * math.pow(max(0.0, 1.0 - factor / life), whole)
    return cost - max(worth, salvage) + (end - whole) * _declining(cost, salvage, life, whole + 1.0, factor)


def _switching(cost: float, salvage: float, life: float, rest: float, periods: float, factor: float) -> float:
    """Depreciation over ``periods`` of an asset with ``rest`` periods to live, straight-line once that is more."""
    total = 0.0
    left = cost - salvage
    level = None
    last = math.ceil(periods)
    for i in range(1, last + 1):
        if level is None:
            declining = _declining(cost, salvage, life, float(i), factor)
            straight = left / (rest - (i - 1.0))
            if straight > declining:
                level = term = straight
            else:
                term = declining
                left -= declining
        else:
            term = level
        total += term * (periods + 1.0 - last) if i == last else term
    return total


@excel(
    "AMORLINC(cost: strict, date_purchased: strict, first_period: strict, salvage: strict, period: strict,"
    " rate: strict, [basis: strict = 0]) -> number"
)
def amorlinc(
    cost: Scalar, purchased: Scalar, first: Scalar, salvage: Scalar, period: Scalar, rate: Scalar, basis: Scalar
) -> float:
    """Linear depreciation of one period by the French rules: the first one by its days."""
    worth, rest, per, r = strict_numbers(cost, salvage, period, rate)
    part = _first_part(purchased, first, basis)
    if worth < 0.0 or rest < 0.0 or rest > worth or per < 0.0 or r <= 0.0:
        raise Raised(NUM)
    if worth == rest or per > math.ceil(1.0 / r):
        return 0.0
    amount = min(part * r * worth or r * worth, worth - rest)
    if per == 0.0:
        return amount
    full = r * worth
    if per < 1.0:
        return full
    return min(full, max(0.0, worth - rest - amount - (math.trunc(per) - 1) * full))


def _first_part(purchased: Scalar, first: Scalar, basis: Scalar) -> float:
    """The part of a year between the purchase and the end of the first period."""
    start, end, base = strict_date(purchased), strict_date(first), strict_integer(basis)
    if base not in (0, 1, 3, 4) or start > end:
        raise Raised(NUM)
    length = 366.0 if daycount.is_leap(daycount.civil(start)[0]) else 365.0
    if base in (1, 3):
        start, end = _without_leap_day(start), _without_leap_day(end)
    return daycount.days_between(start, end, base) / {1: length, 3: 365.0}.get(base, 360.0)


def _without_leap_day(serial: int) -> int:
    _, month, day = daycount.civil(serial)
    return serial - 1 if month == 2 and day == 29 else serial


def _whole(value: float) -> float:
    """Rounded half up on the 13 digits that Excel looks at here (22.49999999999999 counts as 22.5)."""
    return float(math.floor(float(f"{value:.13g}") + 0.5))


@excel(
    "AMORDEGRC(cost: strict, date_purchased: strict, first_period: strict, salvage: strict, period: strict,"
    " rate: strict, [basis: strict = 0]) -> number"
)
def amordegrc(
    cost: Scalar, purchased: Scalar, first: Scalar, salvage: Scalar, period: Scalar, rate: Scalar, basis: Scalar
) -> float:
    """Declining depreciation of one period by the French rules: a coefficient by the asset's life, whole amounts."""
    worth, rest, per, r = strict_numbers(cost, salvage, period, rate)
    part = _first_part(purchased, first, basis)
    if worth < 0.0 or rest < 0.0 or rest > worth or per < 0.0 or r <= 0.0:
        raise Raised(NUM)
    life = 1.0 / r
    if life <= 3.0 or 4.0 < life < 5.0:
        raise Raised(NUM)
    periods = math.ceil(life)
    if worth == rest or per > periods:
        return 0.0
    if per > _LONGEST:
        raise Raised(NUM)
    rapid = r * (1.5 if periods <= 4 else 2.0 if periods <= 6 else 2.5)
    raw = part * rapid * worth
    amount = _whole(min(raw or rapid * worth, worth - rest))
    if per == 0.0:
        return amount
    if raw:
        periods += 1
    left = worth - amount
    taken, amount = rapid, 0.0
    for k in range(1, math.trunc(per) + 1):
        to_go = periods - (k + 1)
        if to_go == 2:
            taken, amount = 1.0, left * 0.5
        else:
            amount = taken * left
        if left < rest:
            amount = 0.0
        left -= amount
    return _whole(amount)
