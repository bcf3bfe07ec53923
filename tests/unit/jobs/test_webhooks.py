"""Deliveries, breakers and leases as decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sheetrun.jobs import webhooks
from sheetrun.jobs.webhooks import Attempt, Delivery, DeliveryStatus, Endpoint, Guard, Protection, Secret, Wait

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
LEASE = timedelta(seconds=30)
PATIENCE = timedelta(seconds=60)
RULES = Protection(failures=3, pause=60, longest_pause=3600, at_once=2)


def delivery() -> Delivery:
    return Delivery(
        id="dlv_1",
        endpoint="whk_1",
        client="acme",
        message_id="msg_1",
        type="job.succeeded",
        url="https://example.com/hook",
        created_at=NOW,
        expires_at=NOW + timedelta(days=7),
        due_at=NOW,
        look_at=NOW + PATIENCE,
    )


def attempt_of(status: int | None, at: datetime = NOW) -> Attempt:
    return Attempt(at=at, duration_ms=0, status=status, error=None if status else "timeout")


def after(one: Delivery, status: int | None, *, at: datetime = NOW, retry_after: int | None = None) -> Delivery:
    begun = webhooks.begun(one, one.number, at, lease=LEASE)
    assert begun is not None
    done = webhooks.attempted(
        begun, attempt_of(status, at), schedule=(0, 10, 100), jitter=0.5, retry_after=retry_after, patience=PATIENCE
    )
    assert (begun.rev, done.rev) == (one.rev + 1, one.rev + 2), "each write is one version"
    return done


def test_success_ends_a_delivery() -> None:
    done = after(delivery(), 204)
    assert done.status is DeliveryStatus.SUCCEEDED
    assert done.due_at is None
    assert done.look_at is None


def test_the_schedule_is_followed_with_jitter_and_then_it_has_failed() -> None:
    first = after(delivery(), 500)
    assert first.due_at == NOW + timedelta(seconds=11)  # ten, and half of a fifth
    assert first.look_at == first.due_at + PATIENCE
    assert webhooks.begun(first, 1, NOW + timedelta(seconds=11), lease=LEASE) is None, "the old message is stale"
    assert webhooks.begun(first, first.number, NOW, lease=LEASE) is None, "not before its time"
    second = after(first, None, at=first.due_at)
    third = after(second, 302, at=second.due_at or NOW)
    assert third.status is DeliveryStatus.FAILED
    assert third.reason == "attempts_exhausted"
    assert [one.status for one in third.attempts] == [500, None, 302]


def test_gone_is_final_and_retry_after_is_heeded_within_reason() -> None:
    assert after(delivery(), 410).reason == "gone"
    assert after(delivery(), 429, retry_after=50).due_at == NOW + timedelta(seconds=50)
    assert after(delivery(), 429, retry_after=10**9).due_at == NOW + timedelta(seconds=100)


def test_a_replay_starts_the_schedule_again_and_keeps_the_log() -> None:
    again = webhooks.replayed(after(delivery(), 410), NOW, patience=PATIENCE)
    assert (again.status, again.tries, again.reason, len(again.attempts)) == (DeliveryStatus.PENDING, 0, None, 1)


def test_one_worker_at_a_time() -> None:
    begun = webhooks.begun(delivery(), 1, NOW, lease=LEASE)
    assert begun is not None
    assert webhooks.begun(begun, 1, NOW, lease=LEASE) is None
    assert webhooks.begun(begun, 1, NOW + LEASE, lease=LEASE) is not None, "its worker has died"


def test_leases_are_few_and_run_out() -> None:
    guard = Guard()
    for name in "ab":
        entered = webhooks.enter(guard, name, NOW, lease=LEASE, rules=RULES)
        assert isinstance(entered, Guard)
        guard = entered
    assert webhooks.enter(guard, "c", NOW, lease=LEASE, rules=RULES) == Wait(1, "busy")
    assert isinstance(webhooks.enter(guard, "a", NOW, lease=LEASE, rules=RULES), Guard), "its own lease is no bar"
    assert isinstance(webhooks.enter(guard, "c", NOW + LEASE, lease=LEASE, rules=RULES), Guard)


def test_the_breaker_opens_lets_one_probe_through_and_closes() -> None:
    guard = Guard()
    for _ in range(3):
        assert guard.open_until is None
        guard = webhooks.leave(guard, "a", NOW, succeeded=False, rules=RULES)
    assert guard.open_until == NOW + timedelta(seconds=60)
    assert webhooks.enter(guard, "a", NOW, lease=LEASE, rules=RULES) == Wait(61, "circuit_open")
    later = NOW + timedelta(seconds=60)
    probing = webhooks.enter(guard, "a", later, lease=LEASE, rules=RULES)
    assert isinstance(probing, Guard)
    assert webhooks.enter(probing, "b", later, lease=LEASE, rules=RULES) == Wait(1, "busy")
    again = webhooks.leave(probing, "a", later, succeeded=False, rules=RULES)
    assert again.open_until == later + timedelta(seconds=120)
    assert again.failing_since == NOW
    closed = webhooks.leave(probing, "a", later, succeeded=True, rules=RULES)
    assert (closed.failures, closed.open_until, closed.failing_since, dict(closed.leases)) == (0, None, None, {})


def test_failures_of_requests_that_were_under_way_do_not_lengthen_the_pause() -> None:
    guard = Guard(failures=2)
    for name in "abc":
        guard = webhooks.leave(guard, name, NOW, succeeded=False, rules=RULES)
    assert guard.open_until == NOW + timedelta(seconds=60)


def test_rotation_keeps_the_last_secret_for_a_while() -> None:
    endpoint = Endpoint(id="whk_1", client="acme", url="https://e.com", secrets=(Secret(key="one"),), created_at=NOW)
    second = webhooks.rotated(endpoint, "two", NOW, overlap=timedelta(hours=1))
    assert second.signing(NOW) == ("two", "one")
    assert second.signing(NOW + timedelta(hours=1)) == ("two",)
    third = webhooks.rotated(second, "three", NOW, overlap=timedelta(hours=1))
    assert third.signing(NOW) == ("three", "two")
    assert webhooks.rotated(third, "four", NOW, overlap=timedelta(0)).signing(NOW) == ("four",)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["enter", "ok", "bad"]), st.integers(0, 90))))
def test_never_more_leases_than_allowed(moves: list[tuple[str, str, int]]) -> None:
    guard, now = Guard(), NOW
    for name, move, seconds in moves:
        now += timedelta(seconds=seconds)
        if move == "enter":
            entered = webhooks.enter(guard, name, now, lease=LEASE, rules=RULES)
            guard = entered if isinstance(entered, Guard) else guard
        else:
            guard = webhooks.leave(guard, name, now, succeeded=move == "ok", rules=RULES)
        assert sum(until > now for until in guard.leases.values()) <= RULES.at_once
        if guard.open_until is not None and guard.open_until > now:
            wait = webhooks.enter(guard, "z", now, lease=LEASE, rules=RULES)
            assert isinstance(wait, Wait)
            assert wait.seconds <= RULES.longest_pause + 1


@given(st.lists(st.sampled_from([200, 204, 302, 400, 410, 429, 500, 503, None]), max_size=12))
def test_every_delivery_comes_to_an_end(answers: list[int | None]) -> None:
    one, tries = delivery(), 0
    for status in answers:
        if one.status is not DeliveryStatus.PENDING:
            break
        one = after(replace(one, look_at=None), status, at=one.due_at or NOW)
        tries += 1
    assert tries <= 3
    if tries == 3:
        assert one.status is not DeliveryStatus.PENDING
