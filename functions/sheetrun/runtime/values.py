"""Values in flight: scalars are plain Python values, arrays are ``Arr``.

Scalar   float | str | bool | None (an empty cell) | ExcelError
Arr      a rectangle of scalars in the encoding of ``cells``; ``tag`` None means that all are numbers or errors
Value    Scalar | Arr | a bare float64 array (an Arr without tag) | a Ref (see ``refs``) | a Tailed (see ``tails``)
         | a callable (LAMBDA)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from sheetrun.runtime import pool
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, Mask, Numbers, Tags
from sheetrun.runtime.errors import CALC, ExcelError, error_of

Scalar: TypeAlias = float | str | bool | ExcelError | None
Value: TypeAlias = Any  # what flows between functions: see the module docstring


class Missing:
    """The type of MISSING: an argument that was left empty between commas."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


def encode(value: Any) -> tuple[float, int]:
    """(num, tag) of one scalar."""
    kind = type(value)
    if kind is float:
        return value, NUMBER
    if value is None or value is MISSING:
        return 0.0, EMPTY
    if kind is bool:
        return (1.0 if value else 0.0), LOGICAL
    if kind is str:
        return pool.entries.get(value) or _text_entry(value)
    if callable(value):  # a LAMBDA is no value of a cell
        return float(CALC), NUMBER
    return float(value), NUMBER


def _text_entry(text: str) -> tuple[float, int]:
    from sheetrun.runtime.coerce import number_in_text

    return pool.enter(text, number_in_text(text))


def decode(num: float, tag: int) -> Scalar:
    """The scalar that (num, tag) stands for."""
    if tag == NUMBER:
        return num if num == num else error_of(num)
    if tag >= TEXT:
        return pool.text(tag - TEXT)
    if tag == LOGICAL:
        return num != 0.0
    return None


class Erring(np.ndarray[Any, np.dtype[np.float64]]):
    """A float64 array with errors in it: where both sides of ``+`` or ``*`` are errors, the left one wins.

    Plain NumPy may swap the operands of these two (its loops for the last few elements do), and an error's code is in
    the NaN that comes first.
    """

    def __add__(self, other: Any) -> Any:
        return _left_wins(np.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return _left_wins(np.add, other, self)

    def __mul__(self, other: Any) -> Any:
        return _left_wins(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return _left_wins(np.multiply, other, self)


def _left_wins(operation: Any, a: Any, b: Any) -> Any:
    if any(getattr(side, "__array_ufunc__", 0) is None for side in (a, b)):
        return NotImplemented  # the other side has its own arithmetic, as NumPy's arrays leave it to do
    left, right = np.asarray(a), np.asarray(b)
    out = operation(left, right)
    out = np.where(np.isnan(left), left, np.where(np.isnan(right), right, out))
    return out.view(Erring)


def erring(num: Numbers) -> Numbers:
    """The same array, as one that keeps the order of errors, when there are any."""
    return num.view(Erring) if np.isnan(num).any() else num


class Arr:
    """A two-dimensional array of scalars. Shape (rows, columns); never empty."""

    __slots__ = ("num", "tag")
    __array_ufunc__ = None  # arithmetic goes through ``ops``, never through NumPy by accident

    def __init__(self, num: Numbers, tag: Tags | None = None) -> None:
        self.num = num
        self.tag = tag

    @property
    def shape(self) -> tuple[int, int]:
        return self.num.shape

    @property
    def size(self) -> int:
        return int(self.num.size)

    @classmethod
    def of(cls, value: Value) -> Arr:
        """Any value as an array; a scalar becomes 1 × 1."""
        if type(value) is cls:
            return value
        if isinstance(value, np.ndarray):
            if value.dtype == np.bool_:
                return cls.logicals(value)
            return cls(value)
        if hasattr(value, "arr"):
            return value.arr()  # type: ignore[no-any-return]
        num, tag = encode(value)
        # np.array takes a third of the time of np.full for one cell
        return cls(np.array(((num,),)), None if tag == NUMBER else np.array(((tag,),), np.int32))

    @classmethod
    def rows(cls, rows: Sequence[Sequence[Scalar]]) -> Arr:
        """From rows of scalars, all of one length."""
        return cls.flat((v for row in rows for v in row), (len(rows), len(rows[0])))

    @classmethod
    def flat(cls, values: Iterable[Scalar], shape: tuple[int, int]) -> Arr:
        """From scalars in row-major order."""
        pairs = [encode(v) for v in values]
        num = np.array([n for n, _ in pairs], np.float64).reshape(shape)
        if all(t == NUMBER for _, t in pairs):
            return cls(num)
        return cls(num, np.array([t for _, t in pairs], np.int32).reshape(shape))

    @classmethod
    def column(cls, values: Sequence[Scalar]) -> Arr:
        return cls.flat(values, (len(values), 1))

    @classmethod
    def full(cls, shape: tuple[int, int], value: Scalar) -> Arr:
        num, tag = encode(value)
        return cls(np.full(shape, num), None if tag == NUMBER else np.full(shape, tag, np.int32))

    @classmethod
    def logicals(cls, mask: Mask) -> Arr:
        return cls(mask.astype(np.float64), np.full(mask.shape, LOGICAL, np.int32))

    def tags(self) -> Tags:
        """The tags, made up when there are none."""
        return np.zeros(self.num.shape, np.int32) if self.tag is None else self.tag

    def plain(self) -> bool:
        """Whether all cells are numbers or errors."""
        return self.tag is None or not self.tag.any()

    def errors(self) -> Mask:
        """Which cells are errors."""
        bad = np.isnan(self.num)
        return bad if self.tag is None else bad & (self.tag == NUMBER)

    def numbers(self) -> Mask:
        """Which cells are numbers proper (no logical, text, empty or error)."""
        good = ~np.isnan(self.num)
        return good if self.tag is None else good & (self.tag == NUMBER)

    def texts(self) -> Mask:
        return np.zeros(self.num.shape, np.bool_) if self.tag is None else self.tag >= TEXT

    def empties(self) -> Mask:
        return np.zeros(self.num.shape, np.bool_) if self.tag is None else self.tag == EMPTY

    def first_error(self) -> ExcelError | None:
        """The first error in row-major order."""
        bad = np.isnan(self.num)
        if not bad.any():
            return None
        if self.tag is not None:
            bad &= self.tag == NUMBER
            if not bad.any():
                return None
        return error_of(float(self.num[bad][0]))

    def cell(self, row: int, col: int) -> Scalar:
        return decode(self.num.item(row, col), NUMBER if self.tag is None else self.tag.item(row, col))

    def __iter__(self) -> Iterator[Scalar]:
        """Scalars in row-major order."""
        if self.tag is None:
            for num in self.num.ravel().tolist():
                yield num if num == num else error_of(num)
        else:
            for num, tag in zip(self.num.ravel().tolist(), self.tag.ravel().tolist(), strict=True):
                yield decode(num, tag)

    def to_rows(self) -> list[list[Scalar]]:
        columns = self.num.shape[1]
        cells = list(self)
        return [cells[i : i + columns] for i in range(0, len(cells), columns)]

    def take(self, rows: Any, columns: Any) -> Arr:
        """Rows and columns by slices or index arrays (both: ``rows`` × ``columns``)."""
        num = self.num[rows][:, columns]
        return Arr(num, None if self.tag is None else self.tag[rows][:, columns])

    def transposed(self) -> Arr:
        return Arr(self.num.T, None if self.tag is None else self.tag.T)

    def reshaped(self, shape: tuple[int, int]) -> Arr:
        return Arr(self.num.reshape(shape), None if self.tag is None else self.tag.reshape(shape))

    def expanded(self, shape: tuple[int, int]) -> Arr:
        """Broadcast as Excel does: one row or column repeats, and what is beyond a larger array is #N/A."""
        if self.num.shape == shape:
            return self
        rows, columns = self.num.shape
        tall, wide = shape
        num, tag = self.num, self.tag
        if rows in (1, tall) and columns in (1, wide):
            return Arr(np.broadcast_to(num, shape), None if tag is None else np.broadcast_to(tag, shape))
        from sheetrun.runtime.errors import NA

        out = np.full(shape, float(NA))
        kinds = np.zeros(shape, np.int32)
        h = tall if rows == 1 else min(rows, tall)
        w = wide if columns == 1 else min(columns, wide)
        source = (slice(0, 1) if rows == 1 else slice(0, h), slice(0, 1) if columns == 1 else slice(0, w))
        out[:h, :w] = num[source]
        if tag is not None:
            kinds[:h, :w] = tag[source]
        return Arr(out, kinds)

    def __repr__(self) -> str:
        return f"Arr({self.to_rows()!r})"


def common_shape(arrays: Iterable[Any]) -> tuple[int, int]:
    """The shape that arrays broadcast to in Excel: the largest of each dimension."""
    rows = columns = 1
    for a in arrays:
        h, w = a.shape
        rows, columns = max(rows, h), max(columns, w)
    return rows, columns
