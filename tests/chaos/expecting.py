"""What must hold when all is quiet again, whatever happened before."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime

from sheetrun.jobs.job import Job
from sheetrun.jobs.states import State
from tests.chaos.computing import right_values
from tests.chaos.customers import Customer
from tests.chaos.simulation import Simulation

#: As many faults as a step may have tries, and no fewer, may cost a job its success.
TRIES = 3
BY_FAULTS = {
    "attempts_exhausted",
    "dead_letter",
    "deadline_exceeded",
    "contended",
    *(f"{port}_unavailable" for port in ("ledger", "blobs", "queues", "keys", "limits", "counters")),
}


def check(simulation: Simulation) -> None:
    """Raises AssertionError with what was done to the simulation."""
    table = simulation.table
    known = {customer.job_id for customer in simulation.customers}
    assert set(table.jobs) == known, "a key made two jobs, or a job that nobody was told of"
    for customer in simulation.customers:
        job = table.jobs[str(customer.job_id)]
        assert len(customer.ids) == 1
        _right_end(simulation, customer, job)
        _told(simulation, customer, job)
    assert table.running() == 0
    assert table.under_way() == 0
    assert all(load.running == load.waiting == 0 for load in table.loads())
    assert not table.unsent(datetime.max.replace(tzinfo=UTC), limit=1)
    assert not simulation.mailboxes.mails
    said = json.dumps(simulation.log.lines, default=str)
    for secret in (*simulation.keys.values(), "memory://", "whsec_"):
        assert secret not in said, "a secret is in the log"


def _right_end(simulation: Simulation, customer: Customer, job: Job) -> None:
    code = job.error.code if job.error else None
    ends = [event for event in simulation.table.events(job.id, after=0, limit=1000) if event.ends]
    numbers = [event.number for event in simulation.table.events(job.id, after=0, limit=1000)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(ends) == 1 + customer.reopened, [event.type for event in ends]
    assert job.lease_until is None
    if customer.cancelled:
        assert job.state is State.CANCELLED, f"{job.state}, though the service had said that it would be cancelled"
    if job.state is State.CANCELLED:
        assert customer.cancels
        return
    if customer.file == "none":
        assert (job.state, code) == (State.EXPIRED, "upload_never_came")
        return
    if job.state is State.SUCCEEDED:
        assert customer.file == "good"
        given = simulation.table.given[job.id]
        assert {key: simulation.blobs.get(key) for key in job.results.values()} == given, "results changed afterwards"
        assert len({len(data) - len(data.rstrip(b" ")) for data in given.values()}) == 1, "results of two workers"
        assert right_values(simulation.blobs.get(job.results["values"]))
        return
    if code == "time_limit":  # a worker that stood still found its time over, and nobody had taken its place
        assert simulation.chooser.harm >= 1
        assert job.state is State.TIMED_OUT
        return
    if code in BY_FAULTS:
        assert simulation.chooser.harm >= TRIES, f"{job.state}, {code} after {simulation.chooser.harm} faults"
        assert job.error is not None
        assert job.error.retryable
        return
    assert customer.file == "broken", f"{job.state}, {code}"
    assert (job.state, code) == (State.FAILED, "truncated_zip"), f"{job.state}, {code}"


def _told(simulation: Simulation, customer: Customer, job: Job) -> None:
    """Each end reached the receiver, under one id and with one body, however often it was sent."""
    posted = [one for one in simulation.receiver.posted if one.url.endswith(f"/{customer.name}")]
    if not customer.webhook:
        assert not posted
        return
    ends = [event for event in simulation.table.events(job.id, after=0, limit=1000) if event.ends]
    bodies = defaultdict(set)
    for one in posted:
        bodies[one.message_id].add(one.body)
    expected = {f"msg_{job.id.removeprefix('job_')}_{event.number}" for event in ends}
    assert set(bodies) == expected
    assert all(len(texts) == 1 for texts in bodies.values())
    assert {one.message_id for one in posted if one.accepted} == expected


def nothing_left(simulation: Simulation) -> None:
    """When retention has passed, everything of every job is gone."""
    simulation.time += 3 * 86_400
    for _ in range(3):
        simulation.world.sweeper.sweep(seconds=45)
    assert not simulation.table.jobs
    assert not simulation.blobs.objects
