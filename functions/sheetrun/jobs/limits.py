"""Limits as decisions: given what is stored and the time, may this pass, and if not, when. Pure arithmetic.

Four nouns: *bucket* (requests per minute), *window* (uploads and bytes per day), *lease* (jobs running), *gate* (queue
depth).
"""

from __future__ import annotations

import math
import zlib
from datetime import datetime

from sheetrun.records import dataclass

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPolicy:
    """``quota`` requests per ``window`` seconds, all of them at once if the bucket is full."""

    name: str
    quota: int
    window: int

    def filling(self, cost: int) -> int:
        """Microseconds in which ``cost`` tokens come back."""
        return -(-cost * self.window * MICROSECONDS // self.quota)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """``remaining`` and ``reset`` (seconds until one more, or until full) go into the RateLimit header.

    ``full_at`` is all that is kept of a bucket: when it will be full again, in microseconds since the epoch (the
    generic cell rate algorithm). So taking is one addition, under one condition, and many callers need not take turns.
    """

    policy: BucketPolicy
    admitted: bool
    full_at: int
    remaining: int
    reset: int
    retry_after: int = 0


def take(policy: BucketPolicy, full_at: int, now: int, *, cost: int = 1) -> Admission:
    """Takes ``cost`` tokens of a bucket, or says when they will be there. A clock that went back gives nothing."""
    after = max(full_at, now) + policy.filling(cost)
    if after <= now + policy.window * MICROSECONDS:
        return taken(policy, after, now)
    wait = after - now - policy.window * MICROSECONDS
    seconds = max(1, min(math.ceil(wait / MICROSECONDS), policy.window))
    return Admission(
        policy=policy,
        admitted=False,
        full_at=full_at,
        remaining=_left(policy, full_at, now),
        reset=seconds,
        retry_after=seconds,
    )


def taken(policy: BucketPolicy, full_at: int, now: int) -> Admission:
    """The answer after tokens were taken."""
    return Admission(
        policy=policy,
        admitted=True,
        full_at=full_at,
        remaining=_left(policy, full_at, now),
        reset=math.ceil(max(0, full_at - now) / MICROSECONDS),
    )


def _left(policy: BucketPolicy, full_at: int, now: int) -> int:
    free = now + policy.window * MICROSECONDS - max(full_at, now)
    return max(0, free * policy.quota // (policy.window * MICROSECONDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one client may do; each number is a setting, and may be another one for a client.

    Requests are creating ones, calls those of models that are computed at once. A job is *running* from the moment when
    it gets its place among the workers until its end, and *under way* from its creation. Days are UTC's.
    """

    requests_per_minute: int
    calls_per_minute: int
    uploads_per_day: int
    bytes_per_day: int
    running_jobs: int
    jobs_under_way: int

    @property
    def bucket(self) -> BucketPolicy:
        return BucketPolicy(name="jobs", quota=self.requests_per_minute, window=60)

    @property
    def calls(self) -> BucketPolicy:
        return BucketPolicy(name="calls", quota=self.calls_per_minute, window=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Uploads and bytes that a write counts against a client's day, and the limits that must hold with them."""

    client: str
    day: int
    uploads: int = 0
    bytes: int = 0
    most_uploads: int
    most_bytes: int


def spend_of(client: str, allowance: Allowance, now: datetime, *, uploads: int = 0, size: int = 0) -> Spend:
    """On the day of ``now``."""
    return Spend(
        client=client,
        day=days_since_epoch(now),
        uploads=uploads,
        bytes=size,
        most_uploads=allowance.uploads_per_day,
        most_bytes=allowance.bytes_per_day,
    )


def seconds_left_of_day(now: datetime) -> int:
    """Until the UTC day ends: when daily quotas begin anew."""
    return DAY - int(now.timestamp()) % DAY


DAY = 86_400


def backoff(attempt: int, schedule: tuple[int, ...]) -> int:
    """Seconds to wait after the ``attempt``-th failure (1-based); the last entry repeats."""
    return schedule[min(attempt, len(schedule)) - 1]


def days_since_epoch(now: datetime) -> int:
    """The number of the UTC day: the window of daily quotas."""
    return int(now.timestamp()) // DAY


GATE_SHARDS = 8
SMALL_GATE = 2_000  #: up to here one counter is exact and fast enough


def gate_shards(most: int) -> int:
    """Over how many counters a gate of ``most`` places is spread."""
    return 1 if most <= SMALL_GATE else GATE_SHARDS


def gate_of(job_id: str, most: int) -> int:
    """The counter that a job is counted by."""
    return zlib.crc32(job_id.encode()) % gate_shards(most)
