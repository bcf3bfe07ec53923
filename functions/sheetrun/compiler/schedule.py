"""The order of computing and the way of each part: whole blocks at once, loops for recurrences, cells on demand.

Whole   one unit that does not read itself: computed over its rectangle in one go
Loop    units that read one another only backwards along rows or columns: one loop, in that direction
Alike   units of one form (``forms``), none of which reads another: one loop over a list of their cells
Solve   everything else that is circular by blocks, and what reads through OFFSET or INDIRECT: cell by cell, each
        computed when it is asked for (real cycles are found and treated there)
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import Final

import numpy as np

from sheetrun.compiler.forms import Form
from sheetrun.compiler.graph import components, link, region, sheets_of
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.units import Unit
from sheetrun.records import dataclass
from sheetrun.workbook.model import Rect

#: A form with so many units on a sheet is computed by lists of cells; nobody would read as many statements.
_MANY: Final = 60
_FEW: Final = 3  #: cells that are statements of their own rather than a list
_LONGEST: Final = 1000  #: cells of a list


@dataclass(frozen=True, slots=True)
class Whole:
    unit: Unit


@dataclass(frozen=True, slots=True)
class Loop:
    """``by_row``: the loop runs over rows, else over columns. ``units`` in the order within one turn."""

    units: tuple[Unit, ...]
    by_row: bool
    forward: bool
    inner_forward: dict[int, bool]  #: unit index -> direction of the inner loop, where it matters


@dataclass(frozen=True, slots=True)
class Solve:
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """One cell each."""

    units: tuple[Unit, ...]
    form: Form


Part = Whole | Loop | Alike | Solve


def schedule(units: list[Unit], scope: Scope) -> list[Part]:
    """All units in an order in which each part reads only what stands before it."""
    link(units, scope)
    return _in_line(units) or _by_sheet(_planned(units, scope))


def _in_line(units: list[Unit]) -> list[Part] | None:
    """The order where no unit has to do with another in a circle, which few workbooks have; else None."""
    if any(unit.dynamic or unit.index in unit.needs for unit in units):
        return None
    found = _by_sheet(list(map(Whole, units)))
    return found if sum(len(units_of(part)) for part in found) == len(units) else None


def _planned(units: list[Unit], scope: Scope) -> list[Part]:
    """The parts, in an order in which each reads only what stands before it."""
    parts = components(units)
    late = _after_dynamic(units, parts)
    planned: list[Part] = []
    for members in parts:
        first = units[members[0]]
        if len(members) == 1 and first.index not in first.needs and first.index not in late:
            planned.append(Whole(first))
            continue
        group = tuple(units[i] for i in members)
        solved = any(i in late for i in members)
        planned.append(Solve(group) if solved else _loop(group, scope) or Solve(group))
    return planned


def units_of(part: Part) -> tuple[Unit, ...]:
    return (part.unit,) if isinstance(part, Whole) else part.units


def _after_dynamic(units: list[Unit], parts: list[list[int]]) -> set[int]:
    """Units that read through a reference made at run time, and all that read from them.

    What such a reference reaches may itself read from this unit; only cell by cell can the run tell.
    """
    late = {u.index for u in units if u.dynamic}
    if not late:
        return late
    for members in parts:  # in order: what is read comes first
        if any(i in late or units[i].needs & late for i in members):
            late.update(members)
    return late


# -- recurrences ---------------------------------------------------------------------------------------------------------


def _loop(group: tuple[Unit, ...], scope: Scope) -> Loop | None:
    """A loop that computes the units in the right order, if there is one."""
    if any(not u.scalar for u in group):
        return None
    edges = _inner_edges(group, scope)
    for by_row in _axes(group):
        for forward in (True, False):
            found = _try_loop(group, edges, by_row, forward)
            if found is not None:
                return found
    return None


def _axes(group: tuple[Unit, ...]) -> tuple[bool, bool]:
    """The longer way first: rows when the blocks together are taller than wide."""
    height = max(u.rect.bottom for u in group) - min(u.rect.top for u in group)
    width = max(u.rect.right for u in group) - min(u.rect.left for u in group)
    return (True, False) if height >= width else (False, True)


def _inner_edges(group: tuple[Unit, ...], scope: Scope) -> list[tuple[Unit, Unit, Range]]:
    """(reader, read, reference) for all references within the group."""
    by_sheet: dict[int, list[Unit]] = defaultdict(list)
    for unit in group:
        by_sheet[unit.sheet].append(unit)
    members = {u.index for u in group}
    by_index = {u.index: u for u in group}
    edges: list[tuple[Unit, Unit, Range]] = []
    for unit in group:
        for read in unit.reads:
            rect = region(unit, read)
            for sheet in sheets_of(read, scope):
                candidates = by_sheet.get(sheet, ())
                if len(candidates) > 64:
                    candidates = [by_index[i] for i in sorted(unit.needs & members) if by_index[i].sheet == sheet]
                edges.extend((unit, other, read) for other in candidates if rect.overlaps(other.rect))
    return edges


def _try_loop(
    group: tuple[Unit, ...], edges: list[tuple[Unit, Unit, Range]], by_row: bool, forward: bool
) -> Loop | None:
    before: dict[int, set[int]] = {u.index: set() for u in group}
    inner: dict[int, bool] = {}
    for reader, other, read in edges:
        kind = _relation(reader.rect, other.rect, read, by_row, forward)
        if kind is None:
            return None
        if kind == "earlier":
            continue
        if reader is not other:
            before[reader.index].add(other.index)
            continue
        directions = [d for d in (True, False) if _relation(reader.rect, other.rect, read, not by_row, d) == "earlier"]
        if reader.index in inner:
            directions = [d for d in directions if d == inner[reader.index]]
        if not directions:
            return None
        inner[reader.index] = directions[0]
    order = _ordered(group, before)
    return None if order is None else Loop(order, by_row, forward, inner)


def _relation(reader: Rect, other: Rect, read: Range, by_row: bool, forward: bool) -> str | None:
    """Along one axis, is what is read "earlier" than the reader for all its cells, in the "same" turn, or later (None)?"""
    if by_row:
        low, high = read.top, read.bottom
        first, last, start, end = reader.top, reader.bottom, other.top, other.bottom
    else:
        low, high = read.left, read.right
        first, last, start, end = reader.left, reader.right, other.left, other.right
    if forward:  # how far ahead of the host it reaches: most for the first host, whatever ends are absolute
        ahead = min(max(low.at(first), high.at(first)), end) - first
    else:
        ahead = last - max(min(low.at(last), high.at(last)), start)
    if ahead < 0:
        return "earlier"
    return "same" if ahead == 0 else None


def _ordered(group: tuple[Unit, ...], before: dict[int, set[int]]) -> tuple[Unit, ...] | None:
    """The units so that what is read in a turn comes first; None when they read one another in a circle."""
    by_index = {u.index: u for u in group}
    readers: dict[int, list[int]] = defaultdict(list)
    waiting = {}
    for index, needed in before.items():
        waiting[index] = len(needed)
        for other in needed:
            readers[other].append(index)
    ready = sorted(i for i, n in waiting.items() if n == 0)
    heapq.heapify(ready)
    out = []
    while ready:
        index = heapq.heappop(ready)
        out.append(by_index[index])
        for reader in readers[index]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, reader)
    return tuple(out) if len(out) == len(group) else None


# -- order ---------------------------------------------------------------------------------------------------------------


def _by_sheet(parts: list[Part]) -> list[Part]:
    """A valid order that stays on one sheet as long as it can, so that the script has few, long functions. Parts that read
    each other in a circle, and what reads them, are left out.

    Units of a form that has very many wait until nothing else can be computed: then all that are ready are one part.
    """
    firsts = [part.unit if type(part) is Whole else units_of(part)[0] for part in parts]
    forms = list(map(_common_form, parts))
    waiting, readers = _waiting(parts)
    ready: dict[int, list[tuple[Rect, int]]] = defaultdict(list)
    alike: dict[int, tuple[Form, list[int]]] = {}  #: by the identity of the form

    def offer(k: int) -> None:
        form = forms[k]
        if form is None:
            first = firsts[k]
            heapq.heappush(ready[first.sheet], (first.rect, k))
        elif id(form) in alike:
            alike[id(form)][1].append(k)
        else:
            alike[id(form)] = (form, [k])

    for k in range(len(parts)):
        if waiting[k] == 0:
            offer(k)
    out: list[Part] = []
    sheet = min(ready, default=0)
    while True:
        if not ready[sheet]:
            sheet = min((s for s, heap in ready.items() if heap), default=sheet)
        if ready[sheet]:
            chosen = [heapq.heappop(ready[sheet])[1]]
            out.append(parts[chosen[0]])
        elif alike:
            form, chosen = alike.pop(max(alike, key=lambda key: len(alike[key][1])))
            out.extend(_alike([firsts[k] for k in chosen], form))
        else:
            return out
        for k in chosen:
            for reader in readers[k]:
                waiting[reader] -= 1
                if waiting[reader] == 0:
                    offer(reader)


def _waiting(parts: list[Part]) -> tuple[list[int], list[list[int]]]:
    """For each part how many others it waits for, and which others wait for it."""
    count = len(parts)
    members = list(map(units_of, parts))
    units = list(chain.from_iterable(members))
    place = np.repeat(np.arange(count), list(map(len, members)))
    owner = np.empty(len(units), np.int64)
    owner[[unit.index for unit in units]] = place
    reads = np.fromiter(chain.from_iterable([unit.needs for unit in units]), np.int64)
    reader = np.repeat(place, [len(unit.needs) for unit in units])
    pairs = np.sort(owner[reads] * count + reader)  # by what is read, then by who reads it
    pairs = pairs[np.append(True, np.diff(pairs) > 0)[: len(pairs)]]
    read, reader = pairs // max(count, 1), pairs % max(count, 1)
    read, reader = read[read != reader], reader[read != reader]
    waiting: list[int] = np.bincount(reader, minlength=count).tolist()
    ends = np.cumsum(np.bincount(read, minlength=count)).tolist()
    flat = reader.tolist()
    readers = [flat[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return waiting, readers


def _common_form(part: Part) -> Form | None:
    """The form of a part that is one of very many."""
    form = part.unit.form if type(part) is Whole else None
    return form if form is not None and form.members >= _MANY and form.references else None


def _alike(units: list[Unit], form: Form) -> Iterator[Part]:
    if len(units) < _FEW:
        yield from map(Whole, units)
        return
    for start in range(0, len(units), _LONGEST):
        yield Alike(tuple(units[start : start + _LONGEST]), form)
