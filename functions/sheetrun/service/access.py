"""API keys: made, checked, revoked. A key is ``sr_<id>_<secret>``; only the hash of the secret is stored."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import field, replace
from datetime import datetime, timedelta

from sheetrun.jobs.errors import Conflict, Unauthenticated, Unprocessable
from sheetrun.records import dataclass
from sheetrun.service.ports import ApiKey, Clock, Ids, Keys
from sheetrun.service.uploads import CLIENT

SCOPES = frozenset({"submit", "read", "operate"})
USUAL = frozenset({"submit", "read"})  #: of a key for which nothing else is asked; operators are made on purpose
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

    def create(self, client: str, *, scopes: frozenset[str] = USUAL, name: str = "", days: int | None = None) -> str:
        """A new key's text, which is shown once. Raises ``Unprocessable``."""
        return self.make(client, scopes=scopes, name=name, days=days)[1]

    def make(
        self,
        client: str,
        *,
        scopes: frozenset[str] = USUAL,
        name: str = "",
        days: int | None = None,
        key_id: str | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its text. Raises ``Unprocessable``."""
        need_client(client)
        if not scopes or not scopes <= SCOPES:
            raise Unprocessable(f"Scopes are some of {', '.join(sorted(SCOPES))}.")
        now = self.clock.now()
        expires = None if days is None else now + timedelta(days=days)
        return self._put(key_id or self.new_id(), client, scopes=scopes, name=name, now=now, expires_at=expires)

    def new_id(self) -> str:
        return self.ids.token(8).replace("_", "-")

    def _put(
        self, key_id: str, client: str, *, scopes: frozenset[str], name: str, now: datetime, expires_at: datetime | None
    ) -> tuple[ApiKey, str]:
        secret = self.ids.token(24)
        key = ApiKey(
            id=key_id,
            client=client,
            secret_hash=_hash(secret),
            scopes=scopes,
            created_at=now,
            name=name,
            expires_at=expires_at,
        )
        self.keys.put_key(key)
        return key, f"sr_{key_id}_{secret}"

    def rotate(self, key: ApiKey, *, overlap: timedelta, key_id: str | None = None) -> tuple[ApiKey, str]:
        """A key that takes the place of another, with its rights and its length of life; the old one works on for a while.

        Raises ``Conflict`` for a key that does not work any more.
        """
        now = self.clock.now()
        if not works(key, now):
            raise Conflict("The key does not work any more; make a new one.", code="key_not_active")
        life = None if key.expires_at is None else now + (key.expires_at - key.created_at)
        made = self._put(
            key_id or self.new_id(), key.client, scopes=key.scopes, name=key.name, now=now, expires_at=life
        )
        last = now + overlap if key.expires_at is None else min(key.expires_at, now + overlap)
        self._change(replace(key, expires_at=last))
        return made

    def revoke(self, key_id: str) -> bool:
        """Whether there was such a key. Revoking twice keeps the first time."""
        key = self.keys.get_key(key_id)
        if key is None:
            return False
        if key.revoked_at is None:
            self._change(replace(key, revoked_at=self.clock.now()))
        return True

    def _change(self, key: ApiKey) -> None:
        self.keys.put_key(key)
        self._known.pop(key.id, None)

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
            or not works(key, now)
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


def works(key: ApiKey, now: datetime) -> bool:
    """Whether it is neither revoked nor past its time."""
    return (key.revoked_at is None or key.revoked_at > now) and (key.expires_at is None or key.expires_at > now)


def need_client(name: str) -> None:
    """Raises ``Unprocessable`` for what cannot be a client's name."""
    if not CLIENT.fullmatch(name):
        raise Unprocessable("A client's name is 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit.")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
