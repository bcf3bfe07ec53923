"""The queues in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sheetrun.jobs.errors import StepRetryable
from sheetrun.jobs.events import Dispatch
from sheetrun.service.ports import Depth, queue_name


class MemoryQueues:
    """Messages in lists; ``down`` makes every send fail, ``deaf`` those to the deliver function."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Dispatch]] = []
        self.down = False
        self.deaf = False
        self.delays: list[tuple[str, str, int]] = []
        self.posted: list[tuple[dict[str, Any], int]] = []  #: to the deliver function, with their delays

    def post(self, message: Mapping[str, Any], *, delay: int = 0) -> None:
        if self.down or self.deaf:
            raise StepRetryable("queue_unavailable", "the queue did not take the message")
        self.posted.append((dict(message), delay))

    def send(self, dispatch: Dispatch) -> None:
        if self.down:
            raise StepRetryable("queue_unavailable", "the queue did not take the message")
        self.messages.append((queue_name(dispatch.step, dispatch.priority), dispatch))

    def put_off(self, source: str, receipt: str, seconds: int) -> None:
        self.delays.append((source, receipt, seconds))

    def take(self) -> Dispatch | None:
        return self.messages.pop(0)[1] if self.messages else None

    def depth(self) -> Depth:
        counts: dict[str, int] = defaultdict(int)
        for name, _ in self.messages:
            counts[name] += 1
        return Depth(counts, 0)

    def check(self) -> None:
        if self.down:
            raise StepRetryable("queue_unavailable", "the queue does not answer")
