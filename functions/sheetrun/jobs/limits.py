"""Limits as decisions: given what is stored and the time, may this pass, and if not, when. Pure arithmetic.

Four nouns: *bucket* (requests per minute), *window* (bytes per day), *lease* (jobs running), *gate* (queue depth).
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPolicy:
    """``quota`` requests per ``window`` seconds, all of them at once if the bucket is full."""

    name: str
    quota: int
    window: int

    @property
    def rate(self) -> float:
        """Tokens per second."""
        return self.quota / self.window


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What is stored of a bucket: tokens at a time (seconds since the epoch)."""

    tokens: float
    at: float

    @classmethod
    def full(cls, policy: BucketPolicy, now: float) -> Bucket:
        return cls(tokens=float(policy.quota), at=now)

    def at_time(self, policy: BucketPolicy, now: float) -> Bucket:
        """Refilled up to ``now``. A clock that went back gives nothing."""
        gained = max(0.0, now - self.at) * policy.rate
        return Bucket(tokens=min(float(policy.quota), self.tokens + gained), at=max(now, self.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """``remaining`` and ``reset`` (seconds until one more, or until full) go into the RateLimit header."""

    policy: BucketPolicy
    admitted: bool
    bucket: Bucket
    remaining: int
    reset: int
    retry_after: int = 0


def take(policy: BucketPolicy, bucket: Bucket, now: float, *, cost: int = 1) -> Admission:
    """Takes ``cost`` tokens, or says when they will be there."""
    current = bucket.at_time(policy, now)
    if current.tokens + 1e-9 >= cost:
        left = Bucket(tokens=current.tokens - cost, at=current.at)
        return Admission(
            policy=policy, admitted=True, bucket=left, remaining=max(0, int(left.tokens)), reset=_full(policy, left)
        )
    wait = max(1, math.ceil((cost - current.tokens) / policy.rate))
    return Admission(
        policy=policy,
        admitted=False,
        bucket=current,
        remaining=max(0, int(current.tokens)),
        reset=wait,
        retry_after=wait,
    )


def _full(policy: BucketPolicy, bucket: Bucket) -> int:
    return math.ceil((policy.quota - bucket.tokens) / policy.rate)


def backoff(attempt: int, schedule: tuple[int, ...]) -> int:
    """Seconds to wait after the ``attempt``-th failure (1-based); the last entry repeats."""
    return schedule[min(attempt, len(schedule)) - 1]


def days_since_epoch(now: datetime) -> int:
    """The number of the UTC day: the window of daily quotas."""
    return int(now.timestamp()) // 86_400


GATE_SHARDS = 8
SMALL_GATE = 2_000  #: up to here one counter is exact and fast enough


def gate_shards(most: int) -> int:
    """Over how many counters a gate of ``most`` places is spread."""
    return 1 if most <= SMALL_GATE else GATE_SHARDS


def gate_of(job_id: str, most: int) -> int:
    """The counter that a job is counted by."""
    return zlib.crc32(job_id.encode()) % gate_shards(most)
