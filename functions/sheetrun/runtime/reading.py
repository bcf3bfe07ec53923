"""Text that reads as a number the way Excel's VALUE reads it, locale en-US: dates, times, money, percent, fractions."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Final

_NUMBER = re.compile(
    r"(?P<sign>[+-])?(?P<money>[$€] ?)?(?P<sign2>[+-])?"
    r"(?P<body>\d{1,3}(?:,\d{3,})+(?:\.\d*)?|\d+\.?\d*|\.\d+)(?P<exp>[eE][+-]?\d{1,3})?(?P<percent> ?%)?(?P<euro> ?€)?\Z"
)
_FRACTION = re.compile(r"(?P<sign>[+-])?(?P<whole>\d+) +(?P<top>\d+)/(?P<bottom>\d+)\Z")
_TIME = re.compile(
    r"(?P<h>\d{1,4})(?::(?P<m>\d{1,4}))?(?::(?P<s>\d{1,4}))?(?P<f>\.\d*)?(?: *(?P<half>[ap]m?))?\Z", re.IGNORECASE
)
_MONTHS: Final = {
    name: i + 1
    for i, full in enumerate(
        [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ]
    )
    for name in (full, full[:3])
}
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_SEPARATOR = r"(?:[/\-]|\s*,\s*|\s+)"
_MDY = re.compile(r"(\d{1,2})[/\-](\d{1,2})(?:[/\-](\d{4}|\d{1,2}))?\Z")
_YMD = re.compile(r"(\d{4})[/\-](\d{1,2})(?:[/\-](\d{1,2}))?\Z")
_MY = re.compile(r"(\d{1,2})[/\-](\d{4})\Z")
_NAMED_MD = re.compile(
    rf"([a-z]{{3,9}})\.?{_SEPARATOR}(\d{{1,2}})(?:{_SEPARATOR}(\d{{4}}|\d{{1,2}}))?\Z", re.IGNORECASE
)
_NAMED_MY = re.compile(rf"([a-z]{{3,9}})\.?{_SEPARATOR}(\d{{4}})\Z", re.IGNORECASE)
_DAY_NAMED = re.compile(
    rf"(\d{{1,2}}){_SEPARATOR}?([a-z]{{3,9}})\.?(?:{_SEPARATOR}(\d{{4}}|\d{{1,2}}))?\Z", re.IGNORECASE
)
_COMMA = re.compile(r"(?P<sign>[+-]?)(?P<whole>\d{1,3}(?:\.\d{3})+|\d+),(?P<part>\d+)\Z")
_SPACE: Final = " \t\n\r\xa0"

_current_year = 2026  # of a date without a year; set by the clock of the run
_day_first = False  # 3/4 is the third of April, and 0,5 a half: a country that the file was saved in, never the default
_shift = 0  # what serials of the run's date system are lower by


def set_calendar(year: int, shift: int, day_first: bool = False) -> None:
    """The year that ``"3/4"`` falls in, the days between the 1900 system and the run's, and which of 3 and 4 is the day."""
    global _current_year, _shift, _day_first
    if (year, shift, day_first) != (_current_year, _shift, _day_first):
        read_number.cache_clear()
    _current_year, _shift, _day_first = year, shift, day_first


def day_first() -> bool:
    return _day_first


def current_year() -> int:
    return _current_year


@lru_cache(maxsize=1 << 16)  # LAMBDAs make the same few texts again and again
def read_number(text: str) -> float | None:
    """The number, date serial or time that a text reads as; None when it reads as none."""
    padded, text = text, text.strip(_SPACE)
    if not text or len(text) > 255 or not text.replace("€", "").isascii():  # digits of other scripts do not count
        return None
    if _day_first and (match := _COMMA.match(text)) and not (len(match["part"]) == 3 and match["whole"].isdigit()):
        return float(f"{match['sign']}{match['whole'].replace('.', '')}.{match['part']}")
    if (word := _WORD.match(text)) and word[0].lower() not in _MONTHS:
        return None
    if text[0] == "(" and text[-1] == ")":
        inner = read_plain(text[1:-1].strip(_SPACE))
        return None if inner is None or text[1] in "+-" else -inner
    found = read_plain(text)
    if found is None and text != padded and _YMD.match(text):
        return None  # measured: " 2024-01-10 " is no date, though " 10 " is a number
    return read_date_time(text) if found is None else found


def read_plain(text: str) -> float | None:
    """A number with signs, thousands, currency, exponent, percent; or a fraction such as ``1 1/2``."""
    match = _NUMBER.match(text)
    if match:
        if match["sign"] and match["sign2"]:
            return None
        if (match["money"] or match["percent"]) and (match["euro"] or (match["exp"] and match["money"])):
            return None
        value = float(match["body"].replace(",", "") + (match["exp"] or ""))
        if not math.isfinite(value):
            return None
        if match["percent"]:
            value /= 100.0
        return -value if "-" in (match["sign"], match["sign2"]) else value
    match = _FRACTION.match(text)
    if match and int(match["bottom"]):
        value = int(match["whole"]) + int(match["top"]) / int(match["bottom"])
        return -value if match["sign"] == "-" else value
    return None


def read_date_time(text: str) -> float | None:
    """A date, a time, or a date and a time."""
    date = _read_day(text)
    if date is not None:
        return date
    time = read_time(text)
    if time is not None:
        return time
    for cut in (i for i, ch in enumerate(text) if ch == " "):
        date, time = _read_day(text[:cut].rstrip()), read_time(text[cut + 1 :].lstrip())
        if date is not None and time is not None:
            return date + time
    return None


def _read_day(text: str) -> float | None:
    """A date as a serial of the run's system."""
    day = read_date(text)
    return None if day is None or day < _shift else float(day - _shift)


def read_time(text: str) -> float | None:
    """A time of day, or hours past a day (``26:30``), as a fraction of days."""
    match = _TIME.match(text)
    if not match or (match["m"] is None and (match["f"] or not match["half"])):
        return None
    hour, minute, second = int(match["h"]), int(match["m"] or 0), int(match["s"] or 0)
    if match["half"]:
        if not 0 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    if match["f"] and match["s"] is None:  # minutes and seconds
        hour, minute, second = 0, hour, minute
    if (hour > 23) + (minute > 59) + (second > 59) > 1 or (match["half"] and (minute > 59 or second > 59)):
        return None  # measured: one part may be beyond its clock, as in "23:99"
    return (hour * 3600 + minute * 60 + second + float("0" + (match["f"] or ".0") + "0")) / 86400.0


def read_date(text: str) -> int | None:
    """A date as a serial of the 1900 system."""
    if match := _YMD.match(text):
        return serial(int(match[1]), int(match[2]), int(match[3] or 1))
    if match := _MDY.match(text):
        first, second, year = int(match[1]), int(match[2]), match[3]
        if _day_first:
            return serial(_full_year(year), second, first)
        if year is None:
            if first > 12:
                return None
            by_day = serial(_current_year, first, second)
            return by_day if by_day is not None else serial(_full_year(match[2]), first, 1)
        return serial(_full_year(year), first, second)
    if match := _MY.match(text):
        return serial(int(match[2]), int(match[1]), 1)
    if match := _NAMED_MY.match(text):
        month = _MONTHS.get(match[1].lower())
        return None if month is None else serial(int(match[2]), month, 1)
    if match := _NAMED_MD.match(text):
        month = _MONTHS.get(match[1].lower())
        if month is None:
            return None
        if match[3] is None:
            by_day = serial(_current_year, month, int(match[2]))
            return by_day if by_day is not None else serial(_full_year(match[2]), month, 1)
        return serial(_full_year(match[3]), month, int(match[2]))
    if match := _DAY_NAMED.match(text):
        month = _MONTHS.get(match[2].lower())
        return None if month is None else serial(_full_year(match[3]), month, int(match[1]))
    return None


def _full_year(text: str | None) -> int:
    """Two digits are 1930 to 2029 (Excel's default window)."""
    if text is None:
        return _current_year
    year = int(text)
    if len(text) > 2:
        return year
    return year + (2000 if year < 30 else 1900)


_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def serial(year: int, month: int, day: int) -> int | None:
    """The serial of a calendar date in the 1900 system, with its 29 February 1900; None when there is no such date."""
    if not 1900 <= year <= 9999 or not 1 <= month <= 12 or day < 1:
        return None
    leap = (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)) or year == 1900
    if day > _DAYS[month - 1] + (1 if leap and month == 2 else 0):
        return None
    if year == 1900 and month <= 2:
        return day + (31 if month == 2 else 0)
    import datetime

    return datetime.date(year, month, day).toordinal() - 693594
