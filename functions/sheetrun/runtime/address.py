"""Addresses in a script: ``"B2:C9"`` or (row, column) pairs, 1-based as in Excel, and the rectangles they mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 16_384
Key: TypeAlias = str | tuple[int, ...]  #: "B2:C9", or 1-based row and column, or four of them
Place: TypeAlias = tuple[int, int, int]  #: sheet, row and column of a cell (sheet from 0, the others from 1)
_A1 = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})(?::\$?([A-Za-z]{1,3})\$?(\d{1,7}))?\Z")


#: A range with more rows or columns than these is read up to the used range only.
VAST_ROWS: int = 100_000
VAST_COLUMNS: int = 1_000


def is_vast(rows: int, columns: int) -> bool:
    """Whether a range of that shape is not walked to its end: whole columns and rows, and what is like them."""
    return rows > VAST_ROWS or columns > VAST_COLUMNS


class Cells(NamedTuple):
    """Many cells, wherever they lie: their rows and columns as arrays, 1-based."""

    rows: Any
    columns: Any

    def pairs(self) -> Iterator[tuple[int, int]]:
        """(row, column)"""
        return zip(self.rows.tolist(), self.columns.tolist(), strict=True)


class Span(NamedTuple):
    """A rectangle, 1-based, both corners included."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top + 1, self.right - self.left + 1

    def inside(self) -> bool:
        """Whether it lies on the sheet."""
        return 1 <= self.top <= self.bottom <= MAX_ROWS and 1 <= self.left <= self.right <= MAX_COLUMNS

    def overlaps(self, other: Span) -> bool:
        return (
            self.top <= other.bottom
            and other.top <= self.bottom
            and self.left <= other.right
            and other.left <= self.right
        )

    def contains(self, row: int, col: int) -> bool:
        return self.top <= row <= self.bottom and self.left <= col <= self.right

    def holds(self, other: Span) -> bool:
        """Whether another rectangle lies within this one."""
        return (
            self.top <= other.top
            and other.bottom <= self.bottom
            and self.left <= other.left
            and other.right <= self.right
        )

    def shared(self, other: Span) -> Span | None:
        """The cells that both have; None where they have none in common."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return Span(top, left, bottom, right) if top <= bottom and left <= right else None

    def slices(self, top: int, left: int) -> tuple[slice, slice]:
        """Where it is in an array of cells that begins at a place."""
        return slice(self.top - top, self.bottom - top + 1), slice(self.left - left, self.right - left + 1)

    @staticmethod
    def around(spans: Collection[Span]) -> Span:
        """The smallest rectangle that holds them all; at least one."""
        return Span(
            min(s.top for s in spans),
            min(s.left for s in spans),
            max(s.bottom for s in spans),
            max(s.right for s in spans),
        )


@cache
def column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


@cache
def column_letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cell_address(row: int, col: int) -> str:
    return f"{column_letters(col)}{row}"


def span_address(span: Span) -> str:
    first = cell_address(span.top, span.left)
    return first if span[:2] == span[2:] else f"{first}:{cell_address(span.bottom, span.right)}"


@lru_cache(maxsize=1 << 17)
def read_span(address: str) -> tuple[Span, bool]:
    """The rectangle of an A1 address and whether it is one cell. Raises ValueError."""
    match = _A1.match(address)
    if not match:
        raise ValueError(f"not an address: {address}")
    left, top = column_number(match[1]), int(match[2])
    if match[3] is None:
        return Span(top, left, top, left), True
    right, bottom = column_number(match[3]), int(match[4])
    return Span(min(top, bottom), min(left, right), max(top, bottom), max(left, right)), False


def span_of(key: Key) -> tuple[Span, bool]:
    """The rectangle of a key and whether it is one cell."""
    if type(key) is str:
        return read_span(key)
    if len(key) == 2:
        return Span(key[0], key[1], key[0], key[1]), True  # type: ignore[arg-type]
    top, left, bottom, right = key  # type: ignore[misc]
    if top > bottom:  # the corners of $A$5:A1, filled down, change places on the way
        top, bottom = bottom, top
    if left > right:
        left, right = right, left
    return Span(top, left, bottom, right), False
