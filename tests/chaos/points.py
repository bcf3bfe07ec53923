"""The points at which something may go wrong: before and after each call that an invocation makes to the outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from sheetrun.jobs.errors import Raced, StepRetryable
from sheetrun.service.blobs import Blob
from sheetrun.service.outgoing import SendFailed

#: Calls that change something, by port: after them there is a point as well.
WRITES = {
    "ledger": {"create", "save", "sent", "delete", "give_back", "tidy"},
    "idempotency": {"reserve", "answer", "forget"},
    "limits": {"take"},
    "blobs": {"put", "delete", "delete_all"},
    "queues": {"send", "post", "put_off"},
    "webhooks": {"add_endpoint", "save_endpoint", "save_guard", "add_delivery", "save_delivery", "add_body", "told"},
    "letters": {"keep"},
    "counters": {"add"},
    "sender": {"send"},
}
#: Conditional writes. When the answer is lost and the client library writes again, the second write loses to the first.
CONDITIONAL = {"save", "delete", "save_endpoint", "save_guard", "save_delivery"}


class Fault(StrEnum):
    """What may happen at a point."""

    KILL = "kill"
    FAIL = "fail"  #: the call is refused; after a write: it is done, and its answer lost
    RACE = "race"  #: after a conditional write: done, repeated by the client library, and refused as already done
    FREEZE = "freeze"  #: the worker stands still, and goes on when it was given up long since
    YIELD = "yield"  #: another invocation runs first


class Point:
    """Where an invocation is: ``port.method``, before it or after."""

    def __init__(self, port: str, method: str, *, after: bool) -> None:
        self.port, self.method, self.after = port, method, after

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.port}.{self.method}"

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those that are possible here, beside ``YIELD``."""
        found = [Fault.KILL, Fault.FREEZE, Fault.FAIL]
        if self.after and self.method in CONDITIONAL:
            found.append(Fault.RACE)
        return tuple(found)

    def failure(self, fault: Fault) -> Exception:
        if fault is Fault.RACE:
            return Raced("the condition did not hold (it was written already)")
        if self.port == "sender":
            return SendFailed("timeout", "the receiver did not answer in time")
        return StepRetryable(f"{self.port}_unavailable", "injected")


class Port:
    """A port whose every call passes ``point`` before, and after a write."""

    def __init__(self, name: str, target: Any, point: Callable[[Point], None]) -> None:
        self._name, self._target, self._point = name, target, point

    def put_all(self, blobs: Sequence[Blob]) -> None:
        """One after the other, with a point around each: a worker may die when some are there."""
        for blob in blobs:
            self.put(blob.key, blob.data, content_type=blob.content_type)

    def get_all(self, wanted: Sequence[tuple[str, str | None]]) -> list[bytes]:
        return [self.get(key, etag=etag) for key, etag in wanted]

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._target, method)
        name, point = self._name, self._point
        writes = method in WRITES.get(name, ())

        def through(*arguments: Any, **options: Any) -> Any:
            point(Point(name, method, after=False))
            answer = call(*arguments, **options)
            if writes:
                point(Point(name, method, after=True))
            return answer

        return through
