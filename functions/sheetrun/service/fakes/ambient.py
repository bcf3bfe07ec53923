"""Time, identifiers and the log, in memory: a run of a test is the same each time."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from sheetrun.service.ids import ulid


class FakeClock:
    """Stands still until told; ``sleep`` moves it."""

    def __init__(self, start: datetime | None = None) -> None:
        self.time = start or datetime(2026, 1, 31, 9, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    advance = sleep


class FakeIds:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def job_id(self, now: datetime) -> str:
        self.count += 1
        return f"job_{ulid(now, self.count.to_bytes(10, 'big'))}"

    def batch_id(self, now: datetime) -> str:
        self.count += 1
        return f"batch_{ulid(now, self.count.to_bytes(10, 'big'))}"

    def derived_job_id(self, now: datetime, seed: str) -> str:
        return f"job_{ulid(now, hashlib.sha256(seed.encode()).digest()[:10])}"

    def token(self, size: int) -> str:
        self.count += 1
        return base64.urlsafe_b64encode(self.count.to_bytes(size, "big")).rstrip(b"=").decode()

    def jitter(self) -> float:
        return 0.5


class FakeLog:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, event: str, **facts: Any) -> None:
        self.lines.append(("info", event, facts))

    def warning(self, event: str, **facts: Any) -> None:
        self.lines.append(("warning", event, facts))

    def error(self, event: str, **facts: Any) -> None:
        self.lines.append(("error", event, facts))
