"""The tags of a sheet's rows, cells and columns as bytes: their attributes, read and changed."""

from __future__ import annotations

import re
from typing import Final

from sheetrun.workbook.model import MAX_COLUMNS
from sheetrun.workbook.references import column_index, parse_cell

_REFERENCE: Final = re.compile(rb' r="([A-Z]{1,3})[0-9]+"')
_COLUMNS: Final[dict[bytes, int]] = {}


def column_of(attributes: bytes, before: int) -> int:
    """The column of a cell; without a reference the one after ``before``. Raises ValueError."""
    usual = _REFERENCE.match(attributes)
    if usual is not None:
        letters = usual[1]
        col = _COLUMNS.get(letters)
        if col is None:
            col = _COLUMNS[letters] = column_index(letters.decode("ascii"))
        return col
    reference = attribute(attributes, b"r")
    return parse_cell(reference.decode("ascii"))[1] if reference else before + 1


_ATTRIBUTES: Final = {
    name: re.compile(rb"""\s%b\s*=\s*(?:"([^"]*)"|'([^']*)')""" % name)
    for name in (b"r", b"s", b"t", b"vm", b"ref", b"customFormat", b"style", b"min", b"max")
}


def attribute(attributes: bytes, name: bytes) -> bytes | None:
    """The value of an attribute, as it is written."""
    match = _ATTRIBUTES[name].search(attributes)
    return None if match is None else match[1] if match[1] is not None else match[2]


_TYPE: Final = re.compile(rb"""\st\s*=\s*(?:"[^"]*"|'[^']*')""")


def without(attributes: bytes, name: bytes) -> bytes:
    return _ATTRIBUTES[name].sub(b"", attributes)


def with_type(attributes: bytes, kind: bytes) -> bytes:
    """The attributes of a cell with another ``t``; numbers have none."""
    new = b"" if kind == b"n" else b' t="%b"' % kind
    if _TYPE.search(attributes):
        return _TYPE.sub(new, attributes, count=1)
    return attributes.rstrip() + new


_SPANS: Final = re.compile(rb'\sspans="([0-9]+):([0-9]+)"')


def with_spans(opening: bytes, left: int, right: int) -> bytes:
    """``spans`` is a hint, but one that Excel believes: it must cover the new cells."""

    def widen(match: re.Match[bytes]) -> bytes:
        return b' spans="%d:%d"' % (min(int(match[1]), left + 1), max(int(match[2]), right + 1))

    return _SPANS.sub(widen, opening, count=1)


def column_styles(searched: bytes, prefix: bytes) -> dict[int, bytes]:
    """Default style by column, from ``<cols>``."""
    styles: dict[int, bytes] = {}
    start = searched.find(b"<" + prefix + b"cols")
    end = searched.find(b"</" + prefix + b"cols", start)
    if start >= 0 and end >= 0:
        for match in re.finditer(rb"<%bcol(\s[^<>]*)" % re.escape(prefix), searched[start:end]):
            style = attribute(match[1], b"style")
            first, last = attribute(match[1], b"min"), attribute(match[1], b"max")
            if style and first and last and style != b"0":
                styles.update(dict.fromkeys(range(int(first) - 1, min(int(last), MAX_COLUMNS)), style))
    return styles
