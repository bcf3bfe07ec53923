"""Day count: the calendar behind bonds, coupons, depreciation and YEARFRAC, with Excel's bases 0 to 4.

Dates are serials of the 1900 system as ints: 1 is 1 January 1900, 60 is the 29 February 1900 that Excel invented, 0 is
"0 January 1900", 2958465 is 31 December 9999.

Basis   days                              year
0       30/360 US (NASD)                  360
1       actual                            actual (an average over the years it touches)
2       actual                            360
3       actual                            365
4       30/360 European                   360

Sources: Microsoft, "YEARFRAC function"; D. A. Wheeler, "YEARFRAC Incompatibilities" (the rules as measured in Excel).
"""

from __future__ import annotations

import datetime
from typing import Final

from sheetrun.runtime.errors import NUM, Raised

LAST_SERIAL: Final = 2_958_465
_ORDINAL: Final = 693_594  # serial 61 is 1 March 1900; before it, Excel's 29 February 1900 shifts serials by one
_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def civil(serial: int) -> tuple[int, int, int]:
    """(year, month, day) of a serial; 60 is (1900, 2, 29), 0 is (1900, 1, 0). Raises #NUM! outside Excel's calendar."""
    if serial > 60:
        if serial > LAST_SERIAL:
            raise Raised(NUM)
        date = datetime.date.fromordinal(serial + _ORDINAL)
        return date.year, date.month, date.day
    if serial < 0:
        raise Raised(NUM)
    return (1900, 1, serial) if serial < 32 else (1900, 2, serial - 31)


def serial_of(year: int, month: int, day: int) -> int:
    """The serial of a calendar date; the reverse of ``civil``. Raises #NUM! for years outside 1900 to 9999."""
    if not 1900 <= year <= 9999:
        raise Raised(NUM)
    if year == 1900 and month <= 2:
        return day + (31 if month == 2 else 0)
    return datetime.date(year, month, 1).toordinal() + day - 1 - _ORDINAL  # day 0: months after 0 January 1900


def is_leap(year: int) -> bool:
    """Whether a year has a 29 February in Excel: 1900 has one."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0 or year == 1900)


def month_length(year: int, month: int) -> int:
    return 29 if month == 2 and is_leap(year) else _LENGTHS[month - 1]


def is_month_end(serial: int) -> bool:
    year, month, day = civil(serial)
    return day == month_length(year, month)


def add_months(serial: int, months: int, *, to_month_end: bool = False) -> int:
    """The same day ``months`` later (or earlier), or the last of that month where it is shorter or when asked for."""
    year, month, day = civil(serial)
    year, month = divmod(year * 12 + month - 1 + months, 12)
    length = month_length(year, month + 1)
    return serial_of(year, month + 1, length if to_month_end else min(day, length))


def days_360_us(start: int, end: int, *, both: bool = False) -> int:
    """Days by 30/360 US (NASD). ``both``: the end is moved to the 30th whatever the start is (length of a period)."""
    y1, m1, d1 = civil(start)
    y2, m2, d2 = civil(end)
    feb1 = m1 == 2 and d1 == month_length(y1, 2)
    feb2 = m2 == 2 and d2 == month_length(y2, 2)
    if (feb2 and (feb1 or both)) or (d2 == 31 and (d1 >= 30 or both)):
        d2 = 30
    if d1 == 31 or feb1:
        d1 = 30
    return (y2 - y1) * 360 + (m2 - m1) * 30 + d2 - d1


def days_360_eu(start: int, end: int) -> int:
    """Days by 30/360 European: a 31st counts as the 30th, February is left as it is."""
    y1, m1, d1 = civil(start)
    y2, m2, d2 = civil(end)
    return (y2 - y1) * 360 + (m2 - m1) * 30 + min(d2, 30) - min(d1, 30)


def days_between(start: int, end: int, basis: int) -> int:
    """Days from ``start`` to ``end`` as the basis counts them (negative when ``end`` is earlier)."""
    if basis == 0:
        return days_360_us(start, end)
    if basis == 4:
        return days_360_eu(start, end)
    return end - start


def year_length(start: int, end: int, basis: int) -> float:
    """Days of a year for the basis; for basis 1 that of the years between two dates (``start`` not after ``end``)."""
    if basis == 3:
        return 365.0
    if basis != 1:
        return 360.0
    y1, m1, d1 = civil(start)
    y2, m2, d2 = civil(end)
    if y1 == y2:
        return 366.0 if is_leap(y1) else 365.0
    if y1 + 1 == y2 and (m1, d1) >= (m2, d2):  # at most a year apart
        leap_day = (is_leap(y1) and m1 <= 2) or (is_leap(y2) and (m2, d2) >= (2, 29))
        return 366.0 if leap_day else 365.0
    days = sum(366 if is_leap(y) and y != 1900 else 365 for y in range(y1, y2 + 1))  # measured: 1900 has 365 here
    return days / (y2 - y1 + 1)


def check_basis(basis: int) -> None:
    """Raises #NUM! unless the basis is 0 to 4."""
    if not 0 <= basis <= 4:
        raise Raised(NUM)


def year_fraction(start: int, end: int, basis: int = 0) -> float:
    """YEARFRAC: the part of a year between two dates, in whichever order. Raises #NUM! for a bad date or basis."""
    check_basis(basis)
    if start > end:
        start, end = end, start
    civil(start)
    civil(end)
    if start == end:
        return 0.0
    return days_between(start, end, basis) / year_length(start, end, basis)
