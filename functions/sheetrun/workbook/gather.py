"""Gathers the cells of one sheet while they stream by: values in typed arrays, formulas and formats as runs.

A cell costs about 25 bytes, a row of a regular region 8 bytes per number; no object per cell survives.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from operator import lt

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, Numbers, Tags
from sheetrun.runtime.distinct import distinct_places
from sheetrun.workbook.archive import Limits
from sheetrun.workbook.clusters import Indices, bounding_rect, split
from sheetrun.workbook.errors import DamagedWorkbook, LimitExceeded
from sheetrun.workbook.formulas import Formulas
from sheetrun.workbook.markup import is_true
from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, Block, DataTable, Grid, Kind, Rect
from sheetrun.workbook.plaincells import PlainCells
from sheetrun.workbook.references import cell_name, parse_cell, parse_rect
from sheetrun.workbook.runs import Runs, as_rects
from sheetrun.workbook.strings import Pool, shared_text
from sheetrun.workbook.values import error_value, number, serial, unescape

LONGEST_FORMULA = 65_536  #: characters, far above Excel's own limit
_SMALL = 250_000


@dataclass(slots=True)
class Context:
    """What all sheets of a workbook share while they are read."""

    pool: Pool
    limits: Limits
    date1904: bool
    dynamic: frozenset[int]  #: cell metadata numbers that mark dynamic arrays
    formatted: list[bool]  #: style index -> has a number format other than General
    rich_errors: Mapping[int, float] = field(default_factory=dict)  #: value metadata number -> the error it stands for
    cells: int = 0  #: grid cells made so far, against ``limits.cells``


@dataclass(slots=True)
class Region:
    """Rows ``top`` to ``top + len(num) - 1`` that have the same layout: one column of ``num`` per entry of ``cols``."""

    top: int
    cols: Indices
    num: Numbers
    tag: Tags


class Gatherer:
    """``cell`` for each cell that has a value or a formula, in document order; then the ``finish_…`` methods."""

    def __init__(self, sheet: str, context: Context) -> None:
        self.sheet = sheet
        self.formulas = Formulas(sheet)
        self._context = context
        self._rows = array("i")
        self._cols = array("i")
        self._num = array("d")
        self._tag = array("i")
        self._regions: list[Region] = []
        self._formats = Runs()
        self._uncached = Runs()
        self._last = (-1, -1)
        self._sorted = True

    # -- while reading -------------------------------------------------------------------------------------------

    def cell(
        self,
        row: int,
        col: int,
        style: int,
        kind: str,
        value: str | None,
        formula: tuple[str, dict[str, str]] | None,
        metadata: int = 0,
        value_metadata: int = 0,
    ) -> int | None:
        """One cell: ``kind`` is its ``t`` attribute, ``value`` the text of ``<v>`` (or of ``<is>``), None without one.

        ``formula`` is the text and the attributes of ``<f>``. Returns the formula's number, -1 for a constant, None
        for an array formula or data table. Raises DamagedWorkbook, LimitExceeded.
        """
        if formula is None and value is None:
            return -1
        if not (0 <= row < MAX_ROWS and 0 <= col < MAX_COLUMNS):
            raise DamagedWorkbook("The cell is outside of the sheet.", part=self.place(row, col), code="bad_reference")
        if (row, col) <= self._last:
            self._sorted = False
        self._last = (row, col)
        key = -1 if formula is None else self._formula(row, col, formula[0], formula[1], metadata)
        num, tag = self.value(row, col, kind, value)
        if value_metadata and kind == "e":  # #VALUE! stands for an error that older readers do not know
            num = self._context.rich_errors.get(value_metadata, num)
        if tag == EMPTY:
            if key == -1:
                return key
            self._uncached.add(0, row, col)
        self._rows.append(row)
        self._cols.append(col)
        self._num.append(num)
        self._tag.append(tag)
        if style < len(self._context.formatted) and self._context.formatted[style]:
            self._formats.add(style, row, col)
        return key

    def row(self, row: int, cells: PlainCells) -> list[int]:
        """The cells of a row from left to right; of each its formula's number, -1 for a constant. Raises as ``cell``."""
        cols = cells.cols
        if (row, cols[0]) <= self._last or not all(map(lt, cols, cols[1:])):
            self._sorted = False
        self._last = (row, cols[-1])
        formulas = zip(cols, cells.formulas, strict=True)
        keys = [-1 if formula is None else self._plain_formula(row, col, *formula) for col, formula in formulas]
        numbers, tags = cells.numbers, [NUMBER] * len(cols)
        for k, text in cells.others:
            numbers[k], tags[k] = self.value(row, cols[k], cells.kinds[k], text)
        self._rows.extend([row] * len(cols))
        self._cols.extend(cols)
        self._num.extend(numbers)
        self._tag.extend(tags)
        formatted = self._context.formatted
        for style, col in zip(cells.styles, cols, strict=True):
            if style < len(formatted) and formatted[style]:
                self._formats.extend(style, row, row, col)
        return keys

    def region(
        self, top: int, cols: Sequence[int], styles: Sequence[int], keys: Sequence[int], num: Numbers, tag: Tags
    ) -> None:
        """Rows of one layout. ``keys``: a formula's number per column, -1 for constants; ``num`` is (rows, columns)."""
        bottom = top + len(num) - 1
        if (top, cols[0]) <= self._last:
            self._sorted = False
        self._last = (bottom, cols[-1])
        self._regions.append(Region(top, np.array(cols, dtype=np.int64), num, tag))
        formatted = self._context.formatted
        for place, col in enumerate(cols):
            if keys[place] >= 0:
                self.formulas.rows(keys[place], top, bottom, col)
                self._note_uncached(top, bottom, col, tag[..., place])
            style = styles[place]
            if style < len(formatted) and formatted[style]:
                self._formats.extend(style, top, bottom, col)

    def _note_uncached(self, top: int, bottom: int, col: int, tag: Tags) -> None:
        if tag.ndim == 0:
            if tag == EMPTY:
                self._uncached.extend(0, top, bottom, col)
            return
        for row in np.flatnonzero(tag == EMPTY).tolist():
            self._uncached.add(0, top + row, col)

    def check_size(self) -> int:
        """The workbook's cells so far. Raises LimitExceeded when it may not have so many. Call it now and then."""
        count = self._context.cells + len(self._rows) + sum(region.num.size for region in self._regions)
        if count > self._context.limits.cells:
            raise self._too_many(count)
        return count

    def place(self, row: int, col: int) -> str:
        return f"{self.sheet}!{cell_name(row, col)}"

    def value(self, row: int, col: int, kind: str, value: str | None) -> tuple[float, int]:
        if value is None or (not value and kind not in ("str", "inlineStr")):
            return 0.0, EMPTY
        try:
            if kind == "n":
                return number(value), NUMBER
            if kind == "s":
                return 0.0, TEXT + shared_text(self._context.pool, int(value), self.place(row, col))
            if kind == "str":
                return 0.0, TEXT + self._context.pool.add(unescape(value))
            if kind == "inlineStr":
                return 0.0, TEXT + self._context.pool.add(value)
            if kind == "b":
                return (1.0 if value.strip() in ("1", "true") else 0.0), LOGICAL
            if kind == "e":
                return error_value(value), NUMBER
            if kind == "d":
                return serial(value, self._context.date1904), NUMBER
        except ValueError:
            raise DamagedWorkbook(
                f"{value[:40]!r} is no value of a cell of type {kind!r}.", part=self.place(row, col), code="bad_value"
            ) from None
        raise DamagedWorkbook(f"{kind[:40]!r} is no type of a cell.", part=self.place(row, col), code="bad_value")

    def shared(self, indexes: Tags) -> Tags:
        """The tags of shared strings. Raises ValueError."""
        if len(indexes) and not 0 <= int(indexes.min()) <= int(indexes.max()) < self._context.pool.shared:
            raise ValueError("a text that the file does not have")
        return TEXT + indexes

    def texts(self, raws: Iterable[bytes]) -> Tags:
        """The tags of texts as they stand in the file. Raises ValueError, LimitExceeded."""
        return TEXT + np.array(self._context.pool.add_raw(raws), dtype=np.int32)

    def _formula(self, row: int, col: int, text: str, attributes: dict[str, str], metadata: int) -> int | None:
        """Files one ``<f>``: its number, -1 when it says nothing, None when it is no ordinary formula."""
        self._check_length(row, col, text)
        kind = attributes.get("t", "normal")
        try:
            if kind == "shared":
                index = attributes.get("si")
                if index is None:
                    kind = "normal"
                else:
                    return self.formulas.shared(row, col, index, text, "ref" in attributes)
            if kind == "array":
                if not text:
                    return -1
                rect = parse_rect(attributes["ref"]) if "ref" in attributes else Rect(row, col, row, col)
                self._check_area(row, col, rect)
                dynamic = metadata in self._context.dynamic
                self.formulas.area(rect, text, Kind.DYNAMIC if dynamic else Kind.ARRAY)
                return None
            if kind == "dataTable":
                rect = parse_rect(attributes.get("ref", ""))
                self._check_area(row, col, rect)
                self.formulas.area(rect, text, Kind.TABLE, _data_table(attributes))
                return None
        except ValueError as error:
            raise DamagedWorkbook(
                f"The formula is damaged: {error}.", part=self.place(row, col), code="bad_formula"
            ) from None
        return self.formulas.normal(row, col, text) if text else -1

    def _plain_formula(self, row: int, col: int, text: str, attributes: dict[str, str]) -> int:
        """The same for a formula of one cell."""
        if attributes:
            key = self._formula(row, col, text, attributes, 0)
            return -1 if key is None else key
        self._check_length(row, col, text)
        return self.formulas.normal(row, col, text) if text else -1

    def _check_length(self, row: int, col: int, text: str) -> None:
        if len(text) > LONGEST_FORMULA:
            raise LimitExceeded(
                f"The formula has {len(text):,} characters; Excel's limit is 8,192.",
                part=self.place(row, col),
                code="formula_too_long",
            )

    def _check_area(self, row: int, col: int, rect: Rect) -> None:
        if rect.size > self._context.limits.cells:
            raise LimitExceeded(
                f"The array formula fills {rect.size:,} cells; the limit is {self._context.limits.cells:,}.",
                part=self.place(row, col),
                code="too_many_cells",
            )

    # -- after reading -------------------------------------------------------------------------------------------

    def finish_grids(self) -> list[Grid]:
        """The cells as grids that do not overlap. Raises DamagedWorkbook (a cell twice), LimitExceeded."""
        rows = np.array(self._rows, dtype=np.int64)
        cols = np.array(self._cols, dtype=np.int64)
        num = np.array(self._num, dtype=np.float64)
        tag = np.array(self._tag, dtype=np.int32)
        self._rows, self._cols, self._num, self._tag = array("i"), array("i"), array("d"), array("i")
        if not self._sorted:
            self._refuse_duplicates(rows, cols)
        count = len(rows) + sum(region.num.size for region in self._regions)
        if count == 0:
            return []
        rects = [Rect(r.top, int(r.cols[0]), r.top + len(r.num) - 1, int(r.cols[-1])) for r in self._regions]
        if len(rows):
            rects.append(bounding_rect(rows, cols))
        whole = Rect.around(rects)
        if whole.size <= max(_SMALL, 4 * count):
            grid = self._empty_grid(whole)
            grid.num[rows - whole.top, cols - whole.left] = num
            grid.tag[rows - whole.top, cols - whole.left] = tag
            for region in self._regions:
                inside = slice(region.top - whole.top, region.top - whole.top + len(region.num))
                grid.num[inside, region.cols - whole.left] = region.num
                grid.tag[inside, region.cols - whole.left] = region.tag
            return [grid]
        return self._split_grids(*self._spread(rows, cols, num, tag))

    def finish_blocks(self) -> list[Block]:
        return self.formulas.blocks()

    def finish_uncached(self) -> list[Rect]:
        """Formula cells for which the file has no value."""
        return self._uncached.rects()

    def finish_formats(self) -> dict[int, list[Rect]]:
        """Style index -> rectangles, for cells with a number format other than General."""
        found = self._formats.rectangles()
        formats: dict[int, list[Rect]] = {}
        for style, rect in zip(found.key.tolist(), as_rects(found), strict=True):
            formats.setdefault(style, []).append(rect)
        return dict(sorted(formats.items()))

    def _spread(self, rows: Indices, cols: Indices, num: Numbers, tag: Tags) -> tuple[Indices, Indices, Numbers, Tags]:
        """The cells of regions beside the single ones."""
        all_rows, all_cols, all_num, all_tag = [rows], [cols], [num], [tag]
        for region in self._regions:
            height, width = region.num.shape
            all_rows.append(np.repeat(np.arange(region.top, region.top + height), width))
            all_cols.append(np.tile(region.cols, height))
            all_num.append(region.num.ravel())
            all_tag.append(np.broadcast_to(region.tag, region.num.shape).ravel())
        return np.concatenate(all_rows), np.concatenate(all_cols), np.concatenate(all_num), np.concatenate(all_tag)

    def _split_grids(self, rows: Indices, cols: Indices, num: Numbers, tag: Tags) -> list[Grid]:
        parts = split(rows, cols)
        needed = self._context.cells + sum(bounding_rect(rows[cells], cols[cells]).size for cells in parts)
        if needed > self._context.limits.cells:  # before any of them is made
            raise self._too_many(needed)
        grids = []
        for cells in parts:
            grid = self._empty_grid(bounding_rect(rows[cells], cols[cells]))
            grid.num[rows[cells] - grid.top, cols[cells] - grid.left] = num[cells]
            grid.tag[rows[cells] - grid.top, cols[cells] - grid.left] = tag[cells]
            grids.append(grid)
        return grids

    def _empty_grid(self, rect: Rect) -> Grid:
        self._context.cells += rect.size
        if self._context.cells > self._context.limits.cells:
            raise self._too_many(self._context.cells)
        shape = (rect.height, rect.width)
        return Grid(rect.top, rect.left, np.zeros(shape), np.full(shape, EMPTY, dtype=np.int32))

    def _too_many(self, count: int) -> LimitExceeded:
        return LimitExceeded(
            f"The workbook needs {count:,} cells up to here (empty ones between others included); "
            f"the limit is {self._context.limits.cells:,}.",
            part=self.sheet,
            code="too_many_cells",
        )

    def _refuse_duplicates(self, rows: Indices, cols: Indices) -> None:
        empty = np.array([], dtype=np.float64), np.array([], dtype=np.int32)
        spread = self._spread(rows, cols, *empty) if self._regions else (rows, cols)
        places = spread[0] * MAX_COLUMNS + spread[1]
        unique, inverse = distinct_places(places)
        twice = unique[np.bincount(inverse, minlength=len(unique)) > 1]
        if len(twice):
            row, col = divmod(int(twice[0]), MAX_COLUMNS)
            raise DamagedWorkbook("The cell is in the file twice.", part=self.place(row, col), code="duplicate_cell")


def _data_table(attributes: dict[str, str]) -> DataTable:
    """``<f t="dataTable">`` (ECMA-376 part 1, 18.3.1.40). Raises ValueError."""

    def input_cell(reference: str, deleted: str) -> tuple[int, int] | None:
        text = attributes.get(reference)
        return None if text is None or is_true(attributes.get(deleted)) else parse_cell(text)

    return DataTable(
        two_inputs=is_true(attributes.get("dt2D")),
        by_row=is_true(attributes.get("dtr")),
        first_input=input_cell("r1", "del1"),
        second_input=input_cell("r2", "del2"),
    )
