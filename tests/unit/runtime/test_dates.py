"""Dates, times, weeks and working days."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from calls import DIV0, MISSING, NA, NUM, VALUE, agrees, call
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime import calendar
from sheetrun.runtime.reading import read_number


@pytest.fixture
def system_1904() -> Iterator[None]:
    calendar.settle(date1904=True, year=2026)
    yield
    calendar.settle(date1904=False, year=2026)


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("DATE", (2008, 14, 2), 39846.0),
        ("DATE", (2008, -3, 2), 39327.0),
        ("DATE", (2008, 1, 35), 39482.0),
        ("DATE", (2008, 1, -15), 39432.0),
        ("DATE", (108, 1, 2), 39449.0),
        ("DATE", (1900, 2, 29), 60.0),
        ("DATE", (1900, 3, 1), 61.0),
        ("DATE", (1900, 1, 0), 0.0),
        ("DATE", (1900, 1, -1), NUM),
        ("DATE", (10000, 1, 1), NUM),
        ("DATE", (-1, 1, 1), NUM),
        ("DAY", (0,), 0.0),
        ("MONTH", (0,), 1.0),
        ("YEAR", (0,), 1900.0),
        ("DAY", (60,), 29.0),
        ("DAY", (61,), 1.0),
        ("DAY", (-1,), NUM),
        ("YEAR", (2958465,), 9999.0),
        ("YEAR", (2958466,), NUM),
        ("YEAR", ("2020-05-04",), 2020.0),
        ("MONTH", (None,), 1.0),
        ("HOUR", (0.75,), 18.0),
        ("MINUTE", ("4:48:29 PM",), 48.0),
        ("SECOND", (0.99999999,), 0.0),
        ("HOUR", (0.99999999,), 0.0),
        ("TIME", (27, 0, 0), 0.125),
        ("TIME", (0, 750, 0), 0.520833333333),
        ("TIME", (0, 0, -1), NUM),
        ("TIME", (32768, 0, 0), NUM),
        ("DATEVALUE", ("22-MAY-2011",), 40685.0),
        ("DATEVALUE", ("2011/02/23 12:00",), 40597.0),
        ("DATEVALUE", (40000,), VALUE),
        ("DATEVALUE", ("nonsense",), VALUE),
        ("TIMEVALUE", ("22-Aug-2008 6:35 AM",), 0.274305555556),
        ("DAYS", ("15-MAR-2021", "1-FEB-2021"), 42.0),
        ("DAYS360", (40573, 40575), 1.0),
        ("DAYS360", (40573, 40573 + 334), 330.0),
        ("DAYS360", (42400, 42429, True), 29.0),
        ("EDATE", (40558, 1), 40589.0),
        ("EDATE", (44227, 1), 44255.0),
        ("EDATE", (40558, True), VALUE),
        ("EDATE", (1, -1), NUM),
        ("EOMONTH", (40544, -3), 40482.0),
        ("EOMONTH", (44987, -4.7), 44895.0),
        ("DATEDIF", (36892, 37622, "Y"), 2.0),
        ("DATEDIF", (37043, 37483, "D"), 440.0),
        ("DATEDIF", (37043, 37483, "YD"), 75.0),
        ("DATEDIF", (37043, 37483, "md"), 14.0),
        ("DATEDIF", (40574, 40603, "MD"), -2.0),
        ("DATEDIF", (2, 1, "D"), NUM),
        ("DATEDIF", (1, 2, "Q"), NUM),
        ("YEARFRAC", (40909, 41120), 0.580555555556),
        ("YEARFRAC", (40909, 41120, 1), 0.576502732240),
        ("YEARFRAC", (40909, 41120, 3), 0.578082191781),
        ("YEARFRAC", (40909, 41120, 5), NUM),
        ("YEARFRAC", (DIV0, 41120, 5), NUM),  # the basis comes first
        ("YEARFRAC", (-1, DIV0, "x"), VALUE),
        ("YEARFRAC", (DIV0, 41120, NA), NA),
        ("YEARFRAC", (DIV0, NA, MISSING), DIV0),
        ("WEEKDAY", (39492,), 5.0),
        ("WEEKDAY", (39492, 2), 4.0),
        ("WEEKDAY", (39492, 3), 3.0),
        ("WEEKDAY", (39492, 15), 7.0),
        ("WEEKDAY", (39492, 4), NUM),
        ("WEEKDAY", (1,), 1.0),
        ("WEEKNUM", (40977,), 10.0),
        ("WEEKNUM", (40977, 2), 11.0),
        ("WEEKNUM", (40977, 21), 10.0),
        ("WEEKNUM", (40977, 3), NUM),
        ("ISOWEEKNUM", (40977,), 10.0),
        ("ISOWEEKNUM", (42370,), 53.0),
        ("NETWORKDAYS", (41183, 41334), 110.0),
        ("NETWORKDAYS", (41183, 41334, [41235, 41247, 41295]), 107.0),
        ("NETWORKDAYS", (41334, 41183), -110.0),
        ("NETWORKDAYS.INTL", (38718, 38748), 22.0),
        ("NETWORKDAYS.INTL", (38776, 38748), -21.0),
        ("NETWORKDAYS.INTL", (38718, 38749, 7, [38719, 38733]), 22.0),
        ("NETWORKDAYS.INTL", (38718, 38749, "0010001", [38719, 38733]), 20.0),
        ("NETWORKDAYS.INTL", (38718, 38749, "1111111"), 0.0),
        ("NETWORKDAYS.INTL", (38718, 38749, 8), NUM),
        ("NETWORKDAYS.INTL", (38718, 38749, "abc"), VALUE),
        ("WORKDAY", (39722, 151), 39933.0),
        ("WORKDAY", (39722, 151, [39778, 39786, 39834]), 39938.0),
        ("WORKDAY", (39722, 0), 39722.0),
        ("WORKDAY", (39722, -1), 39721.0),
        ("WORKDAY.INTL", (40909, 90, 11), 41013.0),
        ("WORKDAY.INTL", (40909, 30, 17), 40944.0),
        ("WORKDAY.INTL", (40909, 30, "1111111"), VALUE),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert agrees(call(name, *args), wanted)


def test_arrays_agree_with_single_dates() -> None:
    serials = [-1, 0, 1, 31, 59, 60, 61, 366, 1461, 43831.5, 43890, 2958465, 2958466]
    for name in ("YEAR", "MONTH", "DAY", "HOUR", "WEEKDAY"):
        assert call(name, serials) == [[call(name, s)] for s in serials]
    for name in ("EDATE", "EOMONTH"):
        for months in (-13, 0, 1, 30):
            assert call(name, serials, months) == [[call(name, s, months)] for s in serials]
    years = [1899, 1900, 1903, 1904, 2000, 9999, 10000]
    assert call("DATE", years, 14, -3) == [[call("DATE", y, 14, -3)] for y in years]
    assert call("EDATE", [40558, True], 1) == [[40589.0], [VALUE]]


def test_working_days_over_holidays() -> None:
    free = [43831 + i for i in range(0, 400, 3)]
    for count in (1, 5, 30, 200, -30, -200):
        day = call("WORKDAY", 44000, count, free)
        counted = call("NETWORKDAYS", 44001 if count > 0 else day, day if count > 0 else 43999, free)
        assert counted == abs(count)
        assert call("NETWORKDAYS", day, day, free) == 1.0


@pytest.mark.usefixtures("system_1904")
def test_the_1904_system() -> None:
    assert call("DATE", 1904, 1, 1) == 0.0
    assert call("YEAR", 0) == 1904.0
    assert call("YEAR", [0, 100]) == [[1904.0], [1904.0]]
    assert call("DATE", 2000, 1, 1) == 36526.0 - 1462.0
    assert call("DATE", [2000], 1, 1) == [[35064.0]]
    assert call("WEEKDAY", 0) == 6.0
    assert call("EDATE", [35064], 1) == [[35095.0]]
    assert call("TEXT", 0, "yyyy-mm-dd") == "1904-01-01"
    assert read_number("2000-01-01") == 35064.0
    assert call("DATE", 1903, 12, 31) is NUM


def test_now_is_the_clock_of_the_run() -> None:
    assert calendar.now_serial(datetime.datetime(2020, 1, 1, 6, 0, 0)) == 43831.25


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 1/2", 1.5),
        ("(5)", -5.0),
        ("$-5", -5.0),
        ("€12", 12.0),
        ("1,234.5%", 12.345),
        ("3/4", 46085.0),
        ("5 Jan 2020 3:00", 43835.125),
        ("12 pm", 0.5),
        ("1:30:45.5", 0.06302662037037036),
        ("2/30/2020", None),
        ("$1e3", None),
        ("12,34", None),
        ("- 5", None),
    ],
)
def test_texts_that_read_as_numbers(text: str, wanted: float | None) -> None:
    assert read_number(text) == (pytest.approx(wanted, rel=1e-14) if wanted is not None else None)


@given(st.integers(61, 2958465))
def test_dates_are_those_of_the_calendar(serial: int) -> None:
    date = datetime.date(1899, 12, 30) + datetime.timedelta(days=serial)
    assert calendar.civil(serial) == (date.year, date.month, date.day)
    assert call("DATE", date.year, date.month, date.day) == serial
    assert call("ISOWEEKNUM", serial) == date.isocalendar().week
    assert call("WEEKDAY", serial, 2) == date.isoweekday()


@given(st.integers(1, 2958000), st.integers(1, 2958000), st.sampled_from(["D", "M", "Y", "YM", "YD"]))
def test_datedif_counts_what_lies_between(a: int, b: int, unit: str) -> None:
    first, last = sorted((a, b))
    assert call("DATEDIF", first, last, unit) >= 0


def test_an_empty_optional_argument() -> None:
    assert call("YEARFRAC", 40909, 41120, MISSING) == call("YEARFRAC", 40909, 41120)


def test_a_date_with_the_year_first_stands_alone_in_its_text() -> None:
    assert read_number("2024-01-10") == 45301.0
    assert read_number(" 2024-01-10 ") is None
    assert read_number(" 10 ") == 10.0
