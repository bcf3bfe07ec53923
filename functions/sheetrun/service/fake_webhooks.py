"""The ports of webhooks and of operators in memory: conditional like the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sheetrun.jobs.errors import Raced
from sheetrun.jobs.webhooks import Delivery, DeliveryStatus, Endpoint, Guard
from sheetrun.service.fakes import MemoryTable
from sheetrun.service.letters import Letter, LetterPage
from sheetrun.service.outgoing import DeliveryPage, Sent


class MemoryWebhooks:
    """``Webhooks``, beside the jobs of a ``MemoryTable``."""

    def __init__(self, table: MemoryTable) -> None:
        self._table = table
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self._guards: dict[str, Guard] = {}
        self._deliveries: dict[tuple[str, str], Delivery] = {}

    def add_endpoint(self, endpoint: Endpoint) -> Endpoint:
        return self._endpoints.setdefault((endpoint.client, endpoint.id), endpoint)

    def save_endpoint(self, endpoint: Endpoint) -> None:
        kept = self._endpoints.get((endpoint.client, endpoint.id))
        if kept is None or kept.rev != endpoint.rev - 1:
            raise Raced(f"{endpoint.id} was changed")
        self._endpoints[(endpoint.client, endpoint.id)] = endpoint

    def get_endpoint(self, client: str, endpoint_id: str) -> Endpoint | None:
        return self._endpoints.get((client, endpoint_id))

    def endpoints(self, client: str) -> Sequence[Endpoint]:
        mine = [endpoint for endpoint in self._endpoints.values() if endpoint.client == client]
        return sorted(mine, key=lambda endpoint: endpoint.id, reverse=True)

    def drop_endpoint(self, client: str, endpoint_id: str) -> None:
        self._endpoints.pop((client, endpoint_id), None)

    def guard(self, endpoint_id: str) -> Guard:
        return self._guards.get(endpoint_id, Guard())

    def save_guard(self, endpoint_id: str, guard: Guard) -> None:
        if self.guard(endpoint_id).rev != guard.rev - 1:
            raise Raced(f"the guard of {endpoint_id} was changed")
        self._guards[endpoint_id] = guard

    def add_delivery(self, delivery: Delivery) -> Delivery:
        return self._deliveries.setdefault((delivery.endpoint, delivery.id), delivery)

    def save_delivery(self, delivery: Delivery) -> None:
        kept = self._deliveries.get((delivery.endpoint, delivery.id))
        if kept is None or kept.rev != delivery.rev - 1:
            raise Raced(f"{delivery.id} was changed")
        self._deliveries[(delivery.endpoint, delivery.id)] = delivery

    def get_delivery(self, endpoint_id: str, delivery_id: str) -> Delivery | None:
        return self._deliveries.get((endpoint_id, delivery_id))

    def deliveries(
        self, endpoint_id: str, *, status: DeliveryStatus | None, after: str | None, limit: int
    ) -> DeliveryPage:
        found = [
            delivery
            for (endpoint, name), delivery in sorted(self._deliveries.items(), reverse=True)
            if endpoint == endpoint_id
            and (after is None or name < after)
            and (status is None or delivery.status is status)
        ]
        page = tuple(found[:limit])
        return DeliveryPage(page, page[-1].id if len(found) > limit else None)

    def overdue(self, now: datetime, *, limit: int) -> Sequence[Delivery]:
        found = [d for d in self._deliveries.values() if d.look_at is not None and d.look_at <= now]
        return sorted(found, key=lambda d: d.look_at or now)[:limit]

    def add_body(self, job_id: str, event: int, body: str, expires_at: datetime) -> str:
        return self._table.bodies[job_id].setdefault(event, body)

    def body(self, job_id: str, event: int) -> str | None:
        return self._table.bodies.get(job_id, {}).get(event)

    def untold(self, before: datetime, *, limit: int) -> Sequence[tuple[str, int]]:
        return [place for place, at in sorted(self._table.untold.items()) if at < before][:limit]

    def told(self, job_id: str, event: int) -> bool:
        return self._table.untold.pop((job_id, event), None) is not None


class MemorySender:
    """Keeps what was sent, as (url, body, headers), and answers as ``answer`` does (200 by default)."""

    def __init__(self, answer: Callable[[str], Sent] | None = None) -> None:
        self.sent: list[tuple[str, bytes, dict[str, str]]] = []
        self.answer = answer or (lambda url: Sent(status=200))

    def send(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Sent:
        self.sent.append((url, body, dict(headers)))
        return self.answer(url)


class MemoryOperations:
    """``metrics.Counters`` and ``letters.Letters``."""

    def __init__(self) -> None:
        self._counted: dict[str, float] = {}
        self._letters: dict[str, Letter] = {}

    def add(self, amounts: Mapping[str, float]) -> None:
        for name, amount in amounts.items():
            self._counted[name] = self._counted.get(name, 0) + amount

    def totals(self) -> Mapping[str, float]:
        return dict(self._counted)

    def keep(self, letter: Letter) -> None:
        self._letters[letter.id] = letter

    def letter(self, letter_id: str) -> Letter | None:
        return self._letters.get(letter_id)

    def letters(self, *, after: str | None, limit: int) -> LetterPage:
        names = sorted((name for name in self._letters if after is None or name < after), reverse=True)
        page = tuple(self._letters[name] for name in names[:limit])
        return LetterPage(page, page[-1].id if len(names) > limit else None)

    def drop(self, letter_id: str) -> None:
        self._letters.pop(letter_id, None)
