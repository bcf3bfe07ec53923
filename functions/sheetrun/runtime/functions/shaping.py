"""Arrays cut, joined and reshaped: TAKE, DROP, VSTACK, HSTACK, WRAPROWS, TOCOL, EXPAND, CHOOSEROWS, TRIMRANGE."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from sheetrun.runtime.cells import Mask
from sheetrun.runtime.coerce import to_number
from sheetrun.runtime.errors import CALC, NA, NUM, VALUE, ExcelError, Raised, Unsupported
from sheetrun.runtime.refops import spread
from sheetrun.runtime.refs import Ref
from sheetrun.runtime.registry import excel, kept
from sheetrun.runtime.tails import Tailed, aligned, any_tailed, is_array, tailed
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value, common_shape

MOST_CELLS: Final = 2**23  #: of arrays joined: eight whole columns


def _count(value: Value) -> int | None:
    """A count argument; None when it is left out."""
    if value is None or value is MISSING:
        return None
    number = to_number(Arr.of(value).cell(0, 0))
    if isinstance(number, ExcelError):
        raise Raised(number)
    return math.trunc(number)


def _kept(size: int, count: int | None, *, drop: bool) -> slice:
    """The part of an axis that stays: ``count`` from the start, or from the end when negative."""
    if count is None:
        return slice(0, size)
    if drop:
        return slice(min(count, size), size) if count >= 0 else slice(0, max(size + count, 0))
    return slice(0, min(count, size)) if count >= 0 else slice(max(size + count, 0), size)


def _cut(array: Value, rows: Value, columns: Value, *, drop: bool) -> Value:
    if isinstance(array, ExcelError):
        raise Raised(array)
    if is_array(spread(rows)) or is_array(spread(columns)):
        return _first_of_each(array, Arr.of(rows), Arr.of(None if columns is MISSING else columns), drop=drop)
    source = array if isinstance(array, Ref) or type(array) is Tailed else Arr.of(array)
    down = _kept(source.shape[0], _count(rows), drop=drop)
    across = _kept(source.shape[1], _count(columns), drop=drop)
    if down.start >= down.stop or across.start >= across.stop:
        raise Raised(CALC)
    if isinstance(source, Ref):
        span = source.span
        top, left = span.top, span.left
        return Ref(
            source.sheet,
            span._replace(
                top=top + down.start, left=left + across.start, bottom=top + down.stop - 1, right=left + across.stop - 1
            ),
        )
    return source.take(down, across)


def _first_of_each(array: Value, rows: Arr, columns: Arr, *, drop: bool) -> Arr:
    """For each of many counts the first cell of what stays (measured)."""
    shape = common_shape((rows, columns))

    def first(down: Value, across: Value) -> Scalar:
        try:
            return Arr.of(_cut(array, down, across, drop=drop)).cell(0, 0)
        except Raised as stop:
            return stop.error

    return Arr.flat(map(first, rows.expanded(shape), columns.expanded(shape)), shape)


@excel("TAKE(array: raw, rows: raw, [columns: raw]) -> any")
def take(array: Value, rows: Value, columns: Value = None) -> Value:
    """The first rows or columns of an array, the last ones when negative. Of a reference, a reference."""
    return _cut(array, rows, columns, drop=False)


@excel("DROP(array: raw, rows: raw, [columns: raw]) -> any")
def drop(array: Value, rows: Value, columns: Value = None) -> Value:
    """An array without its first rows or columns, or without the last ones when negative."""
    return _cut(array, rows, columns, drop=True)


def _joined(arrays: list[Arr], *, down: bool) -> Arr:
    turned = arrays if down else [a.transposed() for a in arrays]
    width = max(a.shape[1] for a in turned)
    height = sum(a.shape[0] for a in turned)
    if width * height > MOST_CELLS:
        raise Unsupported("too_large", f"the arrays together would have {height:,} × {width:,} cells")
    num = np.full((height, width), float(NA))
    tag = np.zeros((height, width), np.int32)
    at = 0
    for a in turned:
        rows, columns = a.shape
        num[at : at + rows, :columns] = a.num
        if a.tag is not None:
            tag[at : at + rows, :columns] = a.tag
        at += rows
    done = Arr(num, tag if tag.any() else None)
    return done if down else done.transposed()


def _stacked(values: tuple[Value, ...], *, down: bool) -> Arr:
    if not values:
        raise Raised(VALUE)
    if any(v is CALC for v in values):
        raise Raised(CALC)  # an array without cells, TAKE(x,,0), leaves nothing to be joined with (measured)
    return _joined([Arr.of(None if v is MISSING else v) for v in values], down=down)


class Functions:
    """An array of functions, as HSTACK(SUM,AVERAGE) makes: for GROUPBY and PIVOTBY. In a cell each is #CALC!."""

    __slots__ = ("rows",)

    def __init__(self, rows: Sequence[Sequence[Value]]) -> None:
        self.rows = tuple(tuple(row) for row in rows)

    def arr(self) -> Arr:
        return Arr.rows([[CALC if callable(cell) else cell for cell in row] for row in self.rows])


def _stacked_functions(values: tuple[Value, ...], *, down: bool) -> Functions | None:
    """The arguments one below the other or side by side, where functions are among them."""
    if not any(callable(v) or isinstance(v, Functions) for v in values):
        return None
    tables = [v.rows if isinstance(v, Functions) else ((v,),) if callable(v) else Arr.of(v).to_rows() for v in values]
    if down:
        width = max(len(table[0]) for table in tables)
        return Functions([[*row, *[NA] * (width - len(row))] for table in tables for row in table])
    height = max(len(table) for table in tables)
    filled = [[*table, *[[NA] * len(table[0])] * (height - len(table))] for table in tables]
    return Functions([[cell for table in filled for cell in table[i]] for i in range(height)])


@excel("VSTACK(*array: raw) -> array")
def vstack(*arrays: Value) -> Value:
    """Arrays one below the other; what is missing on the right is #N/A."""
    return _stacked_functions(arrays, down=True) or _stacked(arrays, down=True)


@excel("HSTACK(*array: raw) -> array")
def hstack(*arrays: Value) -> Value:
    """Arrays side by side; what is missing below is #N/A."""
    functions = _stacked_functions(arrays, down=False)
    if functions is not None:
        return functions
    arrays = tuple(a.whole() if isinstance(a, Ref) else a for a in arrays)
    if not any_tailed(*arrays):
        return _stacked(arrays, down=False)
    parts, _, tall = aligned([a if type(a) is Tailed else Arr.of(None if a is MISSING else a) for a in arrays])
    joined = _joined(parts, down=False)
    return tailed(joined, (tall, joined.shape[1]))


def _left_out(cells: Arr, ignore: int) -> Mask:
    """Which cells TOCOL leaves out."""
    gone = np.zeros(cells.shape, np.bool_)
    if ignore & 1:
        gone |= cells.empties()
    if ignore & 2:
        gone |= cells.errors()
    return gone


def _line_of(array: Arr | Tailed, ignore: int, by_column: bool) -> Arr:
    """All cells in one row, without what is to be left out (1 empties, 2 errors, 3 both)."""
    if not 0 <= ignore <= 3:
        raise Raised(VALUE)
    if isinstance(array, Tailed):
        array = array.cut(lambda cells: _left_out(cells, ignore))
    source = array.transposed() if by_column else array
    num, tag = source.num.reshape(1, -1), source.tags().reshape(1, -1)
    line = Arr(num, tag)
    keep = ~_left_out(line, ignore).ravel()
    if not keep.any():
        raise Raised(CALC)
    return line.take(slice(None), keep)


@excel("TOROW(array: array, [ignore: integer ~ 0], [scan_by_column: logical ~ FALSE]) -> array", tails=kept)
def torow(array: Arr | Tailed, ignore: int, by_column: bool) -> Arr:
    """All cells of an array in one row."""
    return _line_of(array, ignore, by_column)


@excel("TOCOL(array: array, [ignore: integer ~ 0], [scan_by_column: logical ~ FALSE]) -> array", tails=kept)
def tocol(array: Arr | Tailed, ignore: int, by_column: bool) -> Arr:
    """All cells of an array in one column."""
    return _line_of(array, ignore, by_column).transposed()


def _wrapped(vector: Arr, count: int, pad: Any) -> Arr:
    if 1 not in vector.shape:
        raise Raised(VALUE)
    if count < 1:
        raise Raised(NUM)
    cells: list[Scalar] = list(vector)
    count = min(count, len(cells)) if len(cells) < count else count
    lines = -(-len(cells) // count)
    filler = NA if isinstance(pad, tuple) else pad
    return Arr.flat(cells + [filler] * (lines * count - len(cells)), (lines, count))


@excel("WRAPROWS(vector: array, wrap_count: integer, [pad_with: any ~ ()]) -> array")
def wraprows(vector: Arr, count: int, pad: Any) -> Arr:
    """A row or column cut into rows of a length."""
    return _wrapped(vector, count, pad)


@excel("WRAPCOLS(vector: array, wrap_count: integer, [pad_with: any ~ ()]) -> array")
def wrapcols(vector: Arr, count: int, pad: Any) -> Arr:
    """A row or column cut into columns of a length."""
    return _wrapped(vector, count, pad).transposed()


@excel("EXPAND(array: array, rows: raw, [columns: raw], [pad_with: any ~ ()]) -> array")
def expand(array: Arr, rows: Value, columns: Value, pad: Any) -> Arr:
    """An array made larger, filled with #N/A or what is given."""
    tall, wide = array.shape
    height, width = _count(rows), _count(columns)
    height, width = tall if height is None else height, wide if width is None else width
    if height < tall or width < wide:
        raise Raised(VALUE)
    if height * width > 1 << 24:
        raise Raised(NUM)
    out = Arr.full((height, width), NA if isinstance(pad, tuple) else pad)
    num, tag = out.num.copy(), out.tags().copy()
    num[:tall, :wide], tag[:tall, :wide] = array.num, array.tags()
    return Arr(num, tag)


def _places(size: int, numbers: tuple[Value, ...]) -> list[int]:
    out = []
    for value in numbers:
        array = Arr.of(value)
        if 1 not in array.shape:
            raise Raised(VALUE)  # measured: rows of numbers, or columns, but no table of them
        for cell in array:
            number = to_number(cell)
            if isinstance(number, ExcelError):
                raise Raised(number)
            at = math.trunc(number)
            if at == 0 or abs(at) > size:
                raise Raised(VALUE)
            out.append(at - 1 if at > 0 else size + at)
    if not out:
        raise Raised(VALUE)
    return out


@excel("CHOOSEROWS(array: array, *row_num: values) -> array")
def chooserows(array: Arr, *numbers: Value) -> Arr:
    """Rows of an array by their numbers, from the end when negative."""
    return array.take(_places(array.shape[0], numbers), slice(None))


@excel("CHOOSECOLS(array: array, *col_num: values) -> array", tails=kept)
def choosecols(array: Arr | Tailed, *numbers: Value) -> Value:
    """Columns of an array by their numbers, from the end when negative."""
    (cells,), _, tall = aligned([array])
    chosen = cells.take(slice(None), _places(cells.shape[1], numbers))
    return tailed(chosen, (tall, chosen.shape[1]))


def _trimmed(used: Any, mode: int) -> tuple[int, int]:
    """First and last line to keep: leading (1) or trailing (2) empty ones go, or both (3)."""
    if not 0 <= mode <= 3:
        raise Raised(VALUE)
    places = np.flatnonzero(used)
    if not len(places):
        raise Raised(CALC)
    return (int(places[0]) if mode & 1 else 0), (int(places[-1]) if mode & 2 else len(used) - 1)


@excel("TRIMRANGE(range: raw, [trim_rows: number ~ 3], [trim_cols: number ~ 3]) -> any")
def trimrange(source: Value, trim_rows: float, trim_cols: float) -> Value:
    """A range without the empty rows and columns at its edges. Which edges is a whole number from 0 to 3."""
    rows, columns = int(trim_rows), int(trim_cols)
    if rows != trim_rows or columns != trim_cols:
        raise Raised(VALUE)  # measured
    if isinstance(source, ExcelError):
        raise Raised(source)
    cells = Arr.of(source)
    used = ~cells.empties()
    if not isinstance(source, Ref) and not used.any():
        raise Raised(VALUE)  # measured
    top, bottom = _trimmed(used.any(axis=1), rows)
    left, right = _trimmed(used.any(axis=0), columns)
    if not isinstance(source, Ref):
        return cells.take(slice(top, bottom + 1), slice(left, right + 1))
    span = source.span
    below, beside = source.shape[0] - cells.shape[0], source.shape[1] - cells.shape[1]  # empty, past the used range
    return Ref(
        source.sheet,
        span._replace(
            top=span.top + top,
            left=span.left + left,
            bottom=span.top + bottom + (0 if rows & 2 else below),
            right=span.left + right + (0 if columns & 2 else beside),
        ),
    )
