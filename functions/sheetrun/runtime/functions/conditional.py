"""COUNTIF, SUMIF, AVERAGEIF, their many-criteria kin, MAXIFS and MINIFS.

A criterion that is an array (or a block of cells filled down) is answered for all its values at once, see
``selecting``. Sources: Microsoft, "COUNTIF function", "SUMIFS function", "MAXIFS function".
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, Numbers
from sheetrun.runtime.criteria import Criterion
from sheetrun.runtime.errors import DIV0, VALUE, Raised
from sheetrun.runtime.functions.aggregate import checked, largest, mean, smallest, total
from sheetrun.runtime.refs import Refs
from sheetrun.runtime.registry import excel
from sheetrun.runtime.selecting import Hits, Range, Rows, aligned, cells_at, resized, rows_where
from sheetrun.runtime.tails import is_array
from sheetrun.runtime.values import MISSING, Arr, Value, common_shape

Groups = NDArray[np.int64]

_MOST_GROUPS: Final = 1 << 22


# -- what is made of the selected cells ------------------------------------------------------------------------------


class Reducer(Protocol):
    """What a function makes of the numbers that were selected: once, or for each of many groups."""

    @abstractmethod
    def one(self, numbers: Numbers) -> float:
        """The answer for some numbers; raises the first error among them."""

    @abstractmethod
    def each(self, numbers: Numbers, groups: Groups, count: int) -> Numbers:
        """The answer for each group; ``groups`` gives the group of each number. Errors are NaNs."""


class _Sum:
    def one(self, numbers: Numbers) -> float:
        return total(checked(numbers))

    def each(self, numbers: Numbers, groups: Groups, count: int) -> Numbers:
        sums: Numbers = np.bincount(groups, weights=numbers, minlength=count).astype(np.float64)
        return sums


class _Average:
    def one(self, numbers: Numbers) -> float:
        return mean(checked(numbers))

    def each(self, numbers: Numbers, groups: Groups, count: int) -> Numbers:
        sizes = np.bincount(groups, minlength=count)
        sums = np.bincount(groups, weights=numbers, minlength=count)
        return np.where(sizes == 0, float(DIV0), sums / np.maximum(sizes, 1))


class _Extreme:
    def __init__(self, one: Callable[[Numbers], float], pairwise: Any) -> None:
        self._one = one
        self._pairwise = pairwise

    def one(self, numbers: Numbers) -> float:
        return self._one(checked(numbers))

    def each(self, numbers: Numbers, groups: Groups, count: int) -> Numbers:
        out = np.zeros(count)
        order = np.argsort(groups, kind="stable")
        ordered = groups[order]
        if len(order):
            starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
            out[ordered[starts]] = self._pairwise.reduceat(numbers[order], starts)
        return out


_SUM: Final = _Sum()
_AVERAGE: Final = _Average()
_MAX: Final = _Extreme(largest, np.maximum)
_MIN: Final = _Extreme(smallest, np.minimum)


# -- calls -----------------------------------------------------------------------------------------------------------


def _split(pairs: tuple[Value, ...]) -> tuple[list[Value], list[Value]]:
    """Ranges and criteria that take turns."""
    if not pairs or len(pairs) % 2:
        raise Raised(VALUE)
    return list(pairs[::2]), list(pairs[1::2])


def _reduced(reducer: Reducer, values: Value, ranges: list[Value], criteria: list[Any]) -> float:
    """One answer from the numbers of ``values`` where all criteria hold."""
    (source, *tested), _ = aligned([values, *ranges])
    rows = rows_where(tested, [Criterion.parse(c) for c in criteria])
    found = cells_at(source.cells, rows)
    return reducer.one(found.num[0] if found.tag is None else found.num[found.tag == NUMBER])


def _counted(ranges: list[Value], criteria: list[Any]) -> float:
    """How often all criteria hold; empty cells beyond the used range count where the criteria allow."""
    tested, clipped = aligned(ranges)
    parsed = [Criterion.parse(c) for c in criteria]
    count = len(rows_where(tested, parsed))
    if clipped and all(c.matches_empty() for c in parsed):
        count += clipped
    return float(count)


# -- many answers at once --------------------------------------------------------------------------------------------


class _Many:
    """The criteria of one call, each with its distinct values and which of them each answer uses."""

    def __init__(self, criteria: list[Value]) -> None:
        arrays = [Arr.of(c) for c in criteria if is_array(c)]
        self.shape = common_shape(arrays)
        self.distinct: list[list[Criterion]] = []
        self.used: list[Groups] = []  #: per criterion, for each answer the number of its distinct value
        for each in criteria:
            if isinstance(each, Refs):
                raise Raised(VALUE)
            if not is_array(each):
                array = Arr.of(None if each is MISSING else each)
            else:
                array = Arr.of(each).expanded(self.shape)
            keys, first, used = np.unique(_keys(array), return_index=True, return_inverse=True)
            cells = Arr(array.num.ravel()[first].reshape(1, -1), array.tags().ravel()[first].reshape(1, -1))
            self.distinct.append([Criterion.parse(c) for c in cells])
            self.used.append(np.broadcast_to(used.ravel(), (self.shape[0] * self.shape[1],)) if len(keys) > 1 else used)


def _keys(cells: Arr) -> NDArray[np.int64]:
    """A number for each cell, equal for equal cells: the bits of a number, or a NaN pattern no number has."""
    bits = np.ascontiguousarray(cells.num + 0.0).view(np.int64).ravel()
    if cells.tag is None:
        return bits
    tag = cells.tag.ravel().astype(np.int64)
    bits = np.where(tag >= TEXT, (0x7FFC << 48) + tag, bits)
    bits = np.where(tag == EMPTY, 0x7FFD << 48, bits)
    return np.where(tag == LOGICAL, (0x7FFE << 48) + (cells.num.ravel() != 0.0), bits)


def _selected(ranges: list[Range], many: _Many) -> tuple[list[list[Hits]], list[Groups], Rows | None]:
    """The hits of the criteria that vary, which of them each answer uses, and the rows where the fixed ones hold."""
    fixed = [k for k, d in enumerate(many.distinct) if len(d) == 1]
    varying = [k for k, d in enumerate(many.distinct) if len(d) > 1]
    rows = rows_where([ranges[k] for k in fixed], [many.distinct[k][0] for k in fixed]) if fixed else None
    hits = []
    for k in varying:
        index = ranges[k].index()
        hits.append([index.hits(c) for c in many.distinct[k]])
    return hits, [many.used[k] for k in varying], rows


def _grouped(hits: list[list[Hits]], used: list[Groups], size: int) -> tuple[Groups, Groups, int] | None:
    """Each cell's group, each answer's group and their number, where all criteria are equalities; else None.

    Groups are the combinations of the criteria's values; -1 is no group. Then one pass over the cells answers all.
    """
    groups = 1
    for each in hits:
        groups *= len(each)
        if not all(h.exact for h in each):
            return None
    if groups > _MOST_GROUPS:
        return None
    cell_group, answer_group = np.zeros(size, np.int64), np.zeros(len(used[0]), np.int64)
    for each, which in zip(hits, used, strict=True):
        of_cell = np.full(size, -1, np.int64)
        same = np.arange(len(each))
        seen: dict[tuple[int, int], int] = {}  # texts and numbers are ordered apart
        for i, h in enumerate(each):
            assert h.order is not None
            if h.low < h.high:
                same[i] = seen.setdefault((id(h.order), h.low), i)
                of_cell[h.order.rows[h.low : h.high]] = same[i]
        cell_group = np.where((of_cell < 0) | (cell_group < 0), -1, cell_group * len(each) + of_cell)
        answer_group = answer_group * len(each) + same[which]
    return cell_group, answer_group, groups


def _combinations(used: list[Groups]) -> tuple[Groups, Groups]:
    """The distinct combinations of criteria (one a row) and which one each answer uses."""
    found, which = np.unique(np.stack(used, axis=1), axis=0, return_inverse=True)
    return found, which.ravel()


def _rows_of(hits: list[Hits], rows: Rows | None) -> Rows:
    """The places where all of some hits meet, within ``rows``."""
    ordered = sorted(hits, key=lambda h: h.count)
    merged: list[Hits] = []
    for each in ordered:
        twin = next((m for m in merged if m.order is not None and m.order is each.order), None)
        if twin is None:
            merged.append(each)
        else:  # two intervals of one order: from date to date
            low, high = max(twin.low, each.low), min(twin.high, each.high)
            merged[merged.index(twin)] = Hits(twin.index, twin.order, low, max(low, high))
    merged.sort(key=lambda h: h.count)
    if rows is not None and len(rows) < merged[0].count:
        found = rows
    else:
        found = merged.pop(0).rows()
        if rows is not None:
            found = np.intersect1d(found, rows, assume_unique=True)
    for each in merged:
        found = each.among(found)
    return found


def _reduced_many(reducer: Reducer, values: Value, ranges: list[Value], criteria: list[Value]) -> Value:
    """``_reduced`` for criteria that are arrays: an array of answers."""
    (source, *tested), _ = aligned([values, *ranges])
    many = _Many(criteria)
    num, tag = source.cells.num.ravel(), source.cells.tags().ravel()
    hits, used, rows = _selected(tested, many)
    if not hits:
        rows = np.arange(0) if rows is None else rows
        return _filled(_boxed(reducer, num[rows][tag[rows] == NUMBER]), many.shape)
    grouped = _grouped(hits, used, len(num))
    if grouped is not None:
        cell_group, answer_group, count = grouped
        chosen = (cell_group >= 0) & (tag == NUMBER)
        if rows is not None:
            chosen &= _mask(rows, len(num))
        answers = reducer.each(num[chosen], cell_group[chosen], count)
        return answers[answer_group].reshape(many.shape)
    combinations, which = _combinations(used)
    answers = np.empty(len(combinations))
    for i, combination in enumerate(combinations.tolist()):
        found = _rows_of([h[c] for h, c in zip(hits, combination, strict=True)], rows)
        answers[i] = _boxed(reducer, num[found][tag[found] == NUMBER])
    return answers[which].reshape(many.shape)


def _counted_many(ranges: list[Value], criteria: list[Value]) -> Value:
    """``_counted`` for criteria that are arrays: an array of answers."""
    tested, clipped = aligned(ranges)
    many = _Many(criteria)
    size = tested[0].cells.size
    hits, used, rows = _selected(tested, many)
    if not hits:
        answers = np.full(many.shape, 0.0 if rows is None else float(len(rows)))
    else:
        grouped = _grouped(hits, used, size)
        if grouped is not None:
            cell_group, answer_group, count = grouped
            chosen = cell_group >= 0
            if rows is not None:
                chosen &= _mask(rows, size)
            counts = np.bincount(cell_group[chosen], minlength=count)
            answers = counts[answer_group].astype(np.float64).reshape(many.shape)
        else:
            combinations, which = _combinations(used)
            counts = np.array(
                [len(_rows_of([h[c] for h, c in zip(hits, row, strict=True)], rows)) for row in combinations.tolist()]
            )
            answers = counts[which].astype(np.float64).reshape(many.shape)
    if clipped:
        empty = np.ones(many.shape[0] * many.shape[1], np.bool_)
        for distinct, which in zip(many.distinct, many.used, strict=True):
            empty &= np.array([c.matches_empty() for c in distinct])[which]
        answers = answers + clipped * empty.reshape(many.shape)
    return answers


def _mask(rows: Rows, size: int) -> NDArray[np.bool_]:
    mask = np.zeros(size, np.bool_)
    mask[rows] = True
    return mask


def _boxed(reducer: Reducer, numbers: Numbers) -> float:
    try:
        return reducer.one(numbers)
    except Raised as stop:
        return float(stop.error)


def _filled(value: float, shape: tuple[int, int]) -> Numbers:
    return np.full(shape, value)


# -- the functions ---------------------------------------------------------------------------------------------------


@excel("COUNTIF(range: raw, criterion: any) -> number", whole=lambda r, c: _counted_many([r], [c]))
def countif(range: Value, criterion: Any) -> float:
    """How many cells satisfy a criterion."""
    return _counted([range], [criterion])


@excel("COUNTIFS(*range: raw, *criterion: any) -> number", whole=lambda *pairs: _counted_many(*_split(pairs)))
def countifs(*pairs: Value) -> float:
    """How often several criteria hold together."""
    return _counted(*_split(pairs))


def _like(values: Value, range: Value) -> Value:
    """The cells to reduce: those that are tested when none are given, else as many from the first given one on."""
    if values is None or values is MISSING:
        return range
    return resized(values, range.shape if hasattr(range, "shape") else (1, 1))


@excel(
    "SUMIF(range: raw, criterion: any, [sum_range: raw ~ None]) -> number",
    whole=lambda r, c, s=None: _reduced_many(_SUM, _like(s, r), [r], [c]),
)
def sumif(range: Value, criterion: Any, sum_range: Value = None) -> float:
    """The sum of the cells that satisfy a criterion, or of the cells beside them."""
    return _reduced(_SUM, _like(sum_range, range), [range], [criterion])


@excel(
    "AVERAGEIF(range: raw, criterion: any, [average_range: raw ~ None]) -> number",
    whole=lambda r, c, a=None: _reduced_many(_AVERAGE, _like(a, r), [r], [c]),
)
def averageif(range: Value, criterion: Any, average_range: Value = None) -> float:
    """The average of the cells that satisfy a criterion, or of the cells beside them."""
    return _reduced(_AVERAGE, _like(average_range, range), [range], [criterion])


def _whole(reducer: Reducer) -> Callable[..., Value]:
    return lambda values, *pairs: _reduced_many(reducer, values, *_split(pairs))


@excel("SUMIFS(sum_range: raw, *range: raw, *criterion: any) -> number", whole=_whole(_SUM))
def sumifs(sum_range: Value, *pairs: Value) -> float:
    """The sum of the cells where several criteria hold together."""
    return _reduced(_SUM, sum_range, *_split(pairs))


@excel("AVERAGEIFS(average_range: raw, *range: raw, *criterion: any) -> number", whole=_whole(_AVERAGE))
def averageifs(average_range: Value, *pairs: Value) -> float:
    """The average of the cells where several criteria hold together."""
    return _reduced(_AVERAGE, average_range, *_split(pairs))


@excel("MAXIFS(max_range: raw, *range: raw, *criterion: any) -> number", whole=_whole(_MAX))
def maxifs(max_range: Value, *pairs: Value) -> float:
    """The largest of the cells where several criteria hold together; 0 when there are none."""
    return _reduced(_MAX, max_range, *_split(pairs))


@excel("MINIFS(min_range: raw, *range: raw, *criterion: any) -> number", whole=_whole(_MIN))
def minifs(min_range: Value, *pairs: Value) -> float:
    """The smallest of the cells where several criteria hold together; 0 when there are none."""
    return _reduced(_MIN, min_range, *_split(pairs))
