"""A formula as a function of its row, or of its column: tells in one string comparison that it was filled down or right.

``A2*$B$1+B2`` in row 2 becomes pieces with places for row numbers, so that the text for row 3 can be *predicted*; and in
column C pieces with places for letters, so that the text for column D can be.
A prediction that fits means equal in R1C1 terms; one that does not fit means nothing, and the caller parses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from operator import itemgetter
from typing import Final

from sheetrun.workbook.model import MAX_COLUMNS
from sheetrun.workbook.references import column_index, column_letters

_NO_REFERENCE: Final = r"""
      "(?:[^"]|"")*"                                              # text
    | '(?:[^']|'')*'                                              # quoted sheet
    | \[(?:[^\[\]]|\[[^\[\]]*\])*\]                               # book number, table column
"""
_ROWS: Final = re.compile(
    _NO_REFERENCE
    + r"""
    | (?<![\w.$\\?])\$?[A-Za-z]{1,3}(?P<cell>[1-9][0-9]{0,6})(?![\w.(!\[?\\])
    | (?<![\w.$:\\?])(?P<first>\$?[1-9][0-9]{0,6}):(?P<last>\$?[1-9][0-9]{0,6})(?![\w.!(])
    """,
    re.VERBOSE,
)
_COLUMNS: Final = re.compile(
    _NO_REFERENCE
    + r"""
    | (?<![\w.$\\?])(?P<cell>[A-Za-z]{1,3})\$?[1-9][0-9]{0,6}(?![\w.(!\[?\\])
    | (?<![\w.$:\\?])(?P<first>\$?[A-Za-z]{1,3}):(?P<last>\$?[A-Za-z]{1,3})(?![\w.!(:])
    """,
    re.VERBOSE,
)


class Template:
    """``at(place)`` is the text for a 1-based row number, or a 0-based column."""

    __slots__ = ("_distinct", "_format", "_name", "_one", "_pick", "offsets", "pieces")

    def __init__(self, pieces: list[str], offsets: list[int], name: Callable[[int], str] = str) -> None:
        self._name = name
        self.pieces = pieces
        self.offsets = offsets
        self._distinct = sorted(set(offsets))
        self._one = self._distinct[0] if len(self._distinct) == 1 else None
        self._format = ""
        self._pick: Callable[[list[str]], tuple[str, ...]]
        if len(self._distinct) > 1:
            self._format = "%s".join(piece.replace("%", "%%") for piece in pieces)
            places = {offset: place for place, offset in enumerate(self._distinct)}
            self._pick = itemgetter(*(places[offset] for offset in offsets))

    def at(self, place: int) -> str:
        name = self._name
        if self._one is not None:
            return name(place + self._one).join(self.pieces)
        if not self._distinct:
            return self.pieces[0]
        return self._format % self._pick([name(place + offset) for offset in self._distinct])


def make_template(text: str, row: int) -> Template:
    """The template of a formula in a 1-based row. It is a guess: check it against another row before using it."""
    return _make(text, _ROWS, lambda digits: int(digits) - row, str)


def make_column_template(text: str, col: int) -> Template:
    """The template of a formula in a 0-based column. A guess likewise: check it against another column."""
    return _make(text, _COLUMNS, lambda letters: column_index(letters) - col, _letters)


def _make(text: str, token: re.Pattern[str], offset: Callable[[str], int], name: Callable[[int], str]) -> Template:
    pieces: list[str] = []
    offsets: list[int] = []
    done = 0
    for match in token.finditer(text):
        for group in ("cell", "first", "last"):
            part = match[group]
            if part and not part.startswith("$"):
                start = match.start(group)
                pieces.append(text[done:start])
                offsets.append(offset(part))
                done = match.end(group)
    pieces.append(text[done:])
    return Template(pieces, offsets, name)


@cache
def _letters(col: int) -> str:
    """Beside the sheet there is nothing that a formula could say."""
    return column_letters(col) if 0 <= col < MAX_COLUMNS else "\0"
