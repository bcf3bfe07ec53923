"""For receivers of webhooks: is this delivery really from the service? (Standard Webhooks, symmetric signatures.)

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sheetrun.client.errors import SheetrunError

_PREFIX = "whsec_"


class InvalidWebhook(SheetrunError):
    """Do not trust this delivery: answer 400."""


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance: float = 300.0,
    now: float | None = None,
) -> Mapping[str, Any]:
    """The event ``{type, timestamp, data}`` of a delivery, once its signature and age are right.

    ``body`` is the raw request body; ``secret`` is ``whsec_…``, or several while one is being replaced; ``tolerance``
    is in seconds, ``now`` in seconds since 1970. Raises InvalidWebhook.
    """
    named = {name.lower(): value for name, value in headers.items()}
    try:
        identity, sent = named["webhook-id"], named["webhook-timestamp"]
        signatures = named["webhook-signature"].split()
        age = (time.time() if now is None else now) - int(sent)
    except KeyError as error:
        raise InvalidWebhook(f"the header {error} is missing") from None
    except ValueError:
        raise InvalidWebhook("webhook-timestamp is not a number") from None
    if abs(age) > tolerance:
        raise InvalidWebhook("the delivery is too old" if age > 0 else "the delivery comes from the future")
    signed = f"{identity}.{sent}.".encode() + body
    secrets = [secret] if isinstance(secret, str) else secret
    expected = [_signature(one, signed) for one in secrets]
    if not any(hmac.compare_digest(own.encode(), given.encode()) for own in expected for given in signatures):
        raise InvalidWebhook("the signature does not fit")
    try:
        event = json.loads(body)
    except ValueError:
        raise InvalidWebhook("the body is not JSON") from None
    if not isinstance(event, dict):
        raise InvalidWebhook("the body is not a JSON object")
    return event


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a webhook secret is whsec_ and base64") from None
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
