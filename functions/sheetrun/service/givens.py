"""What a call sets and asks for, held against the model: cells that are there, values that they take.

Strict, which calls are unless they say otherwise: a number's cell takes a number, a text's a text, a logical's a
logical, an empty cell anything; a date's cell takes a serial number or ``2026-01-31``; data validation holds; a cell
with a formula cannot be set. Null empties any cell, and an error may stand anywhere. Not strict: whatever a cell can
hold, and a value takes the place of a formula for this call.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from sheetrun.compiler.cone import Place
from sheetrun.jobs.errors import Unprocessable
from sheetrun.records import dataclass
from sheetrun.runtime.cells import EMPTY, LOGICAL, TEXT
from sheetrun.runtime.errors import ExcelError
from sheetrun.runtime.inputs import InputError
from sheetrun.runtime.numberformat import is_date_code
from sheetrun.runtime.values import Scalar
from sheetrun.service.calling import Cell, LoadedModel
from sheetrun.service.interface import reference
from sheetrun.service.planes import Plane
from sheetrun.service.rundata import find_cells, set_cells
from sheetrun.workbook.model import Rect

MOST_CELLS: Final = 100_000  #: that one call sets, or asks for
_EPOCH: Final = datetime.date(1899, 12, 30)
_FIRST: Final = datetime.date(1900, 3, 1)
_DAYS_1904: Final = 1462


@dataclass(slots=True)
class Faults:
    """What does not fit, all of it."""

    found: list[dict[str, str]] = field(default_factory=list)

    def add(self, cell: str, code: str, detail: str) -> None:
        self.found.append({"cell": cell, "code": code, "detail": detail})

    def raise_any(self) -> None:
        if not self.found:
            return
        count = len(self.found)
        detail = self.found[0]["detail"] if count == 1 else f"{count} of the inputs and outputs do not fit the model"
        raise Unprocessable(f"{detail.rstrip('.')}.", code="invalid_inputs", errors=self.found[:100])


@dataclass(frozen=True, slots=True)
class Givens:
    """``cells``: what is set. ``overwritten``: references of those of them that hold a formula."""

    cells: Mapping[Cell, Scalar]
    overwritten: tuple[str, ...] = ()

    @property
    def places(self) -> list[Place]:
        return [(s, Rect(r, c, r, c)) for s, r, c in self.cells]


def givens_of(model: LoadedModel, inputs: Mapping[str, Any], *, strict: bool, faults: Faults) -> Givens:
    """The cells that ``inputs`` set. Faults are added, none is raised."""
    cells: dict[Cell, Scalar] = {}
    overwritten: list[str] = []
    for name, given in inputs.items():
        try:
            found = list(set_cells(model.workbook, name, given))
            place = find_cells(model.workbook, name)
        except InputError as error:
            faults.add(name, error.code, error.detail)
            continue
        if len(cells) + len(found) > MOST_CELLS:
            faults.add(name, "too_many_cells", f"a call sets at most {MOST_CELLS:,} cells")
            return Givens(cells)
        overwritten += _check(model, name, place, found, cells, strict=strict, faults=faults)
        cells.update(((sheet, rect.top, rect.left), value) for sheet, rect, value in _dated(model, place, found))
    return Givens(cells, tuple(overwritten))


def places_of(model: LoadedModel, outputs: Sequence[str], faults: Faults) -> list[Place]:
    """Where outputs are. Faults are added, none is raised."""
    found: list[Place] = []
    cells = 0
    for name in outputs:
        try:
            place = find_cells(model.workbook, name)
        except InputError as error:
            faults.add(name, error.code, error.detail)
            continue
        cells += place[1].size
        if cells > MOST_CELLS:
            faults.add(name, "too_many_cells", f"a call asks for at most {MOST_CELLS:,} cells")
            return found
        found.append(place)
    return found


def _check(
    model: LoadedModel,
    name: str,
    place: Place,
    found: Sequence[tuple[int, Rect, Scalar]],
    before: Mapping[Cell, Scalar],
    *,
    strict: bool,
    faults: Faults,
) -> Iterator[str]:
    """Adds what is wrong with the values of one reference; gives the cells with formulas that they overwrite."""
    sheet, rect = place
    num, tag = Plane.of_grids(model.workbook.sheets[sheet].grids).get(rect)
    formulas = model.formulas_in(sheet, rect)
    for _, cell, value in found:
        at = cell.top - rect.top, cell.left - rect.left
        where = reference(model.workbook, sheet, cell) if rect.size > 1 else name
        if (sheet, cell.top, cell.left) in before:
            faults.add(where, "set_twice", f"{where}: the cell is set by two inputs")
        elif formulas is not None and formulas[at]:
            if strict:
                detail = f'{where} holds a formula; to put a value in its place for this call, say "strict": false'
                faults.add(where, "formula_cell", detail)
            else:
                yield reference(model.workbook, sheet, cell)
        elif strict and (wrong := _fault(model, sheet, cell, float(num[at]), int(tag[at]), value)):
            faults.add(where, wrong[0], f"{where} {wrong[1]}")


def _fault(model: LoadedModel, sheet: int, cell: Rect, num: float, tag: int, value: Scalar) -> tuple[str, str] | None:
    if value is None or isinstance(value, ExcelError):
        return None
    kind = type(value)
    wanted: tuple[type, str] | None = None
    if tag >= TEXT:
        wanted = str, "a text"
    elif tag == LOGICAL:
        wanted = bool, "true or false"
    elif tag != EMPTY and num == num:
        if kind is str and is_date_code(model.interface.format_at(sheet, cell)):
            return None if _serial(str(value), model) is not None else ("wrong_type", "takes a date")
        wanted = float, "a number"
    if wanted is not None and kind is not wanted[0]:
        return "wrong_type", f"takes {wanted[1]}"
    rule = model.interface.rule_at(sheet, cell)
    if rule is not None and (why := rule.fault(value)):
        return "not_allowed", why
    return None


def _dated(
    model: LoadedModel, place: Place, found: Sequence[tuple[int, Rect, Scalar]]
) -> Iterator[tuple[int, Rect, Scalar]]:
    """Dates as texts become serial numbers where the cell shows dates."""
    sheet, _ = place
    for _, cell, value in found:
        if isinstance(value, str) and is_date_code(model.interface.format_at(sheet, cell)):
            serial = _serial(value, model)
            yield sheet, cell, value if serial is None else serial
        else:
            yield sheet, cell, value


def _serial(text: str, model: LoadedModel) -> float | None:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    if day < _FIRST:
        return None
    days = (day - _EPOCH).days
    return float(days - _DAYS_1904 if model.workbook.settings.date1904 else days)
