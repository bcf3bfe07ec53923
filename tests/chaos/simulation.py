"""The service in one process, in a time of its own: real use cases on the ports in memory, and what may befall them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sheetrun.bootstrap import World
from sheetrun.jobs.errors import StepRetryable
from sheetrun.service.access import SCOPES, Access
from sheetrun.service.batches import arrivals, each_record, step_records
from sheetrun.service.burying import Undertaker
from sheetrun.service.courier import Courier
from sheetrun.service.fake_webhooks import MemoryOperations, MemoryWebhooks
from sheetrun.service.fakes import FakeIds, FakeLog, MemoryBlobs
from sheetrun.service.steps import Runner
from sheetrun.service.web.assembly import build_api
from sheetrun.service.work import StepWork
from sheetrun.settings import Settings
from tests.chaos.actors import Actor, Killed
from tests.chaos.choosers import Planned
from tests.chaos.computing import FILES, Remembered
from tests.chaos.customers import AGAIN, Customer
from tests.chaos.mail import Mail, Mailboxes
from tests.chaos.outside import Receiver, WatchedTable
from tests.chaos.points import Fault, Point, Port

START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
#: Seconds after which Lambda ends a function, as in template.yaml.
TIMES = {"api": 29, "intake": 30, "parse": 120, "generate": 120, "execute": 180, "deliver": 90, "sweep": 60, "dead": 60}
SWEEP_EVERY = 60.0
TURNS = 60_000  #: more than any schedule needs


class SimulatedClock:
    """The simulation's time, as wrong as the clock of whoever asks."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def now(self) -> datetime:
        actor = self._simulation.current
        return START + timedelta(seconds=self._simulation.time) + (actor.skew if actor else timedelta(0))

    def monotonic(self) -> float:
        return self._simulation.time

    def sleep(self, seconds: float) -> None:
        self._simulation.time += seconds


class Simulation:
    """``run`` until nothing is left to do. ``trace`` tells what was done to it."""

    def __init__(self, chooser: Planned, customers: list[Customer], **settings: Any) -> None:
        self.chooser, self.customers = chooser, customers
        self.time = 0.0
        self.current: Actor | None = None
        self.way: list[Point] = []  #: every point that was passed
        self._workers = 0
        self.trace: list[str] = []
        self.actors: list[tuple[Actor, Callable[[Actor], None]]] = []
        self.next_sweep = SWEEP_EVERY
        self.blobs, self.log = MemoryBlobs(), FakeLog()
        self.table = WatchedTable(self.blobs)
        self.mailboxes = Mailboxes(lambda: self.time)
        self.webhooks, self.operations = MemoryWebhooks(self.table), MemoryOperations()
        self.receiver = Receiver(chooser.receiver_fails)
        self.clock, self.ids, self.settings = SimulatedClock(self), FakeIds(), Settings(**settings)
        access = Access(self.table, self.clock, self.ids)
        self.keys = {name: access.create(name, scopes=SCOPES) for name in sorted({c.client for c in customers})}
        self.world = self._world()
        self.api = build_api(self.world)

    @property
    def points(self) -> int:
        return len(self.way)

    def _port(self, name: str, target: Any) -> Any:
        return Port(name, target, self._point)

    def _world(self) -> World:
        table = self.table
        return World(
            settings=self.settings,
            ledger=self._port("ledger", table),
            keys=self._port("keys", table),
            batches=self._port("batches", table),
            limits=self._port("limits", table),
            idempotency=self._port("idempotency", table),
            blobs=self._port("blobs", self.blobs),
            queues=self._port("queues", self.mailboxes),
            chunks=self.table,
            webhooks=self._port("webhooks", self.webhooks),
            counters=self._port("counters", self.operations),
            letters=self._port("letters", self.operations),
            clock=self.clock,
            ids=self.ids,
            log=self.log,
        )

    # ---- what goes wrong --------------------------------------------------------------------------------------------

    def _point(self, point: Point) -> None:
        actor = self.current
        if actor is None:
            return
        if actor.doomed:
            raise Killed
        self.way.append(point)
        if self.chooser.wakes(self.points):
            self.trace.append(f"{self.time:.0f}s wakes them before {actor.name} goes on {point} ({self.points})")
            for one, _ in self.actors:
                one.frozen_until = None
            actor.pause()
        fault = self.chooser.at(self.points, point)
        if fault is None:
            return
        self.trace.append(f"{self.time:.0f}s {fault} {actor.name} {point} ({self.points})")
        if fault is Fault.KILL:
            actor.doomed = True
            raise Killed
        if fault in (Fault.FAIL, Fault.RACE):
            raise point.failure(fault)
        if fault is Fault.FREEZE:
            actor.frozen_until = self.time + self.chooser.thaw()
            actor.deadline = float("inf")
        actor.pause()

    # ---- the functions ----------------------------------------------------------------------------------------------

    def _handle(self, function: str, event: dict[str, Any]) -> Any:
        world = self.world
        if function == "intake":

            def take_in(record: Mapping[str, Any]) -> bool:
                for arrival in arrivals(record, world.clock):
                    world.door.arrived(arrival)
                return True

            return each_record(event, take_in, world.log)
        if function == "deliver":

            def tell(record: Mapping[str, Any]) -> bool:
                self._courier().handle(json.loads(str(record["body"])))
                return True

            return each_record(event, tell, world.log)
        if function == "dead":
            undertaker = Undertaker(world.letters, world.counters, world.sweeper, world.clock, world.ids, world.log)

            def bury(record: Mapping[str, Any]) -> bool:
                undertaker.bury(str(record["body"]), 3)
                return True

            return each_record(event, bury, world.log)
        runner = Runner(
            world.ledger, world.blobs, world.queues, world.clock, world.ids, world.settings, world.log, world.line
        )
        work = getattr(StepWork(lambda job: self._compute(), world.blobs, world.settings, world.log), function)
        remaining = float(TIMES[function])
        return step_records(
            event, lambda message: runner.run(message, work, remaining=remaining), world.queues.put_off, world.log
        )

    def _compute(self) -> Remembered:
        """Each worker's own, so that its results can be told from another's."""
        self._workers += 1
        return Remembered(self._workers)

    def _courier(self) -> Courier:
        world = self.world
        return Courier(
            world.ledger,
            world.webhooks,
            world.counters,
            world.queues,
            self._port("sender", self.receiver),
            world.receivers,
            world.clock,
            world.ids,
            world.settings,
            world.log,
        )

    def _sweep(self) -> dict[str, int]:
        return {**self.world.sweeper.sweep(seconds=45), **self._courier().sweep()}

    def call(self, customer: Customer, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request of a client."""
        headers = {
            "x-api-key": self.keys[customer.client],
            "Host": "api.example.com",
            "Idempotency-Key": customer.name,
        }
        event = {
            "httpMethod": method,
            "path": path,
            "headers": headers,
            "body": None if body is None else json.dumps(body),
            "requestContext": {"requestId": "r-1", "stage": "v", "path": f"/v{path}", "apiId": "abc"},
        }
        answer: dict[str, Any] = self.api.handle(event, remaining=29.0)
        return answer

    # ---- turning the crank ------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Raises AssertionError when it never comes to rest."""
        for _ in range(TURNS):
            self._begin_what_is_due()
            self._end_what_is_late()
            candidates: list[Any] = [one for one in self.actors if one[0].frozen_until is None]
            candidates += self.mailboxes.visible()
            if candidates:
                self._turn(candidates[self.chooser.pick(candidates)])
            elif self._settled():
                return
            else:
                self.time = self._next_time()
        raise AssertionError("it never comes to rest")

    def _turn(self, chosen: Any) -> None:
        if isinstance(chosen, Mail):
            self._receive(chosen)
            return
        actor, after = chosen
        self.current = actor
        actor.resume()
        self.current = None
        self.time += self.chooser.tick()
        if actor.over:
            self.actors.remove(chosen)
            self._look_at(actor)
            after(actor)
        if self.chooser.restarts():
            self._restart()

    def _look_at(self, actor: Actor) -> None:
        """A function may die, and answer that something else does not work; anything else is a fault of ours."""
        if actor.error is not None and not isinstance(actor.error, Killed | StepRetryable):
            raise AssertionError(f"{actor.name} broke") from actor.error

    def _receive(self, mail: Mail) -> None:
        event = self.mailboxes.receive(mail)
        if event is None:
            return
        function = mail.queue
        if self.chooser.doubled():
            self.trace.append(f"{self.time:.0f}s doubled {function} {mail.body[:60]}")
            mail.visible_at = self.time

        def after(actor: Actor) -> None:
            if actor.error is not None or actor.result["batchItemFailures"]:
                return
            if self.chooser.kept():
                self.trace.append(f"{self.time:.0f}s kept {function} {mail.body[:60]}")
                return
            self.mailboxes.delete(mail)

        self._start(function, lambda: self._handle(function, event), after)

    def _start(self, function: str, work: Callable[[], Any], after: Callable[[Actor], None]) -> None:
        skew = timedelta(seconds=self.chooser.skew())
        self.actors.append((Actor(function, work, skew=skew, deadline=self.time + TIMES[function]), after))

    def _begin_what_is_due(self) -> None:
        if self.time >= self.next_sweep:
            self.next_sweep = self.time + SWEEP_EVERY
            self._start("sweep", self._sweep, lambda actor: None)
        for customer in self.customers:
            if self.time >= customer.due:
                self._act(customer)
        for actor, _ in self.actors:
            if actor.frozen_until is not None and self.time >= actor.frozen_until:
                actor.frozen_until = None

    def _end_what_is_late(self) -> None:
        for one in [one for one in self.actors if self.time > one[0].deadline]:
            self._kill(one)

    def _kill(self, one: tuple[Actor, Callable[[Actor], None]]) -> None:
        actor, after = one
        self.trace.append(f"{self.time:.0f}s ended {actor.name}")
        self.current = actor
        actor.kill()
        self.current = None
        actor.error = actor.error or Killed()
        self.actors.remove(one)
        after(actor)

    def _restart(self) -> None:
        """Everything that runs is gone; what was stored is there."""
        self.trace.append(f"{self.time:.0f}s restart")
        for one in list(self.actors):
            self._kill(one)
        self.mailboxes.forget_receipts()
        self.time += 20

    def _settled(self) -> bool:
        return (
            not self.actors
            and not self.mailboxes.mails
            and all(customer.due == float("inf") for customer in self.customers)
            and all(job.ended for job in self.table.jobs.values())
            and not self.table.untold
            and not self.table.unsent(datetime.max.replace(tzinfo=UTC), limit=1)
            and not self.webhooks.overdue(datetime.max.replace(tzinfo=UTC), limit=1)
        )

    def _next_time(self) -> float:
        times = [self.next_sweep, *(customer.due for customer in self.customers)]
        times += [mail.visible_at for mail in self.mailboxes.mails.values()]
        times += [actor.frozen_until for actor, _ in self.actors if actor.frozen_until is not None]
        return max(self.time, min(times)) + 0.001

    # ---- the clients ------------------------------------------------------------------------------------------------

    def _act(self, customer: Customer) -> None:
        """The client's next move; what comes of it decides about the one after."""
        customer.due = self.time + 30  # when there is no answer
        if customer.job_id is None:
            body = customer.body(FILES.get(customer.file, b"x"))
            self._start("api", lambda: self.call(customer, "POST", "/v1/jobs", body), lambda a: self._made(customer, a))
        elif not customer.uploaded and customer.file != "none":
            self._upload(customer)
        elif customer.cancels and not customer.asked_cancel:
            path = f"/v1/jobs/{customer.job_id}/cancel"
            self._start("api", lambda: self.call(customer, "POST", path), lambda a: self._cancelled(customer, a))
        elif customer.retries and not customer.reopened:
            self._retry(customer)
        else:
            customer.due = float("inf")

    def _made(self, customer: Customer, actor: Actor) -> None:
        if actor.error is not None or actor.result["statusCode"] in AGAIN:
            return
        assert actor.result["statusCode"] == 202, actor.result
        customer.job_id = json.loads(actor.result["body"])["id"]
        customer.ids.add(str(customer.job_id))
        customer.due = self.time

    def _upload(self, customer: Customer) -> None:
        """Past its form's time no store would take it."""
        customer.uploaded = True
        customer.due = self.time + (3 if customer.cancels else 0)
        job = self.table.get(str(customer.job_id))
        if job is None or self.time >= (job.upload_expires_at - START).total_seconds():
            customer.file = "none"
            return
        self.blobs.upload(job.source_key, FILES[customer.file])
        if self.chooser.lost():
            self.trace.append(f"{self.time:.0f}s notification lost")
            return
        note = {"eventName": "ObjectCreated:Post", "s3": {"object": {"key": job.source_key}}}
        self.mailboxes.put("intake", {"Records": [note]})

    def _cancelled(self, customer: Customer, actor: Actor) -> None:
        if actor.error is not None or actor.result["statusCode"] in AGAIN - {409}:
            return
        customer.asked_cancel = True
        customer.cancelled = actor.result["statusCode"] == 202
        customer.due = self.time

    def _retry(self, customer: Customer) -> None:
        job = self.table.get(str(customer.job_id))
        if job is None or not job.ended:
            return
        if job.state.value not in ("failed", "timed_out") or customer.file != "good":
            customer.due = float("inf")
            return
        path = f"/v1/jobs/{customer.job_id}/retry"

        def after(actor: Actor) -> None:
            if actor.error is None and actor.result["statusCode"] not in AGAIN:
                customer.reopened = True
            elif self.table.jobs[job.id].rev > job.rev:
                customer.reopened = True  # the answer was lost, and the job is open again

        self._start("api", lambda: self.call(customer, "POST", path), after)
