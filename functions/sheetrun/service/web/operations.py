"""Routes about the service itself: capacity, limits, the OpenAPI document and its page."""

from __future__ import annotations

from dataclasses import dataclass

from sheetrun.service.ports import Clock, JobFilter, Ledger, Queues
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
        mine = self._own(client)
        under_way = self.ledger.under_way()
        depth = self.queues.depth()
        running = min(under_way, depth.running)
        limit = self.settings.max_jobs
        return answer(
            200,
            {
                "at_capacity": under_way >= limit,
                "service": {
                    "running": running,
                    "queued": under_way - running,
                    "limit": limit,
                    "messages": dict(depth.waiting),
                },
                "client": {
                    **mine,
                    "at_capacity": sum(mine.values()) >= self.settings.max_client_jobs,
                    "limit": self.settings.max_client_jobs,
                },
            },
        )

    def _own(self, client: str) -> dict[str, int]:
        counts = {"queued": 0, "running": 0}
        after: str | None = None
        for _ in range(10):
            page = self.ledger.page(client, JobFilter(), after=after, limit=100)
            for job in page.jobs:
                if not job.ended:
                    counts["running" if job.leased(self.clock.now()) else "queued"] += 1
            after = page.after
            if after is None:
                break
        return counts

    def limits(self, call: Call) -> Response:
        """The caller's buckets."""
        state = self.gate.look(call.caller.client)
        policy = state.policy
        return answer(
            200,
            {
                "limits": [
                    {
                        "name": policy.name,
                        "unit": "requests",
                        "limit": policy.quota,
                        "window_seconds": policy.window,
                        "remaining": state.remaining,
                        "reset_seconds": state.reset,
                    }
                ],
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
