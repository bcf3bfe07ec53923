"""The numbers of a statement while its tape is written: where each lies, and whether it can be other than finite.

Arrays have three dimensions: rows and columns of a block, and lanes (``lanes``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import field
from functools import partial
from typing import Any

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime.address import Span, span_of
from sheetrun.runtime.lanes import LaneBook, LaneSheet
from sheetrun.runtime.recorded import Read
from sheetrun.runtime.tape import Play, finite


class NotTaped(Exception):
    """A statement that is not for a tape."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A value on the tape. ``array``: float64, or bool for a mask. ``sure``: it is finite whenever the tape gets there;
    ``fixed``: it is the same each time the tape plays; ``spare``: memory that this operand alone has."""

    array: Any
    sure: bool
    fixed: bool = False
    spare: bool = False

    @property
    def is_mask(self) -> bool:
        return bool(self.array.dtype == np.bool_)


Side = float | Operand


@dataclass(slots=True)
class Scratch:
    """Memory for what lies between, used again by each statement."""

    _free: dict[tuple[int, str], list[Any]] = field(default_factory=dict)
    _taken: list[tuple[tuple[int, str], Any]] = field(default_factory=list)
    _filled: dict[float, Any] = field(default_factory=dict)

    def take(self, shape: tuple[int, ...], kind: str = "d") -> Any:
        key = math.prod(shape), kind
        free = self._free.setdefault(key, [])
        line = free.pop() if free else np.empty(key[0], kind)
        self._taken.append((key, line))
        return line.reshape(shape)

    def filled(self, value: float, shape: tuple[int, ...]) -> Any:
        """An array that holds one number everywhere. It must not be written to."""
        size = math.prod(shape)
        known = self._filled.get(value)
        if known is None or len(known) < size:
            known = self._filled[value] = np.full(size, value)
        return known[:size].reshape(shape)

    def release(self) -> None:
        for key, line in self._taken:
            self._free[key].append(line)
        self._taken.clear()


class Desk:
    """What a statement has been written of so far. ``reads``: (sheet, range) of all that must be finite numbers."""

    def __init__(self, book: LaneBook, scratch: Scratch) -> None:
        self.book = book
        self.scratch = scratch
        self.outside: list[Any] = []  #: masks of the lanes and cells for which what is being written does not count
        self.calls: list[Play] = []
        self.reads: list[tuple[int, Span]] = []

    def copy(self, target: Any, array: Any) -> None:
        if np.broadcast_shapes(np.shape(array) or (1, 1, 1), target.shape) != target.shape:
            raise NotTaped
        self.call(np.copyto, target, array)

    def copy_where(self, target: Any, value: Any, mask: Any) -> None:
        """Copies a number or an array of numbers to where a mask holds."""
        shape = target.shape
        if mask.shape == shape and np.shape(value) in ((), shape) and target.flags.c_contiguous:
            self.call(np.putmask, target, mask, value)  # in a third of the time of ``copyto``, which also broadcasts
        else:
            self.call(np.copyto, target, value, "same_kind", mask)

    def number(self, side: Side) -> Side:
        if isinstance(side, Operand) and side.is_mask:
            return self.apply(np.multiply, (side, 1.0), None)
        return side

    def read(self, node: Read) -> Side:
        sheet = self.book.laned(node.sheet)
        span, single = span_of(node.key)
        held = self.varying(sheet, span, plain=node.how == "value")
        return self.unvarying(sheet, span, single, node.how) if held is None else Operand(held, sure=True)

    def varying(self, sheet: LaneSheet, span: Span, *, plain: bool = True) -> Any:
        """The memory of cells that vary, (rows, columns, lanes); None where none does. All must be finite numbers, or
        with ``plain=False`` what counts as such in arithmetic."""
        part = sheet.part(span)
        if part is None:
            return None
        array = sheet.nums[part]
        if array.shape[:2] != span.shape or not sheet.finite[part].all() or (plain and not sheet.plain[part].all()):
            raise NotTaped
        self.reads.append((sheet.index, span))
        return array

    @staticmethod
    def unvarying(sheet: LaneSheet, span: Span, single: bool, how: str) -> Side:
        if single:
            value = sheet.number(span.top, span.left) if how == "n" else sheet.cell(span.top, span.left)
            if type(value) is not float:
                raise NotTaped
            return value
        cells = sheet.rectangle(span)
        if not np.isfinite(cells.num).all() or not (how == "n" or cells.plain()):
            raise NotTaped
        return Operand(cells.num[:, :, None].copy(), sure=True, fixed=True)

    def apply(self, function: np.ufunc, sides: Sequence[Side], into: Any, *, sure: bool = False) -> Side:
        """A function of numbers. What never changes is computed now."""
        arrays = [array_of(side) for side in sides]
        if all(isinstance(side, float) or side.fixed for side in sides):
            with np.errstate(all="ignore"):
                result = function(*arrays)
            if not np.isfinite(result).all():
                raise NotTaped
            if np.ndim(result) == 0:
                return float(result)
            return Operand(result, sure=True, fixed=True)
        shape = np.broadcast_shapes(*(np.shape(array) for array in arrays))
        out = self.room(shape, sides, into)
        self.calls.append((partial(function, out=out), tuple(arrays)))
        return Operand(out, sure=sure, spare=out is not into)

    def room(self, shape: tuple[int, ...], sides: Sequence[Side], into: Any) -> Any:
        """Where a result goes: to its place, over an operand that nothing else needs, or to a place of its own."""
        if into is not None and into.shape == shape:
            return into
        for side in sides:
            if isinstance(side, Operand) and side.spare and not side.is_mask and side.array.shape == shape:
                return side.array
        return self.scratch.take(shape)

    @staticmethod
    def plain(side: Side) -> Side:
        if isinstance(side, Operand) and side.is_mask:
            raise NotTaped
        return side

    def line(self, sheet: LaneSheet, span: Span) -> Side | None:
        """Cells of which each is one cell's; None when none of them is a number."""
        held = self.varying(sheet, span)
        if held is not None:
            return Operand(held, sure=True)
        cells = sheet.rectangle(span)
        tags = cells.tags()
        if not (tags == 0).any():
            return None
        if tags.any() or not np.isfinite(cells.num).all():
            raise NotTaped
        return cells.num.item() if cells.size == 1 else Operand(cells.num[:, :, None].copy(), sure=True, fixed=True)

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        self.calls.append((function, args))

    def finite(self, side: Side) -> Side:
        """The same, looked at before something hides that it is not finite: 1 / inf is 0, and MIN(inf, 1) is 1."""
        if isinstance(side, float) or side.sure:
            return side
        array = side.array
        for outside in self.outside if side.spare else ():  # IF(B1=0, 0, ROUND(A1/B1, 2))
            if np.broadcast_shapes(outside.shape, array.shape) == array.shape:
                self.copy_where(array, 1.0, outside)
        self.calls.append(finite(array))
        return Operand(array, True, side.fixed, side.spare)


def array_of(side: Side) -> Any:
    return side if isinstance(side, float) else side.array
