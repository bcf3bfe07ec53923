"""Dates as Excel counts them: serials to years, months and days and back, in the 1900 and the 1904 date system.

A serial is days and a fraction of a day. In the 1900 system 1 is 1 January 1900, 60 is the 29 February 1900 that Excel
invented and 0 is "0 January 1900"; in the 1904 system 0 is 1 January 1904. A run has one system (``settle``): the
workbook's. Serials out of the calendar (below 0, after 31 December 9999) are #NUM!.
"""

from __future__ import annotations

import datetime
import math
from typing import Any, Final

import numpy as np

from sheetrun.runtime import daycount
from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.errors import NUM, Raised

SHIFT_1904: Final = 1462  # serials of the 1904 system are lower by this
_LAST: Final = daycount.LAST_SERIAL

_date1904 = False


def settle(*, date1904: bool, year: int, day_first: bool = False) -> None:
    """Sets the date system of this run, the year of dates written without one, and whether 3/4 is in April."""
    global _date1904
    from sheetrun.runtime import pool, reading

    if (date1904, year, day_first) != (_date1904, reading.current_year(), reading.day_first()):
        pool.forget_readings()
    _date1904 = date1904
    reading.set_calendar(year, SHIFT_1904 if date1904 else 0, day_first)


def is_1904() -> bool:
    return _date1904


def to_1900(day: int) -> int:
    """A day number of the run's system as a serial of the 1900 system. Raises #NUM! outside the calendar."""
    if _date1904:
        day += SHIFT_1904 if day >= 0 else -(1 << 40)
    if not 0 <= day <= _LAST:
        raise Raised(NUM)
    return day


def from_1900(serial: int) -> int:
    """A serial of the 1900 system in the run's. Raises #NUM! when the system has no such day."""
    day = serial - SHIFT_1904 if _date1904 else serial
    if day < 0 or serial > _LAST:
        raise Raised(NUM)
    return day


def day_of(serial: float) -> int:
    """The whole day of a serial, checked, in the run's system."""
    if not 0.0 <= serial < _LAST + 1.0:
        raise Raised(NUM)
    day = math.floor(serial)
    to_1900(day)
    return day


def civil(serial: float) -> tuple[int, int, int]:
    """(year, month, day). Raises #NUM! outside the calendar."""
    return daycount.civil(to_1900(day_of(serial)))


def serial_of(year: int, month: int, day: int) -> int:
    """DATE's arithmetic: months and days may be out of range and carry over; years 0 to 1899 count from 1900.

    Source: Microsoft, "DATE function". Raises #NUM! for years that are negative or, in the end, outside the calendar.
    """
    if _date1904:
        if 0 <= year < 1900:
            year += 1904 if year <= 102 else 1900
    elif 0 <= year < 1900:
        year += 1900
    if not 0 <= year <= 9999:
        raise Raised(NUM)
    year, zero_month = divmod(year * 12 + month - 1, 12)
    if not 1899 <= year <= 9999:
        raise Raised(NUM)
    first = 1 - 31 if year == 1899 and zero_month == 11 else None
    if first is None:
        if year < 1900:
            raise Raised(NUM)
        first = daycount.serial_of(year, zero_month + 1, 1)
    return from_1900(first + day - 1)


def weekday_1900(serial: int) -> int:
    """0 Sunday … 6 Saturday, as Excel counts: serial 1 is a Sunday, and so is 1 January 1900 (it was a Monday)."""
    return (serial - 1) % 7


def weekday(serial: float) -> int:
    """0 Sunday … 6 Saturday of a serial of the run's system."""
    return weekday_1900(to_1900(day_of(serial)))


def seconds_of(serial: float) -> int:
    """The time of day of a serial as seconds, rounded to the nearest (86400 counts as 0)."""
    if not 0.0 <= serial < _LAST + 1.0:
        raise Raised(NUM)
    return round_half_up((serial - math.floor(serial)) * 86400.0) % 86400


def round_half_up(value: float) -> int:
    """To the nearest whole; what is within noise of a half goes up."""
    return math.floor(value + 0.5 + 1e-6)


def now_serial(now: datetime.datetime) -> float:
    """A clock's time as a serial of the run's system, to the hundredth of a second as NOW gives it."""
    day = from_1900(now.date().toordinal() - 693_594)
    hundredths = ((now.hour * 60 + now.minute) * 60 + now.second) * 100 + now.microsecond // 10_000
    return day + hundredths / 8_640_000.0


# -- whole arrays ------------------------------------------------------------------------------------------------


def civil_arrays(serials: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Years, months and days of an array of serials; NaN where a serial is outside the calendar."""
    days = np.floor(serials)
    with np.errstate(invalid="ignore"):
        inside = (days >= 0) & ((days + SHIFT_1904 if _date1904 else days) <= _LAST)
    whole = np.where(inside, days, 61.0).astype(np.int64)
    if _date1904:
        whole = np.where(inside, whole + SHIFT_1904, 61)
    shifted = whole - np.where(whole > 60, 25569, 25568)  # days since 1970
    date = shifted.astype("datetime64[D]")
    month_start = date.astype("datetime64[M]")
    years: Any = date.astype("datetime64[Y]").astype(np.int64) + 1970
    months: Any = month_start.astype(np.int64) % 12 + 1
    numbers: Any = (date - month_start.astype("datetime64[D]")).astype(np.int64) + 1
    odd = (whole == 60) | (whole == 0)
    if odd.any():
        years = np.where(odd, 1900, years)
        months = np.where(whole == 60, 2, np.where(whole == 0, 1, months))
        numbers = np.where(whole == 60, 29, np.where(whole == 0, 0, numbers))
    return tuple(np.where(inside, part, np.nan) for part in (years, months, numbers))  # type: ignore[return-value]


def second_arrays(serials: Numbers) -> Numbers:
    """``seconds_of`` for arrays; NaN outside the calendar."""
    with np.errstate(invalid="ignore"):
        inside = (serials >= 0) & (serials < _LAST + 1.0)
    seconds = np.floor((serials - np.floor(serials)) * 86400.0 + 0.5 + 1e-6) % 86400.0
    return np.where(inside, seconds, np.nan)
