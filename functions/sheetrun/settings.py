"""Every setting of the service: name, default, bounds. Read once, checked whole, before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

from sheetrun.records import dataclass

PREFIX = "SHEETRUN_"
MIB = 2**20


class SettingsError(Exception):
    """One line per wrong setting: its name, its value, what it may be."""


def _number(default: int, low: int, high: int, doc: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "doc": doc})


def _numbers(default: tuple[int, ...], low: int, high: int, doc: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "doc": doc, "many": True})


def _flag(default: bool, doc: str) -> Any:
    return field(default=default, metadata={"flag": True, "doc": doc})


def _text(default: str, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each field ``x`` is read from ``SHEETRUN_X``. Durations are seconds, sizes bytes."""

    table: str = _text("", "name of the DynamoDB table")
    bucket: str = _text("", "name of the S3 bucket")
    queues: Mapping[str, str] = field(
        default_factory=dict, metadata={"doc": "queue URLs by name: parse-high=https://…,parse-normal=…"}
    )
    own_queues: Mapping[str, str] = field(
        default_factory=dict, metadata={"doc": "URLs of the queues that this function reads, likewise"}
    )
    stage: str = _text("dev", "name of the deployment, shown in logs and health")
    public_url: str = _text("", "base URL of the API when it cannot be seen from requests (a custom domain)")
    max_upload_bytes: int = _number(512 * MIB, 1, 5 * 1024 * MIB, "largest file")
    max_post_bytes: int = _number(100 * MIB, 1, 5 * 1024 * MIB, "largest file in one POST; above, parts")
    part_bytes: int = _number(16 * MIB, 5 * MIB, 512 * MIB, "size of a part")
    max_body_bytes: int = _number(MIB, 1024, 9 * MIB, "largest JSON body")
    upload_seconds: int = _number(900, 5, 43_200, "how long an upload URL is good for")
    download_seconds: int = _number(300, 5, 43_200, "how long a result URL is good for")
    default_deadline_seconds: int = _number(3600, 1, 86_400, "time from creation to end, unless the request says")
    max_deadline_seconds: int = _number(86_400, 1, 604_800, "longest deadline a request may ask for")
    default_retain_seconds: int = _number(
        86_400, 1, 31_536_000, "how long an ended job is kept, unless the request says"
    )
    max_retain_seconds: int = _number(2_592_000, 1, 31_536_000, "longest retention a request may ask for")
    max_attempts: int = _number(3, 1, 10, "tries of one step")
    retry_delays: tuple[int, ...] = _numbers((60, 120, 240), 0, 43_200, "seconds between the tries of a step")
    lease_margin_seconds: int = _number(5, 1, 300, "a lease outlives its function's time by this")
    patience_seconds: int = _number(60, 1, 3600, "how long a message may be under way before sweep looks for it")
    heartbeat_seconds: int = _number(1, 1, 60, "least time between two writes of progress")
    execute_seconds: int = _number(120, 1, 840, "time limit of a script")
    execute_memory_bytes: int = _number(2048 * MIB, 64 * MIB, 10_240 * MIB, "memory limit of a script")
    requests_per_minute: int = _number(600, 1, 1_000_000, "creating requests of one client per minute")
    calls_per_minute: int = _number(6000, 1, 1_000_000, "calls of models by one client per minute")
    model_cache_bytes: int = _number(256 * MIB, MIB, 10_240 * MIB, "models that a warm calculate function keeps")
    uploads_per_day: int = _number(100_000, 1, 1_000_000_000, "jobs that one client may create per UTC day")
    bytes_per_day: int = _number(1024 * 1024 * MIB, 1, 10**15 - 1, "bytes that one client may upload per UTC day")
    max_running: int = _number(100, 1, 100_000, "jobs that run at once, of all clients; more wait in line")
    max_client_running: int = _number(50, 1, 100_000, "jobs that run at once, of one client, likewise")
    aging_seconds: int = _number(300, 1, 86_400, "how long a class of priority is passed by the next higher one")
    max_jobs: int = _number(10_000, 1, 10_000_000, "jobs under way, of all clients, above which new ones are refused")
    max_client_jobs: int = _number(1000, 1, 10_000_000, "jobs under way, of one client, likewise")
    max_scenarios: int = _number(20_000_000, 1, 2_000_000_000, "scenarios of one job")
    chunk_seconds: int = _number(15, 1, 600, "how long a chunk of scenarios should take")
    chunk_window: int = _number(50, 1, 1000, "chunks of one job that are computed at once")
    wait_seconds: int = _number(25, 0, 25, "longest ?wait=")
    stream_seconds: int = _number(20, 1, 25, "length of one event stream through the API gateway")
    deliver_queue: str = _text("", "URL of the queue of the deliver function")
    webhook_schedule: tuple[int, ...] = _numbers(
        (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400),
        0,
        604_800,
        "seconds before each attempt of a webhook, after the one before",
    )
    webhook_seconds: int = _number(20, 1, 60, "time limit of one webhook request")
    webhook_concurrency: int = _number(2, 1, 100, "webhook requests to one receiver at once")
    webhook_breaker_failures: int = _number(5, 1, 1000, "failures in a row after which a receiver is left in peace")
    webhook_breaker_seconds: int = _number(60, 1, 3600, "how long, at first; twice as long each time it fails again")
    webhook_disable_seconds: int = _number(
        432_000, 1, 31_536_000, "after so long with nothing but failures an endpoint is disabled"
    )
    webhook_overlap_seconds: int = _number(86_400, 0, 2_592_000, "how long a replaced webhook secret signs on")
    webhook_log_seconds: int = _number(604_800, 60, 31_536_000, "how long deliveries are listed")
    webhook_private: bool = _flag(False, "whether webhooks may go to http:// and private addresses; for local runs")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Raises ``SettingsError`` that names every wrong value at once."""
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for spec in fields(cls):
            name = PREFIX + spec.name.upper()
            text = environment.get(name)
            if text is None or text == "":
                continue
            try:
                values[spec.name] = _read(spec.name, text, spec.metadata)
            except ValueError as problem:
                wrong.append(f"{name}={text!r}: {problem}")
        unknown = sorted(
            name
            for name in environment
            if name.startswith(PREFIX) and name[len(PREFIX) :].lower() not in cls.names() and name not in ELSEWHERE
        )
        wrong += [f"{name}: no such setting" for name in unknown]
        settings = cls(**values)
        wrong += settings._contradictions()
        if wrong:
            raise SettingsError("\n".join(wrong))
        return settings

    @classmethod
    def names(cls) -> frozenset[str]:
        return frozenset(spec.name for spec in fields(cls))

    @classmethod
    def limit_names(cls) -> frozenset[str]:
        """Settings that are limits and times, not names and addresses: those that whoever runs the service chooses."""
        return frozenset(spec.name for spec in fields(cls) if "low" in spec.metadata or "flag" in spec.metadata)

    def limits(self) -> dict[str, Any]:
        """Name -> value, to be told at the start."""
        return {name: getattr(self, name) for name in sorted(self.limit_names())}

    def _contradictions(self) -> list[str]:
        out = []
        for name in ("deadline", "retain"):
            default, most = getattr(self, f"default_{name}_seconds"), getattr(self, f"max_{name}_seconds")
            if default > most:
                out.append(f"{PREFIX}DEFAULT_{name.upper()}_SECONDS={default}: above the maximum of {most}")
        if self.max_post_bytes > self.max_upload_bytes:
            out.append(f"{PREFIX}MAX_POST_BYTES={self.max_post_bytes}: above {PREFIX}MAX_UPLOAD_BYTES")
        return out


#: Names with the same prefix that the client side reads, not the service.
ELSEWHERE = frozenset({"SHEETRUN_URL", "SHEETRUN_KEY", "SHEETRUN_DEBUG", "SHEETRUN_CORPUS", "SHEETRUN_ENDPOINT"})


def _read(name: str, text: str, metadata: Mapping[str, Any]) -> Any:
    if name.endswith("queues"):
        pairs = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
        if not pairs:
            raise ValueError("name=url pairs, with commas between them")
        return pairs
    if "flag" in metadata:
        if text.lower() not in ("true", "false"):
            raise ValueError("must be true or false")
        return text.lower() == "true"
    if "low" not in metadata:
        return text
    if "many" in metadata:
        return tuple(_bounded(part, metadata) for part in text.split(","))
    return _bounded(text, metadata)


def _bounded(text: str, metadata: Mapping[str, Any]) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ValueError("not a whole number") from None
    if not metadata["low"] <= number <= metadata["high"]:
        raise ValueError(f"must be between {metadata['low']} and {metadata['high']}")
    return number
