"""Token buckets and backoff, as arithmetic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sheetrun.jobs.limits import Bucket, BucketPolicy, backoff, gate_of, gate_shards, take

POLICY = BucketPolicy(name="jobs", quota=6, window=60)


def test_a_full_bucket_gives_its_quota_and_then_says_when() -> None:
    bucket = Bucket.full(POLICY, 0)
    for left in range(5, -1, -1):
        admission = take(POLICY, bucket, 0)
        assert admission.admitted
        assert admission.remaining == left
        bucket = admission.bucket
    refused = take(POLICY, bucket, 0)
    assert not refused.admitted
    assert refused.retry_after == 10
    assert take(POLICY, bucket, 10).admitted


@given(st.lists(st.floats(0, 30), max_size=60))
def test_never_more_than_quota_plus_refill(pauses: list[float]) -> None:
    bucket, now, admitted = Bucket.full(POLICY, 0), 0.0, 0
    for pause in pauses:
        now += pause
        admission = take(POLICY, bucket, now)
        bucket = admission.bucket
        admitted += admission.admitted
        assert 0 <= admission.remaining <= POLICY.quota
        if not admission.admitted:
            assert take(POLICY, bucket, now + admission.retry_after).admitted
    assert admitted <= POLICY.quota + now * POLICY.rate + 1e-6


def test_a_clock_that_goes_back_gives_nothing() -> None:
    empty = Bucket(tokens=0.0, at=100.0)
    assert not take(POLICY, empty, 50.0).admitted


def test_backoff_repeats_its_last_entry() -> None:
    assert [backoff(attempt, (60, 120)) for attempt in (1, 2, 3)] == [60, 120, 120]


def test_a_job_is_always_counted_by_the_same_gate() -> None:
    assert gate_shards(2_000) == 1
    assert gate_of("job_1", 100) == 0
    assert gate_of("job_1", 100_000) == gate_of("job_1", 100_000) < gate_shards(100_000)
