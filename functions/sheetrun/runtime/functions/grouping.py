"""Tables summed up by formulas: GROUPBY, PIVOTBY, PERCENTOF.

Source: Microsoft, "GROUPBY function", "PIVOTBY function", "PERCENTOF function"; see ``groups``.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime.coerce import to_number
from sheetrun.runtime.errors import DIV0, NUM, VALUE, ExcelError, Raised
from sheetrun.runtime.functions.dynamic import truths
from sheetrun.runtime.functions.groups import Fields, Line, Order, Places, Row, Summary, Walk, totals_first
from sheetrun.runtime.refops import spread
from sheetrun.runtime.registry import excel, kept
from sheetrun.runtime.tails import Tailed, aligned, any_tailed, is_array
from sheetrun.runtime.values import MISSING, Arr, Value


@excel("PERCENTOF(data_subset: array, data_all: array) -> number")
def percentof(subset: Arr, whole: Arr) -> float | ExcelError:
    """The sum of a part of some values as a part of the sum of all of them; #NUM! where there is any error (measured)."""
    if subset.errors().any() or whole.errors().any():
        return NUM
    total = float(whole.num[whole.numbers()].sum())
    return float(subset.num[subset.numbers()].sum()) / total if total else DIV0


def _whole(value: Value) -> int | None:
    """An argument that is a whole number; None when it is left out."""
    if value is None or value is MISSING:
        return None
    number = to_number(Arr.of(value).cell(0, 0))
    if isinstance(number, ExcelError):
        raise Raised(number)
    return math.trunc(number)


def _depth(value: Value, fields: int) -> int:
    """How many totals there are: 0 none, 1 a grand total, more for subtotals; negative before what they sum up."""
    depth = _whole(value)
    if depth is None:
        return 1
    if abs(depth) > max(fields, 1):
        raise Raised(VALUE)
    return depth


def _order(value: Value, keys: int, results: int) -> Order:
    return Order.of(None if value is None or value is MISSING else Arr.of(value), keys, results)


@dataclass(frozen=True, slots=True)
class _Input:
    """The arguments that both functions share, read."""

    headers: tuple[Row, Row, Row]  #: of row fields, column fields and values; empty where there are none
    shown: bool | None  #: None: Excel decides
    rows: Arr
    columns: Arr | None
    values: Arr
    kept: Places

    def shows(self, summary: Summary) -> bool:
        """Whether the names of fields are shown; by itself Excel does so for functions side by side."""
        if self.shown is None:
            return summary.several and not summary.stacked
        return self.shown


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


def _read(fields: list[Value], last: Value, headers: Value, include: Value) -> _Input:
    (rows, *others, values), include = _held([*fields, last], include)
    columns = others[0] if others else None
    height = rows.shape[0]
    if values.shape[0] != height or (columns is not None and columns.shape[0] != height):
        raise Raised(VALUE)
    mode = _whole(headers)
    if mode is not None and not 0 <= mode <= 3:
        raise Raised(VALUE)
    found = mode in (1, 3) if mode is not None else _has_headers(values)
    shown = mode in (2, 3) if mode is not None else None if found else False
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
    return _Input(names, shown, rows, columns, values, _rows_kept(include, rows.shape[0], found=found))


def _has_headers(values: Arr) -> bool:
    """A text above numbers heads them; then another text among them is #VALUE!."""
    column = values.take(slice(None), slice(0, 1))
    texts = column.texts().ravel()
    if not texts[0] or not column.numbers().any():
        return False
    if texts[1:].any():
        raise Raised(VALUE)
    return True


def _rows_kept(include: Value, height: int, *, found: bool) -> Places:
    """The rows that the filter keeps: it has a value for each, for the header too, or one for all."""
    if include is None or include is MISSING:
        return np.arange(height)
    flags = Arr.of(include)
    if flags.shape[0] > 1:
        flags = flags.take(slice(None), slice(0, 1))  # further columns do not count (measured)
    if found and flags.shape[0] == height + 1:
        flags = flags.take(slice(1, None), slice(None))
    if flags.first_error() is not None:
        raise Raised(VALUE)
    mask = truths(flags)
    if len(mask) == 1:
        mask = np.repeat(mask, height)
    if len(mask) != height or not mask.any():
        raise Raised(VALUE)
    return np.flatnonzero(mask)


def _first_row(array: Arr) -> Row:
    return list(array.take(slice(0, 1), slice(None)))


def _stacked_labels(read: _Input, summary: Summary, *, shown: bool) -> list[Row]:
    """What stands beside the results of functions one below another: the function, and its column of several."""
    beside = shown and read.values.shape[1] > 1
    return [
        [name, read.headers[2][column]] if beside else [name]
        for name, (_, column, _) in zip(summary.names, summary.pairs, strict=True)
    ]


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
    read = _read([row_fields], values, headers, include)
    flat = _whole(relationship) == 1
    depth = _depth(total_depth, 1 if flat else width)
    summary = Summary(read.values, function)
    shown = read.shows(summary)
    order = _order(sort_order, width, summary.width)
    walk = Walk(Fields.of(read.rows), order, summary, read.kept, depth, lambda _: not flat)
    lines = walk.lines(flat=flat)
    of_values = [read.headers[2][column] for _, column, _ in summary.pairs] if shown else []
    out: list[Row] = []
    if summary.stacked:
        labels = _stacked_labels(read, summary, shown=shown)
        if shown:
            blanks: Row = [""] * len(labels[0])
            out.append([*read.headers[0], *blanks, of_values[0] if len(labels[0]) == 1 else ""])
        for line in _placed(lines, depth):
            results = summary.of(line.rows, read.kept)
            out += [[*line.labels, *label, result] for label, result in zip(labels, results, strict=True)]
        return Arr.rows(out)
    if summary.several:
        out.append([*[""] * width, *summary.names])
    if shown:
        out.append([*read.headers[0], *of_values])
    out += [[*line.labels, *summary.of(line.rows, read.kept)] for line in _placed(lines, depth)]
    return Arr.rows(out)


def _placed(lines: list[Line], depth: int) -> list[Line]:
    return totals_first(lines) if depth < 0 else lines


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
    read = _read([row_fields, col_fields], values, headers, include)
    if read.columns is None:
        raise Raised(VALUE)
    relative = _whole(relative_to) or 0
    if relative not in (0, 1, 2, 3, 4):
        raise Raised(VALUE)
    summary = Summary(read.values, function)
    depths = _depth(row_depth, tall), _depth(col_depth, wide)
    orders = _order(row_order, tall, summary.width), _order(col_order, wide, summary.width)
    # Rows sort by a result while there is a column of totals, columns those that are there to be sorted.
    down = Walk(Fields.of(read.rows), orders[0], summary, read.kept, depths[0], lambda _: depths[1] != 0)
    across = Walk(
        Fields.of(read.columns),
        orders[1],
        summary,
        read.kept,
        depths[1],
        lambda i: i == wide - 1 or i < abs(depths[1]) - 1,
    )
    rows, columns = _placed(down.lines(), depths[0]), across.lines()
    shown = read.shows(summary)
    labels: list[Row] = _stacked_labels(read, summary, shown=shown) if summary.stacked else [[]]
    results = partial(_results, summary, read.kept, columns=columns, relative=relative, totals_first=depths[1] < 0)
    out = _heads(read, _placed(columns, depths[1]), summary, tall + len(labels[0]), shown=shown)
    for line in rows:
        cells = results(line)
        if summary.stacked:
            out += [[*line.labels, *label, *(c[i] for c in cells)] for i, label in enumerate(labels)]
        else:
            out.append([*line.labels, *(value for c in cells for value in c)])
    return Arr.rows(out)


def _results(
    summary: Summary, kept: Places, line: Line, *, columns: list[Line], relative: int, totals_first: bool
) -> list[Row]:
    """The results of one row for each column (totals after or before what they sum up)."""
    cells: list[Row] = []
    for column in columns:
        common = np.intersect1d(line.rows, column.rows)
        among = _relative_to(relative, line, column, kept)
        cells.append(summary.of(common, among) if len(common) else [""] * summary.width)
    if summary.width > 1 and not summary.several:
        cells = _misplaced(cells, columns)
    if not totals_first:
        return cells
    order = sorted(columns, key=lambda column: (column.start, -column.at))
    return [cells[column.at] for column in order]


def _relative_to(relative: int, line: Line, column: Line, kept: Places) -> Places:
    """The rows that a cell is a part of: its column's, its row's, all, or those of the column or row above it."""
    if relative == 3:
        return np.intersect1d(line.rows, column.parent)
    if relative == 4:
        return np.intersect1d(line.parent, column.rows)
    return (column.rows, line.rows, kept)[relative]


def _misplaced(cells: list[Row], columns: list[Line]) -> list[Row]:
    """As Excel places one function's results over several columns of values: totals in wrong columns.

    Measured: each total is written from where its group begins, one column further for each group before it there, and the
    others are written over it; what is then left of totals stands where no total belongs.
    """
    width = len(cells[0])
    line: Row = [""] * (len(columns) * width)
    totals = sorted((c for c in columns if c.total), key=lambda c: -c.at)
    for column in totals + [c for c in columns if not c.total]:
        at = column.start * width + (column.at - column.start)
        line[at : at + width] = cells[column.at]
    return [line[i : i + width] for i in range(0, len(line), width)]


def _heads(read: _Input, columns: list[Line], summary: Summary, tall: int, *, shown: bool) -> list[Row]:
    """The rows above the table: labels of the column groups, functions, and the names of fields when they are shown."""
    width = 1 if summary.stacked else summary.width
    across = len(columns) * width
    blank: Row = [""] * tall
    out: list[Row] = []
    if shown:
        fields = ", ".join(str(name) for name in read.headers[1] if name is not None)
        out.append([*blank, fields, *[""] * (across - 1)])
    for level in range(len(columns[0].labels)):
        out.append([*blank, *(column.labels[level] for column in columns for _ in range(width))])
    if summary.stacked:
        if shown:  # beside the last row of keys, as no row names the values
            out[-1][: len(read.headers[0])] = read.headers[0]
        return out
    if summary.several:
        out.append([*blank, *summary.names * len(columns)])
    if shown:
        names = [read.headers[2][column] for _, column, _ in summary.pairs]
        out.append([*read.headers[0], *names * len(columns)])
    return out
