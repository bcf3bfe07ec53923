"""Receivers of webhooks as clients register, read, test and delete them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import Bench

from .told import URL, finished, log_of, register, verified


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
