"""What time alone brings about: missed uploads, lost messages, dead workers, deadlines, the end of retention.

Runs on a schedule, and is safe to run twice at once: every change is conditional.
"""

from __future__ import annotations

from datetime import timedelta

from sheetrun.jobs import arrival, overdue
from sheetrun.jobs.changes import Change
from sheetrun.jobs.errors import Raced, StepRetryable
from sheetrun.jobs.job import Job, Problem
from sheetrun.jobs.states import State
from sheetrun.records import dataclass
from sheetrun.service.blobs import Blobs
from sheetrun.service.changes import change_job, send_now
from sheetrun.service.line import Line
from sheetrun.service.ports import Clock, Ledger, Log, Queues
from sheetrun.service.steps import Message
from sheetrun.service.uploads import Door
from sheetrun.settings import Settings

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Sweeper:
    """One pass is one call."""

    ledger: Ledger
    blobs: Blobs
    queues: Queues
    clock: Clock
    door: Door
    settings: Settings
    log: Log
    line: Line

    def sweep(self, *, seconds: float) -> dict[str, int]:
        """Works for at most ``seconds``; how many jobs were changed, deleted, and messages sent."""
        end = self.clock.monotonic() + seconds
        done = {"changed": 0, "deleted": 0, "sent": 0}
        seen: set[str] = set()
        while self.clock.monotonic() < end:
            due = [job_id for job_id in self.ledger.due(self.clock.now(), limit=AT_ONCE) if job_id not in seen]
            if not due:
                break
            for job_id in due:
                if self.clock.monotonic() >= end:
                    break
                seen.add(job_id)
                self._one(job_id, done)
        for dispatch in self.ledger.unsent(self.clock.now() - self._patience, limit=AT_ONCE):
            self.queues.send(dispatch)
            self.ledger.sent(dispatch)
            done["sent"] += 1
        self.line.advance()
        self.line.tidy()
        self.log.info("swept", **done)
        return done

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self.settings.patience_seconds)

    def _one(self, job_id: str, done: dict[str, int]) -> None:
        job = self.ledger.get(job_id)
        if job is None:
            return
        now = self.clock.now()
        try:
            if job.ended:
                if now >= job.expires_at:
                    self._delete(job)
                    done["deleted"] += 1
                return
            if job.state is State.AWAITING_UPLOAD and self.blobs.head(job.source_key) is not None:
                self.door.accept(job_id)
                done["changed"] += 1
                return
            _, change = change_job(self.ledger, job_id, self._due)
        except (Raced, StepRetryable) as later:
            self.log.warning("sweep_deferred", job_id=job_id, why=later.detail)
            return
        if change is not None:
            done["changed"] += 1
            self.log.info("job_swept", job_id=job_id, state=change.job.state.value)
            send_now(self.ledger, self.queues, change, self.log)
            if change.job.ended:
                self.line.advance()

    def settle(self, job: Job) -> Job:
        """The job as time has made it: what is due is done when somebody looks, and not only at the next pass."""
        if not overdue.is_late(job, self.clock.now()):
            return job
        self._one(job.id, dict.fromkeys(("changed", "deleted"), 0))
        return self.ledger.get(job.id) or job

    def _due(self, job: Job) -> Change | None:
        return overdue.swept(job, self.clock.now(), patience=self._patience, max_attempts=self.settings.max_attempts)

    def _delete(self, job: Job) -> None:
        """Objects first: a row that is left can be swept again, objects without a row could not."""
        objects = self.blobs.delete_all(f"jobs/{job.id}/")
        self.blobs.delete(job.source_key)
        if job.upload_id is not None:
            self.blobs.abort_multipart(job.source_key, job.upload_id)
        self.ledger.delete(job)
        self.log.info("job_deleted", job_id=job.id, objects=objects)

    def dead_letter(self, message: Message) -> None:
        """A step's message that came back too often: its job ends, unless it went on by another way. (A chunk's is sent
        anew when the job is driven again, and its attempts are counted by its claims.)"""
        if message.chunk is not None:
            self.log.warning("chunk_dead_lettered", job_id=message.job_id, chunk=message.chunk)
            return

        def decide(job: Job) -> Change | None:
            now = self.clock.now()
            if job.ended or job.step is not message.step or job.dispatch != message.number:
                return None
            if job.lease_until is not None:
                return None  # a worker has it, or vanished with it: then the next pass gives it to another, or ends it
            problem = Problem(
                code="dead_letter",
                title="The step could not be completed",
                detail=f"The {message.step} step was started again and again and never came to an end.",
                stage=message.step.value,
                retryable=True,
            )
            return arrival.refused(job, now, problem)

        job = self.ledger.get(message.job_id)
        if job is None:
            return
        _, change = change_job(self.ledger, message.job_id, decide)
        send_now(self.ledger, self.queues, change, self.log)
        if change is not None:
            self.log.error("job_dead_lettered", job_id=message.job_id, step=message.step.value)
            self.line.advance()
