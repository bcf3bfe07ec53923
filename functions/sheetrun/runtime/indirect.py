"""Text as a reference, as INDIRECT reads it: A1 and R1C1, sheets, defined names, tables, spilled ranges.

Source: Microsoft, "INDIRECT function". What cannot be read, or lies in another workbook, is #REF!.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sheetrun.runtime import pool
from sheetrun.runtime.address import MAX_COLUMNS, MAX_ROWS, Span, column_number
from sheetrun.runtime.errors import REF, Raised
from sheetrun.runtime.refops import spilled
from sheetrun.runtime.refs import Ref

if TYPE_CHECKING:
    from sheetrun.runtime.book import Book
    from sheetrun.runtime.names import Tables

_CELL: Final = r"\$?([A-Za-z]{1,3})\$?0*([1-9]\d{0,6})"
_AREA: Final = re.compile(rf"{_CELL}(?:\s*:\s*{_CELL})?\Z")
_COLUMNS: Final = re.compile(r"\$?([A-Za-z]{1,3})\s*:\s*\$?([A-Za-z]{1,3})\Z")
_ROWS: Final = re.compile(r"\$?0*([1-9]\d{0,6})\s*:\s*\$?0*([1-9]\d{0,6})\Z")
_R1C1: Final = re.compile(r"(?:R(\[-?\d+\]|\d*))?(?:C(\[-?\d+\]|\d*))?\Z", re.IGNORECASE)
_TABLE: Final = re.compile(r"([^\[\]]+)\[(.*)\]\Z", re.DOTALL)
_SPECIALS: Final = {"#all", "#data", "#headers", "#totals", "#this row"}


def reference_of(text: str, host: Ref, a1: bool) -> Ref:
    """The reference that a text stands for, seen from the cell ``host``. Raises #REF!."""
    text = text.strip()
    book = host.book
    sheet_name, body = _split_sheet(text)
    sheet = host.sheet if sheet_name is None else book.sheet(sheet_name)
    if sheet is None or not body:
        raise Raised(REF)
    sheet = book.sheets[sheet.index]
    if body.endswith("#"):
        anchor = _span_a1(body[:-1])
        found = spilled(Ref(book.live(sheet.index), anchor)) if anchor else REF
        if not isinstance(found, Ref):
            raise Raised(REF)
        return Ref(sheet, found.span)
    span = _span_a1(body) if a1 else _span_r1c1(body, host.span)
    if span is not None:
        if not span.inside():
            raise Raised(REF)
        return Ref(sheet, span)
    return _named(body, sheet_name, host)


def _split_sheet(text: str) -> tuple[str | None, str]:
    """(sheet, the rest); a name in quotes is unquoted. Other workbooks and 3-D references are #REF!."""
    if text.startswith("'"):
        match = re.match(r"'((?:[^']|'')+)'!(.*)\Z", text, re.DOTALL)
        if match is None or "[" in match[1]:
            raise Raised(REF)
        return match[1].replace("''", "'"), match[2].strip()
    name, mark, body = text.partition("!")
    if not mark:
        return None, text
    if "[" in name or ":" in name:
        raise Raised(REF)
    return name, body.strip()


def _span_a1(body: str) -> Span | None:
    if match := _AREA.match(body):
        left, top = column_number(match[1]), int(match[2])
        right, bottom = (left, top) if match[3] is None else (column_number(match[3]), int(match[4]))
        if max(left, right) > MAX_COLUMNS:
            return None
        return Span(min(top, bottom), min(left, right), max(top, bottom), max(left, right))
    if match := _COLUMNS.match(body):
        first, last = sorted((column_number(match[1]), column_number(match[2])))
        return Span(1, first, MAX_ROWS, last)
    if match := _ROWS.match(body):
        first, last = sorted((int(match[1]), int(match[2])))
        return Span(first, 1, last, MAX_COLUMNS)
    return None


def _span_r1c1(body: str, host: Span) -> Span | None:
    corners = [_corner(part.strip(), host) for part in body.split(":")]
    if len(corners) > 2 or any(c is None for c in corners):
        return None
    spans = [c for c in corners if c is not None]
    return Span.around(spans)


def _corner(text: str, host: Span) -> Span | None:
    match = _R1C1.match(text)
    if match is None or not text:
        return None
    row, col = match[1], match[2]
    top, bottom = (1, MAX_ROWS) if row is None else (_axis(row, host.top),) * 2
    left, right = (1, MAX_COLUMNS) if col is None else (_axis(col, host.left),) * 2
    return Span(top, left, bottom, right)


def _axis(text: str, host: int) -> int:
    if not text:
        return host
    return host + int(text[1:-1]) if text[0] == "[" else int(text)


def _named(body: str, sheet_name: str | None, host: Ref) -> Ref:
    """A defined name (of the sheet first, then of the workbook) or a table."""
    book = host.book
    folded = pool.fold(body)
    scope = pool.fold(sheet_name if sheet_name is not None else host.sheet.name)
    named = book.names.get(f"{scope}!{folded}") or book.names.get(folded)
    if named is not None:
        return Ref(book.sheets[named.sheet], named.span)
    if table := book.tables.get(folded):
        return Ref(book.sheets[table.sheet], _rows_of(table, ("#data",), table.span.left, table.span.right, host))
    match = _TABLE.match(body)
    found = book.tables.get(pool.fold(match[1].strip())) if match else None
    if match is None or found is None:
        raise Raised(REF)
    return _structured(book, found, match[2].strip(), host)


def _structured(book: Book, table: Tables, inner: str, host: Ref) -> Ref:
    """``Table[…]``: specials and columns inside the brackets."""
    items: list[str] = []
    columns: list[str] = []
    if inner.startswith("@"):
        items.append("#this row")
        inner = inner[1:]
    if "[" in inner:
        for part in re.findall(r"\[((?:[^\[\]']|'.)*)\]", inner):
            (items if part.lower() in _SPECIALS else columns).append(part)
    elif inner.lower() in _SPECIALS:
        items.append(inner)
    elif inner:
        columns.append(inner)
    names = {pool.fold(c): i for i, c in enumerate(table.columns)}
    left, right = table.span.left, table.span.right
    if columns:
        places = [names.get(pool.fold(re.sub(r"'(.)", r"\1", c))) for c in columns]
        if any(p is None for p in places) or len(places) > 2:
            raise Raised(REF)
        known = [p for p in places if p is not None]
        left, right = table.span.left + min(known), table.span.left + max(known)
    span = _rows_of(table, tuple(i.lower() for i in items) or ("#data",), left, right, host)
    return Ref(book.sheets[table.sheet], span)


def _rows_of(table: Tables, items: tuple[str, ...], left: int, right: int, host: Ref) -> Span:
    top, bottom = table.span.top, table.span.bottom
    first, last = top + table.header_rows, bottom - table.totals_rows
    parts: list[tuple[int, int]] = []
    for item in items:
        if item == "#all":
            parts.append((top, bottom))
        elif item == "#headers" and table.header_rows:
            parts.append((top, first - 1))
        elif item == "#totals" and table.totals_rows:
            parts.append((last + 1, bottom))
        elif item == "#data":
            parts.append((first, last))
        elif item == "#this row" and host.sheet.index == table.sheet and first <= host.span.top <= last:
            parts.append((host.span.top, host.span.top))
        else:
            raise Raised(REF)
    return Span(min(p[0] for p in parts), left, max(p[1] for p in parts), right)
