"""The deliver function: finds who is to be told of an event, and tells them.

::

    end of a job ─► {job_id, event} ──► a delivery per receiver, then the event leaves the outbox
                                             │
                    {endpoint, delivery, number} ◄── now, or delayed, or by the sweep when it is due
                                             ▼
                       lease and breaker ── wait ─► the same message, later
                                             ▼
                       POST, signed ─► succeeded · due again · failed

Every move is conditional, and the sweep looks after what was not moved in time: each event is told at least once, under
one ``webhook-id`` however often that is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sheetrun import __version__
from sheetrun.jobs import webhooks
from sheetrun.jobs.errors import Raced, StepRetryable, Unprocessable
from sheetrun.jobs.events import Event
from sheetrun.jobs.job import Job, rfc3339
from sheetrun.jobs.webhooks import Attempt, Delivery, Endpoint, Protection, Wait
from sheetrun.records import dataclass
from sheetrun.service.ids import ulid
from sheetrun.service.metrics import Counters
from sheetrun.service.outgoing import Sender, SendFailed, Webhooks
from sheetrun.service.ports import Clock, Ids, Ledger, Log, Queues
from sheetrun.service.receivers import Receivers, message_to_send
from sheetrun.service.signing import signed_headers
from sheetrun.service.views import job_view
from sheetrun.settings import Settings

TRIES = 8
AT_ONCE = 100
ROUNDS = 20  #: of so many deliveries that one sweep sends
LONGEST_DELAY = 900  #: seconds that the queue can hold a message back
LONGEST_WAIT = 60  #: seconds between two looks at a receiver that is busy
AGENT = f"Sheetrun/{__version__} (webhooks)"


@dataclass(frozen=True, slots=True)
class Courier:
    """One message is one call of ``handle``; ``sweep`` is for what time brings about."""

    ledger: Ledger
    store: Webhooks
    counters: Counters
    queues: Queues
    sender: Sender
    receivers: Receivers
    clock: Clock
    ids: Ids
    settings: Settings
    log: Log

    def handle(self, message: Mapping[str, Any]) -> None:
        """Raises ``ValueError`` for a message that is not ours, ``StepRetryable`` when it must come back."""
        try:
            if "event" in message:
                self.tell(str(message["job_id"]), int(message["event"]))
            else:
                self.deliver(
                    str(message["client"]),
                    str(message["endpoint"]),
                    str(message["delivery"]),
                    int(message["number"]),
                    waited=int(message.get("waited", 0)),
                )
        except (KeyError, TypeError) as problem:
            raise ValueError(f"not a message of deliveries: {problem}") from None

    # ---- who is told --------------------------------------------------------------------------------------------

    def tell(self, job_id: str, number: int) -> None:
        """A delivery per receiver of an event. Twice is no harm: the ids are the same."""
        job = self.ledger.get(job_id)
        found = self.ledger.events(job_id, after=number - 1, limit=1)
        if job is None or not found or found[0].number != number:
            return  # deleted meanwhile: there is nothing to tell any more
        event = found[0]
        told = self._told(job, event)
        if told:
            self.store.add_body(job.id, number, self._body(job, event), job.expires_at)
        for endpoint, url in told:
            delivery = self.store.add_delivery(self._delivery(job, event, endpoint, url))
            if delivery.number == 1 and not delivery.tries:
                self._post(delivery, 0)
        if self.store.told(job_id, number):
            self.counters.add(_ended(job, event))

    def _told(self, job: Job, event: Event) -> list[tuple[Endpoint, str]]:
        """Endpoints that want the event; the job's own URL, unless one of them has it already."""
        found = [
            (endpoint, endpoint.url)
            for endpoint in self.store.endpoints(job.client)
            if not endpoint.of_jobs and endpoint.disabled is None and event.type in endpoint.events
        ]
        if job.webhook_url is not None and all(url != job.webhook_url for _, url in found):
            try:
                found.append((self.receivers.of_job(job.client, job.webhook_url), job.webhook_url))
            except Unprocessable as full:
                self.log.warning("webhook_dropped", job_id=job.id, why=full.code)
        return found

    def _body(self, job: Job, event: Event) -> str:
        view = job_view(job, self.settings.public_url.rstrip("/"))
        view |= {"state": event.type.removeprefix("job."), "running": False}  # it may have been retried meanwhile
        if view["report"] is not None:  # thin: the counts, not the lists of cells
            view["report"] = {name: value for name, value in view["report"].items() if not isinstance(value, list)}
        if view["error"] is not None:
            view["error"]["errors"] = view["error"]["errors"][:10]
        document = {"type": event.type, "timestamp": rfc3339(event.at), "data": view}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    def _delivery(self, job: Job, event: Event, endpoint: Endpoint, url: str) -> Delivery:
        now = self.clock.now()
        seed = hashlib.sha256(f"{job.id}\n{event.number}\n{endpoint.id}".encode()).digest()
        return Delivery(
            id=f"dlv_{ulid(event.at, seed[:10])}",
            endpoint=endpoint.id,
            client=job.client,
            message_id=f"msg_{job.id.removeprefix('job_')}_{event.number}",
            type=event.type,
            url=url,
            created_at=now,
            expires_at=now + timedelta(seconds=self.settings.webhook_log_seconds),
            job_id=job.id,
            event=event.number,
            body_until=job.expires_at,
            due_at=now,
            look_at=now + self._patience,
        )

    # ---- telling ------------------------------------------------------------------------------------------------

    def deliver(self, client: str, endpoint_id: str, delivery_id: str, number: int, *, waited: int) -> None:
        """One attempt, or a later one."""
        delivery = self.store.get_delivery(endpoint_id, delivery_id)
        lease = timedelta(seconds=self.settings.webhook_seconds + self.settings.lease_margin_seconds)
        if delivery is None or webhooks.begun(delivery, number, self.clock.now(), lease=lease) is None:
            self.log.info("delivery_stale", delivery=delivery_id, number=number)
            return
        endpoint = self.store.get_endpoint(client, endpoint_id)
        body = self.receivers.kept_body(delivery)
        if endpoint is None or endpoint.disabled is not None or body is None:
            reason = "job_expired" if body is None else "endpoint_disabled" if endpoint else "endpoint_deleted"
            self._save(webhooks.given_up(delivery, reason))
            return
        if delivery.tries >= len(self.settings.webhook_schedule):  # every worker at it has died
            self._save(webhooks.given_up(delivery, "attempts_exhausted"))
            return
        entered = self._enter(endpoint_id, delivery_id, lease)
        if isinstance(entered, Wait):
            self._wait(delivery, entered, waited)
            return
        begun = webhooks.begun(delivery, number, self.clock.now(), lease=lease)
        if begun is None or not self._save(begun):
            self._leave(endpoint_id, delivery_id, succeeded=None)
            return
        attempt, retry_after = self._attempt(endpoint, begun, body)
        self._leave(endpoint_id, delivery_id, succeeded=attempt.succeeded)
        self._settle(endpoint, begun, attempt, retry_after)
        self._count(begun, attempt)

    def _attempt(self, endpoint: Endpoint, delivery: Delivery, body: str) -> tuple[Attempt, int | None]:
        begun, now = self.clock.monotonic(), self.clock.now()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": AGENT,
            **signed_headers(endpoint.signing(now), delivery.message_id, body, now),
        }
        status, error, response, retry_after = None, None, "", None
        try:
            sent = self.sender.send(delivery.url, body.encode(), headers, seconds=float(self.settings.webhook_seconds))
            status, response, retry_after = sent.status, sent.response, sent.retry_after
        except SendFailed as failure:
            error = failure.code
        duration = int((self.clock.monotonic() - begun) * 1000)
        attempt = Attempt(at=now, duration_ms=duration, status=status, error=error, response=response)
        return attempt, retry_after

    def _count(self, delivery: Delivery, attempt: Attempt) -> None:
        self.log.info(
            "delivery_attempted",
            job_id=delivery.job_id,
            endpoint=delivery.endpoint,
            delivery=delivery.id,
            attempt=delivery.tries,
            outcome=attempt.outcome,
            status=attempt.status,
            duration_ms=attempt.duration_ms,
        )
        self.counters.add(
            {
                f"sheetrun_webhook_attempts_total:{attempt.outcome}": 1,
                f"sheetrun_webhook_seconds_total:{attempt.outcome}": attempt.duration_ms / 1000,
            }
        )

    def _settle(self, endpoint: Endpoint, delivery: Delivery, attempt: Attempt, retry_after: int | None) -> None:
        after = webhooks.attempted(
            delivery,
            attempt,
            schedule=self.settings.webhook_schedule,
            jitter=self.ids.jitter(),
            retry_after=retry_after,
            patience=self._patience,
        )
        if after.due_at is not None:
            seconds = int((after.due_at - self.clock.now()).total_seconds()) + 1
            if seconds > LONGEST_DELAY:
                after = replace(after, look_at=after.due_at)
            if self._save(after) and seconds <= LONGEST_DELAY:
                self._post(after, seconds)
            return
        self._save(after)
        if after.reason is not None:
            self.log.warning("delivery_failed", job_id=after.job_id, delivery=after.id, why=after.reason)
            self._perhaps_disable(endpoint, after.reason)

    def _perhaps_disable(self, endpoint: Endpoint, reason: str) -> None:
        """410 says that a registered receiver is gone; long failure says so too. A job's own URL is only that job's."""
        if endpoint.of_jobs:
            return
        why = "gone"
        if reason != "gone":
            since = self.store.guard(endpoint.id).failing_since
            patience = timedelta(seconds=self.settings.webhook_disable_seconds)
            if since is None or self.clock.now() - since < patience:
                return
            why = "failing"
        for _ in range(TRIES):
            known = self.store.get_endpoint(endpoint.client, endpoint.id)
            if known is None or known.disabled is not None:
                return
            try:
                self.store.save_endpoint(webhooks.disabled(known, why))
            except Raced:
                continue
            self.log.warning("webhook_disabled", client=endpoint.client, endpoint=endpoint.id, why=why)
            return

    # ---- leases -------------------------------------------------------------------------------------------------

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self.settings.patience_seconds)

    @property
    def _rules(self) -> Protection:
        return Protection(
            failures=self.settings.webhook_breaker_failures,
            pause=self.settings.webhook_breaker_seconds,
            longest_pause=max(3600, self.settings.webhook_breaker_seconds),
            at_once=self.settings.webhook_concurrency,
        )

    def _enter(self, endpoint_id: str, delivery_id: str, lease: timedelta) -> Wait | None:
        for _ in range(TRIES):
            entered = webhooks.enter(
                self.store.guard(endpoint_id), delivery_id, self.clock.now(), lease=lease, rules=self._rules
            )
            if isinstance(entered, Wait):
                return entered
            try:
                self.store.save_guard(endpoint_id, entered)
            except Raced:
                continue
            return None
        return Wait(1, "busy")

    def _leave(self, endpoint_id: str, delivery_id: str, *, succeeded: bool | None) -> None:
        """``succeeded`` None: there was no attempt. A lease that cannot be given back runs out by itself."""
        for _ in range(TRIES):
            guard = self.store.guard(endpoint_id)
            if succeeded is None:
                leases = {name: until for name, until in guard.leases.items() if name != delivery_id}
                after = replace(guard, leases=leases, rev=guard.rev + 1)
            else:
                after = webhooks.leave(guard, delivery_id, self.clock.now(), succeeded=succeeded, rules=self._rules)
            try:
                self.store.save_guard(endpoint_id, after)
            except Raced:
                continue
            return
        self.log.warning("lease_kept", endpoint=endpoint_id, delivery=delivery_id)

    def _wait(self, delivery: Delivery, wait: Wait, waited: int) -> None:
        """Later, and later each time: a thousand deliveries must not knock at a slow receiver's door each second."""
        seconds = max(wait.seconds, min(LONGEST_WAIT, 2**waited))
        seconds = min(LONGEST_DELAY, int(seconds * (1 + self.ids.jitter() / 2)) + 1)
        self.log.info("delivery_waits", delivery=delivery.id, why=wait.reason, seconds=seconds)
        look = self.clock.now() + timedelta(seconds=seconds) + self._patience
        if self._save(replace(delivery, look_at=look, rev=delivery.rev + 1)):
            self._post(delivery, seconds, waited=min(waited + 1, 10))

    # ---- writing ------------------------------------------------------------------------------------------------

    def _save(self, delivery: Delivery) -> bool:
        """Whether nobody was faster."""
        try:
            self.store.save_delivery(delivery)
        except Raced:
            self.log.info("delivery_stale", delivery=delivery.id, number=delivery.number)
            return False
        return True

    def _post(self, delivery: Delivery, seconds: int, *, waited: int = 0) -> None:
        try:
            self.queues.post(message_to_send(delivery, waited=waited), delay=seconds)
        except StepRetryable as fault:  # the sweep sends it
            self.log.warning("delivery_deferred", delivery=delivery.id, why=fault.code)

    # ---- time ---------------------------------------------------------------------------------------------------

    def sweep(self) -> dict[str, int]:
        """Events whose message was lost, and deliveries that are due or whose worker died."""
        now = self.clock.now()
        untold = self.store.untold(now - self._patience, limit=AT_ONCE)
        for job_id, event in untold:
            self.queues.post({"job_id": job_id, "event": event})
        sent: set[str] = set()
        for _ in range(ROUNDS):
            overdue = [one for one in self.store.overdue(now, limit=AT_ONCE) if one.id not in sent]
            for delivery in overdue:
                sent.add(delivery.id)
                if self._save(replace(delivery, look_at=now + self._patience, rev=delivery.rev + 1)):
                    self.queues.post(message_to_send(delivery))
            if not overdue:
                break
        return {"told": len(untold), "redelivered": len(sent)}


def _ended(job: Job, event: Event) -> dict[str, float]:
    """What the end of a job adds to the counters."""
    state = event.type.removeprefix("job.")
    counted: dict[str, float] = {
        f"sheetrun_jobs_ended_total:{state}": 1,
        f"sheetrun_job_seconds_total:{state}": (event.at - job.created_at).total_seconds(),
    }
    for stage, milliseconds in job.durations.items():
        counted[f"sheetrun_stage_seconds_total:{stage}"] = milliseconds / 1000
        counted[f"sheetrun_stage_runs_total:{stage}"] = 1
    return counted
