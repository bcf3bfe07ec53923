"""Tables summed up by formulas: GROUPBY, PIVOTBY, PERCENTOF.

Source: Microsoft, "GROUPBY function", "PIVOTBY function", "PERCENTOF function".
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime.coerce import to_number
from sheetrun.runtime.compare import rank
from sheetrun.runtime.errors import CALC, DIV0, VALUE, ExcelError, Raised
from sheetrun.runtime.functions.dynamic import line_ranks, same_keys, truths
from sheetrun.runtime.functions.lambdas import called
from sheetrun.runtime.refops import spread
from sheetrun.runtime.registry import excel, kept
from sheetrun.runtime.tails import Tailed, aligned, any_tailed, is_array
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value

Places: TypeAlias = Any  # an array of row numbers
Row: TypeAlias = list[Scalar]


@excel("PERCENTOF(data_subset: array, data_all: array) -> number")
def percentof(subset: Arr, whole: Arr) -> float | ExcelError:
    """The sum of a part of some values as a part of the sum of all of them."""
    for values in (subset, whole):
        error = values.first_error()
        if error is not None:
            return error
    total = float(whole.num[whole.numbers()].sum())
    return float(subset.num[subset.numbers()].sum()) / total if total else DIV0


@dataclass(frozen=True, slots=True)
class _Fields:
    """The grouping columns of a table, reduced to the distinct combinations and their order."""

    cells: Arr
    keys: Any  #: shape (rows, columns): the same number where values are the same
    ranks: Any  #: shape (rows, columns, 2): how each value sorts

    @classmethod
    def of(cls, cells: Arr) -> _Fields:
        columns = range(cells.shape[1])
        parts = [cells.take(slice(None), slice(i, i + 1)) for i in columns]
        keys = [np.unique(same_keys(p), axis=0, return_inverse=True)[1].ravel() for p in parts]
        return cls(cells, np.stack(keys, axis=1), np.stack([line_ranks(p) for p in parts], axis=1))

    @property
    def width(self) -> int:
        return self.cells.shape[1]

    def groups(self, rows: Places, level: int) -> list[Places]:
        """The rows with one value each in a column, as the values first come."""
        keys = self.keys[rows, level]
        _, first = np.unique(keys, return_index=True)
        return [rows[keys == keys[i]] for i in np.sort(first).tolist()]

    def label(self, rows: Places, level: int) -> Scalar:
        return self.cells.cell(int(rows[0]), level)


@dataclass(frozen=True, slots=True)
class _Order:
    """``sort_order``: columns by number, fields first and then values, negative for descending."""

    wanted: tuple[int, ...]
    fields: int

    @classmethod
    def of(cls, value: Value, fields: int, values: int) -> _Order:
        wanted = tuple(_integers(value, ()))
        if any(w == 0 or abs(w) > fields + values for w in wanted):
            raise Raised(VALUE)
        return cls(wanted, fields)

    def by_value(self) -> int | None:
        """The column of values to sort by (negative: descending), counted from 1."""
        found = next((w for w in self.wanted if abs(w) > self.fields), None)
        return None if found is None else int(math.copysign(abs(found) - self.fields, found))

    def descending(self, level: int) -> bool:
        return -(level + 1) in self.wanted


class _Summary:
    """What the values of some rows come to, by a function (a LAMBDA, or one of Excel's by its name)."""

    def __init__(self, values: Arr, function: Value) -> None:
        self.values = values
        if not callable(function):
            raise Raised(VALUE)
        self.function: Callable[..., Value] = function
        self.takes_all = _takes_two(function)

    @property
    def width(self) -> int:
        return self.values.shape[1]

    def of(self, rows: Places, among: Places) -> Row:
        """One result for each column of values; ``among``: the rows that PERCENTOF divides by."""
        out: Row = []
        for column in range(self.values.shape[1]):
            part = self.values.take(rows, slice(column, column + 1))
            arguments = [part, self.values.take(among, slice(column, column + 1))] if self.takes_all else [part]
            out.append(_one(called(self.function, *arguments)))
        return out


def _takes_two(function: Callable[..., Value]) -> bool:
    """Whether a function wants the whole as well as the part (PERCENTOF, a LAMBDA of two)."""
    if getattr(function, "__name__", "") == "PERCENTOF":
        return True
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return sum(1 for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)) == 2


def _one(value: Value) -> Scalar:
    array = Arr.of(value) if not callable(value) else None
    return CALC if array is None or array.size != 1 else array.cell(0, 0)


def _integers(value: Value, default: Sequence[int]) -> list[int]:
    if value is None or value is MISSING:
        return list(default)
    out = []
    for cell in Arr.of(value):
        number = to_number(cell)
        if isinstance(number, ExcelError):
            raise Raised(number)
        out.append(math.trunc(number))
    return out


def _integer(value: Value, default: int | None) -> int | None:
    found = _integers(value, ())
    return found[0] if found else default


def _sorted_groups(
    fields: _Fields, groups: list[Places], level: int, order: _Order, summary: _Summary, everything: Places
) -> list[Places]:
    by_value = order.by_value()
    if by_value is None:
        keyed = [(tuple(fields.ranks[g[0], level]), g) for g in groups]
    else:
        keyed = [(_key(summary.of(g, everything)[abs(by_value) - 1]), g) for g in groups]
    turned = by_value < 0 if by_value is not None else order.descending(level)
    return [g for _, g in sorted(keyed, key=lambda pair: pair[0], reverse=turned)]


def _key(value: Scalar) -> tuple[float, float]:
    return (float(rank(value)), float(value) if isinstance(value, float | bool) else 0.0)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the result: its labels, the rows that it sums up, and the rows above it in the hierarchy."""

    labels: tuple[Scalar, ...]
    rows: Places
    parent: Places
    total: bool


def _lines(
    fields: _Fields, order: _Order, summary: _Summary, everything: Places, depth: int, *, flat: bool
) -> list[_Line]:
    """Groups in order, with subtotals and the grand total where ``depth`` asks for them (negative: on top)."""
    out: list[_Line] = []
    width = fields.width

    def walk(rows: Places, level: int, labels: tuple[Scalar, ...]) -> None:
        groups = _sorted_groups(fields, fields.groups(rows, level), level, order, summary, everything)
        for group in groups:
            named = (*labels, fields.label(group, level))
            if level == width - 1:
                out.append(_Line(named, group, rows, False))
                continue
            subtotal = _Line(named + ("",) * (width - level - 1), group, rows, True)
            wanted = abs(depth) > 1 and abs(depth) - 1 > level
            if wanted and depth < 0:
                out.append(subtotal)
            walk(group, level + 1, named)
            if wanted and depth > 0:
                out.append(subtotal)

    walk(everything, 0, ())
    if flat and order.wanted:
        out = _table_order(out, order, summary, everything)
    if depth:
        label = "Grand Total" if abs(depth) > 1 else "Total"
        total = _Line((label,) + ("",) * (width - 1), everything, everything, True)
        out = [total, *out] if depth < 0 else [*out, total]
    return out


def _table_order(lines: list[_Line], order: _Order, summary: _Summary, everything: Places) -> list[_Line]:
    """Lines sorted as rows of a table, not within their parents."""
    for wanted in reversed(order.wanted):
        at = abs(wanted) - 1
        values = [
            line.labels[at] if at < order.fields else summary.of(line.rows, everything)[at - order.fields]
            for line in lines
        ]
        ranks = line_ranks(Arr.column(values))
        ranks = -ranks if wanted < 0 else ranks
        lines = [lines[i] for i in np.lexsort([ranks[:, 1], ranks[:, 0]]).tolist()]
    return lines


@dataclass(frozen=True, slots=True)
class _Input:
    """The arguments that both functions share, read."""

    headers: tuple[Row, Row, Row]  #: of row fields, column fields and values; empty where there are none
    shown: bool
    rows: Arr
    columns: Arr | None
    values: Arr
    kept: Places


def _held(arrays: list[Value], include: Value) -> tuple[list[Arr], Value]:
    """The fields, values and filter of as many rows: of whole columns those up to where the fields end."""
    given = include is not None and include is not MISSING
    include = spread(include) if given else include
    parts = [*arrays, include] if given and is_array(include) else arrays
    if not any_tailed(*parts) or any(a.shape[0] != parts[0].shape[0] for a in parts):
        return [Arr.of(a) for a in arrays], include
    cells, rows, tall = aligned(parts)
    if rows < tall and not all(c.empties()[-1].all() for c in cells[: len(arrays)]):
        cells = [Arr.of(a) for a in parts]
    elif rows < tall:
        cells = [c.take(slice(0, max(rows - 1, 1)), slice(None)) for c in cells]
    return cells[: len(arrays)], cells[-1] if len(cells) > len(arrays) else include


def _read(fields: list[Value], last: Value, headers: Value, include: Value, levels: int) -> _Input:
    (rows, *others, values), include = _held([*fields, last], include)
    columns = others[0] if others else None
    height = rows.shape[0]
    if values.shape[0] != height or (columns is not None and columns.shape[0] != height):
        raise Raised(VALUE)
    mode = _integer(headers, None)
    if mode is not None and not 0 <= mode <= 3:
        raise Raised(VALUE)
    found = mode in (1, 3)
    if mode is None and height > 1:
        found = isinstance(values.cell(0, 0), str) and isinstance(values.cell(1, 0), float)
    shown = mode in (2, 3) or (mode is None and found and levels > 1)
    names: tuple[Row, Row, Row] = ([], [], [])
    if found:
        names = (_first_row(rows), _first_row(columns) if columns is not None else [], _first_row(values))
        rows, values = rows.take(slice(1, None), slice(None)), values.take(slice(1, None), slice(None))
        columns = columns.take(slice(1, None), slice(None)) if columns is not None else None
    elif shown:
        names = (
            [f"Row Field {i + 1}" for i in range(rows.shape[1])],
            [f"Column Field {i + 1}" for i in range(columns.shape[1])] if columns is not None else [],
            [f"Value {i + 1}" for i in range(values.shape[1])],
        )
    kept = np.arange(rows.shape[0])
    if include is not None and include is not MISSING:
        wanted = Arr.of(include)
        if found and wanted.shape == (len(kept) + 1, 1):
            wanted = wanted.take(slice(1, None), slice(None))  # its header may be a text
        mask = truths(wanted)
        if len(mask) != len(kept):
            raise Raised(VALUE)
        kept = kept[mask]
    if not len(kept):
        raise Raised(CALC)
    return _Input(names, shown, rows, columns, values, kept)


def _first_row(array: Arr) -> Row:
    return list(array.take(slice(0, 1), slice(None)))


def _depth(value: Value, fields: int, *, automatic: int) -> int:
    depth = _integer(value, None)
    if depth is None:
        return automatic
    if abs(depth) > fields:
        raise Raised(VALUE)
    return depth


@excel(
    "GROUPBY(row_fields: array, values: array, function: raw, [field_headers: raw], [total_depth: raw], "
    "[sort_order: raw], [filter_array: raw], [field_relationship: raw]) -> array",
    tails=kept,
)
def groupby(
    row_fields: Arr | Tailed,
    values: Arr | Tailed,
    function: Value,
    headers: Value,
    total_depth: Value,
    sort_order: Value,
    include: Value,
    relationship: Value,
) -> Arr:
    """Values grouped by the columns of other arrays and summed up by a function."""
    width = row_fields.shape[1]
    read = _read([row_fields], values, headers, include, width)
    flat = _integer(relationship, 0) == 1
    depth = _depth(total_depth, 1 if flat else width, automatic=1 if flat or width == 1 else 2)
    summary = _Summary(read.values, function)
    fields = _Fields.of(read.rows)
    order = _Order.of(sort_order, width, summary.width)
    lines = _lines(fields, order, summary, read.kept, depth, flat=flat)
    out: list[Row] = [[*line.labels, *summary.of(line.rows, read.kept)] for line in lines]
    if read.shown:
        out.insert(0, [*read.headers[0], *read.headers[2]])
    return Arr.rows(out)


@excel(
    "PIVOTBY(row_fields: array, col_fields: array, values: array, function: raw, [field_headers: raw], "
    "[row_total_depth: raw], [row_sort_order: raw], [col_total_depth: raw], [col_sort_order: raw], "
    "[filter_array: raw], [relative_to: raw]) -> array",
    tails=kept,
)
def pivotby(
    row_fields: Arr | Tailed,
    col_fields: Arr | Tailed,
    values: Arr | Tailed,
    function: Value,
    headers: Value,
    row_depth: Value,
    row_order: Value,
    col_depth: Value,
    col_order: Value,
    include: Value,
    relative_to: Value,
) -> Arr:
    """Values grouped by rows and by columns and summed up by a function."""
    tall, wide = row_fields.shape[1], col_fields.shape[1]
    read = _read([row_fields, col_fields], values, headers, include, 1)
    if read.columns is None:
        raise Raised(VALUE)
    relative = _integer(relative_to, 0)
    if relative not in (0, 1, 2, 3, 4):
        raise Raised(VALUE)
    summary = _Summary(read.values, function)
    down, across = _Fields.of(read.rows), _Fields.of(read.columns)
    row_lines = _lines(
        down,
        _Order.of(row_order, tall, summary.width),
        summary,
        read.kept,
        _depth(row_depth, tall, automatic=min(tall, 2)),
        flat=False,
    )
    col_lines = _lines(
        across,
        _Order.of(col_order, wide, summary.width),
        summary,
        read.kept,
        _depth(col_depth, wide, automatic=min(wide, 2)),
        flat=False,
    )
    out = _heads(read, col_lines, tall, wide, summary)
    for line in row_lines:
        row: Row = list(line.labels)
        for column in col_lines:
            common = np.intersect1d(line.rows, column.rows)
            among = {0: column.rows, 1: line.rows, 2: read.kept, 3: column.parent, 4: line.parent}[relative]
            row += summary.of(common, among) if len(common) else [""] * summary.width
        out.append(row)
    return Arr.rows(out)


def _heads(read: _Input, columns: list[_Line], tall: int, wide: int, summary: _Summary) -> list[Row]:
    """The rows above the table: labels of the column groups, and the names of fields when they are shown."""
    out: list[Row] = []
    for level in range(wide):
        row: Row = [""] * tall
        for column in columns:
            row += [column.labels[level]] * summary.width
        out.append(row)
    if read.shown:
        out.append([*read.headers[0], *(read.headers[2] * len(columns))])
    elif summary.width > 1 and read.headers[2]:
        blank: Row = [""] * tall
        out.append(blank + read.headers[2] * len(columns))
    return out
