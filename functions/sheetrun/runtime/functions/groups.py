"""Groups of rows for GROUPBY and PIVOTBY: their keys and order, subtotals, and what their values come to.

Sources: Microsoft, "GROUPBY function" and "PIVOTBY function"; what those leave open was read off Excel 365 and is
recorded by the project pyOfficeEditor (in the tests of its formula engine).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from sheetrun.runtime.errors import VALUE, ExcelError, Raised, Unsupported
from sheetrun.runtime.functions.dynamic import line_ranks, same_keys
from sheetrun.runtime.functions.lambdas import called
from sheetrun.runtime.functions.shaping import Functions
from sheetrun.runtime.refs import Ref
from sheetrun.runtime.registry import find
from sheetrun.runtime.tails import is_array
from sheetrun.runtime.values import Arr, Scalar, Value

Places: TypeAlias = Any  # an array of row numbers
Row: TypeAlias = list[Scalar]

_EMPTIES_LAST: Final = 4.0  #: the rank of empty cells
_MOST_FIELDS: Final = 200  #: columns to group by, each a level of the hierarchy


@dataclass(frozen=True, slots=True)
class Order:
    """``sort_order``: columns of keys by number from 1 (negative: descending), or one column of results."""

    keys: tuple[int, ...] = ()
    result: int | None = None

    @classmethod
    def of(cls, wanted: Arr | None, keys: int, results: int) -> Order:
        """Raises #VALUE! for a column that is not there, comes twice, or for a result among others."""
        if wanted is None:
            return cls()
        numbers = [int(n) if n == n and n == int(n) else 0 for n in wanted.num.ravel().tolist()]
        columns = [abs(n) for n in numbers]
        if (
            wanted.shape[0] != 1
            or min(columns) < 1
            or max(columns) > keys + results
            or len(set(columns)) < len(columns)
        ):
            raise Raised(VALUE)
        if max(columns) <= keys:
            return cls(tuple(numbers))
        if len(numbers) > 1:
            raise Raised(VALUE)
        return cls((), numbers[0] - keys if numbers[0] > 0 else numbers[0] + keys)

    def descending(self, level: int) -> bool:
        return -(level + 1) in self.keys


@dataclass(frozen=True, slots=True)
class Fields:
    """The grouping columns of a table: which rows have the same key in each, and how keys sort."""

    cells: Arr
    keys: Any  #: shape (rows, columns): the same number where values are the same
    ranks: Any  #: shape (rows, columns, 2): how each value sorts

    @classmethod
    def of(cls, cells: Arr) -> Fields:
        if cells.shape[1] > _MOST_FIELDS:
            raise Unsupported("too_large", f"{cells.shape[1]:,} columns to group by, more than {_MOST_FIELDS}")
        columns = range(cells.shape[1])
        parts = [cells.take(slice(None), slice(i, i + 1)) for i in columns]
        keys = [np.unique(same_keys(p), axis=0, return_inverse=True)[1].ravel() for p in parts]
        return cls(cells, np.stack(keys, axis=1), np.stack([line_ranks(p) for p in parts], axis=1))

    @property
    def width(self) -> int:
        return self.cells.shape[1]

    def groups(self, rows: Places, level: int, *, descending: bool) -> list[Places]:
        """The rows with one value each in a column, in order of the values; empty ones come last either way."""
        keys = self.keys[rows, level]
        _, first = np.unique(keys, return_index=True)
        sign = -1.0 if descending else 1.0

        def place(at: int) -> tuple[bool, float, float]:
            kind, key = self.ranks[rows[at], level]
            return kind == _EMPTIES_LAST, sign * kind, sign * key

        return [rows[keys == keys[i]] for i in sorted(first.tolist(), key=place)]

    def label(self, rows: Places, level: int, order: Order) -> Scalar:
        """A group's key as the first row of its first leaf spells it."""
        for below in range(level + 1, self.width):
            if len(rows) == 1:
                break
            rows = self.groups(rows, below, descending=order.descending(below))[0]
        return self.cells.cell(int(rows[0]), level)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the result: its labels, the rows that it sums up, and the rows above it in the hierarchy.

    ``start``: the place of the first line of its group, totals counted after what they sum up.
    """

    labels: tuple[Scalar, ...]
    rows: Places
    parent: Places
    start: int
    at: int

    @property
    def total(self) -> bool:
        return self.start < self.at


class Summary:
    """What the values of some rows come to: each function with each column of values, or one with one in turn."""

    def __init__(self, values: Arr, function: Value) -> None:
        functions, self.names, self.stacked = _functions(function)
        self.values = values
        self.several = len(functions) > 1
        columns = values.shape[1]
        if len(functions) == 1:
            pairs = [(functions[0], column) for column in range(columns)]
        elif columns == 1:
            pairs = [(each, 0) for each in functions]
        elif columns == len(functions):
            pairs = list(zip(functions, range(columns), strict=True))
        else:
            raise Raised(VALUE)
        self.pairs = [(each, column, _takes_two(each)) for each, column in pairs]

    @property
    def width(self) -> int:
        return len(self.pairs)

    def of(self, rows: Places, among: Places) -> Row:
        """The results for some rows; ``among``: the rows that PERCENTOF divides by. An array refuses the whole table."""
        out: Row = []
        for function, column, takes_all in self.pairs:
            part = self.values.take(rows, slice(column, column + 1))
            arguments = [part, self.values.take(among, slice(column, column + 1))] if takes_all else [part]
            value = called(function, *arguments)
            if isinstance(value, Ref) and value.shape == (1, 1):
                value = value.cell()
            if is_array(value) or hasattr(value, "arr") or callable(value):
                raise Raised(VALUE)
            out.append(value)
        return out


def _functions(value: Value) -> tuple[list[Callable[..., Value]], list[str], bool]:
    """The functions, their names, and whether they stand one below another (VSTACK). Names may be given beside them."""
    cells = [list(row) for row in value.rows] if isinstance(value, Functions) else [[value]]
    names: list[str] = []
    if len(cells) == 2 and len(cells[0]) > 0 and all(isinstance(name, str) for name in cells[1]):
        cells, names = cells[:1], cells[1]
    elif all(len(row) == 2 and isinstance(row[-1], str) for row in cells):
        cells, names = [row[:1] for row in cells], [row[-1] for row in cells]
    if len(cells) > 1 and len(cells[0]) > 1:
        raise Raised(VALUE)
    functions = [each for row in cells for each in row]
    for each in functions:
        if isinstance(each, ExcelError):
            raise Raised(each)
        if not callable(each):
            raise Raised(VALUE)
    return functions, names or _names(functions), len(cells) > 1


def _names(functions: list[Callable[..., Value]]) -> list[str]:
    """How results are headed: by the name of Excel's function, CUSTOM for a LAMBDA (with a number where there are more)."""
    own = [_name(each) for each in functions]
    customs = own.count("")
    numbers = iter(range(1, customs + 1))
    return [name or (f"CUSTOM{next(numbers)}" if customs > 1 else "CUSTOM") for name in own]


def _name(function: Callable[..., Value]) -> str:
    name: str = getattr(function, "__name__", "").replace("_", ".")
    entry = find(name) if name.isupper() else None
    return name if entry is not None and entry.call is function else ""


def _takes_two(function: Callable[..., Value]) -> bool:
    """Whether a function wants the whole as well as the part (PERCENTOF, a LAMBDA of two)."""
    if getattr(function, "__name__", "") == "PERCENTOF":
        return True
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return sum(1 for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)) == 2


@dataclass(slots=True)
class Walk:
    """Goes through all groups. ``by_result``: whether a level sorts by its groups' results where the order says so."""

    fields: Fields
    order: Order
    summary: Summary
    everything: Places
    depth: int
    by_result: Callable[[int], bool]
    out: list[Line] = field(default_factory=list)

    def lines(self, *, flat: bool = False) -> list[Line]:
        """The lines, each total after what it sums up (see ``totals_first``)."""
        self._go(self.everything, 0, ())
        if flat:
            self.out = self._table()
        if self.depth:
            label = "Grand Total" if abs(self.depth) > 1 else "Total"
            labels = (label,) + ("",) * (self.fields.width - 1)
            self.out.append(Line(labels, self.everything, self.everything, 0, len(self.out)))
        return self.out

    def _go(self, rows: Places, level: int, labels: tuple[Scalar, ...]) -> None:
        last = self.fields.width - 1
        for group in self._groups(rows, level):
            named = (*labels, self.fields.label(group, level, self.order))
            start = len(self.out)
            if level == last:
                self.out.append(Line(named, group, rows, start, start))
                continue
            self._go(group, level + 1, named)
            if abs(self.depth) - 1 > level:
                self.out.append(Line(named + ("",) * (last - level), group, rows, start, len(self.out)))

    def _groups(self, rows: Places, level: int) -> list[Places]:
        groups = self.fields.groups(rows, level, descending=self.order.descending(level))
        result = self.order.result
        if result is None or not self.by_result(level):
            return groups
        return [groups[i] for i in self._by_result(groups, result)]

    def _by_result(self, groups: list[Places], result: int) -> list[int]:
        """Places of groups in the order of a result; equal ones stay as they are."""
        values = [self.summary.of(group, self.everything)[abs(result) - 1] for group in groups]
        ranks = line_ranks(Arr.column(values)) * (-1.0 if result < 0 else 1.0)
        order: list[int] = np.lexsort([ranks[:, 1], ranks[:, 0]]).tolist()
        return order

    def _table(self) -> list[Line]:
        """Lines sorted as the rows of a table, not within their parents."""
        lines = self.out
        if self.order.result is not None:
            lines = [lines[i] for i in self._by_result([line.rows for line in lines], self.order.result)]
        for wanted in reversed(self.order.keys):
            ranks = line_ranks(Arr.column([line.labels[abs(wanted) - 1] for line in lines]))
            ranks = np.where(ranks[:, :1] == _EMPTIES_LAST, ranks, ranks * (-1.0 if wanted < 0 else 1.0))
            lines = [lines[i] for i in np.lexsort([ranks[:, 1], ranks[:, 0]]).tolist()]
        return [Line(line.labels, line.rows, line.parent, at, at) for at, line in enumerate(lines)]


def totals_first(lines: list[Line]) -> list[Line]:
    """Each total before what it sums up."""
    return sorted(lines, key=lambda line: (line.start, -line.at))
