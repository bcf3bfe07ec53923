"""Identifiers: ULIDs (github.com/ulid/spec: 48 bits of milliseconds, 80 of randomness, Crockford's base 32)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from datetime import UTC, datetime

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(moment: datetime, randomness: bytes) -> str:
    """26 characters; ``randomness`` is 10 bytes. Sorts as text by time."""
    number = int(moment.timestamp() * 1000) << 80 | int.from_bytes(randomness, "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5))


def earliest(moment: datetime) -> str:
    """The least ULID of a millisecond, to compare ids with a time."""
    return ulid(moment, bytes(10))


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class SystemIds:
    """From the operating system's randomness."""

    def job_id(self, now: datetime) -> str:
        return f"job_{ulid(now, secrets.token_bytes(10))}"

    def batch_id(self, now: datetime) -> str:
        return f"batch_{ulid(now, secrets.token_bytes(10))}"

    def derived_job_id(self, now: datetime, seed: str) -> str:
        return f"job_{ulid(now, hashlib.sha256(seed.encode()).digest()[:10])}"

    def token(self, size: int) -> str:
        return base64.urlsafe_b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()

    def jitter(self) -> float:
        return secrets.randbelow(1 << 24) / (1 << 24)
