"""What a service answers, as frozen values: jobs, reports, events. ``raw`` keeps members that are newer than this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any, TypeAlias

from sheetrun.records import dataclass

#: A cell value on the wire: number, text, logical, None for empty, {"error": "#N/A"}, a list of rows for an array.
CellValue: TypeAlias = Any

SUCCESSES = frozenset({"succeeded", "partially_succeeded"})
ENDED = SUCCESSES | {"failed", "timed_out", "cancelled", "expired"}


def parse_time(text: object) -> datetime | None:
    """An aware datetime of an RFC 3339 text; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object, default: float = 0.0) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _count(value: object) -> int:
    return int(_number(value))


@dataclass(frozen=True, slots=True)
class CellError:
    """One cell (or field) that went wrong."""

    cell: str
    code: str
    detail: str

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> CellError:
        place = raw.get("cell") or raw.get("path") or ""
        return cls(str(place), str(raw.get("code", "")), str(raw.get("detail", "")))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job ended without results."""

    code: str
    title: str
    detail: str
    stage: str
    retryable: bool
    errors: tuple[CellError, ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Failure:
        errors = raw.get("errors")
        return cls(
            str(raw.get("code", "failed")),
            str(raw.get("title", "")),
            str(raw.get("detail", "")),
            str(raw.get("stage", "")),
            bool(raw.get("retryable", False)),
            tuple(CellError.of(e) for e in errors if isinstance(e, Mapping)) if isinstance(errors, list) else (),
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: ``done`` of ``total`` in the stage's own unit, ``percent`` of the whole."""

    stage: str = ""
    done: int = 0
    total: int = 0
    percent: float = 0.0
    message: str = ""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Progress:
        return cls(
            str(raw.get("stage") or ""),
            _count(raw.get("done")),
            _count(raw.get("total")),
            _number(raw.get("percent")),
            str(raw.get("message") or ""),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """The proof in numbers: formula cells by how they compare with Excel's own values. Durations in ms by stage."""

    formulas: int
    compared: int
    matched: int
    mismatched: int
    volatile: int
    unsupported: int
    duration_ms: Mapping[str, float] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Report:
        return cls(
            formulas=_count(raw.get("formulas")),
            compared=_count(raw.get("compared")),
            matched=_count(raw.get("matched")),
            mismatched=_count(raw.get("mismatched")),
            volatile=_count(raw.get("volatile")),
            unsupported=_count(raw.get("unsupported")),
            duration_ms={str(k): _number(v) for k, v in _mapping(raw.get("duration_ms")).items()},
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the service last told it. It is a value: ask the client again for news."""

    id: str
    kind: str
    task: str
    filename: str
    state: str
    running: bool
    priority: str = "normal"
    size: int | None = None
    client: str = ""
    progress: Progress = field(default_factory=Progress)
    timestamps: Mapping[str, str] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    error: Failure | None = None
    report: Report | None = None
    results: Mapping[str, str] = field(default_factory=dict)  #: result name -> address
    expires_at: datetime | None = None
    custom_id: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ended(self) -> bool:
        return not self.running

    @property
    def succeeded(self) -> bool:
        """It has results (perhaps with cells that kept Excel's value: ``partially_succeeded``)."""
        return self.state in SUCCESSES

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Job:
        """Raises KeyError where the document is no job (no id or state)."""
        state = str(raw["state"])
        running = raw.get("running")
        size = raw.get("size")
        error, report, custom_id = raw.get("error"), raw.get("report"), raw.get("custom_id")
        return cls(
            id=str(raw["id"]),
            kind=str(raw.get("kind", "")),
            task=str(raw.get("task", "")),
            filename=str(raw.get("filename") or ""),
            state=state,
            running=bool(running) if isinstance(running, bool) else state not in ENDED,
            priority=str(raw.get("priority") or "normal"),
            size=size if isinstance(size, int) else None,
            client=str(raw.get("client") or ""),
            progress=Progress.of(_mapping(raw.get("progress"))),
            timestamps={str(k): str(v) for k, v in _mapping(raw.get("timestamps")).items()},
            attempts={str(k): _count(v) for k, v in _mapping(raw.get("attempts")).items()},
            metadata={str(k): str(v) for k, v in _mapping(raw.get("metadata")).items()},
            error=Failure.of(error) if isinstance(error, Mapping) else None,
            report=Report.of(report) if isinstance(report, Mapping) else None,
            results={str(k): str(v) for k, v in _mapping(_mapping(raw.get("urls")).get("results")).items()},
            expires_at=parse_time(raw.get("expires_at")),
            custom_id=str(custom_id) if custom_id is not None else None,
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a job's story; ``id`` counts from 1 and never has gaps."""

    id: int
    type: str
    at: datetime | None
    data: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Event:
        return cls(
            _count(raw.get("id")), str(raw.get("type", "")), parse_time(raw.get("at")), _mapping(raw.get("data"))
        )

    @property
    def ends(self) -> bool:
        """Nothing comes after this one unless the job is retried."""
        return self.type.removeprefix("job.") in ENDED


@dataclass(frozen=True, slots=True)
class Calculation:
    """The answer of ``calculate``: a value per requested output.

    ``errors``: formulas behind the outputs that cannot be computed (cell, code, detail). ``explain``: by output,
    ``steps`` from the inputs to it, each with cell, formula and value.
    """

    outputs: Mapping[str, CellValue]
    duration_ms: float
    errors: Sequence[Mapping[str, Any]] = ()
    explain: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __getitem__(self, reference: str) -> CellValue:
        return self.outputs[reference]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Calculation:
        outputs, spent = _mapping(raw.get("outputs")), _number(raw.get("duration_ms"))
        return cls(outputs, spent, jobs_of(raw, "errors"), _mapping(raw.get("explain")), raw)


@dataclass(frozen=True, slots=True)
class Goal:
    """The answer of ``goal_seek``: ``input`` is the value that was found, ``output`` what the model gives for it."""

    input: float
    output: float
    evaluations: int
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Goal:
        found = [_number(_mapping(raw.get(name)).get("value")) for name in ("input", "output")]
        return cls(found[0], found[1], int(_number(raw.get("evaluations"))), raw)


@dataclass(frozen=True, slots=True)
class Tables:
    """The answer of ``data_table``: by output, rows of values (one row when only one input changes)."""

    tables: Mapping[str, Sequence[Sequence[CellValue]]]
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __getitem__(self, reference: str) -> Sequence[Sequence[CellValue]]:
        return self.tables[reference]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Tables:
        return cls(_mapping(raw.get("tables")), raw)


def job_id(job: str | Job) -> str:
    """The id, from an id or a job."""
    return job.id if isinstance(job, Job) else job


def jobs_of(raw: Mapping[str, Any], key: str = "jobs") -> Sequence[Mapping[str, Any]]:
    """The list under ``key`` of a page, anything that is no object left out."""
    items = raw.get(key)
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
