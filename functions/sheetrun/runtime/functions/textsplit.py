"""Cutting texts at delimiters: TEXTSPLIT, TEXTBEFORE, TEXTAFTER."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from sheetrun.runtime.coerce import to_text
from sheetrun.runtime.errors import NA, VALUE, ExcelError, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value


def _delimiters(value: Value) -> tuple[str, ...]:
    """The delimiters of an argument, a text or an array of them."""
    if value is None or value is MISSING:
        return ()
    out = []
    for cell in value if isinstance(value, Arr) else (value,):
        text = to_text(cell)
        if isinstance(text, ExcelError):
            raise Raised(text)
        out.append(text)
    return tuple(out)


@lru_cache(maxsize=512)
def _pattern(delimiters: tuple[str, ...], ignore_case: bool) -> re.Pattern[str]:
    """Any of the delimiters; of those that begin at one place the longest."""
    ordered = sorted(delimiters, key=len, reverse=True)
    return re.compile("|".join(re.escape(d) for d in ordered), re.IGNORECASE if ignore_case else 0)


def _mode(value: int) -> bool:
    if value not in (0, 1):
        raise Raised(VALUE)
    return value == 1


def _cut(text: str, delimiters: tuple[str, ...], ignore_case: bool, ignore_empty: bool) -> list[str]:
    parts = _pattern(delimiters, ignore_case).split(text) if delimiters else [text]
    return [p for p in parts if p] if ignore_empty else parts


@excel(
    "TEXTSPLIT(text: text, col_delimiter: values, [row_delimiter: values = None], [ignore_empty: logical ~ FALSE], "
    "[match_mode: integer ~ 0], [pad_with: any ~ ()]) -> array"
)
def textsplit(text: str, across: Value, down: Value, ignore_empty: bool, match_mode: int, pad: Any) -> Arr:
    """A text cut into columns and rows at delimiters; short rows are filled with #N/A or what is given."""
    ignore_case = _mode(match_mode)
    column_marks, row_marks = _delimiters(across), _delimiters(down)
    if not text or not (column_marks or row_marks) or "" in column_marks or "" in row_marks:
        raise Raised(VALUE)
    lines = _cut(text, row_marks, ignore_case, ignore_empty)
    rows: list[list[Scalar]] = [list(_cut(line, column_marks, ignore_case, ignore_empty)) for line in lines]
    width = max((len(row) for row in rows), default=0)
    if width == 0:
        from sheetrun.runtime.errors import CALC

        raise Raised(CALC)
    filler = NA if isinstance(pad, tuple) else pad
    return Arr.rows([row + [filler] * (width - len(row)) for row in rows])


def _edges(
    text: str, delimiter: Value, number: float | None, ignore_case: bool, match_end: int
) -> tuple[int, int] | None:
    """Start and end of the delimiter that is meant; None when there is none."""
    if match_end not in (0, 1):
        raise Raised(VALUE)
    marks = _delimiters(delimiter) or ("",)
    instance = 1 if number is None else math.floor(number)  # measured: -1.2 is the second from the end
    if instance == 0 or (text and abs(instance) > len(text)):
        raise Raised(VALUE)
    if number is not None and text and any(len(m) > len(text) for m in marks):
        raise Raised(VALUE)  # measured; where the instance is left out it is just not found
    if "" in marks:
        at = 0 if instance > 0 else len(text)
        return (at, at) if abs(instance) == 1 else None
    found = [(m.start(), m.end()) for m in _pattern(marks, ignore_case).finditer(text)]
    if match_end:
        if instance > 0:
            found.append((len(text), len(text)))
        else:
            found.insert(0, (0, 0))
    at = instance - 1 if instance > 0 else len(found) + instance
    return found[at] if 0 <= at < len(found) else None


def _missing(fallback: Any) -> Scalar:
    if isinstance(fallback, tuple):
        raise Raised(NA)
    return "" if fallback is None else fallback


@excel(
    "TEXTBEFORE(text: text, delimiter: values, [instance_num: number ~ None], [match_mode: integer ~ 0], "
    "[match_end: integer ~ 0], [if_not_found: any ~ ()]) -> any"
)
def textbefore(
    text: str, delimiter: Value, instance: float | None, match_mode: int, match_end: int, fallback: Any
) -> Scalar:
    """The text before a delimiter: the n-th, or from the end when negative."""
    edges = _edges(text, delimiter, instance, _mode(match_mode), match_end)
    return _missing(fallback) if edges is None else text[: edges[0]]


@excel(
    "TEXTAFTER(text: text, delimiter: values, [instance_num: number ~ None], [match_mode: integer ~ 0], "
    "[match_end: integer ~ 0], [if_not_found: any ~ ()]) -> any"
)
def textafter(
    text: str, delimiter: Value, instance: float | None, match_mode: int, match_end: int, fallback: Any
) -> Scalar:
    """The text after a delimiter: the n-th, or from the end when negative."""
    edges = _edges(text, delimiter, instance, _mode(match_mode), match_end)
    return _missing(fallback) if edges is None else text[edges[1] :]
