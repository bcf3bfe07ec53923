"""The text inside ``<v>`` and ``<t>`` as values: numbers, errors, ISO dates, and Excel's ``_x000D_`` escapes."""

from __future__ import annotations

import math
import re
from datetime import datetime, time
from typing import Final

from sheetrun.runtime.cells import ERROR_CODES, box

ERROR_VALUES: Final = {code: box(code) for code in ERROR_CODES}

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SURROGATE = re.compile("[\ud800-\udfff]")


def unescape(text: str) -> str:
    """``_x000D_`` -> carriage return, ``_x005F_`` -> underscore (ECMA-376 part 1, 22.9.2.19 ST_Xstring)."""
    if "_x" not in text:
        return text
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def error_value(text: str) -> float:
    """The number that carries an error; an error that this version does not know is #UNKNOWN!."""
    text = text.strip()
    value = ERROR_VALUES.get(text)
    return value if value is not None else ERROR_VALUES.get(text.upper(), ERROR_VALUES["#UNKNOWN!"])


def number(text: str | bytes) -> float:
    """A finite number. Raises ValueError."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def serial(text: str, date1904: bool) -> float:
    """A cell of type ``d`` (ISO 8601 date, date and time, or time) as Excel's serial number. Raises ValueError."""
    text = text.strip()
    if text.startswith("T") or ("-" not in text and ":" in text):
        clock = time.fromisoformat(text.lstrip("T").rstrip("Z"))
        return (clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1e6) / 86400
    moment = datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=None)
    origin = datetime(1904, 1, 1) if date1904 else datetime(1899, 12, 30)
    days = (moment - origin).total_seconds() / 86400
    if not date1904 and days < 61:
        days -= 1  # Excel's 1900 has a 29 February, as Lotus 1-2-3 had
    return days
