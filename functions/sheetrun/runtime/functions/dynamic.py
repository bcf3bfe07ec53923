"""Dynamic arrays: SEQUENCE, RANDARRAY, FILTER, SORT, SORTBY, UNIQUE."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sheetrun.runtime import pool
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, error_numbers
from sheetrun.runtime.compare import sort_key
from sheetrun.runtime.errors import CALC, NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.refops import spread
from sheetrun.runtime.refs import Ref
from sheetrun.runtime.registry import excel, kept
from sheetrun.runtime.tails import Tailed, aligned, tailed
from sheetrun.runtime.values import MISSING, Arr, Value

_MOST: int = 1 << 24  #: cells of an array that is made from nothing


def _room(rows: int, columns: int) -> tuple[int, int]:
    if rows < 0 or columns < 0:
        raise Raised(VALUE)
    if rows == 0 or columns == 0:
        raise Raised(CALC)
    if rows > 1_048_576 or columns > 16_384:
        raise Raised(VALUE)
    if rows * columns > _MOST:
        raise Raised(NUM)
    return rows, columns


@excel("SEQUENCE(rows: integer ~ 1, [columns: integer ~ 1], [start: number ~ 1], [step: number ~ 1]) -> array")
def sequence(rows: int, columns: int, start: float, step: float) -> Arr:
    """Numbers in order over rows and columns."""
    shape = _room(rows, columns)
    return Arr((float(start) + np.arange(shape[0] * shape[1], dtype=np.float64) * float(step)).reshape(shape))


@excel(
    "RANDARRAY(host: host, [rows: integer ~ 1], [columns: integer ~ 1], [min: number ~ 0], [max: number ~ 1], "
    "[whole_number: logical ~ FALSE]) -> array",
    draws=True,
)
def randarray(host: Ref, rows: int, columns: int, low: float, high: float, whole: bool) -> Arr:
    """Random numbers between two bounds over rows and columns."""
    shape = _room(rows, columns)
    if low > high or (whole and (low != math.trunc(low) or high != math.trunc(high))):
        raise Raised(VALUE)
    draws = np.array([host.book.random() for _ in range(shape[0] * shape[1])]).reshape(shape)
    if whole:
        return Arr(low + np.floor(draws * (high - low + 1)))
    return Arr(low + draws * (high - low))


def truths(include: Arr) -> Any:
    """A column or row of conditions as booleans; an error is the result, a text is #VALUE!."""
    error = include.first_error()
    if error is not None:
        raise Raised(error)
    if include.texts().any():
        raise Raised(VALUE)
    return include.num.ravel() != 0.0


@excel("FILTER(array: array, include: array, [if_empty: raw]) -> array", tails=kept)
def filter_(array: Arr | Tailed, include: Arr | Tailed, if_empty: Value = None) -> Value:
    """The rows (or columns) of an array for which a condition holds."""
    rows, columns = array.shape
    if include.shape == (rows, 1):
        chosen = _chosen_rows(array, include)
    elif include.shape == (1, columns):
        chosen = _chosen_rows(array.transposed(), include.transposed())
        chosen = None if chosen is None else chosen.transposed()
    else:
        raise Raised(VALUE)
    if chosen is not None:
        return chosen
    if if_empty is None:
        raise Raised(CALC)
    return "" if if_empty is MISSING else if_empty


def _chosen_rows(array: Value, include: Value) -> Value:
    """The rows for which a condition holds; None when it holds for none."""
    (cells, conditions), rows, tall = aligned([array, include])
    holds = truths(conditions)
    chosen = cells.take(holds, slice(None))
    more = tall - rows if holds[-1] else 0
    return tailed(chosen, (chosen.shape[0] + more, chosen.shape[1])) if chosen.num.size else None


def line_ranks(cells: Arr) -> Any:
    """For each cell of a row or column a key that sorts as Excel does: numbers, texts, logicals, errors, empties.

    Shape (n, 2): the place of the type, and the order within it (texts without case, errors by their numbers).
    """
    num, tag = cells.num.ravel(), cells.tags().ravel()
    errors = (tag == NUMBER) & np.isnan(num)
    kinds = np.select([errors, tag >= TEXT, tag == LOGICAL, tag == EMPTY], [3, 1, 2, 4], 0)
    keys = np.where(errors, error_numbers(num), np.where(tag == EMPTY, 0.0, num))
    texts = tag >= TEXT
    if texts.any():
        ids = tag[texts] - TEXT
        used = np.unique(ids)
        words = {id: sort_key(pool.text(id)) for id in used.tolist()}
        rank = {key: float(i) for i, key in enumerate(sorted(set(words.values())))}
        keys[texts] = np.array([rank[words[id]] for id in used.tolist()])[np.searchsorted(used, ids)]
    return np.stack([kinds.astype(np.float64), keys], axis=1)


def sorted_places(keys: list[tuple[Arr, bool]]) -> Any:
    """The order of lines by keys (cells, descending), the most important first; equal lines stay as they are.

    Empty cells come last in both directions.
    """
    parts = []
    for cells, descending in keys:
        ranks = line_ranks(cells)
        if descending:
            ranks = np.where(ranks[:, :1] == 4, ranks, -ranks)
        parts += [ranks[:, 0], ranks[:, 1]]
    return np.lexsort(parts[::-1])


def _direction(value: float) -> bool:
    if value not in (1.0, -1.0):
        raise Raised(VALUE)
    return value < 0


def _numbers(value: Value, default: float) -> list[float]:
    from sheetrun.runtime.coerce import to_number

    if value is None or value is MISSING:
        return [default]
    out = []
    for cell in Arr.of(value):
        number = to_number(cell)
        if isinstance(number, ExcelError):
            raise Raised(number)
        out.append(float(math.trunc(number)))
    return out


@excel("SORT(array: array, [sort_index: raw], [sort_order: raw], [by_col: logical ~ FALSE]) -> array", tails=kept)
def sort(array: Arr | Tailed, index: Value, order: Value, by_column: bool) -> Value:
    """The rows of an array in order of one or more columns (or columns in order of rows)."""
    if isinstance(array, Tailed):
        cells = _sorted(array.arr() if by_column else array.cut(), index, order, by_column)
        return cells if cells.shape == array.shape else Tailed(None, array.shape, cells=cells)  # empty rows come last
    return _sorted(array, index, order, by_column)


def _sorted(array: Arr, index: Value, order: Value, by_column: bool) -> Arr:
    table = array.transposed() if by_column else array
    columns = _numbers(index, 1.0)
    orders = _numbers(order, 1.0)
    if len(orders) == 1:
        orders *= len(columns)
    if len(orders) != len(columns):
        raise Raised(VALUE)
    keys = []
    for column, direction in zip(columns, orders, strict=True):
        if not 1 <= column <= table.shape[1]:
            raise Raised(VALUE)
        at = int(column) - 1
        keys.append((table.take(slice(None), slice(at, at + 1)), _direction(direction)))
    done = table.take(sorted_places(keys), slice(None))
    return done.transposed() if by_column else done


@excel("SORTBY(array: array, *by_array: raw) -> array", tails=kept)
def sortby(array: Arr | Tailed, *arguments: Value) -> Value:
    """The rows (or columns) of an array in the order of other arrays, each followed by its direction."""
    if not arguments:
        raise Raised(VALUE)
    if not isinstance(array, Tailed):
        return _sorted_by(array, arguments)
    keys = [spread(k) for k in arguments[::2]]
    if not all(type(k) is Tailed and k.shape == (array.shape[0], 1) for k in keys):
        return _sorted_by(array.arr(), arguments)
    (cells, *by), rows, tall = aligned([array, *keys])
    if rows == tall or not all(k.empties()[-1].all() for k in by):
        return _sorted_by(array.arr(), arguments)
    arguments = tuple(by[i // 2] if i % 2 == 0 else a for i, a in enumerate(arguments))
    return Tailed(_sorted_by(cells, arguments), array.shape)  # rows with empty keys come last, the tail after them


def _sorted_by(array: Arr, arguments: tuple[Value, ...]) -> Arr:
    keys = []
    down: bool | None = None
    for i in range(0, len(arguments), 2):
        by = Arr.of(spread(arguments[i]))
        direction = _numbers(arguments[i + 1] if i + 1 < len(arguments) else None, 1.0)
        if len(direction) != 1:
            raise Raised(VALUE)
        this = by.shape == (array.shape[0], 1)
        if not this and by.shape != (1, array.shape[1]):
            raise Raised(VALUE)
        if down is None:
            down = this
        elif down != this:
            raise Raised(VALUE)
        keys.append((by, _direction(direction[0])))
    places = sorted_places(keys)
    return array.take(places, slice(None)) if down else array.take(slice(None), places)


def same_keys(array: Arr) -> Any:
    """Cells as integers that are equal where Excel finds values equal (texts without case).

    Shape (rows, 2 × columns).
    """
    tag = array.tags()
    texts = tag >= TEXT
    kinds = tag.astype(np.int64)
    if texts.any():
        kinds = np.where(texts, TEXT + pool.folded()[np.where(texts, tag - TEXT, 0)].astype(np.int64), kinds)
    bits = np.where(texts, 0.0, array.num + 0.0)
    return np.concatenate([np.ascontiguousarray(bits).view(np.int64), kinds], axis=1)


def _with_an_end(array: Tailed) -> list[slice]:
    """The part that is held and one more row or column where there is a tail: what comes there comes not once only."""
    return [slice(0, h + (h < s)) for h, s in zip(array.held, array.shape, strict=True)]


@excel("UNIQUE(array: raw, [by_col: logical ~ FALSE], [exactly_once: logical ~ FALSE]) -> array")
def unique(array: Value, by_column: bool, once: bool) -> Arr:
    """The different rows (or columns) of an array, as they first come; or those that come exactly once.

    Of whole columns (or rows) the empty cells after the last value are there as well, as one more row.
    """
    if isinstance(array, ExcelError):
        raise Raised(array)
    array = array.whole() if isinstance(array, Ref) else None if array is MISSING else array
    cells = array.take(*_with_an_end(array)) if type(array) is Tailed and not array.counts else array
    cells = Arr.of(cells)
    table = cells.transposed() if by_column else cells
    keys = same_keys(table)
    _, first, counts = np.unique(keys, axis=0, return_index=True, return_counts=True)
    chosen = np.sort(first[counts == 1] if once else first)
    if not len(chosen):
        raise Raised(CALC)
    done = table.take(chosen, slice(None))
    return done.transposed() if by_column else done
