"""The API as one function from a gateway's event to its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sheetrun.jobs.errors import Forbidden, Rejected, StepFailed, StepRetryable
from sheetrun.records import dataclass
from sheetrun.service.access import Access
from sheetrun.service.ports import Clock, Log
from sheetrun.service.web.http import Request, Response, event_answer, request_of
from sheetrun.service.web.problems import fault, problem
from sheetrun.service.web.router import Call, Route, Router
from sheetrun.settings import Settings

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id",
}
_PREFLIGHT = {
    **_CORS,
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "authorization, content-type, idempotency-key, if-none-match, last-event-id, prefer, x-api-key"
    ),
    "Access-Control-Max-Age": "600",
}


@dataclass(frozen=True, slots=True)
class Api:
    """Finds the route, checks the key, calls the handler; every way out is an answer."""

    router: Router
    access: Access
    clock: Clock
    settings: Settings
    log: Log

    def handle(self, event: Mapping[str, Any], *, remaining: float) -> dict[str, Any]:
        """``remaining``: seconds until the function is stopped from outside."""
        begun = self.clock.monotonic()
        request = request_of(event, public_url=self.settings.public_url, remaining=remaining)
        route, answered = self._answer(request)
        response = answered.with_headers({**_CORS, "X-Request-Id": request.request_id})
        if request.method == "HEAD":
            response = Response(status=response.status, headers=response.headers)
        self.log.info(
            "request",
            method=request.method,
            path=request.path,
            route=route,
            status=response.status,
            ms=int((self.clock.monotonic() - begun) * 1000),
            request_id=request.request_id,
        )
        if response.status in (429, 503):
            self.log.warning("turned_away", answer=str(response.status), route=route, request_id=request.request_id)
        return event_answer(response)

    def _answer(self, request: Request) -> tuple[str, Response]:
        """The route's template, and what it answers."""
        if request.method == "OPTIONS":
            return "preflight", Response(status=204, headers=_PREFLIGHT)
        try:
            route, path = self.router.find(request.method, request.path)
        except Rejected as rejection:
            return "none", problem(request, rejection)
        return f"{route.method} {route.template}", self._call(request, route, path)

    def _call(self, request: Request, route: Route, path: Mapping[str, str]) -> Response:
        try:
            who = None
            if route.scope is not None:
                who = self.access.caller(request.api_key)
                if route.scope not in who.scopes:
                    raise Forbidden(
                        f"This key has no {route.scope!r} scope; it has {', '.join(sorted(who.scopes))}.",
                        code="missing_scope",
                        extra={"scope": route.scope},
                    )
            return route.handler(Call(request=request, path=path, who=who))
        except Rejected as rejection:
            extra = rejection.extra.pop("headers", {})
            return problem(request, rejection).with_headers(extra)
        except (StepRetryable, StepFailed) as broken:
            self.log.error("request_failed", request_id=request.request_id, code=broken.code, detail=broken.detail)
            return fault(
                request,
                status=503,
                code="dependency_unavailable",
                title="A part of the service does not answer",
                detail="Try again in a moment.",
            )
        except Exception as bug:  # the last guard before the gateway: a caller must get a problem document
            self.log.error("request_bug", request_id=request.request_id, kind=type(bug).__name__, detail=repr(bug))
            return fault(
                request,
                status=500,
                code="internal_error",
                title="The service met a fault of its own",
                detail="It was logged under the request's id.",
            )
