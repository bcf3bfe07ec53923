"""Sheets at run time: where a script reads and writes cells, and references as values.

    s["B2"]          the value of a cell                 s["B2:B9"]        an Arr
    s.n["B2"]        as a number (arithmetic)            s.n["B2:B9"]      a float64 array
    s.arr["B2"]      always an Arr                       s.ref["B2:B9"]    a Ref (OFFSET, ROW, SUBTOTAL …)
    s[r, c]          the same by row and column, 1-based; s[r1, c1, r2, c2] a range
    s["C2:C9"] = x   stores a result in every cell of the range

Cells live in dense areas (see ``cells`` for the encoding). A formula that is not computed yet has a negative tag;
reading such a cell asks the book to compute it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime import pool
from sheetrun.runtime.address import MAX_COLUMNS, MAX_ROWS, Cells, Key, Span, is_vast, span_of
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, Numbers, Tags
from sheetrun.runtime.errors import NUM, REF, SPILL, ExcelError, Raised, error_of
from sheetrun.runtime.refs import Ref, first_of
from sheetrun.runtime.tails import Tailed, shown
from sheetrun.runtime.tracks import Track, line_of, track_of
from sheetrun.runtime.values import Arr, Scalar, Value, encode
from sheetrun.runtime.views import AsArrays, AsNumbers, AsReferences

if TYPE_CHECKING:
    from sheetrun.runtime.book import Book


@dataclass(slots=True)
class Area:
    """A dense rectangle of cells, its first cell at (top, left), 1-based."""

    top: int
    left: int
    num: Numbers
    tag: Tags

    @property
    def span(self) -> Span:
        rows, columns = self.num.shape
        return Span(self.top, self.left, self.top + rows - 1, self.left + columns - 1)


class Sheet:
    """One sheet of a book. ``live``: ranges are checked for cells that are not computed yet (formulas that are
    solved on demand read so)."""

    __slots__ = ("_main", "areas", "arr", "book", "filtered", "hidden_rows", "index", "live", "n", "name", "ref")

    def __init__(self, book: Book, index: int, name: str, areas: list[Area], *, live: bool = False) -> None:
        self.book = book
        self.index = index
        self.name = name
        self.areas = areas
        self.live = live
        self.hidden_rows: frozenset[int] = frozenset()
        self.filtered = False
        self._main = areas[0] if areas else Area(1, 1, np.zeros((0, 0)), np.zeros((0, 0), np.int32))
        self.n = AsNumbers(self)
        self.arr = AsArrays(self)
        self.ref = AsReferences(self)

    def __repr__(self) -> str:
        return f"<Sheet {self.name}>"

    # -- reading -------------------------------------------------------------------------------------------------

    def _place(self, row: int, col: int) -> tuple[Area, int, int] | None:
        """The area that holds a cell, and the indices in it."""
        area = self._main
        r, c = row - area.top, col - area.left
        if r >= 0 and c >= 0:
            rows, columns = area.num.shape
            if r < rows and c < columns:
                return area, r, c
        for area in self.areas:
            r, c = row - area.top, col - area.left
            if r >= 0 and c >= 0:
                rows, columns = area.num.shape
                if r < rows and c < columns:
                    return area, r, c
        if not (1 <= row <= MAX_ROWS and 1 <= col <= MAX_COLUMNS):
            raise Raised(REF)
        return None

    def cell(self, row: int, col: int) -> Scalar:
        """The value of a cell."""
        place = self._place(row, col)
        if place is None:
            return None
        area, r, c = place
        tag = area.tag.item(r, c)
        if tag == NUMBER:
            num = area.num.item(r, c)
            return num if num == num else error_of(num)
        if tag >= TEXT:
            return pool.text(tag - TEXT)
        if tag == LOGICAL:
            return area.num.item(r, c) != 0.0
        if tag == EMPTY:
            return None
        self.book.demand(self.index, row, col, tag)
        return self.cell(row, col)

    def number(self, row: int, col: int) -> float | ExcelError:
        """The value of a cell as an operand of arithmetic."""
        place = self._place(row, col)
        if place is None:
            return 0.0
        area, r, c = place
        if area.tag.item(r, c) < 0:
            self.book.demand(self.index, row, col, area.tag.item(r, c))
            return self.number(row, col)  # perhaps in another area: results may have fallen outside of this one
        num = area.num.item(r, c)
        return num if num == num else error_of(num)

    def rectangle(self, span: Span) -> Arr:
        """A rectangle of cells; cells outside all areas are empty. A view where one area holds it all."""
        if span.top < 1 or span.left < 1 or span.bottom > MAX_ROWS or span.right > MAX_COLUMNS:
            raise Raised(REF)
        if is_vast(*span.shape):
            span = self.clipped(span)
        area = self._main
        rows, columns = area.num.shape
        r0, c0 = span.top - area.top, span.left - area.left
        r1, c1 = span.bottom - area.top + 1, span.right - area.left + 1
        if r0 >= 0 and c0 >= 0 and r1 <= rows and c1 <= columns:
            if self.live and self._settle(area, r0, c0, r1, c1):
                return self.rectangle(span)
            return Arr(area.num[r0:r1, c0:c1], area.tag[r0:r1, c0:c1])
        return self._assembled(span)

    def whole(self, span: Span) -> Arr | Tailed:
        """A rectangle of cells for an array formula: of whole columns and rows every cell counts, used or not."""
        cells = self.rectangle(span)
        return cells if cells.shape == span.shape else Tailed(None, span.shape, cells=cells)

    def _assembled(self, span: Span) -> Arr:
        num = np.zeros(span.shape)
        tag = np.full(span.shape, EMPTY, np.int32)
        for area in self.areas:
            other = area.span
            top, left = max(span.top, other.top), max(span.left, other.left)
            bottom, right = min(span.bottom, other.bottom), min(span.right, other.right)
            if top > bottom or left > right:
                continue
            r0, c0, r1, c1 = top - area.top, left - area.left, bottom - area.top + 1, right - area.left + 1
            if self.live and self._settle(area, r0, c0, r1, c1):
                return self._assembled(span)
            target = (slice(top - span.top, bottom - span.top + 1), slice(left - span.left, right - span.left + 1))
            num[target] = area.num[r0:r1, c0:c1]
            tag[target] = area.tag[r0:r1, c0:c1]
        return Arr(num, tag)

    def _settle(self, area: Area, r0: int, c0: int, r1: int, c1: int) -> bool:
        """Computes what is not computed yet in a part of an area. True: results fell outside and the cells have moved to
        another area, look again."""
        tags = area.tag[r0:r1, c0:c1]
        if not (tags < 0).any():
            return False
        for r, c in zip(*np.nonzero(tags < 0), strict=True):
            tag = area.tag.item(r0 + int(r), c0 + int(c))
            if tag < 0:
                self.book.demand(self.index, area.top + r0 + int(r), area.left + c0 + int(c), tag)
                if not any(area is other for other in self.areas):
                    return True
        return False

    def clipped(self, span: Span) -> Span:
        """The part of a range within the used range, at least one cell: whole columns are not walked."""
        used = self.used()
        bottom, right = max(span.top, min(span.bottom, used.bottom)), max(span.left, min(span.right, used.right))
        return Span(span.top, span.left, bottom, right)

    def used(self) -> Span:
        """The rectangle around all areas (1 × 1 when there are none)."""
        spans = [a.span for a in self.areas if a.num.size]
        return Span.around(spans) if spans else Span(1, 1, 1, 1)

    def __getitem__(self, key: Key) -> Value:
        if type(key) is tuple and len(key) == 2:  # in loops
            return self.cell(*key)
        if type(key) is Cells:
            return self.gathered(key)
        span, single = span_of(key)
        return self.cell(span.top, span.left) if single else self.whole(span)

    def gathered(self, cells: Cells) -> Arr:
        """Many cells as one column."""
        area = self._main
        rows, columns = cells.rows - area.top, cells.columns - area.left
        if self._within(area, rows, columns):
            tag = area.tag[rows, columns]
            if tag.min() >= 0:
                return Arr(area.num[rows, columns][:, None], tag[:, None])
        return Arr.flat([self.cell(row, col) for row, col in cells.pairs()], (len(cells.rows), 1))

    @staticmethod
    def _within(area: Area, rows: Any, columns: Any) -> bool:
        """Whether all cells lie in an area; rows and columns count from its first cell."""
        height, width = area.num.shape
        return bool(rows.min() >= 0 and columns.min() >= 0 and rows.max() < height and columns.max() < width)

    # -- writing -------------------------------------------------------------------------------------------------

    def __setitem__(self, key: Key, value: Value) -> None:
        """Stores a result in every cell of the range (a scalar in all of them); an empty result is 0."""
        if type(key) is tuple and len(key) == 2:  # in loops
            self.store(key[0], key[1], value)
            return
        if type(key) is Cells:
            self.scatter(key, value)
            return
        span, single = span_of(key)
        if single:
            self.store(span.top, span.left, value)
        else:
            self.store_array(span, value)

    def store(self, row: int, col: int, value: Value) -> None:
        """Stores the result of one formula cell."""
        if type(value) is float:
            num, tag = value, NUMBER
        else:
            num, tag = encode(first_of(value))
        if tag == EMPTY:
            tag = NUMBER
        if num - num != 0.0 and num == num:  # infinite
            num = float(NUM)
        area, r, c = self._place(row, col) or self._grow(Span(row, col, row, col))
        area.num[r, c] = num
        area.tag[r, c] = tag
        if self.book.overrides:
            self.book.impose(self, Span(row, col, row, col))

    def scatter(self, cells: Cells, value: Value) -> None:
        """Stores a result in each of many cells: a column of them, or one for all."""
        shape = len(cells.rows), 1
        array = shown(value, shape)
        area = self._main
        rows, columns = cells.rows - area.top, cells.columns - area.left
        if type(self) is not Sheet or self.book.overrides or not self._within(area, rows, columns):
            for (row, col), one in zip(cells.pairs(), array.expanded(shape), strict=True):
                self.store(row, col, one)
            return
        num, tags = np.broadcast_to(array.num, shape)[:, 0], np.broadcast_to(array.tags(), shape)[:, 0]
        area.num[rows, columns] = np.where(np.isinf(num), float(NUM), num)
        area.tag[rows, columns] = np.where(tags == EMPTY, NUMBER, tags)

    def store_array(self, span: Span, value: Value) -> None:
        """Stores an array result over a range: CSE rules (one row or column repeats, what is beyond is #N/A)."""
        self._fill(span, value)
        if self.book.overrides:
            self.book.impose(self, span)

    def _fill(self, span: Span, value: Value) -> None:
        array = shown(value, span.shape)
        area, r, c = self._place(span.top, span.left) or self._grow(span)
        if span.bottom > area.span.bottom or span.right > area.span.right:
            area, r, c = self._grow(span)
        rows, columns = span.shape
        num = area.num[r : r + rows, c : c + columns]
        num[...] = array.num
        wild = np.isinf(num)
        if wild.any():
            num[wild] = float(NUM)
        tags = area.tag[r : r + rows, c : c + columns]
        if array.tag is None:
            tags[...] = NUMBER
        else:
            tags[...] = np.where(array.tag == EMPTY, NUMBER, array.tag)

    def spill(self, key: Key, value: Value) -> None:
        """Stores a dynamic array from its first cell on; #SPILL! there when another cell is in the way or it is restless.

        ``key`` is the range that the array had when the workbook was saved: cells of it that the new array leaves
        become empty.
        """
        stored, _ = span_of(key)
        place = self.index, stored.top, stored.left
        old = self.book.extent(place, stored)
        if type(value) is float and old.shape == (1, 1) and not self.book.restless(place):
            self.book.spills[place] = old
            self.store(old.top, old.left, value)
            return
        # A whole row or column spills whole, with zeros for its empty cells.
        array = value.whole() if isinstance(value, Ref) else value if type(value) is Tailed else Arr.of(value)
        rows, columns = array.shape
        span = Span(old.top, old.left, old.top + rows - 1, old.left + columns - 1)
        self._clear(old)
        if place in self.book.overrides:  # a value in the place of the formula
            span = Span(old.top, old.left, old.top, old.left)
            self.book.spills.pop(place, None)
            self.book.impose(self, span)
        elif (
            self.book.restless(place)
            or not span.inside()
            or self.book.sets_within(self, span)
            or (span.shape != old.shape and self._occupied(span))
        ):
            span = Span(old.top, old.left, old.top, old.left)
            self.book.spills.pop(place, None)
            self.store(old.top, old.left, SPILL)
        else:
            self.book.spills[place] = span
            self._fill(span, array)
        self.book.resized(place, stored, span)
        if self.book.overrides:
            self.book.impose(self, old, beside=span)  # in cells that the array has left

    def _occupied(self, span: Span) -> bool:
        """Whether a range holds anything, formulas that are not computed yet included (and left so)."""
        for area in self.areas:
            part = span.shared(area.span)
            if part is not None and (area.tag[part.slices(area.top, area.left)] != EMPTY).any():
                return True
        return False

    def _clear(self, span: Span) -> None:
        for area in self.areas:
            part = span.shared(area.span)
            if part is not None:
                own = part.slices(area.top, area.left)
                area.num[own], area.tag[own] = 0.0, EMPTY

    def _grow(self, span: Span) -> tuple[Area, int, int]:
        """Makes one area that holds the range as well (results may fall outside what the file used)."""
        touched = [a for a in self.areas if a.span.overlaps(span)]
        whole = Span.around([span, *(a.span for a in touched)])
        while more := [a for a in self.areas if a not in touched and a.span.overlaps(whole)]:
            touched += more
            whole = Span.around([whole, *(a.span for a in more)])
        merged = self._assembled_raw(whole, touched)
        self.areas[:] = [a for a in self.areas if a not in touched]
        self.areas.insert(0, merged)
        for sheet in self.book.views(self.index):
            sheet._main = merged
        return merged, span.top - whole.top, span.left - whole.left

    @staticmethod
    def _assembled_raw(span: Span, areas: list[Area]) -> Area:
        num = np.zeros(span.shape)
        tag = np.full(span.shape, EMPTY, np.int32)
        for area in areas:
            rows, columns = area.num.shape
            r, c = area.top - span.top, area.left - span.left
            num[r : r + rows, c : c + columns] = area.num
            tag[r : r + rows, c : c + columns] = area.tag
        return Area(span.top, span.left, num, tag)

    def define(self, key: Key, formula: Any) -> None:
        """Gives the cells of a range a formula ``formula(row, column)``, computed when one of them is asked for."""
        self.book.solver.define(self.index, span_of(key)[0], formula)

    def define_array(self, key: Key, formula: Any) -> None:
        """The same for an array formula: ``formula()`` gives all cells at once."""
        self.book.solver.define(self.index, span_of(key)[0], formula, "array")

    def define_spill(self, key: Key, formula: Any) -> None:
        """The same for a dynamic array."""
        self.book.solver.define(self.index, span_of(key)[0], formula, "spill")

    def data_table(self, key: Key, *, row: str | None, column: str | None, through: Sequence[str]) -> None:
        """A what-if data table: the formulas at its edge, computed again with each header in the input cells.

        ``row``, ``column``: the cells that take the headers above and to the left; ``through``: the steps in between.
        """
        from sheetrun.runtime.whatif import data_table

        data_table(self, span_of(key)[0], row, column, through)

    def growing(self, key: Key, rows: int, columns: int) -> Any:
        """A range that grows by a row (or column) from cell to cell of a block: ``key`` for the first cell."""
        from sheetrun.runtime.windows import Growing

        span, _ = span_of(key)
        whole = Span(span.top, span.left, span.bottom + rows - 1, span.right + columns - 1)
        return Growing(self.rectangle(whole), span.shape, rows if rows > 1 else columns, down=rows > 1)

    def track(self, key: Key, *, across: bool = False) -> Track:
        """The values of a line of cells as a list, indexed by row or column (see ``tracks``).

        ``across``: by column, also where the line is of one cell.
        """
        return self._track(span_of(key)[0], numbers=False, across=across)

    def track_n(self, key: Key, *, across: bool = False) -> Track:
        """The same as numbers, for arithmetic."""
        return self._track(span_of(key)[0], numbers=True, across=across)

    def _track(self, span: Span, *, numbers: bool, across: bool) -> Track:
        return track_of(self, span, self.rectangle(span), numbers=numbers, across=across, twin=False)

    def keep(self, key: Key, track: Track) -> None:
        """Stores the part of a track that a loop has computed."""
        span, _ = span_of(key)
        first, last = (span.top, span.bottom) if track.down else (span.left, span.right)
        self.store_array(span, line_of(track.results()[first : last + 1], down=track.down))

    def window(self, key: Key, rows: int, columns: int) -> Any:
        """The windows that a reference gives to each cell of a block: ``key`` for the first one, moving ``rows`` down
        and ``columns`` to the right (1: all the same)."""
        from sheetrun.runtime.windows import Window

        span, _ = span_of(key)
        around = Span(span.top, span.left, span.bottom + rows - 1, span.right + columns - 1)
        return Window.sliding(self.rectangle(around), *span.shape)
