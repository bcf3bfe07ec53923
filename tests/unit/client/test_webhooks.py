"""Signatures of webhook deliveries; the known case is the specification's own."""

from __future__ import annotations

import pytest

from sheetrun.client import verify_webhook
from sheetrun.client.webhooks import InvalidWebhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": "1614265330",
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
NOW = 1614265330.0


def test_the_specifications_example_is_accepted() -> None:
    assert verify_webhook(BODY, HEADERS, SECRET, now=NOW) == {"test": 2432232314}


def test_one_of_several_secrets_and_signatures_is_enough() -> None:
    headers = {**HEADERS, "Webhook-Signature": f"v1a,xxx v1,AAAA {HEADERS['Webhook-Signature']}"}
    assert verify_webhook(BODY, headers, ["whsec_AAAA", SECRET], now=NOW)


@pytest.mark.parametrize(
    ("body", "change", "now", "reason"),
    [
        (BODY + b" ", {}, NOW, "signature"),
        (BODY, {"Webhook-Id": "msg_other"}, NOW, "signature"),
        (BODY, {"Webhook-Signature": ""}, NOW, "signature"),
        (BODY, {}, NOW + 301, "too old"),
        (BODY, {}, NOW - 301, "future"),
        (BODY, {"Webhook-Timestamp": "soon"}, NOW, "number"),
    ],
)
def test_anything_else_is_refused(body: bytes, change: dict[str, str], now: float, reason: str) -> None:
    with pytest.raises(InvalidWebhook, match=reason):
        verify_webhook(body, {**HEADERS, **change}, SECRET, now=now)


def test_a_missing_header_is_named() -> None:
    with pytest.raises(InvalidWebhook, match="webhook-id"):
        verify_webhook(BODY, {}, SECRET, now=NOW)
