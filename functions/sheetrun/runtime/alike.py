"""Lists of cells in a script, for formulas that differ only in which cells they name and which numbers are in them.

for cell, ref1, num1 in alike('C7 D9', 'B2 A1:A9', '0.5 2.0'):
    s[cell] = s.n[ref1] * num1
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sheetrun.runtime.addresslists import read_keys


def alike(*columns: str) -> Iterator[tuple[Any, ...]]:
    """Row by row what the columns list: addresses as keys of a sheet (row and column, or both corners), and numbers."""
    return zip(*map(_column, columns), strict=True)


def _column(text: str) -> Sequence[Any]:
    return list(map(float, text.split())) if text.lstrip()[0].isdigit() else read_keys(text)
