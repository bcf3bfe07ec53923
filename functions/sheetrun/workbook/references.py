"""``A1`` and ``A1:B9`` in attributes of the file, as numbers; and numbers as ``A1`` for messages."""

from __future__ import annotations

import re

from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, Rect

_CELL = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})\Z")


def column_index(letters: str) -> int:
    """``A`` -> 0, ``XFD`` -> 16383."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def column_letters(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell_name(row: int, col: int) -> str:
    return f"{column_letters(col)}{row + 1}"


def parse_cell(text: str) -> tuple[int, int]:
    """(row, column), 0-based. Raises ValueError for what is no cell of a sheet."""
    match = _CELL.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a cell reference")
    row, col = int(match[2]) - 1, column_index(match[1])
    if not (0 <= row < MAX_ROWS and col < MAX_COLUMNS):
        raise ValueError(f"{text!r} is outside of a sheet")
    return row, col


def parse_rect(text: str) -> Rect:
    """``A1:B9`` or ``A1``. Raises ValueError."""
    first, _, last = text.partition(":")
    top, left = parse_cell(first)
    bottom, right = parse_cell(last) if last else (top, left)
    return Rect(min(top, bottom), min(left, right), max(top, bottom), max(left, right))
