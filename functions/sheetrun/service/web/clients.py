"""The operator's routes: clients, their keys and their limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sheetrun.jobs.errors import NotFound, Unprocessable
from sheetrun.jobs.job import rfc3339
from sheetrun.records import dataclass
from sheetrun.service.access import SCOPES, USUAL, Access, need_client, works
from sheetrun.service.allowances import NAMES, Allowances, is_whole
from sheetrun.service.ports import ApiKey, Clock, Keys, Ledger
from sheetrun.service.web.http import Response, answer
from sheetrun.service.web.limits import Gatekeeper
from sheetrun.service.web.replay import Replay
from sheetrun.service.web.router import Call, Route
from sheetrun.settings import Settings

OVERLAP = 86_400  #: seconds that a rotated key works on, unless the request says
LONGEST_OVERLAP = 30 * 86_400
MOST_DAYS = 3650
LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class ClientRoutes:
    """A key's text leaves the service once, in the answer that made it."""

    keys: Keys
    ledger: Ledger
    access: Access
    allowances: Allowances
    gate: Gatekeeper
    replay: Replay
    clock: Clock
    settings: Settings

    def routes(self) -> list[Route]:
        one = "/v1/clients/{client}"
        key = f"{one}/keys/{{key}}"
        wanted = [
            ("GET", "/v1/clients", self.clients),
            ("GET", one, self.client),
            ("PUT", f"{one}/limits", self.limit),
            ("GET", f"{one}/keys", self.keys_of),
            ("POST", f"{one}/keys", self.create),
            ("POST", f"{key}/rotate", self.rotate),
            ("DELETE", key, self.revoke),
        ]
        return [
            Route(method=method, template=template, handler=handler, scope="operate")
            for method, template, handler in wanted
        ]

    def clients(self, call: Call) -> Response:
        """``GET /v1/clients``: names, by page, in their order."""
        limit = call.request.integer("limit", 20, 1, 100)
        after = call.request.one("after") or None
        if after is not None:
            need_client(after)
        names = list(self.keys.clients(after=after, limit=limit + 1))
        page, cursor = names[:limit], names[limit - 1] if len(names) > limit else None
        headers = {}
        if cursor is not None:
            headers["Link"] = f'<{call.request.base}/v1/clients?limit={limit}&after={cursor}>; rel="next"'
        return answer(200, {"clients": [{"client": name} for name in page], "after": cursor}, headers)

    def client(self, call: Call) -> Response:
        """``GET /v1/clients/{client}``: its limits and what is left of them."""
        return answer(200, self._view(self._known(call)))

    def limit(self, call: Call) -> Response:
        """``PUT …/limits``: changes the limits that are named; null gives the standard one again."""
        client = self._known(call)
        self.allowances.change(client, call.request.json(self.settings.max_body_bytes))
        return answer(200, self._view(client))

    def _view(self, client: str) -> dict[str, Any]:
        allowance = self.allowances.of(client)
        return {
            "client": client,
            "allowance": {name: getattr(allowance, name) for name in NAMES},
            "own": dict(self.keys.limits_of(client)),
            "limits": [quota.document() for quota in self.gate.quotas(client)],
        }

    def keys_of(self, call: Call) -> Response:
        """``GET …/keys``: all of them, the working ones and the others."""
        found = sorted(self.keys.list_keys(self._known(call)), key=lambda key: (key.created_at, key.id), reverse=True)
        return answer(200, {"keys": [self._key_view(key) for key in found]}, {"Cache-Control": "no-store"})

    def create(self, call: Call) -> Response:
        """``POST …/keys``: a client begins to exist with its first key."""
        client = call.path["client"]
        need_client(client)
        scopes, name, days = _wanted(call.request.json(self.settings.max_body_bytes))

        def make(key_id: str) -> Response:
            return self._shown(*self.access.make(client, scopes=scopes, name=name, days=days, key_id=key_id))

        return self.replay.once(call, self.access.new_id(), make, kept=_without_secret)

    def rotate(self, call: Call) -> Response:
        """``POST …/keys/{key}/rotate``: a new key; the old one works on for ``overlap_seconds``."""
        key = self._key(call)
        body = call.request.json(self.settings.max_body_bytes) if call.request.body.strip() else {}
        overlap = timedelta(seconds=_overlap(body))

        def make(key_id: str) -> Response:
            return self._shown(*self.access.rotate(key, overlap=overlap, key_id=key_id))

        return self.replay.once(call, self.access.new_id(), make, kept=_without_secret)

    def revoke(self, call: Call) -> Response:
        """``DELETE …/keys/{key}``: within half a minute it opens nothing any more."""
        key = self._key(call)
        self.access.revoke(key.id)
        return answer(200, self._key_view(self._key(call)))

    def _shown(self, key: ApiKey, text: str) -> Response:
        return answer(201, {**self._key_view(key), "key": text}, {"Cache-Control": "no-store"})

    def _key_view(self, key: ApiKey) -> dict[str, Any]:
        def time(moment: Any) -> str | None:
            return None if moment is None else rfc3339(moment)

        return {
            "id": key.id,
            "client": key.client,
            "prefix": f"sr_{key.id}_",
            "name": key.name,
            "scopes": sorted(key.scopes),
            "active": works(key, self.clock.now()),
            "created_at": time(key.created_at),
            "expires_at": time(key.expires_at),
            "revoked_at": time(key.revoked_at),
            "last_used_at": time(key.last_used_at),
        }

    def _known(self, call: Call) -> str:
        client = call.path["client"]
        if not self.keys.client_exists(client):
            raise NotFound(f"There is no client {client}.", code="client_not_found")
        return client

    def _key(self, call: Call) -> ApiKey:
        key = self.keys.get_key(call.path["key"])
        if key is None or key.client != call.path["client"]:
            raise NotFound(f"There is no key {call.path['key']} of this client.", code="key_not_found")
        return key


def _without_secret(response: Response) -> Response:
    body = {**json.loads(response.body), "key": None}
    return answer(response.status, body, response.headers)


def _wanted(body: Any) -> tuple[frozenset[str], str, int | None]:
    """Scopes, name and days of a new key. Raises ``Unprocessable`` with every fault."""
    members = _members(body, ("scopes", "name", "days"))
    errors = []
    scopes, name, days = members.get("scopes"), members.get("name"), members.get("days")
    if scopes is None:
        scopes = sorted(USUAL)
    if not isinstance(scopes, list) or not scopes or not all(isinstance(one, str) and one in SCOPES for one in scopes):
        errors.append({"path": "scopes", "code": "choice", "detail": f"must be some of {', '.join(sorted(SCOPES))}"})
        scopes = []
    if name is not None and (not isinstance(name, str) or len(name) > LONGEST_NAME):
        errors.append({"path": "name", "code": "type", "detail": f"must be text of at most {LONGEST_NAME} characters"})
    if days is not None and not is_whole(days, 1, MOST_DAYS):
        errors.append({"path": "days", "code": "range", "detail": f"must be a whole number from 1 to {MOST_DAYS}"})
    _raise(errors)
    return frozenset(scopes), name or "", None if days is None else int(days)


def _overlap(body: Any) -> int:
    seconds = _members(body, ("overlap_seconds",)).get("overlap_seconds")
    if seconds is None:
        return OVERLAP
    if not is_whole(seconds, 0, LONGEST_OVERLAP):
        detail = f"must be a whole number from 0 to {LONGEST_OVERLAP}"
        _raise([{"path": "overlap_seconds", "code": "range", "detail": detail}])
    return int(seconds)


def _members(body: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise Unprocessable(f"The body is an object with some of {', '.join(known)}.")
    _raise([{"path": name, "code": "unknown_field", "detail": "no such field"} for name in body if name not in known])
    return body


def _raise(errors: list[dict[str, str]]) -> None:
    if errors:
        raise Unprocessable(f"{errors[0]['path']}: {errors[0]['detail']}", errors=errors)
