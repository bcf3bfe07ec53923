"""Calls of models, computed now: what a warm process keeps of a model, and one run of the sandbox for each call.

the model (computed workbook, its formulas resolved)   kept by (job, epoch), the least recently used goes first
  └─ a script for each set of inputs and outputs       kept with it: clients call with the same names again and again
       └─ a call: its values go in, a fork computes, the outputs come back; nothing of it stays
"""

from __future__ import annotations

import datetime
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field, replace
from typing import Any, Final

import numpy as np

from sheetrun.compiler.calls import CallScript, boxes_of, compile_call
from sheetrun.compiler.cone import Place
from sheetrun.compiler.lanes import NotLaned, compile_lanes
from sheetrun.compiler.plan import Plan
from sheetrun.compiler.units import Refused
from sheetrun.records import dataclass
from sheetrun.runtime.address import Span
from sheetrun.runtime.cells import TEXT
from sheetrun.runtime.coerce import number_in_text
from sheetrun.runtime.distinct import distinct_places
from sheetrun.runtime.payload import BadPayload, RunInput, RunOutput, SheetData
from sheetrun.runtime.scenarios import ScenarioInput
from sheetrun.runtime.sheet import Area
from sheetrun.runtime.values import Scalar, encode
from sheetrun.sandbox.errors import Crashed, ProtocolError
from sheetrun.sandbox.job import Job, Result
from sheetrun.sandbox.limits import Limits
from sheetrun.service.blobs import Blobs
from sheetrun.service.handed import unpack
from sheetrun.service.interface import Interface, Ports, reference
from sheetrun.service.models import SECONDS, Version
from sheetrun.service.planes import Plane, plain
from sheetrun.service.rundata import run_input, set_cells
from sheetrun.service.scenarios import changing_boxes
from sheetrun.service.scripts import PRELOAD, SCRIPT_POLICY
from sheetrun.service.submit import request_key
from sheetrun.workbook.model import Rect, Workbook
from sheetrun.workbook.store import load

ENTRY: Final = "sheetrun.runtime.calls:run_calls"
LANES: Final = "sheetrun.runtime.scenarios:run_lanes"
MANY: Final = 8  #: from so many cases on, they are computed all at once where the formulas let that be
SCRIPTS: Final = 32  #: scripts that are kept with a model
_UNIT_BYTES: Final = 4096  #: what a resolved formula takes in memory, about
Runner = Callable[..., Result]
Guard = Callable[[], AbstractContextManager[object]]  #: around what may take long
Cell = tuple[int, int, int]  #: sheet, row, column; 0-based


@dataclass(frozen=True, slots=True)
class Prepared:
    """A script with the cells that it needs. ``book``: those as bytes; None where each call has a clock of its own."""

    script: CallScript
    source: RunInput
    book: bytes
    stale: tuple[Refused, ...]
    formulas: int
    lanes: tuple[tuple[int, Span], ...] = ()  #: where values change, when all cases are computed at once

    def bytes_now(self, now: datetime.datetime, seed: int, *, volatile: bool) -> bytes:
        return replace(self.source, now=now, seed=seed).to_bytes() if volatile else self.book


@dataclass(slots=True)
class LoadedModel:
    """What a process keeps of one version of a model."""

    plan: Plan
    interface: Interface
    preset: dict[Cell, Scalar]  #: formula cells that the job itself set
    size: int
    scripts: OrderedDict[tuple[Any, ...], Prepared] = field(default_factory=OrderedDict)
    _blocks: dict[int, Any] = field(default_factory=dict)

    @property
    def workbook(self) -> Workbook:
        return self.plan.workbook

    def formulas_in(self, sheet: int, rect: Rect) -> Any:
        """Which cells of a rectangle hold a formula, as a mask; None when none does."""
        rects = self._blocks.get(sheet)
        if rects is None:
            blocks = self.workbook.sheets[sheet].blocks
            rects = self._blocks[sheet] = np.array([block.rect for block in blocks], np.int64).reshape(-1, 4)
        top, left, bottom, right = rects.T
        hit = rects[(top <= rect.bottom) & (bottom >= rect.top) & (left <= rect.right) & (right >= rect.left)]
        if not len(hit):
            return None
        mask = np.zeros((rect.height, rect.width), np.bool_)
        for first, start, last, end in hit.tolist():
            rows = slice(max(first - rect.top, 0), last - rect.top + 1)
            mask[rows, max(start - rect.left, 0) : end - rect.left + 1] = True
        return mask

    def prepared(
        self, inputs: Sequence[Place], outputs: Sequence[Place], guard: Guard = nullcontext, *, many: bool = False
    ) -> Prepared:
        """The script for these inputs and outputs, from the kept ones if it is there. ``many``: for many cases at once,
        where the formulas let that be."""
        places = tuple(sorted(set(inputs))), tuple(sorted(set(outputs)))
        key = (*places, many)
        found = self.scripts.get(key)
        if found is None:
            with guard():
                found = (_prepare_lanes(self.plan, *places) if many and not self.preset else None) or _prepare(
                    self.plan, *places, self.preset
                )
            self.scripts[key] = found
            while len(self.scripts) > SCRIPTS:
                self.scripts.popitem(last=False)
        self.scripts.move_to_end(key)
        return found


@dataclass(frozen=True, slots=True)
class Answered:
    """outputs × cases, and what could not be computed."""

    num: Any
    tag: Any
    strings: Sequence[str]
    failures: tuple[dict[str, str], ...]
    formulas: int

    def value(self, output: int, case: int = 0) -> Any:
        return plain(float(self.num[output, case]), int(self.tag[output, case]), self.strings)


@dataclass(slots=True)
class Engine:
    """Runs calls. For one thread."""

    blobs: Blobs
    run: Runner
    memory: int  #: of a run, in bytes
    cache: int  #: of the kept models, in bytes
    seed: Callable[[], int] = lambda: 0
    _models: OrderedDict[tuple[str, int], LoadedModel] = field(default_factory=OrderedDict)

    def model(self, version: Version, guard: Guard = nullcontext) -> LoadedModel:
        """The version's model, loaded when it is first called. ``guard`` is around what may take long."""
        key = version.job.id, version.job.epoch
        found = self._models.get(key)
        if found is None:
            stored = self._fetch(version)
            with guard():
                found = _load(stored)
            self._models[key] = found
            while len(self._models) > 1 and sum(model.size for model in self._models.values()) > self.cache:
                self._models.popitem(last=False)
        self._models.move_to_end(key)
        return found

    def call(
        self,
        model: LoadedModel,
        inputs: Mapping[Cell, Sequence[Scalar]],
        outputs: Sequence[Place],
        *,
        seconds: float,
        cases: int = 1,
        guard: Guard = nullcontext,
    ) -> Answered:
        """Computes ``outputs`` (places of any size, their cells row by row) for each case. Raises ``SandboxError``."""
        places = [(s, Rect(r, c, r, c)) for s, r, c in inputs]
        prepared = model.prepared(places, outputs, guard, many=cases >= MANY)
        try:
            return self._computed(model, prepared, inputs, outputs, seconds, cases)
        except Crashed:
            if not prepared.lanes:
                raise
            prepared = model.prepared(places, outputs, guard)  # what cannot be computed for all can be for each
            return self._computed(model, prepared, inputs, outputs, seconds, cases)

    def _computed(
        self,
        model: LoadedModel,
        prepared: Prepared,
        inputs: Mapping[Cell, Sequence[Scalar]],
        outputs: Sequence[Place],
        seconds: float,
        cases: int,
    ) -> Answered:
        if not prepared.script.units:
            return _as_it_is(model, prepared, inputs, outputs, cases)
        volatile = bool(model.plan.volatile & prepared.script.units)
        strings: dict[str, int] = {}
        num, tag = np.zeros((cases, len(inputs))), np.zeros((cases, len(inputs)), np.int32)
        for k, values in enumerate(inputs.values()):
            for case in range(cases):
                num[case, k], tag[case, k] = _encoded(values[case], strings)
        cells = [(s, r + 1, c + 1) for s, rect in outputs for r, c in cells_of(rect)]
        places = [(s, r + 1, c + 1) for s, r, c in inputs]
        source = ScenarioInput(prepared.source, places, cells, prepared.lanes, num, tag, list(strings))
        payload = source.around(prepared.bytes_now(datetime.datetime.now(), self.seed(), volatile=volatile))
        job = call_job(prepared.script.text, payload, LANES if prepared.lanes else ENTRY)
        limits = call_limits(self.memory, seconds)
        try:
            found = RunOutput.from_bytes(self.run(job, limits).payload)
            area = found.sheets[0][0]
        except (BadPayload, IndexError) as error:
            raise ProtocolError(str(error)) from error
        if area.num.shape != (len(cells), cases) or area.tag.max(initial=0) >= TEXT + max(1, len(found.strings)):
            raise ProtocolError("the run gave not what was asked for")
        failures = [*_refusals(model.workbook, prepared), *_failures(model.workbook, found)]
        return Answered(area.num, area.tag, found.strings, tuple(failures), prepared.formulas)

    def _fetch(self, version: Version) -> _Stored:
        job = version.job
        asked = json.loads(self.blobs.get(request_key(job.id))) if job.has_request else {}
        computed, generated = self.blobs.get_all([(job.artefacts[name], None) for name in ("computed", "generated")])
        return _Stored(computed, unpack(generated).ports, asked.get("inputs") or {})


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a job has left of a model."""

    computed: bytes
    ports: bytes
    inputs: Mapping[str, Any]


def _load(stored: _Stored) -> LoadedModel:
    workbook = load(stored.computed)
    plan = Plan.of(workbook)
    interface = Interface(workbook, Ports.from_bytes(stored.ports))
    cells = sum(grid.num.size for sheet in workbook.sheets for grid in sheet.grids)
    size = len(stored.computed) + 12 * cells + _UNIT_BYTES * len(plan.units) + 64 * len(workbook.strings)
    return LoadedModel(plan, interface, _formula_cells_set(workbook, stored.inputs), size)


def call_job(script: str = "", payload: bytes = b"", entry: str = ENTRY) -> Job:
    """What the sandbox runs for a call."""
    return Job(script, payload, entry=entry, policy=SCRIPT_POLICY, preload=PRELOAD)


def call_limits(memory: int, seconds: float = float(SECONDS[1])) -> Limits:
    """All calls have the same, but for the time by the wall: so the process of the next one can wait for it."""
    return Limits(wall_seconds=seconds, cpu_seconds=float(SECONDS[1]), memory_bytes=memory)


def cells_of(rect: Rect) -> list[tuple[int, int]]:
    """Row by row."""
    return [(r, c) for r in range(rect.top, rect.bottom + 1) for c in range(rect.left, rect.right + 1)]


def _prepare(plan: Plan, inputs: Sequence[Place], outputs: Sequence[Place], preset: Mapping[Cell, Scalar]) -> Prepared:
    script = compile_call(plan, inputs, outputs)
    source = run_input(plan.workbook, script.text)
    kept = [(s, r + 1, c + 1, value) for (s, r, c), value in preset.items()]
    source = replace(_trimmed(source, script.boxes), overrides=kept)
    formulas = sum(plan.units[index].rect.size for index in script.units)
    stale = (*plan.stale(outputs), *script.refused)
    return Prepared(script, source, source.to_bytes(), stale, formulas)


def _prepare_lanes(plan: Plan, inputs: Sequence[Place], outputs: Sequence[Place]) -> Prepared | None:
    """For many cases at once; None where they can only be computed one after another."""
    found = plan.cone(inputs, outputs)
    boxes = boxes_of(plan, found, outputs)
    if boxes is None or plan.volatile & found.units or not found.units:
        return None
    try:
        lanes = compile_lanes(plan.workbook, inputs, outputs, plan=plan)
    except NotLaned:
        return None
    source = _trimmed(run_input(plan.workbook, lanes.text), boxes)
    script = CallScript(lanes.text, found.units, boxes, ())
    formulas = sum(plan.units[index].rect.size for index in found.units)
    changing = tuple(changing_boxes(lanes.places))
    return Prepared(script, source, source.to_bytes(), tuple(plan.stale(outputs)), formulas, changing)


def _trimmed(source: RunInput, boxes: Mapping[int, Rect] | None) -> RunInput:
    """Only the cells in the boxes, and only their texts. None: whole, for the run may read anything."""
    if boxes is None:
        return source
    sheets = []
    strings: dict[int, int] = {}
    for index, sheet in enumerate(source.sheets):
        box = boxes.get(index)
        areas = [] if box is None else [area for each in sheet.areas if (area := _inside(each, box)) is not None]
        sheets.append(
            SheetData(sheet.name, [_with_own(area, strings) for area in areas], sheet.hidden_rows, sheet.filtered)
        )
    return replace(source, sheets=sheets, strings=[source.strings[i] for i in strings])


def _inside(area: Area, box: Rect) -> Area | None:
    rows, columns = area.num.shape
    top, left = max(area.top, box.top + 1), max(area.left, box.left + 1)
    bottom, right = min(area.top + rows - 1, box.bottom + 1), min(area.left + columns - 1, box.right + 1)
    if top > bottom or left > right:
        return None
    part = (slice(top - area.top, bottom - area.top + 1), slice(left - area.left, right - area.left + 1))
    return Area(top, left, area.num[part], area.tag[part])


def _with_own(area: Area, strings: dict[int, int]) -> Area:
    """The area with texts numbered by ``strings``, which grows."""
    texts = area.tag >= TEXT
    if not texts.any():
        return area
    unique, inverse = distinct_places(area.tag[texts] - TEXT)
    places = np.array([strings.setdefault(i, len(strings)) for i in unique.tolist()], np.int32)
    tag = area.tag.copy()
    tag[texts] = TEXT + places[inverse]
    return Area(area.top, area.left, area.num, tag)


def _encoded(value: Scalar, strings: dict[str, int]) -> tuple[float, int]:
    if isinstance(value, str):
        return float(number_in_text(value)), TEXT + strings.setdefault(value, len(strings))
    return encode(value)


def _as_it_is(
    model: LoadedModel,
    prepared: Prepared,
    inputs: Mapping[Cell, Sequence[Scalar]],
    outputs: Sequence[Place],
    cases: int,
) -> Answered:
    """What is asked for where nothing has to be computed: no sandbox is needed for that."""
    texts = dict.fromkeys(v for values in inputs.values() for v in values if isinstance(v, str))
    first = len(model.workbook.strings)
    strings = {text: first + k for k, text in enumerate(texts)}
    nums, tags = [], []
    for sheet, rect in outputs:
        num, tag = Plane.of_grids(model.workbook.sheets[sheet].grids).get(rect)
        nums.append(np.repeat(num.reshape(-1, 1), cases, axis=1))
        tags.append(np.repeat(tag.reshape(-1, 1), cases, axis=1))
        for row, (r, c) in enumerate(cells_of(rect)):
            for case, value in enumerate(inputs.get((sheet, r, c), ())):
                nums[-1][row, case], tags[-1][row, case] = _encoded(value, strings)
    failures = tuple(_refusals(model.workbook, prepared))
    return Answered(np.concatenate(nums), np.concatenate(tags), [*model.workbook.strings, *strings], failures, 0)


def _formula_cells_set(workbook: Workbook, inputs: Mapping[str, Any]) -> dict[Cell, Scalar]:
    """What a job set in place of a formula; constants that it set are in the computed workbook."""
    found: dict[Cell, Scalar] = {}
    for name, given in inputs.items():
        for sheet, rect, value in set_cells(workbook, name, given):
            if any(block.rect.overlaps(rect) for block in workbook.sheets[sheet].blocks):
                found[sheet, rect.top, rect.left] = value
    return found


def _refusals(workbook: Workbook, prepared: Prepared) -> list[dict[str, str]]:
    return [
        {"cell": reference(workbook, block.sheet, block.rect), "code": block.code, "detail": block.detail}
        for block in prepared.stale
    ]


def _failures(workbook: Workbook, found: RunOutput) -> list[dict[str, str]]:
    index = {sheet.name: number for number, sheet in enumerate(workbook.sheets)}
    return [
        {
            "cell": reference(workbook, index[f.sheet], Rect(*(n - 1 for n in f.span))),
            "code": f.code,
            "detail": f.detail,
        }
        for f in found.failures
        if f.sheet in index and f.span.inside()
    ]
