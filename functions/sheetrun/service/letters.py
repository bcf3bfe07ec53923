"""Dead letters: messages that failed again and again, kept as rows until an operator decides (``burying``)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sheetrun.records import dataclass


class Source(StrEnum):
    """Whose queue gave the message up."""

    INTAKE = "intake"
    STEP = "step"
    DELIVER = "deliver"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """``body`` is the message as it was sent."""

    id: str
    source: Source
    at: datetime
    expires_at: datetime
    body: str
    job_id: str | None = None
    receives: int = 0


@dataclass(frozen=True, slots=True)
class LetterPage:
    """Newest first; ``after`` is the id to go on from, None at the end."""

    letters: tuple[Letter, ...]
    after: str | None


class Letters(Protocol):
    """Where dead letters are kept."""

    def keep(self, letter: Letter) -> None: ...

    def letter(self, letter_id: str) -> Letter | None: ...

    def letters(self, *, after: str | None, limit: int) -> LetterPage: ...

    def drop(self, letter_id: str) -> None: ...
