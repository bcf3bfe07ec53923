"""Whose turn it is: ready jobs stand in lines, one per client, and are admitted as places among the running ones fall free.

Two rules, one above the other (docs/decisions/0009-lines.md):

- *Between clients*: the one with the fewest running jobs is next; of several, the one that was served longest ago. So a
  client's thousand jobs make another's one wait for the next free place, and no longer.
- *Within a client*: by turn, which is the time of arrival, put back by the aging for each class of priority below high.

A place is taken in the transaction that admits the job, and given back in the one that ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sheetrun.jobs import transitions
from sheetrun.jobs.errors import Full, Raced, StepRetryable
from sheetrun.service.allowances import Allowances
from sheetrun.service.changes import send_now
from sheetrun.service.ports import Clock, Ledger, Load, Log, Queues, Room
from sheetrun.settings import Settings

AT_ONCE = 200  #: admissions that one call may make
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """Anyone may call ``advance`` at any time; whoever freed a place, or brought a job, does."""

    ledger: Ledger
    queues: Queues
    clock: Clock
    allowances: Allowances
    settings: Settings
    log: Log

    def advance(self) -> int:
        """Admits jobs while there is room; how many. What fails here is done by the next caller, at last by ``sweep``."""
        admitted = 0
        try:
            for _ in range(AT_ONCE):
                if self.ledger.running() >= self.settings.max_running:
                    break
                outcome = self._admit_one()
                if outcome is None:
                    break
                admitted += outcome
        except Full:
            pass  # somebody else took the last place
        except StepRetryable as problem:
            self.log.warning("line_stands", why=problem.code)
        return admitted

    def _admit_one(self) -> bool | None:
        """Whether a job was admitted; None when there is none that may be."""
        for load in self._by_turn():
            job_id = self.ledger.first_in_line(load.client)
            job = None if job_id is None else self.ledger.get(job_id)
            if job is None or not job.in_line:
                continue
            now = self.clock.now()
            change = transitions.admitted(job, now)
            room = None
            if change is not None:
                most = self.allowances.of(job.client).running_jobs
                room = Room(most=self.settings.max_running, most_of_client=most)
            else:
                patience = timedelta(seconds=self.settings.patience_seconds)
                change = transitions.swept(job, now, patience=patience, max_attempts=self.settings.max_attempts)
            if change is None:
                continue
            try:
                self.ledger.save(job, change, room=room)
            except Raced:
                return False  # somebody else was faster: look again
            except Full as full:
                if full.gate == "running_client":
                    continue
                raise
            send_now(self.ledger, self.queues, change, self.log)
            return room is not None
        return None

    def _by_turn(self) -> list[Load]:
        """Clients with a job in line and room for it, the next one first."""
        ready = [
            load
            for load in self.ledger.loads()
            if load.waiting > 0 and load.running < self.allowances.of(load.client).running_jobs
        ]
        return sorted(ready, key=lambda load: (load.running, load.served or _NEVER, load.client))

    def tidy(self) -> None:
        """Forgets clients that have had nothing to do for a while, so that looking for the next one stays quick."""
        long_ago = self.clock.now() - timedelta(hours=1)
        for load in self.ledger.loads():
            if load.running == load.waiting == 0 and (load.served or _NEVER) < long_ago:
                self.ledger.tidy(load)
