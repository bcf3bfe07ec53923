"""Reads the XML of one worksheet with expat: cells into a ``Gatherer``, and what is said about rows and columns.

This is the reader that is right for any XML. ``fastrows`` reads the usual shapes of rows from the bytes, and gives
everything else to this one.
"""

from __future__ import annotations

from dataclasses import field

from sheetrun.records import dataclass
from sheetrun.workbook.errors import DamagedWorkbook
from sheetrun.workbook.gather import Gatherer
from sheetrun.workbook.markup import Attributes, Feeder, Names, is_true, local_attributes, whole_number
from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, Rect
from sheetrun.workbook.references import parse_cell, parse_rect
from sheetrun.workbook.strings import RichText
from sheetrun.workbook.validations import ValidationReader


@dataclass(slots=True)
class Outline:
    """What the part says around the cells."""

    hidden_rows: set[int] = field(default_factory=set)
    columns: list[tuple[int, int, float | None, bool]] = field(default_factory=list)  #: first, last, width, hidden
    filter_mode: bool = False
    filter: Rect | None = None  #: the range of the autofilter, when it has criteria
    validations: ValidationReader = field(default_factory=ValidationReader)


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
        self._feeder = Feeder(part)
        self._feeder.expat.StartElementHandler = self._start
        self._feeder.expat.EndElementHandler = self._end
        self._feeder.expat.CharacterDataHandler = self._text
        self._pieces: list[str] = []
        self._collect = False
        self._cell: Attributes | None = None
        self._formula: tuple[str, Attributes] | None = None
        self._formula_attributes: Attributes = {}
        self._value: str | None = None
        self._rich: RichText | None = None
        self._filter: str | None = None
        self._in_row = False

    def feed(self, chunk: bytes) -> None:
        """Raises DamagedWorkbook, LimitExceeded."""
        self._feeder.feed(chunk)

    def close(self) -> None:
        """After the last piece. Raises DamagedWorkbook when the part is cut off."""
        self._feeder.feed(b"", final=True)

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
        elif not 1 <= whole_number(number.strip()) <= MAX_ROWS:
            raise DamagedWorkbook(f"{number[:20]!r} is no row of a sheet.", part=self.part, code="bad_reference")
        else:
            self.row = whole_number(number.strip()) - 1
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
        elif self.outline.validations.collecting:
            self.outline.validations.text(data)

    def _end(self, raw: str) -> None:
        if not self.in_data:
            self.outline.validations.end(self._names[raw])
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
            whole_number(attributes.get("s")),
            attributes.get("t", "n"),
            self._value,
            self._formula,
            whole_number(attributes.get("cm")),
            whole_number(attributes.get("vm")),
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
                self.outline.filter = parse_rect(self._filter)
                self._filter = None
            else:
                self.outline.validations.start(name, attributes)
        except ValueError as error:
            raise DamagedWorkbook(f"{error}.", part=self.part, code="bad_reference") from None

    def _column(self, attributes: Attributes) -> None:
        first, last = int(attributes.get("min", "1")) - 1, int(attributes.get("max", "1")) - 1
        if not 0 <= first <= last < MAX_COLUMNS:
            raise ValueError(f"columns {first + 1} to {last + 1} are not columns of a sheet")
        width = float(attributes["width"]) if "width" in attributes else None
        if len(self.outline.columns) >= MAX_COLUMNS:
            raise ValueError(f"there are more than {MAX_COLUMNS} descriptions of columns")
        self.outline.columns.append((first, last, width, is_true(attributes.get("hidden"))))
