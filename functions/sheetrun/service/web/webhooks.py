"""The routes of webhooks: endpoints, their secrets, the log of deliveries, replay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sheetrun.jobs.errors import Unprocessable
from sheetrun.jobs.job import rfc3339
from sheetrun.jobs.webhooks import TYPES, Attempt, Delivery, DeliveryStatus, Endpoint, Guard
from sheetrun.records import dataclass
from sheetrun.service.allowances import is_whole
from sheetrun.service.ports import Clock, Ids
from sheetrun.service.receivers import Receivers
from sheetrun.service.requests import webhook_problem
from sheetrun.service.web.http import Request, Response, answer
from sheetrun.service.web.replay import Replay
from sheetrun.service.web.router import Call, Route
from sheetrun.settings import Settings

_FIELDS = ("url", "events", "description")
LONGEST_OVERLAP = 2_592_000


@dataclass(frozen=True, slots=True)
class WebhookRoutes:
    """Handlers, one per route."""

    receivers: Receivers
    clock: Clock
    ids: Ids
    settings: Settings
    replayed: Replay

    def routes(self) -> list[Route]:
        one = "/v1/webhooks/{id}"
        log = f"{one}/deliveries"
        return [
            Route(method="POST", template="/v1/webhooks", handler=self.register, scope="submit"),
            Route(method="GET", template="/v1/webhooks", handler=self.list),
            Route(method="GET", template=one, handler=self.one),
            Route(method="DELETE", template=one, handler=self.drop, scope="submit"),
            Route(method="GET", template=f"{one}/secret", handler=self.secret, scope="submit"),
            Route(method="POST", template=f"{one}/rotate", handler=self.rotate, scope="submit"),
            Route(method="POST", template=f"{one}/enable", handler=self.enable, scope="submit"),
            Route(method="POST", template=f"{one}/test", handler=self.test, scope="submit"),
            Route(method="GET", template=log, handler=self.deliveries),
            Route(method="GET", template=f"{log}/{{delivery}}", handler=self.delivery),
            Route(method="POST", template=f"{log}/{{delivery}}/replay", handler=self.replay, scope="submit"),
        ]

    def register(self, call: Call) -> Response:
        """``POST /v1/webhooks``: the answer holds the secret."""
        url, events, description = self._request(call.request.json(self.settings.max_body_bytes))

        def make(as_id: str) -> Response:
            endpoint = self.receivers.register(call.caller.client, url, events, description, as_id=as_id)
            view = endpoint_view(endpoint, Guard(), call.request.base, self.clock.now())
            return answer(201, {**view, "secret": endpoint.secrets[0].key}, {"Location": view["urls"]["self"]})

        subject = "whk_" + self.ids.job_id(self.clock.now()).removeprefix("job_")
        return self.replayed.once(call, subject, make)

    def _request(self, body: Any) -> tuple[str, tuple[str, ...], str]:
        """Raises ``Unprocessable`` with every fault."""
        if not isinstance(body, dict):
            raise _wrong([("$", "type", "must be a JSON object")])
        faults = [(name, "unknown_field", "no such field") for name in body if name not in _FIELDS]
        url, events, description = body.get("url"), body.get("events"), body.get("description")
        if url is None:
            faults.append(("url", "required", "is required"))
        elif not isinstance(url, str) or len(url) > 2048:
            faults.append(("url", "type", "must be a URL of at most 2048 characters"))
        elif (problem := webhook_problem(url, private=self.settings.webhook_private)) is not None:
            faults.append(("url", "url", problem))
        if events is not None and (
            not isinstance(events, list) or not events or any(event not in TYPES for event in events)
        ):
            faults.append(("events", "choice", f"must be a list of some of {', '.join(TYPES)}"))
        if description is not None and (not isinstance(description, str) or len(description) > 255):
            faults.append(("description", "type", "must be text of at most 255 characters"))
        if faults:
            raise _wrong(faults)
        return str(url), tuple(events or TYPES), description or ""

    def list(self, call: Call) -> Response:
        """``GET /v1/webhooks``: a page, newest first."""
        request = call.request
        limit, after = request.integer("limit", 20, 1, 100), request.cursor()
        found = [one for one in self.receivers.all(call.caller.client) if not after or one.id < after]
        page, more = found[:limit], len(found) > limit
        views = [self._view(endpoint, request) for endpoint in page]
        return _page("webhooks", views, page[-1].id if more else None, request)

    def _view(self, endpoint: Endpoint, request: Request) -> dict[str, Any]:
        return endpoint_view(endpoint, self.receivers.guard(endpoint), request.base, self.clock.now())

    def one(self, call: Call) -> Response:
        """``GET /v1/webhooks/{id}``."""
        endpoint = self.receivers.one(call.caller.client, call.path["id"])
        return answer(200, self._view(endpoint, call.request))

    def drop(self, call: Call) -> Response:
        """``DELETE /v1/webhooks/{id}``."""
        self.receivers.drop(call.caller.client, call.path["id"])
        return Response(status=204)

    def secret(self, call: Call) -> Response:
        """``GET …/secret``: what receivers verify with; two while one replaces the other."""
        endpoint = self.receivers.one(call.caller.client, call.path["id"])
        return answer(200, self._secrets(endpoint), {"Cache-Control": "no-store"})

    def _secrets(self, endpoint: Endpoint) -> dict[str, Any]:
        now = self.clock.now()
        live = [secret for secret in endpoint.secrets if secret.until is None or secret.until > now]
        return {
            "secret": live[0].key,
            "previous": [{"secret": one.key, "until": _time(one.until)} for one in live[1:]],
        }

    def rotate(self, call: Call) -> Response:
        """``POST …/rotate``: a new secret; ``overlap_seconds`` says how long the old one signs on."""
        overlap = self.settings.webhook_overlap_seconds
        if call.request.body.strip():
            body = call.request.json(self.settings.max_body_bytes)
            overlap = _overlap(body, overlap)
        endpoint = self.receivers.rotate(call.caller.client, call.path["id"], overlap)
        return answer(200, {**self._view(endpoint, call.request), **self._secrets(endpoint)})

    def enable(self, call: Call) -> Response:
        """``POST …/enable``: after 410 or long failure."""
        return answer(200, self._view(self.receivers.enable(call.caller.client, call.path["id"]), call.request))

    def test(self, call: Call) -> Response:
        """``POST …/test``: sends an event of type ``webhook.test``."""
        delivery = self.receivers.test(call.caller.client, call.path["id"])
        return self._accepted(delivery, call)

    def _accepted(self, delivery: Delivery, call: Call) -> Response:
        view = delivery_view(delivery, call.request.base)
        return answer(202, view, {"Location": view["urls"]["self"]})

    def deliveries(self, call: Call) -> Response:
        """``GET …/deliveries``: the log, newest first."""
        request = call.request
        status = request.one("status")
        if status and status not in tuple(DeliveryStatus):
            raise _wrong([("status", "choice", f"must be one of {', '.join(DeliveryStatus)}")], "invalid_parameter")
        page = self.receivers.deliveries(
            call.caller.client,
            call.path["id"],
            status=DeliveryStatus(status) if status else None,
            after=request.cursor(),
            limit=request.integer("limit", 20, 1, 100),
        )
        views = [delivery_view(delivery, request.base) for delivery in page.deliveries]
        return _page("deliveries", views, page.after, request)

    def delivery(self, call: Call) -> Response:
        """``GET …/deliveries/{delivery}``."""
        found = self.receivers.delivery(call.caller.client, call.path["id"], call.path["delivery"])
        return answer(200, delivery_view(found, call.request.base))

    def replay(self, call: Call) -> Response:
        """``POST …/replay``: once more, under the same ``webhook-id``."""
        return self._accepted(self.receivers.replay(call.caller.client, call.path["id"], call.path["delivery"]), call)


def endpoint_view(endpoint: Endpoint, guard: Guard, base: str, now: datetime) -> dict[str, Any]:
    """An endpoint as clients see it; never its secret."""
    root = f"{base}/v1/webhooks/{endpoint.id}"
    open_now = guard.open_until is not None and guard.open_until > now
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "description": endpoint.description,
        "of_jobs": endpoint.of_jobs,
        "status": "enabled" if endpoint.disabled is None else "disabled",
        "disabled_reason": endpoint.disabled,
        "failing_since": _time(guard.failing_since),
        "paused_until": _time(guard.open_until) if open_now else None,
        "created_at": rfc3339(endpoint.created_at),
        "urls": {"self": root, "deliveries": f"{root}/deliveries"},
    }


def delivery_view(delivery: Delivery, base: str) -> dict[str, Any]:
    """A line of the log."""
    root = f"{base}/v1/webhooks/{delivery.endpoint}/deliveries/{delivery.id}"
    return {
        "id": delivery.id,
        "endpoint": delivery.endpoint,
        "webhook_id": delivery.message_id,
        "type": delivery.type,
        "job": delivery.job_id,
        "url": delivery.url,
        "status": delivery.status.value,
        "reason": delivery.reason,
        "next_attempt_at": _time(delivery.due_at),
        "attempts": [_attempt_view(attempt) for attempt in delivery.attempts],
        "created_at": rfc3339(delivery.created_at),
        "urls": {"self": root, "replay": f"{root}/replay"},
    }


def _attempt_view(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": rfc3339(attempt.at),
        "status_code": attempt.status,
        "error": attempt.error,
        "duration_ms": attempt.duration_ms,
        "response": attempt.response,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _page(name: str, views: list[dict[str, Any]], after: str | None, request: Request) -> Response:
    headers: dict[str, str] = {}
    link = None
    if after is not None:
        again = {key: values for key, values in request.query.items() if key != "after"}
        link = f"{request.base}{request.path}?{urlencode({**again, 'after': after}, doseq=True)}"
        headers["Link"] = f'<{link}>; rel="next"'
    return answer(200, {name: views, "after": after, "next": link}, headers)


def _overlap(body: Any, default: int) -> int:
    if not isinstance(body, Mapping):
        raise _wrong([("$", "type", "must be a JSON object")])
    faults = [(name, "unknown_field", "no such field") for name in body if name != "overlap_seconds"]
    value = body.get("overlap_seconds")
    if value is None:
        value = default
    elif not is_whole(value, 0, LONGEST_OVERLAP):
        faults.append(("overlap_seconds", "range", f"must be a whole number from 0 to {LONGEST_OVERLAP}"))
    if faults:
        raise _wrong(faults)
    return int(value)


def _wrong(faults: list[tuple[str, str, str]], code: str = "invalid_request") -> Unprocessable:
    errors = [{"path": path, "code": kind, "detail": detail} for path, kind, detail in faults]
    if len(faults) == 1:
        return Unprocessable(f"{faults[0][0]}: {faults[0][2]}", code=code, errors=errors)
    return Unprocessable(f"{len(faults)} fields do not validate.", code=code, errors=errors)
