"""Reads one worksheet part: streams its XML through expat into a ``Gatherer``, and what is said about rows and columns.

This is the reader that is right for any XML. ``fastrows`` reads the usual shapes of rows from the bytes, and gives
everything else to this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sheetrun.workbook.errors import DamagedWorkbook
from sheetrun.workbook.gather import Context, Gatherer
from sheetrun.workbook.markup import Attributes, Names, create_parser, feed, is_true, local_attributes
from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, Rect, Sheet
from sheetrun.workbook.references import parse_cell, parse_rect
from sheetrun.workbook.strings import RichText

#: Widths and hidden flags of columns far right of the data are of no use, and there may be 16,384 of them.
_COLUMNS_KEPT_BESIDE_DATA = 256


@dataclass(slots=True)
class Outline:
    """What the part says around the cells."""

    hidden_rows: set[int] = field(default_factory=set)
    columns: list[tuple[int, int, float | None, bool]] = field(default_factory=list)  #: first, last, width, hidden
    filter_mode: bool = False
    filters: list[Rect] = field(default_factory=list)  #: ranges of autofilters that have criteria


class SheetParser:
    """Takes the part piece by piece. ``rows`` may also be fed by someone else between two pieces (see ``fastrows``)."""

    def __init__(self, part: str, gatherer: Gatherer) -> None:
        self.part = part
        self.gatherer = gatherer
        self.outline = Outline()
        self.row = -1  #: the row that was read last, 0-based
        self.in_data = False  #: between <sheetData> and its end
        self._col = -1
        self._names = Names()
        self._parser = create_parser(part)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._pieces: list[str] = []
        self._collect = False
        self._cell: Attributes | None = None
        self._formula: tuple[str, Attributes] | None = None
        self._formula_attributes: Attributes = {}
        self._value: str | None = None
        self._rich: RichText | None = None
        self._filter: str | None = None
        self._in_row = False

    def feed(self, chunk: bytes, final: bool = False) -> None:
        """Raises DamagedWorkbook, LimitExceeded."""
        feed(self._parser, chunk, self.part, final)

    def _start(self, raw: str, attributes: Attributes) -> None:
        name = self._names[raw]
        if self.in_data:
            if name == "c" and self._in_row:
                self._start_cell(attributes)
            elif self._cell is not None:
                self._start_inside_cell(name, attributes)
            elif name == "row":
                self._start_row(attributes)
        elif name == "sheetData":
            self.in_data = True
        else:
            self._start_outside(name, local_attributes(attributes, self._names))

    def _start_row(self, attributes: Attributes) -> None:
        number = attributes.get("r")
        if number is None:
            self.row += 1
        elif not number.strip().isdigit() or not 1 <= int(number) <= MAX_ROWS:
            raise DamagedWorkbook(f"{number[:20]!r} is no row of a sheet.", part=self.part, code="bad_reference")
        else:
            self.row = int(number) - 1
        self._col = -1
        self._in_row = True
        if is_true(attributes.get("hidden")):
            self.outline.hidden_rows.add(self.row)

    def _start_cell(self, attributes: Attributes) -> None:
        if self._cell is not None:
            raise DamagedWorkbook("A cell is inside of another cell.", part=self.part, code="bad_xml")
        reference = attributes.get("r")
        if reference is None:
            self._col += 1
        else:
            try:
                row, self._col = parse_cell(reference)
            except ValueError as error:
                raise DamagedWorkbook(f"{error}.", part=self.part, code="bad_reference") from None
            if row != self.row:
                raise DamagedWorkbook(
                    f"The cell {reference} is in row {self.row + 1}.", part=self.part, code="bad_reference"
                )
        self._cell = attributes
        self._formula = None
        self._value = None

    def _start_inside_cell(self, name: str, attributes: Attributes) -> None:
        if self._rich is not None:
            self._rich.start(name)
        elif name == "v":
            self._pieces.clear()
            self._collect = True
        elif name == "f":
            self._pieces.clear()
            self._collect = True
            self._formula_attributes = attributes
        elif name == "is":
            self._rich = RichText()

    def _text(self, data: str) -> None:
        if self._collect:
            self._pieces.append(data)
        elif self._rich is not None:
            self._rich.text(data)

    def _end(self, raw: str) -> None:
        if not self.in_data:
            return
        name = self._names[raw]
        if self._cell is not None:
            if name == "v" and self._collect:
                self._value = "".join(self._pieces)
                self._collect = False
            elif name == "f" and self._collect:
                self._formula = ("".join(self._pieces), self._formula_attributes)
                self._collect = False
            elif name == "is" and self._rich is not None:
                self._value = self._rich.take()
                self._rich = None
            elif self._rich is not None:
                self._rich.end(name)
            elif name == "c":
                self._end_cell(self._cell)
        elif name == "row":
            self._in_row = False
        elif name == "sheetData":
            self.in_data = False

    def _end_cell(self, attributes: Attributes) -> None:
        self._cell = None
        self.gatherer.cell(
            self.row,
            self._col,
            _integer(attributes.get("s")),
            attributes.get("t", "n"),
            self._value,
            self._formula,
            _integer(attributes.get("cm")),
        )

    def _start_outside(self, name: str, attributes: Attributes) -> None:
        try:
            if name == "sheetPr":
                self.outline.filter_mode = is_true(attributes.get("filterMode"))
            elif name == "col":
                self._column(attributes)
            elif name == "autoFilter":
                self._filter = attributes.get("ref")
            elif name == "filterColumn" and self._filter:
                self.outline.filters.append(parse_rect(self._filter))
                self._filter = None
        except ValueError as error:
            raise DamagedWorkbook(f"{error}.", part=self.part, code="bad_reference") from None

    def _column(self, attributes: Attributes) -> None:
        first, last = int(attributes.get("min", "1")) - 1, int(attributes.get("max", "1")) - 1
        if not 0 <= first <= last < MAX_COLUMNS:
            raise ValueError(f"columns {first + 1} to {last + 1} are not columns of a sheet")
        width = float(attributes["width"]) if "width" in attributes else None
        self.outline.columns.append((first, last, width, is_true(attributes.get("hidden"))))


def read_sheet(
    name: str,
    part: str,
    chunks: Iterable[bytes],
    context: Context,
    *,
    visible: bool = True,
    table_filters: Iterable[Rect] = (),
    fast: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Sheet:
    """One worksheet. ``progress`` gets the number of bytes of each piece. Raises DamagedWorkbook, LimitExceeded."""
    gatherer = Gatherer(name, context)
    parser = SheetParser(part, gatherer)
    for chunk in chunks:
        parser.feed(chunk)
        gatherer.check_size()
        if progress is not None:
            progress(len(chunk))
    parser.feed(b"", final=True)
    return finish_sheet(name, gatherer, parser.outline, visible=visible, table_filters=table_filters)


def finish_sheet(
    name: str, gatherer: Gatherer, outline: Outline, *, visible: bool, table_filters: Iterable[Rect]
) -> Sheet:
    grids = gatherer.finish_grids()
    filters = [*outline.filters, *table_filters]
    hidden = frozenset(outline.hidden_rows)
    # A filter hides rows under its header; an advanced filter leaves no <autoFilter>, only filterMode.
    filtered = frozenset(row for row in hidden if any(f.top < row <= f.bottom for f in filters))
    if outline.filter_mode and not filters:
        filtered = hidden
    widest = max((grid.rect.right for grid in grids), default=0) + _COLUMNS_KEPT_BESIDE_DATA
    widths: dict[int, float] = {}
    hidden_columns: set[int] = set()
    for first, last, width, is_hidden in outline.columns:
        kept = range(first, min(last, widest) + 1)
        if width is not None:
            widths.update(dict.fromkeys(kept, width))
        if is_hidden:
            hidden_columns.update(kept)
    return Sheet(
        name=name,
        visible=visible,
        grids=grids,
        blocks=gatherer.finish_blocks(),
        uncached=gatherer.finish_uncached(),
        hidden_rows=hidden,
        filtered=bool(filters) or outline.filter_mode,
        filtered_rows=filtered,
        hidden_columns=frozenset(hidden_columns),
        column_widths=widths,
        formats=gatherer.finish_formats(),
    )


def _integer(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
