"""What time alone does to a job: uploads that never come, deadlines, workers and messages that are lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from sheetrun.jobs.changes import Change, cancelled, dispatched, end, lost, too_late
from sheetrun.jobs.events import Dispatch
from sheetrun.jobs.job import Job, Problem, rfc3339
from sheetrun.jobs.states import State, Step


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
        return end(job, State.EXPIRED, now, {"code": problem.code}, error=problem)
    if job.leased(now):
        return None
    if job.state is State.CANCELLING:
        return cancelled(job, now, was_running=True)
    if job.deadline_at is not None and now >= job.deadline_at:
        return too_late(job, now)
    if job.in_line or now < job.due_at(patience):
        return None
    step = job.step or Step.PARSE
    attempts = job.attempts.get(step.value, 0)
    if job.lease_until is not None and attempts >= max_attempts:
        return lost(job, now, attempts=attempts)
    resting = Change(job.evolve(lease_until=None, not_before=now, rev=job.rev + 1))
    if job.lease_until is not None:
        # The message of the worker that vanished is invisible for a long time yet: a new one overtakes it.
        return dispatched(resting, step)
    # The same message again, under its old number: a job that waits in a long queue must not lose its place there.
    message = Dispatch(job_id=job.id, step=step, number=job.dispatch, priority=job.priority)
    return Change(resting.job, (), message)
