"""Reads what stands in the brackets of a structured reference: ``Sales[[#Headers],[#Data],[Qty]:[Price]]``.

Grammar: [MS-XLSX] 2.2.2, "intra-table-reference". In a column's name an apostrophe takes the meaning from the
character after it: ``[ ] # ' @``. Files store ``[[#This Row],[Qty]]``; ``[@Qty]`` is what people type.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sheetrun.formula.nodes import Error, Structured

ITEMS: Final = ("all", "data", "headers", "totals", "this row")
THIS_ROW: Final = "this row"

_ESCAPED: Final = re.compile(r"'([\s\S])")
_SPECIAL: Final = re.compile(r"[\[\]#'@]")
#: A bracketed part or a bare one, then the separator or the end.
_PART: Final = re.compile(r"\s*(?:\[((?:[^\[\]']|'[\s\S])*+)\]|((?:[^\[\]',:]|'[\s\S])++))\s*([,:]|\Z)")


class BadReference(ValueError):
    """``detail`` for people, ``offset`` in characters from the beginning of the token."""

    def __init__(self, detail: str, offset: int) -> None:
        super().__init__(detail, offset)
        self.detail = detail
        self.offset = offset


@lru_cache(maxsize=4096)
def read_structured(token: str) -> Structured | Error:
    """The node of a token ``Table[…]`` or ``[…]``, without prefix. Raises BadReference.

    A reference to a deleted column, ``Sales[#REF!]``, is the error ``#REF!``.
    """
    opening = token.index("[")
    table = token[:opening] or None
    body = token[opening + 1 : -1]
    offset = opening + 1
    bare = body.strip()
    if not bare:
        return Structured(table)
    if bare[0] == "@":
        rest = body[body.index("@") + 1 :]
        if not rest.strip():
            return Structured(table, (THIS_ROW,))
        if rest.lstrip()[0] != "[":
            return Structured(table, (THIS_ROW,), _unescape(rest))
        return _read_parts(table, rest, offset + len(body) - len(rest), (THIS_ROW,))
    if bare[0] == "#":
        item = bare[1:].lower()
        if item == "ref!":
            return Error("#REF!")
        if item not in ITEMS:
            raise BadReference(_unknown_item(bare), offset)
        return Structured(table, (item,))
    if bare[0] == "[":
        return _read_parts(table, body, offset, ())
    return Structured(table, (), _unescape(body))


def _read_parts(table: str | None, body: str, offset: int, items: tuple[str, ...]) -> Structured | Error:
    """``[#Headers],[#Data],[A]:[B]``: items first, then a column or a span of columns."""
    columns: list[str] = []
    position = 0
    separator = ","
    while separator:
        part = _PART.match(body, position)
        if part is None:
            raise BadReference("This is not a column or an item of a table", offset + position)
        bracketed, bare, following = part.groups()
        name = bracketed if bracketed is not None else bare.strip()
        if name[:1] == "#":
            item = name[1:].lower()
            if item == "ref!":
                return Error("#REF!")
            if item not in ITEMS:
                raise BadReference(_unknown_item(name), offset + position)
            if columns or separator == ":" or following == ":":
                raise BadReference("Items such as #Headers come before the columns", offset + position)
            items += (item,)
        elif columns and (separator == "," or len(columns) == 2):
            raise BadReference("A structured reference takes one column or one span of columns", offset + position)
        else:
            columns.append(_unescape(name))
        position = part.end()
        separator = following
    return Structured(table, items, columns[0] if columns else None, columns[1] if len(columns) == 2 else None)


def escape_column(name: str) -> str:
    """A column's name as it stands in brackets."""
    return _SPECIAL.sub(r"'\g<0>", name)


def _unescape(name: str) -> str:
    return _ESCAPED.sub(r"\1", name) if "'" in name else name


def _unknown_item(name: str) -> str:
    return f"A table has no item {name}: it may be #All, #Data, #Headers, #Totals or #This Row"
