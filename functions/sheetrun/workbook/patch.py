"""Edits the XML of one sheet in place: finds cells by their bytes, replaces ``<v>`` and ``t``, copies all the rest.

Comments, CDATA and processing instructions are blanked out in a copy of the same length that is searched; what is
written is cut from the original.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from sheetrun.runtime.cells import EMPTY, NUMBER, Numbers, Tags
from sheetrun.workbook.cellxml import CellXml, number_text, reads_as
from sheetrun.workbook.clusters import Indices
from sheetrun.workbook.errors import DamagedWorkbook
from sheetrun.workbook.model import MAX_COLUMNS, Rect
from sheetrun.workbook.references import cell_name, parse_rect
from sheetrun.workbook.sheettags import attribute, column_of, column_styles, with_spans, with_type, without

_HIDDEN = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
_DATA = re.compile(rb"<(?P<prefix>(?:[\w.-]+:)?)sheetData\b[^<>]*?(?P<empty>/?)>")
_ENCODING = re.compile(rb"""\A<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)["']""")


class Changes:
    """New values of one sheet's cells, sorted by (row, column), each cell once. Parallel arrays."""

    def __init__(self, row: Indices, col: Indices, num: Numbers, tag: Tags, strings: Sequence[str]) -> None:
        self.col: list[int] = col.tolist()
        self.num: list[float] = num.tolist()
        self.tag: list[int] = tag.tolist()
        self.strings = strings
        rows, starts = np.unique(row, return_index=True)
        ends = [*starts[1:].tolist(), len(row)]
        self.rows: list[int] = rows.tolist()
        self.spans = {r: (s, e) for r, s, e in zip(self.rows, starts.tolist(), ends, strict=True)}


def patch_sheet(
    xml: bytes, changes: Changes, shared: Sequence[str], part: str, rich_errors: Mapping[int, float] | None = None
) -> bytes:
    """The sheet's XML with the changes. ``rich_errors``: the error that a ``vm`` stands for (see ``richvalues``).

    Raises DamagedWorkbook when its cells cannot be found."""
    if xml.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16-le" if xml.startswith(b"\xff\xfe") else "utf-16-be"
        patched = patch_sheet(xml[2:].decode(encoding).encode("utf-8"), changes, shared, part, rich_errors)
        return xml[:2] + patched.decode("utf-8").encode(encoding)
    searched = _HIDDEN.sub(lambda match: b" " * len(match[0]), xml) if _HIDDEN.search(xml, 5) else xml
    data = _DATA.search(searched)
    if data is None:
        raise DamagedWorkbook("The part has no cells.", part=part, code="bad_xml")
    declared = _ENCODING.match(xml)
    ascii_only = declared is not None and declared[1].lower() not in (b"utf-8", b"utf-16")
    cells = CellXml(data["prefix"], changes.strings, shared, rich_errors or {}, ascii_only=ascii_only)
    patcher = _Patcher(xml, searched, data["prefix"], changes, cells)
    if data["empty"]:
        rows = patcher.new_rows(len(changes.rows))
        if not rows:
            return xml
        opening = xml[data.start() : data.end()].replace(b"/>", b">")
        return xml[: data.start()] + opening + rows + b"</" + data["prefix"] + b"sheetData>" + xml[data.end() :]
    end = searched.find(b"</" + data["prefix"] + b"sheetData", data.end())
    if end < 0:
        raise DamagedWorkbook("The part is cut off.", part=part, code="bad_xml")
    try:
        return b"".join([xml[: data.end()], *patcher.rows(data.end(), end), xml[end:]])
    except ValueError as error:
        raise DamagedWorkbook(f"{error}.", part=part, code="bad_reference") from None


class _Patcher:
    """Walks the rows of one sheet beside the changes."""

    def __init__(
        self,
        xml: bytes,
        searched: bytes,
        prefix: bytes,
        changes: Changes,
        cells: CellXml,
    ) -> None:
        self._xml = xml
        self._searched = searched
        self._prefix = prefix
        self._changes = changes
        self._cells = cells
        self._plain = searched is xml and not prefix
        self._next = 0  # index into changes.rows: those before it are written
        self._areas: list[Rect] = []  # array formulas and data tables met so far: their cells hold results
        self._column_styles = column_styles(searched, prefix)
        p = re.escape(prefix)
        self._row = re.compile(rb"<%brow((?:\s[^<>]*?)?)(/?)>" % p)
        self._row_end = b"</" + prefix + b"row"
        self._cell = re.compile(rb"<%bc((?:\s[^<>]*?)?)(?:/>|>(.*?)</%bc\s*>)" % (p, p), re.DOTALL)
        self._formula = re.compile(rb"<%bf(?:\s[^<>]*?)?(?:/>|>[^<]*</%bf\s*>)" % (p, p))
        # A formula cell as Excel writes it, to read it in one step; any other goes the long way.
        self._usual = re.compile(
            rb'((?: s="[0-9]+")?)(?: t="(str|b|e|n)")?((?: cm="[0-9]+")?)>(<f>[^<]*</f>|<f t="shared" si="[0-9]+"/>)'
            rb"<v>([^<]*)</v></c>"
        )
        self._value = re.compile(
            rb"<%bv(?:\s[^<>]*?)?(?:/>|>([^<]*)</%bv\s*>)|<%bis(?:\s[^<>]*?)?(?:/>|>.*?</%bis\s*>)" % (p, p, p, p),
            re.DOTALL,
        )

    def rows(self, start: int, end: int) -> list[bytes]:
        """The content of ``<sheetData>``, patched."""
        out: list[bytes] = []
        at = start
        row = -1
        while True:
            head = self._row.search(self._searched, at, end)
            if head is None:
                break
            number = attribute(head[1], b"r")
            row = int(number) - 1 if number else row + 1
            out.append(self._xml[at : head.start()])
            out.append(self.new_rows(self._until(row)))
            close = head.end() if head[2] else self._searched.find(self._row_end, head.end(), end)
            if close < 0:
                raise ValueError("a row has no end")
            at = close if head[2] else self._searched.index(b">", close) + 1
            span = self._changes.spans.get(row)
            if span is None:
                out.append(self._xml[head.start() : at])
                self._note_areas(head.end(), close)
            else:
                self._next += 1
                out.append(self._patch_row(row, head, close, at, span))
        out.append(self._xml[at:end])
        out.append(self.new_rows(len(self._changes.rows)))
        return out

    def new_rows(self, until: int) -> bytes:
        """Rows that the file does not have, for changes up to index ``until``."""
        out = []
        for row in self._changes.rows[self._next : until]:
            cells = self._new_cells(row, *self._changes.spans[row], b"")
            if cells:
                out.append(b'<%brow r="%d">%b</%brow>' % (self._prefix, row + 1, cells, self._prefix))
        self._next = max(self._next, until)
        return b"".join(out)

    def _until(self, row: int) -> int:
        index = self._next
        rows = self._changes.rows
        while index < len(rows) and rows[index] < row:
            index += 1
        return index

    def _note_areas(self, start: int, end: int) -> None:
        if self._searched.find(b'ref="', start, end) >= 0:
            for match in self._formula.finditer(self._searched, start, end):
                self._note_area(match[0])

    def _note_area(self, formula: bytes) -> None:
        opening = formula[: formula.index(b">")]
        reference = attribute(opening, b"ref")
        if reference and attribute(opening, b"t") in (b"array", b"dataTable"):
            rect = parse_rect(reference.decode("ascii"))
            if rect.size > 1:
                self._areas.append(rect)

    def _patch_row(self, row: int, head: re.Match[bytes], close: int, after: int, span: tuple[int, int]) -> bytes:
        out: list[bytes] = []
        index, stop = span
        cols = self._changes.col
        at = head.end()
        col = -1
        style = attribute(head[1], b"s") if attribute(head[1], b"customFormat") in (b"1", b"true") else None
        leftmost, rightmost = MAX_COLUMNS, -1
        while at < close:
            cell = self._cell.search(self._searched, at, close)
            if cell is None:
                break
            col = column_of(cell[1], col)
            out.append(self._xml[at : cell.start()])
            first = index
            while index < stop and cols[index] < col:
                index += 1
            new = self._new_cells(row, first, index, style or b"") if first < index else b""
            if new:
                leftmost, rightmost = min(leftmost, cols[first]), max(rightmost, cols[index - 1])
                out.append(new)
            if index < stop and cols[index] == col:
                out.append(self._patch_cell(row, col, cell, index))
                index += 1
            else:
                out.append(self._xml[cell.start() : cell.end()])
                if cell[2] and b'ref="' in cell[2]:
                    self._note_areas(cell.start(2), cell.end(2))
            at = cell.end()
        out.append(self._xml[at:close])
        new = self._new_cells(row, index, stop, style or b"")
        if new:
            leftmost = min(leftmost, cols[index])
            rightmost = max(rightmost, cols[stop - 1])
            out.append(new)
        opening = self._xml[head.start() : head.end()]
        if rightmost >= 0:
            opening = with_spans(opening, leftmost, rightmost)
        if not head[2]:
            return opening + b"".join(out) + self._xml[close:after]
        content = b"".join(out)
        if not content:
            return opening
        return opening.replace(b"/>", b">") + content + b"</" + self._prefix + b"row>"

    def _new_cells(self, row: int, first: int, stop: int, row_style: bytes) -> bytes:
        out = []
        for index in range(first, stop):
            if self._changes.tag[index] == EMPTY:
                continue
            col = self._changes.col[index]
            kind, body = self._written(index, result=self._is_result(row, col))
            style = row_style or self._column_styles.get(col, b"")
            attributes = b' r="%b"' % cell_name(row, col).encode("ascii")
            attributes += b' s="%b"' % style if style else b""
            attributes += b' t="%b"' % kind if kind != b"n" else b""
            out.append(b"<%bc%b>%b</%bc>" % (self._prefix, attributes, body, self._prefix))
        return b"".join(out)

    def _patch_cell(self, row: int, col: int, cell: re.Match[bytes], index: int) -> bytes:
        if self._plain and self._changes.tag[index] == NUMBER:
            usual = self._usual.fullmatch(self._searched, cell.start() + cell[0].find(b'"', 6) + 1, cell.end())
            number = self._changes.num[index]
            if usual is not None and number == number:
                if usual[2] in (None, b"n") and reads_as(usual[5], number):
                    return cell[0]
                text = number_text(number).encode("ascii")
                style, metadata, formula_xml = usual.group(1, 3, 4)
                return b"%b%b%b>%b<v>%b</v></c>" % (
                    self._xml[cell.start() : usual.start()], style, metadata, formula_xml, text
                )  # fmt: skip
        original = self._xml[cell.start() : cell.end()]
        body_at, body_end = cell.span(2) if cell[2] is not None else (cell.end(), cell.end())
        formula = self._formula.search(self._searched, body_at, body_end)
        if formula is not None:
            self._note_area(formula[0])
        value = self._value.search(self._searched, formula.end() if formula else body_at, body_end)
        kind = attribute(cell[1], b"t") or b"n"
        rich = attribute(cell[1], b"vm")
        if self._same(index, kind, value, rich):
            return original
        if self._changes.tag[index] == EMPTY:
            new_kind, new_value = b"n", b""
        else:
            new_kind, new_value = self._written(index, result=formula is not None or self._is_result(row, col))
        attributes = with_type(cell[1], new_kind)
        if rich is not None:  # it tells of the old value
            attributes = without(attributes, b"vm")
        if value is not None:
            body = self._xml[body_at : value.start()] + new_value + self._xml[value.end() : body_end]
        elif formula is not None:
            body = self._xml[body_at : formula.end()] + new_value + self._xml[formula.end() : body_end]
        else:
            body = new_value + self._xml[body_at:body_end]
        if not body:
            return b"<%bc%b/>" % (self._prefix, attributes)
        return b"<%bc%b>%b</%bc>" % (self._prefix, attributes, body, self._prefix)

    def _is_result(self, row: int, col: int) -> bool:
        """Whether a cell without a formula holds a part of an array formula's result."""
        return any(area.contains(row, col) for area in self._areas)

    def _same(self, index: int, kind: bytes, value: re.Match[bytes] | None, rich: bytes | None) -> bool:
        """Whether the cell already has its new value."""
        tag, number = self._changes.tag[index], self._changes.num[index]
        if value is None:
            return tag == EMPTY
        return self._cells.holds(kind, self._xml[value.start() : value.end()], value[1], rich, tag, number)

    def _written(self, index: int, *, result: bool) -> tuple[bytes, bytes]:
        return self._cells.written(self._changes.tag[index], self._changes.num[index], result=result)
