"""Indexes of lookup ranges: what makes fifty thousand VLOOKUPs over one table a matter of milliseconds.

An ``Index`` knows one row or column: where each value stands first and last, and the order of its numbers and texts.
It is made lazily, and kept while a book is computed (``kept``): a range that has been read does not change after that
within a run, because what it depends on was computed before. Whoever does change cells that were read (a round of
iterative calculation, a data table) calls ``forget``. Outside ``kept`` nothing is remembered between calls.

Excel's rules: an exact match compares numbers as they are (no 15 digits) and texts without case, an approximate one
is a binary search that skips values of other types; it ends somewhere on data that is not in order, as Excel's does.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sheetrun.runtime import pool
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, Numbers, Tags
from sheetrun.runtime.compare import compare, sort_key
from sheetrun.runtime.criteria import wildcard
from sheetrun.runtime.errors import VALUE, ExcelError, Raised
from sheetrun.runtime.values import Arr, Scalar, decode

Places = NDArray[np.int64]

_KEPT_MOST: Final = 256
_SCANS: Final = 2  # lookups that scan before a table of places pays
_LONGEST_TEXT: Final = 255

_kept: dict[tuple[Any, ...], tuple[Index, Any, Any]] = {}
_keeping = 0
_epoch = 0


@contextmanager
def kept() -> Iterator[None]:
    """Within it indexes are remembered by the place of their cells in memory."""
    global _keeping
    forget()
    _keeping += 1
    try:
        yield
    finally:
        _keeping -= 1
        forget()


def forget() -> None:
    """Drops what is remembered: cells that were read before have changed."""
    global _epoch
    _epoch += 1
    _kept.clear()


def epoch() -> int | None:
    """A number for the time within which cells that were read do not change; None outside ``kept``."""
    return _epoch if _keeping else None


def index_of(array: Arr) -> Index:
    """The index of a row or column."""
    if not _keeping:
        return Index(array.num.ravel(), None if array.tag is None else array.tag.ravel())
    num, tag = array.num, array.tag
    place = num.__array_interface__["data"][0]
    key = (place, num.shape, num.strides, None if tag is None else tag.__array_interface__["data"][0])
    found = _kept.get(key)
    if found is not None:
        return found[0]
    if len(_kept) >= _KEPT_MOST:
        _kept.pop(next(iter(_kept)))
    index = Index(num.ravel(), None if tag is None else tag.ravel())
    _kept[key] = index, num, tag  # the arrays are held, so that their memory is not used for others
    return index


class Index:
    """One row or column of cells, made for finding values in it. Positions count from 0; -1 is "nowhere"."""

    __slots__ = ("_firsts", "_lasts", "_numbers", "_ordered", "_scans", "_texts", "num", "tag")

    def __init__(self, num: Numbers, tag: Tags | None) -> None:
        self.num = num
        self.tag = tag
        self._scans = 0
        self._firsts: dict[Any, int] | None = None
        self._lasts: dict[Any, int] | None = None
        self._numbers: tuple[Numbers, Places] | None = None
        self._ordered: dict[int, _Ordered] = {}
        self._texts: dict[int, Places] | None = None

    # -- exact -----------------------------------------------------------------------------------------------------

    def exact(self, value: Scalar, *, last: bool = False, wild: bool = True, empties: bool = False) -> int:
        """Where a value stands, first or last. ``empties``: an empty value finds an empty cell (else it is 0)."""
        if value is None and empties:
            return self._edge(self._tags() == EMPTY, last)
        if isinstance(value, str):
            return self._exact_text(value, last, wild)
        key: Any = bool(value) if isinstance(value, bool) else float(value or 0.0)
        if self._scans < _SCANS:
            self._scans += 1
            kind = LOGICAL if isinstance(value, bool) else NUMBER
            hits = self.num == float(key)
            return self._edge(hits if self.tag is None and kind == NUMBER else hits & (self._tags() == kind), last)
        return self._places(last).get((key,) if isinstance(value, bool) else key, -1)

    def _exact_text(self, value: str, last: bool, wild: bool) -> int:
        if len(value) > _LONGEST_TEXT:
            raise Raised(VALUE)
        if self.tag is None:
            return -1
        pattern = wildcard(value) if wild else None
        if pattern is not None:
            hits = [p for id, p in self._by_text().items() if pattern.match(pool.text(id))]
            if not hits:
                return -1
            return int(max(p[-1] for p in hits) if last else min(p[0] for p in hits))
        found = self._by_text().get(pool.intern(pool.fold(value)))
        return -1 if found is None else int(found[-1 if last else 0])

    def _tags(self) -> Tags:
        return np.zeros(self.num.shape, np.int32) if self.tag is None else self.tag

    @staticmethod
    def _edge(hits: Any, last: bool) -> int:
        if last:
            at = len(hits) - 1 - int(hits[::-1].argmax()) if len(hits) else 0
        else:
            at = int(hits.argmax()) if len(hits) else 0
        return at if len(hits) and hits[at] else -1

    def _places(self, last: bool) -> dict[Any, int]:
        """Each number, and each logical in a tuple, -> its first or last position."""
        made = self._lasts if last else self._firsts
        if made is None:
            places = range(len(self.num))
            nums = self.num.tolist()
            if self.tag is None:
                pairs: Any = zip(nums, places, strict=True)
            else:
                kinds = self.tag.tolist()
                pairs = (
                    (n if k == NUMBER else (n != 0.0,), i)
                    for n, k, i in zip(nums, kinds, places, strict=True)
                    if k in (NUMBER, LOGICAL)
                )
            made = {}
            if last:
                made.update(pairs)
            else:
                for key, at in pairs:
                    made.setdefault(key, at)
            if last:
                self._lasts = made
            else:
                self._firsts = made
        return made

    def _by_text(self) -> dict[int, Places]:
        """The id of each folded text -> the positions where it stands, in order."""
        if self._texts is None:
            tags = self._tags()
            at = np.flatnonzero(tags >= TEXT)
            ids = pool.folded()[tags[at] - TEXT]
            order = np.argsort(ids, kind="stable")
            cuts = np.flatnonzero(np.diff(ids[order])) + 1
            groups = np.split(at[order], cuts) if len(at) else []
            folded = ids[order][np.concatenate([[0], cuts])].tolist() if len(at) else []
            self._texts = dict(zip(folded, groups, strict=True))
        return self._texts

    def exact_many(self, keys: Arr, *, last: bool = False, wild: bool = True, empties: bool = False) -> Places:
        """``exact`` for each of many values; -1 also where a value is an error."""
        num, tag = keys.num.ravel(), keys.tags().ravel()
        out = np.full(num.shape, -1, np.int64)
        numbers = ((tag == NUMBER) & ~np.isnan(num)) | ((tag == EMPTY) & (not empties))
        if numbers.any():
            values, places = self._sorted_numbers()
            wanted = num[numbers]
            at = np.searchsorted(values, wanted, "right") - 1 if last else np.searchsorted(values, wanted, "left")
            safe = np.clip(at, 0, max(len(values) - 1, 0))
            if len(values):
                out[numbers] = np.where(values[safe] == wanted, places[safe], -1)
        others = (tag >= TEXT) | (tag == LOGICAL) | ((tag == EMPTY) & empties)
        return self._each(keys, others, out, lambda v: self.exact(v, last=last, wild=wild, empties=empties))

    @staticmethod
    def _each(keys: Arr, where: Any, out: Places, find: Any) -> Places:
        """Fills in what is found one distinct value at a time."""
        if where.any():
            tag, num = keys.tags().ravel()[where], keys.num.ravel()[where]
            mixed = tag.astype(np.int64) * 2 + (num != 0.0) * (tag == LOGICAL)
            _, first, inverse = np.unique(mixed, return_index=True, return_inverse=True)
            found = [find(v) for v in Arr(num[first].reshape(1, -1), tag[first].reshape(1, -1))]
            out[where] = np.array(found, np.int64)[inverse]
        return out

    def _sorted_numbers(self) -> tuple[Numbers, Places]:
        """The numbers in order (equal ones as they stand) and their positions."""
        if self._numbers is None:
            good = ~np.isnan(self.num)
            if self.tag is not None:
                good &= self.tag == NUMBER
            at = np.flatnonzero(good)
            values = self.num[at]
            order = np.argsort(values, kind="stable")
            self._numbers = values[order], at[order]
        return self._numbers

    # -- approximate -------------------------------------------------------------------------------------------------

    def below(self, value: Scalar) -> int:
        """Approximate match in ascending data: the last position whose value is not greater."""
        return self._order_of(value).below(value)

    def below_many(self, keys: Arr) -> Places:
        num, tag = keys.num.ravel(), keys.tags().ravel()
        out = np.full(num.shape, -1, np.int64)
        numbers = ((tag == NUMBER) & ~np.isnan(num)) | (tag == EMPTY)
        if numbers.any():
            out[numbers] = self._order_of(0.0).below_many(num[numbers])
        return self._each(keys, (tag >= TEXT) | (tag == LOGICAL), out, self.below)

    def above(self, value: Scalar) -> int:
        """Approximate match in descending data: goes on while values are not smaller, ends at an equal one."""
        return self._order_of(value).above(value)

    def nearest(self, value: Scalar, *, larger: bool, last: bool) -> int:
        """Exact, else the next smaller (or larger) value wherever it stands (XLOOKUP): its first or last position.

        An empty value is beyond all cells (measured).
        """
        if value is None:
            return -1 if larger else self._largest(last)
        at = self._order_of(value).nearest(value, larger=larger, last=last)
        return at if at >= 0 else self._beyond(value, larger, last)

    def _largest(self, last: bool) -> int:
        ends = (self._order(kind).edge(first=False, last=last) for kind in (LOGICAL, TEXT, NUMBER))
        return next((at for at in ends if at >= 0), -1)

    def _beyond(self, value: Scalar, larger: bool, last: bool) -> int:
        """What is not found among values of its type is sought in the next one of Excel's order (measured)."""
        kinds = (NUMBER, TEXT, LOGICAL)
        at, place, step = -1, kinds.index(_kind_of(value)), 1 if larger else -1
        while at < 0 and 0 <= place + step < len(kinds):
            place += step
            at = self._order(kinds[place]).edge(first=larger, last=last)
        return at

    def bisect(self, value: Scalar, *, descending: bool, mode: int) -> int:
        """XLOOKUP's binary search in data said to be in order; mode 0 exact, -1 or next smaller, 1 or next larger.

        Measured, also on data that is not in order: all types are compared; an empty value is beyond all cells.
        """
        low, high = 0, len(self.num) - 1
        while low <= high:
            middle = (low + high) // 2
            order = self._against(middle, value)
            if order == 0:
                return self._run_end(middle, value, 1 if descending else -1)
            if (order < 0) != descending:
                low = middle + 1
            else:
                high = middle - 1
        if mode == 0:
            return -1
        at = high if (mode == -1) != descending else low
        return at if at < len(self.num) else -1

    def _against(self, at: int, value: Scalar) -> int:
        """-1, 0 or 1 for the cell at a place beside a value; empty ones and errors are beyond all."""
        cell = decode(float(self.num[at]), NUMBER if self.tag is None else int(self.tag[at]))
        if cell is None or isinstance(cell, ExcelError):
            return 0 if value is None and cell is None else 1
        return -1 if value is None else compare(cell, value)

    def _run_end(self, at: int, value: Scalar, step: int) -> int:
        """The last place of the equal cells from one on."""
        while 0 <= at + step < len(self.num) and self._against(at + step, value) == 0:
            at += step
        return at

    def _order_of(self, value: Scalar) -> _Ordered:
        return self._order(_kind_of(value))

    def _order(self, kind: int) -> _Ordered:
        made = self._ordered.get(kind)
        if made is None:
            made = self._ordered[kind] = _Ordered(self, kind)
        return made


def _kind_of(value: Scalar) -> int:
    return TEXT if isinstance(value, str) else LOGICAL if isinstance(value, bool) else NUMBER


class _Ordered:
    """The cells of one type with keys that compare as Excel orders them."""

    __slots__ = ("_lists", "_rising", "_sorted", "_words", "keys", "kind", "places", "size")

    def __init__(self, index: Index, kind: int) -> None:
        tags = index._tags()
        self.kind = kind
        self.size = len(index.num)
        self._rising: bool | None = None
        self._sorted: tuple[Any, Any] | None = None
        self._lists: tuple[list[int], list[float]] | None = None
        self._words: list[tuple[str, str]] = []
        if kind == TEXT:
            self.places = np.flatnonzero(tags >= TEXT)
            ids = tags[self.places] - TEXT
            used = np.unique(ids)
            keys = {id: sort_key(pool.text(id)) for id in used.tolist()}
            self._words = sorted(set(keys.values()))
            rank = {key: i for i, key in enumerate(self._words)}
            ranks = np.array([rank[keys[id]] for id in used.tolist()], np.float64)
            self.keys = ranks[np.searchsorted(used, ids)] if len(ids) else np.zeros(0)
        else:
            good = (tags == kind) & ~np.isnan(index.num)
            self.places = np.flatnonzero(good)
            self.keys = index.num[self.places]

    def _key(self, value: Scalar) -> float:
        """The value as a key; between two ranks when the text is not there."""
        if self.kind != TEXT:
            return float(value or 0.0)
        assert isinstance(value, str)
        word = sort_key(value)
        at = bisect_left(self._words, word)
        return float(at) if at < len(self._words) and self._words[at] == word else at - 0.5

    @property
    def rising(self) -> bool:
        if self._rising is None:
            self._rising = bool(np.all(self.keys[1:] >= self.keys[:-1]))
        return self._rising

    def below(self, value: Scalar) -> int:
        key = self._key(value)
        if self.rising:
            at = int(np.searchsorted(self.keys, key, "right")) - 1
            return int(self.places[at]) if at >= 0 else -1
        return self._search(key)

    def below_many(self, wanted: Numbers) -> Places:
        if self.rising:
            at = np.searchsorted(self.keys, wanted, "right") - 1
            if not len(self.keys):
                return np.full(wanted.shape, -1, np.int64)
            return np.where(at >= 0, self.places[np.maximum(at, 0)], -1)
        values, inverse = np.unique(wanted, return_inverse=True)
        return np.array([self.below(float(v)) for v in values], np.int64)[inverse]

    def _search(self, key: float) -> int:
        """Binary search over all cells; one of another type gives way to the next of this type.

        An equal cell ends it, at the last of its run (measured on data that is not in order).
        """
        if self._lists is None:
            self._lists = self.places.tolist(), self.keys.tolist()
        places, keys = self._lists
        low, high, best = 0, self.size - 1, -1
        while low <= high:
            middle = (low + high) // 2
            at = bisect_left(places, middle)
            if at == len(places) or places[at] > high:
                high = middle - 1
            elif keys[at] == key:
                while at + 1 < len(keys) and keys[at + 1] == key and places[at + 1] == places[at] + 1:
                    at += 1
                return places[at]
            elif keys[at] < key:
                best = places[at]
                low = best + 1
            else:
                high = middle - 1
        return best

    def above(self, value: Scalar) -> int:
        key = self._key(value)
        smaller = np.flatnonzero(self.keys < key)
        end = int(smaller[0]) if len(smaller) else len(self.keys)
        equal = np.flatnonzero(self.keys[:end] == key)
        if len(equal):
            return int(self.places[equal[0]])
        return int(self.places[end - 1]) if end else -1

    def _in_order(self) -> tuple[Any, Any]:
        if self._sorted is None:
            order = np.argsort(self.keys, kind="stable")
            self._sorted = self.keys[order], self.places[order]
        return self._sorted

    def nearest(self, value: Scalar, *, larger: bool, last: bool) -> int:
        keys, places = self._in_order()
        key = self._key(value)
        at = int(np.searchsorted(keys, key, "left") if larger else np.searchsorted(keys, key, "right") - 1)
        if not 0 <= at < len(keys):
            return -1
        return self._standing(keys, places, keys[at], last)

    def edge(self, *, first: bool, last: bool) -> int:
        """Where the smallest (``first``) or the largest value stands; -1 when there is none."""
        keys, places = self._in_order()
        return self._standing(keys, places, keys[0 if first else -1], last) if len(keys) else -1

    @staticmethod
    def _standing(keys: Any, places: Any, found: Any, last: bool) -> int:
        return int(places[np.searchsorted(keys, found, "right") - 1 if last else np.searchsorted(keys, found, "left")])
