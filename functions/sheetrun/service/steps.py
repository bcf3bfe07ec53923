"""One message, one step: claim, work, finish. The same for every step; what differs is in ``work``.

::

    message ─► claim ──Stale──► done (and whatever the outbox still holds for the job is sent)
                 │ ──Busy───► back to the queue until the other worker's lease ends
                 │ ──GivenUp► done (the job has ended)
                 ▼ Claimed, epoch + 1
               work ── StepFailed ───► failed / timed_out
                 │ ─── StepRetryable ► released, back to the queue with backoff; after the last attempt: failed
                 │ ─── Stopped ──────► cancelled, or nothing (another worker has the step)
                 ▼
               finish: state, event and the next step's message in one transaction
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import timedelta
from threading import Lock
from typing import Any

from sheetrun.jobs import claims
from sheetrun.jobs.changes import Change
from sheetrun.jobs.chunks import Fan
from sheetrun.jobs.claims import Busy, ClaimDecision, Claimed, GivenUp, Stale
from sheetrun.jobs.errors import NotFound, StepFailed, StepRetryable, Stopped
from sheetrun.jobs.job import Job, Problem, Progress, instant
from sheetrun.jobs.limits import backoff
from sheetrun.jobs.states import State, Step
from sheetrun.records import dataclass
from sheetrun.service.blobs import Blobs
from sheetrun.service.changes import change_job, send_now
from sheetrun.service.line import Line
from sheetrun.service.ports import Clock, Ids, Ledger, Log, Queues
from sheetrun.service.watch import Interrupted, Watch
from sheetrun.settings import Settings

Report = Callable[[int, int, str], None]  #: (done, total, message); raises ``Stopped``


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a step's queue carries."""

    job_id: str
    step: Step
    number: int
    chunk: int | None = None  #: a part of the step (``fanout``)


@dataclass(frozen=True, slots=True)
class Done:
    """The message has done its work."""


@dataclass(frozen=True, slots=True)
class Again:
    """The message must come back in ``seconds``."""

    seconds: int


Outcome = Done | Again


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a step made. The last step sets ``results`` and ``report``."""

    artefacts: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, str] | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    partially: bool = False
    parked: Parked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """The step goes on in chunks; ``then`` is done as soon as nobody holds it."""

    fan: Fan
    progress: Progress
    then: Callable[[Job], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What a step's work gets: the job as claimed, a way to tell progress, and its time limit in seconds.

    ``stopped`` is for work that cannot be interrupted from ``report``: true when it must let go. The reason is raised
    by the next ``report``, and by ``raise_reason``. Within ``watch.computing()`` the work is cut off wherever it is.
    """

    job: Job
    report: Report
    seconds: float
    stopped: Callable[[], bool]
    raise_reason: Callable[[], None]
    watch: Watch


Work = Callable[[Workplace], Made]


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs steps for one function."""

    ledger: Ledger
    blobs: Blobs
    queues: Queues
    clock: Clock
    ids: Ids
    settings: Settings
    log: Log
    line: Line

    def run(self, message: Message, work: Work, *, remaining: float) -> Outcome:
        """``remaining``: seconds until the function is stopped from outside."""
        lease = timedelta(seconds=remaining + self.settings.lease_margin_seconds)
        decision = self._claim(message, lease)
        if isinstance(decision, Busy):
            return Again(decision.seconds)
        if isinstance(decision, Stale):
            self.log.info("message_stale", job_id=message.job_id, step=message.step.value, why=decision.reason)
            self._flush(message.job_id)
            self.line.advance()
            return Done()
        if isinstance(decision, GivenUp):
            send_now(self.ledger, self.queues, decision.change, self.log)
            self.log.warning("job_given_up", job_id=message.job_id, state=decision.change.job.state.value)
            self.line.advance()
            return Done()
        return self._work(decision.change.job, message.step, work, lease, remaining)

    def _claim(self, message: Message, lease: timedelta) -> ClaimDecision:
        decision: ClaimDecision = Stale("the job is gone")

        def decide(job: Job) -> Change | None:
            nonlocal decision
            decision = claims.claim(
                job,
                message.step,
                message.number,
                self.clock.now(),
                lease=lease,
                max_attempts=self.settings.max_attempts,
            )
            return decision.change if isinstance(decision, Claimed | GivenUp) else None

        try:
            change_job(self.ledger, message.job_id, decide)
        except NotFound:
            return Stale("the job is gone")
        return decision

    def _work(self, job: Job, step: Step, work: Work, lease: timedelta, remaining: float) -> Outcome:
        epoch = job.epoch
        begun = self.clock.monotonic()
        self.log.info("step_begun", job_id=job.id, step=step.value, epoch=epoch, attempt=job.attempts[step.value])
        seconds = self._time_limit(job, remaining)
        pulse = Pulse(self, job, lease, seconds)
        try:
            made = self._watched(work, pulse, job, seconds)
        except Stopped as stopped:
            self.log.info("step_stopped", job_id=job.id, step=step.value, why=stopped.detail)
            self._finish(pulse.job, lambda current: claims.let_go(current, epoch, self.clock.now()))
            return Done()
        except StepFailed as failure:
            self._fail(pulse.job, step, failure)
            return Done()
        except StepRetryable as fault:
            return self._again(pulse.job, step, fault)
        duration = int((self.clock.monotonic() - begun) * 1000)
        self._finish(pulse.job, lambda current: _finished(current, epoch, self.clock, made, duration))
        if made.parked is not None:
            self.log.info("step_parked", job_id=job.id, step=step.value, epoch=epoch, chunks=made.parked.fan.chunks)
            self._then(job.id, made.parked)
            return Done()
        self.log.info("step_done", job_id=job.id, step=step.value, epoch=epoch, duration_ms=duration)
        return Done()

    def _then(self, job_id: str, parked: Parked) -> None:
        job = self.ledger.get(job_id)
        if job is not None and job.parked:
            parked.then(job)

    def _watched(self, work: Work, pulse: Pulse, job: Job, seconds: float) -> Made:
        with Watch(pulse.stopped) as watch:
            place = Workplace(
                job=job,
                report=pulse.report,
                seconds=seconds,
                stopped=pulse.stopped,
                raise_reason=pulse.raise_reason,
                watch=watch,
            )
            try:
                return work(place)
            except Interrupted:
                pulse.raise_reason()
                raise

    def _time_limit(self, job: Job, remaining: float) -> float:
        """Seconds that the work may take: the function's own, and what the job's deadline leaves."""
        limit = max(0.1, remaining - self.settings.lease_margin_seconds)
        if job.deadline_at is not None:
            limit = min(limit, (job.deadline_at - self.clock.now()).total_seconds())
        return max(0.1, limit)

    def _fail(self, job: Job, step: Step, failure: StepFailed) -> None:
        problem = Problem(
            code=failure.code,
            title=failure.title,
            detail=failure.detail,
            stage=step.value,
            retryable=failure.timed_out,
            errors=failure.errors,
        )
        self.log.warning("step_failed", job_id=job.id, step=step.value, code=failure.code)
        self._finish(
            job,
            lambda current: claims.failed(current, job.epoch, self.clock.now(), problem, timed_out=failure.timed_out),
        )

    def _again(self, job: Job, step: Step, fault: StepRetryable) -> Outcome:
        attempt = job.attempts[step.value]
        self.log.warning("step_faulted", job_id=job.id, step=step.value, code=fault.code, attempt=attempt)
        if attempt >= self.settings.max_attempts:
            problem = Problem(
                code=fault.code,
                title="The service could not do its part",
                detail=f"{fault.detail} ({attempt} attempts).",
                stage=step.value,
                retryable=True,
            )
            self._finish(job, lambda current: claims.failed(current, job.epoch, self.clock.now(), problem))
            return Done()
        seconds = backoff(attempt, self.settings.retry_delays)
        self._finish(job, lambda current: claims.released(current, job.epoch, self.clock.now(), delay=seconds))
        return Again(seconds)

    def _finish(self, held: Job, decide: Callable[[Job], Change | None]) -> None:
        """The last write of a claim, from the job as the claim left it. ``Stopped`` here means that somebody else has the
        job: nothing to say."""
        try:
            job, change = change_job(self.ledger, held.id, decide, known=held)
        except (Stopped, NotFound) as late:
            self.log.info("finish_refused", job_id=held.id, why=late.detail)
            return
        send_now(self.ledger, self.queues, change, self.log)
        if change is not None and job.ended:
            self.line.advance()

    def _flush(self, job_id: str) -> None:
        """A message came again: perhaps its first worker died between its last write and sending the next message."""
        for dispatch in self.ledger.outbox(job_id):
            self.queues.send(dispatch)
            self.ledger.sent(dispatch)


class Pulse:
    """A claim's heartbeat: progress for clients, a longer lease, and the news that the job was cancelled.

    All three are one write, at most once in ``heartbeat_seconds`` however often it is called, and by whom: the work
    itself, or the thread that watches it. ``job`` is the job as it last wrote it, or as the claim did.
    """

    def __init__(self, runner: Runner, job: Job, lease: timedelta, seconds: float) -> None:
        self._runner, self.job, self._lease = runner, job, lease
        self._last = runner.clock.monotonic()
        self._end = self._last + seconds
        self._lock = Lock()
        self._progress = Progress()
        self._reason: Stopped | StepFailed | None = None

    def report(self, done: int, total: int, message: str) -> None:
        """Raises ``Stopped``, or ``StepFailed`` past the deadline."""
        self._progress = Progress(done=done, total=total, message=message[:200])
        self._beat()
        self.raise_reason()

    def stopped(self) -> bool:
        """Whether the work must let go; never raises that itself."""
        self._beat()
        return self._reason is not None

    def raise_reason(self) -> None:
        """Why the work had to let go; returns when it did not have to."""
        if self._reason is not None:
            raise self._reason

    def _beat(self) -> None:
        if self._lock.acquire(blocking=False):  # somebody is at it: once is enough
            try:
                self._beat_once()
            finally:
                self._lock.release()

    def _beat_once(self) -> None:
        runner, job = self._runner, self.job
        moment, now = runner.clock.monotonic(), runner.clock.now()
        if self._reason is not None:
            return
        if job.deadline_at is not None and now >= job.deadline_at:
            self._reason = StepFailed(
                "deadline_exceeded", "The deadline passed before the job was done.", timed_out=True
            )
            return
        if moment >= self._end:
            self._reason = StepFailed("time_limit", "The step needs more time than it has.", timed_out=True)
            return
        if moment - self._last < runner.settings.heartbeat_seconds:
            return
        self._last = moment
        try:
            self.job, _ = change_job(
                runner.ledger,
                job.id,
                lambda current: claims.heartbeat(current, job.epoch, now, lease=self._lease, progress=self._progress),
                known=job,
            )
        except Stopped as stopped:
            self._reason = stopped
        except StepRetryable as fault:  # a heartbeat may be missed: the lease is longer than the function's time
            runner.log.warning("heartbeat_missed", job_id=job.id, why=fault.code)


def _finished(job: Job, epoch: int, clock: Clock, made: Made, duration: int) -> Change:
    now = clock.now()
    if made.parked is not None:
        return claims.parked(
            job, epoch, now, fan=made.parked.fan, progress=made.parked.progress, artefacts=made.artefacts
        )
    if job.fan is not None:  # from the first claim on, not the last one's part of it
        duration = int((now - instant(job.timestamps[State.EXECUTING.value])).total_seconds() * 1000)
    if made.results is None:
        return claims.step_done(job, epoch, now, artefacts=made.artefacts, duration_ms=duration, facts=made.facts)
    return claims.succeeded(
        job,
        epoch,
        now,
        artefacts=made.artefacts,
        results=made.results,
        report=made.report,
        duration_ms=duration,
        partially=made.partially,
    )


def message_of(body: Mapping[str, Any]) -> Message:
    """Reads a queue's message. Raises ``ValueError`` for one that is not ours."""
    try:
        chunk = body.get("chunk")
        return Message(
            job_id=str(body["job_id"]),
            step=Step(body["step"]),
            number=int(body["epoch"]),
            chunk=None if chunk is None else int(chunk),
        )
    except (KeyError, TypeError) as problem:
        raise ValueError(f"not a step's message: {problem}") from None
