"""Routes about the service itself: capacity, limits, the OpenAPI document and its page."""

from __future__ import annotations

from sheetrun.records import dataclass
from sheetrun.service.allowances import Allowances
from sheetrun.service.ports import Clock, Ledger, Queues
from sheetrun.service.web.http import Response, answer
from sheetrun.service.web.limits import Gatekeeper
from sheetrun.service.web.router import Call, Route
from sheetrun.settings import Settings


@dataclass(frozen=True, slots=True)
class OperationRoutes:
    """None of these is ever refused for load."""

    ledger: Ledger
    queues: Queues
    clock: Clock
    settings: Settings
    gate: Gatekeeper
    allowances: Allowances

    def routes(self) -> list[Route]:
        return [
            Route(method="GET", template="/v1/capacity", handler=self.capacity),
            Route(method="GET", template="/v1/limits", handler=self.limits),
            Route(method="GET", template="/v1/openapi.json", handler=self.openapi, scope=None),
            Route(method="GET", template="/v1/docs", handler=self.docs, scope=None),
        ]

    def capacity(self, call: Call) -> Response:
        """Jobs under way, the caller's and everybody's, and where the limit is."""
        client = call.caller.client
        load, allowance = self.ledger.load(client), self.allowances.of(client)
        mine, under_way = self.ledger.under_way(client), self.ledger.under_way()
        running = self.ledger.running()
        return answer(
            200,
            {
                "at_capacity": under_way >= self.settings.max_jobs,
                "service": {
                    "running": running,
                    "queued": max(0, under_way - running),
                    "limit": self.settings.max_jobs,
                    "running_limit": self.settings.max_running,
                    "messages": dict(self.queues.depth().waiting),
                },
                "client": {
                    "running": load.running,
                    "queued": max(0, mine - load.running),
                    "limit": allowance.jobs_under_way,
                    "running_limit": allowance.running_jobs,
                    "at_capacity": mine >= allowance.jobs_under_way,
                },
            },
        )

    def limits(self, call: Call) -> Response:
        """The caller's limits, and what is left of them."""
        return answer(
            200,
            {
                "limits": [quota.document() for quota in self.gate.quotas(call.caller.client)],
                "max_upload_bytes": self.settings.max_upload_bytes,
                "max_deadline_seconds": self.settings.max_deadline_seconds,
                "max_retain_seconds": self.settings.max_retain_seconds,
            },
        )

    def openapi(self, call: Call) -> Response:
        """The document, whose module is loaded when somebody asks: cold starts do not pay for it."""
        from sheetrun.service.web.openapi import document

        return answer(200, document(call.request.base, self.settings), {"Cache-Control": "public, max-age=300"})

    def docs(self, call: Call) -> Response:
        """The document as a page."""
        from sheetrun.service.web.openapi import PAGE

        return Response(status=200, body=PAGE, headers={"Content-Type": "text/html; charset=utf-8"})
