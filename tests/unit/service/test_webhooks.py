"""Webhooks from the end of a job to the receiver, checked with the reference library of Standard Webhooks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from sheetrun.client.webhooks import verify_webhook
from sheetrun.service.outgoing import SendFailed, Sent
from sheetrun.service.signing import signed_headers
from tests.support import Bench, FakeCompute

URL = "https://hooks.example.com/sheetrun"


@pytest.fixture
def bench() -> Bench:
    return Bench(webhook_schedule=(0, 5, 300), webhook_breaker_failures=100)


def register(bench: Bench, url: str = URL, **body: Any) -> dict[str, Any]:
    status, headers, endpoint = bench.call("POST", "/v1/webhooks", {"url": url, **body})
    assert status == 201, endpoint
    assert headers["location"] == endpoint["urls"]["self"]
    made: dict[str, Any] = endpoint
    return made


def finished(bench: Bench, **body: Any) -> dict[str, Any]:
    job = bench.submit({"filename": "model.xlsx", **body})
    bench.upload(job)
    bench.run_all()
    return bench.job(job["id"])


def log_of(bench: Bench, endpoint: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    status, _, page = bench.call("GET", f"/v1/webhooks/{endpoint['id']}/deliveries", query=query)
    assert status == 200, page
    found: list[dict[str, Any]] = page["deliveries"]
    return found


def verified(bench: Bench, secret: str, number: int = -1) -> dict[str, Any]:
    """What was sent, if the reference library says that it is ours (its clock is the machine's, so the time is new)."""
    _, body, headers = bench.sender.sent[number]
    verify_webhook(body, headers, secret, now=bench.clock.now().timestamp())
    from datetime import UTC, datetime

    again = signed_headers([secret], headers["webhook-id"], body.decode(), datetime.now(UTC))
    event: dict[str, Any] = Webhook(secret).verify(body, again)
    return event


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


def test_a_test_event(bench: Bench) -> None:
    endpoint = register(bench)
    status, _, delivery = bench.call("POST", f"/v1/webhooks/{endpoint['id']}/test")
    assert (status, delivery["type"], delivery["job"]) == (202, "webhook.test", None)
    bench.deliver_all()
    assert verified(bench, endpoint["secret"])["type"] == "webhook.test"


def test_deleting_stops_what_is_pending(bench: Bench) -> None:
    endpoint = register(bench)
    finished(bench)
    bench.deliver_all()
    assert bench.call("DELETE", f"/v1/webhooks/{endpoint['id']}")[0] == 204
    bench.deliver_all()
    assert not bench.sender.sent
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries"), ("GET", "/secret"), ("POST", "/rotate")):
        assert bench.call(method, f"/v1/webhooks/{endpoint['id']}{path}")[0] == 404


def test_another_clients_endpoint_is_unknown(bench: Bench) -> None:
    endpoint = register(bench)
    finished(bench)
    for _ in range(2):
        bench.deliver_all()
    line = log_of(bench, endpoint)[0]
    other = bench.access.create("other")
    one = f"/v1/webhooks/{endpoint['id']}"
    for method, path in (
        ("GET", one),
        ("DELETE", one),
        ("GET", f"{one}/secret"),
        ("POST", f"{one}/rotate"),
        ("POST", f"{one}/enable"),
        ("POST", f"{one}/test"),
        ("GET", f"{one}/deliveries"),
        ("GET", f"{one}/deliveries/{line['id']}"),
        ("POST", f"{one}/deliveries/{line['id']}/replay"),
    ):
        assert bench.call(method, path, key=other)[0] == 404, (method, path)
    assert bench.call("GET", "/v1/webhooks", key=other)[2]["webhooks"] == []


def test_a_key_that_only_reads_sees_no_secret(bench: Bench) -> None:
    endpoint = register(bench)
    reader = bench.access.create("acme", scopes=frozenset({"read"}))
    status, _, view = bench.call("GET", f"/v1/webhooks/{endpoint['id']}", key=reader)
    assert status == 200
    assert "whsec_" not in json.dumps(view)
    for method, path in (("GET", "/secret"), ("POST", "/rotate"), ("DELETE", ""), ("POST", "/test")):
        assert bench.call(method, f"/v1/webhooks/{endpoint['id']}{path}", key=reader)[0] == 403


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "url"),
        ({"url": 7}, "url"),
        ({"url": "http://example.com/"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": ["job.created"]}, "events"),
        ({"url": URL, "events": [{}]}, "events"),
        ({"url": URL, "description": "x" * 256}, "description"),
        ({"url": URL, "secret": "mine"}, "secret"),
        ([], "$"),
    ],
)
def test_what_cannot_be_registered(bench: Bench, body: Any, path: str) -> None:
    status, _, problem = bench.call("POST", "/v1/webhooks", body)
    assert status == 422
    assert [error["path"] for error in problem["errors"]] == [path]


def test_registering_twice_with_one_key_makes_one(bench: Bench) -> None:
    answers = [bench.call("POST", "/v1/webhooks", {"url": URL}, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0][2] == answers[1][2]
    assert len(bench.call("GET", "/v1/webhooks")[2]["webhooks"]) == 1


def test_pages_of_endpoints_and_deliveries(bench: Bench) -> None:
    endpoints = [register(bench, f"https://hooks.example.com/{number}") for number in range(3)]
    _, headers, page = bench.call("GET", "/v1/webhooks", query={"limit": "2"})
    assert [one["id"] for one in page["webhooks"]] == [one["id"] for one in reversed(endpoints[1:])]
    assert 'rel="next"' in headers["link"]
    _, _, rest = bench.call("GET", "/v1/webhooks", query={"limit": "2", "after": page["after"]})
    assert [one["id"] for one in rest["webhooks"]] == [endpoints[0]["id"]]
    for _ in range(3):
        finished(bench)
        bench.clock.advance(1)
    bench.deliver_all()
    path = f"/v1/webhooks/{endpoints[0]['id']}/deliveries"
    _, _, first = bench.call("GET", path, query={"limit": "2"})
    _, _, second = bench.call("GET", path, query={"limit": "2", "after": first["after"]})
    found = [line["id"] for line in (*first["deliveries"], *second["deliveries"])]
    assert found == sorted(found, reverse=True)
    assert len(found) == 3
    assert second["after"] is None
    assert log_of(bench, endpoints[0], status="failed") == []
    assert bench.call("GET", path, query={"status": "lost"})[0] == 422


def test_there_is_a_limit_to_endpoints(bench: Bench) -> None:
    for number in range(100):
        register(bench, f"https://hooks.example.com/{number}")
    assert bench.call("POST", "/v1/webhooks", {"url": URL})[2]["code"] == "too_many_webhooks"
    status, _, problem = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx", "webhook_url": "https://x.example.com/"})
    assert (status, problem["code"]) == (422, "too_many_webhooks")
    assert (
        bench.call("POST", "/v1/jobs", {"filename": "a.xlsx", "webhook_url": "https://hooks.example.com/7"})[0] == 202
    )


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
