"""Buries messages that were given up, and sends them once more when an operator says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from typing import Any

from sheetrun.jobs.errors import Conflict, NotFound, Rejected, StepRetryable, Unprocessable
from sheetrun.records import dataclass
from sheetrun.service.batches import arrivals
from sheetrun.service.control import Control
from sheetrun.service.letters import Letter, Letters, Source
from sheetrun.service.metrics import Counters
from sheetrun.service.ports import Clock, Ids, Log, Queues
from sheetrun.service.steps import Message, message_of
from sheetrun.service.sweep import Sweeper
from sheetrun.service.uploads import Door

KEPT = timedelta(days=14)
LONGEST = 20_000  #: characters of a message that are kept


@dataclass(frozen=True, slots=True)
class Redriven:
    """``skipped``: letter id -> (code, why); such letters are still there."""

    done: tuple[str, ...] = ()
    skipped: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Undertaker:
    """Buries messages of the dead-letter queues, and brings them back."""

    kept: Letters
    counters: Counters
    sweeper: Sweeper
    clock: Clock
    ids: Ids
    log: Log

    def bury(self, body: str, receives: int) -> None:
        """Ends the job of a step's message, and keeps the letter. Raises ``StepRetryable``."""
        source, job_id, message = classify(body)
        if message is not None:
            self.sweeper.dead_letter(message)
        now = self.clock.now()
        letter = Letter(
            id=f"dead_{self.ids.job_id(now).removeprefix('job_')}",
            source=source,
            at=now,
            expires_at=now + KEPT,
            body=body[:LONGEST],
            job_id=job_id,
            receives=receives,
        )
        self.kept.keep(letter)
        self.counters.add({f"sheetrun_dead_letters_total:{source.value}": 1})
        self.log.error("dead_letter", job_id=job_id, letter=letter.id, source=source.value)


@dataclass(frozen=True, slots=True)
class Redrive:
    """An operator's second chance for a letter, whoever's it is."""

    kept: Letters
    control: Control
    door: Door
    queues: Queues
    clock: Clock
    log: Log

    def redrive(self, ids: tuple[str, ...] | None, *, limit: int) -> Redriven:
        """The named letters, or the newest ``limit``. Raises ``NotFound`` for a name that is not there."""
        if ids is None:
            letters = self.kept.letters(after=None, limit=limit).letters
        else:
            letters = tuple(self._one(letter_id) for letter_id in ids)
        done: list[str] = []
        skipped: dict[str, tuple[str, str]] = {}
        for letter in letters:
            try:
                self._send(letter)
            except (Rejected, StepRetryable) as problem:
                skipped[letter.id] = (problem.code, problem.detail)
                continue
            self.kept.drop(letter.id)
            done.append(letter.id)
            self.log.info("dead_letter_redriven", letter=letter.id, job_id=letter.job_id, source=letter.source.value)
        return Redriven(tuple(done), skipped)

    def drop(self, letter_id: str) -> None:
        self.kept.drop(self._one(letter_id).id)

    def _one(self, letter_id: str) -> Letter:
        letter = self.kept.letter(letter_id)
        if letter is None or letter.expires_at <= self.clock.now():
            raise NotFound(f"There is no dead letter {letter_id}.", code="letter_not_found")
        return letter

    def _send(self, letter: Letter) -> None:
        if letter.source is Source.STEP and letter.job_id is not None:
            self.control.retry(letter.job_id)
        elif letter.source is Source.DELIVER:
            self.queues.post(json.loads(letter.body))
        elif letter.source is Source.INTAKE:
            for arrival in arrivals({"body": letter.body}, self.clock):
                self.door.arrived(arrival)
        else:
            raise Conflict("The message is none of the service's own.", code="not_ours")


def classify(body: str) -> tuple[Source, str | None, Message | None]:
    """Whose a message is (it says so by its form), its job, and the step's message if it is one."""
    try:
        found = json.loads(body)
    except ValueError:
        return Source.UNKNOWN, None, None
    if not isinstance(found, dict):
        return Source.UNKNOWN, None, None
    if "Records" in found:
        return Source.INTAKE, None, None
    if "event" in found or "delivery" in found:
        job_id = found.get("job_id")
        return Source.DELIVER, job_id if isinstance(job_id, str) else None, None
    try:
        message = message_of(found)
    except ValueError:
        return Source.UNKNOWN, None, None
    return Source.STEP, message.job_id, message


LONGEST_ID = 64


def wanted_ids(body: Any) -> tuple[str, ...] | None:
    """``{"ids": […]}``, or None for all. Raises ``Unprocessable``."""
    if not isinstance(body, dict) or set(body) - {"ids"}:
        raise Unprocessable("The body must be an object with no member but ids.", code="invalid_request")
    ids = body.get("ids")
    if ids is None:
        return None
    if (
        not isinstance(ids, list)
        or not 1 <= len(ids) <= 100
        or not all(isinstance(one, str) and 1 <= len(one) <= LONGEST_ID for one in ids)
    ):
        raise Unprocessable(
            "ids: must be a list of 1 to 100 ids.",
            errors=[{"path": "ids", "code": "type", "detail": "must be a list of 1 to 100 ids"}],
        )
    return tuple(dict.fromkeys(ids))
