"""Which cells satisfy criteria: the machinery of COUNTIFS, SUMIFS and kin, for one answer or for thousands at once.

A range that is asked once is tested cell by cell. A range that is asked again and again (criteria in an array,
formulas filled down) is *indexed*: its numbers and its texts are sorted once, and then each criterion is an interval of
one of the two orders, found by bisection. An index is kept per book, sheet and rectangle for as long as cells that were
read do not change (``indexes.kept``); outside of that nothing is remembered between calls.

    criterion            interval of
    5, "=5", ">5" …      the numbers in order of size
    "abc", "=abc"        the texts in order of their folded ids
    wildcards, "<>", …   none: the cells are tested
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import field
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from sheetrun.records import dataclass
from sheetrun.runtime import indexes, pool
from sheetrun.runtime.address import MAX_COLUMNS, MAX_ROWS, Span
from sheetrun.runtime.book import Book
from sheetrun.runtime.cells import TEXT, Mask
from sheetrun.runtime.compare import same_number
from sheetrun.runtime.criteria import Criterion, wildcard
from sheetrun.runtime.errors import VALUE, ExcelError, Raised
from sheetrun.runtime.refs import Ref, Refs
from sheetrun.runtime.values import MISSING, Arr, Value

Rows = NDArray[np.int64]

_WORTH_AN_INDEX: Final = 3  # times a range is asked before it gets one
_SMALL: Final = 200  # cells, below which testing them all is as quick
_KEPT: Final = 64  # indexes per book
_REMEMBERED: Final = 10_000  # criteria per index


# -- orders ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Order:
    """Some cells of a range sorted by a key: ``rows[i]`` is the place of the i-th smallest key ``keys[i]``."""

    keys: NDArray[np.float64] | NDArray[np.int64]
    rows: Rows
    ascending: bool  #: the rows are in the order of the keys as they stand
    _rank: Rows | None = field(default=None)

    @classmethod
    def of(cls, keys: NDArray[np.float64] | NDArray[np.int64], places: Rows) -> Order:
        by_key = np.argsort(keys, kind="stable")
        rows = places[by_key]
        return cls(keys[by_key], rows, bool((rows[1:] > rows[:-1]).all()))

    def rank(self, size: int) -> Rows:
        """For each cell of the range its place in this order, -1 for one that has none."""
        if self._rank is None:
            self._rank = np.full(size, -1, np.int64)
            self._rank[self.rows] = np.arange(len(self.rows))
        return self._rank


@dataclass(slots=True)
class Hits:
    """The cells of a range that satisfy a criterion: an interval of an order, or a mask."""

    index: Index
    order: Order | None
    low: int = 0
    high: int = 0
    mask: Mask | None = None
    exact: bool = False  #: all have the same key, so two of these are the same interval or do not meet

    @property
    def count(self) -> int:
        return self.high - self.low if self.order is not None else len(self.index.flat.num)

    def rows(self) -> Rows:
        """The places of the cells, ascending."""
        if self.order is None:
            assert self.mask is not None
            return np.flatnonzero(self.mask)
        rows = self.order.rows[self.low : self.high]
        return rows if self.order.ascending or self.exact else np.sort(rows)

    def among(self, rows: Rows) -> Rows:
        """Those of some rows that are in here."""
        if self.order is None:
            assert self.mask is not None
            return rows[self.mask[rows]]
        rank = self.order.rank(len(self.index.flat.num))[rows]
        return rows[(rank >= self.low) & (rank < self.high)]


@dataclass(slots=True)
class Index:
    """A range that is ready for many criteria. ``flat`` holds its cells in row-major order (vectors)."""

    flat: Arr
    known: dict[object, Hits] = field(default_factory=dict)
    _numbers: Order | None = None
    _texts: Order | None = None
    _readable: bool = False  #: a text in the range reads as a number

    def numbers(self) -> Order:
        if self._numbers is None:
            places = np.flatnonzero(self.flat.numbers())
            self._numbers = Order.of(self.flat.num[places], places)
            texts = self.flat.texts()
            self._readable = bool((texts & ~np.isnan(self.flat.num)).any())
        return self._numbers

    def texts(self) -> Order:
        if self._texts is None:
            places = np.flatnonzero(self.flat.texts())
            ids = pool.folded()[self.flat.tags()[places] - TEXT].astype(np.int64)
            self._texts = Order.of(ids, places)
        return self._texts

    def hits(self, criterion: Criterion) -> Hits:
        """The cells that satisfy a criterion."""
        key = criterion.op, type(criterion.value), criterion.value  # TRUE is not 1
        found = self.known.get(key)
        if found is None:
            found = self._find(criterion)
            if len(self.known) >= _REMEMBERED:
                self.known.clear()
            self.known[key] = found
        return found

    def _find(self, criterion: Criterion) -> Hits:
        value, op = criterion.value, criterion.op
        if type(value) is float and op != "<>":
            order = self.numbers()
            if not (op == "=" and self._readable):
                low, high = _around(order.keys, value)
                end = len(order.keys)
                interval = {"=": (low, high), "<": (0, low), "<=": (0, high), ">": (high, end), ">=": (low, end)}[op]
                low, high = interval
                exact = op == "=" and (low == high or order.keys[low] == order.keys[high - 1])
                return Hits(self, order, low, high, exact=bool(exact))
        elif type(value) is str and op == "=" and value and wildcard(value) is None:
            order = self.texts()
            id = pool.intern(pool.fold(value))
            low = int(np.searchsorted(order.keys, id, "left"))
            high = int(np.searchsorted(order.keys, id, "right"))
            return Hits(self, order, low, high, exact=True)
        whole = Arr(self.flat.num.reshape(1, -1), self.flat.tags().reshape(1, -1))
        return Hits(self, None, mask=criterion.mask(whole).ravel())


def _around(keys: NDArray[np.float64] | NDArray[np.int64], value: float) -> tuple[int, int]:
    """The interval of sorted numbers that equal a number to 15 digits."""
    low = int(np.searchsorted(keys, value, "left"))
    high = int(np.searchsorted(keys, value, "right"))
    while low > 0 and same_number(float(keys[low - 1]), value):
        low = int(np.searchsorted(keys, keys[low - 1], "left"))
    while high < len(keys) and same_number(float(keys[high]), value):
        high = int(np.searchsorted(keys, keys[high], "right"))
    return low, high


# -- ranges ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Range:
    """A range of a call as cells that can be tested, all ranges of the call clipped alike."""

    cells: Arr
    kept: _Kept | None  #: where an index of it is or will be kept

    def index(self) -> Index:
        """The index of the range, made now when there is none."""
        if self.kept is None:
            return Index(_flat(self.cells))
        if self.kept.index is None:
            self.kept.index = Index(_flat(self.cells))
        return self.kept.index

    def ready(self) -> Index | None:
        """The index, where the range is asked so often that it has one."""
        if self.kept is None or (self.kept.index is None and self.kept.asked < _WORTH_AN_INDEX):
            return None
        return self.index()


@dataclass(slots=True)
class _Kept:
    cells: Arr
    asked: int = 0
    index: Index | None = None


@dataclass(slots=True)
class _Shelf:
    """What is kept for one book in one epoch, the least recently asked first."""

    epoch: int
    ranges: OrderedDict[tuple[int, Span], _Kept] = field(default_factory=OrderedDict)


_shelves: WeakKeyDictionary[Book, _Shelf] = WeakKeyDictionary()


def _flat(cells: Arr) -> Arr:
    return Arr(cells.num.ravel(), cells.tags().ravel())


def _read(value: Ref, span: Span) -> Range:
    """A rectangle of the reference's sheet; read only once per epoch (reading looks for cells not computed yet)."""
    book, sheet = value.book, value.sheet.index
    rows, columns = span.shape
    epoch = indexes.epoch() if rows * columns >= _SMALL else None
    if epoch is None:
        return Range(book.live(sheet).rectangle(span), None)
    shelf = _shelves.get(book)
    if shelf is None or shelf.epoch != epoch:
        shelf = _shelves[book] = _Shelf(epoch)
    key = sheet, span
    found = shelf.ranges.get(key)
    if found is None:
        cells = book.live(sheet).rectangle(span)
        if indexes.epoch() != epoch:  # computing what the range needed changed cells
            return Range(cells, None)
        found = shelf.ranges[key] = _Kept(cells)
        if len(shelf.ranges) > _KEPT:
            shelf.ranges.popitem(last=False)
    shelf.ranges.move_to_end(key)
    found.asked += 1
    return Range(found.cells, found)


def resized(value: Value, shape: tuple[int, int]) -> Value:
    """The sum range of SUMIF: from its first cell on, as large as the range that is tested."""
    if isinstance(value, Ref):
        span = value.span
        bottom, right = min(span.top + shape[0] - 1, MAX_ROWS), min(span.left + shape[1] - 1, MAX_COLUMNS)
        return Ref(value.sheet, Span(span.top, span.left, bottom, right))
    return value


def aligned(values: list[Value]) -> tuple[list[Range], int]:
    """Ranges of one shape (else #VALUE!), clipped to what is used; and how many empty cells were clipped from each.

    Whole columns are as long as the longest used one among them, never a million rows.
    """
    shapes, extents = [], []
    for value in values:
        if isinstance(value, ExcelError):
            raise Raised(value)
        if isinstance(value, Refs) or value is MISSING:
            raise Raised(VALUE)
        if isinstance(value, Ref):
            used, span = value.sheet.used(), value.span
            rows = min(span.bottom, max(used.bottom, span.top)) - span.top + 1
            columns = min(span.right, max(used.right, span.left)) - span.left + 1
            shapes.append(value.shape)
            extents.append((rows, columns))
        else:
            shapes.append(Arr.of(value).shape)
            extents.append(shapes[-1])
    shape = shapes[0]
    if any(s != shape for s in shapes):
        raise Raised(VALUE)
    height, width = max(e[0] for e in extents), max(e[1] for e in extents)
    ranges = []
    for value in values:
        if isinstance(value, Ref):
            top, left = value.span.top, value.span.left
            span = Span(top, left, top + height - 1, left + width - 1)
            ranges.append(_read(value, span))
        else:
            ranges.append(Range(Arr.of(value), None))
    return ranges, shape[0] * shape[1] - height * width


def cells_at(cells: Arr, rows: Rows) -> Arr:
    """The cells at some places (row-major), in one row; the rest of the range is not copied."""
    columns = cells.shape[1]
    where = (rows, np.zeros(1, np.int64)) if columns == 1 else np.divmod(rows, columns)
    num = cells.num[where].reshape(1, -1)
    return Arr(num, None if cells.tag is None else cells.tag[where].reshape(1, -1))


# -- one answer ------------------------------------------------------------------------------------------------------


def rows_where(ranges: list[Range], criteria: list[Criterion]) -> Rows:
    """The places (row-major) at which every range satisfies its criterion, ascending."""
    rows: Rows | None = None
    for each, index, criterion in sorted(
        ((r, r.ready(), c) for r, c in zip(ranges, criteria, strict=True)), key=lambda t: t[1] is None
    ):
        if index is not None:
            hits = index.hits(criterion)
            rows = hits.rows() if rows is None else hits.among(rows)
        elif rows is None:
            rows = np.flatnonzero(criterion.mask(each.cells))
        else:
            rows = rows[criterion.mask(cells_at(each.cells, rows))[0]] if len(rows) else rows
        if not len(rows):
            break
    assert rows is not None
    return rows
