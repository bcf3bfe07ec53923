"""What one transaction writes about a job, and the moves of which every change of a job is made. No I/O.

Every way in which a job may change is a function from a job and a time to a ``Change``: how it comes in and what clients
wish (``arrival``), what its workers do (``claims``), what time alone does (``overdue``). A use case reads the job, calls
one of these and writes the change on condition that nobody wrote in between (``rev``). When somebody did, it reads again
and calls again: the function decides anew on what is true now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sheetrun.jobs.errors import Conflict
from sheetrun.jobs.events import Dispatch, Event
from sheetrun.jobs.job import Job, Problem, rfc3339
from sheetrun.jobs.states import ALLOWED, State, Step
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction writes: the job's next version, events, and a message for the outbox."""

    job: Job
    events: tuple[Event, ...] = ()
    dispatch: Dispatch | None = None


def enter(job: Job, state: State, now: datetime, data: Mapping[str, Any] | None = None, **changes: Any) -> Change:
    """The job in ``state``, with the state's time and its event. The one place that checks ``ALLOWED``."""
    if job.state not in ALLOWED[state]:
        raise Conflict(f"A job that is {job.state} cannot become {state}.", code="wrong_state")
    stamps = {**job.timestamps, state.value: rfc3339(now)}
    number = job.events + 1
    changed = job.evolve(state=state, timestamps=stamps, events=number, rev=job.rev + 1, **changes)
    event = Event(number=number, type=f"job.{state.value}", at=now, data={"state": state.value, **(data or {})})
    return Change(changed, (event,))


def end(job: Job, state: State, now: datetime, data: Mapping[str, Any] | None = None, **changes: Any) -> Change:
    """Into a terminal state: nobody holds a step any more, and the time of retention starts."""
    return enter(
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


def dispatched(change: Change, step: Step, *, delay: int = 0) -> Change:
    """``change`` with a fresh message for ``step``; whatever was sent before is stale from here on."""
    number = change.job.dispatch + 1
    job = change.job.evolve(step=step, dispatch=number)
    message = Dispatch(job_id=job.id, step=step, number=number, priority=job.priority, delay=delay)
    return Change(job, change.events, message)


def cancelled(job: Job, now: datetime, *, was_running: bool) -> Change:
    return end(job, State.CANCELLED, now, {"was_running": was_running})


def too_late(job: Job, now: datetime) -> Change:
    if not job.started:
        problem = Problem(
            code="deadline_exceeded",
            title="The job was not started in time",
            detail="The deadline passed while the job waited.",
            stage="queue",
            retryable=True,
        )
        return end(job, State.EXPIRED, now, {"code": problem.code}, error=problem)
    stage = job.step.value if job.step else "queue"
    problem = Problem(
        code="deadline_exceeded",
        title="The job ran out of time",
        detail="The deadline passed before the job was done.",
        stage=stage,
        retryable=True,
    )
    return end(job, State.TIMED_OUT, now, {"code": problem.code}, error=problem)


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
    return end(job, State.FAILED, now, {"code": problem.code}, error=problem)
