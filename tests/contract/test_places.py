"""Gates, places, lines and days: counted exactly under many callers, and given back by every end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from sheetrun.jobs import arrival
from sheetrun.jobs.changes import Change
from sheetrun.jobs.errors import Full, Raced
from sheetrun.jobs.job import Job, Problem
from sheetrun.jobs.limits import Spend
from sheetrun.jobs.states import Step
from sheetrun.service.ports import Load, Room

# Far from now, so that the schedule of the running service leaves these jobs alone.
from tests.contract.ports import MANY, NOW, PATIENCE, Ports, admit, create, ended, lined_up, made


def test_gates_count_jobs_from_creation_to_their_end(ports: Ports) -> None:
    first, second = made(ports.client), made(ports.client)
    ports.ledger.create(first, most=MANY, most_of_client=1)
    with pytest.raises(Full) as caught:
        ports.ledger.create(second, most=MANY, most_of_client=1)
    assert (caught.value.gate, caught.value.limit) == ("client", 1)
    assert ports.ledger.get(second.job.id) is None
    assert ports.ledger.under_way(ports.client) == 1
    refused = arrival.refused(first.job, NOW, Problem(code="x", title="X", detail="x", stage="intake"))
    assert refused is not None
    ports.ledger.save(first.job, refused)
    assert ports.ledger.under_way(ports.client) == 0
    ports.ledger.create(second, most=MANY, most_of_client=1)


def test_a_gate_holds_under_a_hundred_callers(ports: Ports) -> None:
    """Neither over-admission nor a place that stays taken: five get in, and after their end five others."""

    def attempt(_: int) -> str:
        change = made(ports.client)
        try:
            ports.ledger.create(change, most=MANY, most_of_client=5)
        except Full as full:
            return full.gate
        return change.job.id

    with ThreadPoolExecutor(100) as pool:
        for _ in range(2):
            answers = list(pool.map(attempt, range(100)))
            inside = [answer for answer in answers if answer.startswith("job_")]
            assert (len(inside), answers.count("client")) == (5, 95)
            assert ports.ledger.under_way(ports.client) == 5
            for job_id in inside:
                job = ports.ledger.get(job_id)
                assert job is not None
                ended(ports, job)
            assert ports.ledger.under_way(ports.client) == 0


def test_a_day_is_never_overspent_by_a_hundred_callers(ports: Ports) -> None:
    def attempt(_: int) -> str:
        try:
            spend = Spend(client=ports.client, day=7, uploads=1, bytes=10, most_uploads=60, most_bytes=405)
            ports.ledger.create(made(ports.client), most=MANY, most_of_client=MANY, spend=spend)
        except Full as full:
            return full.gate
        return "made"

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(attempt, range(100)))
    assert (answers.count("made"), answers.count("bytes")) == (40, 60)
    assert ports.ledger.spent(ports.client, 7) == (40, 400)
    assert ports.ledger.spent(ports.client, 8) == (0, 0)
    ports.ledger.give_back(Spend(client=ports.client, day=7, uploads=30, bytes=10, most_uploads=1, most_bytes=1))
    assert ports.ledger.spent(ports.client, 7) == (10, 390)
    spend = Spend(client=ports.client, day=9, uploads=2, most_uploads=1, most_bytes=1)
    with pytest.raises(Full) as caught:
        ports.ledger.create(made(ports.client), most=MANY, most_of_client=MANY, spend=spend)
    assert (caught.value.gate, caught.value.limit) == ("uploads", 1)


def test_places_are_taken_by_as_many_as_there_are(ports: Ports) -> None:
    jobs = [lined_up(ports, create(ports)) for _ in range(40)]
    assert ports.ledger.load(ports.client) == Load(client=ports.client, running=0, waiting=40)

    def attempt(job: Job) -> str:
        try:
            admit(ports, job, most_of_client=3)
        except Full as full:
            return full.gate
        return job.id

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(attempt, jobs))
    inside = [answer for answer in answers if answer.startswith("job_")]
    assert (len(inside), answers.count("running_client")) == (3, 37)
    load = ports.ledger.load(ports.client)
    assert (load.running, load.waiting, load.served) == (3, 37, NOW)
    assert load in ports.ledger.loads()
    before = ports.ledger.running()
    for job in jobs:  # whoever ends, admitted or in line, gives back what it has
        found = ports.ledger.get(job.id)
        assert found is not None
        ended(ports, found)
    assert ports.ledger.running() == before - 3
    load = ports.ledger.load(ports.client)
    assert (load.running, load.waiting) == (0, 0)
    assert ports.ledger.first_in_line(ports.client) is None
    ports.ledger.tidy(load)
    assert ports.client not in [load.client for load in ports.ledger.loads()]


def test_the_whole_has_so_many_places_and_no_more(ports: Ports) -> None:
    here = ports.ledger.running()
    first, second = (lined_up(ports, create(ports)) for _ in range(2))
    change = admit(ports, first, most=here + 1)
    with pytest.raises(Full) as caught:
        admit(ports, second, most=here + 1)
    assert (caught.value.gate, caught.value.limit) == ("running", here + 1)
    with pytest.raises(Raced):
        admit(ports, first)
    ended(ports, change.job)
    ended(ports, admit(ports, second, most=here + 1).job)
    assert ports.ledger.running() == here


def test_a_job_may_take_a_place_without_having_stood_in_line(ports: Ports) -> None:
    """Even the first one of a client of which nothing is counted yet."""

    def arrive(job: Job, most: int) -> Change:
        change = arrival.uploaded_and_admitted(job, NOW, size=3, etag="e", aging=PATIENCE)
        assert change is not None
        ports.ledger.save(job, change, room=Room(most=MANY, most_of_client=most))
        return change

    first, second = create(ports), create(ports)
    change = arrive(first, 1)
    assert ports.ledger.get(first.id) == change.job
    assert [event.type for event in ports.ledger.events(first.id, after=1, limit=9)] == ["job.queued"]
    assert [dispatch.step for dispatch in ports.ledger.outbox(first.id)] == [Step.PARSE]
    assert ports.ledger.load(ports.client) == Load(client=ports.client, running=1, waiting=0, served=NOW)
    assert ports.ledger.first_in_line(ports.client) is None
    with pytest.raises(Full) as caught:
        arrive(second, 1)
    assert caught.value.gate == "running_client"
    assert ports.ledger.get(second.id) == second
    before = ports.ledger.running()
    ended(ports, change.job)
    assert (ports.ledger.running(), ports.ledger.load(ports.client).running) == (before - 1, 0)
    ended(ports, arrive(second, 1).job)


def test_a_line_is_in_the_order_of_turns(ports: Ports) -> None:
    jobs = [lined_up(ports, create(ports), NOW + timedelta(seconds=second)) for second in (30, 10, 20)]
    order = []
    for _ in jobs:
        job_id = ports.ledger.first_in_line(ports.client)
        assert job_id is not None
        order.append(job_id)
        job = ports.ledger.get(job_id)
        assert job is not None
        ended(ports, job)
    assert order == [jobs[1].id, jobs[2].id, jobs[0].id]


def test_a_clients_limits(ports: Ports) -> None:
    assert ports.keys.limits_of(ports.client) == {}
    ports.keys.set_limits(ports.client, {"running_jobs": 3, "uploads_per_day": None})
    assert ports.keys.limits_of(ports.client) == {"running_jobs": 3}
