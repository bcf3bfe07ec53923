"""Where a reference like ``'My sheet'!AB12`` points to."""

from __future__ import annotations

import re

_REFERENCE = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})")


def place_of(reference: str) -> tuple[str, int, int] | None:
    """(sheet, row, column), 0-based; None for anything but one cell of a named sheet."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return None
    quoted, plain, letters, digits = match.groups()
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - 64
    return (quoted.replace("''", "'") if quoted else plain), int(digits) - 1, column - 1
