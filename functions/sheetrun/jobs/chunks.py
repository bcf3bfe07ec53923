"""A step that is done in parts: its plan, and each part (a chunk of scenarios) as a value with its own claim. Pure.

::

    drive (a claim of the job) ─► the plan, and messages to the first ``window`` chunks ─► parked: nobody holds the job
    chunk k: claim ─► compute ─► finish: the chunk's row and the job's tally in one transaction ─► message to k + window
    whoever finishes the last one ─► the job's message again ─► drive: all are done ─► merge

Like a job's step, a chunk is claimed with a lease and an ``epoch``; what it makes lies under its epoch, and only the
claim in force can finish it. So a chunk counts once, however often its message comes. What gets lost on the way (a
message, a worker) is found by ``sweep``, which drives the job again: it sends what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sheetrun.jobs.errors import Stopped
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fan:
    """The plan: ``count`` scenarios in ``chunks`` of ``size`` (the last one may have fewer), ``window`` at once."""

    count: int
    size: int
    chunks: int
    window: int

    def span(self, number: int) -> tuple[int, int]:
        """The scenarios of a chunk: the first, and the one after its last."""
        return number * self.size, min((number + 1) * self.size, self.count)

    def following(self, number: int) -> int | None:
        """The chunk whose message is sent when this one is done."""
        after = number + self.window
        return after if after < self.chunks else None

    def document(self) -> dict[str, Any]:
        return {"count": self.count, "size": self.size, "chunks": self.chunks, "window": self.window}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Fan:
        return cls(**{name: int(document[name]) for name in ("count", "size", "chunks", "window")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One part. ``rev`` counts writes (0: not written yet), ``round`` is the job's try that ``attempts`` belong to."""

    job_id: str
    number: int
    round: int = 0
    attempts: int = 0
    epoch: int = 0
    lease_until: datetime | None = None
    done: bool = False
    scenarios: int = 0
    failed: int = 0
    rev: int = 0

    def leased(self, now: datetime) -> bool:
        return self.lease_until is not None and self.lease_until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the finished chunks of a job count: chunks, scenarios, and scenarios with an error in some output."""

    chunks: int = 0
    scenarios: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """Its workers vanished as often as they may."""

    attempts: int


def claim_chunk(
    chunk: Chunk, now: datetime, *, round_: int, lease: timedelta, max_attempts: int
) -> Chunk | Spent | None:
    """The chunk as claimed; None when it is done already, or another worker is at it (should that one vanish, the next
    drive sends a new message)."""
    if chunk.done or chunk.leased(now):
        return None
    attempts = chunk.attempts if chunk.round == round_ else 0
    if attempts >= max_attempts:
        return Spent(attempts)
    return replace(
        chunk,
        round=round_,
        attempts=attempts + 1,
        epoch=chunk.epoch + 1,
        lease_until=now + lease,
        rev=chunk.rev + 1,
    )


def release_chunk(chunk: Chunk) -> Chunk:
    """Given back after somebody else's fault: whoever comes next may claim it."""
    return replace(chunk, lease_until=None, rev=chunk.rev + 1)


def finish_chunk(current: Chunk | None, mine: Chunk, *, scenarios: int, failed: int) -> Chunk:
    """The chunk done. Raises ``Stopped`` when the claim is not in force any more."""
    if current is None or current.rev != mine.rev:
        raise Stopped(f"chunk {mine.number} was given to another worker")
    return replace(mine, lease_until=None, done=True, scenarios=scenarios, failed=failed, rev=mine.rev + 1)


def missing(fan: Fan, found: Mapping[int, Chunk], now: datetime) -> tuple[int, ...]:
    """The chunks whose messages a drive sends: the first of each line that is not done, unless somebody is at it.

    Chunks stand in ``window`` lines (k, k + window, …), and the end of each sends the next. A message that only waits in
    a long queue is doubled by this, which does no harm, and there are no more of them than lines.
    """
    wanted = []
    for line in range(min(fan.window, fan.chunks)):
        number: int | None = line
        while number is not None and number in found and found[number].done:
            number = fan.following(number)
        if number is None:
            continue
        if number not in found or not found[number].leased(now):
            wanted.append(number)
    return tuple(wanted)
