"""Clients of the service: they order a job, upload its file, perhaps cancel it, and try again when they get no answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: Statuses after which a client tries again, under the same Idempotency-Key.
AGAIN = {409, 429, 500, 502, 503, 504}


@dataclass
class Customer:
    """One job from its order to its end. ``file``: good, broken or none."""

    name: str
    client: str
    file: str = "good"
    webhook: bool = True
    cancels: bool = False
    retries: bool = False  #: asks for a failed job to be tried once more
    announces: bool = False  #: says the file's size and digest beforehand
    due: float = 0.0
    ids: set[str] = field(default_factory=set)  #: that it was told for its one key
    job_id: str | None = None
    uploaded: bool = False
    asked_cancel: bool = False
    cancelled: bool = False  #: the service said yes
    reopened: bool = False

    def body(self, data: bytes) -> dict[str, Any]:
        body: dict[str, Any] = {"filename": "model.xlsx"}
        if self.webhook:
            body["webhook_url"] = f"https://{self.client}.example/hooks/{self.name}"
        if self.announces:
            body["size"] = len(data)
        return body
