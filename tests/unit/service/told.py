"""Receivers of webhooks for tests: registered, told of a job that ends, and what was sent to them."""

from __future__ import annotations

from typing import Any

from standardwebhooks import Webhook

from sheetrun.client.webhooks import verify_webhook
from sheetrun.service.signing import signed_headers
from tests.support import Bench

URL = "https://hooks.example.com/sheetrun"


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
