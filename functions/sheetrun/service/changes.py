"""The one loop in which a job is changed: read, decide, write on condition; again when somebody was faster."""

from __future__ import annotations

from collections.abc import Callable

from sheetrun.jobs.errors import NotFound, Raced, StepRetryable
from sheetrun.jobs.job import Job
from sheetrun.jobs.limits import Spend
from sheetrun.jobs.transitions import Change
from sheetrun.service.ports import Ledger, Log, Queues

TRIES = 12


def change_job(
    ledger: Ledger, job_id: str, decide: Callable[[Job], Change | None], *, spend: Spend | None = None
) -> tuple[Job, Change | None]:
    """The job as it is now, and the change that was written; None when ``decide`` saw nothing to do.

    ``decide`` may be called several times, each time on a fresh read. Raises ``NotFound``, what ``decide`` raises, and
    ``Full`` when ``spend`` is more than the client may.
    """
    for _ in range(TRIES):
        job = ledger.get(job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id}.", code="job_not_found")
        change = decide(job)
        if change is None:
            return job, None
        try:
            ledger.save(job, change, spend=spend)
        except Raced:
            continue
        return change.job, change
    raise StepRetryable("contended", f"{job_id} was changed by others {TRIES} times in a row")


def send_now(ledger: Ledger, queues: Queues, change: Change | None, log: Log) -> None:
    """Puts a change's messages on their queues at once. What fails here is sent later, from the outbox, by ``sweep``."""
    if change is None:
        return
    for event in change.events:
        if event.ends:
            seconds = round((event.at - change.job.created_at).total_seconds(), 3)
            log.info("job_ended", job_id=change.job.id, state=change.job.state.value, seconds=seconds)
            try:
                queues.post({"job_id": change.job.id, "event": event.number})
            except StepRetryable as problem:
                log.warning("telling_deferred", job_id=change.job.id, why=problem.code)
    if change.dispatch is None:
        return
    try:
        queues.send(change.dispatch)
    except StepRetryable as problem:
        log.warning(
            "dispatch_deferred", job_id=change.dispatch.job_id, step=change.dispatch.step.value, why=problem.code
        )
        return
    ledger.sent(change.dispatch)
