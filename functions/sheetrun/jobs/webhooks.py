"""Webhooks as values and decisions: who is told what, when to try again, when to leave a receiver in peace. Pure.

A delivery::

    pending ──attempt: 2xx──────────────────────────────► succeeded
       ▲  └── anything else: due again as the schedule says, until it has no more entries ──► failed
       └──────────── replay (by hand), from succeeded or failed

A receiver (an *endpoint*) has a circuit breaker and leases, so that one that is slow or down costs nobody else::

    closed ──so many failures in a row──► open ──after a pause──► half-open: one probe ──2xx──► closed
                                            ▲──────── anything else: a pause twice as long ──┘

Waiting for a lease or for the breaker uses up no attempt. Source of the wire format and of the schedule:
https://www.standardwebhooks.com/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sheetrun.jobs.states import ENDED
from sheetrun.records import dataclass

#: What receivers can be told: how a job ended.
TYPES: tuple[str, ...] = tuple(sorted(f"job.{state.value}" for state in ENDED))
TEST = "webhook.test"
KEPT_ATTEMPTS = 30  #: of a delivery's log, the newest


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """``whsec_`` and base64; signs until ``until``, or for good."""

    key: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A receiver. ``of_jobs``: it was not registered, jobs name URLs of this origin as their ``webhook_url``."""

    id: str
    client: str
    url: str
    secrets: tuple[Secret, ...]
    created_at: datetime
    events: tuple[str, ...] = TYPES
    description: str = ""
    of_jobs: bool = False
    disabled: str | None = None  #: why nothing is sent any more: "gone", "failing"
    rev: int = 1

    def signing(self, now: datetime) -> tuple[str, ...]:
        """The secrets that sign now, the newest first."""
        return tuple(secret.key for secret in self.secrets if secret.until is None or secret.until > now)


def rotated(endpoint: Endpoint, key: str, now: datetime, *, overlap: timedelta) -> Endpoint:
    """A new secret; the one before signs beside it for the time of ``overlap``, older ones no more."""
    before = [replace(secret, until=now + overlap) for secret in endpoint.secrets if secret.until is None]
    kept = tuple(before) if overlap else ()
    return replace(endpoint, secrets=(Secret(key=key), *kept), rev=endpoint.rev + 1)


def disabled(endpoint: Endpoint, reason: str) -> Endpoint:
    return replace(endpoint, disabled=reason, rev=endpoint.rev + 1)


def enabled(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, disabled=None, rev=endpoint.rev + 1)


# ---- a receiver's state ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What protects a receiver, and everybody else from it. ``leases``: delivery -> until when it may be at it."""

    failures: int = 0  #: in a row
    failing_since: datetime | None = None
    open_until: datetime | None = None  #: the breaker; past it: half-open
    pause: int = 0  #: seconds of the last opening
    leases: Mapping[str, datetime] = field(default_factory=dict)
    rev: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """The settings of guards: failures in a row until the breaker opens, pauses in seconds, requests at once."""

    failures: int
    pause: int
    longest_pause: int
    at_once: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now; again in about ``seconds``."""

    seconds: int
    reason: str  #: "circuit_open", "busy"


def enter(guard: Guard, delivery: str, now: datetime, *, lease: timedelta, rules: Protection) -> Guard | Wait:
    """The guard with a lease for the delivery, or how long to stay away."""
    live = {name: until for name, until in guard.leases.items() if until > now and name != delivery}
    most = rules.at_once
    if guard.open_until is not None:
        if now < guard.open_until:
            return Wait(_seconds(guard.open_until - now), "circuit_open")
        most = 1
    if len(live) >= most:
        return Wait(1, "busy")
    return replace(guard, leases={**live, delivery: now + lease}, rev=guard.rev + 1)


def leave(guard: Guard, delivery: str, now: datetime, *, succeeded: bool, rules: Protection) -> Guard:
    """The guard after an attempt."""
    leases = {name: until for name, until in guard.leases.items() if until > now and name != delivery}
    if succeeded:
        return Guard(leases=leases, rev=guard.rev + 1)
    failures = guard.failures + 1
    opened, pause = guard.open_until, guard.pause
    if failures >= rules.failures and (opened is None or now >= opened):
        pause = min(rules.longest_pause, pause * 2 if pause else rules.pause)
        opened = now + timedelta(seconds=pause)
    return Guard(
        failures=failures,
        failing_since=guard.failing_since or now,
        open_until=opened,
        pause=pause,
        leases=leases,
        rev=guard.rev + 1,
    )


def _seconds(span: timedelta) -> int:
    return max(1, int(span.total_seconds()) + 1)


# ---- a delivery -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request. ``status`` is the receiver's, None when there was no answer: then ``error`` says why."""

    at: datetime
    duration_ms: int
    status: int | None = None
    error: str | None = None
    response: str = ""  #: the beginning of the answer's body

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """``succeeded``, the class of the status (``4xx``), or why there was no answer."""
        if self.succeeded:
            return "succeeded"
        return f"{self.status // 100}xx" if self.status is not None else self.error or "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one receiver. ``message_id`` (``webhook-id``) is the event's: the same at every attempt.

    ``number`` is the number on the one message that may start the next attempt; ``tries`` counts attempts since the
    event or its last replay, ``look_at`` is when ``sweep`` must look after it.
    """

    id: str
    endpoint: str
    client: str
    message_id: str
    type: str
    url: str
    created_at: datetime
    expires_at: datetime
    job_id: str | None = None
    event: int | None = None  #: the job's event; its body is kept with the job,
    body_until: datetime | None = None  #: and as long as the job is
    body: str | None = None  #: of a test, which belongs to no job
    status: DeliveryStatus = DeliveryStatus.PENDING
    reason: str | None = None  #: why it failed for good
    attempts: tuple[Attempt, ...] = ()
    tries: int = 0
    number: int = 1
    due_at: datetime | None = None
    lease_until: datetime | None = None
    look_at: datetime | None = None
    rev: int = 1


def begun(delivery: Delivery, number: int, now: datetime, *, lease: timedelta) -> Delivery | None:
    """The delivery with its next attempt counted; None for a message that is late, doubled or too early.

    An attempt counts when it begins: one whose worker dies is not repeated for ever.
    """
    held = delivery.lease_until is not None and delivery.lease_until > now
    early = delivery.due_at is not None and now < delivery.due_at - timedelta(seconds=1)
    if delivery.status is not DeliveryStatus.PENDING or delivery.number != number or held or early:
        return None
    until = now + lease
    return replace(delivery, tries=delivery.tries + 1, lease_until=until, look_at=until, rev=delivery.rev + 1)


def attempted(
    delivery: Delivery,
    attempt: Attempt,
    *,
    schedule: tuple[int, ...],
    jitter: float,
    retry_after: int | None,
    patience: timedelta,
) -> Delivery:
    """After an attempt: done, due again, or failed. ``jitter`` is 0..1: up to a fifth more than the schedule says."""
    now = attempt.at + timedelta(milliseconds=attempt.duration_ms)
    logged = replace(
        delivery,
        attempts=(*delivery.attempts, attempt)[-KEPT_ATTEMPTS:],
        lease_until=None,
        due_at=None,
        look_at=None,
    )
    if attempt.succeeded:
        return replace(logged, status=DeliveryStatus.SUCCEEDED, rev=delivery.rev + 1)
    if attempt.status == 410:
        return given_up(logged, "gone")
    if delivery.tries >= len(schedule):
        return given_up(logged, "attempts_exhausted")
    seconds = schedule[delivery.tries] * (1 + jitter / 5)
    if retry_after is not None:
        seconds = max(seconds, min(retry_after, max(schedule)))
    return due(logged, now + timedelta(seconds=seconds), patience=patience)


def due(delivery: Delivery, at: datetime, *, patience: timedelta) -> Delivery:
    """Pending, with a new message number, due at a time."""
    return replace(
        delivery,
        status=DeliveryStatus.PENDING,
        reason=None,
        number=delivery.number + 1,
        due_at=at,
        lease_until=None,
        look_at=at if patience == timedelta(0) else at + patience,
        rev=delivery.rev + 1,
    )


def given_up(delivery: Delivery, reason: str) -> Delivery:
    """Failed without another attempt."""
    return replace(
        delivery,
        status=DeliveryStatus.FAILED,
        reason=reason,
        due_at=None,
        lease_until=None,
        look_at=None,
        rev=delivery.rev + 1,
    )


def replayed(delivery: Delivery, now: datetime, *, patience: timedelta) -> Delivery:
    """From the start of the schedule, at once; what was tried before stays in the log."""
    return replace(due(delivery, now, patience=patience), tries=0)
