"""What contract tests share: one implementation of all ports, and jobs in the states that they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sheetrun.jobs import arrival
from sheetrun.jobs.changes import Change
from sheetrun.jobs.job import Job
from sheetrun.service.blobs import Blobs
from sheetrun.service.ids import SystemIds
from sheetrun.service.ports import Batches, Idempotency, Keys, Ledger, Limits, Queues, Room
from tests.submitted import submitted

# Far from now, so that the schedule of the running service leaves these jobs alone.

NOW = datetime(2099, 1, 31, 9, 30, tzinfo=UTC)
PATIENCE = timedelta(seconds=60)
MANY = 10**6


@dataclass(frozen=True)
class Ports:
    """One implementation of all ports, and names that no other test uses."""

    ledger: Ledger
    keys: Keys
    batches: Batches
    limits: Limits
    idempotency: Idempotency
    blobs: Blobs
    queues: Queues
    put: Callable[[str, bytes], Any]
    client: str


def made(client: str, at: datetime = NOW) -> Change:
    job = submitted(at, id=SystemIds().job_id(at), client=client, metadata={"naïve": "Σ"})
    return arrival.created(job, at)


def create(ports: Ports, at: datetime = NOW) -> Job:
    change = made(ports.client, at)
    ports.ledger.create(change, most=MANY, most_of_client=MANY)
    return change.job


def lined_up(ports: Ports, job: Job, at: datetime = NOW) -> Job:
    """Uploaded, and in its client's line."""
    change = arrival.uploaded(job, at, size=3, etag="e", aging=PATIENCE)
    assert change is not None
    ports.ledger.save(job, change)
    return change.job


def admit(ports: Ports, job: Job, *, most: int = MANY, most_of_client: int = MANY, at: datetime = NOW) -> Change:
    change = arrival.admitted(job, at)
    assert change is not None
    ports.ledger.save(job, change, room=Room(most=most, most_of_client=most_of_client))
    return change


def ended(ports: Ports, job: Job) -> Job:
    change = arrival.cancel(job, NOW)
    assert change is not None
    ports.ledger.save(job, change)
    return change.job
