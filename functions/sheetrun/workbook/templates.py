"""A formula as a function of its row: tells in one string comparison that a formula was filled down.

``A2*$B$1+B2`` in row 2 becomes pieces with places for row numbers, so that the text for row 3 can be *predicted*.
A prediction that fits means equal in R1C1 terms; one that does not fit means nothing, and the caller parses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter

_TOKEN = re.compile(
    r"""
      "(?:[^"]|"")*"                                              # text
    | '(?:[^']|'')*'                                              # quoted sheet
    | \[(?:[^\[\]]|\[[^\[\]]*\])*\]                               # book number, table column
    | (?<![\w.$\\?])\$?[A-Za-z]{1,3}(?P<cell>[1-9][0-9]{0,6})(?![\w.(!\[?\\])
    | (?<![\w.$:\\?])(?P<first>\$?[1-9][0-9]{0,6}):(?P<last>\$?[1-9][0-9]{0,6})(?![\w.!(])
    """,
    re.VERBOSE,
)


class Template:
    """``at(row)`` is the text for a 1-based row number."""

    __slots__ = ("_distinct", "_format", "_one", "_pick", "offsets", "pieces")

    def __init__(self, pieces: list[str], offsets: list[int]) -> None:
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

    def at(self, row: int) -> str:
        if self._one is not None:
            return str(row + self._one).join(self.pieces)
        if not self._distinct:
            return self.pieces[0]
        return self._format % self._pick([str(row + offset) for offset in self._distinct])


def make_template(text: str, row: int) -> Template:
    """The template of a formula in a 1-based row. It is a guess: check it against another row before using it."""
    pieces: list[str] = []
    offsets: list[int] = []
    done = 0
    for match in _TOKEN.finditer(text):
        for group in ("cell", "first", "last"):
            digits = match[group]
            if digits and not digits.startswith("$"):
                start = match.start(group)
                pieces.append(text[done:start])
                offsets.append(int(digits) - row)
                done = match.end(group)
    pieces.append(text[done:])
    return Template(pieces, offsets)
