"""Many addresses at once: a list of them in one text, read by whole-text operations."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sheetrun.runtime.address import column_number, read_span

Corners: TypeAlias = NDArray[np.int64]

_CAPITALS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS: Final = b"0123456789"
_COLUMNS_ONLY: Final = bytes.maketrans(_DIGITS + b":", b" " * 11)
_ROWS_ONLY: Final = bytes.maketrans(_CAPITALS + b":", b" " * 27)
_KINDS: Final = bytes(
    ord("A") if c in _CAPITALS else ord("0") if c in _DIGITS else c if c in b" :" else ord("?") for c in range(256)
)
#: What does not follow each other in a list of addresses.
_WRONG: Final = (b"?", b"0A", b" 0", b":0", b"A ", b"A:", b"AAAA", b"00000000")


class _Columns(dict[bytes, int]):
    """Column numbers by their letters."""

    def __missing__(self, letters: bytes) -> int:
        number = self[letters] = column_number(letters.decode("ascii"))
        return number


_columns: Final = _Columns()


def read_keys(text: str) -> list[tuple[int, ...]]:
    """The addresses between the blanks of a text (``"DK17 A1:B9"``) as keys of a sheet: row and column, or both corners.
    Raises ValueError."""
    found = _corners(text)
    if found is None:
        return [tuple(span[:2] if single else span) for span, single in map(read_span, text.split())]
    rows, columns, ranges = found
    if not ranges:
        return list(zip(rows, columns, strict=True))
    keys: list[tuple[int, ...]] = []
    for top, left, bottom, right in zip(rows[::2], columns[::2], rows[1::2], columns[1::2], strict=True):
        if top > bottom:
            top, bottom = bottom, top
        if left > right:
            left, right = right, left
        keys.append((top, left, bottom, right))
    return keys


def read_corners(text: str) -> Corners:
    """The same as an array: top, left, bottom and right of each."""
    found = _corners(text)
    if found is None:
        return np.array([read_span(word)[0] for word in text.split()], np.int64).reshape(-1, 4)
    rows, columns, ranges = found
    ends = np.array((rows, columns), np.int64)
    if not ranges:
        return np.concatenate((ends, ends)).T
    first, last = np.sort((ends[:, ::2], ends[:, 1::2]), axis=0)
    return np.concatenate((first, last)).T


def _corners(text: str) -> tuple[list[int], list[int], bool] | None:
    """Rows and columns of all corners, and whether each address has two of them; None for a list that is not of cells
    only or ranges only, in capitals without ``$``."""
    if not text.isascii():
        return None
    data = b" %b " % b" ".join(text.encode("ascii").split())
    kinds = data.translate(_KINDS)
    if any(wrong in kinds for wrong in _WRONG):
        return None
    between = data.translate(None, _CAPITALS + _DIGITS)
    count = between.count(b" ") - 1
    ranges = b":" in between
    if ranges and between != b" :" * count + b" ":
        return None
    rows = list(map(int, data.translate(_ROWS_ONLY).split()))
    columns = list(map(_columns.__getitem__, data.translate(_COLUMNS_ONLY).split()))
    corners = 2 * count if ranges else count
    return (rows, columns, ranges) if len(rows) == len(columns) == corners else None
