"""Receivers that fail, are slow or are gone: tried again as scheduled, left in peace, disabled."""

from __future__ import annotations

import pytest

from sheetrun.service.outgoing import SendFailed, Sent
from tests.support import Bench

from .told import URL, finished, log_of, register


@pytest.fixture
def bench() -> Bench:
    return Bench(webhook_schedule=(0, 5, 300), webhook_breaker_failures=100)


def test_failure_is_tried_again_as_scheduled_under_one_id(bench: Bench) -> None:
    endpoint = register(bench)
    answers = iter([Sent(status=500, response="oops"), None, Sent(status=200)])

    def answer(url: str) -> Sent:
        found = next(answers)
        if found is None:
            raise SendFailed("timeout", "the receiver took too long")
        return found

    bench.sender.answer = answer
    finished(bench)
    bench.deliver_all()
    bench.deliver_all()
    first = log_of(bench, endpoint)[0]
    assert first["status"] == "pending"
    assert first["next_attempt_at"] is not None
    assert bench.queues.posted[0][1] == 6, "five seconds and jitter, held back by the queue"
    bench.deliver_all()
    bench.deliver_all()
    done = log_of(bench, endpoint)[0]
    assert done["status"] == "succeeded"
    assert [(one["status_code"], one["error"]) for one in done["attempts"]] == [
        (500, None),
        (None, "timeout"),
        (200, None),
    ]
    assert done["attempts"][0]["response"] == "oops"
    assert len({headers["webhook-id"] for _, _, headers in bench.sender.sent}) == 1
    assert len({headers["webhook-timestamp"] for _, _, headers in bench.sender.sent}) == 3


def test_a_long_wait_is_left_to_the_sweep() -> None:
    bench = Bench(webhook_schedule=(0, 7200))
    register(bench)
    bench.sender.answer = lambda url: Sent(status=503)
    finished(bench)
    for _ in range(3):
        bench.deliver_all()
    assert len(bench.sender.sent) == 1
    assert not bench.queues.posted
    bench.clock.advance(3600)
    assert bench.courier().sweep()["redelivered"] == 0
    bench.clock.advance(5000)
    assert bench.courier().sweep()["redelivered"] == 1
    bench.deliver_all()
    assert len(bench.sender.sent) == 2


def test_410_disables_and_enable_undoes_it(bench: Bench) -> None:
    endpoint = register(bench)
    bench.sender.answer = lambda url: Sent(status=410)
    finished(bench)
    for _ in range(2):
        bench.deliver_all()
    _, _, view = bench.call("GET", f"/v1/webhooks/{endpoint['id']}")
    assert (view["status"], view["disabled_reason"]) == ("disabled", "gone")
    finished(bench)
    for _ in range(2):
        bench.deliver_all()
    assert len(bench.sender.sent) == 1, "a disabled endpoint is told nothing"
    assert bench.call("POST", f"/v1/webhooks/{endpoint['id']}/enable")[2]["status"] == "enabled"
    bench.sender.answer = lambda url: Sent(status=200)
    finished(bench)
    for _ in range(2):
        bench.deliver_all()
    assert len(bench.sender.sent) == 2


def test_410_of_one_jobs_receiver_says_nothing_of_another_job(bench: Bench) -> None:
    bench.sender.answer = lambda url: Sent(status=410)
    for _ in range(2):
        finished(bench, webhook_url=URL)
        bench.deliver_all()
        bench.deliver_all()
    assert len(bench.sender.sent) == 2


def test_long_failure_disables() -> None:
    bench = Bench(webhook_schedule=(0,), webhook_disable_seconds=1000)
    endpoint = register(bench)
    bench.sender.answer = lambda url: Sent(status=500)
    for _ in range(2):
        finished(bench)
        bench.deliver_all()
        bench.deliver_all()
        bench.clock.advance(1001)
    _, _, view = bench.call("GET", f"/v1/webhooks/{endpoint['id']}")
    assert (view["status"], view["disabled_reason"]) == ("disabled", "failing")
    assert view["failing_since"] is not None


def test_a_receiver_that_is_slow_takes_no_more_than_its_leases() -> None:
    bench = Bench(webhook_concurrency=1)
    endpoint = register(bench)
    other = register(bench, "https://other.example.com/")
    inside: list[str] = []

    def slow(url: str) -> Sent:
        if url == URL and not inside:
            inside.append(url)
            messages, bench.queues.posted = bench.queues.posted, []
            for message, _ in messages:  # another worker, while this one waits
                bench.courier().handle(message)
        return Sent(status=200)

    for _ in range(2):
        finished(bench)
    bench.deliver_all()
    bench.sender.answer = slow
    first = next(one for one in bench.queues.posted if one[0]["endpoint"] == endpoint["id"])
    bench.queues.posted.remove(first)
    bench.courier().handle(first[0])
    urls = [url for url, _, _ in bench.sender.sent]
    assert urls.count(URL) == 1
    assert urls.count(other["url"]) == 2
    assert [delay for _, delay in bench.queues.posted] == [2], "the second one knocks again later"
    bench.deliver_all()
    assert len(bench.sender.sent) == 4


def test_a_receiver_that_is_down_is_left_in_peace() -> None:
    bench = Bench(webhook_schedule=(0, 1, 1, 1, 1, 1), webhook_breaker_failures=2, webhook_breaker_seconds=100)
    endpoint = register(bench)
    bench.sender.answer = lambda url: Sent(status=502)
    finished(bench)
    for _ in range(4):
        bench.deliver_all()
    assert len(bench.sender.sent) == 2
    assert bench.queues.posted[0][1] >= 100
    assert bench.call("GET", f"/v1/webhooks/{endpoint['id']}")[2]["paused_until"] is not None
    bench.sender.answer = lambda url: Sent(status=200)
    bench.deliver_all()
    line = log_of(bench, endpoint)[0]
    assert (line["status"], len(line["attempts"])) == ("succeeded", 3)
    assert bench.call("GET", f"/v1/webhooks/{endpoint['id']}")[2]["paused_until"] is None
