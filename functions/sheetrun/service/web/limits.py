"""Admission at the door of the API: each client's bucket of creating requests."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sheetrun.jobs.errors import QuotaExceeded, Rejected
from sheetrun.jobs.limits import Admission, BucketPolicy
from sheetrun.service.ports import Clock, Ids, Limits
from sheetrun.service.web.http import Response
from sheetrun.settings import Settings


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Only what creates work is metered; looking, cancelling and health are never refused."""

    limits: Limits
    clock: Clock
    ids: Ids
    settings: Settings

    @property
    def policy(self) -> BucketPolicy:
        return BucketPolicy(name="jobs", quota=self.settings.requests_per_minute, window=60)

    def admit(self, client: str, *, cost: int = 1) -> Mapping[str, str]:
        """The RateLimit headers of the answer. Raises ``QuotaExceeded``."""
        admission = self.limits.take(client, self.policy, self.clock.now(), cost=cost)
        if not admission.admitted:
            after = admission.retry_after + math.ceil(self.ids.jitter() * 2)
            raise QuotaExceeded(
                f"More than {self.policy.quota} creating requests in {self.policy.window} s.",
                retry_after=after,
                extra={
                    "violated-policies": [self.policy.name],
                    "limit": self.policy.quota,
                    "window_seconds": self.policy.window,
                    "remaining": admission.remaining,
                    "headers": headers(admission),
                },
            )
        return headers(admission)

    def metered(self, client: str, make: Callable[[], Response]) -> Response:
        """What ``make`` answers, with the RateLimit headers; on a refusal too, for it was counted as well."""
        limits = self.admit(client)
        try:
            return make().with_headers(limits)
        except Rejected as rejection:
            rejection.extra["headers"] = {**limits, **rejection.extra.get("headers", {})}
            raise

    def look(self, client: str) -> Admission:
        """The client's bucket as it is."""
        return self.limits.peek(client, self.policy, self.clock.now())


def headers(admission: Admission) -> dict[str, str]:
    """``RateLimit-Policy`` and ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers)."""
    policy = admission.policy
    return {
        "RateLimit-Policy": f'"{policy.name}";q={policy.quota};w={policy.window}',
        "RateLimit": f'"{policy.name}";r={admission.remaining};t={admission.reset}',
    }
