"""Admission at the door of the API: each client's bucket of creating requests, and what is told of all its limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Final

from sheetrun.jobs.errors import QuotaExceeded, Rejected
from sheetrun.jobs.limits import DAY, Admission, Allowance, BucketPolicy, days_since_epoch, seconds_left_of_day
from sheetrun.records import dataclass
from sheetrun.service.allowances import Allowances
from sheetrun.service.ports import Clock, Ids, Ledger, Limits
from sheetrun.service.web.http import Response


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit as clients see it; ``window`` and ``reset`` in seconds, None where time alone brings nothing back."""

    name: str
    unit: str
    limit: int
    remaining: int
    window: int | None = None
    reset: int | None = None

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "limit": self.limit,
            "remaining": self.remaining,
            "window_seconds": self.window,
            "reset": self.reset,
        }


_TOKENS_OF: Final = 600  #: one token at a time of buckets up to twice this size, ten of one with 6,000
_TOKENS_LAST: Final = timedelta(seconds=5)


@dataclass(slots=True)
class _Tokens:
    """Tokens of a client's bucket that this process has taken, and not given out yet."""

    policy: BucketPolicy
    admission: Admission
    until: datetime
    left: int


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Only what creates work is metered; looking, cancelling and health are never refused."""

    limits: Limits
    ledger: Ledger
    allowances: Allowances
    clock: Clock
    ids: Ids
    _tokens: dict[str, _Tokens] = field(default_factory=dict)

    def metered(self, client: str, make: Callable[[], Response], *, cost: int = 1) -> Response:
        """What ``make`` answers, with the RateLimit headers; on a refusal too, for it was counted as well.

        Raises ``QuotaExceeded``.
        """
        allowance = self.allowances.of(client)
        admission = self.limits.take(client, allowance.bucket, self.clock.now(), cost=cost)
        if not admission.admitted:
            policy = allowance.bucket
            raise QuotaExceeded(
                f"More than {policy.quota} creating requests in {policy.window} s"
                + (f": these are {cost} at once." if cost > 1 else "."),
                retry_after=admission.retry_after + math.ceil(self.ids.jitter() * 2),
                extra={
                    "violated-policies": [policy.name],
                    "limit": policy.quota,
                    "window_seconds": policy.window,
                    "remaining": admission.remaining,
                    "headers": self._headers(client, allowance, admission),
                },
            )
        try:
            return make().with_headers(self._headers(client, allowance, admission))
        except Rejected as rejection:
            told = self._headers(client, allowance, admission)
            rejection.extra["headers"] = {**told, **rejection.extra.get("headers", {})}
            raise

    def called(self, client: str, make: Callable[[], Response]) -> Response:
        """As ``metered``, from the bucket of calls that are computed at once. Its own headers alone: every read counts
        in the time of such a call. For the same reason a process takes several tokens of a large bucket at a time."""
        policy = self.allowances.of(client).calls
        admission, spare = self._spare(client, policy)
        headers = {
            "RateLimit-Policy": f'"{policy.name}";q={policy.quota};w={policy.window}',
            "RateLimit": f'"{policy.name}";r={admission.remaining + spare};t={admission.reset}',
        }
        if not admission.admitted:
            raise QuotaExceeded(
                f"More than {policy.quota} calls of models in {policy.window} s.",
                retry_after=admission.retry_after + math.ceil(self.ids.jitter() * 2),
                extra={
                    "violated-policies": [policy.name],
                    "limit": policy.quota,
                    "window_seconds": policy.window,
                    "remaining": admission.remaining,
                    "headers": headers,
                },
            )
        try:
            return make().with_headers(headers)
        except Rejected as rejection:
            rejection.extra["headers"] = {**headers, **rejection.extra.get("headers", {})}
            raise

    def _spare(self, client: str, policy: BucketPolicy) -> tuple[Admission, int]:
        """What the bucket said when tokens were last taken, and how many of those are left after this call's."""
        now = self.clock.now()
        known = self._tokens.get(client)
        if known is not None and known.left and known.policy == policy and now < known.until:
            known.left -= 1
            return known.admission, known.left
        if len(self._tokens) > 1000:
            self._tokens.clear()
        many = max(1, policy.quota // _TOKENS_OF)
        admission = self.limits.take(client, policy, now, cost=many)
        if not admission.admitted and many > 1:
            many, admission = 1, self.limits.take(client, policy, now)
        if admission.admitted:
            self._tokens[client] = _Tokens(policy, admission, now + _TOKENS_LAST, many - 1)
        return admission, many - 1

    def quotas(self, client: str) -> list[Quota]:
        """All limits of a client, as they are."""
        allowance = self.allowances.of(client)
        admission = self.limits.peek(client, allowance.bucket, self.clock.now())
        running = self.ledger.load(client).running
        under_way = self.ledger.under_way(client)
        calls = self.limits.peek(client, allowance.calls, self.clock.now())
        return [
            *self._metered(client, allowance, admission),
            Quota(calls.policy.name, "requests", calls.policy.quota, calls.remaining, calls.policy.window, calls.reset),
            Quota("running-jobs", "concurrent-requests", allowance.running_jobs, left(allowance.running_jobs, running)),
            Quota("jobs-under-way", "jobs", allowance.jobs_under_way, left(allowance.jobs_under_way, under_way)),
        ]

    def _metered(self, client: str, allowance: Allowance, admission: Admission) -> list[Quota]:
        now = self.clock.now()
        uploads, size = self.ledger.spent(client, days_since_epoch(now))
        reset = seconds_left_of_day(now)
        policy = admission.policy
        return [
            Quota(policy.name, "requests", policy.quota, admission.remaining, policy.window, admission.reset),
            Quota(
                "uploads", "uploads", allowance.uploads_per_day, left(allowance.uploads_per_day, uploads), DAY, reset
            ),
            Quota("bytes", "content-bytes", allowance.bytes_per_day, left(allowance.bytes_per_day, size), DAY, reset),
        ]

    def _headers(self, client: str, allowance: Allowance, admission: Admission) -> Mapping[str, str]:
        """``RateLimit-Policy`` and ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers)."""
        quotas = self._metered(client, allowance, admission)
        units = {"bytes": ';qu="content-bytes"'}
        return {
            "RateLimit-Policy": ", ".join(
                f'"{q.name}";q={q.limit};w={q.window}{units.get(q.name, "")}' for q in quotas
            ),
            "RateLimit": ", ".join(f'"{q.name}";r={q.remaining};t={q.reset}' for q in quotas),
        }


def left(limit: int, used: int) -> int:
    return max(0, limit - used)
