"""Reads and writes what stands before ``!``: sheets, spans of sheets, other workbooks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sheetrun.formula.a1 import is_plain_sheet
from sheetrun.formula.nodes import Prefix

#: A folder, a workbook in brackets, and what follows: a sheet, a span of sheets, or nothing.
_IN_BOOK: Final = re.compile(r"([^\[\]]*)\[([^\[\]]*)\]([\s\S]*)")
_PLAIN_BOOK: Final = re.compile(r"[\w.]+")


@lru_cache(maxsize=4096)
def read_prefix(token: str) -> Prefix | None:
    """The prefix of a token such as ``'[Book 1.xlsx]Jan:Dec'!``; None for a bare ``!`` (the sheet in use).

    A workbook keeps its folder: ``'C:\\Data\\[Book 1.xlsx]Jan'!`` has the book ``C:\\Data\\Book 1.xlsx``.
    """
    text = token[:-1]
    if not text:
        return None
    if text[0] == "'":
        # Some writers quote the ends of a span apart: 'Jan 1':'Dec 2'!
        text = text[1:-1].replace("':'", ":").replace("''", "'")
    book: str | None = None
    match = _IN_BOOK.fullmatch(text)
    if match is not None:
        folder, name, text = match.groups()
        book = folder + name
    elif "\\" in text or "/" in text:
        return Prefix(book=text)  # a path without a sheet: a name of that workbook follows
    first, _, last = text.partition(":")
    return Prefix(first or None, last or None, book)


@lru_cache(maxsize=4096)
def write_prefix(prefix: Prefix) -> str:
    """The prefix as text, with its ``!`` and with quotation marks where Excel puts them."""
    sheets = [sheet for sheet in (prefix.sheet, prefix.last_sheet) if sheet is not None]
    text = ":".join(sheets)
    plain = all(map(is_plain_sheet, sheets))
    if prefix.book is not None:
        cut = max(prefix.book.rfind("\\"), prefix.book.rfind("/")) + 1
        text = f"{prefix.book[:cut]}[{prefix.book[cut:]}]{text}"
        plain = plain and _PLAIN_BOOK.fullmatch(prefix.book) is not None
    return f"{text}!" if plain else "'" + text.replace("'", "''") + "'!"
