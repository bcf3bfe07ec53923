"""A client's receivers: registered, listed, given a new secret, taken out; and the log of what was sent to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from sheetrun.jobs import webhooks
from sheetrun.jobs.errors import Conflict, NotFound, Raced, StepRetryable, Unprocessable
from sheetrun.jobs.job import rfc3339
from sheetrun.jobs.webhooks import TEST, TYPES, Delivery, DeliveryStatus, Endpoint, Guard, Secret
from sheetrun.records import dataclass
from sheetrun.service.outgoing import DeliveryPage, Webhooks
from sheetrun.service.ports import Clock, Ids, Log, Queues
from sheetrun.service.signing import new_secret
from sheetrun.settings import Settings

MOST = 100  #: endpoints of one client
TRIES = 8


def origin(url: str) -> str:
    """``https://example.com:8443`` of a URL: what jobs' receivers share an endpoint by."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def message_to_send(delivery: Delivery, *, waited: int = 0) -> dict[str, object]:
    """What the queue of the deliver function carries for an attempt."""
    return {
        "client": delivery.client,
        "endpoint": delivery.endpoint,
        "delivery": delivery.id,
        "number": delivery.number,
        "waited": waited,
    }


@dataclass(frozen=True, slots=True)
class Receivers:
    """All of them raise ``NotFound`` for another client's endpoint."""

    store: Webhooks
    queues: Queues
    clock: Clock
    ids: Ids
    settings: Settings
    log: Log

    def register(self, client: str, url: str, events: Sequence[str], description: str, *, as_id: str) -> Endpoint:
        """The same id again gives the endpoint that is there. Raises ``Unprocessable`` when there are too many."""
        self._room(client, as_id)
        endpoint = Endpoint(
            id=as_id,
            client=client,
            url=url,
            events=tuple(sorted(set(events))) or TYPES,
            description=description,
            secrets=(Secret(key=new_secret(self.ids)),),
            created_at=self.clock.now(),
        )
        self.log.info("webhook_registered", client=client, endpoint=as_id)
        return self.store.add_endpoint(endpoint)

    def of_job(self, client: str, url: str) -> Endpoint:
        """The endpoint by which a job's own ``webhook_url`` is signed and guarded: one per origin."""
        name = "whk_" + hashlib.sha256(f"{client}\n{origin(url)}".encode()).hexdigest()[:26]
        known = self.store.get_endpoint(client, name)
        if known is not None:
            return known
        self._room(client, name)
        endpoint = Endpoint(
            id=name,
            client=client,
            url=origin(url),
            description="Receiver of jobs' webhook_url at this origin",
            secrets=(Secret(key=new_secret(self.ids)),),
            created_at=self.clock.now(),
            of_jobs=True,
        )
        return self.store.add_endpoint(endpoint)

    def expect(self, client: str, url: str) -> None:
        """A job will name this URL: its secret can be had before the job ends. Raises ``Unprocessable``."""
        if all(endpoint.of_jobs or endpoint.url != url for endpoint in self.store.endpoints(client)):
            self.of_job(client, url)

    def _room(self, client: str, name: str) -> None:
        known = self.store.endpoints(client)
        if len(known) >= MOST and all(endpoint.id != name for endpoint in known):
            raise Unprocessable(
                f"There are {MOST} webhook endpoints, which is the limit; delete one.", code="too_many_webhooks"
            )

    def one(self, client: str, endpoint_id: str) -> Endpoint:
        endpoint = self.store.get_endpoint(client, endpoint_id)
        if endpoint is None:
            raise NotFound(f"There is no webhook endpoint {endpoint_id}.", code="webhook_not_found")
        return endpoint

    def all(self, client: str) -> Sequence[Endpoint]:
        return self.store.endpoints(client)

    def guard(self, endpoint: Endpoint) -> Guard:
        return self.store.guard(endpoint.id)

    def drop(self, client: str, endpoint_id: str) -> None:
        """Deliveries that are still pending end as failed when their turn comes."""
        self.one(client, endpoint_id)
        self.store.drop_endpoint(client, endpoint_id)
        self.log.info("webhook_deleted", client=client, endpoint=endpoint_id)

    def rotate(self, client: str, endpoint_id: str, overlap_seconds: int) -> Endpoint:
        """A new secret; the old one signs beside it for the overlap."""
        key = new_secret(self.ids)
        overlap = timedelta(seconds=overlap_seconds)
        return self._change(
            client, endpoint_id, lambda known: webhooks.rotated(known, key, self.clock.now(), overlap=overlap)
        )

    def enable(self, client: str, endpoint_id: str) -> Endpoint:
        """Sends again to an endpoint that was disabled."""
        return self._change(client, endpoint_id, webhooks.enabled)

    def _change(self, client: str, endpoint_id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        for _ in range(TRIES):
            changed = change(self.one(client, endpoint_id))
            try:
                self.store.save_endpoint(changed)
            except Raced:
                continue
            return changed
        raise StepRetryable("contended", "the endpoint is being changed by others")

    def test(self, client: str, endpoint_id: str) -> Delivery:
        """Sends an event of type ``webhook.test``, to try a receiver."""
        endpoint = self.one(client, endpoint_id)
        if endpoint.of_jobs:
            raise Conflict("This is the origin of jobs' webhook_url; it has no URL of its own.", code="not_registered")
        now = self.clock.now()
        unique = self.ids.job_id(now).removeprefix("job_")
        body = json.dumps({"type": TEST, "timestamp": rfc3339(now), "data": {"endpoint": endpoint.id}})
        delivery = Delivery(
            id=f"dlv_{unique}",
            endpoint=endpoint.id,
            client=client,
            message_id=f"msg_{unique}",
            type=TEST,
            url=endpoint.url,
            created_at=now,
            expires_at=now + timedelta(seconds=self.settings.webhook_log_seconds),
            body=body,
            due_at=now,
            look_at=now + timedelta(seconds=self.settings.patience_seconds),
        )
        self.store.add_delivery(delivery)
        self._send(delivery)
        return delivery

    def deliveries(
        self, client: str, endpoint_id: str, *, status: DeliveryStatus | None, after: str | None, limit: int
    ) -> DeliveryPage:
        """The log, newest first."""
        self.one(client, endpoint_id)
        page = self.store.deliveries(endpoint_id, status=status, after=after, limit=limit)
        now = self.clock.now()
        return replace(page, deliveries=tuple(one for one in page.deliveries if one.expires_at > now))

    def delivery(self, client: str, endpoint_id: str, delivery_id: str) -> Delivery:
        self.one(client, endpoint_id)
        found = self.store.get_delivery(endpoint_id, delivery_id)
        if found is None or found.expires_at <= self.clock.now():
            raise NotFound(f"There is no delivery {delivery_id}.", code="delivery_not_found")
        return found

    def replay(self, client: str, endpoint_id: str, delivery_id: str) -> Delivery:
        """Sends it once more, under the same ``webhook-id``. Raises ``Conflict`` while it is pending or its job gone."""
        delivery = self.delivery(client, endpoint_id, delivery_id)
        if delivery.status is DeliveryStatus.PENDING:
            raise Conflict("The delivery is pending: it is sent by itself.", code="delivery_pending")
        if self.kept_body(delivery) is None:
            raise Conflict("The job of this delivery is not kept any more.", code="job_expired")
        patience = timedelta(seconds=self.settings.patience_seconds)
        again = webhooks.replayed(delivery, self.clock.now(), patience=patience)
        try:
            self.store.save_delivery(again)
        except Raced:
            raise Conflict("The delivery was changed at the same time.", code="delivery_pending") from None
        self._send(again)
        return again

    def kept_body(self, delivery: Delivery) -> str | None:
        """What is sent; None when its job is not kept any more."""
        if delivery.job_id is None:
            return delivery.body
        if delivery.body_until is not None and delivery.body_until <= self.clock.now():
            return None
        return self.store.body(delivery.job_id, delivery.event or 0)

    def _send(self, delivery: Delivery) -> None:
        """What the queue does not take now, the sweep sends."""
        try:
            self.queues.post(message_to_send(delivery))
        except StepRetryable as fault:
            self.log.warning("delivery_deferred", delivery=delivery.id, why=fault.code)
