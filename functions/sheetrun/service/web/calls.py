"""The routes that compute: calculate, goal seek, data tables, the difference of two versions. A function of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sheetrun.jobs.errors import Unprocessable
from sheetrun.records import dataclass
from sheetrun.service.callrequests import calculate_request, goal_request, table_request
from sheetrun.service.calls import Calls
from sheetrun.service.web.http import Request, Response, answer
from sheetrun.service.web.limits import Gatekeeper
from sheetrun.service.web.models import COMPUTING
from sheetrun.service.web.router import Call, Route
from sheetrun.settings import Settings

_MOST = 5_500_000  #: bytes of an answer; AWS Lambda takes six million
_MARGIN = 1.5  #: seconds that are left for the answer


@dataclass(frozen=True, slots=True)
class CallRoutes:
    """Handlers, one per route."""

    calls: Calls
    gate: Gatekeeper
    settings: Settings

    def routes(self) -> list[Route]:
        handlers = (self.calculate, self.goal_seek, self.data_table, self.diff)
        return [
            Route(method=method, template=template, handler=handler, scope="read" if method == "GET" else "submit")
            for (method, template), handler in zip(COMPUTING, handlers, strict=True)
        ]

    def calculate(self, call: Call) -> Response:
        """``POST …/calculate``."""
        return self._computed(call, calculate_request, self.calls.calculate)

    def goal_seek(self, call: Call) -> Response:
        """``POST …/goal-seek``."""
        return self._computed(call, goal_request, self.calls.goal_seek)

    def data_table(self, call: Call) -> Response:
        """``POST …/data-table``."""
        return self._computed(call, table_request, self.calls.data_table)

    def diff(self, call: Call) -> Response:
        """``GET …/diff?from=&to=``: from a version, by default the one before, to another, by default the newest."""
        client, model_id = call.caller.client, call.path["id"]
        after = call.request.integer("to", 0, 1, 10**6) or self.calls.models.find(client, model_id).number
        before = call.request.integer("from", 0, 1, 10**6) or max(1, after - 1)
        seconds = call.request.remaining - _MARGIN
        return self.gate.called(client, lambda: _answer(self.calls.diff(client, model_id, before, after, seconds)))

    def _computed(
        self, call: Call, read: Callable[[Any], Any], use: Callable[[str, str, Any, float], dict[str, Any]]
    ) -> Response:
        def make() -> Response:
            request = read(_body(call.request, self.settings))
            found = use(call.caller.client, call.path["id"], request, call.request.remaining - _MARGIN)
            return _answer(found)

        return self.gate.called(call.caller.client, make)


def _answer(document: dict[str, Any]) -> Response:
    """Raises ``Unprocessable`` for more than a gateway lets through."""
    found = answer(200, document)
    if len(found.body) > _MOST:
        raise Unprocessable(
            f"The answer has {len(found.body):,} bytes; at most {_MOST:,} go through. Ask for fewer cells.",
            code="answer_too_large",
        )
    return found


def _body(request: Request, settings: Settings) -> Any:
    return request.json(settings.max_body_bytes)
