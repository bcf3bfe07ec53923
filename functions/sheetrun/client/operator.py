"""What an operator's key may do besides: clients, their keys, their limits. ``Client.operator`` gives one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sheetrun.client.session import Session
from sheetrun.client.values import parse_time
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. ``text`` is the whole key, only in the answer that made it."""

    id: str
    client: str
    name: str
    scopes: tuple[str, ...]
    active: bool
    created_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    text: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> ApiKey:
        times = {name: parse_time(raw.get(name)) for name in ("created_at", "expires_at", "revoked_at", "last_used_at")}
        text = raw.get("key")
        return cls(
            id=str(raw.get("id", "")),
            client=str(raw.get("client", "")),
            name=str(raw.get("name", "")),
            scopes=tuple(str(scope) for scope in raw.get("scopes", ())),
            active=bool(raw.get("active")),
            text=text if isinstance(text, str) else None,
            **times,
        )


@dataclass(frozen=True, slots=True)
class Operator:
    """Every method raises ApiError (403 ``missing_scope`` with a key that has no operate scope)."""

    _session: Session

    def clients(self) -> Iterator[str]:
        """Names of all clients; pages are asked for as they are needed."""
        for page in self._session.pages("/clients", {"limit": 100}):
            yield from (str(one["client"]) for one in page.get("clients", ()))

    def client(self, client: str) -> Mapping[str, Any]:
        """``allowance`` (limits that hold), ``own`` (those that are not the standard ones), ``limits`` (what is left)."""
        return self._session.call("GET", _route(client))[0]

    def set_limits(self, client: str, **limits: int | None) -> Mapping[str, Any]:
        """Limits by name (``running_jobs=4``); None gives the standard one again. The client as it is then."""
        return self._session.call("PUT", f"{_route(client)}/limits", body=limits, repeatable=True)[0]

    def keys(self, client: str) -> list[ApiKey]:
        """Newest first."""
        answer, _ = self._session.call("GET", f"{_route(client)}/keys")
        return [ApiKey.of(raw) for raw in answer.get("keys", ())]

    def create_key(
        self, client: str, *, scopes: Sequence[str] | None = None, name: str | None = None, days: int | None = None
    ) -> ApiKey:
        """A new key, with its ``text``: the service does not show it again. A client begins to exist with its first."""
        given = {"scopes": None if scopes is None else list(scopes), "name": name, "days": days}
        body = {member: value for member, value in given.items() if value is not None}
        return self._made(f"{_route(client)}/keys", body)

    def rotate_key(self, client: str, key: str, *, overlap_seconds: int | None = None) -> ApiKey:
        """A new key with the rights of an old one, which works on for the overlap (a day unless given)."""
        body = {} if overlap_seconds is None else {"overlap_seconds": overlap_seconds}
        return self._made(f"{_route(client)}/keys/{quote(key, safe='')}/rotate", body)

    def revoke_key(self, client: str, key: str) -> ApiKey:
        """Within half a minute the key opens nothing any more."""
        return ApiKey.of(self._session.call("DELETE", f"{_route(client)}/keys/{quote(key, safe='')}")[0])

    def _made(self, route: str, body: Mapping[str, Any]) -> ApiKey:
        # Not repeated when the answer is lost: a repetition would not show the key.
        return ApiKey.of(
            self._session.call("POST", route, body=body, idempotency_key=str(uuid.uuid4()), repeatable=False)[0]
        )


def _route(client: str) -> str:
    if not client:
        raise ValueError("a client's name is needed")
    return f"/clients/{quote(client, safe='')}"
