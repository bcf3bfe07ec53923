"""Webhooks of the embedded service, verified by the reference library of Standard Webhooks as the receiver."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

import sheetrun.client
from sheetrun.service.access import Access
from tests.e2e.conftest import SECONDS, Client, workbook
from tests.e2e.receiver import Receiver, receiving

pytestmark = pytest.mark.e2e


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def mine(client: Client, access: Access) -> Client:
    """A client of its own, for endpoints are told of all of a client's jobs."""
    return Client(client.url, access.create(f"hooks{time.monotonic_ns()}"))


def register(mine: Client, url: str, **body: Any) -> dict[str, Any]:
    answer = mine.call("POST", "/v1/webhooks", json={"url": url, **body})
    assert answer.status_code == 201, answer.text
    endpoint: dict[str, Any] = answer.json()
    return endpoint


def log_of(mine: Client, endpoint: dict[str, Any], status: str) -> list[dict[str, Any]]:
    """The endpoint's deliveries, once there is one of a status."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        found = mine.call("GET", f"/v1/webhooks/{endpoint['id']}/deliveries").json()["deliveries"]
        if any(line["status"] == status for line in found):
            lines: list[dict[str, Any]] = found
            return lines
        time.sleep(0.05)
    raise AssertionError(f"no delivery is {status}: {found}")


def test_the_end_of_a_job_is_told_signed_and_logged(mine: Client, receiver: Receiver) -> None:
    endpoint = register(mine, receiver.url + "/")
    job = mine.submit()
    mine.upload(job, workbook())
    mine.until(job["id"], "succeeded")
    (got,) = receiver.wait(1)
    event = Webhook(endpoint["secret"]).verify(got.body, got.headers)
    assert event["type"] == "job.succeeded"
    assert event["data"]["id"] == job["id"]
    link = event["data"]["urls"]["results"]["values"]
    assert mine.call("GET", link).status_code == 302, "the links of a webhook are the API's own"
    (line,) = log_of(mine, endpoint, "succeeded")
    assert line["webhook_id"] == got.headers["webhook-id"]
    assert line["attempts"][0]["status_code"] == 204
    replay = mine.call("POST", f"/v1/webhooks/{endpoint['id']}/deliveries/{line['id']}/replay")
    assert replay.status_code == 202
    again = receiver.wait(2)[1]
    assert again.headers["webhook-id"] == got.headers["webhook-id"]
    assert Webhook(endpoint["secret"]).verify(again.body, again.headers) == event


def test_a_jobs_own_receiver_fails_and_is_tried_again_under_one_id(mine: Client, receiver: Receiver) -> None:
    answers = iter([503, 500, 200])
    receiver.answer = lambda path: next(answers)
    job = mine.submit({"filename": "model.xlsx", "webhook_url": receiver.url + "/hook"})
    (endpoint,) = mine.call("GET", "/v1/webhooks").json()["webhooks"]
    secret = mine.call("GET", f"/v1/webhooks/{endpoint['id']}/secret").json()["secret"]
    assert mine.call("POST", f"/v1/jobs/{job['id']}/cancel").status_code == 202
    got = receiver.wait(3, "/hook")
    assert len({one.headers["webhook-id"] for one in got}) == 1
    assert Webhook(secret).verify(got[2].body, got[2].headers)["data"]["state"] == "cancelled"
    (line,) = log_of(mine, endpoint, "succeeded")
    assert [attempt["status_code"] for attempt in line["attempts"]] == [503, 500, 200]


def test_two_secrets_sign_while_one_is_replaced(mine: Client, receiver: Receiver) -> None:
    endpoint = register(mine, receiver.url + "/")
    rotated = mine.call("POST", f"/v1/webhooks/{endpoint['id']}/rotate").json()
    assert mine.call("POST", f"/v1/webhooks/{endpoint['id']}/test").status_code == 202
    (got,) = receiver.wait(1)
    for secret in (endpoint["secret"], rotated["secret"]):
        assert Webhook(secret).verify(got.body, got.headers)["type"] == "webhook.test"


def test_the_client_registers_verifies_and_replays(mine: Client, receiver: Receiver) -> None:
    with sheetrun.client.Client(mine.url, mine.key) as ours:
        endpoint = ours.webhooks.create(receiver.url + "/sdk", events=["job.cancelled"], description="mine")
        job = ours.job(mine.submit()["id"])
        ours.cancel(job)
        (got,) = receiver.wait(1, "/sdk")
        secrets = ours.webhooks.secrets(endpoint)
        event = sheetrun.client.verify_webhook(got.body.encode(), got.headers, secrets.all)
        assert event["data"]["id"] == job.id
        end = time.monotonic() + SECONDS
        while not (done := list(ours.webhooks.deliveries(endpoint, status="succeeded"))):
            assert time.monotonic() < end
            time.sleep(0.05)
        ours.webhooks.replay(endpoint, done[0])
        assert receiver.wait(2, "/sdk")[1].headers["webhook-id"] == done[0].webhook_id
        assert [one.id for one in ours.webhooks.list()] == [endpoint.id]
        ours.webhooks.delete(endpoint)
        assert list(ours.webhooks.list()) == []


def test_410_disables(mine: Client, receiver: Receiver) -> None:
    receiver.answer = lambda path: 410
    endpoint = register(mine, receiver.url + "/")
    assert mine.call("POST", f"/v1/webhooks/{endpoint['id']}/test").status_code == 202
    (line,) = log_of(mine, endpoint, "failed")
    assert line["reason"] == "gone"
    end = time.monotonic() + SECONDS
    while (view := mine.call("GET", f"/v1/webhooks/{endpoint['id']}").json())["status"] == "enabled":
        assert time.monotonic() < end, view
        time.sleep(0.05)
    assert view["disabled_reason"] == "gone"


def test_a_slow_receiver_does_not_hold_up_another(mine: Client, receiver: Receiver) -> None:
    """Eight deliveries to a receiver that never answers, four workers: the ninth, to another, comes at once."""

    release = threading.Event()

    def answer(path: str) -> int:
        if path == "/slow":
            release.wait(SECONDS)
        return 204

    receiver.answer = answer
    slow = register(mine, receiver.url + "/slow")
    quick = register(mine, receiver.url + "/quick")
    for _ in range(8):
        mine.call("POST", f"/v1/webhooks/{slow['id']}/test")
    receiver.wait(2, "/slow")
    mine.call("POST", f"/v1/webhooks/{quick['id']}/test")
    (got,) = receiver.wait(1, "/quick")
    before = [one for one in receiver.got if one.path == "/slow" and one.at <= got.at]
    release.set()
    assert len(before) == 2, "two at once is what a receiver gets"


def test_the_embedded_run_is_local_and_production_is_not() -> None:
    """Private receivers are let in by a parameter whose default is no."""
    from sheetrun.local.deploying import load_template
    from sheetrun.local.running import _here

    assert load_template()["Parameters"]["WebhookPrivate"]["Default"] == "false"
    assert _here()["WebhookPrivate"] == "true"
