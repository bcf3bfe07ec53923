"""Coupon dates and days: COUPPCD, COUPNCD, COUPNUM, COUPDAYBS, COUPDAYS, COUPDAYSNC, and the schedule bonds share.

Coupons fall on the maturity's day of the month, going back from it; where the maturity is the last of its month, on the
last of each. Source: Microsoft, "COUPDAYBS function"; the 30/360 details as measured in Excel.
"""

from __future__ import annotations

from sheetrun.records import dataclass
from sheetrun.runtime import daycount
from sheetrun.runtime.calendar import from_1900
from sheetrun.runtime.errors import NUM, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_date, strict_integer
from sheetrun.runtime.values import Scalar


@dataclass(frozen=True, slots=True)
class Schedule:
    """Where settlement stands between two coupons. Dates are 1900 serials, days by the basis."""

    settlement: int
    previous: int
    following: int
    left: int  #: coupons still to be paid, the one at maturity included
    frequency: int
    basis: int

    @property
    def days_before(self) -> int:
        """From the previous coupon to settlement."""
        return daycount.days_between(self.previous, self.settlement, self.basis)

    @property
    def days(self) -> float:
        """Of the whole coupon period."""
        if self.basis == 1:
            return float(self.following - self.previous)
        return (365.0 if self.basis == 3 else 360.0) / self.frequency

    @property
    def days_after(self) -> int:
        """From settlement to the next coupon; for 30/360 US what is left of the period, which counts both ends."""
        if self.basis == 0:
            return daycount.days_360_us(self.previous, self.following, both=True) - self.days_before
        return daycount.days_between(self.settlement, self.following, self.basis)


def check_frequency(frequency: int) -> None:
    """Raises #NUM! unless coupons are paid once, twice or four times a year."""
    if frequency not in (1, 2, 4):
        raise Raised(NUM)


def months_between(start: int, end: int) -> int:
    """Whole calendar months from the month of one date to that of another."""
    y1, m1, _ = daycount.civil(start)
    y2, m2, _ = daycount.civil(end)
    return (y2 - y1) * 12 + m2 - m1


def coupon_date(maturity: int, index: int, frequency: int) -> int:
    """The coupon ``index`` periods before maturity (after it where negative)."""
    return daycount.add_months(maturity, -index * 12 // frequency, to_month_end=daycount.is_month_end(maturity))


def schedule_of(settlement: int, maturity: int, frequency: int, basis: int) -> Schedule:
    """The coupon period around settlement. Raises #NUM! for a bad frequency, basis or order of dates."""
    check_frequency(frequency)
    daycount.check_basis(basis)
    if settlement >= maturity:
        raise Raised(NUM)
    index = months_between(settlement, maturity) * frequency // 12
    while index > 0 and coupon_date(maturity, index, frequency) <= settlement:
        index -= 1
    while coupon_date(maturity, index, frequency) > settlement:
        index += 1
    return Schedule(
        settlement,
        coupon_date(maturity, index, frequency),
        coupon_date(maturity, index - 1, frequency),
        index,
        frequency,
        basis,
    )


def _read(settlement: Scalar, maturity: Scalar, frequency: Scalar, basis: Scalar) -> Schedule:
    start, end = strict_date(settlement), strict_date(maturity)
    return schedule_of(start, end, strict_integer(frequency), strict_integer(basis))


@excel("COUPPCD(settlement: strict, maturity: strict, frequency: strict, [basis: strict = 0]) -> number")
def couppcd(settlement: Scalar, maturity: Scalar, frequency: Scalar, basis: Scalar) -> int:
    """The coupon date before settlement (or on it)."""
    return from_1900(_read(settlement, maturity, frequency, basis).previous)


@excel("COUPNCD(settlement: strict, maturity: strict, frequency: strict, [basis: strict = 0]) -> number")
def coupncd(settlement: Scalar, maturity: Scalar, frequency: Scalar, basis: Scalar) -> int:
    """The coupon date after settlement."""
    return from_1900(_read(settlement, maturity, frequency, basis).following)


@excel("COUPNUM(settlement: strict, maturity: strict, frequency: strict, [basis: strict = 0]) -> number")
def coupnum(settlement: Scalar, maturity: Scalar, frequency: Scalar, basis: Scalar) -> int:
    """The number of coupons between settlement and maturity."""
    return _read(settlement, maturity, frequency, basis).left


@excel("COUPDAYBS(settlement: strict, maturity: strict, frequency: strict, [basis: strict = 0]) -> number")
def coupdaybs(settlement: Scalar, maturity: Scalar, frequency: Scalar, basis: Scalar) -> int:
    """Days from the beginning of the coupon period to settlement."""
    return _read(settlement, maturity, frequency, basis).days_before


@excel("COUPDAYS(settlement: strict, maturity: strict, frequency: strict, [basis: strict = 0]) -> number")
def coupdays(settlement: Scalar, maturity: Scalar, frequency: Scalar, basis: Scalar) -> float:
    """Days of the coupon period that holds settlement."""
    return _read(settlement, maturity, frequency, basis).days


@excel("COUPDAYSNC(settlement: strict, maturity: strict, frequency: strict, [basis: strict = 0]) -> number")
def coupdaysnc(settlement: Scalar, maturity: Scalar, frequency: Scalar, basis: Scalar) -> int:
    """Days from settlement to the next coupon."""
    return _read(settlement, maturity, frequency, basis).days_after
