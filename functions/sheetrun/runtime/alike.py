"""Lists of cells in a script, for formulas that differ only in which cells they name and which numbers are in them.

for cell, ref1, num1 in alike('C7 D9', 'B2 A1:A9', '0.5 2.0'):
    s[cell] = SUM(s.arr[ref1]) * num1

for cell, ref1, num1 in together('C7 D9', 'B2 A1', '0.5 2.0'):
    s[cell] = s.n[ref1] * num1
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sheetrun.runtime.address import Cells
from sheetrun.runtime.addresslists import read_corners, read_keys


def alike(*columns: str) -> Iterator[tuple[Any, ...]]:
    """Row by row what the columns list: addresses as keys of a sheet (row and column, or both corners), and numbers."""
    return zip(*map(_column, columns), strict=True)


def together(*columns: str) -> Iterator[tuple[Any, ...]]:
    """All rows as one: ``Cells``, and numbers as an array of one column, or as a number that they all are."""
    yield tuple(map(_together, columns))


def _column(text: str) -> Sequence[Any]:
    return _numbers(text) if _has_numbers(text) else read_keys(text)


def _together(text: str) -> Any:
    if not _has_numbers(text):
        return Cells(*read_corners(text).T[:2])
    numbers = _numbers(text)
    return numbers[0] if len(set(numbers)) == 1 else np.array(numbers)[:, None]


def _has_numbers(text: str) -> bool:
    return text.lstrip()[0].isdigit()


def _numbers(text: str) -> list[float]:
    return list(map(float, text.split()))
