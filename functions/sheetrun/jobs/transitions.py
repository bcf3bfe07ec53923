"""Every way in which a job may change, as functions from a job and a time to a ``Change``. No I/O.

A use case reads the job, calls one of these and writes the change on condition that nobody wrote in between
(``rev``). When somebody did, it reads again and calls again: the function decides anew on what is true now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sheetrun.jobs.chunks import Fan
from sheetrun.jobs.errors import Conflict, Stopped
from sheetrun.jobs.events import Dispatch, Event
from sheetrun.jobs.job import Job, Problem, Progress, rfc3339
from sheetrun.jobs.states import ALLOWED, RETRYABLE, STANDS_BACK, State, Step
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction writes: the job's next version, events, and a message for the outbox."""

    job: Job
    events: tuple[Event, ...] = ()
    dispatch: Dispatch | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """The step is ours until ``job.lease_until``; later writes name ``job.epoch``."""

    change: Change


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker holds the step; the message should come back in ``seconds``."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Stale:
    """The message is of no use any more: delivered twice, overtaken, or the job has ended."""

    reason: str


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The claim ended the job instead: too many attempts, or the deadline has passed."""

    change: Change


ClaimDecision = Claimed | Busy | Stale | GivenUp


def _enter(job: Job, state: State, now: datetime, data: Mapping[str, Any] | None = None, **changes: Any) -> Change:
    """The job in ``state``, with the state's time and its event. The one place that checks ``ALLOWED``."""
    if job.state not in ALLOWED[state]:
        raise Conflict(f"A job that is {job.state} cannot become {state}.", code="wrong_state")
    stamps = {**job.timestamps, state.value: rfc3339(now)}
    number = job.events + 1
    changed = job.evolve(state=state, timestamps=stamps, events=number, rev=job.rev + 1, **changes)
    event = Event(number=number, type=f"job.{state.value}", at=now, data={"state": state.value, **(data or {})})
    return Change(changed, (event,))


def _end(job: Job, state: State, now: datetime, data: Mapping[str, Any] | None = None, **changes: Any) -> Change:
    """Into a terminal state: nobody holds a step any more, and the time of retention starts."""
    return _enter(
        job,
        state,
        now,
        data,
        lease_until=None,
        not_before=None,
        admitted=False,
        parked=False,
        expires_at=now + timedelta(seconds=job.retain_seconds),
        **changes,
    )


def _dispatched(change: Change, step: Step, *, delay: int = 0) -> Change:
    """``change`` with a fresh message for ``step``; whatever was sent before is stale from here on."""
    number = change.job.dispatch + 1
    job = change.job.evolve(step=step, dispatch=number)
    message = Dispatch(job_id=job.id, step=step, number=number, priority=job.priority, delay=delay)
    return Change(job, change.events, message)


def created(job: Job, now: datetime) -> Change:
    """The first version of a job that waits for its upload."""
    number = job.events + 1
    stamped = job.evolve(timestamps={State.AWAITING_UPLOAD.value: rfc3339(now)}, events=number, rev=1)
    event = Event(number=number, type="job.created", at=now, data={"state": job.state.value, "filename": job.filename})
    return Change(stamped, (event,))


def uploaded(job: Job, now: datetime, *, size: int, etag: str, aging: timedelta) -> Change | None:
    """The file is there and passed the door: it stands in line. None when that is known already.

    ``aging``: how long a class of priority is passed by the next higher one.
    """
    if job.state is not State.AWAITING_UPLOAD:
        return None
    turn = now + aging * STANDS_BACK[job.priority]
    return _enter(job, State.QUEUED, now, {"size": size}, size=size, source_etag=etag, not_before=None, turn_at=turn)


def admitted(job: Job, now: datetime) -> Change | None:
    """It is the job's turn: a place among the running jobs, and the message to its step. None when it is not in line."""
    if not job.in_line or (job.deadline_at is not None and now >= job.deadline_at):
        return None
    changed = job.evolve(admitted=True, not_before=now, rev=job.rev + 1)
    return _dispatched(Change(changed), job.step or Step.PARSE)


def uploaded_and_admitted(job: Job, now: datetime, *, size: int, etag: str, aging: timedelta) -> Change | None:
    """The two at once, for where nobody stands in line. None when the file is known already; its deadline may have passed:
    then it stands in line, and is found there."""
    change = uploaded(job, now, size=size, etag=etag, aging=aging)
    taken = None if change is None else admitted(change.job, now)
    if change is None or taken is None:
        return change
    return Change(taken.job.evolve(rev=change.job.rev), change.events, taken.dispatch)


def claim(job: Job, step: Step, dispatch: int, now: datetime, *, lease: timedelta, max_attempts: int) -> ClaimDecision:
    """Whether the holder of message (``step``, ``dispatch``) may work now.

    ::

        ended, in line, other message   ─► Stale        a lease in force ─► Busy
        deadline passed, attempts used up ─► GivenUp    otherwise        ─► Claimed, epoch + 1
    """
    if job.ended or job.in_line or job.step is not step or job.dispatch != dispatch:
        return Stale(f"job is {job.state}, at {job.step} message {job.dispatch}; this is {step} message {dispatch}")
    if job.leased(now):
        assert job.lease_until is not None
        return Busy(max(1, int((job.lease_until - now).total_seconds()) + 1))
    if job.state is State.CANCELLING:
        return GivenUp(_cancelled(job, now, was_running=True))
    if job.deadline_at is not None and now >= job.deadline_at:
        return GivenUp(_too_late(job, now))
    attempts = job.attempts.get(step.value, 0)
    if attempts >= max_attempts:
        return GivenUp(lost(job, now, attempts=attempts))
    changed = {
        "epoch": job.epoch + 1,
        "lease_until": now + lease,
        "not_before": None,
        "started": True,
        "attempts": {**job.attempts, step.value: attempts + 1},
        "progress": job.progress if job.fan is not None else Progress(),
        "parked": False,
    }
    if job.state is step.state:
        return Claimed(Change(job.evolve(rev=job.rev + 1, **changed)))
    return Claimed(_enter(job, step.state, now, {"attempt": attempts + 1}, **changed))


def _held(job: Job, epoch: int) -> None:
    """Raises ``Stopped`` unless the caller's claim is the one in force."""
    if job.ended:
        raise Stopped(f"the job is {job.state}")
    if job.epoch != epoch:
        raise Stopped(f"the step was given to another worker (epoch {job.epoch}, this is {epoch})")
    if job.lease_until is None:
        raise Stopped("the claim was given back")


def heartbeat(job: Job, epoch: int, now: datetime, *, lease: timedelta, progress: Progress) -> Change:
    """Still at work: the lease is longer and the progress newer. Raises ``Stopped`` when the worker must let go."""
    _held(job, epoch)
    if job.state is State.CANCELLING:
        raise Stopped("the job is being cancelled")
    return Change(job.evolve(lease_until=now + lease, progress=progress, rev=job.rev + 1))


def step_done(
    job: Job, epoch: int, now: datetime, *, artefacts: Mapping[str, str], duration_ms: int, facts: Mapping[str, Any]
) -> Change:
    """The step's artefacts are stored: the next step's message. ``facts`` go into the event (cells, formulas)."""
    _held(job, epoch)
    if job.state is State.CANCELLING:
        return _cancelled(job, now, was_running=True)
    step, following = job.step, job.step.following if job.step else None
    if step is None or following is None:
        raise Conflict(f"no step follows {step}", code="wrong_state")
    number = job.events + 1
    event = Event(
        number=number,
        type=f"job.{_PARTICIPLE[step]}",
        at=now,
        data={"state": job.state.value, "duration_ms": duration_ms, **facts},
    )
    changed = job.evolve(
        artefacts={**job.artefacts, **artefacts},
        durations={**job.durations, step.value: duration_ms},
        lease_until=None,
        not_before=now,
        progress=Progress(),
        events=number,
        rev=job.rev + 1,
    )
    return _dispatched(Change(changed, (event,)), following)


_PARTICIPLE = {Step.PARSE: "parsed", Step.GENERATE: "generated", Step.EXECUTE: "executed"}


def succeeded(
    job: Job,
    epoch: int,
    now: datetime,
    *,
    artefacts: Mapping[str, str] | None = None,
    results: Mapping[str, str],
    report: Mapping[str, Any],
    duration_ms: int,
    partially: bool,
) -> Change:
    """The last step's results are stored."""
    _held(job, epoch)
    if job.state is State.CANCELLING:
        return _cancelled(job, now, was_running=True)
    state = State.PARTIALLY_SUCCEEDED if partially else State.SUCCEEDED
    return _end(
        job,
        state,
        now,
        artefacts={**job.artefacts, **(artefacts or {})},
        results=dict(results),
        report=dict(report),
        durations={**job.durations, Step.EXECUTE.value: duration_ms},
        progress=Progress(),
    )


def failed(job: Job, epoch: int, now: datetime, problem: Problem, *, timed_out: bool = False) -> Change:
    """The worker found that trying again cannot help."""
    _held(job, epoch)
    if job.state is State.CANCELLING:
        return _cancelled(job, now, was_running=True)
    return _end(job, State.TIMED_OUT if timed_out else State.FAILED, now, {"code": problem.code}, error=problem)


def released(job: Job, epoch: int, now: datetime, *, delay: int) -> Change:
    """The worker met somebody else's fault and lets go; the same message comes back in ``delay`` seconds."""
    _held(job, epoch)
    if job.state is State.CANCELLING:
        return _cancelled(job, now, was_running=True)
    number = job.events + 1
    event = Event(
        number=number,
        type="job.retrying",
        at=now,
        data={"state": job.state.value, "stage": job.step.value if job.step else None, "delay_seconds": delay},
    )
    return Change(
        job.evolve(lease_until=None, not_before=now + timedelta(seconds=delay), events=number, rev=job.rev + 1),
        (event,),
    )


def parked(
    job: Job, epoch: int, now: datetime, *, fan: Fan, progress: Progress, artefacts: Mapping[str, str]
) -> Change:
    """The step goes on in chunks: nobody holds it until they are done. Attempts begin anew, for it came so far."""
    _held(job, epoch)
    if job.state is State.CANCELLING:
        return _cancelled(job, now, was_running=True)
    step = job.step or Step.EXECUTE
    attempts = {name: count for name, count in job.attempts.items() if name != step.value}
    changed = job.evolve(
        lease_until=None,
        not_before=now,
        parked=True,
        fan=fan,
        progress=progress,
        artefacts={**job.artefacts, **artefacts},
        attempts=attempts,
        rev=job.rev + 1,
    )
    return Change(changed)


def counted(job: Job, now: datetime, progress: Progress) -> Change | None:
    """Chunks tell how far they are. None when that is known already, or of no use any more."""
    if not job.parked or job.ended or progress.done <= job.progress.done:
        return None
    return Change(job.evolve(progress=progress, not_before=now, rev=job.rev + 1))


def gathered(job: Job, now: datetime) -> Change | None:
    """The last chunk is done: the step's own message again. None when somebody was faster."""
    if not job.parked or job.ended:
        return None
    return _dispatched(Change(job.evolve(parked=False, not_before=now, rev=job.rev + 1)), job.step or Step.EXECUTE)


def chunk_failed(job: Job, now: datetime, problem: Problem, *, timed_out: bool = False) -> Change | None:
    """A chunk cannot be done, and with it the job. None when it has ended already."""
    if job.ended:
        return None
    return _end(job, State.TIMED_OUT if timed_out else State.FAILED, now, {"code": problem.code}, error=problem)


def let_go(job: Job, epoch: int, now: datetime) -> Change | None:
    """A stopped worker's last word: ends a job that was being cancelled. None when there is nothing to say."""
    if job.epoch != epoch or job.state is not State.CANCELLING:
        return None
    return _cancelled(job, now, was_running=True)


def refused(job: Job, now: datetime, problem: Problem) -> Change | None:
    """Failed outside a step: at the door (``intake``) or from the dead letters. None when it has ended already."""
    if job.ended:
        return None
    return _end(job, State.FAILED, now, {"code": problem.code}, error=problem)


def lost(job: Job, now: datetime, *, attempts: int) -> Change:
    """The step's workers vanished as often as they may (killed, out of memory, out of time)."""
    stage = job.step.value if job.step else "queue"
    problem = Problem(
        code="attempts_exhausted",
        title="The step did not come to an end",
        detail=f"The {stage} step stopped without an answer {attempts} times: out of memory, out of time or killed.",
        stage=stage,
        retryable=True,
    )
    return _end(job, State.FAILED, now, {"code": problem.code}, error=problem)


def cancel(job: Job, now: datetime) -> Change | None:
    """A client's wish. None when the job is being cancelled already; ``Conflict`` when it has ended."""
    if job.ended:
        raise Conflict(f"The job has ended: it is {job.state}.", code="job_ended", extra={"state": job.state.value})
    if job.state is State.CANCELLING:
        return None
    if job.leased(now):
        return _enter(job, State.CANCELLING, now)
    return _cancelled(job, now, was_running=False)


def _cancelled(job: Job, now: datetime, *, was_running: bool) -> Change:
    return _end(job, State.CANCELLED, now, {"was_running": was_running})


def retry(job: Job, now: datetime, *, aging: timedelta) -> Change:
    """Puts a failed job in line again, to resume from the stage that failed, with fresh attempts for it."""
    if job.state not in RETRYABLE:
        raise Conflict(
            f"Only a failed job can be retried; this one is {job.state}.",
            code="not_retryable",
            extra={"state": job.state.value},
        )
    if job.size is None or job.source_etag is None:
        raise Conflict("The job has no accepted upload to work on; submit it again.", code="not_retryable")
    step = job.step or Step.PARSE
    attempts = {name: count for name, count in job.attempts.items() if name != step.value}
    deadline = None
    if job.deadline_at is not None:
        deadline = now + (job.deadline_at - job.created_at)
    return _enter(
        job,
        State.QUEUED,
        now,
        {"stage": step.value, "retry": True},
        step=step,
        turn_at=now + aging * STANDS_BACK[job.priority],
        error=None,
        attempts=attempts,
        deadline_at=deadline,
        lease_until=None,
        not_before=None,
        started=False,
        expires_at=now + timedelta(seconds=job.retain_seconds),
        progress=job.progress if job.fan is not None else Progress(),
        round=job.round + 1,
    )


def _too_late(job: Job, now: datetime) -> Change:
    if not job.started:
        problem = Problem(
            code="deadline_exceeded",
            title="The job was not started in time",
            detail="The deadline passed while the job waited.",
            stage="queue",
            retryable=True,
        )
        return _end(job, State.EXPIRED, now, {"code": problem.code}, error=problem)
    stage = job.step.value if job.step else "queue"
    problem = Problem(
        code="deadline_exceeded",
        title="The job ran out of time",
        detail="The deadline passed before the job was done.",
        stage=stage,
        retryable=True,
    )
    return _end(job, State.TIMED_OUT, now, {"code": problem.code}, error=problem)


def out_of_time(job: Job, epoch: int, now: datetime) -> Change:
    """The worker saw the deadline pass while it worked."""
    _held(job, epoch)
    if job.state is State.CANCELLING:
        return _cancelled(job, now, was_running=True)
    return _too_late(job, now)


def is_late(job: Job, now: datetime) -> bool:
    """Whether a client must not be shown the job as it is: its upload or its deadline is past, and nobody works on it."""
    if job.ended or job.leased(now):
        return False
    if job.state is State.AWAITING_UPLOAD:
        return now >= job.upload_expires_at
    return job.deadline_at is not None and now >= job.deadline_at


def swept(job: Job, now: datetime, *, patience: timedelta, max_attempts: int) -> Change | None:
    """What time alone does to a job that is not at an end; None when nothing is due.

    An upload that never came (looked for once per ``patience``), a deadline, a worker that vanished, a message that
    never arrived.
    """
    if job.ended:
        return None
    if job.state is State.AWAITING_UPLOAD:
        if now < job.due_at(patience):
            return None
        if now < job.upload_expires_at:
            return Change(job.evolve(not_before=now + patience, rev=job.rev + 1))
        problem = Problem(
            code="upload_never_came",
            title="The file was not uploaded in time",
            detail=f"No file arrived before {rfc3339(job.upload_expires_at)}.",
            stage="upload",
        )
        return _end(job, State.EXPIRED, now, {"code": problem.code}, error=problem)
    if job.leased(now):
        return None
    if job.state is State.CANCELLING:
        return _cancelled(job, now, was_running=True)
    if job.deadline_at is not None and now >= job.deadline_at:
        return _too_late(job, now)
    if job.in_line or now < job.due_at(patience):
        return None
    step = job.step or Step.PARSE
    attempts = job.attempts.get(step.value, 0)
    if job.lease_until is not None and attempts >= max_attempts:
        return lost(job, now, attempts=attempts)
    resting = Change(job.evolve(lease_until=None, not_before=now, rev=job.rev + 1))
    if job.lease_until is not None:
        # The message of the worker that vanished is invisible for a long time yet: a new one overtakes it.
        return _dispatched(resting, step)
    # The same message again, under its old number: a job that waits in a long queue must not lose its place there.
    message = Dispatch(job_id=job.id, step=step, number=job.dispatch, priority=job.priority)
    return Change(resting.job, (), message)
