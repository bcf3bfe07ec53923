"""Many scenarios at once: each cell that varies has a value in every *lane*, one lane a scenario.

A script written for lanes reads and writes as any other; only shapes differ. Arrays have a row for each cell of a block
and a column for each scenario:

    s["B2"]       a scalar where the cell does not vary, else 1 × lanes
    s["B2:B9"]    8 × 1 where none of the cells varies, else 8 × lanes (a row or rectangle of cells likewise)

So operators, functions of single values and aggregates over windows work as they do for blocks. What cannot be written
so is computed lane by lane (``each``). Reading a varying cell in any other way raises ``Varies``: never a wrong number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sheetrun.runtime.address import Key, Span, is_vast, span_of
from sheetrun.runtime.book import Book
from sheetrun.runtime.cells import EMPTY, NUMBER, Mask, Numbers, Tags
from sheetrun.runtime.errors import CALC, NUM, ExcelError, error_of
from sheetrun.runtime.sheet import Area, Sheet
from sheetrun.runtime.values import Arr, Scalar, Value, decode, encode, erring
from sheetrun.runtime.windows import Window

_BOX_NUM: Final = float(NUM)
Place = tuple[int, int, int]  #: sheet, row and column (1-based)


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
            sheet = self.sheets[index]
            assert isinstance(sheet, LaneSheet)
            sheet.open(lanes, box)

    def put(self, place: Place, num: Numbers, tag: Tags) -> None:
        """Gives an input its values, one a lane; no formula overwrites them."""
        sheet = self.sheets[place[0]]
        assert isinstance(sheet, LaneSheet)
        sheet.put(place[1], place[2], num, tag)

    def gathered(self, sheet: int, rows: Any, columns: Any) -> tuple[Numbers, Tags]:
        """(num, tag) of some cells of a sheet in every lane: cells × lanes."""
        held = self.sheets[sheet]
        assert isinstance(held, LaneSheet)
        return held.gathered(rows, columns)


class LaneSheet(Sheet):
    """One sheet of a LaneBook. ``box``: the range that has lanes; ``varies`` says which of its cells do."""

    __slots__ = ("box", "finite", "fixed", "laned", "nums", "plain", "tags", "varies")

    def __init__(self, book: LaneBook, index: int, name: str, areas: list[Area]) -> None:
        super().__init__(book, index, name, areas)
        self.laned = book
        self.box: Span | None = None
        self.varies: Mask = np.zeros((0, 0), np.bool_)
        self.plain: Mask = self.varies  #: cells that are numbers (or errors) in every lane
        self.finite: Mask = self.varies  #: cells that are no error in any lane, as far as is known
        self.nums: Any = np.zeros((0, 0, 0))
        self.tags: Any = np.zeros((0, 0, 0), np.int32)
        self.fixed: dict[tuple[int, int], tuple[Numbers, Tags]] = {}
        self.n = _LaneNumbers(self)  # type: ignore[assignment]

    def open(self, lanes: int, box: Span) -> None:
        held = super().rectangle(box)
        self.box = box
        shape = (*held.shape, lanes)
        self.nums = np.repeat(held.num[:, :, None], lanes, axis=2)
        self.tags = np.repeat(held.tags()[:, :, None], lanes, axis=2)
        self.varies = np.zeros(shape[:2], np.bool_)
        self.plain = held.tags() == NUMBER
        self.finite = np.isfinite(held.num)
        self.fixed = {}

    # -- which cells vary ------------------------------------------------------------------------------------------

    def _part(self, span: Span) -> tuple[slice, slice] | None:
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
        num, tag = (np.repeat(a[:, :, None], self.laned.lanes, axis=2) for a in (held.num, held.tags()))
        r, c = box.top + part[0].start - span.top, box.left + part[1].start - span.left
        h, w = self.varies[part].shape
        num[r : r + h, c : c + w] = self.nums[part]
        tag[r : r + h, c : c + w] = self.tags[part]
        return num, tag

    # -- reading ---------------------------------------------------------------------------------------------------

    def cell(self, row: int, col: int) -> Scalar:
        part = self._part(Span(row, col, row, col))
        if part is None:
            return super().cell(row, col)
        lane = self._lane()
        r, c = part[0].start, part[1].start
        return decode(self.nums.item(r, c, lane), self.tags.item(r, c, lane))

    def number(self, row: int, col: int) -> float | ExcelError:
        part = self._part(Span(row, col, row, col))
        if part is None:
            return super().number(row, col)
        num = self.nums.item(part[0].start, part[1].start, self._lane())
        return num if num == num else error_of(num)

    def rectangle(self, span: Span) -> Arr:
        if is_vast(*span.shape):
            span = self.clipped(span)
        part = self._part(span)
        if part is None:
            return super().rectangle(span)
        lane = self._lane()
        num, tag = self._lanes_of(span, part)
        return Arr(num[:, :, lane], None if tag is None else tag[:, :, lane])

    def _lane(self) -> int:
        lane = self.laned.lane
        if lane is None:
            raise Varies(f"{self.name} varies")
        return int(lane)

    def __getitem__(self, key: Key) -> Value:
        span, single = span_of(key)
        if self.laned.lane is not None:
            return self.cell(span.top, span.left) if single else self.rectangle(span)
        part = self._part(span)
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
        if self.laned.lane is not None:
            return self.number(span.top, span.left) if single else erring(self.rectangle(span).num)
        part = self._part(span)
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
        part = self._part(around)
        if part is None:
            held = super().rectangle(around)
            slid = Window.sliding(held, height, width)
            shape = (rows * columns, 1, height, width)
            return Window(slid.num.reshape(shape), slid.tag.reshape(shape))
        num, tag = self._lanes_of(around, part)
        if tag is None:
            tag = np.broadcast_to(np.int32(NUMBER), num.shape)
        return Window(_slid(num, rows, columns, height, width), _slid(tag, rows, columns, height, width))

    def gathered(self, rows: Any, columns: Any) -> tuple[Numbers, Tags]:
        box = self.box or Span(1, 1, 0, 0)
        inside = (rows >= box.top) & (rows <= box.bottom) & (columns >= box.left) & (columns <= box.right)
        if inside.all():
            return self.nums[rows - box.top, columns - box.left], self.tags[rows - box.top, columns - box.left]
        num, tag = np.zeros((len(rows), self.laned.lanes)), np.zeros((len(rows), self.laned.lanes), np.int32)
        at = rows[inside] - box.top, columns[inside] - box.left
        if inside.any():
            num[inside], tag[inside] = self.nums[at], self.tags[at]
        for i in np.flatnonzero(~inside).tolist():
            num[i], tag[i] = encode(super().cell(int(rows[i]), int(columns[i])))
        return num, tag

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
        if box is None or self.laned.lane is not None:
            super().__setitem__(key, value)
            return
        rows, columns = span.shape
        r, c = span.top - box.top, span.left - box.left
        here = slice(r, r + rows), slice(c, c + columns)
        array = Arr.of(value)
        shape = (rows * columns, self.laned.lanes)
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
            if span.top <= row <= span.bottom and span.left <= col <= span.right:
                self.put(row, col, num, tag)


class _LaneNumbers:
    """``s.n[...]``."""

    __slots__ = ("_sheet",)

    def __init__(self, sheet: LaneSheet) -> None:
        self._sheet = sheet

    def __getitem__(self, key: Key) -> Any:
        return self._sheet.numbers(key)


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
            results.append(Arr.of(CALC if callable(value) else value).expanded(shape))
    finally:
        book.lane = None
    num = np.stack([a.num.ravel() for a in results], axis=1)
    if all(a.tag is None for a in results):
        return Arr(num)
    return Arr(num, np.stack([a.tags().ravel() for a in results], axis=1))
