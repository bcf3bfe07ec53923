"""The API put together from the ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sheetrun.service.access import Access
from sheetrun.service.control import Control
from sheetrun.service.models import Models
from sheetrun.service.submit import Submitter
from sheetrun.service.web.api import Api
from sheetrun.service.web.batches import BatchRoutes
from sheetrun.service.web.clients import ClientRoutes
from sheetrun.service.web.jobs import JobRoutes
from sheetrun.service.web.limits import Gatekeeper
from sheetrun.service.web.models import COMPUTING, ModelRoutes
from sheetrun.service.web.observing import ObservingRoutes
from sheetrun.service.web.operations import OperationRoutes
from sheetrun.service.web.replay import Replay
from sheetrun.service.web.router import Router
from sheetrun.service.web.scenarios import ScenarioRoutes
from sheetrun.service.web.webhooks import WebhookRoutes

if TYPE_CHECKING:
    from sheetrun.bootstrap import World
    from sheetrun.service.burying import Redrive
    from sheetrun.service.calling import Engine


def build_api(world: World) -> Api:
    """One ``Api`` per process."""
    gate = Gatekeeper(world.limits, world.ledger, world.allowances, world.clock, world.ids)
    receivers = world.receivers
    models = Models(world.ledger, world.blobs, world.clock)
    submitter = Submitter(world.ledger, world.blobs, world.clock, world.settings, world.allowances, receivers, models)
    control = Control(world.ledger, world.queues, world.clock, world.settings, world.log, world.line)
    replay = Replay(world.idempotency, world.clock)
    jobs = JobRoutes(
        ledger=world.ledger,
        blobs=world.blobs,
        clock=world.clock,
        ids=world.ids,
        settings=world.settings,
        submitter=submitter,
        control=control,
        door=world.door,
        sweeper=world.sweeper,
        replay=replay,
        gate=gate,
    )
    operations = OperationRoutes(world.ledger, world.queues, world.clock, world.settings, gate, world.allowances)
    batches = BatchRoutes(
        batches=world.batches,
        clock=world.clock,
        ids=world.ids,
        settings=world.settings,
        submitter=submitter,
        control=control,
        sweeper=world.sweeper,
        replay=replay,
        gate=gate,
    )
    access = Access(world.keys, world.clock, world.ids)
    clients = ClientRoutes(
        keys=world.keys,
        ledger=world.ledger,
        access=access,
        allowances=world.allowances,
        gate=gate,
        replay=replay,
        clock=world.clock,
        settings=world.settings,
    )

    def redrive() -> Redrive:
        from sheetrun.service.burying import Redrive

        return Redrive(world.letters, control, world.door, world.queues, world.clock, world.log)

    observing = ObservingRoutes(
        world.ledger,
        world.blobs,
        world.queues,
        world.counters,
        world.letters,
        redrive,
        world.clock,
        world.settings,
    )
    scenarios = ScenarioRoutes(
        models=models,
        submitter=submitter,
        door=world.door,
        blobs=world.blobs,
        clock=world.clock,
        ids=world.ids,
        settings=world.settings,
        replay=replay,
        gate=gate,
    )
    hooks = WebhookRoutes(receivers, world.clock, world.ids, world.settings, replay)
    router = Router(
        [
            *jobs.routes(),
            *batches.routes(),
            *hooks.routes(),
            *clients.routes(),
            *operations.routes(),
            *observing.routes(),
            *ModelRoutes(models, world.settings).routes(),
            *scenarios.routes(),
        ],
        elsewhere=COMPUTING,
    )
    return Api(router, access, world.clock, world.settings, world.log)


def build_calls(world: World, engine: Engine) -> Api:
    """The API of the function that computes: the routes of models that need their formulas."""
    from sheetrun.service.calls import Calls
    from sheetrun.service.web.calls import CallRoutes

    gate = Gatekeeper(world.limits, world.ledger, world.allowances, world.clock, world.ids)
    calls = Calls(Models(world.ledger, world.blobs, world.clock), engine, world.clock.monotonic)
    router = Router(CallRoutes(calls, gate, world.settings).routes())
    return Api(router, Access(world.keys, world.clock, world.ids), world.clock, world.settings, world.log)
