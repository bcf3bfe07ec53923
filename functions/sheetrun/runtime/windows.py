"""Aggregates for all cells of a block at once: SUM(A2:C2) filled down is one reduction over a moving window.

A ``Window`` holds, for each cell of a block, the cells that a reference gives to it: arrays of four dimensions (rows and
columns of the block, rows and columns of the window). They are views of the sheet; nothing is copied until the sum.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, Mask, Numbers, Tags
from sheetrun.runtime.coerce import to_logical, to_number
from sheetrun.runtime.errors import DIV0, NUM, VALUE, ExcelError
from sheetrun.runtime.noise import LEAST, cleared, noise_in
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value

#: Cells of a block, up to which a sum is one pass for each of them rather than one for each cell that it adds.
_FEW: Final = 64


class Window:
    """``num`` and ``tag`` of shape (rows, columns, height, width); the first two are 1 where all cells see the same."""

    __slots__ = ("num", "tag")

    def __init__(self, num: Numbers, tag: Tags) -> None:
        self.num = num
        self.tag = tag

    @classmethod
    def sliding(cls, cells: Arr, height: int, width: int) -> Window:
        """All windows of a size within an array."""
        return cls(_slide(cells.num, height, width), _slide(cells.tags(), height, width))


class Growing:
    """A range that starts with ``first`` (rows, columns) and grows by one row or column at each of ``steps`` cells."""

    __slots__ = ("cells", "down", "ends", "steps")

    def __init__(self, cells: Arr, first: tuple[int, int], steps: int, *, down: bool) -> None:
        self.cells = cells
        self.steps = steps
        self.down = down
        height, width = first
        start = height * width - 1 if down else width - 1
        #: For each step the place, in row-major order, of the last cell of its range.
        self.ends = start + np.arange(steps) * (width if down else 1)


def grown(function: Callable[..., Value], growing: Growing) -> Value:
    """An aggregate of every stage of a growing range, in one pass and in Excel's order of adding."""
    num, tag = growing.cells.num.ravel(), growing.cells.tags().ravel()
    numbers = tag == NUMBER
    errors = numbers & np.isnan(num)
    counted = numbers & ~errors
    name = function.__name__
    if name == "COUNTA":
        out = np.cumsum(tag != EMPTY).astype(np.float64)
    elif name == "COUNT":
        out = np.cumsum(counted).astype(np.float64)
    else:
        count = np.cumsum(counted)
        neutral, accumulate = _RUNNING[name]
        with np.errstate(all="ignore"):
            out = accumulate(np.where(counted, num, neutral))
            if name == "SUM":
                out = _settled_stages(out, counted)
            if name == "AVERAGE":
                out = np.where(count == 0, float(DIV0), out / count)
            elif name != "SUM":
                out = np.where(count == 0, 0.0, out)
        out = np.where(np.isinf(out), float(NUM), out)
        if errors.any():
            first = int(np.argmax(errors))
            out[first:] = num[first]
    out = out[growing.ends]
    return out.reshape(-1, 1) if growing.down else out.reshape(1, -1)


def _settled_stages(sums: Numbers, counted: Mask) -> Numbers:
    """Running sums, 0 where the last number that was added left only noise."""
    noise = counted & noise_in(sums, np.concatenate([[0.0], sums[:-1]]))
    if not noise.any():
        return sums
    latest = np.maximum.accumulate(np.where(counted, np.arange(len(sums)), 0))
    return np.where(noise[latest], 0.0, sums)


_RUNNING: Final[dict[str, tuple[float, Callable[[Numbers], Numbers]]]] = {
    "SUM": (0.0, np.cumsum),
    "AVERAGE": (0.0, np.cumsum),
    "PRODUCT": (1.0, np.cumprod),
    "MAX": (-np.inf, np.maximum.accumulate),
    "MIN": (np.inf, np.minimum.accumulate),
}


def _slide(array: Any, height: int, width: int) -> Any:
    rows, columns = array.shape
    down, across = array.strides
    shape = (rows - height + 1, columns - width + 1, height, width)
    return as_strided(array, shape, (down, across, down, across), writeable=False)


#: One argument, ready to be reduced over its last axis: (numbers, which count, texts and the like that are errors).
Part = tuple[Numbers, Mask | None]


def over(function: Callable[..., Value], *args: Value) -> Value:
    """An aggregate of each cell's arguments. Each is a Window, an array over the block, or a scalar.

    A value that is not a number counts by rules of its own outside of a reference (``COUNT(+A1)``): cells with such an
    argument are left to the function itself.
    """
    if isinstance(args[0], Growing):
        return grown(function, args[0])
    out = _reduced(function, args)
    odd = _not_plain(args)
    if odd is None:
        return out
    result = Arr.of(out)
    shape = result.shape
    cells = list(result)
    for i, j in np.argwhere(np.broadcast_to(odd, shape)).tolist():
        cells[i * shape[1] + j] = function(*(_seen_from(a, i, j) for a in args))
    return Arr.flat(cells, shape)


def _not_plain(args: tuple[Value, ...]) -> Mask | None:
    """Cells of the block with an argument that is no window, number or logical value; None when there is no such cell."""
    odd: Mask | None = None
    for arg in args:
        if isinstance(arg, Arr) and arg.tag is not None:
            mask = (arg.tag != NUMBER) & (arg.tag != LOGICAL)
        elif isinstance(arg, Window | Arr | np.ndarray | float | bool | ExcelError):
            continue
        else:
            mask = np.ones((1, 1), np.bool_)
        if mask.any():
            odd = mask if odd is None else odd | mask
    return odd


def _seen_from(arg: Value, row: int, col: int) -> Value:
    """What an argument is for one cell of the block."""
    if isinstance(arg, Window):
        row, col = min(row, arg.num.shape[0] - 1), min(col, arg.num.shape[1] - 1)
        return Arr(arg.num[row, col], arg.tag[row, col])
    if isinstance(arg, Arr | np.ndarray):
        array = Arr.of(arg)
        return array.cell(min(row, array.shape[0] - 1), min(col, array.shape[1] - 1))
    return arg


def _reduced(function: Callable[..., Value], args: tuple[Value, ...]) -> Value:
    reduce = _REDUCERS[function.__name__]
    parts = [_part(a, reduce is _all_or_any) for a in args]
    shape = _shape(parts)
    if reduce is _all_or_any:
        return _all_or_any(parts, shape, function.__name__ == "AND")
    if function.__name__ == "COUNT":
        return _count(parts, shape)
    if function.__name__ == "COUNTA":
        return _counta(args, shape)
    with np.errstate(all="ignore"):
        out = reduce(parts, shape)
    if np.isfinite(out).all():  # an error among the cells would have made its result one
        return out
    errors = _first_errors(parts, shape)
    out = np.where(np.isinf(out), float(NUM), out)
    return out if errors is None else np.where(np.isnan(errors), errors, out)


def _part(arg: Value, logical: bool) -> Part:
    """(cells of shape (rows, columns, k), mask of those that count or None for all). Errors always count."""
    if isinstance(arg, Window):
        rows, columns, height, width = arg.num.shape
        num = arg.num.reshape(rows, columns, height * width)
        tag = arg.tag.reshape(rows, columns, height * width)
        if not tag.any():
            return num, None
        counts = tag == NUMBER
        if logical:
            counts |= tag == LOGICAL
        return num, counts
    if isinstance(arg, Arr | np.ndarray):
        array = Arr.of(arg)
        return array.num[:, :, None], None
    if arg is MISSING:
        arg = None
    number: Scalar = to_logical(arg) if logical else to_number(arg)
    return np.full((1, 1, 1), float(number)), None  # type: ignore[arg-type]


def _shape(parts: list[Part]) -> tuple[int, int]:
    return max(p[0].shape[0] for p in parts), max(p[0].shape[1] for p in parts)


def _first_errors(parts: list[Part], shape: tuple[int, int]) -> Numbers | None:
    """For each cell the first error among its arguments (0 where there is none); None when there is none at all."""
    out: Numbers | None = None
    for num, counts in reversed(parts):
        bad = np.isnan(num)
        if counts is not None:
            bad &= counts
        if not bad.any():
            continue
        if out is None:
            out = np.zeros(shape)
        first = np.argmax(bad, axis=2)
        found = np.take_along_axis(num, first[:, :, None], axis=2)[:, :, 0]
        out = np.where(np.broadcast_to(bad.any(axis=2), shape), np.broadcast_to(found, shape), out)
    return out


def _masked(part: Part, otherwise: float) -> Numbers:
    num, counts = part
    return num if counts is None else np.where(counts, num, otherwise)


def _sum(parts: list[Part], shape: tuple[int, int]) -> Numbers:
    """From the first cell to the last, as SUM itself adds: pairs would leave other digits at the end."""
    out = np.zeros(shape)
    for part in parts:
        num = _masked(part, 0.0)
        if num.shape[0] * num.shape[1] > _FEW or (part is not parts[0] and shape != num.shape[:2]):
            for k in range(num.shape[2]):
                out = out + num[:, :, k]
        elif part is parts[0]:
            out = out + np.add.accumulate(num, axis=2)[:, :, -1]
        else:
            out = np.add.accumulate(np.concatenate([out[:, :, None], num], axis=2), axis=2)[:, :, -1]
    return out


def _settled_sum(parts: list[Part], shape: tuple[int, int]) -> Numbers:
    """The sums, 0 where the last number that was added left only noise."""
    out = _sum(parts, shape)
    near = np.abs(out) < 2.0 * LEAST * np.abs(_last(parts, shape))
    near &= out != 0.0
    if near.any():
        out[near] = cleared(out[near], _before_last(parts, near))
    return out


def _before_last(parts: list[Part], near: Mask) -> Numbers:
    """What the last number is added to, for some cells of the block."""
    sums = before = np.zeros(np.count_nonzero(near))
    for num, counts in parts:
        shape = *near.shape, num.shape[2]
        own = np.broadcast_to(num, shape)[near]
        counted = np.ones(own.shape, np.bool_) if counts is None else np.broadcast_to(counts, shape)[near]
        for k in range(own.shape[1]):
            before = np.where(counted[:, k], sums, before)
            sums = np.where(counted[:, k], sums + own[:, k], sums)
    return before


def _last(parts: list[Part], shape: tuple[int, int]) -> Numbers:
    """The last number of each cell's own; 0 where there is none."""
    num, counts = parts[-1]
    if counts is None:
        return num[:, :, -1]
    out, left = np.zeros(shape), np.ones(shape, np.bool_)
    for num, counts in reversed(parts):
        for k in range(num.shape[2] - 1, -1, -1):
            here = left if counts is None else left & counts[:, :, k]
            out = np.where(here, num[:, :, k], out)
            left = left & ~here
            if not left.any():
                return out
    return out


def _product(parts: list[Part], shape: tuple[int, int]) -> Numbers:
    """From the first cell to the last, as PRODUCT itself multiplies."""
    out = np.ones(shape)
    for part in parts:
        num = _masked(part, 1.0)
        for k in range(num.shape[2]):
            out = out * num[:, :, k]
    return np.where(_counted(parts, shape) == 0, 0.0, out)


def _counted(parts: list[Part], shape: tuple[int, int]) -> Numbers:
    out = np.zeros(shape)
    for num, counts in parts:
        out = out + (num.shape[2] if counts is None else counts.sum(axis=2))
    return out


def _average(parts: list[Part], shape: tuple[int, int]) -> Numbers:
    count = _counted(parts, shape)
    with np.errstate(all="ignore"):
        return np.where(count == 0, float(DIV0), _sum(parts, shape) / count)


def _extreme(pick: Any, worst: float) -> Callable[[list[Part], tuple[int, int]], Numbers]:
    def reduce(parts: list[Part], shape: tuple[int, int]) -> Numbers:
        best = [_line(num, pick) for num in (_masked(part, worst) for part in parts)]
        out = np.broadcast_to(functools.reduce(pick, best), shape)
        if any(counts is None for _, counts in parts):
            return out
        return np.where(_counted(parts, shape) == 0, 0.0, out)

    return reduce


def _line(num: Numbers, pick: Any) -> Numbers:
    """The extreme of each cell's own cells."""
    found: Numbers = num[:, :, 0] if num.shape[2] == 1 else pick.reduce(num, axis=2)
    return found


def _count(parts: list[Part], shape: tuple[int, int]) -> Numbers:
    out = np.zeros(shape)
    for num, counts in parts:
        good = ~np.isnan(num)
        out = out + (good if counts is None else good & counts).sum(axis=2)
    return out


def _counta(args: tuple[Value, ...], shape: tuple[int, int]) -> Numbers:
    out = np.zeros(shape)
    for arg in args:
        out = out + ((arg.tag != EMPTY).sum(axis=(2, 3)) if isinstance(arg, Window) else 1)
    return out


def _all_or_any(parts: list[Part], shape: tuple[int, int], every: bool) -> Value:
    errors = _first_errors(parts, shape)
    out = np.full(shape, every)
    for num, counts in parts:
        true = num != 0.0
        if every:
            out = out & (true if counts is None else true | ~counts).all(axis=2)
        else:
            out = out | (true if counts is None else true & counts).any(axis=2)
    nothing = _counted(parts, shape) == 0
    result = np.where(nothing, float(VALUE), out.astype(np.float64))
    if errors is not None:
        result = np.where(np.isnan(errors), errors, result)
    return Arr(result, np.where(np.isnan(result), NUMBER, LOGICAL).astype(np.int32))


_REDUCERS: Final[dict[str, Any]] = {
    "SUM": _settled_sum,
    "PRODUCT": _product,
    "AVERAGE": _average,
    "MAX": _extreme(np.maximum, -np.inf),
    "MIN": _extreme(np.minimum, np.inf),
    "COUNT": _count,
    "COUNTA": _counta,
    "AND": _all_or_any,
    "OR": _all_or_any,
}
