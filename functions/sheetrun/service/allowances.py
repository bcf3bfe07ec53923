"""What each client may do: the settings' limits, or those that an operator gave the client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sheetrun.jobs.errors import Unprocessable
from sheetrun.jobs.limits import Allowance
from sheetrun.records import dataclass
from sheetrun.service.ports import Clock, Keys
from sheetrun.settings import Settings

REMEMBERED = timedelta(seconds=30)  #: how long a change of a client's limits may go unseen
NAMES = tuple(spec.name for spec in fields(Allowance))
MOST = 10**15 - 1  #: what a header may say (RFC 9651, 3.3.1)


def standard(settings: Settings) -> Allowance:
    """Of every client that has no limits of its own."""
    return Allowance(
        requests_per_minute=settings.requests_per_minute,
        calls_per_minute=settings.calls_per_minute,
        uploads_per_day=settings.uploads_per_day,
        bytes_per_day=settings.bytes_per_day,
        running_jobs=settings.max_client_running,
        jobs_under_way=settings.max_client_jobs,
    )


@dataclass(slots=True)
class Allowances:
    """Reads a client's limits, and remembers them for half a minute."""

    keys: Keys
    clock: Clock
    settings: Settings
    _known: dict[str, tuple[Allowance, datetime]] = field(default_factory=dict)

    def of(self, client: str) -> Allowance:
        now = self.clock.now()
        known = self._known.get(client)
        if known is not None and now - known[1] < REMEMBERED:
            return known[0]
        if len(self._known) > 1000:
            self._known.clear()
        allowance = replace(standard(self.settings), **self.keys.limits_of(client))
        self._known[client] = (allowance, now)
        return allowance

    def change(self, client: str, body: Any) -> Allowance:
        """An operator's change: numbers by name, null for the standard. Raises ``Unprocessable``."""
        self.keys.set_limits(client, {**self.keys.limits_of(client), **_checked(body)})
        self._known.pop(client, None)
        return self.of(client)


def _checked(body: Any) -> Mapping[str, int | None]:
    if not isinstance(body, dict):
        raise Unprocessable(f"The body is an object with some of {', '.join(NAMES)}.")
    errors = []
    for name, value in body.items():
        if name not in NAMES:
            errors.append({"path": name, "code": "unknown_field", "detail": "no such limit"})
        elif value is not None and not is_whole(value, 1, MOST):
            errors.append(
                {"path": name, "code": "range", "detail": f"must be a whole number from 1 to {MOST}, or null"}
            )
    if errors:
        raise Unprocessable(f"{errors[0]['path']}: {errors[0]['detail']}", errors=errors)
    return {name: None if value is None else int(value) for name, value in body.items()}


def is_whole(value: Any, low: int, high: int) -> bool:
    """JSON does not tell 5 from 5.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
