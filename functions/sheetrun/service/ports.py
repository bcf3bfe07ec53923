"""What the use cases need from the world, as roles. ``fakes`` has them in memory, ``sheetrun.aws`` on AWS.

Both pass the same contract tests (``tests/contract``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from sheetrun.jobs.changes import Change
from sheetrun.jobs.chunks import Chunk, Tally
from sheetrun.jobs.events import Dispatch, Event
from sheetrun.jobs.job import Job
from sheetrun.jobs.limits import Admission, BucketPolicy, Spend
from sheetrun.jobs.states import Kind, Priority, State, Step
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which of a client's jobs a list holds; None means any."""

    states: frozenset[State] | None = None
    kind: Kind | None = None
    batch: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def holds(self, job: Job) -> bool:
        return (
            (self.states is None or job.state in self.states)
            and (self.kind is None or job.kind is self.kind)
            and (self.batch is None or job.batch == self.batch)
            and (self.created_after is None or job.created_at > self.created_after)
            and (self.created_before is None or job.created_at < self.created_before)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs newest first; ``after`` is the id to go on from, None at the end."""

    jobs: tuple[Job, ...]
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as stored: not the secret, its SHA-256 (the secret has 192 random bits, so a plain hash is enough)."""

    id: str
    client: str
    secret_hash: str
    scopes: frozenset[str]
    created_at: datetime
    name: str = ""
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A stored answer of a creating POST, for ``Idempotency-Key``."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What a table says to a caller with an ``Idempotency-Key``.

    ``fresh``: go on, and use ``subject`` as the id of what you create (a caller that died before its answer was stored
    left the same id). Otherwise another call has the key: ``answer`` when it is done, None while it runs.
    """

    fresh: bool
    subject: str
    fingerprint: str
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Jobs that were submitted together. Their states are the jobs' own; nothing is counted twice."""

    id: str
    client: str
    created_at: datetime
    expires_at: datetime
    job_ids: tuple[str, ...]


class Batches(Protocol):
    """Batches, and the jobs of one in a single read."""

    def put_batch(self, batch: Batch) -> Batch:
        """Keeps it unless the id is known already; the one that is kept."""

    def get_batch(self, batch_id: str) -> Batch | None: ...

    def jobs_of(self, batch: Batch) -> Sequence[Job]:
        """In the order in which they were submitted; those that are gone are left out."""

    def drop_batch(self, batch_id: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A client's jobs that run and that stand in line; ``served``: when one of them was last admitted."""

    client: str
    running: int
    waiting: int
    served: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many jobs may run: of all clients, and of the one whose job is admitted."""

    most: int
    most_of_client: int


class Ledger(Protocol):
    """Jobs, their events and the outbox: the one truth. Every write is conditional.

    Places are counted by the writes that take and leave them, so no crash can leak one: a job's end gives back all.
    """

    def create(self, change: Change, *, most: int, most_of_client: int, spend: Spend | None = None) -> None:
        """Counts the job as under way, and what it spends, in the same write.

        Raises ``Raced`` when the id is taken, ``Full``.
        """

    def get(self, job_id: str) -> Job | None: ...

    def save(self, before: Job, change: Change, *, room: Room | None = None, spend: Spend | None = None) -> None:
        """Job, events and outbox in one transaction, if the job is still at ``before.rev``; else ``Raced``.

        A change that admits the job needs ``room``. Raises ``Full``.
        """

    def spent(self, client: str, day: int) -> tuple[int, int]:
        """Uploads and bytes that a client's day counts."""

    def give_back(self, spend: Spend) -> None:
        """Takes back what was counted for something that was not made after all."""

    def running(self) -> int:
        """How many jobs have a place among the running ones."""

    def load(self, client: str) -> Load: ...

    def loads(self) -> Sequence[Load]:
        """Of every client with jobs that run or stand in line."""

    def first_in_line(self, client: str) -> str | None:
        """The id of the job whose turn is next."""

    def tidy(self, load: Load) -> None:
        """Forgets a client's load if it is still nothing at all."""

    def events(self, job_id: str, *, after: int, limit: int) -> list[Event]: ...

    def page(self, client: str, wanted: JobFilter, *, after: str | None, limit: int) -> Page: ...

    def due(self, now: datetime, *, limit: int) -> list[str]:
        """Ids of jobs that time has something to say about, the longest overdue first."""

    def outbox(self, job_id: str) -> list[Dispatch]:
        """Messages of the job that no queue has taken yet, as far as is known."""

    def unsent(self, before: datetime, *, limit: int) -> list[Dispatch]:
        """Messages of any job that were written before a time and are still in the outbox."""

    def sent(self, dispatch: Dispatch) -> None:
        """Takes a message out of the outbox; no harm when it is not there."""

    def delete(self, job: Job) -> None:
        """The job with its events and outbox, if it is still at ``job.rev``; else ``Raced``."""

    def under_way(self, client: str | None = None) -> int:
        """How many jobs are not at an end: a client's, or all."""

    def check(self) -> None:
        """Raises ``StepRetryable`` when the table does not answer."""


class Chunks(Protocol):
    """Parts of jobs (``jobs.chunks``), and what the finished ones count."""

    def chunk(self, job_id: str, number: int) -> Chunk | None: ...

    def chunks(self, job_id: str) -> Mapping[int, Chunk]:
        """Every chunk that was ever claimed, by number."""

    def save_chunk(self, chunk: Chunk, *, expires_at: datetime) -> None:
        """If the chunk is still at ``chunk.rev - 1`` (0: not there); else ``Raced``. A chunk that is done is counted in
        the job's tally in the same write."""

    def tally(self, job_id: str) -> Tally: ...


class Keys(Protocol):
    """API keys, by their id."""

    def put_key(self, key: ApiKey) -> None: ...

    def get_key(self, key_id: str) -> ApiKey | None: ...

    def list_keys(self, client: str) -> Sequence[ApiKey]: ...

    def touch_key(self, key_id: str, now: datetime, *, unless_after: datetime) -> None:
        """Notes that the key was used, unless that was noted after a time already."""

    def client_exists(self, client: str) -> bool: ...

    def clients(self, *, after: str | None, limit: int) -> Sequence[str]:
        """Names, in their order."""

    def limits_of(self, client: str) -> Mapping[str, int]:
        """Limits that are not the standard ones, by the names of ``Allowance``."""

    def set_limits(self, client: str, limits: Mapping[str, int | None]) -> None:
        """None: the standard one again."""


class Limits(Protocol):
    """Buckets, decided in one conditional write each."""

    def take(self, owner: str, policy: BucketPolicy, now: datetime, *, cost: int = 1) -> Admission: ...

    def peek(self, owner: str, policy: BucketPolicy, now: datetime) -> Admission:
        """The state of a bucket, with nothing taken."""


class Idempotency(Protocol):
    """Answers of creating POSTs, by client and key, for 24 hours."""

    def reserve(self, owner: str, key: str, *, fingerprint: str, subject: str, now: datetime) -> Reservation: ...

    def answer(self, owner: str, key: str, answer: Answer, now: datetime) -> None: ...

    def forget(self, owner: str, key: str) -> None:
        """After a refusal: the next call with the key starts afresh."""


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages in the steps' queues: ``waiting`` by queue name, ``running`` in all."""

    waiting: Mapping[str, int]
    running: int


class Queues(Protocol):
    """Messages to steps."""

    def send(self, dispatch: Dispatch) -> None:
        """Raises ``StepRetryable`` when the queue did not take it."""

    def post(self, message: Mapping[str, Any], *, delay: int = 0) -> None:
        """To the deliver function. ``delay`` in seconds, at most 900. Raises ``StepRetryable`` likewise."""

    def put_off(self, source: str, receipt: str, seconds: int) -> None:
        """A message that is being worked on, of the queue with the ARN ``source``, comes back after ``seconds``."""

    def depth(self) -> Depth:
        """What waits and what is being worked on, approximately."""

    def check(self) -> None: ...


class Clock(Protocol):
    """Time, injected."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float:
        """Seconds, for durations."""

    def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    """Identifiers and randomness, injected."""

    def job_id(self, now: datetime) -> str:
        """``job_`` and a ULID: sorts by time."""

    def batch_id(self, now: datetime) -> str:
        """``batch_`` and a ULID."""

    def derived_job_id(self, now: datetime, seed: str) -> str:
        """The same id for the same time and seed: a notification delivered twice names one job."""

    def token(self, size: int) -> str:
        """URL-safe random text from ``size`` random bytes."""

    def jitter(self) -> float:
        """0..1."""


class Log(Protocol):
    """Structured lines; values are never cell contents, keys or URLs with signatures."""

    def info(self, event: str, **facts: Any) -> None: ...

    def warning(self, event: str, **facts: Any) -> None: ...

    def error(self, event: str, **facts: Any) -> None: ...


def queue_name(step: Step, priority: Priority) -> str:
    """Which queue a step's message goes to: a class of its own for the steps where waiting is felt."""
    if step is Step.GENERATE:
        return step.value
    return f"{step.value}-{priority.value}"


def all_queue_names() -> Iterable[str]:
    """Every name that ``queue_name`` may give, in a stable order."""
    for step in Step:
        for priority in (Priority.HIGH, Priority.NORMAL, Priority.LOW):
            name = queue_name(step, priority)
            if step is not Step.GENERATE or priority is Priority.HIGH:
                yield name
