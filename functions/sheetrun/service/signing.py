"""Standard Webhooks' signatures (standardwebhooks.com, "symmetric"): ``v1,`` and HMAC-SHA256 of id, time and body."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from sheetrun.service.ports import Ids

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret(ids: Ids) -> str:
    token = ids.token(SECRET_BYTES)
    return PREFIX + base64.b64encode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))).decode()


def signed_headers(secrets: Sequence[str], message_id: str, body: str, now: datetime) -> dict[str, str]:
    """One signature per secret: a receiver that knows any one of them can verify."""
    stamp = str(int(now.timestamp()))
    text = f"{message_id}.{stamp}.{body}".encode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(_signature(secret, text) for secret in secrets),
    }


def _signature(secret: str, text: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
