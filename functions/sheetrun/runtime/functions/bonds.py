"""Bonds: PRICE, YIELD, DURATION, accrued interest, discounted and at-maturity securities.

Formulas as on Microsoft's pages of each function, with Excel's own choice of days where the pages leave it open.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sheetrun.runtime import daycount
from sheetrun.runtime.errors import NUM, Raised
from sheetrun.runtime.functions.coupons import Schedule, check_frequency, coupon_date, schedule_of
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_date, strict_integer, strict_number, strict_numbers
from sheetrun.runtime.values import Scalar


def _schedule(settlement: Scalar, maturity: Scalar, frequency: Scalar, basis: Scalar) -> Schedule:
    start, end = strict_date(settlement), strict_date(maturity)
    return schedule_of(start, end, strict_integer(frequency), strict_integer(basis))


def price_at(s: Schedule, rate: float, yld: float, redemption: float) -> float:
    """The clean price per 100 of face value."""
    coupon = 100.0 * rate / s.frequency
    elapsed = s.days_before / s.days
    first = 1.0 - elapsed  # periods until the next coupon
    y = yld / s.frequency
    if s.left == 1:
        return (redemption + coupon) / (1.0 + first * y) - coupon * elapsed
    if y <= -1.0:
        raise Raised(NUM)
    v = 1.0 + y
    flows = math.fsum(coupon * math.pow(v, -(k + first)) for k in range(s.left))
    return redemption * math.pow(v, -(s.left - 1 + first)) + flows - coupon * elapsed


@excel(
    "PRICE(settlement: strict, maturity: strict, rate: strict, yld: strict, redemption: strict, frequency: strict,"
    " [basis: strict = 0]) -> number"
)
def price(
    settlement: Scalar,
    maturity: Scalar,
    rate: Scalar,
    yld: Scalar,
    redemption: Scalar,
    frequency: Scalar,
    basis: Scalar,
) -> float:
    """The price per 100 of face value of a security that pays periodic interest."""
    s = _schedule(settlement, maturity, frequency, basis)
    r, y, worth = strict_numbers(rate, yld, redemption)
    if r < 0.0 or y < 0.0 or worth <= 0.0:
        raise Raised(NUM)
    return price_at(s, r, y, worth)


@excel(
    "YIELD(settlement: strict, maturity: strict, rate: strict, pr: strict, redemption: strict, frequency: strict,"
    " [basis: strict = 0]) -> number"
)
def yield_(
    settlement: Scalar,
    maturity: Scalar,
    rate: Scalar,
    pr: Scalar,
    redemption: Scalar,
    frequency: Scalar,
    basis: Scalar,
) -> float:
    """The yield of a security that pays periodic interest."""
    s = _schedule(settlement, maturity, frequency, basis)
    r, paid, worth = strict_numbers(rate, pr, redemption)
    if r < 0.0 or paid <= 0.0 or worth <= 0.0:
        raise Raised(NUM)
    if s.left == 1:
        elapsed = s.days_before / s.days
        dirty = paid / 100.0 + elapsed * r / s.frequency
        return ((worth / 100.0 + r / s.frequency) / dirty - 1.0) * s.frequency / (1.0 - elapsed)
    return solve(lambda y: price_at(s, r, y, worth) - paid, -s.frequency * (1.0 - 1e-9), max(r, 0.05))


def solve(balance: Callable[[float], float], lowest: float, guess: float) -> float:
    """The root of a falling function above ``lowest``: bracketed, then bisected and interpolated. Raises #NUM!."""
    low = high = guess
    f_low = f_high = balance(guess)
    if f_low == 0.0:
        return guess
    step = max(0.01, abs(guess))
    for _ in range(200):
        if f_low >= 0.0 >= f_high:
            break
        if f_low < 0.0:
            high, f_high = low, f_low
            low = max(low - step, (low + lowest) / 2.0)
            f_low = balance(low)
        else:
            low, f_low = high, f_high
            high += step
            f_high = balance(high)
        step *= 2.0
    else:
        raise Raised(NUM)
    return _between(balance, low, high, f_low, f_high)


def _between(balance: Callable[[float], float], a: float, b: float, fa: float, fb: float) -> float:
    """Regula falsi with the Illinois weight, kept safe by bisection; to the last bits."""
    for k in range(200):
        if fa == 0.0:
            return a
        if fb == 0.0:
            return b
        middle = (a + b) / 2.0
        x = (a * fb - b * fa) / (fb - fa) if k % 3 else middle
        if not min(a, b) < x < max(a, b):
            x = middle
        fx = balance(x)
        if (fx > 0.0) == (fa > 0.0):
            a, fa, fb = x, fx, fb / 2.0 if k % 3 else fb
        else:
            b, fb, fa = x, fx, fa / 2.0 if k % 3 else fa
        if abs(b - a) <= 4e-16 * max(1e-300, abs(a) + abs(b)):
            return x
    return (a + b) / 2.0


def _duration(
    settlement: Scalar, maturity: Scalar, coupon: Scalar, yld: Scalar, frequency: Scalar, basis: Scalar
) -> tuple[float, float, int]:
    """(Macaulay duration in years, yield, coupons a year)."""
    s = _schedule(settlement, maturity, frequency, basis)
    c, y = strict_numbers(coupon, yld)
    if c < 0.0 or y < 0.0:
        raise Raised(NUM)
    first = 1.0 - s.days_before / s.days
    v = 1.0 + y / s.frequency
    worth = weighted = 0.0
    for k in range(s.left):
        flow = (100.0 * c / s.frequency + (100.0 if k == s.left - 1 else 0.0)) * math.pow(v, -(k + first))
        worth += flow
        weighted += flow * (k + first)
    return weighted / worth / s.frequency, y, s.frequency


@excel(
    "DURATION(settlement: strict, maturity: strict, coupon: strict, yld: strict, frequency: strict,"
    " [basis: strict = 0]) -> number"
)
def duration(
    settlement: Scalar, maturity: Scalar, coupon: Scalar, yld: Scalar, frequency: Scalar, basis: Scalar
) -> float:
    """The Macaulay duration of a security, in years."""
    return _duration(settlement, maturity, coupon, yld, frequency, basis)[0]


@excel(
    "MDURATION(settlement: strict, maturity: strict, coupon: strict, yld: strict, frequency: strict,"
    " [basis: strict = 0]) -> number"
)
def mduration(
    settlement: Scalar, maturity: Scalar, coupon: Scalar, yld: Scalar, frequency: Scalar, basis: Scalar
) -> float:
    """The modified duration of a security, in years."""
    years, y, per_year = _duration(settlement, maturity, coupon, yld, frequency, basis)
    return years / (1.0 + y / per_year)


@excel(
    "ACCRINT(issue: strict, first_interest: strict, settlement: strict, rate: strict, par: strict, frequency: strict,"
    " [basis: strict = 0], [calc_method: strict = TRUE]) -> number"
)
def accrint(
    issue: Scalar,
    first_interest: Scalar,
    settlement: Scalar,
    rate: Scalar,
    par: Scalar,
    frequency: Scalar,
    basis: Scalar,
    calc_method: Scalar,
) -> float:
    """The accrued interest of a security that pays periodic interest.

    Measured: with ``calc_method`` FALSE Excel adds whole coupons back from the first interest date whatever comes after.
    """
    start, first, end = strict_date(issue), strict_date(first_interest), strict_date(settlement)
    r, worth = strict_numbers(rate, par)
    per_year, base = strict_integer(frequency), strict_integer(basis)
    whole = calc_method if isinstance(calc_method, bool) else strict_number(calc_method) != 0.0
    check_frequency(per_year)
    daycount.check_basis(base)
    if r <= 0.0 or worth <= 0.0 or start >= end:
        raise Raised(NUM)
    months = 12 // per_year
    month_end = daycount.is_month_end(first)
    index = 1
    if end > first and whole:
        index = 0
        while daycount.add_months(first, (1 - index) * months, to_month_end=month_end) < end:
            index -= 1

    def coupon(k: int) -> int:
        return daycount.add_months(first, -k * months, to_month_end=month_end)

    previous = coupon(index)
    begin = max(start, previous)
    period = _coupon_days(coupon(1), first, per_year, base)  # measured: also where later ones have other days
    total = daycount.days_between(begin, end, base) / period
    while previous > start:
        following, index = previous, index + 1
        previous = coupon(index)
        if start <= previous:
            total += 1.0 if whole else 0.0
            continue
        if base == 0:
            total += daycount.days_360_us(start, following) / daycount.days_360_us(previous, following, both=True)
        else:
            length = 365.0 / per_year if base == 3 else 0.0
            length = length or float(daycount.days_between(previous, following, 0 if base == 2 else base))
            total += daycount.days_between(start, following, base) / length
    return worth * r / per_year * total


def _coupon_days(previous: int, following: int, frequency: int, basis: int) -> float:
    if basis == 1:
        return float(schedule_of(previous, following, frequency, 1).days)
    return (365.0 if basis == 3 else 360.0) / frequency


@excel("ACCRINTM(issue: strict, settlement: strict, rate: strict, par: strict, [basis: strict = 0]) -> number")
def accrintm(issue: Scalar, settlement: Scalar, rate: Scalar, par: Scalar, basis: Scalar) -> float:
    """The accrued interest of a security that pays interest at maturity."""
    part = _year_part(issue, settlement, basis)
    r, worth = strict_numbers(rate, par)
    if r <= 0.0 or worth <= 0.0:
        raise Raised(NUM)
    return worth * r * part


def _year_part(start: Scalar, end: Scalar, basis: Scalar) -> float:
    """The part of a year from one date to a later one."""
    a, b, base = strict_date(start), strict_date(end), strict_integer(basis)
    daycount.check_basis(base)
    if a >= b:
        raise Raised(NUM)
    return daycount.days_between(a, b, base) / daycount.year_length(a, b, base)


@excel("DISC(settlement: strict, maturity: strict, pr: strict, redemption: strict, [basis: strict = 0]) -> number")
def disc(settlement: Scalar, maturity: Scalar, pr: Scalar, redemption: Scalar, basis: Scalar) -> float:
    """The discount rate of a security."""
    part = _year_part(settlement, maturity, basis)
    paid, worth = strict_numbers(pr, redemption)
    if paid <= 0.0 or worth <= 0.0:
        raise Raised(NUM)
    return (1.0 - paid / worth) / part


@excel(
    "INTRATE(settlement: strict, maturity: strict, investment: strict, redemption: strict, [basis: strict = 0])"
    " -> number"
)
def intrate(settlement: Scalar, maturity: Scalar, investment: Scalar, redemption: Scalar, basis: Scalar) -> float:
    """The interest rate of a fully invested security."""
    part = _year_part(settlement, maturity, basis)
    paid, worth = strict_numbers(investment, redemption)
    if paid <= 0.0 or worth <= 0.0:
        raise Raised(NUM)
    return (worth - paid) / paid / part


@excel(
    "RECEIVED(settlement: strict, maturity: strict, investment: strict, discount: strict, [basis: strict = 0])"
    " -> number"
)
def received(settlement: Scalar, maturity: Scalar, investment: Scalar, discount: Scalar, basis: Scalar) -> float:
    """The amount received at maturity for a fully invested security."""
    part = _year_part(settlement, maturity, basis)
    paid, rate = strict_numbers(investment, discount)
    if paid <= 0.0 or rate <= 0.0 or rate * part >= 1.0:
        raise Raised(NUM)
    return paid / (1.0 - rate * part)


@excel(
    "PRICEDISC(settlement: strict, maturity: strict, discount: strict, redemption: strict, [basis: strict = 0])"
    " -> number"
)
def pricedisc(settlement: Scalar, maturity: Scalar, discount: Scalar, redemption: Scalar, basis: Scalar) -> float:
    """The price per 100 of face value of a discounted security."""
    part = _year_part(settlement, maturity, basis)
    rate, worth = strict_numbers(discount, redemption)
    if rate <= 0.0 or worth <= 0.0:
        raise Raised(NUM)
    return worth - rate * worth * part


@excel("YIELDDISC(settlement: strict, maturity: strict, pr: strict, redemption: strict, [basis: strict = 0]) -> number")
def yielddisc(settlement: Scalar, maturity: Scalar, pr: Scalar, redemption: Scalar, basis: Scalar) -> float:
    """The annual yield of a discounted security."""
    part = _year_part(settlement, maturity, basis)
    paid, worth = strict_numbers(pr, redemption)
    if paid <= 0.0 or worth <= 0.0:
        raise Raised(NUM)
    return (worth - paid) / paid / part


def _at_maturity(settlement: Scalar, maturity: Scalar, issue: Scalar, basis: Scalar) -> tuple[float, float, float]:
    """Years from issue to maturity, from issue to settlement and between these, all by the year of the first two."""
    s, m, i, base = strict_date(settlement), strict_date(maturity), strict_date(issue), strict_integer(basis)
    daycount.check_basis(base)
    if s >= m or i > s:
        raise Raised(NUM)
    year = daycount.year_length(i, s, base)
    whole, elapsed = daycount.days_between(i, m, base) / year, daycount.days_between(i, s, base) / year
    return whole, elapsed, whole - elapsed


@excel(
    "PRICEMAT(settlement: strict, maturity: strict, issue: strict, rate: strict, yld: strict, [basis: strict = 0])"
    " -> number"
)
def pricemat(settlement: Scalar, maturity: Scalar, issue: Scalar, rate: Scalar, yld: Scalar, basis: Scalar) -> float:
    """The price per 100 of face value of a security that pays interest at maturity."""
    whole, elapsed, left = _at_maturity(settlement, maturity, issue, basis)
    r, y = strict_numbers(rate, yld)
    if r < 0.0 or y < 0.0:
        raise Raised(NUM)
    return (100.0 + whole * r * 100.0) / (1.0 + left * y) - elapsed * r * 100.0


@excel(
    "YIELDMAT(settlement: strict, maturity: strict, issue: strict, rate: strict, pr: strict, [basis: strict = 0])"
    " -> number"
)
def yieldmat(settlement: Scalar, maturity: Scalar, issue: Scalar, rate: Scalar, pr: Scalar, basis: Scalar) -> float:
    """The annual yield of a security that pays interest at maturity."""
    whole, elapsed, left = _at_maturity(settlement, maturity, issue, basis)
    r, paid = strict_numbers(rate, pr)
    if r < 0.0 or paid <= 0.0:
        raise Raised(NUM)
    dirty = paid / 100.0 + elapsed * r
    return (1.0 + whole * r - dirty) / dirty / left


__all__ = ["coupon_date", "price_at", "solve"]
