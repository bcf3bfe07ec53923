"""Whose turn it is, simulated on the fakes with a clock of its own: orders and waiting times, and what a crash leaves."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from sheetrun.jobs import arrival
from sheetrun.jobs.job import Job, Problem
from sheetrun.jobs.states import Priority, State
from sheetrun.service.allowances import Allowances
from sheetrun.service.fakes import FakeClock, FakeIds, FakeLog, MemoryQueues, MemoryTable
from sheetrun.service.line import Line
from sheetrun.service.ports import Load, Room
from sheetrun.settings import Settings
from tests.submitted import submitted

DONE = Problem(code="done", title="Done", detail="done", stage="execute")


@dataclass
class World:
    """Jobs that arrive and take a while, and workers as many as there are places."""

    settings: Settings
    table: MemoryTable = field(default_factory=MemoryTable)
    queues: MemoryQueues = field(default_factory=MemoryQueues)
    clock: FakeClock = field(default_factory=FakeClock)
    ids: FakeIds = field(default_factory=FakeIds)

    def __post_init__(self) -> None:
        allowances = Allowances(self.table, self.clock, self.settings)
        self.line = Line(self.table, self.queues, self.clock, allowances, self.settings, FakeLog())
        self.order: list[Job] = []
        self.waited: dict[str, float] = {}
        self._coming: list[tuple[datetime, int, str, Priority]] = []
        self._ends: list[tuple[datetime, str]] = []
        self._number = itertools.count()

    def arrives(self, client: str, priority: Priority = Priority.NORMAL, *, after: float = 0, count: int = 1) -> None:
        for _ in range(count):
            at = self.clock.now() + timedelta(seconds=after)
            heapq.heappush(self._coming, (at, next(self._number), client, priority))

    def run(self, *, seconds: float, until: float = 10**9) -> None:
        """Each job takes ``seconds``. Until nothing is left to do, or a time from now."""
        end = self.clock.now() + timedelta(seconds=until)
        while self._coming or self._ends:
            at = min([one[0] for one in (*self._coming[:1], *self._ends[:1])])
            if at > end:
                return
            self.clock.time = max(self.clock.time, at)
            while self._ends and self._ends[0][0] <= self.clock.now():
                self.finish(heapq.heappop(self._ends)[1])
            while self._coming and self._coming[0][0] <= self.clock.now():
                _, _, client, priority = heapq.heappop(self._coming)
                self.ready(client, priority)
            self.line.advance()
            while (dispatch := self.queues.take()) is not None:
                job = self.table.jobs[dispatch.job_id]
                self.order.append(job)
                self.waited[job.id] = (self.clock.now() - job.created_at).total_seconds()
                heapq.heappush(self._ends, (self.clock.now() + timedelta(seconds=seconds), job.id))
            assert self.table.running() <= self.settings.max_running

    def ready(self, client: str, priority: Priority = Priority.NORMAL) -> Job:
        now = self.clock.now()
        late = dict.fromkeys(("upload_expires_at", "deadline_at", "expires_at"), now + timedelta(days=9))
        job = submitted(now, id=self.ids.job_id(now), client=client, priority=priority, **late)
        made = arrival.created(job, now)
        self.table.create(made, most=10**6, most_of_client=10**6)
        aging = timedelta(seconds=self.settings.aging_seconds)
        change = arrival.uploaded(made.job, now, size=1, etag="e", aging=aging)
        assert change is not None
        self.table.save(made.job, change)
        return change.job

    def finish(self, job_id: str) -> None:
        job = self.table.jobs[job_id]
        change = arrival.refused(job, self.clock.now(), DONE)
        assert change is not None
        self.table.save(job, change)

    def waits(self) -> Mapping[str, list[float]]:
        """By client, in the order of admission."""
        found: dict[str, list[float]] = {}
        for job in self.order:
            found.setdefault(job.client, []).append(self.waited[job.id])
        return found


def test_one_clients_thousand_jobs_do_not_delay_anothers_one() -> None:
    world = World(Settings(max_running=10, max_client_running=10))
    world.arrives("crowd", count=1000)
    world.arrives("one", after=30.5)
    world.arrives("two", after=300.5)
    world.run(seconds=10)
    waits = world.waits()
    assert len(world.order) == 1002
    # Ten seconds a job and ten places: the next place falls free within ten seconds, and is theirs.
    assert waits["one"] == [9.5]
    assert waits["two"] == [9.5]
    assert max(waits["crowd"]) == 1000.0  # their own thousand jobs, nobody else's: 99 rounds of ten seconds, and ours


def test_a_share_below_the_whole_leaves_places_free_for_others() -> None:
    world = World(Settings(max_running=10, max_client_running=8))
    world.arrives("crowd", count=100)
    world.arrives("one", after=5)
    world.run(seconds=10)
    assert world.waits()["one"] == [0.0]


def test_clients_with_much_to_do_get_equal_shares() -> None:
    world = World(Settings(max_running=6, max_client_running=6))
    world.arrives("early", count=60)
    world.arrives("late", after=1, count=30)
    world.arrives("later", after=1, count=30)
    world.run(seconds=10, until=100)
    while_all_wait = [job.client for job in world.order[6:66]]
    assert {client: while_all_wait.count(client) for client in set(while_all_wait)} == {
        "early": 20,
        "late": 20,
        "later": 20,
    }


def test_high_comes_before_normal_before_low_and_low_is_not_starved() -> None:
    world = World(Settings(max_running=1, max_client_running=1, aging_seconds=100))
    world.arrives("acme", Priority.LOW, count=3)
    world.arrives("acme", Priority.NORMAL, count=3)
    world.arrives("acme", Priority.HIGH, count=3)
    for second in range(0, 1000, 10):  # high jobs keep coming as fast as they are done
        world.arrives("acme", Priority.HIGH, after=second + 1)
    world.run(seconds=10)
    first = [job.priority for job in world.order[:3]]
    assert first == [Priority.HIGH] * 3
    waits = {priority: [world.waited[j.id] for j in world.order if j.priority is priority] for priority in Priority}
    assert median(waits[Priority.HIGH]) < min(waits[Priority.NORMAL]) < min(waits[Priority.LOW])
    # A low job is passed by those that come within two agings after it, and by no other.
    low = [place for place, job in enumerate(world.order) if job.priority is Priority.LOW]
    for place in low:
        passed = [
            job
            for job in world.order[:place]
            if job.created_at > world.order[place].created_at + timedelta(seconds=200)
        ]
        assert passed == []
    assert low[-1] < len(world.order) - 50


def test_priority_is_a_matter_between_a_clients_own_jobs() -> None:
    world = World(Settings(max_running=2, max_client_running=2))
    world.arrives("loud", Priority.HIGH, count=50)
    world.arrives("quiet", Priority.LOW, after=5)
    world.run(seconds=10)
    assert world.waits()["quiet"] == [5.0]


def test_a_clients_own_limit_holds() -> None:
    world = World(Settings(max_running=10, max_client_running=5))
    world.table.set_limits("small", {"running_jobs": 1})
    world.arrives("small", count=3)
    world.arrives("standard", count=7)
    world.run(seconds=10)
    assert world.waits() == {"small": [0.0, 10.0, 20.0], "standard": [0.0] * 5 + [10.0] * 2}


def test_a_worker_that_died_after_its_last_write_leaves_a_place_that_the_next_one_finds() -> None:
    world = World(Settings(max_running=1, max_client_running=1))
    first, second = world.ready("acme"), world.ready("acme")
    assert world.line.advance() == 1
    assert world.line.advance() == 0
    world.finish(first.id)  # and nobody calls ``advance``
    assert world.table.running() == 0
    assert world.line.advance() == 1
    assert world.table.jobs[second.id].admitted


def test_there_is_room_at_once_only_where_nobody_stands_in_line() -> None:
    world = World(Settings(max_running=2, max_client_running=1))
    assert world.line.room("acme") == Room(most=2, most_of_client=1)
    first = world.ready("acme")
    assert world.line.room("other") is None  # whose turn it is, the line decides
    world.line.advance()
    assert world.line.room("acme") is None
    assert world.line.room("other") is not None
    world.ready("other")
    world.line.advance()
    assert world.line.room("third") is None  # both places are taken
    world.finish(first.id)
    assert world.line.room("acme") is not None


def test_one_look_at_the_lines_admits_all_that_have_room() -> None:
    world = World(Settings(max_running=5, max_client_running=3))
    for client in ("a", "b"):
        for _ in range(4):
            world.ready(client)
    looks = 0
    loads = world.table.loads

    def counted() -> Sequence[Load]:
        nonlocal looks
        looks += 1
        return loads()

    world.table.loads = counted  # type: ignore[method-assign]
    assert world.line.advance() == 5
    assert looks == 1
    assert sorted(world.table.load(client).running for client in ("a", "b")) == [2, 3]


def test_a_queue_that_is_down_keeps_the_message_for_later() -> None:
    world = World(Settings())
    world.queues.down = True
    job = world.ready("acme")
    assert world.line.advance() == 1
    assert [dispatch.job_id for dispatch in world.table.outbox(job.id)] == [job.id]


def test_a_deadline_in_line_ends_the_job_and_lets_the_next_one_pass() -> None:
    world = World(Settings(max_running=1, max_client_running=1))
    late, next_one = world.ready("acme"), world.ready("acme")
    world.table.jobs[late.id] = world.table.jobs[late.id].evolve(deadline_at=world.clock.now())
    assert world.line.advance() == 1
    assert world.table.jobs[late.id].state is State.EXPIRED
    assert world.table.jobs[next_one.id].admitted


def test_a_hundred_who_advance_at_once_admit_as_many_as_there_are_places() -> None:
    world = World(Settings(max_running=7, max_client_running=4))
    for client in ("a", "b", "c"):
        for _ in range(20):
            world.ready(client)
    with ThreadPoolExecutor(100) as pool:
        assert sum(pool.map(lambda _: world.line.advance(), range(100))) == 7
    assert world.table.running() == 7
    assert len(world.queues.messages) == 7
    assert sorted(world.table.load(client).running for client in ("a", "b", "c")) == [2, 2, 3]


def test_clients_with_nothing_to_do_are_forgotten() -> None:
    world = World(Settings())
    job = world.ready("acme")
    world.line.advance()
    world.finish(job.id)
    world.clock.advance(7200)
    world.line.tidy()
    assert world.table.load("acme").served is None
