"""Names of columns, cells and ranges in A1 style, and sheet names as they stand in formulas. Indices are 0-based."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 16_384

_CELL: Final = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([0-9]+)")
#: Letters and digits of any script, underscore, dot: what a sheet name may hold without quotes.
_PLAIN_SHEET: Final = re.compile(r"[^\W\d][\w.]*")
#: Names that would read as a reference: A1 within the sheet is checked apart; R, C, RC, R5, C7, R5C7 are R1C1.
_LOOKS_R1C1: Final = re.compile(r"(?:R[0-9]*)?(?:C[0-9]*)?", re.IGNORECASE)


@lru_cache(maxsize=MAX_COLUMNS)
def column_name(index: int) -> str:
    """The letters of a column: 0 is ``A``, 16383 is ``XFD``. Raises ValueError outside the sheet."""
    if not 0 <= index < MAX_COLUMNS:
        raise ValueError(f"a sheet has the columns 0 to {MAX_COLUMNS - 1}, not {index}")
    letters = ""
    number = index + 1
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


@lru_cache(maxsize=MAX_COLUMNS)
def column_index(name: str) -> int:
    """The index of a column by its letters, in either case. Raises ValueError for what is no column of the sheet."""
    number = 0
    for char in name.upper():
        if not "A" <= char <= "Z":
            raise ValueError(f"{name!r} is not a column")
        number = number * 26 + ord(char) - 64
        if number > MAX_COLUMNS:
            break
    if not 0 < number <= MAX_COLUMNS:
        raise ValueError(f"{name!r} is not a column: the last one is XFD")
    return number - 1


def cell_name(row: int, col: int, *, row_absolute: bool = False, col_absolute: bool = False) -> str:
    """``A1``, ``$A1``, ``A$1`` or ``$A$1``. Raises ValueError outside the sheet."""
    if not 0 <= row < MAX_ROWS:
        raise ValueError(f"a sheet has the rows 0 to {MAX_ROWS - 1}, not {row}")
    return f"{'$' if col_absolute else ''}{column_name(col)}{'$' if row_absolute else ''}{row + 1}"


def range_name(top: int, left: int, bottom: int, right: int) -> str:
    """``A1:B9``, or ``A1`` where both corners are the same cell."""
    first = cell_name(top, left)
    return first if (top, left) == (bottom, right) else f"{first}:{cell_name(bottom, right)}"


def range_names(ranges: Iterable[tuple[int, int, int, int]]) -> list[str]:
    """The names of many ranges of a sheet (top, left, bottom, right)."""
    return [
        f"{column_name(left)}{top + 1}" if top == bottom and left == right else range_name(top, left, bottom, right)
        for top, left, bottom, right in ranges
    ]


def parse_cell(text: str) -> tuple[int, int]:
    """(row, column) of ``B7`` or ``$B$7``. Raises ValueError for anything else and outside the sheet."""
    row, _, col, _ = parse_corner(text)
    return row, col


@lru_cache(maxsize=1 << 16)
def parse_corner(text: str) -> tuple[int, bool, int, bool]:
    """(row, row is absolute, column, column is absolute) of ``$B7``. Raises ValueError as ``parse_cell`` does."""
    match = _CELL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a cell")
    col_dollar, letters, row_dollar, digits = match.groups()
    digits = digits.lstrip("0")
    # Python refuses to read thousands of digits; no row has more than seven.
    row = int(digits or "0") - 1 if len(digits) <= 7 else MAX_ROWS
    if not 0 <= row < MAX_ROWS:
        raise ValueError(f"{text!r} is not a cell: the rows go from 1 to {MAX_ROWS}")
    return row, row_dollar == "$", column_index(letters), col_dollar == "$"


@lru_cache(maxsize=4096)
def quote_sheet(name: str) -> str:
    """A sheet's name as it stands before ``!``: in quotation marks where Excel puts them, inner ones doubled.

    Excel quotes a name unless it is letters, digits, dots and underscores, does not begin with a digit or a dot, and
    reads neither as a cell (``Q1``; A1 style or R1C1 style) nor as TRUE or FALSE.
    """
    return name if is_plain_sheet(name) else "'" + name.replace("'", "''") + "'"


def is_plain_sheet(name: str) -> bool:
    """Whether a sheet's name needs no quotation marks in a formula."""
    if _PLAIN_SHEET.fullmatch(name) is None or _LOOKS_R1C1.fullmatch(name) or name.upper() in ("TRUE", "FALSE"):
        return False
    try:
        parse_corner(name)
    except ValueError:
        return True
    return False
