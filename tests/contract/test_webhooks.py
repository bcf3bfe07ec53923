"""Endpoints, guards and deliveries: the fakes and the table keep the same promises."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from sheetrun.aws.clients import Clients
from sheetrun.aws.table import DynamoLedger
from sheetrun.aws.webhooks import DynamoWebhooks
from sheetrun.jobs import arrival, webhooks
from sheetrun.jobs.errors import Raced
from sheetrun.jobs.webhooks import Attempt, Delivery, DeliveryStatus, Endpoint, Guard, Protection, Secret
from sheetrun.service.fake_webhooks import MemoryWebhooks
from sheetrun.service.fakes import MemoryTable
from sheetrun.service.outgoing import Webhooks
from sheetrun.service.ports import Ledger
from tests.contract.ports import MANY, PATIENCE, made
from tests.elsewhere import Service

# Far from now, so that the schedule of the running service leaves these deliveries alone.
NOW = datetime(2099, 1, 31, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Place:
    store: Webhooks
    ledger: Ledger
    client: str

    def endpoint(self, name: str = "") -> Endpoint:
        return Endpoint(
            id=f"whk_{self.client}{name}",
            client=self.client,
            url="https://hooks.example.com/ü?a=b",
            secrets=(Secret(key="whsec_two"), Secret(key="whsec_one", until=NOW)),
            created_at=NOW,
            events=("job.failed",),
            description="naïve",
        )

    def delivery(self, number: int = 0) -> Delivery:
        return Delivery(
            id=f"dlv_{self.client}{number:04d}",
            endpoint=f"whk_{self.client}",
            client=self.client,
            message_id="msg_1",
            type="job.failed",
            url="https://hooks.example.com/",
            created_at=NOW,
            expires_at=NOW + timedelta(days=7),
            job_id="job_1",
            event=3,
            body_until=NOW + timedelta(days=1),
            due_at=NOW,
            look_at=NOW + timedelta(seconds=number),
        )


@pytest.fixture(params=["fakes", pytest.param("aws", marks=pytest.mark.e2e)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    client = f"c{secrets.token_hex(6)}"
    if request.param == "fakes":
        table = MemoryTable()
        yield Place(MemoryWebhooks(table), table, client)
        return
    service: Service = request.getfixturevalue("service")
    clients: Clients = request.getfixturevalue("clients")
    ledger = DynamoLedger(clients, service.table, patience=PATIENCE, gates=10_000)
    yield Place(DynamoWebhooks(clients, service.table), ledger, client)


def test_endpoints(place: Place) -> None:
    endpoint = place.endpoint()
    assert place.store.get_endpoint(place.client, endpoint.id) is None
    assert place.store.add_endpoint(endpoint) == endpoint
    assert place.store.add_endpoint(replace(endpoint, url="https://other.example.com/")) == endpoint
    assert place.store.get_endpoint(place.client, endpoint.id) == endpoint
    assert place.store.get_endpoint("another", endpoint.id) is None
    gone = webhooks.disabled(endpoint, "gone")
    place.store.save_endpoint(gone)
    with pytest.raises(Raced):
        place.store.save_endpoint(gone)
    second = place.endpoint("2")
    place.store.add_endpoint(second)
    assert list(place.store.endpoints(place.client)) == [second, gone]
    place.store.drop_endpoint(place.client, endpoint.id)
    assert list(place.store.endpoints(place.client)) == [second]
    with pytest.raises(Raced):
        place.store.save_endpoint(webhooks.enabled(gone))


def test_guards(place: Place) -> None:
    name = f"whk_{place.client}"
    assert place.store.guard(name) == Guard()
    first = Guard(failures=1, failing_since=NOW, open_until=NOW, pause=60, leases={"dlv_1": NOW}, rev=1)
    place.store.save_guard(name, first)
    assert place.store.guard(name) == first
    with pytest.raises(Raced):
        place.store.save_guard(name, first)
    place.store.save_guard(name, Guard(rev=2))
    assert place.store.guard(name) == Guard(rev=2)


def test_leases_hold_under_many_callers_at_once(place: Place) -> None:
    name = f"whk_{place.client}"
    rules = Protection(failures=5, pause=60, longest_pause=3600, at_once=3)

    def enter(number: int) -> bool:
        while True:
            found = webhooks.enter(
                place.store.guard(name), f"dlv_{number}", NOW, lease=timedelta(seconds=30), rules=rules
            )
            if not isinstance(found, Guard):
                return False
            try:
                place.store.save_guard(name, found)
            except Raced:
                continue
            return True

    with ThreadPoolExecutor(8) as pool:
        entered = list(pool.map(enter, range(24)))
    assert sum(entered) == 3
    assert len(place.store.guard(name).leases) == 3


def test_deliveries(place: Place) -> None:
    delivery = place.delivery()
    assert place.store.add_delivery(delivery) == delivery
    assert place.store.add_delivery(replace(delivery, type="job.succeeded")) == delivery
    attempt = Attempt(at=NOW, duration_ms=12, status=None, error="timeout")
    done = replace(delivery, attempts=(attempt,), status=DeliveryStatus.FAILED, look_at=None, due_at=None, rev=2)
    place.store.save_delivery(done)
    assert place.store.get_delivery(delivery.endpoint, delivery.id) == done
    with pytest.raises(Raced):
        place.store.save_delivery(done)
    assert place.store.get_delivery(delivery.endpoint, "dlv_0") is None


def test_pages_of_deliveries(place: Place) -> None:
    for number in range(7):
        status = DeliveryStatus.FAILED if number % 3 == 0 else DeliveryStatus.PENDING
        place.store.add_delivery(replace(place.delivery(number), status=status))
    name = f"whk_{place.client}"
    seen: list[str] = []
    after = None
    while True:
        page = place.store.deliveries(name, status=None, after=after, limit=3)
        seen += [one.id for one in page.deliveries]
        after = page.after
        if after is None:
            break
    assert seen == sorted((place.delivery(number).id for number in range(7)), reverse=True)
    failed = place.store.deliveries(name, status=DeliveryStatus.FAILED, after=None, limit=10)
    assert [one.id[-1] for one in failed.deliveries] == ["6", "3", "0"]
    assert place.store.deliveries("whk_nobody", status=None, after=None, limit=3).deliveries == ()


def test_what_is_overdue(place: Place) -> None:
    for number in (2, 1, 50):
        place.store.add_delivery(place.delivery(number))
    settled = replace(place.delivery(3), look_at=None)
    place.store.add_delivery(settled)
    found = [one for one in place.store.overdue(NOW + timedelta(seconds=10), limit=1000) if one.client == place.client]
    assert [one.id[-1] for one in found] == ["1", "2"]


def test_ends_of_jobs_are_untold_until_they_are_told(place: Place) -> None:
    change = made(place.client, NOW)
    place.ledger.create(change, most=MANY, most_of_client=MANY)
    later = NOW + timedelta(seconds=1)

    def untold() -> list[tuple[str, int]]:
        found = place.store.untold(later + timedelta(seconds=1), limit=1000)
        return [one for one in found if one[0] == change.job.id]

    assert untold() == [], "being created is no end"
    ended = arrival.cancel(change.job, later)
    assert ended is not None
    place.ledger.save(change.job, ended)
    assert untold() == [(change.job.id, 2)]
    assert place.store.add_body(change.job.id, 2, "{}", NOW) == "{}"
    assert place.store.add_body(change.job.id, 2, "[]", NOW) == "{}"
    place.store.told(change.job.id, 2)
    assert untold() == []
    assert [event.number for event in place.ledger.events(change.job.id, after=0, limit=10)] == [1, 2]
    assert place.store.body(change.job.id, 2) == "{}"
    place.ledger.delete(ended.job)
    assert place.store.body(change.job.id, 2) is None
    place.store.told(change.job.id, 2)
    assert place.ledger.events(change.job.id, after=0, limit=10) == [], "nothing came back"
