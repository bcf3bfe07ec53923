"""Finding values in one row or column: where each stands first and last, and what comes next in order.

Excel's rules: an exact match compares numbers as they are (no 15 digits) and texts without case, an approximate one
is a binary search that skips values of other types; it ends somewhere on data that is not in order, as Excel's does.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sheetrun.runtime import pool
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, Numbers, Tags
from sheetrun.runtime.compare import compare
from sheetrun.runtime.criteria import wildcard
from sheetrun.runtime.errors import VALUE, ExcelError, Raised
from sheetrun.runtime.ordered import Ordered, Places, kind_of
from sheetrun.runtime.values import Arr, Scalar, decode

_SCANS: Final = 2  # lookups that scan before a table of places pays
_LONGEST_TEXT: Final = 255


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
        self._ordered: dict[int, Ordered] = {}
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
        at, place, step = -1, kinds.index(kind_of(value)), 1 if larger else -1
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

    def _order_of(self, value: Scalar) -> Ordered:
        return self._order(kind_of(value))

    def _order(self, kind: int) -> Ordered:
        made = self._ordered.get(kind)
        if made is None:
            made = self._ordered[kind] = Ordered(self.num, self._tags(), kind)
        return made
