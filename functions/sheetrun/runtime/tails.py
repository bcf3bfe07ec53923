"""Whole columns and rows in array formulas: arrays whose end repeats itself, so that it is held and computed once.

``--(A:A="")`` has 1,048,576 rows, and those below the used range are all alike. A ``Tailed`` has that shape and holds the
rows that differ and one more, which stands for all that follow (columns likewise):

    A          A=""       held            shape
    x          FALSE      FALSE           1,048,576 × 1
    (empty)    TRUE       TRUE
    y          FALSE      FALSE
    (empty)    TRUE       TRUE  ← the tail
    …          …

What goes cell by cell is done ``over`` the held cells alone. A function that does not know of tails gets the array
filled (``Arr.of``), so that it is never wrong, only slower; an array that is too large for that ends as Unsupported.
``counts``: ROW(A:A), whose tail goes on counting; it stays small where what it meets there leaves nothing of it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from sheetrun.runtime.cells import EMPTY, Mask, Numbers
from sheetrun.runtime.errors import Unsupported
from sheetrun.runtime.values import Arr, Scalar, Value, common_shape, erring

#: Cells of an array that is filled: eight whole columns, some 100 MB.
MOST_CELLS: Final = 1 << 23

Shape = tuple[int, int]


class Tailed:
    """An array of the given shape whose last held row and column, where it holds fewer, stand for all that follow."""

    __slots__ = ("_body", "_cells", "counts", "shape")
    __array_ufunc__ = None  # NumPy leaves ``array + tailed`` to __radd__

    def __init__(self, body: Value, shape: Shape, *, counts: bool = False, cells: Arr | None = None) -> None:
        """``body``: an Arr or a NumPy array. ``cells``: an Arr after which all cells are empty, instead of a body."""
        self._body = body
        self._cells = cells
        self.shape = shape
        self.counts = counts

    def __repr__(self) -> str:
        return f"Tailed({self.body!r}, {self.shape})"

    @property
    def size(self) -> int:
        return self.shape[0] * self.shape[1]

    @property
    def body(self) -> Any:
        """The held cells, the tail among them: an Arr or a NumPy array."""
        if self._body is None:
            assert self._cells is not None
            held = self._cells.shape
            self._body = _padded(self._cells, tuple(h + (h < s) for h, s in zip(held, self.shape, strict=True)))
        return self._body

    @property
    def held(self) -> Shape:
        """The shape of the body."""
        rows, columns = self.body.shape
        return rows, columns

    def cell(self, row: int, col: int) -> Scalar:
        if self.counts:
            return float(self.body[0, 0]) + row
        rows, columns = self.held
        return Arr.of(self.body).cell(min(row, rows - 1), min(col, columns - 1))

    def take(self, rows: slice, columns: slice) -> Value:
        """A part of consecutive rows and columns."""
        down, across = range(self.shape[0])[rows], range(self.shape[1])[columns]
        body, held = self.body, self.held
        if self.counts:
            body = body[0, 0] + np.arange(down.start, min(down.stop, max(held[0], down.start + 2)))[:, None]
            return tailed(body, (len(down), 1), counts=True)
        r = np.arange(min(down.start, held[0] - 1), min(down.stop, held[0]))
        c = np.arange(min(across.start, held[1] - 1), min(across.stop, held[1]))
        return tailed(_taken(body, r, c), (len(down), len(across)))

    def transposed(self) -> Value:
        body = Arr.of(self.arr() if self.counts else self.body).transposed()
        return tailed(body, (self.shape[1], self.shape[0]))

    def arr(self) -> Arr:
        """All cells. Raises Unsupported when they are too many."""
        rows, columns = self.shape
        affordable(rows, columns)
        return Arr.of(_extended(self, self.shape))

    def cut(self, droppable: Callable[[Arr], Mask] = Arr.empties) -> Arr:
        """Without its tail where nothing in there counts: none but empty cells, or what else may be dropped."""
        if self._cells is not None and droppable is Arr.empties:
            return self._cells
        if not self.ends_in(droppable):
            return self.arr()
        rows, columns = (slice(0, max(h - (h < s), 1)) for h, s in zip(self.held, self.shape, strict=True))
        return Arr.of(self.body).take(rows, columns)

    def ends_in(self, droppable: Callable[[Arr], Mask]) -> bool:
        """Whether there is nothing in its tail but what may be dropped."""
        if self.counts:
            return False
        if self._cells is not None and droppable is Arr.empties:
            return True
        gone = droppable(Arr.of(self.body))
        (rows, columns), (tall, wide) = self.held, self.shape
        return bool((rows == tall or gone[-1].all()) and (columns == wide or gone[:, -1].all()))

    def once(self) -> Arr:
        """The held cells, for what does not change when a cell comes twice: the largest number, a first match."""
        return self.arr() if self.counts else Arr.of(self.body)

    def pieces(self) -> Iterator[tuple[Arr, int]]:
        """Parts of the held cells, and how often each comes."""
        if self.counts:
            yield self.arr(), 1
            return
        body = Arr.of(self.body)
        (rows, columns), (tall, wide) = self.held, self.shape
        for down, high in ((slice(0, rows - 1), 1), (slice(rows - 1, rows), tall - rows + 1)):
            for across, broad in ((slice(0, columns - 1), 1), (slice(columns - 1, columns), wide - columns + 1)):
                part = body.take(down, across)
                if part.size:
                    yield part, high * broad

    # -- arithmetic with numbers and float64 arrays, as the script writes it ------------------------------------------

    def __add__(self, other: Any) -> Any:
        return self._moved(other, operator.add)

    def __radd__(self, other: Any) -> Any:
        return over(operator.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self._moved(other, operator.sub)

    def __rsub__(self, other: Any) -> Any:
        return over(operator.sub, other, self)

    def __mul__(self, other: Any) -> Any:
        return over(operator.mul, *settled(self, other))

    def __rmul__(self, other: Any) -> Any:
        return over(operator.mul, *settled(other, self))

    def __neg__(self) -> Any:
        return over(operator.neg, self)

    def _moved(self, other: Any, operation: Callable[[Any, Any], Any]) -> Any:
        if self.counts and type(other) is float:
            return Tailed(operation(self.body, other), self.shape, counts=True)
        return over(operation, self, other)


def _counted(a: Tailed) -> Numbers:
    """All numbers of an array that counts."""
    affordable(*a.shape)
    return _extended(a, a.shape)  # type: ignore[no-any-return]


class _Settled:
    """A Tailed that counts, where its tail is known to leave nothing in a result."""

    __slots__ = ("shape", "start")

    def __init__(self, array: Tailed) -> None:
        self.shape = array.shape
        self.start = float(array.body[0, 0])


def tailed(body: Value, shape: Shape, *, counts: bool = False) -> Value:
    """A Tailed, or the body itself when it is the whole."""
    return body if body.shape == shape else Tailed(body, shape, counts=counts)


def affordable(rows: int, columns: int) -> None:
    """Raises Unsupported for an array that is too large to be filled."""
    if rows * columns > MOST_CELLS:
        raise Unsupported("too_large", f"an array of {rows:,} × {columns:,} cells would be needed in full")


def is_array(value: Value) -> bool:
    """True for what has more than one place and is no reference: an Arr, a bare NumPy array, a Tailed."""
    return type(value) is Arr or isinstance(value, np.ndarray) or type(value) is Tailed


def any_tailed(*values: Value) -> bool:
    return any(type(value) is Tailed for value in values)


def settled(a: Value, b: Value) -> tuple[Any, Any]:
    """Factors (or what is divided by 0), of which one may be left to count: the other is 0 or an error in its tail."""
    if not (type(a) is Tailed and type(b) is Tailed) or a.counts == b.counts or a.shape != b.shape:
        return a, b
    other = Arr.of((b if a.counts else a).body)
    if other.shape[0] == a.shape[0]:
        return a, b
    gone = (other.num[-1] == 0.0) | np.isnan(other.num[-1])
    if not gone.all():
        return a, b
    return (_Settled(a), b) if a.counts else (a, _Settled(b))


def silent(value: Value, chosen: Value) -> Value:
    """A value that is taken where ``chosen`` (a mask) holds: one that counts is left to, when it is not in the tail."""
    if type(value) is Tailed and value.counts and type(chosen) is Tailed and chosen.shape == value.shape:
        mask = np.asarray(chosen.body)
        if mask.shape[0] < value.shape[0] and not mask[-1].any():
            return _Settled(value)
    return value


def over(function: Callable[..., Any], *args: Value) -> Value:
    """What ``function``, which goes cell by cell, makes of arrays of which one at least is Tailed."""
    parts = [_counted(a) if type(a) is Tailed and a.counts else a for a in args]
    shape = common_shape(a for a in parts if hasattr(a, "shape"))
    held = _common(parts, shape)
    affordable(*held)
    result = function(*(_fitted(a, held, shape) for a in parts))
    if not hasattr(result, "shape"):
        return result
    if result.shape != held:
        result = Arr.of(result).expanded(held)
    return tailed(result, shape)


def aligned(arrays: Sequence[Value]) -> tuple[list[Arr], int, int]:
    """Arrays below one another's rows: (each with the rows that all of them hold, how many those are, how many there are).

    The last of the rows is a tail if they are fewer than there are. An array that ends before has fewer rows.
    """
    tall: int = max(a.shape[0] for a in arrays)
    filled = [a.arr() if type(a) is Tailed and (a.counts or a.held[1] < a.shape[1]) else a for a in arrays]
    rows = 1
    for a in filled:
        own = a.shape[0]
        rows = max(rows, min(own + 1, tall) if own < tall else a.held[0] if type(a) is Tailed else own)
    return [_rows(a, min(rows, a.shape[0])) for a in filled], rows, tall


def _rows(a: Value, rows: int) -> Arr:
    if type(a) is Tailed:
        affordable(rows, a.shape[1])
        return Arr.of(_extended(a, (rows, a.shape[1])))
    return Arr.of(a)


def _common(parts: Sequence[Value], shape: Shape) -> Shape:
    """How many rows and columns must be held for all arrays: where one ends before, #N/A follows."""
    held = [1, 1]
    for a in parts:
        if not hasattr(a, "shape") or type(a) is _Settled:
            continue
        for axis in (0, 1):
            own, whole = a.shape[axis], shape[axis]
            if own == whole:
                held[axis] = max(held[axis], a.held[axis] if type(a) is Tailed else own)
            elif own > 1:
                held[axis] = max(held[axis], own + 1)
    return held[0], held[1]


def _fitted(a: Value, held: Shape, shape: Shape) -> Value:
    """One argument of ``over`` for the held cells."""
    if type(a) is _Settled:
        return a.start + np.arange(held[0], dtype=np.float64)[:, None]
    if not hasattr(a, "shape"):
        return a
    if type(a) is Tailed:
        if all(own in (1, whole) for own, whole in zip(a.shape, shape, strict=True)):
            return _extended(a, tuple(1 if own == 1 else h for own, h in zip(a.shape, held, strict=True)))
        a = _extended(a, a.shape)  # it ends before the others do
    target = (1 if a.shape[0] == 1 else held[0]), (1 if a.shape[1] == 1 else held[1])
    if a.shape == target:
        return a
    wide = Arr.of(a).expanded(target)
    return erring(wide.num) if isinstance(a, np.ndarray) and a.dtype != np.bool_ else wide


def _extended(a: Tailed, shape: Any) -> Value:
    """The body with its tail repeated up to a shape."""
    if a.counts:
        return a.body[0, 0] + np.arange(shape[0], dtype=np.float64)[:, None]
    held = a.held
    if held == tuple(shape):
        return a.body
    rows, columns = (np.minimum(np.arange(n), h - 1) for n, h in zip(shape, held, strict=True))
    return _taken(a.body, rows, columns)


def _taken(body: Value, rows: Any, columns: Any) -> Value:
    return body.take(rows, columns) if type(body) is Arr else body[rows][:, columns]


def _padded(cells: Arr, shape: Any) -> Arr:
    """Cells with a row or column of empty ones after them."""
    rows, columns = cells.shape
    num, tag = np.zeros(shape), np.full(shape, EMPTY, np.int32)
    num[:rows, :columns], tag[:rows, :columns] = cells.num, cells.tags()
    return Arr(num, tag)


def numbers_of(value: Arr | Tailed) -> Any:
    """As operands of arithmetic."""
    if not isinstance(value, Tailed):
        return erring(value.num)
    body = value.body
    return Tailed(erring(body.num), value.shape) if type(body) is Arr else value


def numbers_only(value: Tailed) -> Value:
    """For functions that pass over what is no number: without a tail of such."""
    return value.cut(_no_numbers)


def _no_numbers(cells: Arr) -> Mask:
    return ~(cells.numbers() | cells.errors())


def shown(value: Value, shape: Shape) -> Arr:
    """What a range of that shape shows of an array: one row or column repeats, what is beyond is #N/A."""
    if type(value) is Tailed:
        value = value.take(*(slice(0, min(own, n)) for own, n in zip(value.shape, shape, strict=True)))
    return Arr.of(value).expanded(shape)


def trimmed(value: Value) -> Value:
    """A Tailed without an end of empty cells; anything else as it is."""
    return value.cut() if type(value) is Tailed else value
