"""What contract tests share: one implementation of all ports, and jobs in the states that they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sheetrun.jobs import transitions
from sheetrun.jobs.job import Job
from sheetrun.jobs.states import Kind, Priority, State
from sheetrun.jobs.transitions import Change
from sheetrun.service.blobs import Blobs
from sheetrun.service.ids import SystemIds
from sheetrun.service.ports import Batches, Idempotency, Keys, Ledger, Limits, Queues, Room

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
    job_id = SystemIds().job_id(at)
    job = Job(
        id=job_id,
        client=client,
        kind=Kind.WORKBOOK,
        task="recalculate",
        filename="a.xlsx",
        priority=Priority.NORMAL,
        state=State.AWAITING_UPLOAD,
        created_at=at,
        upload_expires_at=at + timedelta(seconds=900),
        deadline_at=at + timedelta(seconds=3600),
        expires_at=at + timedelta(seconds=7200),
        source_key="k",
        retain_seconds=60,
        metadata={"naïve": "Σ"},
    )
    return transitions.created(job, at)


def create(ports: Ports, at: datetime = NOW) -> Job:
    change = made(ports.client, at)
    ports.ledger.create(change, most=MANY, most_of_client=MANY)
    return change.job


def lined_up(ports: Ports, job: Job, at: datetime = NOW) -> Job:
    """Uploaded, and in its client's line."""
    change = transitions.uploaded(job, at, size=3, etag="e", aging=PATIENCE)
    assert change is not None
    ports.ledger.save(job, change)
    return change.job


def admit(ports: Ports, job: Job, *, most: int = MANY, most_of_client: int = MANY, at: datetime = NOW) -> Change:
    change = transitions.admitted(job, at)
    assert change is not None
    ports.ledger.save(job, change, room=Room(most=most, most_of_client=most_of_client))
    return change


def ended(ports: Ports, job: Job) -> Job:
    change = transitions.cancel(job, NOW)
    assert change is not None
    ports.ledger.save(job, change)
    return change.job
