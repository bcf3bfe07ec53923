"""A workbook on this machine, with no service: open it, run it with other inputs, look at any cell.

What ``sheetrun run``, ``compile`` and ``check`` are made of.
"""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from sheetrun.compiler.script import Script, Writer
from sheetrun.records import dataclass
from sheetrun.runtime.payload import RunInput, RunOutput
from sheetrun.sandbox.allowlist import not_collecting
from sheetrun.sandbox.errors import ProtocolError
from sheetrun.sandbox.job import Job
from sheetrun.sandbox.limits import Limits
from sheetrun.service.apart import may_be_day_first
from sheetrun.service.cellvalues import cell_values, rectangle_values, written_grids
from sheetrun.service.findings import Proof
from sheetrun.service.planes import Plane
from sheetrun.service.proof import prove
from sheetrun.service.rundata import find_cells, run_input
from sheetrun.service.scripts import ENTRY, ONCE_PRELOAD, SCRIPT_POLICY, make_report, need_formulas
from sheetrun.workbook.model import Workbook
from sheetrun.workbook.reader import read

if TYPE_CHECKING:
    from pathlib import Path

    from sheetrun.service.interface import Ports
    from sheetrun.service.scenarios import Runner, Table
    from sheetrun.service.warm import Warm


@dataclass(slots=True)
class Run:
    """A computed workbook."""

    _model: Model
    _output: RunOutput
    _inputs: Mapping[str, Any]
    _proof: Proof
    _seconds: float

    def cells(self) -> dict[str, Any]:
        """Every formula cell: ``"Sheet!A1"`` -> JSON value."""
        return cell_values(self._model.workbook, self._output)

    def get(self, reference: str) -> Any:
        """A cell, or a list of rows for a range, name or table column. Raises InputError."""
        sheet, rect = find_cells(self._model.workbook, reference)
        return rectangle_values(Plane.of_areas(self._output.sheets[sheet]), rect, self._output.strings)

    @property
    def report(self) -> dict[str, Any]:
        """Counts, timings, mismatches and what could not be computed."""
        model = self._model
        report = make_report(model.workbook, self._proof, self._output, changed=bool(self._inputs))
        report["duration_ms"] = {
            "parse": round(model.read_seconds * 1000, 1),
            "generate": round(model.compile_seconds * 1000, 1),
            "execute": round(self._seconds * 1000, 1),
        }
        return report

    @property
    def proof(self) -> Proof:
        return self._proof

    def workbook_bytes(self) -> bytes:
        """The user's file with the computed values in it."""
        from sheetrun.workbook.writer import write_back

        grids = written_grids(self._model.workbook, self._output, self._inputs)
        return write_back(self._model.source(), grids, self._output.strings)


@dataclass(slots=True)
class Model:
    """An opened workbook, compiled when it is first needed."""

    path: str
    workbook: Workbook
    read_seconds: float
    compile_seconds: float = 0.0
    _writer: Writer | None = field(default=None)
    _script: Script | None = field(default=None)
    _ports: Ports | None = field(default=None)
    _warm: Warm | None = field(default=None)
    _own: RunOutput | None = field(default=None)

    def source(self) -> bytes:
        with open(self.path, "rb") as file:
            return file.read()

    def compiled(self) -> Script:
        """The generated script with its line map and refusals."""
        if self._script is None:
            started = time.perf_counter()
            with not_collecting():
                self._writer = Writer(self.workbook)
                self._script = self._writer.script()
            self.compile_seconds = time.perf_counter() - started
        return self._script

    def interface(self) -> dict[str, Any]:
        """Inputs and outputs, as ``GET /v1/models/{id}`` tells them, with the values that Excel stored."""
        from sheetrun.service.interface import Interface, Ports, make_ports

        self.compiled()
        if self._writer is not None:
            self._ports = make_ports(self.workbook, self._writer.units, self._writer.scope)
            self._writer = None  # it holds every formula
        return Interface(self.workbook, self._ports or Ports()).document()

    def script(self) -> str:
        """The text of the generated script."""
        return self.compiled().text

    def data(self) -> bytes:
        """The data that the script computes with, to stand beside it as ``NAME.data``."""
        return run_input(self.workbook, self.script()).to_bytes()

    def run(
        self,
        set: Mapping[str, Any] | None = None,
        *,
        sandboxed: bool = True,
        timeout: float = 600.0,
        explain: bool = False,
        now: datetime.datetime | None = None,
        seed: int = 0,
    ) -> Run:
        """Computes the workbook, with cells set first. Raises InputError and SandboxError.

        ``now``, ``seed``: the clock (None: the machine's) and where random numbers start, for volatile functions.
        ``explain``: where results differ from Excel's, further runs tell in which cells the differences begin.
        """
        inputs = dict(set or {})
        script = self.compiled()
        payload = run_input(self.workbook, script.text, inputs=inputs, now=now, seed=seed)
        started = time.perf_counter()

        def computed(payload: RunInput) -> RunOutput:
            if sandboxed:
                return _computed(script.text, payload, None, timeout)
            return _in_process(script.text, payload.to_bytes())

        output = computed(payload)
        seconds = time.perf_counter() - started
        with not_collecting():
            proof = prove(self.workbook, output, script.refused, script.volatile, script.needs)
        if explain and proof.mismatched and not inputs:
            alone = computed(replace(payload, alone=True, wanted=proof.differing()))
            other = None
            if may_be_day_first(self.workbook):
                other = computed(replace(payload, day_first=True))
                again = prove(self.workbook, other, script.refused, script.volatile, script.needs)
                other = other if again.mismatched < proof.mismatched else None
            proof = prove(self.workbook, output, script.refused, script.volatile, script.needs, alone, other)
        return Run(self, output, inputs, proof, seconds)

    def calculate(self, inputs: Mapping[str, Any], outputs: Sequence[str], *, timeout: float = 600.0) -> dict[str, Any]:
        """Outputs (cells, ranges, names) with some cells set: a call that is made again and again.

        The workbook is computed once in the sandbox; calls are computed in this process, only what lies between their
        inputs and outputs. The first of its kind compiles that. Raises InputError, SandboxError.
        """
        if self._warm is None:
            from sheetrun.service.recalculated import recalculated
            from sheetrun.service.warm import Warm

            self._warm = Warm(recalculated(self.workbook, self._as_it_is(None, timeout)))
        return self._warm.calculate(inputs, outputs)

    def scenarios(
        self,
        inputs: Mapping[str, Sequence[Any]],
        outputs: Sequence[str],
        *,
        timeout: float = 3600.0,
        on_progress: Callable[[int, int, str], None] | None = None,
    ) -> Table:
        """Computes outputs (cells) for many values of inputs (see ``service.scenarios``)."""
        from sheetrun.sandbox.forked import several
        from sheetrun.service.scenarios import run_scenarios

        with several(ONCE_PRELOAD) as run:
            computed = self._as_it_is(run, timeout)
            return run_scenarios(
                self.workbook,
                self.script(),
                computed,
                inputs,
                outputs,
                run=run,
                limits=_limits(timeout),
                on_progress=on_progress,
            )

    def _as_it_is(self, runner: Runner | None, timeout: float) -> RunOutput:
        """The workbook computed with its own values; once, unless the time or chance has a part in it."""
        if self._own is not None:
            return self._own
        script = self.compiled()
        computed = _computed(script.text, run_input(self.workbook, script.text), runner, timeout)
        if not script.volatile:
            self._own = computed
        return computed


def _computed(script: str, payload: RunInput, runner: Runner | None, timeout: float) -> RunOutput:
    """In the sandbox. ``runner``: what runs it there, when there is one already."""
    from sheetrun.sandbox.forked import run

    job = Job(script, payload.to_bytes(), entry=ENTRY, policy=SCRIPT_POLICY, preload=ONCE_PRELOAD)
    try:
        return RunOutput.from_bytes((runner or run)(job, _limits(timeout)).payload)
    except ValueError as error:
        raise ProtocolError(str(error)) from error


def _limits(timeout: float) -> Limits:
    return Limits(wall_seconds=timeout, cpu_seconds=timeout, memory_bytes=8 * 2**30, output_bytes=2**31)


def _in_process(script: str, payload: bytes) -> RunOutput:
    from sheetrun.runtime.host import run_payload
    from sheetrun.service.inprocess import executed

    return RunOutput.from_bytes(run_payload(executed(script), payload))


def open_model(path: str | Path) -> Model:
    """Reads a workbook. Raises WorkbookError for a file that cannot be used, OSError for one that cannot be read."""
    started = time.perf_counter()
    with not_collecting():
        workbook = read(path)
    need_formulas(workbook)
    return Model(os.fspath(path), workbook, time.perf_counter() - started)
