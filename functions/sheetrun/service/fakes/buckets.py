"""Buckets in memory."""

from __future__ import annotations

from datetime import datetime

from sheetrun.jobs.limits import MICROSECONDS, Admission, BucketPolicy, take
from sheetrun.service.fakes.locked import Locked


class MemoryBuckets(Locked):
    """``Limits``."""

    def __init__(self) -> None:
        super().__init__()
        self._buckets: dict[tuple[str, str], int] = {}

    def take(self, owner: str, policy: BucketPolicy, now: datetime, *, cost: int = 1) -> Admission:
        with self._lock:
            moment = int(now.timestamp() * MICROSECONDS)
            admission = take(policy, self._buckets.get((owner, policy.name), 0), moment, cost=cost)
            self._buckets[(owner, policy.name)] = admission.full_at
            return admission

    def peek(self, owner: str, policy: BucketPolicy, now: datetime) -> Admission:
        with self._lock:
            return take(policy, self._buckets.get((owner, policy.name), 0), int(now.timestamp() * MICROSECONDS), cost=0)
