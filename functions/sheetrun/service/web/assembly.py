"""The API put together from the ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sheetrun.service.access import Access
from sheetrun.service.control import Control
from sheetrun.service.submit import Submitter
from sheetrun.service.web.api import Api
from sheetrun.service.web.jobs import JobRoutes
from sheetrun.service.web.limits import Gatekeeper
from sheetrun.service.web.operations import OperationRoutes
from sheetrun.service.web.replay import Replay
from sheetrun.service.web.router import Router

if TYPE_CHECKING:
    from sheetrun.bootstrap import World


def build_api(world: World) -> Api:
    """One ``Api`` per process."""
    gate = Gatekeeper(world.limits, world.clock, world.ids, world.settings)
    jobs = JobRoutes(
        ledger=world.ledger,
        blobs=world.blobs,
        clock=world.clock,
        ids=world.ids,
        settings=world.settings,
        submitter=Submitter(world.ledger, world.blobs, world.clock, world.settings),
        control=Control(world.ledger, world.queues, world.clock, world.log),
        door=world.door,
        replay=Replay(world.idempotency, world.clock),
        gate=gate,
    )
    operations = OperationRoutes(world.ledger, world.blobs, world.queues, world.clock, world.settings, gate)
    router = Router([*jobs.routes(), *operations.routes()])
    return Api(router, Access(world.keys, world.clock, world.ids), world.clock, world.settings, world.log)
