"""How a job comes in and into its turn, and what its client may wish of it later: to cancel it, to try again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sheetrun.jobs.changes import Change, cancelled, dispatched, end, enter
from sheetrun.jobs.errors import Conflict
from sheetrun.jobs.events import Event
from sheetrun.jobs.job import Job, Problem, Progress, rfc3339
from sheetrun.jobs.states import RETRYABLE, STANDS_BACK, State, Step


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
    return enter(job, State.QUEUED, now, {"size": size}, size=size, source_etag=etag, not_before=None, turn_at=turn)


def admitted(job: Job, now: datetime) -> Change | None:
    """It is the job's turn: a place among the running jobs, and the message to its step. None when it is not in line."""
    if not job.in_line or (job.deadline_at is not None and now >= job.deadline_at):
        return None
    changed = job.evolve(admitted=True, not_before=now, rev=job.rev + 1)
    return dispatched(Change(changed), job.step or Step.PARSE)


def uploaded_and_admitted(job: Job, now: datetime, *, size: int, etag: str, aging: timedelta) -> Change | None:
    """The two at once, for where nobody stands in line. None when the file is known already; its deadline may have passed:
    then it stands in line, and is found there."""
    change = uploaded(job, now, size=size, etag=etag, aging=aging)
    taken = None if change is None else admitted(change.job, now)
    if change is None or taken is None:
        return change
    return Change(taken.job.evolve(rev=change.job.rev), change.events, taken.dispatch)


def refused(job: Job, now: datetime, problem: Problem) -> Change | None:
    """Failed outside a step: at the door (``intake``) or from the dead letters. None when it has ended already."""
    if job.ended:
        return None
    return end(job, State.FAILED, now, {"code": problem.code}, error=problem)


def cancel(job: Job, now: datetime) -> Change | None:
    """A client's wish. None when the job is being cancelled already; ``Conflict`` when it has ended."""
    if job.ended:
        raise Conflict(f"The job has ended: it is {job.state}.", code="job_ended", extra={"state": job.state.value})
    if job.state is State.CANCELLING:
        return None
    if job.leased(now):
        return enter(job, State.CANCELLING, now)
    return cancelled(job, now, was_running=False)


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
    return enter(
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
