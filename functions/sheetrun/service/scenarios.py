"""A workbook computed for many values of its inputs: which way, and the values as tables. No AWS, no job state."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from sheetrun.compiler.cone import Place
from sheetrun.compiler.lanes import LaneScript, NotLaned, compile_lanes
from sheetrun.records import dataclass
from sheetrun.runtime.address import Span
from sheetrun.runtime.cells import TEXT
from sheetrun.runtime.coerce import number_in_text
from sheetrun.runtime.inputs import InputError
from sheetrun.runtime.payload import RunInput, RunOutput, SheetData
from sheetrun.runtime.scenarios import ScenarioInput
from sheetrun.runtime.sheet import Area
from sheetrun.runtime.values import Scalar, encode
from sheetrun.sandbox.errors import Crashed
from sheetrun.sandbox.job import Job, Result
from sheetrun.sandbox.limits import Limits
from sheetrun.service.planes import Plane, plain
from sheetrun.service.rundata import find_cells, input_value, run_input
from sheetrun.service.scripts import ONCE_PRELOAD, SCRIPT_POLICY
from sheetrun.workbook.model import Rect, Workbook

_IN_LANES: Final = "sheetrun.runtime.scenarios:run_lanes"
_IN_TURN: Final = "sheetrun.runtime.scenarios:run_in_turn"
Runner = Callable[..., Result]


@dataclass(frozen=True, slots=True)
class Table:
    """``num`` and ``tag``: outputs × scenarios. ``in_turn``: why they were computed one after another, if they were."""

    outputs: tuple[str, ...]
    num: Any
    tag: Any
    strings: Sequence[str]
    seconds: float
    in_turn: str | None = None

    def column(self, index: int) -> list[Any]:
        """The values of one output as JSON values, one a scenario."""
        pairs = zip(self.num[index].tolist(), self.tag[index].tolist(), strict=True)
        return [plain(num, tag, self.strings) for num, tag in pairs]


class Own:
    """The type of OWN: the workbook's own value, where a scenario says nothing of an input."""


OWN: Final = Own()


def run_scenarios(
    workbook: Workbook,
    script: str,
    computed: RunOutput,
    inputs: Mapping[str, Sequence[Any]],
    outputs: Sequence[str],
    *,
    run: Runner,
    limits: Limits,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Table:
    """``inputs``: for each reference its values, one a scenario: a float64 array, or JSON values and OWN.
    ``computed``: the workbook as it is, from a run of ``script``.

    Raises InputError for references and values that cannot be used, SandboxError.
    """
    prepared = prepare(workbook, script, computed, list(inputs), outputs)
    return prepared.run(inputs, run=run, limits=limits, on_progress=on_progress)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A workbook ready for any number of scenarios of the same inputs and outputs.

    ``lanes`` is the script for many at once; None when ``reason`` says why there is none.
    """

    workbook: Workbook
    script: str
    computed: RunOutput
    cells: Sequence[tuple[str, int, Rect]]
    outputs: Sequence[str]
    asked: Sequence[Place]
    base: RunInput
    lanes: LaneScript | None
    reason: str | None

    def run(
        self,
        inputs: Mapping[str, Sequence[Any]],
        *,
        run: Runner,
        limits: Limits,
        on_progress: Callable[[int, int, str], None] | None = None,
    ) -> Table:
        """Raises InputError for values that cannot be used, SandboxError."""
        columns = _Columns(self.computed, max((len(values) for values in inputs.values()), default=0))
        for reference, sheet, rect in self.cells:
            columns.add(reference, sheet, rect, inputs[reference])
        table = columns.table(self.base, _places(self.asked))
        reason = self.reason
        if self.lanes is not None:
            source = replace(table, boxes=changing_boxes(self.lanes.places))
            try:
                return _run(self.lanes.text, source, _IN_LANES, self.outputs, None, run, limits, on_progress)
            except Crashed as error:  # a statement that cannot be computed for all at once can be computed for each
                reason = str(error)
        source = replace(table, book=run_input(self.workbook, self.script, now=self.base.now))
        return _run(self.script, source, _IN_TURN, self.outputs, reason, run, limits, on_progress)


def prepare(
    workbook: Workbook,
    script: str,
    computed: RunOutput,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    now: datetime.datetime | None = None,
    in_turn: str | None = None,
) -> Prepared:
    """``now``: what the clock says in every scenario. ``in_turn``: why they are not to be computed in lanes, if that is
    known. Raises InputError for references that cannot be used."""
    asked = [_one_cell(workbook, reference) for reference in outputs]
    cells = [(reference, *find_cells(workbook, reference)) for reference in inputs]
    base = _base(workbook, script, computed, now or datetime.datetime.now())
    lanes, reason = None, in_turn
    if reason is None:
        try:
            lanes = compile_lanes(workbook, [(sheet, rect) for _, sheet, rect in cells], asked)
        except NotLaned as why:
            reason = why.detail
    return Prepared(workbook, script, computed, cells, outputs, asked, base, lanes, reason)


def _run(
    script: str,
    source: ScenarioInput,
    entry: str,
    outputs: Sequence[str],
    in_turn: str | None,
    run: Runner,
    limits: Limits,
    on_progress: Callable[[int, int, str], None] | None,
) -> Table:
    job = Job(script, source.to_bytes(), entry=entry, policy=SCRIPT_POLICY, preload=ONCE_PRELOAD)
    found = RunOutput.from_bytes(run(job, limits, on_progress=on_progress).payload)
    area = found.sheets[0][0]
    return Table(tuple(outputs), area.num, area.tag, found.strings, found.seconds, in_turn)


def _one_cell(workbook: Workbook, reference: str) -> Place:
    sheet, rect = find_cells(workbook, reference)
    if rect.size != 1:
        raise InputError("not_a_cell", f"{reference!r} names {rect.size:,} cells; an output is one cell", reference)
    return sheet, rect


def _places(cells: Sequence[Place]) -> list[tuple[int, int, int]]:
    return [(sheet, rect.top + 1, rect.left + 1) for sheet, rect in cells]


def changing_boxes(places: Sequence[Place]) -> list[tuple[int, Span]]:
    """For each sheet with cells that change, a range around them (1-based)."""
    around: dict[int, Rect] = {}
    for sheet, rect in places:
        around[sheet] = Rect.around((around.get(sheet, rect), rect))
    return [(sheet, Span(r.top + 1, r.left + 1, r.bottom + 1, r.right + 1)) for sheet, r in sorted(around.items())]


def _base(workbook: Workbook, script: str, computed: RunOutput, now: datetime.datetime) -> RunInput:
    """The computed workbook as the input of another run; the texts of other workbooks follow those of the run."""
    source = run_input(workbook, script, now=now)
    shift = len(computed.strings)
    sheets = []
    for index, data in enumerate(source.sheets):
        if index < len(computed.sheets):
            areas: Sequence[Area] = computed.sheets[index]
        else:
            areas = [Area(a.top, a.left, a.num, np.where(a.tag >= TEXT, a.tag + shift, a.tag)) for a in data.areas]
        sheets.append(SheetData(data.name, areas, data.hidden_rows, data.filtered))
    return replace(source, sheets=sheets, strings=[*computed.strings, *source.strings])


class _Columns:
    """The table of inputs while it is made: a column for each cell that an input names."""

    def __init__(self, computed: RunOutput, count: int) -> None:
        self._computed = computed
        self._count = count
        self._places: list[tuple[int, int, int]] = []
        self._nums: list[Any] = []
        self._tags: list[Any] = []
        self._strings: dict[str, int] = {}

    def add(self, reference: str, sheet: int, rect: Rect, values: Sequence[Any]) -> None:
        """The same values for each cell of a rectangle. Raises InputError."""
        if len(values) != self._count:
            detail = f"{reference!r} has {len(values):,} values, another input {self._count:,}"
            raise InputError("wrong_shape", detail, reference)
        given = self._read(reference, values)
        for row in range(rect.top, rect.bottom + 1):
            for col in range(rect.left, rect.right + 1):
                num, tag, own = given
                if own.any():
                    kept = self._own(sheet, row, col)
                    num, tag = np.where(own, kept[0], num), np.where(own, kept[1], tag)
                self._places.append((sheet, row + 1, col + 1))
                self._nums.append(num)
                self._tags.append(tag)

    def _read(self, reference: str, values: Sequence[Any]) -> tuple[Any, Any, Any]:
        """(num, tag, where the workbook's own value stands)."""
        own = np.zeros(self._count, np.bool_)
        if isinstance(values, np.ndarray):
            if not np.isfinite(values).all():
                raise InputError("bad_value", f"{reference}: a number must be finite", reference)
            return values.astype(np.float64), np.zeros(self._count, np.int32), own
        num, tag = np.zeros(self._count), np.zeros(self._count, np.int32)
        for i, value in enumerate(values):
            if value is OWN:
                own[i] = True
            else:
                num[i], tag[i] = self._encoded(input_value(reference, value))
        return num, tag, own

    def _encoded(self, value: Scalar) -> tuple[float, int]:
        if isinstance(value, str):
            number = number_in_text(value)
            return float(number), TEXT + self._strings.setdefault(value, len(self._strings))
        num, tag = encode(value)
        return num, tag

    def _own(self, sheet: int, row: int, col: int) -> tuple[float, int]:
        nums, tags = Plane.of_areas(self._computed.sheets[sheet]).get(Rect(row, col, row, col))
        tag = int(tags[0, 0])
        return self._encoded(self._computed.strings[tag - TEXT]) if tag >= TEXT else (float(nums[0, 0]), tag)

    def table(self, book: RunInput, outputs: Sequence[tuple[int, int, int]]) -> ScenarioInput:
        shape = self._count, len(self._places)
        num = np.stack(self._nums, axis=1) if self._nums else np.zeros(shape)
        tag = np.stack(self._tags, axis=1) if self._tags else np.zeros(shape)
        return ScenarioInput(book, self._places, outputs, [], num, tag.astype(np.int32), list(self._strings))
