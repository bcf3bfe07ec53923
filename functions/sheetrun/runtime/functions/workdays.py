"""Weeks and working days: WEEKDAY, WEEKNUM, NETWORKDAYS and WORKDAY with their weekends and holidays."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from sheetrun.runtime import calendar, daycount
from sheetrun.runtime.calendar import day_of, from_1900, to_1900
from sheetrun.runtime.cells import Numbers
from sheetrun.runtime.coerce import to_number
from sheetrun.runtime.errors import NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.lifting import vector_call
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_date, strict_integer
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value

#: WEEKDAY's return types -> (the day that counts first, 0 Sunday; the number it gets).
_FIRST_DAYS: Final = {1: (0, 1), 2: (1, 1), 3: (1, 0)} | {10 + i: (i % 7, 1) for i in range(1, 8)}


def _weekday_vector(serials: Numbers, types: Numbers) -> Numbers:
    with np.errstate(invalid="ignore"):
        days = np.floor(serials) + (calendar.SHIFT_1904 if calendar.is_1904() else 0)
        sunday_based = (days - 1) % 7
        bad = ~((serials >= 0) & (days <= daycount.LAST_SERIAL))
    out = np.full(np.broadcast_shapes(serials.shape, types.shape), np.nan)
    for kind, (first, number) in _FIRST_DAYS.items():
        out = np.where(np.trunc(types) == kind, (sunday_based - first) % 7 + number, out)
    return np.where(bad, np.nan, out)


def _weekday_whole(serial: Value, kind: Value = 1.0) -> Any:
    return vector_call(_weekday_vector, (serial, kind))


@excel("WEEKDAY(serial_number: number, [return_type: integer = 1]) -> number", whole=_weekday_whole)
def weekday(serial: float, kind: int) -> int:
    """The day of the week as a number, in one of ten ways to count."""
    if kind not in _FIRST_DAYS:
        raise Raised(NUM)
    first, number = _FIRST_DAYS[kind]
    return (calendar.weekday(serial) - first) % 7 + number


def iso_week(serial: int) -> int:
    """The ISO 8601 week of a serial of the 1900 system, by Excel's weekdays."""
    thursday = serial - (calendar.weekday_1900(serial) - 1) % 7 + 3
    if thursday < 1:
        return 52
    year = daycount.civil(thursday)[0] if thursday <= daycount.LAST_SERIAL else 10000
    if year > 9999:
        return 52
    return (thursday - daycount.serial_of(year, 1, 1)) // 7 + 1


@excel("ISOWEEKNUM(date: number) -> number")
def isoweeknum(serial: float) -> int:
    """The week of the year by ISO 8601: weeks start on Monday, the first has the year's first Thursday."""
    return iso_week(to_1900(day_of(serial)))


@excel("WEEKNUM(serial_number: strict, [return_type: strict = 1]) -> number")
def weeknum(serial: Scalar, return_type: Scalar) -> int:
    """The week of the year: the one with 1 January is the first, or by ISO 8601 (21)."""
    day, kind = strict_date(serial), strict_integer(return_type)
    if kind == 21:
        return iso_week(day)
    first = {1: 0, 2: 1}.get(kind, kind - 10 if 11 <= kind <= 17 else None)
    if first is None:
        raise Raised(NUM)
    if day == 0:
        return 0
    start = daycount.serial_of(daycount.civil(day)[0], 1, 1)
    lead = (calendar.weekday_1900(start) - first % 7) % 7
    return (day - start + lead) // 7 + 1


# -- working days ------------------------------------------------------------------------------------------------

_SATURDAY_SUNDAY: Final = frozenset({6, 0})
#: Weekend numbers of the .INTL functions -> days off (0 Sunday … 6 Saturday).
_WEEKENDS: Final = {1 + i: frozenset({(6 + i) % 7, i}) for i in range(7)} | {11 + i: frozenset({i}) for i in range(7)}


def read_weekend(value: Scalar) -> frozenset[int]:
    """The days off of a weekend argument: a number, or seven characters from Monday, 1 for a day off."""
    if value is None:
        return _SATURDAY_SUNDAY
    if isinstance(value, str):
        if len(value) != 7 or set(value) - {"0", "1"}:
            raise Raised(VALUE)
        return frozenset((i + 1) % 7 for i, c in enumerate(value) if c == "1")
    number = to_number(value)
    if isinstance(number, ExcelError):
        raise Raised(number)
    off = _WEEKENDS.get(math.trunc(number))
    if off is None:
        raise Raised(NUM)
    return off


def read_holidays(value: Value, off: frozenset[int]) -> list[int]:
    """Days of the 1900 system in order that are holidays and no weekend; empty cells do not count."""
    if value is None or value is MISSING:
        return []
    found: set[int] = set()
    for cell in Arr.of(value):
        if cell is None:
            continue
        number = to_number(cell)
        if isinstance(number, ExcelError):
            raise Raised(number)
        day = to_1900(day_of(number))
        if calendar.weekday_1900(day) not in off:
            found.add(day)
    return sorted(found)


def _workdays_to(day: int, off: frozenset[int]) -> int:
    """How many days from 0 to ``day`` are no weekend."""
    weeks, rest = divmod(day + 1, 7)
    return weeks * (7 - len(off)) + sum(1 for i in range(rest) if calendar.weekday_1900(i) not in off)


def net_workdays(start: Scalar, end: Scalar, off: frozenset[int], holidays: Value) -> int:
    first, last = strict_date(start), strict_date(end)
    sign = 1
    if first > last:
        first, last, sign = last, first, -1
    count = _workdays_to(last, off) - _workdays_to(first - 1, off)
    return sign * (count - sum(1 for day in read_holidays(holidays, off) if first <= day <= last))


@excel("NETWORKDAYS(start_date: strict, end_date: strict, [holidays: raw = None]) -> number")
def networkdays(start: Scalar, end: Scalar, holidays: Value) -> int:
    """Working days from one date to another, both counted, without weekends and holidays."""
    return net_workdays(start, end, _SATURDAY_SUNDAY, holidays)


@excel(
    "NETWORKDAYS.INTL(start_date: scalar, end_date: scalar, [weekend: scalar = None], [holidays: raw = None]) -> number"
)
def networkdays_intl(start: Scalar, end: Scalar, weekend: Scalar, holidays: Value) -> int:
    """Working days from one date to another, with any weekend."""
    off = read_weekend(weekend)
    if len(off) == 7:
        return 0
    return net_workdays(start, end, off, holidays)


def work_day(start: Scalar, days: Scalar, off: frozenset[int], holidays: Value) -> int:
    day = strict_date(start)
    count = strict_integer(days)
    free = set(read_holidays(holidays, off))
    if count == 0:
        return from_1900(day)
    if abs(count) > 5_000_000:
        raise Raised(NUM)
    step = 1 if count > 0 else -1
    left = abs(count)
    weeks = (left - len(free) - 7) // (7 - len(off))
    while left:
        if weeks > 1:  # whole weeks at once, the holidays in them given back
            jump = day + step * 7 * weeks
            low, high = min(day + step, jump), max(day + step, jump)
            day, left = jump, left - weeks * (7 - len(off)) + sum(1 for h in free if low <= h <= high)
            weeks = 0
            if not 0 <= day <= daycount.LAST_SERIAL:
                raise Raised(NUM)
            continue
        day += step
        if not 0 <= day <= daycount.LAST_SERIAL:
            raise Raised(NUM)
        if calendar.weekday_1900(day) not in off and day not in free:
            left -= 1
    return from_1900(day)


@excel("WORKDAY(start_date: strict, days: strict, [holidays: raw = None]) -> number")
def workday(start: Scalar, days: Scalar, holidays: Value) -> int:
    """The date a number of working days after (or before) another."""
    return work_day(start, days, _SATURDAY_SUNDAY, holidays)


@excel("WORKDAY.INTL(start_date: scalar, days: scalar, [weekend: scalar = None], [holidays: raw = None]) -> number")
def workday_intl(start: Scalar, days: Scalar, weekend: Scalar, holidays: Value) -> int:
    """The date a number of working days after another, with any weekend."""
    off = read_weekend(weekend)
    if len(off) == 7:
        raise Raised(VALUE)
    return work_day(start, days, off, holidays)
