"""For tests of functions: call one by its Excel name with plain values, compare with what Excel shows."""

from __future__ import annotations

from typing import Any

import numpy as np

import sheetrun.runtime.functions  # noqa: F401 - registers all functions
from sheetrun.runtime.book import Book
from sheetrun.runtime.errors import DIV0, NA, NUM, REF, VALUE, ExcelError
from sheetrun.runtime.refs import Ref
from sheetrun.runtime.registry import find
from sheetrun.runtime.sheet import Area, Sheet
from sheetrun.runtime.values import MISSING, Arr, encode

__all__ = [
    "DIV0",
    "MISSING",
    "NA",
    "NUM",
    "REF",
    "VALUE",
    "agrees",
    "book_of",
    "call",
    "host",
    "ref",
    "rows",
    "sheet_of",
]


def call(name: str, *args: Any) -> Any:
    """The result as Python values: a scalar, or a list of rows. Lists are columns, lists of lists arrays."""
    entry = find(name)
    assert entry is not None, f"{name} is not registered"
    with np.errstate(all="ignore"):
        return plain(entry.call(*(value_of(a) for a in args)))


def value_of(value: Any) -> Any:
    if isinstance(value, list):
        return rows(value if value and isinstance(value[0], list) else [[v] for v in value])
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def rows(values: list[list[Any]]) -> Arr:
    return Arr.rows([[value_of(v) for v in row] for row in values])


def plain(value: Any) -> Any:
    if isinstance(value, Arr | np.ndarray):
        return Arr.of(value).to_rows()
    return value


def agrees(got: Any, wanted: Any, digits: int = 9) -> bool:
    """Whether numbers agree to some significant digits (documentation shows few), anything else exactly."""
    if isinstance(wanted, list):
        nested = wanted if wanted and isinstance(wanted[0], list) else [[w] for w in wanted]
        return (
            isinstance(got, list)
            and [len(r) for r in got] == [len(r) for r in nested]
            and all(
                agrees(g, w, digits) for gr, wr in zip(got, nested, strict=True) for g, w in zip(gr, wr, strict=True)
            )
        )
    if isinstance(wanted, bool | str | ExcelError):
        return got is wanted or got == wanted
    if not isinstance(got, float) or isinstance(got, bool):
        return False
    return abs(got - wanted) <= 0.51 * 10.0**-digits * max(abs(wanted), 1e-300) * 10.0 if wanted else abs(got) < 1e-12


def book_of(**sheets: list[list[Any]]) -> Book:
    """A book whose sheets start at A1."""
    book = Book()
    for name, values in sheets.items():
        width = max(len(row) for row in values)
        cells = [[encode(value_of(v)) for v in row + [None] * (width - len(row))] for row in values]
        num = np.array([[n for n, _ in row] for row in cells], np.float64)
        tag = np.array([[t for _, t in row] for row in cells], np.int32)
        book.add_sheet(name, [Area(1, 1, num, tag)])
    return book


def sheet_of(values: list[list[Any]]) -> Sheet:
    return book_of(Sheet1=values)["Sheet1"]


def ref(values: list[list[Any]]) -> Ref:
    """A reference to a rectangle of its own, from A1 on."""
    sheet = sheet_of(values)
    return Ref(sheet, sheet.used())


def host(seed: int = 0) -> Ref:
    """A cell that holds a formula, in a book whose random numbers start from ``seed``."""
    book = Book(seed=seed)
    book.add_sheet("Sheet1", [])
    return book["Sheet1"].ref["A1"]
