"""The value of a cell as XML: how a new one is written, and whether the one that is there is the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from sheetrun.runtime.cells import EMPTY, LOGICAL, TEXT, unbox
from sheetrun.workbook.strings import decode_entities
from sheetrun.workbook.values import error_value, unescape

_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_PHONETIC = re.compile(r"<(\w+:)?rPh\b.*?</\1rPh>", re.DOTALL)
_TEXT_PIECE = re.compile(r"<(?:\w+:)?t(?:\s[^<>]*)?>([^<]*)<")
#: The errors that a file may hold as they are (ECMA-376 part 1, 18.18.11); Excel writes #VALUE! for younger ones.
_STORED: Final = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA"})


class CellXml:
    """For one sheet. ``prefix``: of its elements. ``shared``: the workbook's shared strings, ``strings`` those of the new
    values. ``ascii_only``: the part's encoding holds no other characters. ``rich_errors``: the error that a ``vm`` stands
    for (see ``richvalues``)."""

    def __init__(
        self,
        prefix: bytes,
        strings: Sequence[str],
        shared: Sequence[str],
        rich_errors: Mapping[int, float],
        *,
        ascii_only: bool,
    ) -> None:
        self._prefix = prefix
        self._strings = strings
        self._shared = shared
        self._rich_errors = rich_errors
        self._ascii_only = ascii_only

    def written(self, tag: int, number: float, *, result: bool) -> tuple[bytes, bytes]:
        """The ``t`` attribute and the element that holds the value. ``result``: a formula gives it."""
        if tag >= TEXT:
            text = escape_text(self._strings[tag - TEXT])
            keep = b' xml:space="preserve"' if text != text.strip() else b""
            raw = text.encode("ascii", "xmlcharrefreplace") if self._ascii_only else text.encode("utf-8")
            if result:
                return b"str", b"<%bv%b>%b</%bv>" % (self._prefix, keep, raw, self._prefix)
            p = self._prefix
            return b"inlineStr", b"<%bis><%bt%b>%b</%bt></%bis>" % (p, p, keep, raw, p, p)
        if tag == LOGICAL:
            kind, text = b"b", "1" if number else "0"
        elif number != number:
            code = unbox(number)
            kind, text = b"e", code if code in _STORED else "#VALUE!"
        else:
            kind, text = b"n", number_text(number)
        return kind, b"<%bv>%b</%bv>" % (self._prefix, text.encode("ascii"), self._prefix)

    def holds(
        self, kind: bytes, element: bytes, text: bytes | None, rich: bytes | None, tag: int, number: float
    ) -> bool:
        """Whether an element with a value is the cell's new value already.

        ``kind``: the cell's ``t``. ``text``: what is in a ``<v>``; None in ``<is>``. ``rich``: the cell's ``vm``.
        """
        if tag == EMPTY:
            return text == b"" and kind != b"str"
        raw = element.decode("utf-8", "surrogateescape")
        raw = raw.replace("\r\n", "\n").replace("\r", "\n")  # as XML reads it
        read = "" if text is None else decode_entities(raw[raw.index(">") + 1 : raw.rindex("<")])
        if tag >= TEXT:
            return self._strings[tag - TEXT] == self._old_text(kind, raw, read)
        if tag == LOGICAL:
            return kind == b"b" and (read.strip() in ("1", "true")) == bool(number)
        if number != number:
            stored = self._rich_errors.get(int(rich)) if rich is not None and rich.isdigit() else None
            return kind == b"e" and unbox(error_value(read) if stored is None else stored) == unbox(number)
        try:
            return kind == b"n" and float(read) == number
        except ValueError:
            return False

    def _old_text(self, kind: bytes, raw: str, text: str) -> str | None:
        if kind == b"str":
            return unescape(text)
        if kind == b"s" and text.strip().isdigit() and int(text) < len(self._shared):
            return self._shared[int(text)]
        if kind == b"inlineStr":
            pieces = _TEXT_PIECE.findall(_PHONETIC.sub("", raw))
            return unescape(decode_entities("".join(pieces)))
        return None


def reads_as(text: bytes, number: float) -> bool:
    """Whether a number as it is written is this one."""
    try:
        return float(text) == number
    except ValueError:
        return False


def number_text(value: float) -> str:
    """The shortest decimal that reads as the same binary64; whole numbers without a point, no negative zero."""
    if value == 0:
        return "0"
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text


def escape_text(text: str) -> str:
    """Text for ``<v>`` or ``<t>``: XML's entities, and ``_x0001_`` for what XML cannot hold."""
    text = _ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
