"""Which unit reads from which: edges between blocks through an index of who owns a cell, and the order they allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from sheetrun.compiler.forms import Form, places_of
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.units import Unit
from sheetrun.records import dataclass
from sheetrun.runtime.distinct import distinct
from sheetrun.workbook.model import MAX_COLUMNS, Kind, Rect

#: Above this many cells a reference is tested against the rectangles of the blocks instead of cell by cell.
_WIDE = 4096
#: Owner maps are made of tiles of this many rows and columns, only where formulas are.
_TILE = 256


@dataclass(slots=True)
class Owners:
    """Who owns a cell of one sheet: tiles of unit indices (-1: nobody), and all rectangles as arrays."""

    units: list[Unit] = field(default_factory=list)
    tiles: dict[tuple[int, int], NDArray[np.int32]] = field(default_factory=dict)
    tops: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    lefts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    bottoms: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    rights: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    known: dict[Rect, tuple[int, ...]] = field(default_factory=dict)
    covered: set[int] = field(default_factory=set)  #: units some of whose cells another unit lies over (array ranges)

    @classmethod
    def of(cls, units: list[Unit]) -> Owners:
        owners = cls(units)
        rects = np.fromiter(chain.from_iterable([u.rect for u in units]), np.int64, 4 * len(units)).reshape(-1, 4)
        owners.tops, owners.lefts, owners.bottoms, owners.rights = rects.T
        normal = np.array([u.block.kind is Kind.NORMAL for u in units], np.bool_)
        single = np.flatnonzero(normal & (rects[:, :2] == rects[:, 2:]).all(axis=1))
        index = np.array([u.index for u in units], np.int32)
        for some in _by_tile(owners.tops[single], owners.lefts[single]):  # units of one cell each, a tile at a time
            cells = single[some]
            rows, cols = rects[cells, 0], rects[cells, 1]
            tile = np.full((_TILE, _TILE), -1, np.int32)
            tile[rows % _TILE, cols % _TILE] = index[cells]
            owners.tiles[int(rows[0]) // _TILE, int(cols[0]) // _TILE] = tile
        for k in sorted(set(range(len(units))).difference(single.tolist())):
            owners._paint(units[k])
        return owners

    def _paint(self, unit: Unit) -> None:
        rect = unit.rect
        for i in range(rect.top // _TILE, rect.bottom // _TILE + 1):
            for j in range(rect.left // _TILE, rect.right // _TILE + 1):
                tile = self.tiles.get((i, j))
                if tile is None:
                    tile = self.tiles[i, j] = np.full((_TILE, _TILE), -1, np.int32)
                top, left = i * _TILE, j * _TILE
                part = tile[
                    max(rect.top - top, 0) : rect.bottom - top + 1, max(rect.left - left, 0) : rect.right - left + 1
                ]
                if part.max() >= 0:
                    self.covered.update(distinct(part[part >= 0]).tolist())
                part[...] = unit.index

    def of_cells(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.int32]:
        """The unit of each of many cells, -1 where there is none; when nothing is ``covered``."""
        out = np.full(len(rows), -1, np.int32)
        for some in _by_tile(rows, cols):
            tile = self.tiles.get((int(rows[some[0]]) // _TILE, int(cols[some[0]]) // _TILE))
            if tile is not None:
                out[some] = tile[rows[some] % _TILE, cols[some] % _TILE]
        return out

    def of_rect(self, rect: Rect) -> Iterable[int]:
        """Units with a cell in a rectangle."""
        if self.covered:
            hidden = [u.index for u in self.units if u.index in self.covered and u.rect.overlaps(rect)]
            return {*hidden, *self._visible(rect)} if hidden else self._visible(rect)
        return self._visible(rect)

    def _visible(self, rect: Rect) -> Iterable[int]:
        if rect.size == 1:
            tile = self.tiles.get((rect.top // _TILE, rect.left // _TILE))
            owner = -1 if tile is None else tile.item(rect.top % _TILE, rect.left % _TILE)
            return () if owner < 0 else (owner,)
        found = self.known.get(rect)
        if found is None:
            found = self.known[rect] = self._search(rect)
        return found

    def _search(self, rect: Rect) -> tuple[int, ...]:
        if rect.size > _WIDE or rect.size > len(self.units):
            hit = (
                (self.tops <= rect.bottom)
                & (self.bottoms >= rect.top)
                & (self.lefts <= rect.right)
                & (self.rights >= rect.left)
            )
            return tuple(self.units[i].index for i in np.flatnonzero(hit).tolist())
        owners: set[int] = set()
        for i in range(rect.top // _TILE, rect.bottom // _TILE + 1):
            for j in range(rect.left // _TILE, rect.right // _TILE + 1):
                tile = self.tiles.get((i, j))
                if tile is None:
                    continue
                top, left = i * _TILE, j * _TILE
                part = tile[
                    max(rect.top - top, 0) : rect.bottom - top + 1, max(rect.left - left, 0) : rect.right - left + 1
                ]
                owners.update(distinct(part).tolist())
        owners.discard(-1)
        return tuple(sorted(owners))


def link(units: list[Unit], scope: Scope) -> None:
    """Sets ``needs`` of every unit."""
    owners = owners_of(units)
    waiting: dict[int, _Cells] = {sheet: _Cells() for sheet in owners}
    for unit in units:
        if unit.form is not None:
            _link_form(unit, unit.form, owners, waiting, scope)
            continue
        for read, rect in regions(unit):
            for sheet in sheets_of(read, scope):
                if sheet in owners:
                    unit.needs.update(owners[sheet].of_rect(rect))
    for sheet, cells in waiting.items():
        for needs, owner in zip(cells.needs, cells.owners(owners[sheet]), strict=True):
            if owner >= 0:
                needs.add(owner)


@dataclass(slots=True)
class _Cells:
    """Cells of a sheet that units of forms read, and the ``needs`` that take their owners: there may be very many."""

    addresses: list[str] = field(default_factory=list)
    needs: list[set[int]] = field(default_factory=list)

    def owners(self, owners: Owners) -> list[int]:
        rows, cols = places_of(self.addresses)
        found: list[int] = owners.of_cells(np.array(rows, np.int64), np.array(cols, np.int64)).tolist()
        return found


def _link_form(unit: Unit, form: Form, owners: dict[int, Owners], waiting: dict[int, _Cells], scope: Scope) -> None:
    """The same from what stands in the blanks."""
    for read, reference in form.reads:
        if reference is None:
            for sheet in sheets_of(read, scope):
                if sheet in owners:
                    unit.needs.update(owners[sheet].of_rect(read.at(0, 0)))
            continue
        owner = owners.get(read.sheet)
        if owner is None:
            continue
        if reference.first == reference.last and not owner.covered:
            cells = waiting[read.sheet]
            cells.addresses.append(unit.blanks[reference.first])
            cells.needs.append(unit.needs)
        else:
            unit.needs.update(owner.of_rect(reference.rect(unit.blanks)))


def _by_tile(rows: NDArray[np.int64], cols: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The indices of the cells of each tile."""
    if not len(rows):
        return []
    places = (rows // _TILE) * (MAX_COLUMNS // _TILE + 1) + cols // _TILE
    order = np.argsort(places, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(places[order])) + 1)


def owners_of(units: list[Unit]) -> dict[int, Owners]:
    """Who owns the cells of each sheet that has formulas."""
    by_sheet: dict[int, list[Unit]] = {}
    for unit in units:
        by_sheet.setdefault(unit.sheet, []).append(unit)
    return {sheet: Owners.of(members) for sheet, members in by_sheet.items()}


def regions(unit: Unit) -> Iterator[tuple[Range, Rect]]:
    """What a unit reads: each reference (of a form: the stand-in for it) with all cells that are read through it."""
    if unit.form is None:
        for read in unit.own_reads:
            yield read, region(unit, read)
    else:
        for read, reference in unit.form.reads:
            yield read, read.at(0, 0) if reference is None else reference.rect(unit.blanks)


def region(unit: Unit, read: Range) -> Rect:
    """All cells that a unit reads through one reference."""
    if unit.scalar:
        return read.over(unit.rect)
    return read.at(unit.rect.top, unit.rect.left)


def sheets_of(read: Range, scope: Scope) -> Iterable[int]:
    """The sheets of a reference: several for a 3-D one (in the order of the tabs)."""
    if read.last_sheet is None:
        return (read.sheet,)
    first, last = sorted((read.sheet, read.last_sheet))
    return range(first, last + 1)


def components(units: list[Unit]) -> list[list[int]]:
    """Strongly connected components, what is read before what reads (Tarjan's algorithm, without recursion).

    Ties follow the units' own order, so the result is the same for the same workbook.
    """
    count = len(units)
    number = [0] * count
    low = [0] * count
    on_stack = [False] * count
    stack: list[int] = []
    out: list[list[int]] = []
    clock = 0
    needs = [sorted(u.needs) for u in units]
    for root in range(count):
        if number[root]:
            continue
        work = [(root, 0)]
        while work:
            node, at = work.pop()
            if at == 0:
                clock += 1
                number[node] = low[node] = clock
                stack.append(node)
                on_stack[node] = True
            descended = False
            successors = needs[node]
            while at < len(successors):
                other = successors[at]
                at += 1
                if not number[other]:
                    work.append((node, at))
                    work.append((other, 0))
                    descended = True
                    break
                if on_stack[other]:
                    low[node] = min(low[node], number[other])
            if descended:
                continue
            if low[node] == number[node]:
                members = []
                while True:
                    other = stack.pop()
                    on_stack[other] = False
                    members.append(other)
                    if other == node:
                        break
                out.append(sorted(members))
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[node])
    return out
