"""The cells of one type in a row or column, searched as Excel orders them: approximate matches and next values."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetrun.runtime import pool
from sheetrun.runtime.cells import LOGICAL, NUMBER, TEXT, Numbers, Tags
from sheetrun.runtime.compare import sort_key
from sheetrun.runtime.distinct import distinct
from sheetrun.runtime.values import Scalar

Places = NDArray[np.int64]  #: positions in the row or column, from 0; -1 is "nowhere"


def kind_of(value: Scalar) -> int:
    return TEXT if isinstance(value, str) else LOGICAL if isinstance(value, bool) else NUMBER


class Ordered:
    """The cells of one type with keys that compare as Excel orders them."""

    __slots__ = ("_lists", "_rising", "_sorted", "_words", "keys", "kind", "places", "size")

    def __init__(self, num: Numbers, tags: Tags, kind: int) -> None:
        self.kind = kind
        self.size = len(num)
        self._rising: bool | None = None
        self._sorted: tuple[Any, Any] | None = None
        self._lists: tuple[list[int], list[float]] | None = None
        self._words: list[tuple[str, str]] = []
        if kind == TEXT:
            self.places = np.flatnonzero(tags >= TEXT)
            ids = tags[self.places] - TEXT
            used = distinct(ids)
            keys = {id: sort_key(pool.text(id)) for id in used.tolist()}
            self._words = sorted(set(keys.values()))
            rank = {key: i for i, key in enumerate(self._words)}
            ranks = np.array([rank[keys[id]] for id in used.tolist()], np.float64)
            self.keys = ranks[np.searchsorted(used, ids)] if len(ids) else np.zeros(0)
        else:
            good = (tags == kind) & ~np.isnan(num)
            self.places = np.flatnonzero(good)
            self.keys = num[self.places]

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
