"""``client.webhooks``: who is told how jobs end, and what was sent. (``webhooks`` is for receivers: is it really ours?)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from sheetrun.client.session import Session
from sheetrun.client.values import jobs_of, parse_time
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver. ``secret`` is there after creating and rotating it; ``previous_secret`` signs on for a while."""

    id: str
    url: str
    events: tuple[str, ...]
    enabled: bool
    of_jobs: bool = False  #: not registered: jobs name URLs of this origin as their ``webhook_url``
    description: str = ""
    disabled_reason: str | None = None
    failing_since: datetime | None = None
    paused_until: datetime | None = None  #: it failed too often in a row, and is left alone until then
    secret: str | None = field(default=None, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Endpoint:
        return cls(
            id=str(raw["id"]),
            url=str(raw.get("url", "")),
            events=tuple(str(event) for event in raw.get("events", ())),
            enabled=raw.get("status") == "enabled",
            of_jobs=bool(raw.get("of_jobs")),
            description=str(raw.get("description", "")),
            disabled_reason=raw.get("disabled_reason"),
            failing_since=parse_time(raw.get("failing_since")),
            paused_until=parse_time(raw.get("paused_until")),
            secret=raw.get("secret"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a receiver verifies with: ``verify_webhook(body, headers, secrets.all)``."""

    current: str = field(repr=False)
    previous: tuple[str, ...] = field(default=(), repr=False)

    @property
    def all(self) -> tuple[str, ...]:
        return (self.current, *self.previous)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Secrets:
        return cls(str(raw["secret"]), tuple(str(one["secret"]) for one in raw.get("previous", ())))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request; ``status_code`` None: there was no answer, and ``error`` says why."""

    at: datetime | None
    status_code: int | None
    error: str | None
    duration_ms: int
    response: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event for a receiver. ``status``: pending, succeeded, failed."""

    id: str
    endpoint: str
    webhook_id: str
    type: str
    status: str
    job: str | None = None
    reason: str | None = None
    next_attempt_at: datetime | None = None
    created_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Delivery:
        return cls(
            id=str(raw["id"]),
            endpoint=str(raw.get("endpoint", "")),
            webhook_id=str(raw.get("webhook_id", "")),
            type=str(raw.get("type", "")),
            status=str(raw.get("status", "")),
            job=raw.get("job"),
            reason=raw.get("reason"),
            next_attempt_at=parse_time(raw.get("next_attempt_at")),
            created_at=parse_time(raw.get("created_at")),
            attempts=tuple(
                Attempt(
                    at=parse_time(one.get("at")),
                    status_code=one.get("status_code"),
                    error=one.get("error"),
                    duration_ms=int(one.get("duration_ms", 0)),
                    response=str(one.get("response", "")),
                )
                for one in raw.get("attempts", ())
            ),
            raw=raw,
        )


class WebhooksApi:
    """Methods raise what ``Client`` raises. An endpoint is given as itself or by its id."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, url: str, *, events: Sequence[str] | None = None, description: str | None = None) -> Endpoint:
        """Be told how jobs end; ``events`` are some of ``job.succeeded`` and so on, all by default. It has its secret."""
        body: dict[str, Any] = {"url": url}
        if events is not None:
            body["events"] = list(events)
        if description is not None:
            body["description"] = description
        answer, _ = self._session.call("POST", "/webhooks", body=body, idempotency_key=str(uuid4()))
        return Endpoint.of(answer)

    def list(self) -> Iterator[Endpoint]:
        """All endpoints, newest first."""
        for page in self._session.pages("/webhooks", {}):
            yield from (Endpoint.of(raw) for raw in jobs_of(page, "webhooks"))

    def get(self, endpoint: str | Endpoint) -> Endpoint:
        return Endpoint.of(self._session.call("GET", _route(endpoint))[0])

    def delete(self, endpoint: str | Endpoint) -> None:
        """Tell it nothing more."""
        self._session.call("DELETE", _route(endpoint))

    def secrets(self, endpoint: str | Endpoint) -> Secrets:
        """What the receiver verifies with."""
        return Secrets.of(self._session.call("GET", f"{_route(endpoint)}/secret")[0])

    def rotate(self, endpoint: str | Endpoint, *, overlap_seconds: int | None = None) -> Secrets:
        """A new secret; the old one signs beside it for the overlap (a day by default)."""
        body = {} if overlap_seconds is None else {"overlap_seconds": overlap_seconds}
        return Secrets.of(self._session.call("POST", f"{_route(endpoint)}/rotate", body=body)[0])

    def enable(self, endpoint: str | Endpoint) -> Endpoint:
        """Tell it again, after it was disabled."""
        return Endpoint.of(self._session.call("POST", f"{_route(endpoint)}/enable", repeatable=True)[0])

    def test(self, endpoint: str | Endpoint) -> Delivery:
        """Sends an event of type ``webhook.test``."""
        return Delivery.of(self._session.call("POST", f"{_route(endpoint)}/test")[0])

    def deliveries(self, endpoint: str | Endpoint, *, status: str | None = None) -> Iterator[Delivery]:
        """What was sent, newest first; ``status``: pending, succeeded or failed."""
        for page in self._session.pages(f"{_route(endpoint)}/deliveries", {"status": status}):
            yield from (Delivery.of(raw) for raw in jobs_of(page, "deliveries"))

    def delivery(self, endpoint: str | Endpoint, delivery: str | Delivery) -> Delivery:
        return Delivery.of(self._session.call("GET", _delivery_route(endpoint, delivery))[0])

    def replay(self, endpoint: str | Endpoint, delivery: str | Delivery) -> Delivery:
        """Sends it once more, under the same ``webhook-id``. 409 while it is pending."""
        return Delivery.of(self._session.call("POST", f"{_delivery_route(endpoint, delivery)}/replay")[0])


def _route(endpoint: str | Endpoint) -> str:
    name = endpoint.id if isinstance(endpoint, Endpoint) else endpoint
    if not name:
        raise ValueError("an id is needed")
    return f"/webhooks/{quote(name, safe='')}"


def _delivery_route(endpoint: str | Endpoint, delivery: str | Delivery) -> str:
    name = delivery.id if isinstance(delivery, Delivery) else delivery
    if not name:
        raise ValueError("an id is needed")
    return f"{_route(endpoint)}/deliveries/{quote(name, safe='')}"
