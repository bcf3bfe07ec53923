"""Wiring: settings from the environment, adapters, use cases. Each function asks for what it needs, once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from sheetrun import __version__
from sheetrun.aws.accounts import DynamoBatches, DynamoIdempotency, DynamoKeys, DynamoLimits
from sheetrun.aws.blobs import S3Blobs
from sheetrun.aws.chunks import DynamoChunks
from sheetrun.aws.clients import Clients
from sheetrun.aws.operations import DynamoOperations
from sheetrun.aws.queues import SqsQueues
from sheetrun.aws.table import DynamoLedger
from sheetrun.aws.webhooks import DynamoWebhooks
from sheetrun.jobs.job import Job
from sheetrun.jobs.states import Kind
from sheetrun.records import dataclass
from sheetrun.service.allowances import Allowances
from sheetrun.service.blobs import Blobs
from sheetrun.service.ids import SystemClock, SystemIds
from sheetrun.service.letters import Letters
from sheetrun.service.line import Line
from sheetrun.service.log import JsonLog
from sheetrun.service.metrics import Counters
from sheetrun.service.outgoing import Webhooks
from sheetrun.service.ports import Batches, Chunks, Clock, Idempotency, Ids, Keys, Ledger, Limits, Log, Queues
from sheetrun.service.receivers import Receivers
from sheetrun.service.sweep import Sweeper
from sheetrun.service.uploads import Door
from sheetrun.settings import Settings

if TYPE_CHECKING:
    from sheetrun.sandbox.warm import WarmRunner
    from sheetrun.service.courier import Courier
    from sheetrun.service.fanout import Fanout
    from sheetrun.service.steps import Made, Message, Outcome, Work, Workplace
    from sheetrun.service.web.api import Api
    from sheetrun.service.work import Compute


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything outside, as ports. Tests build one from fakes."""

    settings: Settings
    ledger: Ledger
    keys: Keys
    batches: Batches
    limits: Limits
    idempotency: Idempotency
    blobs: Blobs
    queues: Queues
    chunks: Chunks
    webhooks: Webhooks
    counters: Counters
    letters: Letters
    clock: Clock
    ids: Ids
    log: Log

    @cached_property
    def allowances(self) -> Allowances:
        return Allowances(self.keys, self.clock, self.settings)

    @cached_property
    def line(self) -> Line:
        return Line(self.ledger, self.queues, self.clock, self.allowances, self.settings, self.log)

    @cached_property
    def door(self) -> Door:
        return Door(
            self.ledger,
            self.keys,
            self.blobs,
            self.queues,
            self.clock,
            self.ids,
            self.settings,
            self.log,
            self.allowances,
            self.line,
        )

    @property
    def sweeper(self) -> Sweeper:
        return Sweeper(self.ledger, self.blobs, self.queues, self.clock, self.door, self.settings, self.log, self.line)

    @property
    def receivers(self) -> Receivers:
        return Receivers(self.webhooks, self.queues, self.clock, self.ids, self.settings, self.log)


def aws_world(settings: Settings, clients: Clients, *, function: str) -> World:
    """The ports on AWS."""
    operations = DynamoOperations(clients, settings.table)
    return World(
        settings=settings,
        ledger=DynamoLedger(
            clients, settings.table, patience=timedelta(seconds=settings.patience_seconds), gates=settings.max_jobs
        ),
        keys=DynamoKeys(clients, settings.table),
        batches=DynamoBatches(clients, settings.table),
        limits=DynamoLimits(clients, settings.table),
        idempotency=DynamoIdempotency(clients, settings.table),
        blobs=S3Blobs(clients, settings.bucket),
        queues=SqsQueues(clients, settings.queues, own=settings.own_queues, deliver=settings.deliver_queue),
        chunks=DynamoChunks(clients, settings.table),
        webhooks=DynamoWebhooks(clients, settings.table),
        counters=operations,
        letters=operations,
        clock=SystemClock(),
        ids=SystemIds(),
        log=JsonLog(function=function, stage=settings.stage, clock=SystemClock(), trace=_trace),
    )


def _trace() -> str | None:
    """The trace that API Gateway or SQS began, as Lambda hands it on with each invocation."""
    return os.environ.get("_X_AMZN_TRACE_ID")


@lru_cache(maxsize=1)
def world() -> World:
    """This process's world, from its environment. Raises ``SettingsError``."""
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local")
    made = aws_world(Settings.from_environment(os.environ), Clients(), function=function)
    made.log.info("started", version=__version__, limits=made.settings.limits())
    return made


def remaining(context: Any) -> float:
    """Seconds that Lambda leaves this invocation."""
    return float(context.get_remaining_time_in_millis()) / 1000


@lru_cache(maxsize=1)
def api() -> Api:
    """The API's function."""
    from sheetrun.service.web.assembly import build_api

    return build_api(world())


def calls(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """The calculate function: models are called, each call in a fork of a warm sandbox."""
    from sheetrun.service.calling import call_job, call_limits

    sandbox, limits = _sandbox(Kind.WORKBOOK), call_limits(world().settings.execute_memory_bytes)
    sandbox.prepare(call_job(), limits)  # it shuts itself in while the key, the limit and the model are looked up
    answer = _calls().handle(event, remaining=remaining(context))
    sandbox.prepare(call_job(), limits)  # and the next one while the answer is on its way
    return answer


@lru_cache(maxsize=1)
def _calls() -> Api:
    import secrets

    from sheetrun.service.calling import Engine
    from sheetrun.service.web.assembly import build_calls

    here = world()
    settings = here.settings
    run = _sandbox(Kind.WORKBOOK).run
    seed = lambda: secrets.randbits(32)  # noqa: E731 (each call draws other numbers)
    return build_calls(here, Engine(here.blobs, run, settings.execute_memory_bytes, settings.model_cache_bytes, seed))


def take_in(event: Mapping[str, Any]) -> dict[str, Any]:
    """The intake function: notifications of the bucket."""
    from sheetrun.service.batches import arrivals, each_record

    here = world()

    def handle(record: Mapping[str, Any]) -> bool:
        for arrival in arrivals(record, here.clock):
            here.door.arrived(arrival)
        return True

    return each_record(event, handle, here.log)


def run_step(name: str, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """The functions parse, generate and execute."""
    from sheetrun.service.batches import step_records
    from sheetrun.service.pace import collect_rarely
    from sheetrun.service.steps import Runner
    from sheetrun.service.work import StepWork

    collect_rarely()
    here = world()
    if name == "execute":
        _sandbox(Kind.WORKBOOK)  # its server starts with the function, before a job waits for it
    runner = Runner(here.ledger, here.blobs, here.queues, here.clock, here.ids, here.settings, here.log, here.line)
    steps = StepWork(compute_of, here.blobs, here.settings, here.log, lambda job: _sandbox(job.kind).run)
    work = getattr(steps, name)

    def do(message: Message) -> Outcome:
        if message.chunk is not None:
            return _fanout().chunk(message, remaining=remaining(context))
        return runner.run(message, lambda place: _work_of(place, work), remaining=remaining(context))

    return step_records(event, do, here.queues.put_off, here.log)


def _work_of(place: Workplace, work: Work) -> Made:
    return _fanout().drive(place) if place.job.kind is Kind.SCENARIOS else work(place)


@lru_cache(maxsize=1)
def _fanout() -> Fanout:
    """It keeps the models that it opened."""
    from sheetrun.service.fanout import Fanout
    from sheetrun.service.scenario_work import Opener

    here = world()
    return Fanout(
        here.ledger,
        here.chunks,
        here.blobs,
        here.queues,
        here.clock,
        here.settings,
        here.log,
        here.line,
        Opener(here.ledger, here.blobs, lambda *job, **options: _sandbox(Kind.DATASET).run(*job, **options)),
        _sandbox(Kind.WORKBOOK).run,
    )


def compute_of(job: Job) -> Compute:
    """What computes jobs of its kind."""
    if job.kind is Kind.DATASET:
        from sheetrun.service.analysis import Analysis

        return Analysis(job.task)
    from sheetrun.service import compute

    return compute


@lru_cache(maxsize=len(Kind))
def _sandbox(kind: Kind) -> WarmRunner:
    """Forks each job's interpreter from one that has everything loaded which scripts of the kind import."""
    from sheetrun.sandbox.warm import WarmRunner

    if kind is Kind.DATASET:
        from sheetrun.service.analysis import PRELOAD
    else:
        from sheetrun.service.scripts import PRELOAD
    runner = WarmRunner(PRELOAD)
    runner.start()
    return runner


def sweep(context: Any) -> dict[str, int]:
    """The sweep function, on its schedule."""
    done = _sweeper().sweep(seconds=max(1.0, remaining(context) - 15))
    return {**done, **_courier().sweep()}


def deliver(event: Mapping[str, Any]) -> dict[str, Any]:
    """The deliver function: who is to be told, and telling them."""
    from sheetrun.service.batches import each_record

    def handle(record: Mapping[str, Any]) -> bool:
        _courier().handle(json.loads(str(record["body"])))
        return True

    return each_record(event, handle, world().log)


@lru_cache(maxsize=1)
def _courier() -> Courier:
    from sheetrun.aws.sender import HttpSender
    from sheetrun.service.courier import Courier

    here = world()
    return Courier(
        here.ledger,
        here.webhooks,
        here.counters,
        here.queues,
        HttpSender(private=here.settings.webhook_private),
        here.receivers,
        here.clock,
        here.ids,
        here.settings,
        here.log,
    )


def bury(event: Mapping[str, Any]) -> dict[str, Any]:
    """The sweep function, for the dead letters of all queues."""
    from sheetrun.service.batches import each_record
    from sheetrun.service.burying import Undertaker

    here = world()
    undertaker = Undertaker(here.letters, here.counters, _sweeper(), here.clock, here.ids, here.log)

    def handle(record: Mapping[str, Any]) -> bool:
        receives = int(record.get("attributes", {}).get("ApproximateReceiveCount", 0))
        undertaker.bury(str(record["body"]), receives)
        return True

    return each_record(event, handle, world().log)


@lru_cache(maxsize=1)
def _sweeper() -> Sweeper:
    return world().sweeper
