"""SQS events: each record for itself, and an answer that names only those that must come back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import unquote_plus

from sheetrun.jobs.errors import StepRetryable
from sheetrun.jobs.job import instant
from sheetrun.service.ports import Clock, Log
from sheetrun.service.steps import Again, Message, Outcome, message_of
from sheetrun.service.uploads import Arrival

Failures = dict[str, list[dict[str, str]]]


class Delay(Protocol):
    """Puts off a message that this function holds: queue ARN, receipt, seconds."""

    def __call__(self, source: str, receipt: str, seconds: int) -> None: ...


def each_record(event: Mapping[str, Any], handle: Callable[[Mapping[str, Any]], bool], log: Log) -> Failures:
    """``handle`` says whether a record is done. What it raises brings only that record back."""
    failures: list[dict[str, str]] = []
    for record in event.get("Records", []):
        try:
            done = handle(record)
        except (StepRetryable, ValueError) as problem:
            log.warning("record_failed", message_id=record.get("messageId"), why=str(problem))
            done = False
        if not done:
            failures.append({"itemIdentifier": str(record["messageId"])})
    return {"batchItemFailures": failures}


def step_records(event: Mapping[str, Any], run: Callable[[Message], Outcome], delay: Delay, log: Log) -> Failures:
    """A step's queue: one message is one try of one step."""

    def handle(record: Mapping[str, Any]) -> bool:
        outcome = run(message_of(_body(record)))
        if isinstance(outcome, Again):
            delay(str(record["eventSourceARN"]), str(record["receiptHandle"]), outcome.seconds)
            return False
        return True

    return each_record(event, handle, log)


def arrivals(record: Mapping[str, Any], clock: Clock) -> list[Arrival]:
    """What one message of the intake queue tells. S3's test event, and anything that is not a creation, tells nothing.

    Keys come URL-encoded, with ``+`` for a space. Emulators leave out ``sequencer`` and ``eventTime``.
    """
    found = []
    for note in _body(record).get("Records", []):
        if not str(note.get("eventName", "")).removeprefix("s3:").startswith("ObjectCreated"):
            continue
        thing = note["s3"]["object"]
        found.append(
            Arrival(
                key=unquote_plus(str(thing["key"])),
                at=_time(note.get("eventTime"), clock),
                etag=str(thing.get("eTag", "")),
                sequencer=str(thing.get("sequencer", "")),
            )
        )
    return found


def _time(text: Any, clock: Clock) -> datetime:
    try:
        return instant(str(text))
    except ValueError:
        return clock.now()


def _body(record: Mapping[str, Any]) -> Mapping[str, Any]:
    body = json.loads(str(record["body"]))
    if not isinstance(body, dict):
        raise ValueError("the message is not an object")
    return body
