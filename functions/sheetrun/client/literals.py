"""Values between people and cells: ``--set REF=VALUE`` in, ``--get`` out.

``REF=VALUE``: the reference ends at the first ``=`` outside quotes and brackets, so ``'A=B'!A1=3`` and
``Table[a=b]=3`` mean what they say. The value is read as Excel reads what is typed into a cell, without the guesses
that depend on a country:

    3, -1.5e3, .5   numbers           TRUE, FALSE (any case)   logicals
    7%              0.07              #N/A, #DIV/0! …          errors
    2026-01-31      a date: its serial number (with T12:00 its time too)
    (nothing)       an empty cell     anything else, or in double quotes: text ("007" keeps its zeros)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sheetrun.client.console import Usage

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_ERROR = r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|GETTING_DATA|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!)"
_DATE = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?"
#: Serial 0 of the 1900 date system for dates from 1 March 1900 on (Excel counts a 29 February 1900 that never was).
_EPOCH = datetime(1899, 12, 30)
_FIRST_SAFE = date(1900, 3, 1)
_1904_SHIFT = 1462  # days between the two date systems


def parse_assignment(text: str, *, date1904: bool = False) -> tuple[str, Any]:
    """(reference, value) of ``REF=VALUE``. Raises Usage."""
    end = _end_of_reference(text)
    if end is None:
        raise Usage(f"--set {text!r} is not REF=VALUE, as in --set Inputs!B2=0.07")
    reference = text[:end].strip()
    if not reference:
        raise Usage(f"--set {text!r} names no cell")
    return reference, parse_value(text[end + 1 :], date1904=date1904)


def parse_assignments(texts: Sequence[str], *, date1904: bool = False) -> dict[str, Any]:
    """All of ``--set``; the last one wins where a reference comes twice."""
    return dict(parse_assignment(text, date1904=date1904) for text in texts)


def parse_clock(text: str) -> datetime:
    """What ``--now`` says, without a zone: Excel's clock has none. Raises Usage."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        raise Usage(f"--now {text!r} is no time, as in --now 2026-01-31T12:00") from None


def _end_of_reference(text: str) -> int | None:
    depth, position = 0, 0
    while position < len(text):
        char = text[position]
        if char == "'" and depth == 0:
            closing = text.find("'", position + 1)
            if closing < 0:
                return None
            position = closing
        elif char == "'" and depth > 0:
            position += 1  # inside brackets it escapes the next character
        elif char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
        elif char == "=" and depth <= 0:
            return position
        position += 1
    return None


def parse_value(text: str, *, date1904: bool = False) -> Any:
    """A cell value of the wire contract. Raises Usage for a number or a date that no cell can hold."""
    stripped = text.strip()
    if not stripped:
        return None
    if len(stripped) >= 2 and stripped[0] == stripped[-1] == '"':
        return stripped[1:-1].replace('""', '"')
    upper = stripped.upper()
    if upper in ("TRUE", "FALSE"):
        return upper == "TRUE"
    if re.fullmatch(_ERROR, upper):
        return {"error": upper}
    if re.fullmatch(_NUMBER, stripped):
        return _number(stripped)
    if stripped.endswith("%") and re.fullmatch(_NUMBER, stripped[:-1].rstrip()):
        return _number(stripped[:-1]) / 100
    if re.fullmatch(_DATE, stripped):
        return _serial(stripped, date1904)
    return text


def _number(text: str) -> float | int:
    value = float(text)
    if not math.isfinite(value):
        raise Usage(f"{text} is too large for a cell")
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _serial(text: str, date1904: bool) -> float | int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(f"{text} is not a date") from None
    if moment.date() < (date(1904, 1, 1) if date1904 else _FIRST_SAFE):
        raise Usage(f"{text} is before the dates that this works for; give the serial number")
    days = (moment - _EPOCH) / timedelta(days=1) - (_1904_SHIFT if date1904 else 0)
    return int(days) if days.is_integer() else days


def show_value(value: Any) -> str:
    """A scalar for a shell: shortest exact number, TRUE/FALSE, the error's code, nothing for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dict):
        return str(value.get("error", value))
    return str(value)


def value_lines(value: Any) -> Iterator[str]:
    """A line for every cell of a value, row by row; a line break inside a text is written as a space."""
    if isinstance(value, list):
        for item in value:
            yield from value_lines(item)
    else:
        yield " ".join(show_value(value).splitlines())


def has_date(text: str) -> bool:
    """Whether a REF=VALUE sets a date, whose serial number depends on how the workbook counts days."""
    end = _end_of_reference(text)
    return end is not None and re.fullmatch(_DATE, text[end + 1 :].strip()) is not None
