"""What computes the scenarios of a job: its model and its draws, opened once in a process, and any part of them.

A part becomes a piece: the same rows as Parquet and as CSV, with the scenario's number, its inputs, its outputs, and why
it failed, if it did. Pieces of one job have the same columns, so they can be joined.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np

from sheetrun.datasets.tables import Field, read_columns, write_piece
from sheetrun.jobs.errors import StepFailed
from sheetrun.jobs.job import Job
from sheetrun.records import dataclass
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, unbox
from sheetrun.sandbox.job import Result
from sheetrun.sandbox.limits import Limits
from sheetrun.service.blobs import Blobs
from sheetrun.service.draws import Draws, Table, draws_of
from sheetrun.service.handed import unpack
from sheetrun.service.ports import Ledger
from sheetrun.service.recalculated import as_output
from sheetrun.service.scenario_requests import MOST_OUTPUTS
from sheetrun.service.scenarios import OWN, Prepared, prepare
from sheetrun.service.scenarios import Table as Computed
from sheetrun.service.submit import request_key
from sheetrun.workbook.model import Workbook
from sheetrun.workbook.store import load

Run = Callable[..., Result]
SCENARIO: Final = "scenario"
FAILURE: Final = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What the first claim of a job settles for all its chunks: what the clock says, the outputs, why not in lanes, and
    the type of every column."""

    now: datetime
    outputs: tuple[str, ...]
    in_turn: str | None
    inputs: Mapping[str, str]
    kinds: Mapping[str, str]

    def to_bytes(self) -> bytes:
        document = {
            "now": self.now.isoformat(),
            "outputs": self.outputs,
            "in_turn": self.in_turn,
            "inputs": dict(self.inputs),
            "kinds": dict(self.kinds),
        }
        return json.dumps(document).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Settled:
        found = json.loads(data)
        return cls(
            now=datetime.fromisoformat(found["now"]),
            outputs=tuple(found["outputs"]),
            in_turn=found["in_turn"],
            inputs=found["inputs"],
            kinds=found["kinds"],
        )

    @property
    def fields(self) -> list[Field]:
        return [
            Field(SCENARIO, "integer"),
            *(Field(name, kind) for name, kind in self.inputs.items()),
            *(Field(name, self.kinds[name]) for name in self.outputs),
            Field(FAILURE, "text"),
        ]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some scenarios, computed. ``failed``: how many have an error in some output."""

    parquet: bytes
    csv: bytes
    failed: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A job's model and draws, ready to be computed in any parts."""

    draws: Draws
    prepared: Prepared

    def compute(self, first: int, end: int, *, run: Run, limits: Limits) -> Computed:
        """Raises InputError, SandboxError."""
        return self.prepared.run(self.draws.part(first, end), run=run, limits=limits)

    def piece(self, settled: Settled, first: int, end: int, *, run: Run, limits: Limits) -> Piece:
        """Raises InputError, SandboxError."""
        given = self.draws.part(first, end)
        table = self.prepared.run(given, run=run, limits=limits)
        start = self.draws.skip + 1
        columns: list[Any] = [np.arange(first + start, end + start), *(_given(given[name]) for name in settled.inputs)]
        reasons: list[str | None] = [None] * (end - first)
        for index, name in enumerate(settled.outputs):
            columns.append(_results(table, index, settled.kinds[name], name, reasons))
        columns.append(reasons)
        parquet, csv = write_piece(settled.fields, columns)
        return Piece(parquet, csv, sum(reason is not None for reason in reasons))


def _given(values: Any) -> Any:
    return values if isinstance(values, np.ndarray) else [None if value is OWN else value for value in values]


def _results(table: Computed, index: int, kind: str, name: str, reasons: list[str | None]) -> Any:
    """The values of an output that are of its type. An error is the scenario's reason, as is a value of another type."""
    num, tag = table.num[index], table.tag[index]
    wrong = np.isnan(num) & (tag == NUMBER)
    if kind == "number":
        good = (tag == NUMBER) & ~wrong
        for row in np.flatnonzero(~good & (tag != EMPTY)).tolist():
            if reasons[row] is None:
                told = unbox(float(num[row])) if wrong[row] else "not a number"
                reasons[row] = f"{name}: {told}"
        return np.where(good, num, np.nan)
    values = table.column(index)
    for row in np.flatnonzero(wrong).tolist():
        values[row] = None
        if reasons[row] is None:
            reasons[row] = f"{name}: {unbox(float(num[row]))}"
    if kind == "logical":
        for row in np.flatnonzero((tag != LOGICAL) & (tag != EMPTY) & ~wrong).tolist():
            reasons[row] = reasons[row] or f"{name}: not a logical"
    return values


def kind_of(table: Computed, index: int) -> str:
    """The type of an output by what most of its values are; errors and empty cells say nothing."""
    num, tag = table.num[index], table.tag[index]
    numbers = int(((tag == NUMBER) & ~np.isnan(num)).sum())
    logicals = int((tag == LOGICAL).sum())
    texts = int((tag > LOGICAL).sum())
    if texts > max(numbers, logicals):
        return "text"
    return "logical" if logicals > numbers else "number"


def input_kinds(draws: Draws) -> dict[str, str]:
    """number, logical or text: where values are of several types, text holds them all."""
    kinds = {}
    for name, values in draws.kinds_of_values().items():
        found = {"number"} if isinstance(values, np.ndarray) else {_kind(value) for value in values} - {""}
        kinds[name] = "text" if len(found) > 1 else next(iter(found), "number")
    return kinds


def _kind(value: Any) -> str:
    if value is OWN or value is None:
        return ""
    if isinstance(value, bool):
        return "logical"
    return "number" if isinstance(value, int | float) else "text"


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens jobs: the model that they compute, and what they compute it for."""

    ledger: Ledger
    blobs: Blobs
    read: Run  #: a runner of the sandbox for foreign tables

    def draws(self, job: Job, workbook: Workbook, seconds: float, cancelled: Callable[[], bool]) -> Draws:
        """Raises DatasetError, SandboxError, StepFailed."""
        source = self.blobs.get(job.source_key, etag=job.source_etag)
        if not self.asked(job).get("upload"):
            return draws_of(json.loads(source))
        date1904 = workbook.settings.date1904
        columns = read_columns(source, date1904=date1904, run=self.read, seconds=seconds, cancelled=cancelled)
        return Table({name: _own(values) for name, values in columns.items()})

    def model(self, job: Job) -> tuple[Workbook, str, Mapping[str, Any]]:
        """The recalculated workbook, its script, its inputs and outputs."""
        model = self.ledger.get(job.computes or "")
        if model is None or "computed" not in model.artefacts:
            raise StepFailed("model_gone", "The model that was to be computed is not there any more.")
        computed, generated, interface = self.blobs.get_all(
            [(model.artefacts[name], None) for name in ("computed", "generated", "interface")]
        )
        return load(computed), unpack(generated).script, json.loads(interface)

    def open(
        self, job: Job, settled: Settled | None, *, now: datetime, seconds: float, cancelled: Callable[[], bool]
    ) -> Opened:
        """Raises InputError for references that cannot be used, DatasetError, SandboxError, StepFailed."""
        workbook, script, interface = self.model(job)
        draws = self.draws(job, workbook, seconds, cancelled)
        outputs: Sequence[str] = settled.outputs if settled is not None else self._outputs(job, interface, draws)
        prepared = prepare(
            workbook,
            script,
            as_output(workbook),
            list(draws.references),
            outputs,
            now=settled.now if settled is not None else now,
            in_turn=settled.in_turn if settled is not None else None,
        )
        return Opened(draws, prepared)

    def _outputs(self, job: Job, interface: Mapping[str, Any], draws: Draws) -> list[str]:
        """Those that were asked for; else the model's own, its first ``MOST_OUTPUTS`` that are one cell."""
        asked = self.asked(job).get("outputs")
        inputs = {name.strip().casefold() for name in draws.references}
        if asked is None:
            single = [e["reference"] for e in interface["outputs"] if "shape" not in e]
            asked = [name for name in single if name.casefold() not in inputs][:MOST_OUTPUTS]
        if not asked:
            raise StepFailed("no_outputs", "The workbook has no cells that look like outputs; name them in outputs.")
        both = [name for name in asked if name.strip().casefold() in inputs]
        if both:
            raise StepFailed("bad_outputs", f"{both[0]} is an input of the scenarios and cannot be an output as well.")
        return list(asked)

    def asked(self, job: Job) -> Mapping[str, Any]:
        asked: Mapping[str, Any] = json.loads(self.blobs.get(request_key(job.id)))
        return asked


def _own(values: Any) -> Any:
    """What is missing in a table is the workbook's own."""
    if not isinstance(values, np.ndarray):
        return [OWN if value is None else value for value in values]
    missing = np.isnan(values)
    if not missing.any():
        return values
    return [OWN if gone else value for value, gone in zip(values.tolist(), missing.tolist(), strict=True)]
