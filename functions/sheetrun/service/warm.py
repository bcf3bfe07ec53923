"""A workbook that is called again and again in this process: what a call needs is made once for its inputs and outputs.

Where the formulas between them can be computed in lanes, a call is one lane of a tape (``runtime.replay``); else the
script of the call runs on a copy of the computed cells.
"""

from __future__ import annotations

import datetime
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from itertools import count
from typing import Any, Final

import numpy as np

from sheetrun.compiler.calls import compile_call
from sheetrun.compiler.cone import Place
from sheetrun.compiler.lanes import NotLaned, compile_lanes
from sheetrun.compiler.plan import Plan
from sheetrun.records import dataclass
from sheetrun.runtime import pool
from sheetrun.runtime.cells import NUMBER, TEXT, Numbers, Tags
from sheetrun.runtime.host import run_steps
from sheetrun.runtime.repeated import Repeated
from sheetrun.runtime.values import Scalar, encode
from sheetrun.sandbox.allowlist import not_collecting
from sheetrun.service.inprocess import executed
from sheetrun.service.planes import plain, plain_numbers
from sheetrun.service.rundata import find_cells, run_input, set_cells
from sheetrun.service.scenarios import changing_boxes
from sheetrun.workbook.model import Rect, Workbook

_KEPT: Final = 32  #: pairs of inputs and outputs that are remembered
_names = count()

Cell = tuple[int, int, int]  #: sheet, row and column, 1-based
Computed = Callable[[Sequence[Scalar]], tuple[Numbers, Tags]]


@dataclass(slots=True)
class Warm:
    """``workbook``: with computed values in its cells (``recalculated``)."""

    workbook: Workbook
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _plan: Plan | None = None
    _places: dict[str, Place] = field(default_factory=dict)
    _calls: OrderedDict[tuple[tuple[Cell, ...], tuple[str, ...]], Computed] = field(default_factory=OrderedDict)

    def calculate(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
        """Each output under its own reference as a JSON value, a range as a list of rows. Raises InputError.

        Threads take turns: there is one memory that calls compute in.
        """
        with self._turn:
            return self._calculated(inputs, outputs)

    def _calculated(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
        cells: dict[Cell, Scalar] = {}
        for reference, given in inputs.items():
            for sheet, rect, value in set_cells(self.workbook, reference, given, self._place(reference)):
                cells[sheet, rect.top + 1, rect.left + 1] = value
        places = [self._place(reference) for reference in outputs]
        num, tag = self._call(tuple(cells), tuple(outputs), places)(list(cells.values()))
        values = _values(num, tag)
        found: dict[str, Any] = {}
        at = 0
        for reference, (_, rect) in zip(outputs, places, strict=True):
            end = at + rect.size
            found[reference] = values[at] if rect.size == 1 else _rows(values[at:end], rect.width)
            at = end
        return found

    def _place(self, reference: str) -> Place:
        known = self._places.get(reference)
        if known is None:
            known = self._places[reference] = find_cells(self.workbook, reference)
        return known

    def _call(self, cells: tuple[Cell, ...], outputs: tuple[str, ...], places: Sequence[Place]) -> Computed:
        key = cells, outputs
        found = self._calls.get(key)
        if found is None:
            with not_collecting():
                found = self._calls[key] = self._prepared(cells, places)
            while len(self._calls) > _KEPT:
                self._calls.popitem(last=False)
        self._calls.move_to_end(key)
        return found

    def _prepared(self, cells: Sequence[Cell], outputs: Sequence[Place]) -> Computed:
        if self._plan is None:
            self._plan = Plan.of(self.workbook)
        plan = self._plan
        inputs = [(sheet, Rect(row - 1, col - 1, row - 1, col - 1)) for sheet, row, col in cells]
        wanted = [
            (sheet, row + 1, col + 1)
            for sheet, rect in outputs
            for row in range(rect.top, rect.bottom + 1)
            for col in range(rect.left, rect.right + 1)
        ]

        def each() -> Computed:
            return _Each(plan, inputs, outputs, cells, wanted)

        if plan.volatile & plan.cone(inputs, outputs).units:
            return each()
        try:
            lanes = compile_lanes(self.workbook, inputs, outputs, plan=plan)
        except NotLaned:
            return each()
        source = run_input(self.workbook, lanes.text)
        repeated = Repeated(_executed(lanes.text), source, cells, wanted, changing_boxes(lanes.places))
        return _Else(repeated, each)


class _Else:
    """Calls in a lane, or each as a run of its own once a statement turns out not to be for lanes."""

    def __init__(self, call: Computed, otherwise: Callable[[], Computed]) -> None:
        self._call = call
        self._otherwise: Callable[[], Computed] | None = otherwise

    def __call__(self, values: Sequence[Scalar]) -> tuple[Numbers, Tags]:
        if self._otherwise is None:
            return self._call(values)
        try:
            return self._call(values)
        except Exception:  # whatever a statement raises; run alone it is recorded, and keeps the value of its cell
            self._call, self._otherwise = self._otherwise(), None
            return self._call(values)


class _Each:
    """Each call as a run of its own."""

    def __init__(
        self,
        plan: Plan,
        inputs: Sequence[Place],
        outputs: Sequence[Place],
        cells: Sequence[Cell],
        wanted: Sequence[Cell],
    ) -> None:
        script = compile_call(plan, inputs, outputs).text
        self._source = run_input(plan.workbook, script)
        self._steps = _executed(script)["STEPS"]
        self._cells = cells
        self._wanted = wanted

    def __call__(self, values: Sequence[Scalar]) -> tuple[Numbers, Tags]:
        set_ = [(*cell, value) for cell, value in zip(self._cells, values, strict=True)]
        book, _ = run_steps(self._steps, replace(self._source, overrides=set_, now=datetime.datetime.now()))
        pairs = [encode(book.sheets[sheet].cell(row, col)) for sheet, row, col in self._wanted]
        return np.array([num for num, _ in pairs]), np.array([tag for _, tag in pairs], np.int32)


def _executed(script: str) -> dict[str, Any]:
    return executed(script, f"<call {next(_names)}>")


def _values(num: Numbers, tag: Tags) -> list[Any]:
    """Cells as JSON values."""
    values: list[Any] = plain_numbers(num)
    others = np.flatnonzero((tag != NUMBER) | ~np.isfinite(num))
    for at, n, t in zip(others.tolist(), num[others].tolist(), tag[others].tolist(), strict=True):
        values[at] = pool.text(t - TEXT) if t >= TEXT else plain(n, t, ())
    return values


def _rows(values: list[Any], width: int) -> list[list[Any]]:
    return [values[at : at + width] for at in range(0, len(values), width)]
