"""Functions that call a LAMBDA: MAP, REDUCE, SCAN, BYROW, BYCOL, MAKEARRAY. A LAMBDA is a Python function of values.

The cells, rows and columns of a reference are handed on as references, so that OFFSET, ROW or SUBTOTAL can be asked of
them (measured for MAP).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from sheetrun.runtime.errors import CALC, VALUE, ExcelError, Raised, Unsupported
from sheetrun.runtime.functions.shaping import Functions
from sheetrun.runtime.refs import Ref, first_of
from sheetrun.runtime.registry import excel
from sheetrun.runtime.tails import Tailed, aligned, is_array, tailed
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value, common_shape

#: Calls of one MAP or MAKEARRAY: a column of a sheet has half as many places.
_MOST_CALLS: Final = 2**21
#: Rows behind the used range that are tried: where they all give what the last row gives, so do those in between.
_TAIL: Final = 12


def called(function: Value, *args: Value) -> Value:
    """The result of a LAMBDA; #VALUE! when it is no function or takes another number of arguments."""
    if isinstance(function, ExcelError):
        return function
    if not callable(function):
        return VALUE
    try:
        return function(*args)
    except TypeError as error:
        if "positional argument" in str(error):
            return VALUE
        raise
    except RecursionError:
        raise Raised(ExcelError("#NUM!")) from None


def one(value: Value) -> Scalar:
    """A result that must be a single value: an array inside an array is #CALC!."""
    from sheetrun.runtime.refops import spread

    value = spread(value)
    if is_array(value):
        return first_of(value) if value.size == 1 else CALC
    if callable(value):
        return CALC
    scalar: Scalar = None if value is MISSING else value
    return scalar


def _array(value: Value) -> Arr:
    if isinstance(value, ExcelError):
        raise Raised(value)
    return Arr.of(None if value is MISSING else value)


def _spread(value: Value) -> Value:
    return value if isinstance(value, Ref) or type(value) is Tailed else Arr.of(value)


def _places(value: Value, shape: tuple[int, int], rows: range) -> Iterator[Value]:
    """Each place of some rows of an array of that shape; of a reference that has it, each cell as a reference."""
    if isinstance(value, Ref) and value.shape == shape:
        return (value.moved(r, c, 1, 1) for r in rows for c in range(shape[1]))
    whole = Arr.of(value).expanded(shape)
    return iter(whole.take(slice(rows.start, rows.stop), slice(None)))


def _affordable(shape: tuple[int, int]) -> tuple[int, int]:
    """The shape of a result with a call for each place. Raises Unsupported when there are too many."""
    if shape[0] * shape[1] > _MOST_CALLS:
        raise Unsupported("too_large", f"a LAMBDA would be called {shape[0] * shape[1]:,} times")
    return shape


@excel("MAP(array: raw, *args: raw) -> array")
def map_(*args: Value) -> Value:
    """An array made by calling a LAMBDA with each place of one or more arrays."""
    *arrays, function = args
    if not arrays or any(map(callable, arrays)):
        return VALUE
    shape = _affordable(common_shape(_spread(a) for a in arrays))
    done = max(_filled_rows(a) for a in arrays)
    return _with_tail(shape, done, lambda rows: _mapped(arrays, function, shape, rows))


def _with_tail(shape: tuple[int, int], done: int, compute: Callable[[range], Arr | Functions]) -> Arr | Functions:
    """``compute`` for all rows of a result, of which those from ``done`` on come from empty cells: not each is computed."""
    height = shape[0]
    if height - done <= _TAIL:
        return compute(range(height))
    top, last = compute(range(done + _TAIL)), compute(range(height - 1, height))
    if isinstance(top, Functions) or isinstance(last, Functions):
        return compute(range(height))
    rest = top.take(slice(done, None), slice(None))
    if not all(_alike(row, rest, last) for row in range(_TAIL)):  # it depends on where a cell is
        return compute(range(height))
    num, tag = np.empty(shape), np.empty(shape, np.int32)
    num[: done + _TAIL], tag[: done + _TAIL] = top.num, top.tags()
    num[done + _TAIL :], tag[done + _TAIL :] = last.num, last.tags()
    return Arr(num, tag)


def _mapped(arrays: list[Value], function: Value, shape: tuple[int, int], rows: range) -> Arr | Functions:
    """MAP of some rows of its arrays; functions where a LAMBDA gives some (measured: REDUCE goes on with them)."""
    columns = [_places(a, shape, rows) for a in arrays]
    size = len(rows), shape[1]
    results = [called(function, *cells) for cells in zip(*columns, strict=True)]
    if any(map(callable, results)):
        return Functions([results[at : at + shape[1]] for at in range(0, len(results), shape[1])])
    return Arr.flat((one(result) for result in results), size)


def _alike(row: int, rest: Arr, last: Arr) -> bool:
    """Whether a row of results is the last one, bit for bit."""
    same = rest.num[row].tobytes() == last.num[0].tobytes()
    return same and bool((rest.tags()[row] == last.tags()[0]).all())


def _filled_rows(value: Value) -> int:
    """How many rows of an array there are until only empty cells follow: those of a reference end with the used range."""
    if isinstance(value, Ref):
        return max(value.sheet.used().bottom - value.span.top + 1, 0)
    if type(value) is Tailed:
        return value.held[0]
    return Arr.of(value).shape[0] if value is not MISSING else 1


@excel("REDUCE(initial: raw, array: raw, function: raw) -> any")
def reduce(initial: Value, array: Value, function: Any) -> Value:
    """The last value of calling a LAMBDA with the value so far and each place (an error is a place too: measured)."""
    last = None if initial is MISSING else initial
    for value in _folded(last, array, function):
        last = value
    return last


@excel("SCAN(initial: raw, array: raw, function: raw) -> array")
def scan(initial: Value, array: Value, function: Any) -> Value:
    """All values on the way of REDUCE."""
    shape = _spread(array).shape
    steps = [one(value) for value in _folded(None if initial is MISSING else initial, array, function)]
    return tailed(Arr.flat(steps, (len(steps) // shape[1], shape[1])), shape)


def _folded(value: Value, array: Value, function: Any) -> Iterator[Value]:
    """The value after each place of an array.

    The rows after the used range of a whole column are alike: once one of them changes nothing, none does.
    """
    if isinstance(array, Functions):
        for row in array.rows:
            for each in row:
                value = called(function, value, each)
                yield value
        return
    array = array.whole() if isinstance(array, Ref) else array
    if isinstance(array, ExcelError):
        raise Raised(array)
    (cells,), rows, tall = aligned([array if type(array) is Tailed else _array(array)])
    for cell in cells:
        value = called(function, value, cell)
        yield value
    tail = list(cells.take(slice(rows - 1, rows), slice(None)))
    for _ in range(tall - rows):
        before = value
        for cell in tail:
            value = called(function, value, cell)
            yield value
        if _unchanged(before, value):
            break


def _unchanged(before: Value, value: Value) -> bool:
    """Whether a step has changed nothing, bit for bit in an array."""
    if type(before) is not type(value) or type(value) is Tailed:
        return False
    if not is_array(value):
        return bool(before == value)
    one, other = Arr.of(before), Arr.of(value)
    return one.num.tobytes() == other.num.tobytes() and one.tags().tobytes() == other.tags().tobytes()


@excel("BYROW(array: raw, function: raw) -> array")
def byrow(array: Value, function: Any) -> Value:
    """One value for each row of an array."""
    if isinstance(array, Ref):
        ref, (height, width) = array, array.shape

        def compute(rows: range) -> Arr:
            return Arr.column([one(called(function, ref.moved(r, 0, 1, width))) for r in rows])

        return _with_tail((height, 1), _filled_rows(ref), compute)
    array = _array(array)
    rows = range(array.shape[0])
    return Arr.column([one(called(function, array.take(slice(r, r + 1), slice(None)))) for r in rows])


@excel("BYCOL(array: raw, function: raw) -> array")
def bycol(array: Value, function: Any) -> Arr:
    """One value for each column of an array."""
    if isinstance(array, Ref):
        height, width = array.shape
        return Arr.rows([[one(called(function, array.moved(0, c, height, 1))) for c in range(width)]])
    array = _array(array)
    columns = range(array.shape[1])
    return Arr.rows([[one(called(function, array.take(slice(None), slice(c, c + 1)))) for c in columns]])


@excel("MAKEARRAY(rows: number, columns: number, function: raw) -> array")
def makearray(height: float, width: float, function: Any) -> Value:
    """An array made by calling a LAMBDA with each row and column number. A size with a fraction is none (measured)."""
    rows, columns = int(height), int(width)
    if rows < 1 or columns < 1 or (rows, columns) != (height, width):
        return VALUE
    _affordable((rows, columns))
    places = ((float(r), float(c)) for r in range(1, rows + 1) for c in range(1, columns + 1))
    return Arr.flat((one(called(function, r, c)) for r, c in places), (rows, columns))


@excel("ISOMITTED(argument: raw) -> logical")
def isomitted(argument: Value) -> bool:
    """Whether an argument of a LAMBDA was left out."""
    return argument is MISSING
