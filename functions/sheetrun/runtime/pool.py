"""The pool of strings: a text in an array is its number here, so arrays of text are arrays of integers.

One pool per process. Equal strings have one id. For each string the pool also knows, when asked, the id of its
case-folded form (Excel compares text without case) and what it reads as in arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sheetrun.runtime.cells import TEXT, Numbers, Tags

_texts: list[str] = []
_ids: dict[str, int] = {}
_folded: NDArray[np.int32] = np.empty(0, np.int32)
_folded_count = 0
_read_as: Numbers = np.empty(0)
_read_count = 0
_MOST_ENTRIES: Final = 1 << 16
#: (num, tag) of texts that formulas gave lately, the number being what a text reads as.
entries: dict[str, tuple[float, int]] = {}


def intern(text: str) -> int:
    """The id of a string, new or known."""
    found = _ids.get(text)
    if found is None:
        found = _ids[text] = len(_texts)
        _texts.append(text)
    return found


def text(id: int) -> str:
    return _texts[id]


def tag_of(value: str) -> int:
    """The tag of a text cell."""
    return TEXT + intern(value)


def tags_of(values: Iterable[str]) -> Tags:
    return np.fromiter((TEXT + intern(v) for v in values), np.int32)


def fold(value: str) -> str:
    """The form in which texts are compared: without case."""
    return value.casefold() if not value.isascii() else value.lower()


def folded() -> NDArray[np.int32]:
    """For each id, the id of its folded text (shape: size of the pool)."""
    global _folded, _folded_count
    while _folded_count < len(_texts):
        new = [intern(fold(t)) for t in _texts[_folded_count:]]
        _folded = _grown(_folded, _folded_count, new)
        _folded_count += len(new)
    return _folded[:_folded_count]


def read_as(parse: Callable[[str], float]) -> Numbers:
    """For each id, ``parse(text)``: its number or a boxed #VALUE! (``parse`` must always be the same function)."""
    global _read_as, _read_count
    if _read_count < len(_texts):
        new = [parse(t) for t in _texts[_read_count:]]
        _read_as = _grown(_read_as, _read_count, new)
        _read_count += len(new)
    return _read_as[:_read_count]


def _grown(array: Any, count: int, new: Sequence[float]) -> Any:
    """An array with more behind its first ``count`` places; its room doubles, so that texts one by one cost little."""
    if count + len(new) > len(array):
        more = np.empty(max(2 * len(array), count + len(new), 256), array.dtype)
        more[:count] = array[:count]
        array = more
    array[count : count + len(new)] = new
    return array


def enter(text: str, number: float) -> tuple[float, int]:
    """Keeps (num, tag) of a text among ``entries``."""
    if len(entries) >= _MOST_ENTRIES:
        entries.clear()
    entry = entries[text] = number, tag_of(text)
    return entry


def forget_readings() -> None:
    """Drops what texts read as: a new run reads dates in another way."""
    global _read_as, _read_count
    entries.clear()
    _read_as, _read_count = np.empty(0), 0
