"""API keys: made, checked, revoked. A key is ``sr_<id>_<secret>``; only the hash of the secret is stored."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sheetrun.jobs.errors import Unauthenticated, Unprocessable
from sheetrun.service.ports import ApiKey, Clock, Ids, Keys
from sheetrun.service.uploads import CLIENT

SCOPES = frozenset({"submit", "read", "operate"})
_KEY = re.compile(r"sr_([A-Za-z0-9-]{11})_([A-Za-z0-9_-]{32})")
REMEMBERED = timedelta(seconds=30)
TOUCHED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking."""

    client: str
    key_id: str
    scopes: frozenset[str]


@dataclass(slots=True)
class Access:
    """Checks keys; remembers a key for half a minute, which is how long a revoked one may still work."""

    keys: Keys
    clock: Clock
    ids: Ids
    _known: dict[str, tuple[ApiKey, datetime]] = field(default_factory=dict)

    def create(self, client: str, *, scopes: frozenset[str] = SCOPES, name: str = "", days: int | None = None) -> str:
        """A new key's text, which is shown once. Raises ``Unprocessable``."""
        if not CLIENT.fullmatch(client):
            raise Unprocessable("A client's name is 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit.")
        if not scopes or not scopes <= SCOPES:
            raise Unprocessable(f"Scopes are some of {', '.join(sorted(SCOPES))}.")
        now = self.clock.now()
        key_id, secret = self.ids.token(8).replace("_", "-"), self.ids.token(24)
        self.keys.put_key(
            ApiKey(
                id=key_id,
                client=client,
                secret_hash=_hash(secret),
                scopes=scopes,
                created_at=now,
                name=name,
                expires_at=None if days is None else now + timedelta(days=days),
            )
        )
        return f"sr_{key_id}_{secret}"

    def revoke(self, key_id: str) -> bool:
        """Whether there was such a key."""
        key = self.keys.get_key(key_id)
        if key is None:
            return False
        self.keys.put_key(replace(key, revoked_at=self.clock.now()))
        self._known.pop(key_id, None)
        return True

    def caller(self, text: str | None) -> Caller:
        """Raises ``Unauthenticated``; the same words whatever is wrong with the key."""
        if not text:
            raise Unauthenticated(
                "Send your API key as x-api-key, or as Authorization: Bearer.", code="missing_api_key"
            )
        match = _KEY.fullmatch(text)
        key = self._key(match[1]) if match else None
        now = self.clock.now()
        if (
            match is None
            or key is None
            or not hmac.compare_digest(key.secret_hash, _hash(match[2]))
            or (key.revoked_at is not None and key.revoked_at <= now)
            or (key.expires_at is not None and key.expires_at <= now)
        ):
            raise Unauthenticated("The API key is not valid.", code="invalid_api_key")
        self._touch(key, now)
        return Caller(client=key.client, key_id=key.id, scopes=key.scopes)

    def _key(self, key_id: str) -> ApiKey | None:
        now = self.clock.now()
        if (known := self._known.get(key_id)) and now - known[1] < REMEMBERED:
            return known[0]
        key = self.keys.get_key(key_id)
        if key is not None:
            if len(self._known) > 1000:
                self._known.clear()
            self._known[key_id] = (key, now)
        return key

    def _touch(self, key: ApiKey, now: datetime) -> None:
        """``last_used_at``, written at most once a minute."""
        if key.last_used_at is None or now - key.last_used_at >= TOUCHED:
            self.keys.touch_key(key.id, now, unless_after=now - TOUCHED)
            self._known[key.id] = (replace(key, last_used_at=now), now)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
