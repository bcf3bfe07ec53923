"""Formulas that are alike: the same but for which cells they name and which numbers stand in them.

``SUM(In!A1:B9)*0.5`` and ``SUM(In!C4:C7)*2`` have one form with three blanks: two corners and a number. Formulas of one
form have trees that differ in nothing else, so whatever is worked out for one of them holds for all.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sheetrun.formula.lexer import CELL_START, COLUMN, NAME_CHAR, REF_END, ROW

_QUOTED: Final = re.compile(r'"[^"]*"|\'[^\']*\'')
#: A number that is no row of ``2:5``, has no exponent and is none; so short that it is exactly what it says.
_NUMBER: Final = r"(?<![:$\]])(?<![0-9.][eE][+-])[0-9]{1,9}(?:\.[0-9]{1,15})?(?![!:(\[\]])"
#: A corner so far down or to the right that its range may be one that is treated like a whole column.
_FAR: Final = r"(?:[A-Za-z]{3}\$?[0-9]++|[A-Za-z]++\$?[0-9]{6,7})"
_REFERENCE: Final = rf"(?!(?:(?<=:)|(?<=:[$]))\$?{_FAR}|\$?+{_FAR}:)\$?+{COLUMN}\$?+{ROW}{REF_END}"
#: What each alternative begins with is looked at first: it rules out most places of a text.
_BLANK: Final = re.compile(
    rf"(?=[$A-Za-z0-9])(?<!{NAME_CHAR})"
    rf"({CELL_START}{_REFERENCE}|(?=[0-9]){_NUMBER}(?!{NAME_CHAR}))"
)


class FormKey(NamedTuple):
    """A form: what stands between the blanks, of each blank whether it is a reference, the texts and quoted names."""

    pieces: tuple[str, ...]
    references: tuple[bool, ...]
    quoted: tuple[str, ...]


def cut(text: str) -> tuple[FormKey, list[str]]:
    """The form of a formula, and what it has in the blanks: references (``A1``, without ``$``) and numbers as written."""
    quoted: list[str] = []
    if '"' in text or "'" in text:
        quoted = _QUOTED.findall(text)
        text = _QUOTED.sub("''", text)
    pieces = _BLANK.split(text)
    blanks = pieces[1::2]
    references = tuple([not "0" <= blank < ":" for blank in blanks])  # numbers begin with a digit, references never
    if "$" in text:
        blanks = [blank.replace("$", "") for blank in blanks]
    return FormKey(tuple(pieces[::2]), references, tuple(quoted)), blanks


def filled(key: FormKey, references: list[str], numbers: list[str]) -> str:
    """A formula of a form, with its blanks filled in from both lists in turn."""
    given = (iter(numbers), iter(references))
    text = key.pieces[0]
    for reference, piece in zip(key.references, key.pieces[1:], strict=True):
        text += next(given[reference]) + piece
    first, *rest = text.split("''")
    return first + "".join(quoted + part for quoted, part in zip(key.quoted, rest, strict=True))
