"""Indexes of lookup ranges: what makes fifty thousand VLOOKUPs over one table a matter of milliseconds.

An index (``lineindex``) is kept while a book is computed (``kept``): a range that has been read does not change after
that within a run, because what it depends on was computed before. Whoever does change cells that were read (a round of
iterative calculation, a data table) calls ``forget``. Outside ``kept`` nothing is remembered between calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sheetrun.runtime.lineindex import Index
from sheetrun.runtime.values import Arr

_KEPT_MOST: Final = 256

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
