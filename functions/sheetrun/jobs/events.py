"""What is told about a job: an append-only list per job, numbered from 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from sheetrun.jobs.states import ENDED, Priority, Step
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``type`` is past tense with a prefix: ``job.queued``, ``job.succeeded``."""

    number: int
    type: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ends(self) -> bool:
        """Whether the job came to its end: what webhooks tell."""
        return self.type.removeprefix("job.") in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A message that must reach the queue of ``step``: kept in the outbox until a queue has taken it."""

    job_id: str
    step: Step
    number: int  #: the job's ``dispatch`` when it was written
    priority: Priority
    delay: int = 0  #: seconds
    chunk: int | None = None  #: a part of the step (such a message is not kept in the outbox; see ``jobs.chunks``)

    @property
    def id(self) -> str:
        return f"{self.step.value}#{self.number:06d}"

    def message(self) -> dict[str, Any]:
        body: dict[str, Any] = {"job_id": self.job_id, "step": self.step.value, "epoch": self.number}
        return body if self.chunk is None else {**body, "chunk": self.chunk}
