"""Dates and times: building them, taking them apart, reading them from text, counting between them."""

from __future__ import annotations

import contextlib
import math
from typing import Any, Final

import numpy as np

from sheetrun.runtime import calendar, daycount
from sheetrun.runtime.calendar import civil, day_of, from_1900, seconds_of, to_1900
from sheetrun.runtime.cells import LOGICAL, Numbers
from sheetrun.runtime.coerce import to_number
from sheetrun.runtime.errors import NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.lifting import single, vector_call
from sheetrun.runtime.reading import read_date_time
from sheetrun.runtime.refs import Ref
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_date, strict_integer, strict_number
from sheetrun.runtime.values import Arr, Scalar, Value


def _date_vector(years: Numbers, months: Numbers, days: Numbers) -> Numbers:
    years, months, days = (np.trunc(a) for a in np.broadcast_arrays(years, months, days))
    index = years * 12 + months - 1
    plain = (years >= 1904) & (years <= 9999) & (np.abs(months) < 12_000) & (np.abs(days) < 1_000_000)
    plain &= (index >= 1904 * 12) & (index <= 9999 * 12 + 11)
    start = (np.where(plain, index, 2000 * 12).astype(np.int64) - 1970 * 12).astype("datetime64[M]")
    serials = start.astype("datetime64[D]").astype(np.int64) + 25569 + days - 1
    plain &= (serials > 60 + calendar.SHIFT_1904) & (serials <= daycount.LAST_SERIAL)
    out = np.where(plain, serials - (calendar.SHIFT_1904 if calendar.is_1904() else 0), np.nan)
    for at in zip(*np.nonzero(~plain & ~np.isnan(index + days)), strict=True):  # early years and errors: one by one
        with contextlib.suppress(Raised):
            out[at] = date(int(years[at]), int(months[at]), int(days[at]))
    return out


@excel("DATE(year: integer, month: integer, day: integer) -> number", vector=_date_vector)
def date(year: int, month: int, day: int) -> int:
    """The date of a year, month and day; months and days out of range carry over."""
    if not (-40_000 <= month <= 200_000 and -4_000_000 <= day <= 4_000_000):
        raise Raised(NUM)
    return calendar.serial_of(year, month, day)


@excel("YEAR(serial_number: number) -> number", vector=lambda s: calendar.civil_arrays(s)[0])
def year(serial: float) -> int:
    """The year of a date."""
    return civil(serial)[0]


@excel("MONTH(serial_number: number) -> number", vector=lambda s: calendar.civil_arrays(s)[1])
def month(serial: float) -> int:
    """The month of a date, 1 to 12."""
    return civil(serial)[1]


@excel("DAY(serial_number: number) -> number", vector=lambda s: calendar.civil_arrays(s)[2])
def day(serial: float) -> int:
    """The day of the month of a date; of serial 0 it is 0."""
    return civil(serial)[2]


@excel("HOUR(serial_number: number) -> number", vector=lambda s: np.floor(calendar.second_arrays(s) / 3600.0))
def hour(serial: float) -> int:
    """The hour of a time, 0 to 23."""
    return seconds_of(serial) // 3600


@excel("MINUTE(serial_number: number) -> number", vector=lambda s: np.floor(calendar.second_arrays(s) / 60.0) % 60.0)
def minute(serial: float) -> int:
    """The minute of a time, 0 to 59."""
    return seconds_of(serial) // 60 % 60


@excel("SECOND(serial_number: number) -> number", vector=lambda s: calendar.second_arrays(s) % 60.0)
def second(serial: float) -> int:
    """The second of a time, 0 to 59, rounded."""
    return seconds_of(serial) % 60


@excel("TIME(hour: integer, minute: integer, second: integer) -> number")
def time(hours: int, minutes: int, seconds: int) -> float:
    """The time of day of hours, minutes and seconds; what is beyond a day is dropped."""
    if max(hours, minutes, seconds) > 32767:
        raise Raised(NUM)
    total = (hours * 60 + minutes) * 60 + seconds
    if total < 0:
        raise Raised(NUM)
    return total % 86400 / 86400.0


@excel("NOW(host: host) -> number", volatile=True)
def now(host: Ref) -> float:
    """The date and time of this run."""
    return calendar.now_serial(host.book.now)


@excel("TODAY(host: host) -> number", volatile=True)
def today(host: Ref) -> float:
    """The date of this run."""
    return float(math.floor(calendar.now_serial(host.book.now)))


def _read(text: Scalar) -> float:
    if not isinstance(text, str):
        raise Raised(VALUE)
    found = read_date_time(text.strip())
    if found is None:
        raise Raised(VALUE)
    return found


@excel("DATEVALUE(date_text: scalar) -> number")
def datevalue(text: Scalar) -> int:
    """The date that a text reads as, without its time; what is no text is #VALUE!."""
    return math.floor(_read(text))


@excel("TIMEVALUE(time_text: scalar) -> number")
def timevalue(text: Scalar) -> float:
    """The time of day that a text reads as, without its date."""
    found = _read(text)
    return found - math.floor(found)


@excel("DAYS(end_date: scalar, start_date: scalar) -> number")
def days(end: Scalar, start: Scalar) -> int:
    """Days from one date to another; texts may be dates."""
    return _day(end) - _day(start)


def _day(value: Scalar) -> int:
    found = to_number(value)
    if isinstance(found, ExcelError):
        raise Raised(found)
    return day_of(found)


def _days360(start: int, end: int, method: bool) -> int:
    if method:
        return daycount.days_360_eu(start, end)
    y1, m1, d1 = daycount.civil(start)
    y2, m2, d2 = daycount.civil(end)
    if daycount.is_month_end(start):
        d1 = 30
    if d2 == 31 and d1 < 30:  # Excel: the end becomes the 1st of the next month
        return (y2 - y1) * 360 + (m2 - m1 + 1) * 30 + 1 - d1
    return (y2 - y1) * 360 + (m2 - m1) * 30 + min(d2, 30) - min(d1, 30)


_NOISE: Final = 0.5 / 86400.0  #: half a second before midnight is the next day here (measured)


@excel("DAYS360(start_date: number, end_date: number, [method: logical = FALSE]) -> number")
def days360(start: float, end: float, method: bool) -> int:
    """Days between two dates in a year of twelve months of 30 days; method TRUE is the European way."""
    return _days360(to_1900(day_of(start + _NOISE)), to_1900(day_of(end + _NOISE)), method)


def _months_later(start: Scalar, months: Scalar, *, to_month_end: bool) -> int:
    shift = strict_number(months)
    if abs(shift) > 1_000_000:
        raise Raised(NUM)
    serial = strict_date(start)
    y, m, d = daycount.civil(serial)
    index = y * 12 + m - 1 + math.trunc(shift)
    y, m = divmod(index, 12)
    if not 1900 <= y <= 9999:
        raise Raised(NUM)
    length = daycount.month_length(y, m + 1)
    return from_1900(daycount.serial_of(y, m + 1, 1) - 1 + (length if to_month_end else min(d, length)))


def _months_vector(*, to_month_end: bool) -> Any:
    def vector(starts: Numbers, months: Numbers) -> Numbers:
        years, numbers, dates = calendar.civil_arrays(starts)
        index = years * 12 + numbers - 1 + np.trunc(months)
        bad = ~((index >= 1900 * 12 + 2) & (index <= 9999 * 12 + 11)) | np.isnan(starts)
        safe = np.where(bad, 2000 * 12, index).astype(np.int64)
        first = (safe - 1970 * 12).astype("datetime64[M]")
        start_day = first.astype("datetime64[D]")
        length = ((first + 1).astype("datetime64[D]") - start_day).astype(np.int64)
        offset = length if to_month_end else np.minimum(np.where(bad, 1, dates), length)
        serials = start_day.astype(np.int64) + 25569 + offset - 1
        out = np.where(bad, np.nan, serials - (calendar.SHIFT_1904 if calendar.is_1904() else 0))
        for at in zip(*np.nonzero(bad), strict=True):  # before March 1900, or wrong: one by one
            start, shift = np.broadcast_to(starts, out.shape)[at], np.broadcast_to(months, out.shape)[at]
            if start == start and shift == shift:
                with contextlib.suppress(Raised):
                    out[at] = _months_later(float(start), float(shift), to_month_end=to_month_end)
        return out

    def whole(starts: Value, months: Value) -> Value:
        if any(
            LOGICAL in a.tags() if isinstance(a, Arr) else not isinstance(a, float | np.ndarray)
            for a in (starts, months)
        ):
            return None
        return vector_call(vector, (starts, months))

    return whole


@excel("EDATE(start_date: strict, months: strict) -> number", whole=_months_vector(to_month_end=False))
def edate(start: Scalar, months: Scalar) -> int:
    """The same day some months later, or the last day of a shorter month."""
    return _months_later(start, months, to_month_end=False)


@excel("EOMONTH(start_date: strict, months: strict) -> number", whole=_months_vector(to_month_end=True))
def eomonth(start: Scalar, months: Scalar) -> int:
    """The last day of the month some months later."""
    return _months_later(start, months, to_month_end=True)


@excel("DATEDIF(start_date: number, end_date: number, unit: text) -> number")
def datedif(start: float, end: float, unit: str) -> int:
    """Whole years (Y), months (M) or days (D) between two dates, or what is left of them (YM, MD, YD).

    MD is wrong in Excel for some months, and here as there: days are counted from the month before the end.
    """
    first, last = to_1900(day_of(start)), to_1900(day_of(end))
    if first > last:
        raise Raised(NUM)
    y1, m1, d1 = daycount.civil(first)
    y2, m2, d2 = daycount.civil(last)
    months = (y2 - y1) * 12 + m2 - m1 - (1 if d2 < d1 else 0)
    unit = unit.upper()
    if unit == "D":
        return last - first
    if unit == "M":
        return months
    if unit == "Y":
        return months // 12
    if unit == "YM":
        return months % 12
    if unit == "MD":
        if d2 >= d1:
            return d2 - d1
        year_before, zero_month = divmod(y2 * 12 + m2 - 2, 12)
        return last - (calendar_serial(year_before, zero_month + 1, 1) + d1 - 1)
    if unit == "YD":
        if (m1, d1) <= (m2, d2):  # measured: in the year of the start
            return calendar_serial(y1, m2, 1) + d2 - 1 - first
        return last - (calendar_serial(y2 - 1, m1, 1) + d1 - 1)
    raise Raised(NUM)


def calendar_serial(y: int, m: int, d: int) -> int:
    return daycount.serial_of(y, m, d) if y >= 1900 else daycount.serial_of(1900, 1, 1) - 31


def _basis_first(start: Value, end: Value, basis: Value = 0.0) -> None:
    """What is wrong with the basis comes before what is wrong with the dates (measured)."""
    daycount.check_basis(strict_integer(single(basis)))


@excel("YEARFRAC(start_date: strict, end_date: strict, [basis: strict = 0]) -> number", before=_basis_first)
def yearfrac(start: Scalar, end: Scalar, basis: Scalar) -> float:
    """The part of a year between two dates, by basis 0 (30/360 US) to 4 (30/360 European)."""
    return daycount.year_fraction(strict_date(start), strict_date(end), strict_integer(basis))
