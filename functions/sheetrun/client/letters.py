"""``client.dead_letters``: messages that the service gave up, for operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sheetrun.client.session import Session
from sheetrun.client.values import jobs_of, parse_time
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """``source``: intake, step, deliver or unknown; ``message`` as it was sent."""

    id: str
    source: str
    job: str | None
    at: datetime | None
    message: Any = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> DeadLetter:
        return cls(
            str(raw["id"]),
            str(raw.get("source", "")),
            raw.get("job"),
            parse_time(raw.get("at")),
            raw.get("message"),
            raw,
        )


@dataclass(frozen=True, slots=True)
class Redriven:
    """Ids that were sent once more, and why others were not (id -> code)."""

    done: tuple[str, ...]
    skipped: Mapping[str, str]


class DeadLettersApi:
    """Needs a key with the scope ``operate``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> Iterator[DeadLetter]:
        """All, newest first."""
        for page in self._session.pages("/dead-letters", {}):
            yield from (DeadLetter.of(raw) for raw in jobs_of(page, "dead_letters"))

    def redrive(self, ids: Sequence[str] | None = None) -> Redriven:
        """Sends them once more; without ids, the newest hundred."""
        body = {} if ids is None else {"ids": list(ids)}
        answer, _ = self._session.call("POST", "/dead-letters/redrive", body=body)
        skipped = {str(one["id"]): str(one["code"]) for one in answer.get("skipped", ())}
        return Redriven(tuple(str(one) for one in answer.get("redriven", ())), skipped)

    def drop(self, letter: str | DeadLetter) -> None:
        """Nothing shall come of it."""
        name = letter.id if isinstance(letter, DeadLetter) else letter
        if not name:
            raise ValueError("an id is needed")
        self._session.call("DELETE", f"/dead-letters/{quote(name, safe='')}")
