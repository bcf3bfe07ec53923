"""Day counts against values of Excel and the definition of each basis."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime import daycount as dc
from sheetrun.runtime.errors import Raised


def d(year: int, month: int, day: int) -> int:
    return dc.serial_of(year, month, day)


def test_the_calendar_has_excels_29_february_1900() -> None:
    assert [dc.civil(n) for n in (0, 1, 31, 32, 59, 60, 61)] == [
        (1900, 1, 0),
        (1900, 1, 1),
        (1900, 1, 31),
        (1900, 2, 1),
        (1900, 2, 28),
        (1900, 2, 29),
        (1900, 3, 1),
    ]
    assert d(2008, 1, 1) == 39448
    assert d(9999, 12, 31) == dc.LAST_SERIAL == 2958465
    for bad in (-1, dc.LAST_SERIAL + 1):
        with pytest.raises(Raised, match="NUM"):
            dc.civil(bad)


@given(st.integers(0, dc.LAST_SERIAL))
def test_civil_and_serial_are_inverse(serial: int) -> None:
    assert dc.serial_of(*dc.civil(serial)) == serial


@given(st.integers(61, dc.LAST_SERIAL - 366 * 30), st.integers(-600, 300))
def test_months_are_added_on_the_calendar(serial: int, months: int) -> None:
    year, month, day = dc.civil(serial)
    index = year * 12 + month - 1 + months
    if index // 12 < 1900:
        return
    moved = dc.civil(dc.add_months(serial, months))
    assert (moved[0], moved[1]) == (index // 12, index % 12 + 1)
    assert moved[2] == min(day, dc.month_length(moved[0], moved[1]))
    assert dc.is_month_end(dc.add_months(serial, months, to_month_end=True))


@pytest.mark.parametrize(
    ("start", "end", "basis", "expected"),
    [
        # Microsoft, "YEARFRAC function"
        ((2012, 1, 1), (2012, 7, 30), 0, 0.58055556),
        ((2012, 1, 1), (2012, 7, 30), 1, 0.57650273),
        ((2012, 1, 1), (2012, 7, 30), 3, 0.57808219),
        # the ends of February, 30/360 US
        ((2011, 2, 28), (2012, 2, 29), 0, 1.0),
        ((2011, 2, 28), (2011, 3, 31), 0, 31 / 360),
        ((2011, 1, 29), (2011, 3, 31), 0, 62 / 360),
        ((2011, 1, 30), (2011, 3, 31), 0, 60 / 360),
        ((2011, 1, 31), (2011, 3, 31), 0, 60 / 360),
        ((2011, 2, 28), (2011, 3, 31), 4, 32 / 360),
        # actual/actual: a leap day within a year, at its end, and an average of years
        ((2011, 3, 1), (2012, 2, 29), 1, 365 / 366),
        ((2011, 3, 1), (2012, 2, 28), 1, 364 / 365),
        ((2012, 3, 1), (2013, 2, 28), 1, 364 / 365),
        ((2012, 2, 29), (2013, 2, 28), 1, 365 / 366),
        ((2012, 1, 1), (2015, 1, 1), 1, 1096 / (1461 / 4)),
        ((2012, 1, 1), (2012, 7, 30), 2, 211 / 360),
    ],
)
def test_year_fractions(start: tuple[int, int, int], end: tuple[int, int, int], basis: int, expected: float) -> None:
    assert dc.year_fraction(d(*start), d(*end), basis) == pytest.approx(expected, rel=1e-8)
    assert dc.year_fraction(d(*end), d(*start), basis) == dc.year_fraction(d(*start), d(*end), basis)


@pytest.mark.parametrize("arguments", [(1, 2, 5), (1, 2, -1), (-1, 2, 0), (1, dc.LAST_SERIAL + 1, 2)])
def test_bad_dates_and_bases(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(Raised, match="NUM"):
        dc.year_fraction(*arguments)


@given(st.integers(367, dc.LAST_SERIAL), st.integers(0, 5000))
def test_actual_days_are_days(start: int, gap: int) -> None:
    end = min(start + gap, dc.LAST_SERIAL)
    assert dc.days_between(start, end, 1) == dc.days_between(start, end, 3) == end - start
    assert (datetime.date(*dc.civil(end)) - datetime.date(*dc.civil(start))).days == end - start
