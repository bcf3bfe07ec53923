"""Routes for whoever runs the service: health, metrics, dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING, Any

from sheetrun import __version__
from sheetrun.jobs.errors import SheetrunError
from sheetrun.jobs.job import rfc3339
from sheetrun.records import dataclass
from sheetrun.service.blobs import Blobs
from sheetrun.service.letters import Letter, Letters
from sheetrun.service.metrics import Counters, counters_text, family, gauge, text_of
from sheetrun.service.ports import Clock, Depth, Ledger, Queues
from sheetrun.service.web.http import Response, answer
from sheetrun.service.web.router import Call, Route
from sheetrun.settings import Settings

if TYPE_CHECKING:
    from sheetrun.service.burying import Redrive

REMEMBERED = 2.0  #: seconds for which health and its numbers are not asked for again: anybody may ask
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class ObservingRoutes:
    """Health needs no key, the rest is the operator's; none of them is ever refused for load."""

    ledger: Ledger
    blobs: Blobs
    queues: Queues
    counters: Counters
    letters: Letters
    redriving: Callable[[], Redrive]  #: made when an operator asks for it: cold starts do not pay for it
    clock: Clock
    settings: Settings
    _last: tuple[float, Response] | None = field(default=None)

    def routes(self) -> list[Route]:
        dead = "/v1/dead-letters"
        return [
            Route(method="GET", template="/v1/health", handler=self.health, scope=None),
            Route(method="GET", template="/v1/metrics", handler=self.metrics, scope="operate"),
            Route(method="GET", template=dead, handler=self.dead_letters, scope="operate"),
            Route(method="POST", template=f"{dead}/redrive", handler=self.redrive, scope="operate"),
            Route(method="DELETE", template=f"{dead}/{{id}}", handler=self.drop, scope="operate"),
        ]

    def health(self, call: Call) -> Response:
        """200 healthy, or 503 with the dependency that does not answer."""
        moment = self.clock.monotonic()
        if self._last is None or moment - self._last[0] >= REMEMBERED:
            self._last = (moment, self._health())
        return self._last[1]

    def _health(self) -> Response:
        checks = {
            "object_store": self._state(self.blobs.check),
            "queues": self._state(self.queues.check),
            "table": self._state(self.ledger.check),
        }
        healthy = all(line["status"] == "healthy" for line in checks.values())
        body: dict[str, Any] = {
            "status": "healthy" if healthy else "unhealthy",
            "version": __version__,
            "stage": self.settings.stage,
            "at": rfc3339(self.clock.now()),
            "dependencies": checks,
            "capacity": None,
            "concurrency": None,
        }
        if healthy:
            under_way, depth = self.ledger.under_way(), self.queues.depth()
            limit = self.settings.max_jobs
            body["capacity"] = {"under_way": under_way, "limit": limit, "at_capacity": under_way >= limit}
            body["concurrency"] = {
                "running": self.ledger.running(),
                "limit": self.settings.max_running,
                "working": depth.running,
                "waiting": dict(depth.waiting),
            }
        return answer(200 if healthy else 503, body, {"Cache-Control": "no-store"})

    def _state(self, check: Callable[[], None]) -> dict[str, Any]:
        begun = self.clock.monotonic()
        try:
            check()
        except SheetrunError as problem:
            return {"status": "unhealthy", "detail": problem.detail}
        return {"status": "healthy", "latency_ms": round((self.clock.monotonic() - begun) * 1000, 1)}

    def metrics(self, call: Call) -> Response:
        """Gauges as they are now, and what was counted since the service was deployed."""
        depth = self.queues.depth()
        lines = [
            *family(
                "sheetrun_info", "gauge", "What runs.", [({"version": __version__, "stage": self.settings.stage}, 1)]
            ),
            *gauge("sheetrun_jobs_under_way", "Jobs that have not ended.", self.ledger.under_way()),
            *gauge("sheetrun_jobs_running", "Jobs that have a place among the running.", self.ledger.running()),
            *gauge("sheetrun_jobs_running_limit", "How many may have one.", self.settings.max_running),
            *gauge("sheetrun_jobs_limit", "Jobs under way that the service takes.", self.settings.max_jobs),
            *gauge("sheetrun_jobs_running", "Jobs that have a place among the running ones.", self.ledger.running()),
            *gauge("sheetrun_steps_running", "Messages that functions are working on.", depth.running),
            *_waiting(depth),
            *counters_text(self.counters.totals()),
        ]
        return Response(
            status=200, body=text_of(lines), headers={"Content-Type": PROMETHEUS, "Cache-Control": "no-store"}
        )

    def dead_letters(self, call: Call) -> Response:
        """``GET /v1/dead-letters``: a page, newest first."""
        request = call.request
        page = self.letters.letters(after=request.cursor(), limit=request.integer("limit", 20, 1, 100))
        now = self.clock.now()
        views = [_letter_view(letter) for letter in page.letters if letter.expires_at > now]
        link, headers = None, {}
        if page.after is not None:
            link = f"{request.base}/v1/dead-letters?limit={request.integer('limit', 20, 1, 100)}&after={page.after}"
            headers["Link"] = f'<{link}>; rel="next"'
        return answer(200, {"dead_letters": views, "after": page.after, "next": link}, headers)

    def redrive(self, call: Call) -> Response:
        """``POST /v1/dead-letters/redrive``: the named ones, or the newest hundred."""
        body = call.request.json(self.settings.max_body_bytes) if call.request.body.strip() else {}
        from sheetrun.service.burying import wanted_ids

        result = self.redriving().redrive(wanted_ids(body), limit=100)
        skipped = [{"id": name, "code": code, "detail": why} for name, (code, why) in result.skipped.items()]
        return answer(200, {"redriven": list(result.done), "skipped": skipped})

    def drop(self, call: Call) -> Response:
        """``DELETE /v1/dead-letters/{id}``: nothing will come of it any more."""
        self.redriving().drop(call.path["id"])
        return Response(status=204)


def _waiting(depth: Depth) -> list[str]:
    samples = [({"queue": name}, count) for name, count in sorted(depth.waiting.items())]
    return family("sheetrun_queue_messages", "gauge", "Messages that wait, by queue.", samples)


def _letter_view(letter: Letter) -> dict[str, Any]:
    try:
        message = json.loads(letter.body)
    except ValueError:
        message = letter.body
    return {
        "id": letter.id,
        "source": letter.source.value,
        "job": letter.job_id,
        "at": rfc3339(letter.at),
        "expires_at": rfc3339(letter.expires_at),
        "receives": letter.receives,
        "message": message,
    }
