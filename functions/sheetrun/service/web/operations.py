"""Routes about the service itself: health, capacity, limits, the OpenAPI document and its page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sheetrun import __version__
from sheetrun.jobs.errors import SheetrunError
from sheetrun.jobs.job import rfc3339
from sheetrun.service.allowances import Allowances
from sheetrun.service.ports import Blobs, Clock, Ledger, Queues
from sheetrun.service.web.http import Response, answer
from sheetrun.service.web.limits import Gatekeeper
from sheetrun.service.web.router import Call, Route
from sheetrun.settings import Settings


@dataclass(frozen=True, slots=True)
class OperationRoutes:
    """None of these is ever refused for load."""

    ledger: Ledger
    blobs: Blobs
    queues: Queues
    clock: Clock
    settings: Settings
    gate: Gatekeeper
    allowances: Allowances

    def routes(self) -> list[Route]:
        return [
            Route(method="GET", template="/v1/health", handler=self.health, scope=None),
            Route(method="GET", template="/v1/capacity", handler=self.capacity),
            Route(method="GET", template="/v1/limits", handler=self.limits),
            Route(method="GET", template="/v1/metrics", handler=self.metrics, scope="operate"),
            Route(method="GET", template="/v1/openapi.json", handler=self.openapi, scope=None),
            Route(method="GET", template="/v1/docs", handler=self.docs, scope=None),
        ]

    def health(self, call: Call) -> Response:
        """200 healthy, or 503 with the dependency that does not answer."""
        checks = {
            "object_store": _state(self.blobs.check),
            "queues": _state(self.queues.check),
            "table": _state(self.ledger.check),
        }
        healthy = all(line["status"] == "healthy" for line in checks.values())
        body = {
            "status": "healthy" if healthy else "unhealthy",
            "version": __version__,
            "stage": self.settings.stage,
            "at": rfc3339(self.clock.now()),
            "dependencies": checks,
        }
        return answer(200 if healthy else 503, body, {"Cache-Control": "no-store"})

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

    def metrics(self, call: Call) -> Response:
        """Gauges in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats)."""
        depth = self.queues.depth()
        lines = [
            *_gauge("sheetrun_jobs_under_way", "Jobs that have not ended.", [("", self.ledger.under_way())]),
            *_gauge("sheetrun_jobs_limit", "Jobs under way that the service takes.", [("", self.settings.max_jobs)]),
            *_gauge(
                "sheetrun_jobs_running", "Jobs that have a place among the running.", [("", self.ledger.running())]
            ),
            *_gauge("sheetrun_steps_running", "Messages that functions are working on.", [("", depth.running)]),
            *_gauge(
                "sheetrun_queue_messages",
                "Messages that wait, by queue.",
                [(f'{{queue="{name}"}}', count) for name, count in sorted(depth.waiting.items())],
            ),
        ]
        return Response(
            status=200,
            body="\n".join(lines) + "\n",
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store"},
        )

    def openapi(self, call: Call) -> Response:
        """The document, whose module is loaded when somebody asks: cold starts do not pay for it."""
        from sheetrun.service.web.openapi import document

        return answer(200, document(call.request.base, self.settings), {"Cache-Control": "public, max-age=300"})

    def docs(self, call: Call) -> Response:
        """The document as a page."""
        from sheetrun.service.web.openapi import PAGE

        return Response(status=200, body=PAGE, headers={"Content-Type": "text/html; charset=utf-8"})


def _gauge(name: str, text: str, values: Sequence[tuple[str, int]]) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} gauge", *(f"{name}{labels} {value}" for labels, value in values)]


def _state(check: Callable[[], None]) -> dict[str, str]:
    try:
        check()
    except SheetrunError as problem:
        return {"status": "unhealthy", "detail": problem.detail}
    return {"status": "healthy"}
