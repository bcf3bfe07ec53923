"""What webhooks need from the world, as roles (the other ports are in ``ports``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sheetrun.jobs.errors import SheetrunError
from sheetrun.jobs.webhooks import Delivery, DeliveryStatus, Endpoint, Guard
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Newest first; ``after`` is the id to go on from, None at the end."""

    deliveries: tuple[Delivery, ...]
    after: str | None


class Webhooks(Protocol):
    """Endpoints, their guards, deliveries, and what is still to be told. Every write of a version is conditional."""

    def add_endpoint(self, endpoint: Endpoint) -> Endpoint:
        """Keeps it unless the id is known already; the one that is kept."""

    def save_endpoint(self, endpoint: Endpoint) -> None:
        """Raises ``Raced`` unless the kept one is at ``rev - 1``."""

    def get_endpoint(self, client: str, endpoint_id: str) -> Endpoint | None: ...

    def endpoints(self, client: str) -> Sequence[Endpoint]:
        """All of a client's, newest first."""

    def drop_endpoint(self, client: str, endpoint_id: str) -> None: ...

    def guard(self, endpoint_id: str) -> Guard: ...

    def save_guard(self, endpoint_id: str, guard: Guard) -> None:
        """Raises ``Raced`` unless the kept one is at ``rev - 1`` (0: there is none)."""

    def add_delivery(self, delivery: Delivery) -> Delivery:
        """Keeps it unless the id is known already; the one that is kept."""

    def save_delivery(self, delivery: Delivery) -> None:
        """Raises ``Raced`` unless the kept one is at ``rev - 1``."""

    def get_delivery(self, endpoint_id: str, delivery_id: str) -> Delivery | None: ...

    def deliveries(
        self, endpoint_id: str, *, status: DeliveryStatus | None, after: str | None, limit: int
    ) -> DeliveryPage: ...

    def overdue(self, now: datetime, *, limit: int) -> Sequence[Delivery]:
        """Deliveries that somebody must look after (``look_at``)."""

    def add_body(self, job_id: str, event: int, body: str, expires_at: datetime) -> str:
        """The body by which an event is told, unless there is one already; the one that is kept. Goes with its job."""

    def body(self, job_id: str, event: int) -> str | None: ...

    def untold(self, before: datetime, *, limit: int) -> Sequence[tuple[str, int]]:
        """Ends of jobs (job, event number) that were written before a time and whose receivers were not looked for."""

    def told(self, job_id: str, event: int) -> bool:
        """The deliveries of an event are all written. Whether that is news: of many callers, one hears yes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A receiver's answer. ``retry_after`` in seconds; ``response`` the beginning of the body as text."""

    status: int
    retry_after: int | None = None
    response: str = ""


class SendFailed(SheetrunError):
    """No answer: ``code`` is name_unknown, address_refused, connection_failed, tls_failed, timeout, bad_answer."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Sender(Protocol):
    """One POST to a receiver; redirects are answers like others."""

    def send(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Sent:
        """Raises ``SendFailed``. ``seconds`` limits the whole exchange."""
