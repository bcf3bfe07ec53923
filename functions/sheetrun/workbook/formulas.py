"""The formulas of one sheet, as blocks: every formula gets the number of its R1C1 form, equal neighbours join.

Shared formulas never touch text: a child is its master's number. Children may come before their master (Excel writes
the master first; others do not), so they get a number of their own that is resolved when the sheet ends.
"""

from __future__ import annotations

from sheetrun.formula.r1c1 import relative_key, shift
from sheetrun.workbook.errors import DamagedWorkbook
from sheetrun.workbook.filled import join_filled
from sheetrun.workbook.model import Block, DataTable, Kind, Rect
from sheetrun.workbook.rectangles import join_runs
from sheetrun.workbook.references import cell_name
from sheetrun.workbook.runs import Runs, as_rects
from sheetrun.workbook.templates import Template, make_column_template, make_template


class _Column:
    """The last formula of a column: its number, text and row, and the template once two rows agreed."""

    __slots__ = ("key", "row", "template", "text")

    def __init__(self, key: int, row: int, text: str) -> None:
        self.key = key
        self.row = row
        self.text = text
        self.template: Template | None = None


class _Row:
    """The last formula of the row that is read: its number, text and column, and the template likewise."""

    __slots__ = ("col", "key", "row", "template", "text")

    def __init__(self) -> None:
        self.row = self.key = self.col = -1
        self.text = ""
        self.template: Template | None = None


class Formulas:
    """Add formulas in document order, then ``blocks``. Rows and columns are 0-based."""

    def __init__(self, sheet: str) -> None:
        self._sheet = sheet
        self._runs = Runs()
        self._numbers: dict[str, int] = {}
        self._origins: list[tuple[str, int, int] | None] = []  #: number -> first text with that form, and its cell
        self._columns: dict[int, _Column] = {}
        self._row = _Row()
        self._masters: dict[str, int] = {}
        self._orphans: dict[str, tuple[int, int, int]] = {}  #: shared index -> number, and the first cell that uses it
        self._same_as: dict[int, int] = {}  #: number given to an early child -> its master's
        self._areas: dict[Rect, Block] = {}

    def normal(self, row: int, col: int, text: str) -> int:
        """An ordinary formula; its number."""
        key = self._number(row, col, text)
        self._runs.extend(key, row, row, col)
        return key

    def shared(self, row: int, col: int, index: str, text: str, is_master: bool) -> int:
        """A cell of a shared formula. Text of a cell that is no master does not count (ECMA-376 part 1, 18.3.1.40)."""
        if text and (is_master or index not in self._masters):
            key = self._number(row, col, text)
            self._masters[index] = key
            early = self._orphans.pop(index, None)
            if early is not None:
                self._same_as[early[0]] = key
        else:
            key = self._masters.get(index, -1)
            if key < 0:
                orphan = self._orphans.get(index)
                if orphan is None:
                    orphan = self._orphans[index] = (len(self._origins), row, col)
                    self._origins.append(None)
                key = orphan[0]
        self._runs.add(key, row, col)
        return key

    def rows(self, key: int, top: int, bottom: int, col: int) -> None:
        """The formula ``key`` filled down a column; the text of the last row is the template's."""
        self._runs.extend(key, top, bottom, col)
        column = self._columns.get(col)
        if column is not None and column.key == key and column.template is not None:
            column.text = column.template.at(bottom + 1)
            column.row = bottom

    def template(self, col: int, key: int) -> Template | None:
        """What predicts the text of formula ``key`` in that column, when two rows have agreed on it."""
        column = self._columns.get(col)
        return column.template if column is not None and column.key == key else None

    def above(self, row: int, col: int) -> int | None:
        return self._runs.above(row, col)

    def area(self, rect: Rect, text: str, kind: Kind, table: DataTable | None = None) -> None:
        """An array formula or data table."""
        self._areas[rect] = Block(rect, text, kind, table)

    def blocks(self) -> list[Block]:
        """All blocks, by (top, left). Raises DamagedWorkbook for a shared formula without its text."""
        for index, (_, row, col) in self._orphans.items():
            raise DamagedWorkbook(
                f"The shared formula {index} has no text.",
                part=f"{self._sheet}!{cell_name(row, col)}",
                code="shared_formula_without_text",
            )
        keys, cols, tops, bottoms = self._runs.arrays()
        for early, master in self._same_as.items():
            keys[keys == early] = master
        found = join_runs(keys, cols, tops, bottoms)
        blocks = [
            Block(rect, self._text(number, rect.top, rect.left))
            for rect, number in zip(as_rects(found), found.key.tolist(), strict=True)
        ]
        blocks.extend(join_filled(list(self._areas.values())))
        blocks.sort(key=lambda block: (block.rect.top, block.rect.left))
        return blocks

    def _text(self, number: int, row: int, col: int) -> str:
        origin = self._origins[number]
        if origin is None:
            raise AssertionError("an early child of a shared formula was not resolved")
        text, from_row, from_col = origin
        return text if (row, col) == (from_row, from_col) else shift(text, row - from_row, col - from_col)

    def _number(self, row: int, col: int, text: str) -> int:
        column = self._columns.get(col)
        if column is not None and column.template is not None and column.template.at(row + 1) == text:
            column.text = text
            column.row = row
            return column.key
        key = self._across(row, col, text)
        if column is None:
            self._columns[col] = _Column(key, row, text)
            return key
        if column.key != key:
            column.key, column.template = key, None
        elif column.row != row:
            template = make_template(text, row + 1)
            column.template = template if template.at(column.row + 1) == column.text else None
        column.row, column.text = row, text
        return key

    def _across(self, row: int, col: int, text: str) -> int:
        """The formula's number, by the formula on its left if it was filled to the right."""
        last = self._row
        if last.row == row and last.template is not None and last.template.at(col) == text:
            key = last.key
        else:
            form = relative_key(text, row, col)
            found = self._numbers.get(form)
            if found is None:
                found = self._numbers[form] = len(self._origins)
                self._origins.append((text, row, col))
            key = found
            last.template = None
            if last.row == row and last.key == key:
                template = make_column_template(text, col)
                last.template = template if template.at(last.col) == last.text else None
        last.row, last.col, last.key, last.text = row, col, key, text
        return key
