"""What a script says that is no operator of Excel: variables, rows and columns to loop over, constants of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from sheetrun.runtime.cells import NUMBER
from sheetrun.runtime.refops import spread
from sheetrun.runtime.tails import is_array, shown
from sheetrun.runtime.values import Arr, Scalar, Value

_MOST_CONSTANTS: Final = 1 << 14


def let(value: Value, body: Callable[[Value], Value]) -> Value:
    """LET with one variable."""
    return body(value)


def rows(first: int, last: int) -> range:
    """Rows from ``first`` to ``last``, both included; downward counting when ``last`` is smaller."""
    return range(first, last + 1) if first <= last else range(first, last - 1, -1)


columns = rows


def elements(value: Value) -> Value:
    """The elements of an array that a function made, for COUNTA: one from an empty cell counts as well, unlike the cell.

    That is why COUNTA(UNIQUE(A:A)) is one more than the values of the column.
    """
    array = Arr.of(value)
    empty = array.empties()
    return Arr(array.num, np.where(empty, NUMBER, array.tags())) if empty.any() else array


def filling(value: Value, shape: tuple[int, int]) -> Value:
    """An array as the cells of an array formula of that shape see it; anything else as it is."""
    return shown(value, shape) if is_array(spread(value)) else value


_constants: dict[int, tuple[Any, Arr]] = {}


def text_array(values: Sequence[Sequence[Scalar]]) -> Arr:
    """An array constant. Tuples are constants of the script's code: each is made into an array once."""
    if type(values) is not tuple:
        return Arr.rows(values)
    kept = _constants.get(id(values))
    if kept is None or kept[0] is not values:
        if len(_constants) > _MOST_CONSTANTS:
            _constants.clear()
        kept = _constants[id(values)] = values, Arr.rows(values)
    return kept[1]
