"""Token buckets and backoff, as arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sheetrun.jobs.limits import (
    MICROSECONDS,
    BucketPolicy,
    backoff,
    gate_of,
    gate_shards,
    seconds_left_of_day,
    take,
)

POLICY = BucketPolicy(name="jobs", quota=6, window=60)


def test_a_full_bucket_gives_its_quota_and_then_says_when() -> None:
    full_at = 0
    for left in range(5, -1, -1):
        admission = take(POLICY, full_at, 0)
        assert admission.admitted
        assert admission.remaining == left
        full_at = admission.full_at
    refused = take(POLICY, full_at, 0)
    assert not refused.admitted
    assert refused.retry_after == 10
    assert take(POLICY, full_at, 10 * MICROSECONDS).admitted


@given(
    st.lists(st.integers(0, 30 * MICROSECONDS), max_size=60),
    st.integers(1, 9),
    st.sampled_from([1, 60, 86_400]),
    st.integers(1, 3),
)
def test_never_more_than_quota_plus_refill(pauses: list[int], quota: int, window: int, cost: int) -> None:
    policy = BucketPolicy(name="jobs", quota=quota, window=window)
    full_at, now, admitted = 0, 0, 0
    for pause in pauses:
        now += pause
        admission = take(policy, full_at, now, cost=cost)
        full_at = admission.full_at
        admitted += cost * admission.admitted
        assert 0 <= admission.remaining <= quota
        if not admission.admitted and cost <= quota:
            assert take(policy, full_at, now + admission.retry_after * MICROSECONDS, cost=cost).admitted
    assert admitted * window * MICROSECONDS <= quota * (window * MICROSECONDS + now)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    assert not take(POLICY, 160 * MICROSECONDS, 50 * MICROSECONDS).admitted


def test_a_day_ends_at_midnight() -> None:
    assert seconds_left_of_day(datetime(2026, 1, 31, 23, 59, 50, tzinfo=UTC)) == 10


def test_backoff_repeats_its_last_entry() -> None:
    assert [backoff(attempt, (60, 120)) for attempt in (1, 2, 3)] == [60, 120, 120]


def test_a_job_is_always_counted_by_the_same_gate() -> None:
    assert gate_shards(2_000) == 1
    assert gate_of("job_1", 100) == 0
    assert gate_of("job_1", 100_000) == gate_of("job_1", 100_000) < gate_shards(100_000)
