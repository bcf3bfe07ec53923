"""Dates and times through format codes: ``yyyy-mm-dd``, ``h:mm:ss AM/PM``, ``[h]:mm``, ``mmm d``, ``ss.000``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sheetrun.runtime import daycount
from sheetrun.runtime.calendar import SHIFT_1904, weekday_1900
from sheetrun.runtime.errors import VALUE, Raised
from sheetrun.runtime.formatdigits import TokenLike
from sheetrun.runtime.localenames import day_names, month_names

_LAST: Final = daycount.LAST_SERIAL


def format_date(value: float, tokens: Sequence[TokenLike], locale: int, date1904: bool) -> str:
    """A serial under a date format. Raises #VALUE! for one after the year 9999, and for a negative one of 1900."""
    if all(t.kind in ("elapsed", "fill") for t in tokens) and math.isfinite(value):  # of any length (measured)
        seconds = math.floor(abs(value) * 86400 + 0.5 + 1e-6)  # they are rounded, and then hours and minutes cut
        size = {"h": 3600, "m": 60, "s": 1}
        counts = (str(seconds // size[t.text[0]]).zfill(len(t.text)) for t in tokens if t.text)
        return ("-" if value < 0 else "") + "".join(counts)
    if date1904 and value < 0:
        return "-" + format_date(-value, tokens, locale, date1904)
    if value < 0 or not math.isfinite(value):
        raise Raised(VALUE)
    places = max((len(t.text) - 1 for t in tokens if t.kind == "fraction"), default=0)
    unit = 10**places
    day = math.floor(value)
    ticks = math.floor((value - day) * 86400 * unit + 0.5 + 1e-6)  # what is within noise of a half goes up
    if ticks >= 86400 * unit:
        day, ticks = day + 1, 0
    serial = day + SHIFT_1904 if date1904 else day
    if serial > _LAST:
        raise Raised(VALUE)
    total, part = divmod(ticks, unit)
    half_day = any(t.kind == "halfday" for t in tokens)
    clock = _Clock(serial, day, total, half_day, locale)
    minutes = _minute_places(tokens)
    elapsed = {t.text[0] for t in tokens if t.kind == "elapsed"}  # also without brackets, further on
    out = []
    for i, token in enumerate(tokens):
        if token.kind == "date":
            text = "m" * len(token.text) if i in minutes else token.text
            if text[0] in elapsed and (text[0] != "m" or i in minutes):
                out.append(clock.elapsed(text))
            else:
                out.append(clock.minute(text) if i in minutes else clock.part(text))
        elif token.kind == "elapsed":
            out.append(clock.elapsed(token.text))
        elif token.kind == "halfday":
            out.append(clock.half(token.text))
        elif token.kind == "fraction":
            out.append("." + str(part).zfill(places)[: len(token.text) - 1])
        elif token.kind != "fill":
            out.append(token.text)
    return "".join(out)


def _minute_places(tokens: Sequence[TokenLike]) -> set[int]:
    """Where ``m`` means minutes: right after hours, right before seconds, and wherever time is elapsed."""
    parts = [(i, t) for i, t in enumerate(tokens) if t.kind in ("date", "elapsed", "halfday")]
    found = set()
    for k, (i, token) in enumerate(parts):
        if token.kind != "date" or token.text not in ("m", "mm"):
            continue
        before = parts[k - 1][1] if k else None
        after = parts[k + 1][1] if k + 1 < len(parts) else None
        if (
            any(t.kind == "elapsed" for t in tokens)
            or (before is not None and before.text[0] == "h")
            or (after is not None and after.text[0] == "s")
        ):
            found.add(i)
    return found


class _Clock:
    """The parts of one moment. ``serial`` is of the 1900 system, ``day`` of the workbook's (for elapsed hours)."""

    def __init__(self, serial: int, day: int, seconds: int, half_day: bool, locale: int) -> None:
        self.serial = serial
        self.year, self.month, self.date = daycount.civil(serial)
        self.elapsed_seconds = day * 86400 + seconds
        self.hours, rest = divmod(seconds, 3600)
        self.minutes, self.seconds = divmod(rest, 60)
        self.half_day = half_day
        self.locale = locale

    def part(self, code: str) -> str:
        letter, width = code[0], len(code)
        if letter == "y":
            return f"{self.year % 100:02d}" if width <= 2 else f"{self.year:04d}"
        if letter == "e":
            return f"{self.year:04d}"
        if letter == "b":
            return f"{(self.year + 543) % 100:02d}" if width <= 2 else f"{self.year + 543:04d}"
        if letter == "g":
            return ""
        if letter == "m":
            if width <= 2:
                return str(self.month).zfill(width)
            full, short = month_names(self.locale)
            name = full[self.month - 1]
            return name[0] if width == 5 else short[self.month - 1] if width == 3 else name
        if letter in "da":
            if letter == "d" and width <= 2:
                return str(self.date).zfill(width)
            full, short = day_names(self.locale)
            at = weekday_1900(self.serial)
            return short[at] if width <= 3 else full[at]
        if letter == "h":
            hours = (self.hours % 12 or 12) if self.half_day else self.hours
            return str(hours).zfill(min(width, 2))
        return str(self.seconds).zfill(min(width, 2))

    def minute(self, code: str) -> str:
        return str(self.minutes).zfill(len(code))

    def elapsed(self, code: str) -> str:
        size = {"h": 3600, "m": 60, "s": 1}[code[0]]
        return str(self.elapsed_seconds // size).zfill(len(code))

    def half(self, code: str) -> str:
        morning = self.hours < 12
        if len(code) == 3:
            return code[0] if morning else code[2]
        if code.isascii():
            return "AM" if morning else "PM"
        first, second = code.split("/")
        return first if morning else second
