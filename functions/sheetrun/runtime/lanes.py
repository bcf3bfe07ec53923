"""Many scenarios at once: each cell that varies has a value in every *lane*, one lane a scenario.

A script written for lanes reads and writes as any other; only shapes differ. Arrays have a row for each cell of a block
and a column for each scenario:

    s["B2"]       a scalar where the cell does not vary, else 1 × lanes
    s["B2:B9"]    8 × 1 where none of the cells varies, else 8 × lanes (a row or rectangle of cells likewise)

So operators, functions of single values and aggregates over windows work as they do for blocks. What cannot be written
so is computed lane by lane (``each``). Reading a varying cell in any other way raises ``Varies``: never a wrong number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sheetrun.records import dataclass
from sheetrun.runtime.address import Key, Place, Span, is_vast, span_of
from sheetrun.runtime.book import Book
from sheetrun.runtime.cells import EMPTY, NUMBER, Mask, Numbers, Tags
from sheetrun.runtime.errors import CALC, NUM, ExcelError, error_of
from sheetrun.runtime.sheet import Area, Sheet
from sheetrun.runtime.tails import numbers_of, shown
from sheetrun.runtime.values import Arr, Scalar, Value, decode, encode, erring
from sheetrun.runtime.windows import Window

_BOX_NUM: Final = float(NUM)


class Varies(Exception):
    """A cell that has another value in each scenario was read as if it had one."""


class LaneBook(Book):
    """A computed workbook whose inputs, and what hangs on them, have a value in every lane."""

    lane: int | None = None  #: the lane that is looked at now; None: all of them
    lanes = 0

    def new_views(self, index: int, name: str, areas: list[Area]) -> tuple[Sheet, Sheet]:
        sheet = LaneSheet(self, index, name, areas)
        return sheet, sheet

    def open(self, lanes: int, boxes: Sequence[tuple[int, Span]]) -> None:
        """Room for values in every lane; ``boxes``: for each sheet with cells that vary, a range around them."""
        self.lanes = lanes
        for index, box in boxes:
            self.laned(index).open(lanes, box)

    def reopen(self, lanes: int) -> None:
        """Room for another number of lanes. Which cells vary, and of which types they are, stays as it is known; all
        their values must be computed again."""
        self.lanes = lanes
        for sheet in self.sheets:
            assert isinstance(sheet, LaneSheet)
            sheet.reopen(lanes)

    def laned(self, index: int) -> LaneSheet:
        sheet = self.sheets[index]
        assert isinstance(sheet, LaneSheet)
        return sheet

    def put(self, place: Place, num: Numbers, tag: Tags) -> None:
        """Gives an input its values, one a lane; no formula overwrites them."""
        self.laned(place[0]).put(place[1], place[2], num, tag)


@dataclass(frozen=True, slots=True)
class View:
    """Outputs on one sheet that vary, or that do not. ``outputs``: which of all the outputs; ``rows``, ``columns``: of
    their cells (1-based); ``cells``: where they lie in the memory of the sheet's box, or None for those beyond it."""

    sheet: int
    outputs: Any
    rows: Any
    columns: Any
    cells: Any

    def of(self, book: LaneBook) -> tuple[Numbers, Tags]:
        """(num, tag) of its cells in every lane: cells × lanes, or cells × 1 where they do not vary."""
        sheet = book.laned(self.sheet)
        return sheet.fixed_cells(self.rows, self.columns) if self.cells is None else sheet.taken(self.cells)


def views_of(places: Sequence[Place], boxes: Sequence[tuple[int, Span]]) -> list[View]:
    """Outputs by their sheets. ``boxes``: the ranges that have lanes (see ``LaneBook.open``)."""
    table = np.array(places, np.int64).reshape(-1, 3)
    laned = dict(boxes)
    found = []
    for sheet in np.unique(table[:, 0]).tolist():
        box = laned.get(sheet, Span(1, 1, 0, 0))
        own = table[:, 0] == sheet
        inside = own & _inside(box, table[:, 1], table[:, 2])
        for at in (np.flatnonzero(inside), np.flatnonzero(own & ~inside)):
            rows, columns = table[at, 1], table[at, 2]
            if len(at):
                cells = _run(_in_memory(box, rows, columns)) if inside[at[0]] else None
                found.append(View(sheet, _run(at), rows, columns, cells))
    return found


def _in_memory(box: Span, rows: Any, columns: Any) -> Any:
    """The places of cells of a box in its memory."""
    (height, width), row, column = box.shape, rows - box.top, columns - box.left
    return column * height + row if _runs_down(box) else row * width + column


def _runs_down(box: Span) -> bool:
    """Whether the cells of a column follow each other in memory, rather than those of a row: formulas are filled along the
    longer side, and what they fill is computed fastest in one piece."""
    height, width = box.shape
    return height > width


def _room(cells: Any, lanes: int, *, down: bool) -> tuple[Any, Any]:
    """Memory with the values of cells in every lane: rows × columns × lanes, and the same as cells × lanes."""
    lines = np.repeat((cells.T if down else cells)[:, :, None], lanes, axis=2)
    return lines.transpose(1, 0, 2) if down else lines, lines.reshape(-1, lanes)


def _run(places: Any) -> Any:
    """As a slice where each is one more than the one before."""
    first, last = int(places[0]), int(places[-1])
    return slice(first, last + 1) if (np.diff(places) == 1).all() else places


def _inside(box: Span, rows: Any, columns: Any) -> Any:
    return (rows >= box.top) & (rows <= box.bottom) & (columns >= box.left) & (columns <= box.right)


class LaneSheet(Sheet):
    """One sheet of a LaneBook. ``box``: the range that has lanes; ``varies`` says which of its cells do."""

    __slots__ = ("_of", "box", "finite", "fixed", "num_lines", "nums", "plain", "tag_lines", "tags", "varies")

    def __init__(self, book: LaneBook, index: int, name: str, areas: list[Area]) -> None:
        super().__init__(book, index, name, areas)
        self._of = book
        self.box: Span | None = None
        self.varies: Mask = np.zeros((0, 0), np.bool_)
        self.plain: Mask = self.varies  #: cells that are numbers (or errors) in every lane
        self.finite: Mask = self.varies  #: cells that are no error in any lane, as far as is known
        self.nums: Any = np.zeros((0, 0, 0))  #: rows × columns × lanes of the box
        self.tags: Any = np.zeros((0, 0, 0), np.int32)
        self.num_lines: Any = self.nums  #: the same memory as cells × lanes
        self.tag_lines: Any = self.tags
        self.fixed: dict[tuple[int, int], tuple[Numbers, Tags]] = {}
        self.n = _LaneNumbers(self)  # type: ignore[assignment]

    def open(self, lanes: int, box: Span) -> None:
        held = super().rectangle(box)
        self.box = box
        down = _runs_down(box)
        self.nums, self.num_lines = _room(held.num, lanes, down=down)
        self.tags, self.tag_lines = _room(held.tags(), lanes, down=down)
        self.varies = np.zeros(held.shape, np.bool_)
        self.plain = held.tags() == NUMBER
        self.finite = np.isfinite(held.num)
        self.fixed = {}

    def reopen(self, lanes: int) -> None:
        if self.box is None:
            return
        known = self.varies, self.plain, self.finite
        self.open(lanes, self.box)
        self.varies, self.plain, self.finite = known
        self.tags[self.varies & self.plain] = NUMBER

    # -- which cells vary ------------------------------------------------------------------------------------------

    def part(self, span: Span) -> tuple[slice, slice] | None:
        """Where a range lies in the box if a cell of it varies. Raises Varies when only a part of it has lanes."""
        box = self.box
        if box is None:
            return None
        r0, c0, r1, c1 = span.top - box.top, span.left - box.left, span.bottom - box.top + 1, span.right - box.left + 1
        inside = slice(max(r0, 0), max(r1, 0)), slice(max(c0, 0), max(c1, 0))
        if not self.varies[inside].any():
            return None
        return inside

    def _lanes_of(self, span: Span, part: tuple[slice, slice]) -> tuple[Any, Any | None]:
        """(num, tag) of a range in every lane: rows × columns × lanes; tag None where all are numbers."""
        box = self.box
        assert box is not None
        rows, columns = span.shape
        if self.varies[part].shape == (rows, columns):
            return self.nums[part], None if self.plain[part].all() else self.tags[part]
        held = super().rectangle(span)  # beyond the box nothing varies
        num, tag = (np.repeat(a[:, :, None], self._of.lanes, axis=2) for a in (held.num, held.tags()))
        r, c = box.top + part[0].start - span.top, box.left + part[1].start - span.left
        h, w = self.varies[part].shape
        num[r : r + h, c : c + w] = self.nums[part]
        tag[r : r + h, c : c + w] = self.tags[part]
        return num, tag

    # -- reading ---------------------------------------------------------------------------------------------------

    def cell(self, row: int, col: int) -> Scalar:
        place = self.varying_cell(Span(row, col, row, col))
        if place is None:
            return super().cell(row, col)
        lane = self._lane()
        return decode(self.nums.item(*place, lane), self.tags.item(*place, lane))

    def number(self, row: int, col: int) -> float | ExcelError:
        place = self.varying_cell(Span(row, col, row, col))
        if place is None:
            return super().number(row, col)
        num = self.nums.item(*place, self._lane())
        return num if num == num else error_of(num)

    def rectangle(self, span: Span) -> Arr:
        if is_vast(*span.shape):
            span = self.clipped(span)
        part = self.part(span)
        if part is None:
            return super().rectangle(span)
        lane = self._lane()
        num, tag = self._lanes_of(span, part)
        return Arr(num[:, :, lane], None if tag is None else tag[:, :, lane])

    def _lane(self) -> int:
        lane = self._of.lane
        if lane is None:
            raise Varies(f"{self.name} varies")
        return int(lane)

    def __getitem__(self, key: Key) -> Value:
        span, single = span_of(key)
        if self._of.lane is not None:
            return self.cell(span.top, span.left) if single else self.whole(span)
        part = self.part(span)
        if part is not None:
            num, tag = self._lanes_of(span, part)
            return Arr(_flat(num), None if tag is None else _flat(tag))
        if single:
            return super().cell(span.top, span.left)
        held = super().rectangle(span)
        return held.reshaped((held.size, 1))

    def numbers(self, key: Key) -> Any:
        """As numbers, for arithmetic."""
        span, single = span_of(key)
        if self._of.lane is not None:
            return self.number(span.top, span.left) if single else numbers_of(self.whole(span))
        part = self.part(span)
        if part is not None:
            num = _flat(self._lanes_of(span, part)[0])
            return num if self.finite[part].size == len(num) and self.finite[part].all() else erring(num)
        if single:
            return super().number(span.top, span.left)
        return erring(super().rectangle(span).num.reshape(-1, 1))

    def window(self, key: Key, rows: int, columns: int) -> Window:
        """The windows of the cells of a block, a row each, in every lane (see ``Sheet.window``)."""
        span, _ = span_of(key)
        height, width = span.shape
        around = Span(span.top, span.left, span.bottom + rows - 1, span.right + columns - 1)
        part = self.part(around)
        if part is None:
            held = super().rectangle(around)
            slid = Window.sliding(held, height, width)
            shape = (rows * columns, 1, height, width)
            return Window(slid.num.reshape(shape), slid.tag.reshape(shape))
        num, tag = self._lanes_of(around, part)
        if tag is None:
            tag = np.broadcast_to(np.int32(NUMBER), num.shape)
        return Window(_slid(num, rows, columns, height, width), _slid(tag, rows, columns, height, width))

    def taken(self, cells: Any) -> tuple[Numbers, Tags]:
        """(num, tag) of cells of the box by their places in memory: cells × lanes, perhaps the memory itself."""
        return self.num_lines[cells], self.tag_lines[cells]

    def fixed_cells(self, rows: Any, columns: Any) -> tuple[Numbers, Tags]:
        """The same of cells beyond the box: cells × 1."""
        pairs = [encode(super(LaneSheet, self).cell(row, col)) for row, col in zip(rows, columns, strict=True)]
        return np.array([[num] for num, _ in pairs]), np.array([[tag] for _, tag in pairs], np.int32)

    # -- writing ---------------------------------------------------------------------------------------------------

    def put(self, row: int, col: int, num: Numbers, tag: Tags) -> None:
        box = self.box
        assert box is not None
        r, c = row - box.top, col - box.left
        self.nums[r, c], self.tags[r, c] = num, tag
        self.varies[r, c] = True
        self.plain[r, c] = not tag.any()
        self.finite[r, c] = bool(np.isfinite(num).all())
        self.fixed[row, col] = num, tag

    def __setitem__(self, key: Key, value: Value) -> None:
        span, _ = span_of(key)
        box = self.box
        if box is None or self._of.lane is not None:
            super().__setitem__(key, value)
            return
        rows, columns = span.shape
        r, c = span.top - box.top, span.left - box.left
        here = slice(r, r + rows), slice(c, c + columns)
        array = Arr.of(value)
        shape = (rows * columns, self._of.lanes)
        num = np.broadcast_to(array.num, shape)
        finite = bool(np.isfinite(array.num).all())
        if not finite:
            num = np.where(np.isinf(num), _BOX_NUM, num)
        self.finite[here] = finite
        self.nums[here] = num.reshape(rows, columns, -1)
        if array.tag is None:
            if not self.plain[here].all():
                self.tags[here] = NUMBER
                self.plain[here] = True
        else:
            tag = np.broadcast_to(np.where(array.tag == EMPTY, NUMBER, array.tag), shape).reshape(rows, columns, -1)
            self.tags[here] = tag
            self.plain[here] = (tag == NUMBER).all(axis=2)
        self.varies[here] = True
        for (row, col), (num, tag) in self.fixed.items():
            if span.contains(row, col):
                self.put(row, col, num, tag)

    def memory(self, span: Span) -> Numbers | None:
        """Where the values of a range in every lane are kept, to be written there: rows × columns × lanes. None unless
        each of its cells varies, is a finite number now, and is no input."""
        part = self._own(span)
        return self.nums[part] if part is not None and (self.plain[part] & self.finite[part]).all() else None

    def mixed_memory(self, span: Span) -> tuple[Numbers, Tags] | None:
        """The same, and the tags, for values of any type. To be followed by ``mix``."""
        part = self._own(span)
        return None if part is None else (self.nums[part], self.tags[part])

    def mix(self, span: Span) -> None:
        """From here on the cells of a range may be of any type."""
        part = self._own(span)
        assert part is not None
        self.plain[part] = self.finite[part] = False

    def _own(self, span: Span) -> tuple[slice, slice] | None:
        """Where a range lies in the box, if each of its cells varies and none is an input."""
        part = self.part(span)
        if part is None or any(span.holds(Span(row, col, row, col)) for row, col in self.fixed):
            return None
        varies = self.varies[part]
        return part if varies.shape == span.shape and varies.all() else None

    def varying_cell(self, span: Span) -> tuple[int, int] | None:
        """Where a cell lies in the box, if it varies."""
        return _corner(self.part(span))

    def own_cell(self, span: Span) -> tuple[int, int] | None:
        """Where a cell that a formula alone writes lies in the box; None for more than one cell."""
        return _corner(self._own(span)) if span.shape == (1, 1) else None

    def store_one(self, r: int, c: int, value: Scalar) -> bool:
        """Stores a cell of the box that has one lane. False where it was a finite number before and is none now."""
        num, tag = encode(value)
        was_good = bool(self.plain[r, c] and self.finite[r, c])
        if was_good and tag == NUMBER and num - num == 0.0:
            self.nums[r, c, 0] = num
            return True
        if tag == EMPTY:
            tag = NUMBER
        self.nums[r, c, 0], self.tags[r, c, 0] = _BOX_NUM if math.isinf(num) else num, tag
        self.plain[r, c], self.finite[r, c] = tag == NUMBER, math.isfinite(num)
        return not was_good or (tag == NUMBER and math.isfinite(num))

    def good(self, span: Span) -> Mask:
        """Which cells of a range are finite numbers in every lane, as far as they are in the box; others count as such."""
        box = self.box
        if box is None:
            return np.ones(span.shape, np.bool_)
        r0, c0, r1, c1 = span.top - box.top, span.left - box.left, span.bottom - box.top + 1, span.right - box.left + 1
        rows, columns = self.varies.shape
        inside = slice(max(r0, 0), min(r1, rows)), slice(max(c0, 0), min(c1, columns))
        found = np.ones(span.shape, np.bool_)
        here = self.plain[inside] & self.finite[inside]
        if here.size:
            r, c = inside[0].start - r0, inside[1].start - c0
            found[r : r + here.shape[0], c : c + here.shape[1]] = here
        return found


class _LaneNumbers:
    """``s.n[...]``."""

    __slots__ = ("_sheet",)

    def __init__(self, sheet: LaneSheet) -> None:
        self._sheet = sheet

    def __getitem__(self, key: Key) -> Any:
        return self._sheet.numbers(key)


def _corner(part: tuple[slice, slice] | None) -> tuple[int, int] | None:
    return None if part is None else (part[0].start, part[1].start)


def _flat(array: Any) -> Any:
    """rows × columns × lanes as cells × lanes."""
    rows, columns, lanes = array.shape
    return array.reshape(rows * columns, lanes)


def _slid(array: Any, rows: int, columns: int, height: int, width: int) -> Any:
    """Windows of each cell of a block: cells × lanes × height × width."""
    down, across, along = array.strides
    shape = (rows, columns, array.shape[2], height, width)
    windows = as_strided(array, shape, (down, across, along, down, across), writeable=False)
    return windows.reshape(rows * columns, array.shape[2], height, width)


def each(book: LaneBook, formula: Callable[[], Value], rows: int = 1, columns: int = 1) -> Value:
    """The result of a formula for a range of cells, computed lane by lane: cells × lanes."""
    shape = rows, columns
    results: list[Arr] = []
    try:
        for lane in range(book.lanes):
            book.lane = lane
            value = formula()
            results.append(shown(CALC if callable(value) else value, shape))
    finally:
        book.lane = None
    num = np.stack([a.num.ravel() for a in results], axis=1)
    if all(a.tag is None for a in results):
        return Arr(num)
    return Arr(num, np.stack([a.tags().ravel() for a in results], axis=1))
