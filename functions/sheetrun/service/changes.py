"""The one loop in which a job is changed: read, decide, write on condition; again when somebody was faster."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from sheetrun.jobs.changes import Change
from sheetrun.jobs.errors import NotFound, Raced, SheetrunError, StepRetryable
from sheetrun.jobs.job import Job
from sheetrun.jobs.limits import Spend
from sheetrun.service.ports import Ledger, Log, Queues, Room

TRIES = 12


def change_job(
    ledger: Ledger,
    job_id: str,
    decide: Callable[[Job], Change | None],
    *,
    known: Job | None = None,
    spend: Spend | None = None,
    room: Room | None = None,
) -> tuple[Job, Change | None]:
    """The job as it is now, and the change that was written; None when ``decide`` saw nothing to do.

    ``known``: the job as the caller last read or wrote it, which spares the first read. What is decided on it is written
    only if it still is so; what it does not allow (nothing to do, an error of ``decide``) is decided again on a read.
    ``decide`` may be called several times. Raises ``NotFound``, what ``decide`` raises, and ``Full`` when ``spend`` is
    more than the client may, or a change that admits the job finds no ``room``.
    """
    if known is not None and (change := _tried(decide, known)) is not None:
        with suppress(Raced):
            ledger.save(known, change, spend=spend, room=_if_admitted(known, change, room))
            return change.job, change
    for _ in range(TRIES):
        job = ledger.get(job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id}.", code="job_not_found")
        change = decide(job)
        if change is None:
            return job, None
        try:
            ledger.save(job, change, spend=spend, room=_if_admitted(job, change, room))
        except Raced:
            continue
        return change.job, change
    raise StepRetryable("contended", f"{job_id} was changed by others {TRIES} times in a row")


def _tried(decide: Callable[[Job], Change | None], job: Job) -> Change | None:
    try:
        return decide(job)
    except SheetrunError:  # perhaps it is not so any more
        return None


def _if_admitted(before: Job, change: Change, room: Room | None) -> Room | None:
    return room if change.job.admitted and not before.admitted else None


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
