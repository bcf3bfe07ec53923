"""SUBTOTAL and AGGREGATE: aggregates that leave out other subtotals, hidden rows or errors.

Rows that a filter hides are always left out, rows hidden by hand only by functions 101 to 111 and the options that say
so. Cells whose formula holds a SUBTOTAL or AGGREGATE do not count a second time. Sources: Microsoft, "SUBTOTAL
function", "AGGREGATE function".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np

from sheetrun.runtime.book import Book
from sheetrun.runtime.cells import EMPTY, Mask, Numbers
from sheetrun.runtime.errors import VALUE, ExcelError, Raised
from sheetrun.runtime.functions import ranks
from sheetrun.runtime.functions.aggregate import checked, largest, mean, product_of, settled, smallest
from sheetrun.runtime.functions.statistics import median_of, modes, variance
from sheetrun.runtime.refs import Ref, Refs
from sheetrun.runtime.registry import excel
from sheetrun.runtime.tails import Tailed, is_array, numbers_only
from sheetrun.runtime.values import MISSING, Arr, Value

#: What function numbers 1 to 13 make of the numbers; 2 and 3 count cells and are not among them.
_OF_NUMBERS: Final[dict[int, Callable[[Numbers], float]]] = {
    1: mean,
    4: largest,
    5: smallest,
    6: product_of,
    7: lambda x: math.sqrt(variance(x, sample=True)),
    8: lambda x: math.sqrt(variance(x, sample=False)),
    9: settled,
    10: lambda x: variance(x, sample=True),
    11: lambda x: variance(x, sample=False),
    12: median_of,
    13: lambda x: float(modes(x)[0]),
}

#: Function numbers 14 to 19 of AGGREGATE: what they pick from sorted numbers.
_PICKS: Final[dict[int, Callable[[Numbers, float], float]]] = {
    14: ranks.kth_largest,
    15: ranks.kth_smallest,
    16: ranks.inclusive,
    17: ranks.quartile_inclusive,
    18: ranks.exclusive,
    19: ranks.quartile_exclusive,
}

_NESTED: Final = re.compile(r"(?<![A-Z0-9_.])(?:SUBTOTAL|AGGREGATE)\(", re.IGNORECASE)
_nested: WeakKeyDictionary[Book, tuple[int, frozenset[tuple[int, int, int]]]] = WeakKeyDictionary()


def _subtotals(book: Book) -> frozenset[tuple[int, int, int]]:
    """The (sheet, row, column) of all cells whose formula holds a subtotal."""
    known = _nested.get(book)
    if known is None or known[0] != len(book.formulas):
        found = frozenset(place for place, text in book.formulas.items() if _NESTED.search(text))
        known = _nested[book] = len(book.formulas), found
    return known[1]


def _areas(values: tuple[Value, ...]) -> Iterator[Ref]:
    """The rectangles of references; a 3-D one, or what is no reference, is #VALUE!."""
    for value in values:
        if isinstance(value, ExcelError):
            raise Raised(value)
        if isinstance(value, Refs):
            if len({r.sheet.index for r in value.refs}) > 1:
                raise Raised(VALUE)
            yield from value.refs
        elif isinstance(value, Ref):
            yield value
        else:
            raise Raised(VALUE)


def _visible(ref: Ref, cells: Arr, *, hidden: bool, nested: bool) -> Mask:
    """Which cells of a rectangle count. ``hidden``: rows hidden by hand are left out; ``nested``: subtotals are."""
    mask = np.ones(cells.shape, np.bool_)
    sheet, span = ref.sheet, ref.span
    if sheet.hidden_rows and (hidden or sheet.filtered):
        for row in sheet.hidden_rows:
            if span.top <= row < span.top + cells.shape[0]:
                mask[row - span.top] = False
    if nested:
        for index, row, column in _subtotals(ref.book):
            r, c = row - span.top, column - span.left
            if index == sheet.index and 0 <= r < cells.shape[0] and 0 <= c < cells.shape[1]:
                mask[r, c] = False
    return mask


def _kept(values: tuple[Value, ...], *, hidden: bool, nested: bool) -> Arr:
    """All cells that count, in one row (which may be empty)."""
    nums, tags = [np.empty(0)], [np.empty(0, np.int32)]
    for ref in _areas(values):
        cells = ref.arr()
        mask = _visible(ref, cells, hidden=hidden, nested=nested)
        nums.append(cells.num[mask])
        tags.append(cells.tags()[mask])
    return Arr(np.concatenate(nums).reshape(1, -1), np.concatenate(tags).reshape(1, -1))


def _result(function: int, cells: Arr, *, skip_errors: bool) -> float:
    if function == 2:
        return float(np.count_nonzero(cells.numbers()))
    if function == 3:
        full = cells.tags() != EMPTY
        return float(np.count_nonzero(full & ~cells.errors() if skip_errors else full))
    if not skip_errors:
        error = cells.first_error()
        if error is not None:
            raise Raised(error)
    return _OF_NUMBERS[function](cells.num[cells.numbers()])


@excel("SUBTOTAL(function: integer, *references: raw) -> number")
def subtotal(function: int, *references: Value) -> Value:
    """An aggregate of visible cells (1 to 11; 101 to 111 leave out rows hidden by hand too) without other subtotals."""
    number = function - 100 if function > 100 else function
    if not 1 <= number <= 11 or not references:
        raise Raised(VALUE)
    if len(references) == 1 and is_array(references[0]):
        return _one_by_one(number, Arr.of(references[0]))
    return _result(number, _kept(references, hidden=function > 100, nested=True), skip_errors=False)


def _one_by_one(number: int, cells: Arr) -> Value:
    """SUBTOTAL(3,OFFSET(A1,ROW(1:9),0)): an array here comes from many references to one cell each."""
    out = []
    for r in range(cells.shape[0]):
        for c in range(cells.shape[1]):
            try:
                out.append(_result(number, cells.take(slice(r, r + 1), slice(c, c + 1)), skip_errors=False))
            except Raised as stop:
                out.append(float(stop.error))
    return np.array(out).reshape(cells.shape)


@excel("AGGREGATE(function: integer, options: integer, *values: raw) -> any")
def aggregate(function: int, options: int, *values: Value) -> Value:
    """An aggregate without, by option, other subtotals (0 to 3), hidden rows (1, 3, 5, 7) or errors (2, 3, 6, 7)."""
    if not 1 <= function <= 19 or not 0 <= options <= 7 or not values:
        raise Raised(VALUE)
    hidden, nested, skip_errors = options in (1, 3, 5, 7), options <= 3, options in (2, 3, 6, 7)
    if function <= 13:
        return _result(function, _kept(values, hidden=hidden, nested=nested), skip_errors=skip_errors)
    if len(values) != 2:
        raise Raised(VALUE)
    source, k = values
    if isinstance(source, Ref | Refs):
        cells = _kept((source,), hidden=hidden, nested=nested)
    elif isinstance(source, ExcelError) and not skip_errors:
        raise Raised(source)
    else:
        if type(source) is Tailed:
            source = source.cut(Arr.errors) if skip_errors else numbers_only(source)
        cells = Arr.of(None if source is MISSING else source)
    error = None if skip_errors else cells.first_error()
    if error is not None:
        raise Raised(error)
    ordered = np.sort(checked(cells.num[cells.numbers()]))
    return _picked(_PICKS[function], ordered, Arr.of(None if k is MISSING else k))


def _picked(pick: Callable[[Numbers, float], float], ordered: Numbers, wanted: Arr) -> Value:
    """One answer for each k."""
    out = np.empty(wanted.shape)
    for at, k in np.ndenumerate(wanted.num):
        try:
            out[at] = pick(ranks.present(ordered), float(k)) if k == k else k
        except Raised as stop:
            out[at] = float(stop.error)
    return Arr(out).cell(0, 0) if out.size == 1 else out
