"""What service tests share: a world of fakes, a compute that computes nothing, and a way to turn the crank."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from sheetrun.bootstrap import World
from sheetrun.jobs.states import Kind
from sheetrun.sandbox.job import Result
from sheetrun.service.access import SCOPES, Access
from sheetrun.service.calling import Engine
from sheetrun.service.compute import Executed, Generated, Parsed, Progress
from sheetrun.service.courier import Courier
from sheetrun.service.fake_webhooks import MemoryOperations, MemorySender, MemoryWebhooks
from sheetrun.service.fakes import FakeClock, FakeIds, FakeLog, MemoryBlobs, MemoryQueues, MemoryTable
from sheetrun.service.fanout import Fanout
from sheetrun.service.scenario_work import Opener
from sheetrun.service.steps import Made, Message, Outcome, Runner, Workplace
from sheetrun.service.sweep import Sweeper
from sheetrun.service.web.api import Api
from sheetrun.service.web.assembly import build_api, build_calls
from sheetrun.service.web.router import Router
from sheetrun.service.work import StepWork
from sheetrun.settings import Settings

#: Of the model that the fake compute makes.
INTERFACE: dict[str, Any] = {
    "inputs": [
        {"reference": "S!A1", "name": "Rate", "label": "Rate", "type": "number", "value": 1, "format": "General"}
    ],
    "outputs": [{"reference": "S!B1", "name": None, "label": None, "type": "number", "value": 2, "format": "General"}],
    "counts": {"inputs": 1, "outputs": 1},
    "date1904": False,
}
XLSX = b"PK\x03\x04 not really"


@dataclass
class FakeCompute:
    """Each step does what its hook says, then gives something small."""

    on_parse: Callable[[Progress | None], None] = lambda progress: None
    on_generate: Callable[[Progress | None], None] = lambda progress: None
    on_execute: Callable[[Progress | None], None] = lambda progress: None
    errors: tuple[dict[str, str], ...] = ()
    seen: list[dict[str, Any]] = field(default_factory=list)

    def parse(self, source: bytes, filename: str, *, progress: Progress | None = None) -> Parsed:
        self.on_parse(progress)
        return Parsed(artefact=b"model", sheets=1, cells=3, formulas=2, blocks=1)

    def generate(
        self,
        artefact: bytes,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> Generated:
        assert artefact == b"model"
        self.on_generate(progress)
        return Generated(script="print(1)\n", line_map=b"map")

    def execute(
        self,
        artefact: bytes,
        generated: Generated,
        source: bytes,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Sequence[str] | None = None,
        timeout: float = 60.0,
        memory: int = 0,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        run: Callable[..., Any] | None = None,
        before: Mapping[str, float] | None = None,
    ) -> Executed:
        assert generated.script == "print(1)\n"
        self.seen.append({"inputs": inputs, "outputs": outputs, "timeout": timeout})
        self.on_execute(progress)
        return Executed(
            results={"values": ("application/json", b"{}"), "script": ("text/x-python", b"print(1)\n")},
            report={"formulas": 2, "compared": 2, "matched": 2, "mismatched": 0, "volatile": 0, "unsupported": 0},
            errors=self.errors,
            artefacts={
                "interface": ("application/json", json.dumps(INTERFACE).encode()),
                "computed": ("application/octet-stream", b"computed"),
            },
        )


def run_here(job: Any, limits: Any = None, *, cancelled: Any = None, on_progress: Any = None) -> Result:
    """A sandbox's runner without the sandbox, for scripts that are ours: in this process, at once."""
    module, _, name = job.entry.partition(":")
    namespace: dict[str, Any] = {"__name__": "model"}
    exec(compile(job.script, "model.py", "exec"), namespace)
    found = getattr(import_module(module), name)(namespace, job.payload, on_progress or (lambda *_: None))
    return Result(whole(found), b"", b"", 0.0, 0.0, 0, (), {})


def whole(found: bytes | list[bytes | memoryview]) -> bytes:
    """What an entry point gave, which may be in pieces."""
    return found if isinstance(found, bytes) else b"".join(found)


class Bench:
    """The whole service in one process, with time that stands still."""

    def __init__(self, **settings: Any) -> None:
        self.table = MemoryTable()
        self.blobs = MemoryBlobs()
        self.queues = MemoryQueues()
        self.webhooks = MemoryWebhooks(self.table)
        self.sender = MemorySender()
        self.operations = MemoryOperations()
        self.clock = FakeClock()
        self.ids = FakeIds()
        self.log = FakeLog()
        self.settings = Settings(**settings)
        self.world = World(
            settings=self.settings,
            ledger=self.table,
            keys=self.table,
            batches=self.table,
            limits=self.table,
            idempotency=self.table,
            blobs=self.blobs,
            queues=self.queues,
            chunks=self.table,
            webhooks=self.webhooks,
            counters=self.operations,
            letters=self.operations,
            clock=self.clock,
            ids=self.ids,
            log=self.log,
        )
        self.access = Access(self.table, self.clock, self.ids)
        self.key = self.access.create("acme", scopes=SCOPES)
        self.api: Api = build_api(self.world)
        self.compute: Any = FakeCompute()
        self.sandbox: Callable[..., Any] = run_here

    def with_calls(self, run: Callable[..., Any]) -> None:
        """The routes that compute too, with a runner of sandboxes."""
        self.engine = Engine(self.blobs, run, memory=2**30, cache=2**28)
        routes = [*build_api(self.world).router.routes, *build_calls(self.world, self.engine).router.routes]
        self.api = replace(self.api, router=Router(routes))

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = "",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str | list[str]] | None = None,
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers (lower case), parsed body (text when it is not JSON)."""
        sent = dict(headers or {})
        if key is not None:
            sent["x-api-key"] = key or self.key
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        event = {
            "httpMethod": method,
            "path": path,
            "headers": {**sent, "Host": "api.example.com"},
            "queryStringParameters": {n: v if isinstance(v, str) else v[-1] for n, v in (query or {}).items()},
            "multiValueQueryStringParameters": {n: [v] if isinstance(v, str) else v for n, v in (query or {}).items()},
            "body": text,
            "requestContext": {"requestId": "r-1", "stage": "v", "path": f"/v{path}", "apiId": "abc"},
        }
        answer = self.api.handle(event, remaining=29.0)
        received = {name.lower(): value for name, value in answer["headers"].items()}
        value: Any = answer["body"]
        if "json;" in received.get("content-type", "") and value:
            value = json.loads(value)
        return int(answer["statusCode"]), received, value

    def submit(self, body: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        status, _, job = self.call("POST", "/v1/jobs", body or {"filename": "model.xlsx"}, **options)
        assert status == 202, job
        made: dict[str, Any] = job
        return made

    def upload(self, job: Mapping[str, Any], data: bytes = XLSX) -> None:
        """As a client would, and the notification with it."""
        key = f"uploads/{job['client']}/{job['id']}/source"
        self.blobs.upload(key, data)
        self.world.door.accept(str(job["id"]))

    def runner(self) -> Runner:
        world = self.world
        return Runner(
            world.ledger, world.blobs, world.queues, world.clock, world.ids, world.settings, world.log, world.line
        )

    def step(self, message: Message, *, remaining: float = 60.0) -> Outcome:
        if message.chunk is not None:
            return self.fanout().chunk(message, remaining=remaining)
        work = StepWork(lambda job: self.compute, self.blobs, self.settings, self.log)

        def do(place: Workplace) -> Made:
            if place.job.kind is Kind.SCENARIOS:
                return self.fanout().drive(place)
            made: Made = getattr(work, message.step.value)(place)
            return made

        return self.runner().run(message, do, remaining=remaining)

    def fanout(self) -> Fanout:
        """A worker for scenarios, in a process of its own: it knows nothing of the one before."""
        world = self.world
        return Fanout(
            world.ledger,
            world.chunks,
            world.blobs,
            world.queues,
            world.clock,
            world.settings,
            world.log,
            world.line,
            Opener(world.ledger, world.blobs, self.sandbox),
            self.sandbox,
        )

    def next_message(self) -> Message | None:
        dispatch = self.queues.take()
        if dispatch is None:
            return None
        return Message(job_id=dispatch.job_id, step=dispatch.step, number=dispatch.number, chunk=dispatch.chunk)

    def run_all(self) -> None:
        """Until no queue holds a message."""
        while (message := self.next_message()) is not None:
            self.step(message)

    def sweeper(self) -> Sweeper:
        return self.world.sweeper

    def courier(self) -> Courier:
        world = self.world
        return Courier(
            world.ledger,
            world.webhooks,
            world.counters,
            world.queues,
            self.sender,
            world.receivers,
            world.clock,
            world.ids,
            world.settings,
            world.log,
        )

    def deliver_all(self) -> None:
        """What waits in the deliver function's queue, delays and all; what comes of it waits for the next call."""
        messages, self.queues.posted = self.queues.posted, []
        for message, delay in messages:
            self.clock.advance(delay)
            self.courier().handle(message)

    def job(self, job_id: str) -> dict[str, Any]:
        status, _, job = self.call("GET", f"/v1/jobs/{job_id}")
        assert status == 200, job
        found: dict[str, Any] = job
        return found
