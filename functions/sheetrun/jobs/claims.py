"""A step is one worker's at a time: who may begin, what its holder may say, and what the chunks of its work say for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sheetrun.jobs.changes import Change, cancelled, dispatched, end, enter, lost, too_late
from sheetrun.jobs.chunks import Fan
from sheetrun.jobs.errors import Conflict, Stopped
from sheetrun.jobs.events import Event
from sheetrun.jobs.job import Job, Problem, Progress
from sheetrun.jobs.states import State, Step
from sheetrun.records import dataclass


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
        return GivenUp(cancelled(job, now, was_running=True))
    if job.deadline_at is not None and now >= job.deadline_at:
        return GivenUp(too_late(job, now))
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
    return Claimed(enter(job, step.state, now, {"attempt": attempts + 1}, **changed))


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
        return cancelled(job, now, was_running=True)
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
    return dispatched(Change(changed, (event,)), following)


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
        return cancelled(job, now, was_running=True)
    state = State.PARTIALLY_SUCCEEDED if partially else State.SUCCEEDED
    return end(
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
        return cancelled(job, now, was_running=True)
    return end(job, State.TIMED_OUT if timed_out else State.FAILED, now, {"code": problem.code}, error=problem)


def released(job: Job, epoch: int, now: datetime, *, delay: int) -> Change:
    """The worker met somebody else's fault and lets go; the same message comes back in ``delay`` seconds."""
    _held(job, epoch)
    if job.state is State.CANCELLING:
        return cancelled(job, now, was_running=True)
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


def let_go(job: Job, epoch: int, now: datetime) -> Change | None:
    """A stopped worker's last word: ends a job that was being cancelled. None when there is nothing to say."""
    if job.epoch != epoch or job.state is not State.CANCELLING:
        return None
    return cancelled(job, now, was_running=True)


def parked(
    job: Job, epoch: int, now: datetime, *, fan: Fan, progress: Progress, artefacts: Mapping[str, str]
) -> Change:
    """The step goes on in chunks: nobody holds it until they are done. Attempts begin anew, for it came so far."""
    _held(job, epoch)
    if job.state is State.CANCELLING:
        return cancelled(job, now, was_running=True)
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
    return dispatched(Change(job.evolve(parked=False, not_before=now, rev=job.rev + 1)), job.step or Step.EXECUTE)


def chunk_failed(job: Job, now: datetime, problem: Problem, *, timed_out: bool = False) -> Change | None:
    """A chunk cannot be done, and with it the job. None when it has ended already."""
    if job.ended:
        return None
    return end(job, State.TIMED_OUT if timed_out else State.FAILED, now, {"code": problem.code}, error=problem)
