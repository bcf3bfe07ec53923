"""Whether computed cells equal stored ones: numbers within 1e-9 relative, all else exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, Mask, error_numbers

TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a file and of a run by common ids, those of the file first."""

    by_id: Sequence[str]
    ids: Any  #: for each of the run's texts the id of the equal one
    first: Any  #: for each id the first that stands for an equal text (a file may have a text twice)

    @classmethod
    def of(cls, excel: Sequence[str], ours: Sequence[str]) -> Texts:
        known: dict[str, int] = {}
        for i, text in enumerate(excel):
            known.setdefault(text, i)
        texts = list(excel)
        ids = np.empty(len(ours), np.int32)
        for i, text in enumerate(ours):
            found = known.get(text)
            if found is None:
                found = known[text] = len(texts)
                texts.append(text)
            ids[i] = found
        return cls(texts, ids, np.array([known[t] for t in texts], np.int32))

    def renumbered(self, tag: Any) -> Any:
        """The run's tags with the common ids."""
        return np.where(tag >= TEXT, TEXT + self.ids[np.maximum(tag - TEXT, 0)], tag) if len(self.ids) else tag

    def same(self, num: Any, tag: Any, our_num: Any, our_tag: Any) -> Mask:
        """Which cells are equal, tags by common ids. An empty stored value equals an empty text."""
        with np.errstate(all="ignore"):
            close = np.abs(num - our_num) <= TOLERANCE * np.maximum(np.abs(num), np.abs(our_num))
        nan, our_nan = np.isnan(num) & (tag == NUMBER), np.isnan(our_num) & (our_tag == NUMBER)
        numbers = (tag == NUMBER) & (our_tag == NUMBER) & ~nan & ~our_nan & close
        errors = nan & our_nan
        if errors.any():
            errors &= error_numbers(num) == error_numbers(our_num)
        logicals = (tag == LOGICAL) & (our_tag == LOGICAL) & (num == our_num)
        texts = (tag >= TEXT) & (our_tag >= TEXT)
        if texts.any():
            left, right = self.first[np.where(texts, tag - TEXT, 0)], self.first[np.where(texts, our_tag - TEXT, 0)]
            texts &= left == right
        same: Mask = numbers | errors | logicals | texts | ((tag == EMPTY) & (our_tag == EMPTY))
        return same
