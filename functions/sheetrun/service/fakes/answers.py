"""Answers of creating POSTs in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sheetrun.service.fakes.locked import Locked
from sheetrun.service.ports import Answer, Reservation

_KEPT: Final = timedelta(hours=24)
_RUNNING: Final = timedelta(seconds=30)


class MemoryAnswers(Locked):
    """``Idempotency``."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[tuple[str, str], tuple[Reservation, datetime]] = {}

    def reserve(self, owner: str, key: str, *, fingerprint: str, subject: str, now: datetime) -> Reservation:
        with self._lock:
            known = self._answers.get((owner, key))
            if known is not None:
                reservation, at = known
                if reservation.answer is not None and now < at + _KEPT:
                    return reservation
                if reservation.answer is None and now < at + _RUNNING:
                    return reservation
                if reservation.answer is None and reservation.fingerprint == fingerprint:
                    subject = reservation.subject
            fresh = Reservation(fresh=True, subject=subject, fingerprint=fingerprint)
            self._answers[(owner, key)] = (replace(fresh, fresh=False), now)
            return fresh

    def answer(self, owner: str, key: str, answer: Answer, now: datetime) -> None:
        with self._lock:
            reservation, _ = self._answers[(owner, key)]
            self._answers[(owner, key)] = (replace(reservation, answer=answer), now)

    def forget(self, owner: str, key: str) -> None:
        with self._lock:
            self._answers.pop((owner, key), None)
