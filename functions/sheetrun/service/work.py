"""What the three steps of a job do: artefacts from the store, one call of what computes, artefacts back.

What computes depends on the job's kind (``compute`` for workbooks, ``analysis`` for datasets) and comes in as an
argument: tests bring their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from traceback import extract_tb
from typing import Any, Protocol

from sheetrun.jobs.errors import SheetrunError, StepFailed, StepRetryable
from sheetrun.jobs.job import Job
from sheetrun.jobs.states import Kind, Step
from sheetrun.records import dataclass
from sheetrun.service.blobs import Blob, Blobs
from sheetrun.service.compute import Executed, Generated, Parsed, Progress
from sheetrun.service.handed import pack, unpack
from sheetrun.service.ports import Log
from sheetrun.service.steps import Made, Workplace
from sheetrun.service.submit import request_key
from sheetrun.settings import Settings

BINARY = "application/octet-stream"
SHOWN_ERRORS = 100  #: cells that are listed in the job itself; all of them are in the report

#: File name of each result, by name; what is not here (``plots/…``) is a file name already.
FILES = {
    Kind.WORKBOOK: {
        "values": "values.json",
        "workbook": "workbook.xlsx",
        "script": "model.py",
        "report": "report.html",
        "graph": "graph.svg",
        "bundle": "bundle.zip",
    },
    Kind.DATASET: {"results": "results.json", "script": "analysis.py", "report": "report.html"},
    Kind.SCENARIOS: {
        "parquet": "scenarios.parquet",
        "csv": "scenarios.csv",
        "summary": "summary.json",
        "report": "report.html",
    },
}

#: What a model is called with (``Executed.artefacts``).
_ARTEFACT_FILES = {"interface": "interface.json", "computed": "computed.bin"}


class Compute(Protocol):
    """The module ``sheetrun.service.compute``, or what is shaped like it, as far as the steps use it."""

    def parse(self, source: bytes, filename: str, *, progress: Progress | None = None) -> Parsed: ...

    def generate(
        self,
        artefact: bytes,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> Generated: ...

    def execute(
        self,
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
        run: Callable[..., Any] | None = None,
        before: Mapping[str, float] | None = None,
    ) -> Executed: ...


@dataclass(frozen=True, slots=True)
class StepWork:
    """One method per step."""

    compute_of: Callable[[Job], Compute]
    blobs: Blobs
    settings: Settings
    log: Log
    #: A warm runner for the job's kind; None starts a fresh interpreter per job.
    sandbox_of: Callable[[Job], Callable[..., Any] | None] = lambda job: None

    def parse(self, place: Workplace) -> Made:
        job = place.job
        source = self.blobs.get(job.source_key, etag=job.source_etag)
        with self._reasons(Step.PARSE, job, place):
            parsed = self.compute_of(job).parse(source, job.filename, progress=place.report)
        key = _artefact(job, "model.bin")
        self.blobs.put(key, parsed.artefact, content_type=BINARY)
        facts = {"sheets": parsed.sheets, "cells": parsed.cells, "formulas": parsed.formulas, "blocks": parsed.blocks}
        return Made(artefacts={"model": key}, facts=facts)

    def generate(self, place: Workplace) -> Made:
        job = place.job
        artefact = self.blobs.get(_key(job, "model"))
        asked = self._asked(job)
        with self._reasons(Step.GENERATE, job, place):
            generated = self.compute_of(job).generate(
                artefact, inputs=asked.get("inputs"), outputs=asked.get("outputs"), progress=place.report
            )
        key = _artefact(job, "generated.bin")
        self.blobs.put(key, pack(generated), content_type=BINARY)
        lines = generated.script.count("\n")
        return Made(artefacts={"generated": key}, facts={"lines": lines, "unsupported": len(generated.unsupported)})

    def execute(self, place: Workplace) -> Made:
        job = place.job
        artefact, generated, source = self.blobs.get_all(
            [(_key(job, "model"), None), (_key(job, "generated"), None), (job.source_key, job.source_etag)]
        )
        asked = self._asked(job)
        with self._reasons(Step.EXECUTE, job, place):
            executed = self.compute_of(job).execute(
                artefact,
                unpack(generated),
                source,
                inputs=asked.get("inputs") or None,
                outputs=asked.get("outputs"),
                timeout=min(float(self.settings.execute_seconds), place.seconds),
                memory=self.settings.execute_memory_bytes,
                progress=place.report,
                cancelled=place.stopped,
                run=_apart(self.sandbox_of(job), place),
                before=job.durations,
            )
        files = FILES[job.kind]
        results = {
            name: f"jobs/{job.id}/results/{job.epoch}/{files.get(name, name)}" for name in sorted(executed.results)
        }
        artefacts = {name: _artefact(job, _ARTEFACT_FILES[name]) for name in sorted(executed.artefacts)}
        made = [(results[name], *executed.results[name]) for name in results]
        made += [(artefacts[name], *executed.artefacts[name]) for name in artefacts]
        self.blobs.put_all([Blob(key, data, content_type) for key, content_type, data in made])
        errors = [dict(error) for error in executed.errors]
        report = dict(executed.report)
        if errors:
            report["errors"] = errors[:SHOWN_ERRORS]
            report["errors_total"] = len(errors)
        return Made(artefacts=artefacts, results=results, report=report, partially=bool(errors))

    def _asked(self, job: Job) -> Mapping[str, Any]:
        if not job.has_request:
            return {}
        asked: Mapping[str, Any] = json.loads(self.blobs.get(request_key(job.id)))
        return asked

    @contextmanager
    def _reasons(self, step: Step, job: Job, place: Workplace) -> Iterator[None]:
        """Computing may be cut off at any moment, and what it raises becomes the end of the job."""
        with Reasons(step, job, self.log, place.raise_reason), place.watch.computing():
            yield


def _apart(run: Callable[..., Any] | None, place: Workplace) -> Callable[..., Any] | None:
    """A sandbox's run is not cut off: it asks by itself, and must put its processes away."""
    if run is None:
        return None
    runner = run

    def uncut(*arguments: Any, **options: Any) -> Any:
        with place.watch.apart():
            return runner(*arguments, **options)

    return uncut


def _artefact(job: Job, name: str) -> str:
    """Under the claim's epoch: a worker that was given up for dead cannot overwrite its successor's."""
    return f"jobs/{job.id}/work/{job.epoch}/{name}"


def _key(job: Job, name: str) -> str:
    try:
        return job.artefacts[name]
    except KeyError:
        raise StepFailed("artefact_missing", f"the {name} of an earlier step is not there any more") from None


class Reasons:
    """Turns what ``compute`` raises into the end of the job, with a code. Only what says ``retryable`` is tried again.

    ``WorkbookError`` and the like carry ``reason`` or ``code`` and ``detail``; anything else is a fault of ours, and is
    told as that (its text stays in the log: it may hold cell contents).
    """

    def __init__(self, step: Step, job: Job, log: Log, raise_reason: Callable[[], None]) -> None:
        self._step, self._job, self._log, self._raise_reason = step, job, log, raise_reason

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, SheetrunError) or not isinstance(error, Exception):
            return
        self._raise_reason()
        if isinstance(error, MemoryError):
            raise StepFailed("out_of_memory", f"The {self._step} step needs more memory than it has.") from error
        code = getattr(error, "reason", None) or getattr(error, "code", None)
        if isinstance(code, str) and code.isidentifier():
            cell = getattr(error, "part", None) or getattr(error, "cell", None) or getattr(error, "reference", None)
            told = {"cell": str(cell), "code": code, "detail": str(error)}
            errors = list(getattr(error, "errors", ()))[:SHOWN_ERRORS] or ([told] if cell else [])
            if getattr(error, "retryable", False):
                raise StepRetryable(code, str(error)) from error
            late = code in ("timed_out", "time_limit")
            raise StepFailed(code, str(error), errors=errors, timed_out=late) from error
        self._log.error(
            "compute_bug",
            job_id=self._job.id,
            step=self._step.value,
            kind=type(error).__name__,
            where=[f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in extract_tb(trace)][-6:],
        )
        raise StepFailed(
            "internal_error",
            f"The {self._step} step met a fault of its own ({type(error).__name__}). It was logged.",
        ) from error
