"""Bonds with an odd first or last coupon period: ODDFPRICE, ODDFYIELD, ODDLPRICE, ODDLYIELD.

Formulas as on Microsoft's page "ODDFPRICE function"; which days Excel counts in each quasi-coupon period as measured.
"""

from __future__ import annotations

import math

from sheetrun.records import dataclass
from sheetrun.runtime import daycount
from sheetrun.runtime.errors import NUM, Raised
from sheetrun.runtime.functions.bonds import solve
from sheetrun.runtime.functions.coupons import check_frequency, schedule_of
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_date, strict_integer, strict_numbers
from sheetrun.runtime.values import Scalar


def _days(start: int, end: int, basis: int) -> int:
    return max(0, daycount.days_between(start, end, basis))


@dataclass(frozen=True, slots=True)
class _OddFirst:
    """A bond whose first coupon period is not of full length."""

    settlement: int
    maturity: int
    issue: int
    first: int
    frequency: int
    basis: int

    @classmethod
    def read(
        cls, settlement: Scalar, maturity: Scalar, issue: Scalar, first: Scalar, frequency: Scalar, basis: Scalar
    ) -> _OddFirst:
        dates = (strict_date(settlement), strict_date(maturity), strict_date(issue), strict_date(first))
        bond = cls(*dates, strict_integer(frequency), strict_integer(basis))
        check_frequency(bond.frequency)
        daycount.check_basis(bond.basis)
        if not bond.maturity > bond.first > bond.settlement > bond.issue:
            raise Raised(NUM)
        if schedule_of(bond.first, bond.maturity, bond.frequency, bond.basis).previous != bond.first:
            raise Raised(NUM)  # coupons must fall on the maturity's day
        return bond

    def price(self, rate: float, yld: float, redemption: float) -> float:
        """The clean price per 100 of face value."""
        period = schedule_of(self.settlement, self.first, self.frequency, self.basis).days
        if _days(self.issue, self.first, self.basis) < period:
            return self._short(rate, yld, redemption, period)
        return self._long(rate, yld, redemption, period)

    def _short(self, rate: float, yld: float, redemption: float, period: float) -> float:
        coupon = 100.0 * rate / self.frequency
        v = 1.0 + yld / self.frequency
        y = _days(self.settlement, self.first, self.basis) / period
        count = schedule_of(self.settlement, self.maturity, self.frequency, self.basis).left
        total = redemption * math.pow(v, -(count - 1 + y))
        total += coupon * _days(self.issue, self.first, self.basis) / period * math.pow(v, -y)
        total += math.fsum(coupon * math.pow(v, -(k + y)) for k in range(1, count))
        return total - coupon * _days(self.issue, self.settlement, self.basis) / period

    def _long(self, rate: float, yld: float, redemption: float, period: float) -> float:
        coupon = 100.0 * rate / self.frequency
        v = 1.0 + yld / self.frequency
        months = 12 // self.frequency
        accrued = whole = 0.0  # parts of quasi-coupon periods: before settlement, of the first coupon
        late = self.first
        count = schedule_of(self.issue, self.first, self.frequency, self.basis).left
        for index in range(count, 0, -1):
            early = daycount.add_months(late, -months)
            length = float(_days(early, late, 1)) if self.basis == 1 else period
            part = length if index > 1 else float(_days(self.issue, late, self.basis))
            accrued += _days(max(self.issue, early), min(self.settlement, late), self.basis) / length
            whole += part / length
            late = early
        here = schedule_of(self.settlement, self.first, self.frequency, self.basis)
        if self.basis in (2, 3):
            after = float(_days(self.settlement, here.following, self.basis))
        else:
            after = period - here.days_before
        y = after / period
        full = _quasi_coupons(self.settlement, self.first, self.frequency)
        rest = schedule_of(self.first, self.maturity, self.frequency, self.basis).left
        total = redemption * math.pow(v, -(y + full + rest)) + coupon * whole * math.pow(v, -(full + y))
        total += math.fsum(coupon * math.pow(v, -(k + full + y)) for k in range(1, rest + 1))
        return total - coupon * accrued


def _quasi_coupons(settlement: int, first: int, frequency: int) -> int:
    """Whole quasi-coupon periods between settlement and the first coupon."""
    months = 12 // frequency
    _, month, day = daycount.civil(first)
    month_end = daycount.is_month_end(first)
    if not month_end and month != 2 and day > 28:
        month_end = daycount.is_month_end(settlement)
    start = daycount.add_months(settlement, 0, to_month_end=month_end)
    count = 1 if settlement < start else 0
    date = daycount.add_months(start, months, to_month_end=month_end)
    while date < first:
        date = daycount.add_months(date, months, to_month_end=month_end)
        count += 1
    return count


@excel(
    "ODDFPRICE(settlement: strict, maturity: strict, issue: strict, first_coupon: strict, rate: strict, yld: strict,"
    " redemption: strict, frequency: strict, [basis: strict = 0]) -> number"
)
def oddfprice(
    settlement: Scalar,
    maturity: Scalar,
    issue: Scalar,
    first_coupon: Scalar,
    rate: Scalar,
    yld: Scalar,
    redemption: Scalar,
    frequency: Scalar,
    basis: Scalar,
) -> float:
    """The price per 100 of face value of a security with an odd first period."""
    bond = _OddFirst.read(settlement, maturity, issue, first_coupon, frequency, basis)
    r, y, worth = strict_numbers(rate, yld, redemption)
    if r < 0.0 or y < 0.0 or worth <= 0.0:
        raise Raised(NUM)
    return bond.price(r, y, worth)


@excel(
    "ODDFYIELD(settlement: strict, maturity: strict, issue: strict, first_coupon: strict, rate: strict, pr: strict,"
    " redemption: strict, frequency: strict, [basis: strict = 0]) -> number"
)
def oddfyield(
    settlement: Scalar,
    maturity: Scalar,
    issue: Scalar,
    first_coupon: Scalar,
    rate: Scalar,
    pr: Scalar,
    redemption: Scalar,
    frequency: Scalar,
    basis: Scalar,
) -> float:
    """The yield of a security with an odd first period."""
    bond = _OddFirst.read(settlement, maturity, issue, first_coupon, frequency, basis)
    r, paid, worth = strict_numbers(rate, pr, redemption)
    if r < 0.0 or paid <= 0.0 or worth <= 0.0:
        raise Raised(NUM)
    return solve(lambda y: bond.price(r, y, worth) - paid, -bond.frequency * (1.0 - 1e-9), max(r, 0.05))


def _odd_last(
    settlement: Scalar, maturity: Scalar, last: Scalar, frequency: Scalar, basis: Scalar
) -> tuple[float, float, float, int]:
    """(parts of periods from the last coupon to maturity, to settlement, from settlement; coupons a year)."""
    s, m, start = strict_date(settlement), strict_date(maturity), strict_date(last)
    per_year, base = strict_integer(frequency), strict_integer(basis)
    check_frequency(per_year)
    daycount.check_basis(base)
    if not m > s > start:
        raise Raised(NUM)
    whole = accrued = rest = 0.0
    early = start
    count = schedule_of(start, m, per_year, base).left
    for index in range(1, count + 1):
        late = daycount.add_months(early, 12 // per_year)
        length = _full_days(early, late, base)
        part = length if index < count else _full_days(early, m, base)
        if late < s:
            accrued += part / length
        elif early < s:
            accrued += _days(early, s, base) / length
        whole += part / length
        rest += _days(max(s, early), min(m, late), base) / length
        early = late
    return whole, accrued, rest, per_year


def _full_days(start: int, end: int, basis: int) -> int:
    return max(0, daycount.days_360_us(start, end, both=True)) if basis == 0 else _days(start, end, basis)


@excel(
    "ODDLPRICE(settlement: strict, maturity: strict, last_interest: strict, rate: strict, yld: strict,"
    " redemption: strict, frequency: strict, [basis: strict = 0]) -> number"
)
def oddlprice(
    settlement: Scalar,
    maturity: Scalar,
    last_interest: Scalar,
    rate: Scalar,
    yld: Scalar,
    redemption: Scalar,
    frequency: Scalar,
    basis: Scalar,
) -> float:
    """The price per 100 of face value of a security with an odd last period."""
    whole, accrued, rest, per_year = _odd_last(settlement, maturity, last_interest, frequency, basis)
    r, y, worth = strict_numbers(rate, yld, redemption)
    if r < 0.0 or y < 0.0 or worth <= 0.0:
        raise Raised(NUM)
    coupon = 100.0 * r / per_year
    return (whole * coupon + worth) / (rest * y / per_year + 1.0) - accrued * coupon


@excel(
    "ODDLYIELD(settlement: strict, maturity: strict, last_interest: strict, rate: strict, pr: strict,"
    " redemption: strict, frequency: strict, [basis: strict = 0]) -> number"
)
def oddlyield(
    settlement: Scalar,
    maturity: Scalar,
    last_interest: Scalar,
    rate: Scalar,
    pr: Scalar,
    redemption: Scalar,
    frequency: Scalar,
    basis: Scalar,
) -> float:
    """The yield of a security with an odd last period."""
    whole, accrued, rest, per_year = _odd_last(settlement, maturity, last_interest, frequency, basis)
    r, paid, worth = strict_numbers(rate, pr, redemption)
    if r < 0.0 or paid <= 0.0 or worth <= 0.0:
        raise Raised(NUM)
    coupon = 100.0 * r / per_year
    dirty = accrued * coupon + paid
    return (whole * coupon + worth - dirty) / dirty * per_year / rest
