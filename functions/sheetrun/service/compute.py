"""The computing of a workbook job as pure steps: parse, generate, execute and prove. No AWS, no job state.

The pipeline's functions and the command line both call these; artefacts are bytes, so that each step can run in
another process on another machine.
"""

from __future__ import annotations

import datetime
import json
import time
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from sheetrun.compiler.script import Script, Writer
from sheetrun.compiler.units import Refused
from sheetrun.records import dataclass
from sheetrun.runtime.payload import BadPayload, RunInput, RunOutput
from sheetrun.sandbox.errors import Cancelled, ProtocolError, SandboxError
from sheetrun.sandbox.job import Job, Result
from sheetrun.sandbox.limits import Limits
from sheetrun.sandbox.process import run as run_once
from sheetrun.service.apart import may_be_day_first
from sheetrun.service.cellvalues import cell_values, stored_values, written_grids
from sheetrun.service.findings import Proof
from sheetrun.service.interface import Interface, Ports, make_ports
from sheetrun.service.proof import check_fits, prove
from sheetrun.service.recalculated import recalculated
from sheetrun.service.rundata import check_request, find_cells, plain_names, run_input
from sheetrun.service.scripts import ENTRY, PRELOAD, SCRIPT_POLICY, make_report, need_formulas
from sheetrun.workbook.model import Rect, Workbook
from sheetrun.workbook.reader import read
from sheetrun.workbook.store import dump, load
from sheetrun.workbook.writer import write_back

Progress = Callable[[int, int, str], None]  #: (done, total, message); may raise to cancel


@dataclass(frozen=True, slots=True)
class Parsed:
    """``artefact`` holds the workbook model (see ``workbook.store``)."""

    artefact: bytes
    sheets: int
    cells: int
    formulas: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Generated:
    """The script, a JSON with the map from its lines to cells and what the proof needs, and what was not compiled."""

    script: str
    line_map: bytes
    unsupported: tuple[dict[str, str], ...] = ()
    ports: bytes = b""  #: a workbook's inputs and outputs as JSON (``interface.Ports``)


@dataclass(frozen=True, slots=True)
class Executed:
    """``results``: name -> (content type, bytes) for values, workbook, script, report, graph, bundle."""

    results: Mapping[str, tuple[str, bytes]]
    report: Mapping[str, Any]  #: formulas, compared, matched, mismatched, volatile, unsupported, and details
    errors: tuple[dict[str, str], ...] = field(default=())  #: {cell, code, detail} of what could not be computed
    #: What a model is called with, likewise: ``interface`` (JSON) and ``computed`` (the workbook with its new values).
    artefacts: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)


def parse(source: bytes, filename: str, *, progress: Progress | None = None) -> Parsed:
    """Raises ``WorkbookError`` for a file that cannot be used."""
    workbook = read(source, filename=filename, progress=_reading(progress))
    need_formulas(workbook)
    cells = sum(grid.num.size for sheet in workbook.sheets for grid in sheet.grids)
    blocks = sum(len(sheet.blocks) for sheet in workbook.sheets)
    return Parsed(dump(workbook), len(workbook.sheets), cells, workbook.formula_count, blocks)


def generate(
    artefact: bytes,
    *,
    inputs: Mapping[str, Any] | None = None,
    outputs: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Generated:
    """What cannot be compiled is listed, never raised. Raises ``InputErrors`` for a request that names what is not there."""
    workbook = load(artefact)
    check_request(workbook, inputs or {}, outputs or ())
    writer = Writer(workbook)
    script = writer.script(_writing(progress))
    ports = make_ports(workbook, writer.units, writer.scope)
    return Generated(script.text, _plan(script), tuple(_refusals(workbook, script.refused)), ports.to_bytes())


def execute(
    artefact: bytes,
    generated: Generated,
    source: bytes,
    *,
    inputs: Mapping[str, Any] | None = None,
    outputs: Sequence[str] | None = None,
    timeout: float = 60.0,
    memory: int = 1024 * 2**20,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    run: Callable[..., Result] | None = None,
    before: Mapping[str, float] | None = None,
) -> Executed:
    """Runs the script in the sandbox and proves it. Raises ``InputError`` (unknown cell or name), ``SandboxError``.

    ``before``: milliseconds of the earlier steps, for the report.
    ``run``: a runner of the sandbox (``WarmRunner.run``); by default a fresh interpreter is started.
    """
    from sheetrun.service.bundle import make_bundle  # it needs a lot, and only this step needs it

    started = time.perf_counter()
    workbook = load(artefact)
    wanted = {reference: find_cells(workbook, reference) for reference in outputs or ()}
    data = run_input(workbook, generated.script, inputs=inputs, now=datetime.datetime.now())
    runner = run or run_once
    job = Job(generated.script, data.to_bytes(), entry=ENTRY, policy=SCRIPT_POLICY, preload=PRELOAD)
    limits = Limits(wall_seconds=timeout, cpu_seconds=timeout, memory_bytes=memory)
    told = _Running(progress, generated)
    result = runner(job, limits, cancelled=cancelled, on_progress=told.ran)
    try:
        output = RunOutput.from_bytes(result.payload)
        check_fits(workbook, output)
    except BadPayload as error:
        raise ProtocolError(str(error)) from error
    told.next("Comparing with Excel's values.")
    refused, volatile, needs = read_plan(generated.line_map)
    proof = prove(workbook, output, refused, volatile, needs)
    left = timeout - (time.perf_counter() - started)
    if proof.mismatched and not inputs and left > timeout / 2:
        limits = Limits(wall_seconds=left, cpu_seconds=left, memory_bytes=memory)
        alone = _run_again(
            generated.script, replace(data, alone=True, wanted=proof.differing()), limits, runner, cancelled
        )
        other = None
        if may_be_day_first(workbook):
            other = _run_again(generated.script, replace(data, day_first=True), limits, runner, cancelled)
        if other is not None and prove(workbook, other, refused, volatile, needs).mismatched >= proof.mismatched:
            other = None
        if alone is not None or other is not None:
            proof = prove(workbook, output, refused, volatile, needs, alone, other)
    report = make_report(workbook, proof, output, changed=bool(inputs))
    report["duration_ms"] = {**(before or {}), "execute": round((time.perf_counter() - started) * 1000, 1)}
    told.next("Writing the results.")
    values = cell_values(workbook, output, wanted)
    graph = _graph(workbook, proof, needs)
    model, interface = _model(workbook, output, generated.ports)
    results = {
        "values": ("application/json", json.dumps({"cells": values, "report": report}).encode()),
        "script": ("text/x-python; charset=utf-8", generated.script.encode()),
        "workbook": (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            write_back(source, written_grids(workbook, output, inputs or {}), output.strings),
        ),
        "report": ("text/html; charset=utf-8", _html(workbook, report, proof, graph, interface)),
        "graph": ("image/svg+xml", graph.encode()),
        "bundle": (
            "application/zip",
            make_bundle(
                workbook.filename,
                generated.script,
                replace(data, names=dict(plain_names(workbook))),
                stored_values(workbook, proof),
                inputs=interface["inputs"],
                outputs=interface["outputs"],
            ),
        ),
    }
    return Executed(results, report, tuple(proof.errors), model)


def _model(workbook: Workbook, output: RunOutput, ports: bytes) -> tuple[dict[str, tuple[str, bytes]], dict[str, Any]]:
    """What later calls of the workbook start from, and its inputs and outputs as callers see them."""
    computed = recalculated(workbook, output)
    interface = Interface(computed, Ports.from_bytes(ports)).document()
    artefacts = {
        "interface": ("application/json", json.dumps(interface, ensure_ascii=True).encode()),
        "computed": ("application/octet-stream", dump(computed)),
    }
    return artefacts, interface


def _reading(progress: Progress | None) -> Callable[[int, int, int, str], None] | None:
    """Bytes say how far it is, cells what was read."""
    if progress is None:
        return None
    tell = progress
    return lambda done, total, cells, sheet: tell(done, total, f"Reading the workbook: {cells:,} cells, {sheet}")


def _writing(progress: Progress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    tell = progress
    return lambda done, total: tell(done, total, f"Writing the script: {done:,} of {total:,} blocks")


class _Running:
    """Progress of the last step: blocks that were run, then the two things that remain."""

    def __init__(self, progress: Progress | None, generated: Generated) -> None:
        self._progress = progress
        self._blocks = _blocks_by_part(generated) if progress is not None else []
        self._rest = 0

    def ran(self, done: int, parts: int, _name: str) -> None:
        """A part of the script is a function with several blocks; it is run as a whole."""
        total = self._blocks[-1] if self._blocks else 0
        blocks = self._blocks[min(done, len(self._blocks) - 1)] if self._blocks else 0
        if self._progress is not None:
            self._progress(4 * done, 6 * max(1, parts), f"Computing: {blocks:,} of {total:,} blocks")

    def next(self, message: str) -> None:
        self._rest += 1
        if self._progress is not None:
            self._progress(3 + self._rest, 6, message)


def _blocks_by_part(generated: Generated) -> list[int]:
    """How many blocks the first n functions of a script compute, for every n from 0."""
    starts = [n for n, line in enumerate(generated.script.split("\n"), 1) if line.startswith("def ")]
    lines = sorted(line for line, _, _ in json.loads(generated.line_map)["lines"])
    return [bisect(lines, start) for start in starts] + [len(lines)]


def _run_again(
    script: str,
    data: RunInput,
    limits: Limits,
    runner: Callable[..., Result],
    cancelled: Callable[[], bool] | None,
) -> RunOutput | None:
    """The same script in another way; None when the sandbox ends it: then causes are told by blocks."""
    job = Job(script, data.to_bytes(), entry=ENTRY, policy=SCRIPT_POLICY, preload=PRELOAD)
    try:
        return RunOutput.from_bytes(runner(job, limits, cancelled=cancelled, on_progress=None).payload)
    except Cancelled:
        raise
    except (SandboxError, BadPayload):
        return None


def _graph(workbook: Workbook, proof: Proof, needs: Mapping[tuple[int, Rect], list[tuple[int, Rect]]]) -> str:
    from sheetrun.report import block_graph, render_graph

    names = [sheet.name for sheet in workbook.sheets]
    return render_graph(*block_graph(names, needs.items(), proof.states))


def _html(
    workbook: Workbook, report: Mapping[str, Any], proof: Proof, graph: str, interface: Mapping[str, Any]
) -> bytes:
    from sheetrun.report import render_html

    sheets = [(sheet.name, _used(sheet)) for sheet in workbook.sheets]
    return render_html(
        workbook.filename,
        report,
        sheets,
        proof.states,
        inputs=interface["inputs"],
        outputs=interface["outputs"],
        graph=graph,
    ).encode()


def _used(sheet: Any) -> tuple[int, int]:
    """(rows, columns) of a sheet's used range, counted from A1."""
    rects = [grid.rect for grid in sheet.grids]
    return max((r.bottom + 1 for r in rects), default=0), max((r.right + 1 for r in rects), default=0)


# -- what the proof needs to know of the script, as bytes --------------------------------------------------------------


def _plan(script: Script) -> bytes:
    return json.dumps(
        {
            "lines": script.lines,
            "refused": [[r.sheet, list(r.rect), r.text, r.code, r.detail] for r in script.refused],
            "volatile": [[sheet, list(rect)] for sheet, rect in script.volatile],
            "needs": [[s, list(r), [[t, list(q)] for t, q in reads]] for (s, r), reads in script.needs.items()],
        },
        separators=(",", ":"),
    ).encode()


Plan = tuple[list[Refused], list[tuple[int, Rect]], dict[tuple[int, Rect], list[tuple[int, Rect]]]]


def read_plan(data: bytes) -> Plan:
    """(refused blocks, volatile blocks, what each block reads from) of a generated script."""
    plan = json.loads(data)
    return (
        [Refused(s, Rect(*r), text, code, detail) for s, r, text, code, detail in plan["refused"]],
        [(s, Rect(*r)) for s, r in plan["volatile"]],
        {(s, Rect(*r)): [(t, Rect(*q)) for t, q in reads] for s, r, reads in plan["needs"]},
    )


def _refusals(workbook: Workbook, refused: Sequence[Refused]) -> list[dict[str, str]]:
    from sheetrun.formula.a1 import quote_sheet, range_name

    return [
        {
            "cell": f"{quote_sheet(workbook.sheets[r.sheet].name)}!{range_name(*r.rect)}",
            "code": r.code,
            "detail": r.detail,
        }
        for r in refused
    ]
