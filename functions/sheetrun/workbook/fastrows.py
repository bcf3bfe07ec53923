"""Reads rows of the usual shapes from their bytes, several times as fast as through expat, with the same result.

Two steps down from "regular" to "anything":

1. A row that is the row above with other numbers is *predicted*: the text of the next row without its values is known
   beforehand, so one comparison reads all its cells and formulas, and only the values are left to convert.
2. Any other row whose cells look as Excel, XlsxWriter or openpyxl write them goes through one regular expression.
3. Whatever is left (no ``r``, prefixes, comments, odd order of attributes …) goes to expat, row by row.

Nothing is guessed: a row is read here only when every byte of it is accounted for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from sheetrun.runtime.cells import EMPTY
from sheetrun.workbook.columns import convert
from sheetrun.workbook.gather import Gatherer
from sheetrun.workbook.model import MAX_ROWS
from sheetrun.workbook.plaincells import formula_attributes, plain_cells
from sheetrun.workbook.references import column_index
from sheetrun.workbook.rowshape import CELL, ROW, Cell, Place, RowShape, make_shape
from sheetrun.workbook.sheetparser import SheetParser
from sheetrun.workbook.strings import xml_text
from sheetrun.workbook.values import unescape

_DATA = b"<sheetData>"
_DATA_END = b"</sheetData>"
_ROW_END = b"</row>"
_OTHER_ENCODING = re.compile(rb"""\A(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["'](?!(?:UTF|utf)-8["'])""")
_HIDDEN = re.compile(rb' hidden="(?:1|true)"')
_CELL_METADATA = re.compile(rb' cm="([0-9]+)"')
_VALUE_METADATA = re.compile(rb' vm="([0-9]+)"')
_HEAD_LIMIT = 8 << 20
_ROW_LIMIT = 32 << 20  # a row without an end must not be searched again and again

_COLUMNS: dict[bytes, int] = {}

#: The shape of a row of plain cells: columns, styles, types, formulas' numbers.
_Plain: TypeAlias = tuple[list[int], list[int], list[str], list[int]]


class FastRows:
    """Stands between the part's pieces and a ``SheetParser``; both fill the same ``Gatherer``."""

    def __init__(self, parser: SheetParser, gatherer: Gatherer) -> None:
        self._parser = parser
        self._gatherer = gatherer
        self._buffer = b""
        self._feed: Callable[[bytes], None] = self._feed_head
        self._above: list[Place] | _Plain | None = None  # shape of the row above, None when it was not simple
        self._shape: RowShape | None = None
        self._marked = False  #: a comment, CDATA or processing instruction was seen: the rest may hold anything
        self._cooldown = 0
        self._penalty = 1

    def feed(self, chunk: bytes) -> None:
        """Raises DamagedWorkbook, LimitExceeded."""
        self._feed(chunk)

    def close(self) -> None:
        """After the last piece."""
        self._parser.feed(self._buffer)
        self._buffer = b""
        self._parser.close()

    def _feed_head(self, chunk: bytes) -> None:
        """Up to ``<sheetData>``: expat reads it, and says whether it takes that tag for what it looks like."""
        self._buffer += chunk
        at = self._buffer.find(_DATA)
        if at < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                self._leave()
            return
        head, self._buffer = self._buffer[: at + len(_DATA)], self._buffer[at + len(_DATA) :]
        self._parser.feed(head)
        if not self._parser.in_data or head.startswith((b"\xff\xfe", b"\xfe\xff")) or _OTHER_ENCODING.match(head):
            self._leave()
            return
        self._feed = self._feed_rows
        self._feed_rows(b"")

    def _leave(self) -> None:
        """From here on everything goes to expat."""
        self._feed = self._parser.feed
        rest, self._buffer = self._buffer, b""
        self._parser.feed(rest)

    def _feed_rows(self, chunk: bytes) -> None:
        buffer = self._buffer + chunk if self._buffer else chunk
        end = buffer.find(_DATA_END)
        if end < 0:
            end = buffer.rfind(_ROW_END)
            end = end + len(_ROW_END) if end >= 0 else 0
            self._buffer = buffer[end:]
            self._rows(buffer[:end])
            if self._marked or len(self._buffer) > _ROW_LIMIT:
                self._leave()
            return
        self._buffer = buffer[end:]
        self._rows(buffer[:end])
        self._leave()

    def _rows(self, region: bytes) -> None:
        """Whole rows, each up to its ``</row>``, and perhaps empty ones at the end."""
        if not region:
            return
        if b"\r" in region:
            self._slow(region)
            return
        rows = region.split(_ROW_END)
        rest = rows.pop()
        index = 0
        while index < len(rows) and not self._marked:
            if self._shape is not None:
                count = self._predicted(self._shape, rows, index)
                index += count
                if count < 4:
                    self._penalty = min(2 * self._penalty, 64)
                    self._cooldown = self._penalty
                else:
                    self._penalty = 1
                if index == len(rows):
                    break
                self._shape = None
                self._above = None
            if not self._simple(rows[index]):
                self._slow(rows[index] + _ROW_END)
            index += 1
        left = b"".join(row + _ROW_END for row in rows[index:]) + rest
        if left:
            self._slow(left)

    def _slow(self, xml: bytes) -> None:
        self._above = self._shape = None
        self._marked = self._marked or b"<!" in xml or b"<?" in xml
        self._parser.feed(xml)

    def _simple(self, row: bytes) -> bool:
        """Reads one row by regular expression; False when it has another shape."""
        head = ROW.match(row)
        while head is not None and head[2].endswith(b"/"):
            if not self._open_row(head):
                return False
            row = row[head.end() :]  # an empty row before this one
            head = ROW.match(row)
        if head is None:
            return False
        number = head[1]
        cells: list[Cell] = []
        at = head.end()
        for match in CELL.finditer(row, at):
            if match.start() != at:
                return False
            cells.append(match.groups())
            at = match.end()
        if at != len(row) or any(cell[1] != number for cell in cells):
            return False
        plain = plain_cells(cells)
        texts: list[tuple[str | None, str | None]] = []
        if plain is None:
            try:
                texts = [_decode(cell) for cell in cells]
            except ValueError:
                return False
        if not self._open_row(head):
            return False
        shape: list[Place] | _Plain | None
        if plain is None:
            shape = self._cells(int(number) - 1, cells, texts)
        else:
            shape = plain.cols, plain.styles, plain.kinds, self._gatherer.row(int(number) - 1, plain)
        if self._cooldown > 0:
            self._cooldown -= 1
        elif shape is not None and shape == self._above:
            self._shape = make_shape(row, int(number), _places(shape), self._gatherer.formulas)
        self._above = shape
        return True

    def _open_row(self, head: re.Match[bytes]) -> bool:
        number = int(head[1])
        if not 1 <= number <= MAX_ROWS:
            return False
        self._parser.row = number - 1
        if _HIDDEN.search(head[2]):
            self._parser.outline.hidden_rows.add(number - 1)
        return True

    def _cells(self, row: int, cells: list[Cell], texts: list[tuple[str | None, str | None]]) -> list[Place] | None:
        """Files the cells; the row's shape, or None when one of its cells cannot be predicted."""
        add = self._gatherer.cell
        shape: list[Place] | None = []
        for cell, (formula, value) in zip(cells, texts, strict=True):
            letters, _, style, kind, metadata, attributes, _, plain, _, empty, inline = cell
            col = _column(letters or b"")
            kind_text = kind.decode("ascii") if kind else "n"
            found: tuple[str, dict[str, str]] | None = None
            if formula is not None or attributes is not None:
                found = (formula or "", formula_attributes(attributes) if attributes else {})
            style_number = int(style or 0)
            value_metadata = _number_of(_VALUE_METADATA, metadata)
            key = add(
                row, col, style_number, kind_text, value, found, _number_of(_CELL_METADATA, metadata), value_metadata
            )
            is_rich = value_metadata > 0 and kind_text == "e"  # what it stands for is not in its text
            is_inline = inline is not None and kind_text == "inlineStr"
            if key is None or is_rich or (value is not None and plain is None and empty is None and not is_inline):
                shape = None
            elif shape is not None and (value is not None or key >= 0):
                fixed = EMPTY
                if empty is not None and kind_text in ("str", "inlineStr"):
                    fixed = self._gatherer.value(row, col, kind_text, "")[1]
                elif empty is not None and key < 0:
                    continue  # an empty <v> of a constant is no cell at all
                has_value = plain is not None or is_inline
                shape.append(Place(col, style_number, kind_text, metadata, key, has_value, fixed, is_inline))
        return shape or None

    def _predicted(self, shape: RowShape, rows: list[bytes], index: int) -> int:
        """Reads rows as long as they are what the shape predicts; how many."""
        begun = index
        for columns in shape.read(rows, index):
            count = len(columns[0])
            top = shape.number - count  # 0-based
            converted = convert(shape, columns, self._gatherer, top)
            if converted is None:  # a value that needs a closer look
                self._slow(b"".join(row + _ROW_END for row in rows[index : index + count]))
                return index + count - begun
            self._gatherer.region(top, shape.cols, shape.styles, shape.keys, *converted)
            self._parser.row = shape.number - 1
            if shape.hidden:
                self._parser.outline.hidden_rows.update(range(top, shape.number))
            index += count
        return index - begun


def _places(shape: list[Place] | _Plain) -> list[Place]:
    if isinstance(shape, list):
        return shape
    return [
        Place(col, style, kind, b"", key, has_value=True, fixed=EMPTY)
        for col, style, kind, key in zip(*shape, strict=True)
    ]


def _decode(cell: Cell) -> tuple[str | None, str | None]:
    """The formula and the value of a matched cell. Raises ValueError."""
    formula, *values, inline = cell[6:]
    text = None if formula is None else xml_text(formula)
    if inline is not None:
        return text, unescape(xml_text(inline))
    value = next((raw for raw in values if raw is not None), None)
    return text, None if value is None else xml_text(value)


def _column(letters: bytes) -> int:
    col = _COLUMNS.get(letters)
    if col is None:
        col = _COLUMNS[letters] = column_index(letters.decode("ascii"))
    return col


def _number_of(name: re.Pattern[bytes], attributes: bytes | None) -> int:
    if not attributes:
        return 0
    match = name.search(attributes)
    return int(match[1]) if match else 0
