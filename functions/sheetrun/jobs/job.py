"""The job as a value: everything that is known of it, and its form as a JSON document for the table.

Times are aware datetimes in UTC. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sheetrun.jobs.chunks import Fan
from sheetrun.jobs.states import Kind, Priority, State, Step
from sheetrun.records import dataclass

_TIMES = frozenset(
    {"created_at", "upload_expires_at", "deadline_at", "expires_at", "lease_until", "not_before", "turn_at"}
)


#: A message in a queue is not lost because it waits: only after so many times the patience is it sent once more.
LONG_WAIT = 15


def instant(text: str) -> datetime:
    """An RFC 3339 time in UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset")
    return moment.astimezone(UTC)


def rfc3339(moment: datetime) -> str:
    """``2026-01-31T09:30:00.123Z``: UTC, milliseconds, one form everywhere, so that texts sort as times do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a job ended without its results (run failures are data, not HTTP errors)."""

    code: str
    title: str
    detail: str
    stage: str
    retryable: bool = False
    errors: tuple[Mapping[str, str], ...] = ()

    def document(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "stage": self.stage,
            "retryable": self.retryable,
            "errors": [dict(error) for error in self.errors],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Work done inside the running stage, in that stage's own unit (cells, blocks); ``total`` 0 = not known."""

    done: int = 0
    total: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job. ``rev`` counts writes (the table's compare-and-swap); see ``states`` for epoch and dispatch."""

    id: str
    client: str
    kind: Kind
    task: str
    filename: str
    priority: Priority
    state: State
    created_at: datetime
    upload_expires_at: datetime
    expires_at: datetime
    source_key: str
    retain_seconds: int
    size: int | None = None
    max_bytes: int = 0
    sha256: str | None = None
    source_etag: str | None = None
    upload_id: str | None = None  #: of a multipart upload
    has_request: bool = False  #: inputs and outputs are in an object of their own (they can be large)
    webhook_url: str | None = None
    deadline_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    batch: str | None = None
    custom_id: str | None = None
    model: str | None = None  #: the model whose address it takes over when it succeeds: the first version's id
    versions: tuple[str, ...] = ()  #: of a model's first version: the jobs that came after it, in their order
    step: Step | None = None  #: the step that runs now or next
    dispatch: int = 0
    epoch: int = 0
    lease_until: datetime | None = None  #: a worker holds the step until then
    not_before: datetime | None = None  #: after a retryable failure
    turn_at: datetime | None = None  #: its place in its client's line (``service.line``)
    admitted: bool = False  #: it has a place among the running jobs
    started: bool = False
    attempts: Mapping[str, int] = field(default_factory=dict)
    timestamps: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    artefacts: Mapping[str, str] = field(default_factory=dict)  #: name -> object key, what steps hand on
    results: Mapping[str, str] = field(default_factory=dict)  #: name -> object key
    durations: Mapping[str, int] = field(default_factory=dict)  #: step -> ms
    report: Mapping[str, Any] | None = None
    error: Problem | None = None
    events: int = 0  #: the number of the last event
    computes: str | None = None  #: the job whose workbook is computed (kind scenarios)
    fan: Fan | None = None  #: the plan of a step that is done in chunks
    round: int = 0  #: how often the job was retried
    parked: bool = False  #: nobody holds the step, its chunks are under way
    gate: int = 0  #: which shard of the service's gate counts it
    rev: int = 0

    @property
    def ended(self) -> bool:
        return self.state.ended

    @property
    def in_line(self) -> bool:
        """Ready to run, and waiting for a place."""
        return self.state is State.QUEUED and not self.admitted

    def leased(self, now: datetime) -> bool:
        return self.lease_until is not None and self.lease_until > now

    def due_at(self, patience: timedelta) -> datetime:
        """When ``sweep`` must look at the job again; ``patience`` is how long a message may take to arrive."""
        if self.ended:
            return self.expires_at
        if self.state is State.AWAITING_UPLOAD:
            return min(self.upload_expires_at, self.not_before or self.created_at + patience)
        if self.lease_until is not None:
            return self.lease_until
        if self.in_line:
            return self.deadline_at or self.expires_at
        if self.parked and self.not_before is not None:
            due = self.not_before + patience
            return due if self.deadline_at is None else min(due, self.deadline_at)
        waiting = instant(self.timestamps[self.state.value]) if self.not_before is None else self.not_before
        due = waiting + LONG_WAIT * patience
        return due if self.deadline_at is None else min(due, self.deadline_at)

    def document(self) -> dict[str, Any]:
        """The job as JSON values, whole. ``from_document`` reads it back."""
        out: dict[str, Any] = {}
        for spec in fields(self):
            value = getattr(self, spec.name)
            if value is None or value == {} or value == () or value is False:
                continue
            if isinstance(value, datetime):
                value = rfc3339(value)
            elif isinstance(value, Problem | Fan):
                value = value.document()
            elif isinstance(value, Progress):
                value = [value.done, value.total, value.message]
            elif isinstance(value, Mapping):
                value = dict(value)
            elif isinstance(value, tuple):
                value = list(value)
            out[spec.name] = value
        return out

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Job:
        """Fields that a newer version wrote and this one does not know are left out, so that a rollback can read."""
        known = {spec.name for spec in fields(cls)}
        values = {name: value for name, value in document.items() if name in known}
        for name in _TIMES & values.keys():
            values[name] = instant(values[name])
        values["kind"] = Kind(values["kind"])
        values["priority"] = Priority(values["priority"])
        values["state"] = State(values["state"])
        if "step" in values:
            values["step"] = Step(values["step"])
        if "error" in values:
            values["error"] = Problem(**{**values["error"], "errors": tuple(values["error"]["errors"])})
        values["versions"] = tuple(values.get("versions", ()))
        if "fan" in values:
            values["fan"] = Fan.from_document(values["fan"])
        done, total, message = values.get("progress", (0, 0, ""))
        values["progress"] = Progress(done=done, total=total, message=message)
        return cls(**values)

    def evolve(self, **changes: Any) -> Job:
        return replace(self, **changes)
