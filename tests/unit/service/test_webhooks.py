"""Webhooks from the end of a job to the receiver, checked with the reference library of Standard Webhooks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from sheetrun.client.webhooks import verify_webhook
from sheetrun.service.outgoing import Sent
from sheetrun.service.signing import signed_headers
from tests.support import Bench, FakeCompute

from .told import URL, finished, log_of, register, verified


@pytest.fixture
def bench() -> Bench:
    return Bench(webhook_schedule=(0, 5, 300), webhook_breaker_failures=100)


def test_a_registered_receiver_is_told_of_the_end_and_of_nothing_else(bench: Bench) -> None:
    endpoint = register(bench)
    job = finished(bench, metadata={"order": "7"})
    bench.deliver_all()
    bench.deliver_all()
    assert len(bench.sender.sent) == 1
    url, body, headers = bench.sender.sent[0]
    assert url == URL
    assert headers["Content-Type"].startswith("application/json")
    event = verified(bench, endpoint["secret"])
    assert event["type"] == "job.succeeded"
    assert event["data"]["id"] == job["id"]
    assert event["data"]["metadata"] == {"order": "7"}
    assert event["data"]["state"] == "succeeded"
    assert event["timestamp"] == job["timestamps"]["succeeded"]
    assert len(body) < 20_000
    line = log_of(bench, endpoint)[0]
    assert (line["status"], line["job"], line["webhook_id"]) == ("succeeded", job["id"], headers["webhook-id"])
    assert line["attempts"][0]["status_code"] == 200


def test_a_job_may_name_its_own_receiver_whose_secret_is_known_before_the_job_ends(bench: Bench) -> None:
    job = bench.submit({"filename": "model.xlsx", "webhook_url": URL})
    _, _, page = bench.call("GET", "/v1/webhooks")
    (endpoint,) = page["webhooks"]
    assert endpoint["of_jobs"]
    assert endpoint["url"] == "https://hooks.example.com"
    _, _, secrets = bench.call("GET", f"/v1/webhooks/{endpoint['id']}/secret")
    bench.upload(job)
    bench.run_all()
    bench.deliver_all()
    bench.deliver_all()
    assert bench.sender.sent[0][0] == URL
    assert verified(bench, secrets["secret"])["data"]["id"] == job["id"]


def test_a_url_that_is_registered_and_named_by_a_job_is_told_once(bench: Bench) -> None:
    endpoint = register(bench)
    finished(bench, webhook_url=URL)
    bench.deliver_all()
    bench.deliver_all()
    assert len(bench.sender.sent) == 1
    verified(bench, endpoint["secret"])
    assert len(bench.call("GET", "/v1/webhooks")[2]["webhooks"]) == 1


def test_only_the_types_that_were_asked_for(bench: Bench) -> None:
    endpoint = register(bench, events=["job.cancelled"])
    finished(bench)
    bench.deliver_all()
    cancelled = bench.submit()
    assert bench.call("POST", f"/v1/jobs/{cancelled['id']}/cancel")[0] == 202
    for _ in range(2):
        bench.deliver_all()
    assert [line["type"] for line in log_of(bench, endpoint)] == ["job.cancelled"]


def test_every_way_to_end_is_told(bench: Bench) -> None:
    endpoint = register(bench)
    never = bench.submit({"filename": "a.xlsx"})
    empty = bench.submit({"filename": "b.xlsx"})
    bench.upload(empty, b"")
    bench.clock.advance(1000)
    bench.sweeper().sweep(seconds=10)
    late = bench.submit({"filename": "c.xlsx", "deadline_seconds": 5})
    bench.upload(late)
    bench.clock.advance(6)
    bench.run_all()
    for _ in range(3):
        bench.deliver_all()
    told = {line["job"]: line["type"] for line in log_of(bench, endpoint)}
    assert told == {never["id"]: "job.expired", empty["id"]: "job.failed", late["id"]: "job.expired"}


def test_a_backlog_is_sent_in_one_sweep() -> None:
    bench = Bench(webhook_schedule=(0, 7200), webhook_breaker_failures=1000)
    register(bench)
    bench.sender.answer = lambda url: Sent(status=503)
    for _ in range(130):
        made = bench.submit()
        bench.call("POST", f"/v1/jobs/{made['id']}/cancel")
    for _ in range(2):
        bench.deliver_all()
    assert len(bench.sender.sent) == 130
    bench.clock.advance(9000)
    assert bench.courier().sweep()["redelivered"] == 130
    assert bench.courier().sweep()["redelivered"] == 0


def test_lost_messages_are_found_by_the_sweep(bench: Bench) -> None:
    endpoint = register(bench)
    bench.queues.deaf = True
    finished(bench)
    bench.queues.deaf = False
    bench.clock.advance(61)
    assert bench.courier().sweep()["told"] == 1
    bench.queues.posted, (lost, *_) = [], bench.queues.posted
    bench.clock.advance(61)
    assert bench.courier().sweep()["told"] == 1, "not told yet: the message may be lost again"
    bench.deliver_all()
    bench.queues.posted = []  # and the delivery's own message too
    bench.clock.advance(61)
    assert bench.courier().sweep() == {"told": 0, "redelivered": 1}
    bench.deliver_all()
    assert log_of(bench, endpoint)[0]["status"] == "succeeded"
    bench.courier().handle(lost[0])
    bench.deliver_all()
    assert len(bench.sender.sent) == 1, "told twice is told once"


def test_an_end_is_told_as_it_was_though_the_job_was_retried_meanwhile(bench: Bench) -> None:
    endpoint = register(bench)
    made = bench.submit()
    bench.upload(made)
    bench.compute = FakeCompute(on_parse=lambda _: 1 / 0)
    bench.run_all()
    assert bench.call("POST", f"/v1/jobs/{made['id']}/retry")[0] == 202
    bench.compute = FakeCompute()
    for _ in range(2):
        bench.deliver_all()
    event = verified(bench, endpoint["secret"])
    assert (event["type"], event["data"]["state"], event["data"]["running"]) == ("job.failed", "failed", False)
    bench.run_all()
    for _ in range(2):
        bench.deliver_all()
    assert verified(bench, endpoint["secret"])["type"] == "job.succeeded"


def test_doubled_messages_send_once(bench: Bench) -> None:
    register(bench)
    finished(bench)
    bench.deliver_all()
    bench.queues.posted *= 3
    bench.deliver_all()
    assert len(bench.sender.sent) == 1


def test_a_worker_that_died_in_the_middle_is_followed_by_another(bench: Bench) -> None:
    endpoint = register(bench)

    def die(url: str) -> Sent:
        raise KeyboardInterrupt

    bench.sender.answer = die
    finished(bench)
    bench.deliver_all()
    with pytest.raises(KeyboardInterrupt):
        bench.deliver_all()
    bench.sender.answer = lambda url: Sent(status=200)
    bench.clock.advance(3600)
    assert bench.courier().sweep()["redelivered"] == 1
    bench.deliver_all()
    assert log_of(bench, endpoint)[0]["status"] == "succeeded"


def test_workers_that_always_die_do_not_try_for_ever() -> None:
    bench = Bench(webhook_schedule=(0, 5))
    endpoint = register(bench)

    def die(url: str) -> Sent:
        raise KeyboardInterrupt

    bench.sender.answer = die
    finished(bench)
    bench.deliver_all()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            bench.deliver_all()
        bench.clock.advance(3600)
        assert bench.courier().sweep()["redelivered"] == 1
    bench.deliver_all()
    line = log_of(bench, endpoint)[0]
    assert (line["status"], line["reason"]) == ("failed", "attempts_exhausted")
    assert len(bench.sender.sent) == 2


def test_rotation_signs_with_both_secrets(bench: Bench) -> None:
    endpoint = register(bench)
    one = f"/v1/webhooks/{endpoint['id']}"
    status, _, rotated = bench.call("POST", f"{one}/rotate", {"overlap_seconds": 3600.0})
    assert status == 200
    assert rotated["previous"][0]["secret"] == endpoint["secret"] != rotated["secret"]
    finished(bench)
    for _ in range(2):
        bench.deliver_all()
    _, body, headers = bench.sender.sent[0]
    now = bench.clock.now().timestamp()
    for secret in (endpoint["secret"], rotated["secret"]):
        verify_webhook(body, headers, secret, now=now)
        ours = Webhook(secret).sign(headers["webhook-id"], bench.clock.now(), body.decode())
        assert ours in headers["webhook-signature"].split(), "the reference library signs alike"
    bench.clock.advance(3600)
    assert bench.call("GET", f"{one}/secret")[2]["previous"] == []
    finished(bench)
    for _ in range(2):
        bench.deliver_all()
    assert len(bench.sender.sent[1][2]["webhook-signature"].split()) == 1
    assert bench.call("POST", f"{one}/rotate")[0] == 200, "a body is not needed"


def test_the_reference_library_refuses_a_changed_body() -> None:
    from datetime import UTC, datetime

    secret = Bench().ids and "whsec_" + "A" * 43 + "="
    headers = signed_headers([secret], "msg_1", '{"a":1}', datetime.now(UTC))
    assert Webhook(secret).verify('{"a":1}', headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify('{"a":2}', headers)


def test_replay_sends_the_same_once_more(bench: Bench) -> None:
    endpoint = register(bench)
    job = finished(bench)
    for _ in range(2):
        bench.deliver_all()
    line = log_of(bench, endpoint)[0]
    path = f"/v1/webhooks/{endpoint['id']}/deliveries/{line['id']}"
    status, _, again = bench.call("POST", f"{path}/replay")
    assert (status, again["status"]) == (202, "pending")
    assert bench.call("POST", f"{path}/replay")[2]["code"] == "delivery_pending"
    bench.deliver_all()
    first, second = bench.sender.sent
    assert first[1] == second[1]
    assert first[2]["webhook-id"] == second[2]["webhook-id"]
    assert len(bench.call("GET", path)[2]["attempts"]) == 2
    bench.clock.advance(90_000)
    assert bench.call("GET", f"/v1/jobs/{job['id']}")[0] == 404
    assert bench.call("POST", f"{path}/replay")[2]["code"] == "job_expired", "nothing of it is sent past its time"


def test_a_pending_delivery_ends_with_its_job(bench: Bench) -> None:
    endpoint = register(bench)
    bench.sender.answer = lambda url: Sent(status=500)
    finished(bench, retain_seconds=60)
    for _ in range(2):
        bench.deliver_all()
    bench.clock.advance(61)
    bench.sweeper().sweep(seconds=10)
    assert not bench.table.bodies
    bench.deliver_all()
    line = log_of(bench, endpoint)[0]
    assert (line["status"], line["reason"]) == ("failed", "job_expired")


def test_messages_that_are_not_ours(bench: Bench) -> None:
    for message in ({}, {"client": "acme"}, {"event": 1}):
        with pytest.raises(ValueError):
            bench.courier().handle(message)
    bench.courier().handle({"job_id": "job_0", "event": 3})
    bench.courier().handle({"client": "a", "endpoint": "whk_0", "delivery": "dlv_0", "number": 1})
    assert not bench.sender.sent


def test_the_log_is_kept_for_its_time(bench: Bench) -> None:
    endpoint = register(bench)
    finished(bench, retain_seconds=2_592_000)
    for _ in range(2):
        bench.deliver_all()
    line = log_of(bench, endpoint)[0]
    bench.clock.advance(timedelta(days=8).total_seconds())
    assert log_of(bench, endpoint) == []
    assert bench.call("GET", f"/v1/webhooks/{endpoint['id']}/deliveries/{line['id']}")[0] == 404
