"""Whose turn it is: ready jobs stand in lines, one per client, and are admitted as places among the running ones fall free.

Two rules, one above the other (docs/decisions/0009-lines.md):

- *Between clients*: the one with the fewest running jobs is next; of several, the one that was served longest ago. So a
  client's thousand jobs make another's one wait for the next free place, and no longer.
- *Within a client*: by turn, which is the time of arrival, put back by the aging for each class of priority below high.

A place is taken in the transaction that admits the job, and given back in the one that ends it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sheetrun.jobs import arrival, overdue
from sheetrun.jobs.errors import Full, Raced, StepRetryable
from sheetrun.records import dataclass
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
        """Admits jobs while there is room; how many. What fails here is done by the next caller, at last by ``sweep``.

        One look at the lines is enough unless somebody else was at them too: whoever brings a job or frees a place after
        it looks as well.
        """
        admitted = 0
        try:
            for _ in range(AT_ONCE):
                done, again = self._admit(list(self.ledger.loads()), AT_ONCE - admitted)
                admitted += done
                if not again:
                    break
        except Full:
            pass  # somebody else took the last place
        except StepRetryable as problem:
            self.log.warning("line_stands", why=problem.code)
        return admitted

    def room(self, client: str) -> Room | None:
        """Room for a job of the client at once, where nobody stands in line; None when it has to stand in line itself.

        It is what was seen: the write that admits the job holds the limits.
        """
        try:
            loads = self.ledger.loads()
        except StepRetryable:
            return None  # the line finds that again, and waits for it
        if any(load.waiting > 0 for load in loads) or sum(load.running for load in loads) >= self.settings.max_running:
            return None
        room = self._room(client)
        mine = next((load.running for load in loads if load.client == client), 0)
        return room if mine < room.most_of_client else None

    def _room(self, client: str) -> Room:
        return Room(most=self.settings.max_running, most_of_client=self.allowances.of(client).running_jobs)

    def _admit(self, loads: list[Load], most: int) -> tuple[int, bool]:
        """By what the lines were: how many were admitted, and whether to look again, for they are not so any more."""
        admitted = 0
        while admitted < most and sum(load.running for load in loads) < self.settings.max_running:
            for place in self._by_turn(loads):
                outcome = self._admit_one(loads[place])
                if outcome is None:
                    return admitted, True
                load = loads[place]
                if outcome:
                    admitted += 1
                    loads[place] = replace(
                        load, running=load.running + 1, waiting=load.waiting - 1, served=self.clock.now()
                    )
                    break
                loads[place] = replace(load, waiting=0)  # none that may be admitted now
            else:
                return admitted, False
        return admitted, False

    def _admit_one(self, load: Load) -> bool | None:
        """Whether the first in the client's line was admitted; None when it left the line in another way."""
        job_id = self.ledger.first_in_line(load.client)
        job = None if job_id is None else self.ledger.get(job_id)
        if job is None or not job.in_line:
            return False
        now = self.clock.now()
        change = arrival.admitted(job, now)
        room = None
        if change is not None:
            room = self._room(job.client)
        else:
            patience = timedelta(seconds=self.settings.patience_seconds)
            change = overdue.swept(job, now, patience=patience, max_attempts=self.settings.max_attempts)
        if change is None:
            return False
        try:
            self.ledger.save(job, change, room=room)
        except Raced:
            return None
        except Full as full:
            if full.gate == "running_client":
                return False
            raise
        send_now(self.ledger, self.queues, change, self.log)
        return True if room is not None else None

    def _by_turn(self, loads: list[Load]) -> list[int]:
        """Places in the list of clients with a job in line and room for it, the next one first."""
        ready = [
            place
            for place, load in enumerate(loads)
            if load.waiting > 0 and load.running < self.allowances.of(load.client).running_jobs
        ]
        return sorted(ready, key=lambda p: (loads[p].running, loads[p].served or _NEVER, loads[p].client))

    def tidy(self) -> None:
        """Forgets clients that have had nothing to do for a while, so that looking for the next one stays quick."""
        long_ago = self.clock.now() - timedelta(hours=1)
        for load in self.ledger.loads():
            if load.running == load.waiting == 0 and (load.served or _NEVER) < long_ago:
                self.ledger.tidy(load)
