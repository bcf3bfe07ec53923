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
from sheetrun.runtime.addresslists import read_keys


def alike(*columns: str) -> Iterator[tuple[Any, ...]]:
    """Row by row what the columns list: addresses as keys of a sheet (row and column, or both corners), and numbers."""
    return zip(*map(_column, columns), strict=True)


def together(*columns: str) -> Iterator[tuple[Any, ...]]:
    """All rows as one: ``Cells``, and numbers as an array of one column, or as a number that they all are."""
    yield tuple(_together(_column(text)) for text in columns)


def _column(text: str) -> Sequence[Any]:
    return list(map(float, text.split())) if text.lstrip()[0].isdigit() else read_keys(text)


def _together(column: Sequence[Any]) -> Any:
    if not isinstance(column[0], float):
        return Cells(*np.array(column, np.int64).T)
    return column[0] if len(set(column)) == 1 else np.array(column)[:, None]
