"""A client's wishes about a job that is under way or has ended: cancel, retry."""

from __future__ import annotations

from datetime import timedelta

from sheetrun.jobs import arrival
from sheetrun.jobs.job import Job
from sheetrun.records import dataclass
from sheetrun.service.changes import change_job, send_now
from sheetrun.service.line import Line
from sheetrun.service.ports import Clock, Ledger, Log, Queues
from sheetrun.settings import Settings


@dataclass(frozen=True, slots=True)
class Control:
    """Both raise ``Conflict`` when the job's state does not allow it."""

    ledger: Ledger
    queues: Queues
    clock: Clock
    settings: Settings
    log: Log
    line: Line

    def cancel(self, job_id: str) -> Job:
        """At once when nobody works on the job; else its worker is told with its next heartbeat."""
        job, change = change_job(self.ledger, job_id, lambda job: arrival.cancel(job, self.clock.now()))
        send_now(self.ledger, self.queues, change, self.log)
        if change is not None:
            self.log.info("job_cancelled", job_id=job_id, state=job.state.value)
            self.line.advance()
        return job

    def retry(self, job_id: str) -> Job:
        """From the stage that failed; what earlier stages made is used again."""
        aging = timedelta(seconds=self.settings.aging_seconds)
        job, _ = change_job(self.ledger, job_id, lambda job: arrival.retry(job, self.clock.now(), aging=aging))
        self.line.advance()
        self.log.info("job_retried", job_id=job_id, step=job.step.value if job.step else None)
        return job
