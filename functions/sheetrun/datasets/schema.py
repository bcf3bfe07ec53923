"""What a dataset looks like: how to read it, and the type of each column, found from a sample of its values.

A type is a guess from the sample: values that do not fit it later are counted by ``data_quality``, and never stop
anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sheetrun.records import dataclass

#: Texts that stand for nothing.
MISSING: Final = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None", "-")
MOST_COLUMNS: Final = 2000
_CATEGORIES: Final = 50  # distinct values up to which a text column counts as categories, whatever its length
_SHARE: Final = 0.97  # of the sample must fit a type

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_GROUPED: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_COMMA: Final = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+")
_INTEGER: Final = re.compile(r"[+-]?\d{1,15}")
_LOGICALS: Final = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))
#: In the order of preference: where two fit the sample, the first is taken.
DATE_FORMATS: Final = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d-%b-%Y",
    "%b %d, %Y",
)


class Type(StrEnum):
    """What a column holds."""

    INTEGER = "integer"
    NUMBER = "number"
    LOGICAL = "logical"
    DATE = "date"
    CATEGORY = "category"
    TEXT = "text"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Column:
    """``format``: of dates, strptime's; of numbers "," where the decimal mark is a comma, "1,000" where they group."""

    name: str
    type: Type
    format: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """``format`` is csv, jsonl, parquet or xlsx. ``delimiter``, ``encoding`` and ``header`` matter for csv alone."""

    filename: str
    format: str
    columns: tuple[Column, ...]
    delimiter: str = ","
    encoding: str = "utf-8"
    header: bool = True
    sheet: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "filename": self.filename,
            "format": self.format,
            "columns": [[column.name, column.type.value, column.format] for column in self.columns],
            "delimiter": self.delimiter,
            "encoding": self.encoding,
            "header": self.header,
            "sheet": self.sheet,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Schema:
        columns = tuple(Column(name, Type(kind), form) for name, kind, form in values["columns"])
        return cls(**{**values, "columns": columns})


def find_column(name: str, values: Sequence[str]) -> Column:
    """The type of a column from a sample of its texts."""
    present = [value.strip() for value in values if value.strip() not in MISSING]
    if not present:
        return Column(name, Type.EMPTY)
    lowered = {value.lower() for value in present}
    if any(lowered <= set(pair) for pair in _LOGICALS):
        return Column(name, Type.LOGICAL)
    number = _number_format(present)
    if number is not None:
        whole = number == "" and _fits(present, _INTEGER) and not any(_has_leading_zero(value) for value in present)
        if whole:
            return Column(name, Type.INTEGER)
        if not (number == "" and any(_has_leading_zero(value) for value in present)):
            return Column(name, Type.NUMBER, number)
    form = _date_format(present)
    if form:
        return Column(name, Type.DATE, form)
    distinct = len(set(present))
    few = distinct <= max(_CATEGORIES, len(present) // 20) and (distinct < len(present) or distinct <= 5)
    return Column(name, Type.CATEGORY if few else Type.TEXT)


def _fits(values: Sequence[str], pattern: re.Pattern[str]) -> bool:
    return sum(pattern.fullmatch(value) is not None for value in values) >= _SHARE * len(values)


def _has_leading_zero(value: str) -> bool:
    """``007`` is a code, not a number."""
    return len(value) > 1 and value[0] == "0" and value[1].isdigit()


def _number_format(values: Sequence[str]) -> str | None:
    """How numbers are written: "" plainly, "," with a decimal comma, "1,000" grouped; None: they are no numbers."""
    if _fits(values, _NUMBER):
        return ""
    if _fits(values, re.compile(f"{_GROUPED.pattern}|{_NUMBER.pattern}")):
        return "1,000"
    if any("," in value for value in values) and _fits(values, re.compile(f"{_COMMA.pattern}|[+-]?\\d+")):
        return ","
    return None


def _date_format(values: Sequence[str]) -> str:
    some = values[:: max(1, len(values) // 200)]
    if not any(char.isdigit() for char in some[0]):
        return ""
    for form in DATE_FORMATS:
        if sum(_is_date(value, form) for value in some) >= _SHARE * len(some):
            return form
    return ""


def _is_date(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)
    except ValueError:
        return False
    return True


def unique_names(names: Sequence[str]) -> list[str]:
    """Names without gaps or doubles: an empty one is called after its place, a second ``x`` is ``x (2)``."""
    found: list[str] = []
    taken: set[str] = set()
    for number, raw in enumerate(names, 1):
        name = raw.strip() or f"column {number}"
        candidate, count = name, 2
        while candidate in taken:
            candidate = f"{name} ({count})"
            count += 1
        taken.add(candidate)
        found.append(candidate)
    return found
