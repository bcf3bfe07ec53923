"""What a simulation sees from outside: webhooks that were posted, results that were given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sheetrun.jobs.changes import Change
from sheetrun.jobs.job import Job
from sheetrun.service.fakes import MemoryBlobs, MemoryTable
from sheetrun.service.outgoing import Sent


@dataclass(frozen=True)
class Posted:
    """A webhook as its receiver saw it."""

    url: str
    message_id: str
    body: bytes
    accepted: bool


class Receiver:
    """The ``Sender`` port: whoever is told."""

    def __init__(self, fails: Callable[[], bool]) -> None:
        self._fails = fails
        self.posted: list[Posted] = []

    def send(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Sent:
        accepted = not self._fails()
        self.posted.append(Posted(url, headers["webhook-id"], body, accepted))
        return Sent(status=200 if accepted else 503)


class WatchedTable(MemoryTable):
    """Notes what the results were when a job succeeded: nobody may change them after that."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        super().__init__()
        self._blobs = blobs
        self.given: dict[str, dict[str, bytes]] = {}

    def save(self, before: Job, change: Change, **options: Any) -> None:
        super().save(before, change, **options)
        if change.job.results and not before.results:
            assert before.id not in self.given, "a second result"
            self.given[before.id] = {key: self._blobs.get(key) for key in change.job.results.values()}
