"""Queues as SQS has them: at least once, in any order, invisible for a while, and dead letters after so many tries."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sheetrun.jobs.events import Dispatch
from sheetrun.service.ports import Depth, queue_name

#: Seconds that a message is invisible, how often it is tried, and where it goes then: as in template.yaml.
RULES: dict[str, tuple[int, int, str | None]] = {
    "intake": (180, 5, "dead"),
    "parse": (720, 3, "dead"),
    "generate": (720, 3, "dead"),
    "execute": (1080, 3, "dead"),
    "deliver": (540, 5, "dead"),
    "dead": (360, 10**9, None),
}


@dataclass
class Mail:
    """A message in a queue."""

    number: int
    queue: str
    body: str
    visible_at: float
    receives: int = 0


class Mailboxes:
    """The ``Queues`` port, and what the pollers of the functions see."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._count = 0
        self.mails: dict[int, Mail] = {}

    def put(self, queue: str, body: Mapping[str, Any], *, delay: float = 0) -> None:
        self._count += 1
        self.mails[self._count] = Mail(self._count, queue, json.dumps(body), self._now() + delay)

    def send(self, dispatch: Dispatch) -> None:
        step = queue_name(dispatch.step, dispatch.priority).split("-")[0]
        body = {"job_id": dispatch.job_id, "step": dispatch.step.value, "epoch": dispatch.number}
        self.put(step, body, delay=dispatch.delay)

    def post(self, message: Mapping[str, Any], *, delay: int = 0) -> None:
        self.put("deliver", message, delay=delay)

    def put_off(self, source: str, receipt: str, seconds: int) -> None:
        mail = self.mails.get(int(receipt))
        if mail is not None:
            mail.visible_at = self._now() + seconds

    def depth(self) -> Depth:
        return Depth({}, 0)

    def check(self) -> None:
        return None

    # ---- the pollers' side ------------------------------------------------------------------------------------------

    def visible(self) -> list[Mail]:
        return [mail for mail in self.mails.values() if mail.visible_at <= self._now()]

    def receive(self, mail: Mail) -> dict[str, Any] | None:
        """The event for the mail's function; None when it went to the dead letters instead."""
        visibility, most, dead = RULES[mail.queue]
        if mail.receives >= most and dead is not None:
            mail.queue, mail.receives, mail.visible_at = dead, 0, self._now()
            return None
        mail.receives += 1
        mail.visible_at = self._now() + visibility
        record = {
            "messageId": str(mail.number),
            "receiptHandle": str(mail.number),
            "body": mail.body,
            "eventSourceARN": f"arn:aws:sqs:::{mail.queue}",
            "attributes": {"ApproximateReceiveCount": str(mail.receives)},
        }
        return {"Records": [record]}

    def delete(self, mail: Mail) -> None:
        self.mails.pop(mail.number, None)

    def forget_receipts(self) -> None:
        """The emulator was started again: whatever was being worked on is there for all."""
        for mail in self.mails.values():
            mail.visible_at = min(mail.visible_at, self._now())
