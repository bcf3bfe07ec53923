"""Database functions: a table with a header row, a field of it, and criteria in a small table of their own.

Rows of the criteria are alternatives, cells in a row hold together, an empty one asks nothing. A text without operator
asks for cells that *begin* with it (unlike COUNTIF). Source: Microsoft, "DSUM function", "Filter by using advanced
criteria".
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sheetrun.runtime import pool
from sheetrun.runtime.cells import EMPTY, NUMBER, Mask, Numbers
from sheetrun.runtime.coerce import to_text
from sheetrun.runtime.criteria import Criterion
from sheetrun.runtime.errors import NUM, VALUE, ExcelError, Raised, Unsupported
from sheetrun.runtime.functions.aggregate import checked, largest, mean, product_of, smallest, total
from sheetrun.runtime.functions.statistics import variance
from sheetrun.runtime.refs import Ref, Refs
from sheetrun.runtime.registry import excel
from sheetrun.runtime.tails import is_array
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value


def _table(value: Value) -> Arr:
    """A table in a reference (or an array), its first row the headers."""
    if isinstance(value, ExcelError):
        raise Raised(value)
    if isinstance(value, Refs) or value is MISSING or isinstance(value, float | str | bool):
        raise Raised(VALUE)
    table = Arr.of(value)
    if table.shape[0] < 2:  # headers and nothing under them
        raise Raised(VALUE)
    return table


def _headers(table: Arr) -> list[str]:
    return [_label(table.cell(0, c)) for c in range(table.shape[1])]


def _label(value: Scalar) -> str:
    text = to_text(value)
    return pool.fold(text) if isinstance(text, str) else ""


def _column(table: Arr, field: Value) -> int | None:
    """The index of a field, given by its header or its number; None when no field is given."""
    if isinstance(field, Ref | Refs):
        cells = field.arr()
        if cells.size > 1:
            raise Raised(VALUE)
        field = cells.cell(0, 0)
    elif is_array(field):
        field = Arr.of(field).cell(0, 0)
    if field is MISSING or field is None:
        return None
    if isinstance(field, ExcelError):
        raise Raised(field)
    if isinstance(field, str):
        headers = _headers(table)
        if pool.fold(field) in headers:
            return headers.index(pool.fold(field))
        raise Raised(VALUE)
    if callable(field):
        raise Raised(VALUE)
    number = int(field)
    if not 1 <= number <= table.shape[1]:
        raise Raised(VALUE)
    return number - 1


def _rows(table: Arr, criteria: Value) -> Mask:
    """Which rows under the headers satisfy the criteria."""
    wanted = _table(criteria)
    headers = _headers(table)
    hit = np.zeros(table.shape[0] - 1, np.bool_)
    labels = _headers(wanted)
    for r in range(1, wanted.shape[0]):
        holds = np.ones(len(hit), np.bool_)
        for c, label in enumerate(labels):
            value = wanted.cell(r, c)
            if value is None:
                continue
            if label and label in headers:
                column = headers.index(label)
                cells = table.take(slice(1, None), slice(column, column + 1))
                holds &= _criterion(value).mask(cells)[:, 0]
            else:
                holds &= _computed(criteria, value, r, c)
        hit |= holds
    return hit


def _criterion(value: Scalar) -> Criterion:
    found = Criterion.parse(value)
    if isinstance(found.value, str) and found.op == "=" and not found.written and found.value:
        return Criterion("=", found.value + "*", True)
    return found


def _computed(criteria: Value, value: Scalar, row: int, column: int) -> bool:
    """A criterion under a label that is no field: a condition, the same for all rows unless it is a formula."""
    if isinstance(criteria, Ref):
        place = criteria.sheet.index, criteria.span.top + row, criteria.span.left + column
        if place in criteria.book.formulas:
            raise Unsupported("computed_criterion", "a criterion that is a formula is evaluated for each row by Excel")
    return isinstance(value, bool | float) and value != 0.0


def _values(database: Value, field: Value, criteria: Value) -> Arr:
    """The cells of the field in the rows that satisfy the criteria, as a column that may be empty."""
    table = _table(database)
    column = _column(table, field)
    if column is None:
        raise Raised(VALUE)
    return table.take(slice(1, None), slice(column, column + 1)).take(_rows(table, criteria), slice(None))


def _numbers(database: Value, field: Value, criteria: Value) -> Numbers:
    cells = _values(database, field, criteria)
    return checked(cells.num[cells.tags() == NUMBER])


@excel("DSUM(database: raw, field: raw, criteria: raw) -> number")
def dsum(database: Value, field: Value, criteria: Value) -> float:
    """The sum of a field over the records that satisfy criteria."""
    return total(_numbers(database, field, criteria))


@excel("DPRODUCT(database: raw, field: raw, criteria: raw) -> number")
def dproduct(database: Value, field: Value, criteria: Value) -> float:
    """The product of a field over the records that satisfy criteria."""
    return product_of(_numbers(database, field, criteria))


@excel("DAVERAGE(database: raw, field: raw, criteria: raw) -> number")
def daverage(database: Value, field: Value, criteria: Value) -> float:
    """The average of a field over the records that satisfy criteria."""
    return mean(_numbers(database, field, criteria))


@excel("DMAX(database: raw, field: raw, criteria: raw) -> number")
def dmax(database: Value, field: Value, criteria: Value) -> float:
    """The largest number of a field among the records that satisfy criteria."""
    return largest(_numbers(database, field, criteria))


@excel("DMIN(database: raw, field: raw, criteria: raw) -> number")
def dmin(database: Value, field: Value, criteria: Value) -> float:
    """The smallest number of a field among the records that satisfy criteria."""
    return smallest(_numbers(database, field, criteria))


@excel("DVAR(database: raw, field: raw, criteria: raw) -> number")
def dvar(database: Value, field: Value, criteria: Value) -> float:
    """The variance of a field, the records that satisfy criteria taken as a sample."""
    return variance(_numbers(database, field, criteria), sample=True)


@excel("DVARP(database: raw, field: raw, criteria: raw) -> number")
def dvarp(database: Value, field: Value, criteria: Value) -> float:
    """The variance of a field over all records that satisfy criteria."""
    return variance(_numbers(database, field, criteria), sample=False)


@excel("DSTDEV(database: raw, field: raw, criteria: raw) -> number")
def dstdev(database: Value, field: Value, criteria: Value) -> float:
    """The standard deviation of a field, the records that satisfy criteria taken as a sample."""
    return math.sqrt(variance(_numbers(database, field, criteria), sample=True))


@excel("DSTDEVP(database: raw, field: raw, criteria: raw) -> number")
def dstdevp(database: Value, field: Value, criteria: Value) -> float:
    """The standard deviation of a field over all records that satisfy criteria."""
    return math.sqrt(variance(_numbers(database, field, criteria), sample=False))


def _counted(database: Value, field: Value, criteria: Value, counts: Callable[[Arr], Mask]) -> float:
    """How many cells of the field count; without a field, how many records satisfy the criteria."""
    table = _table(database)
    if _column(table, field) is None:
        return float(np.count_nonzero(_rows(table, criteria)))
    return float(np.count_nonzero(counts(_values(database, field, criteria))))


@excel("DCOUNT(database: raw, field: raw, criteria: raw) -> number")
def dcount(database: Value, field: Value, criteria: Value) -> float:
    """How many numbers a field has in the records that satisfy criteria."""
    return _counted(database, field, criteria, lambda cells: cells.numbers())


@excel("DCOUNTA(database: raw, field: raw, criteria: raw) -> number")
def dcounta(database: Value, field: Value, criteria: Value) -> float:
    """How many cells of a field are not empty in the records that satisfy criteria."""
    return _counted(database, field, criteria, lambda cells: cells.tags() != EMPTY)


@excel("DGET(database: raw, field: raw, criteria: raw) -> any")
def dget(database: Value, field: Value, criteria: Value) -> Scalar:
    """The field of the one record that satisfies criteria: #VALUE! when there is none, #NUM! when there are several."""
    cells = _values(database, field, criteria)
    if cells.size == 0:
        raise Raised(VALUE)
    if cells.size > 1:
        raise Raised(NUM)
    return cells.cell(0, 0)
