"""What changed between two versions of a model: formulas, inputs, outputs, and which change caused which.

Cells are compared by their place. Formulas are the same when they are in R1C1 terms, so a filled formula that changed
is one entry, not one for each cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from sheetrun.compiler.cone import Place
from sheetrun.compiler.graph import regions, sheets_of
from sheetrun.compiler.plan import Plan
from sheetrun.compiler.schedule import units_of
from sheetrun.formula.a1 import quote_sheet, range_name
from sheetrun.formula.r1c1 import relative_key
from sheetrun.records import dataclass
from sheetrun.service.calling import LoadedModel, cells_of
from sheetrun.service.interface import maps_of
from sheetrun.service.planes import Plane, plain
from sheetrun.service.rundata import formula_of
from sheetrun.workbook.model import Block, Kind, Rect, Workbook

MOST: Final = 1000  #: entries of each list
CAUSES: Final = 20  #: that are told of one output


@dataclass(frozen=True, slots=True)
class _Change:
    """A place that is not as before. ``old`` and ``new`` None: it was not there, it is not there any more."""

    sheet: str
    rect: Rect
    old: Any
    new: Any

    @property
    def cells(self) -> str:
        return f"{quote_sheet(self.sheet)}!{range_name(*self.rect)}"


def difference(old: LoadedModel, new: LoadedModel) -> dict[str, Any]:
    """formulas, inputs and outputs that differ, with their causes; each list has at most MOST entries."""
    formulas = list(_formulas(old.workbook, new.workbook))
    inputs = list(_inputs(old, new))
    changes = [*formulas, *inputs]
    causes = _Causes(new.plan, changes)
    outputs = list(_outputs(old, new, causes))
    return {
        "formulas": [{"cells": c.cells, "change": _kind(c), "from": c.old, "to": c.new} for c in formulas[:MOST]],
        "inputs": [{"cell": c.cells, "change": _kind(c), "from": c.old, "to": c.new} for c in inputs[:MOST]],
        "outputs": outputs[:MOST],
        "counts": {"formulas": len(formulas), "inputs": len(inputs), "outputs": len(outputs)},
    }


def _kind(change: _Change) -> str:
    if change.old is None:
        return "added"
    return "removed" if change.new is None else "changed"


def _formulas(old: Workbook, new: Workbook) -> Iterator[_Change]:
    before = {sheet.name: sheet.blocks for sheet in old.sheets}
    after = {sheet.name: sheet.blocks for sheet in new.sheets}
    for name in dict.fromkeys([*after, *before]):
        was, now = _by_cell(before.get(name, ())), _by_cell(after.get(name, ()))
        places: dict[tuple[str | None, str | None], list[tuple[int, int]]] = {}
        for cell in sorted({*was, *now}):
            keys = was.get(cell, (None, None))[0], now.get(cell, (None, None))[0]
            if keys[0] != keys[1]:
                places.setdefault(keys, []).append(cell)
        found = []
        for cells in places.values():
            for rect in _rectangles(cells):
                cell = rect.top, rect.left
                found.append(_Change(name, rect, _text(was.get(cell), cell), _text(now.get(cell), cell)))
        yield from sorted(found, key=lambda change: change.rect)


_Known = tuple[str | None, Block | None]


def _by_cell(blocks: Iterable[Block]) -> dict[tuple[int, int], _Known]:
    """(formula in R1C1 terms with its kind, block) by cell."""
    found: dict[tuple[int, int], _Known] = {}
    for block in blocks:
        key = f"{block.kind}:{relative_key(block.text, block.rect.top, block.rect.left)}:{block.table}"
        cells = cells_of(block.rect) if block.kind is not Kind.DYNAMIC or block.filled else [block.rect[:2]]
        found.update(dict.fromkeys(cells, (key, block)))
    return found


def _text(known: _Known | None, cell: tuple[int, int]) -> str | None:
    if known is None or known[1] is None:
        return None
    return "{=TABLE()}" if known[1].kind is Kind.TABLE else formula_of(known[1], *cell)


def _rectangles(cells: list[tuple[int, int]]) -> Iterator[Rect]:
    """Cells, in order, as rectangles: runs of a row, and equal runs of rows that follow."""
    runs: dict[tuple[int, int], list[int]] = {}
    first = last = cells[0]
    for cell in [*cells[1:], (-1, -1)]:
        if cell == (last[0], last[1] + 1):
            last = cell
            continue
        runs.setdefault((first[1], last[1]), []).append(first[0])
        first = last = cell
    for (left, right), rows in runs.items():
        top = bottom = rows[0]
        for row in [*rows[1:], -1]:
            if row == bottom + 1:
                bottom = row
                continue
            yield Rect(top, left, bottom, right)
            top = bottom = row


def _inputs(old: LoadedModel, new: LoadedModel) -> Iterator[_Change]:
    """Constants that formulas read, in one of the versions, and whose values differ."""
    before, after = _Constants.of(old), _Constants.of(new)
    for name in dict.fromkeys([*after.sheets, *before.sheets]):
        cells = {**dict.fromkeys(after.read(name)), **dict.fromkeys(before.read(name))}
        for row, col in sorted(cells):
            was, now = before.value(name, row, col), after.value(name, row, col)
            if was != now or (type(was) is not type(now) and isinstance(was, bool) != isinstance(now, bool)):
                yield _Change(name, Rect(row, col, row, col), was, now)


@dataclass(frozen=True, slots=True)
class _Constants:
    """The constants of a version."""

    model: LoadedModel
    sheets: Mapping[str, int]
    maps: list[Any]

    @classmethod
    def of(cls, model: LoadedModel) -> _Constants:
        names = {sheet.name: index for index, sheet in enumerate(model.workbook.sheets)}
        return cls(model, names, maps_of(model.workbook, model.plan.units, model.plan.scope))

    def read(self, name: str) -> Iterator[tuple[int, int]]:
        index = self.sheets.get(name)
        for part in self.maps[index].parts if index is not None else ():
            for row, col in np.argwhere(part.filled & part.read & ~part.formula).tolist():
                yield part.rect.top + row, part.rect.left + col

    def value(self, name: str, row: int, col: int) -> Any:
        index = self.sheets.get(name)
        if index is None:
            return None
        rect = Rect(row, col, row, col)
        if self.model.formulas_in(index, rect) is not None:
            return None
        return _value(self.model.workbook, (index, rect))


def _value(workbook: Workbook, place: Place) -> Any:
    num, tag = Plane.of_grids(workbook.sheets[place[0]].grids).get(place[1])
    rows = [
        [plain(n, t, workbook.strings) for n, t in zip(row_num, row_tag, strict=True)]
        for row_num, row_tag in zip(num.tolist(), tag.tolist(), strict=True)
    ]
    return rows[0][0] if place[1].size == 1 else rows


def _outputs(old: LoadedModel, new: LoadedModel, causes: _Causes) -> Iterator[dict[str, Any]]:
    was, now = (dict(_entries(model)) for model in (old, new))
    for name in dict.fromkeys([*now, *was]):
        if name not in now:
            yield {
                "reference": name,
                "label": None,
                "change": "removed",
                "from": was[name][1],
                "to": None,
                "causes": [],
            }
            continue
        place, value = now[name]
        if name in was and was[name][1] == value:
            continue
        yield {
            "reference": name,
            "label": new.interface.label_of(*place),
            "change": "changed" if name in was else "added",
            "from": was[name][1] if name in was else None,
            "to": value,
            "causes": causes.of(place),
        }


def _entries(model: LoadedModel) -> Iterator[tuple[str, tuple[Place, Any]]]:
    for port in model.interface.ports.outputs:
        sheet = model.workbook.sheets[port.sheet].name
        place = port.sheet, port.rect
        yield f"{quote_sheet(sheet)}!{range_name(*port.rect)}", (place, _value(model.workbook, place))


class _Causes:
    """Which changes reach which formulas: a bit for each change, handed on in the order of computing."""

    def __init__(self, plan: Plan, changes: list[_Change]) -> None:
        self._plan = plan
        self._changes = changes[:MOST]
        index = {sheet.name: number for number, sheet in enumerate(plan.workbook.sheets)}
        places = [(index[c.sheet], c.rect, 1 << n) for n, c in enumerate(self._changes) if c.sheet in index]
        self._bits: dict[int, int] = {}
        for part in plan.parts:
            members = units_of(part)
            bits = 0
            for unit in members:
                reads = [(s, rect) for r, rect in regions(unit) for s in sheets_of(r, plan.scope)]
                for sheet, rect, bit in places:
                    own = unit.sheet == sheet and unit.rect.overlaps(rect)
                    if own or any(s == sheet and r.overlaps(rect) for s, r in reads):
                        bits |= bit
                for need in unit.needs:
                    bits |= self._bits.get(need, 0)
            for unit in members:
                self._bits[unit.index] = bits

    def of(self, place: Place) -> list[str]:
        """The changes behind an output, at most CAUSES."""
        bits = 0
        for unit in self._plan.units:
            if unit.sheet == place[0] and unit.rect.overlaps(place[1]):
                bits |= self._bits.get(unit.index, 0)
        return [change.cells for n, change in enumerate(self._changes) if bits >> n & 1][:CAUSES]
