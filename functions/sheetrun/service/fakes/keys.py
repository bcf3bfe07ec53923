"""API keys and the limits of clients in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sheetrun.service.fakes.locked import Locked
from sheetrun.service.ports import ApiKey


class MemoryKeys(Locked):
    """``Keys``."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, ApiKey] = {}
        self._limits: dict[str, dict[str, int]] = {}

    def put_key(self, key: ApiKey) -> None:
        with self._lock:
            self._keys[key.id] = key

    def get_key(self, key_id: str) -> ApiKey | None:
        with self._lock:
            return self._keys.get(key_id)

    def list_keys(self, client: str) -> Sequence[ApiKey]:
        with self._lock:
            return [key for key in self._keys.values() if key.client == client]

    def touch_key(self, key_id: str, now: datetime, *, unless_after: datetime) -> None:
        with self._lock:
            key = self._keys.get(key_id)
            if key is not None and (key.last_used_at is None or key.last_used_at <= unless_after):
                self._keys[key_id] = replace(key, last_used_at=now)

    def clients(self, *, after: str | None, limit: int) -> Sequence[str]:
        with self._lock:
            return [name for name in sorted({key.client for key in self._keys.values()}) if name > (after or "")][
                :limit
            ]

    def limits_of(self, client: str) -> Mapping[str, int]:
        with self._lock:
            return dict(self._limits.get(client, {}))

    def set_limits(self, client: str, limits: Mapping[str, int | None]) -> None:
        with self._lock:
            self._limits[client] = {name: value for name, value in limits.items() if value is not None}

    def client_exists(self, client: str) -> bool:
        return bool(self.list_keys(client))
