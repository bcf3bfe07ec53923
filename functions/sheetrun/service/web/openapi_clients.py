"""The OpenAPI document's part on clients: the operator's routes."""

from __future__ import annotations

from sheetrun.service.access import SCOPES
from sheetrun.service.allowances import MOST, NAMES
from sheetrun.service.web import schemas
from sheetrun.service.web.clients import LONGEST_NAME, LONGEST_OVERLAP, MOST_DAYS, OVERLAP
from sheetrun.service.web.described import IDEMPOTENCY_KEY, Schema, answer, operation, query


def client_paths() -> Schema:
    """By path."""
    one = "/v1/clients/{client}"
    client = {
        "name": "client",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"},
        "description": "A client's name.",
    }
    key = {
        "name": "key",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 64},
        "description": "A key's id: the middle part of the key.",
    }
    new_key = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "scopes": {"type": ["array", "null"], "minItems": 1, "items": {"enum": sorted(SCOPES)}},
            "name": {"type": ["string", "null"], "maxLength": LONGEST_NAME},
            "days": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_DAYS},
        },
    }
    rotation = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "overlap_seconds": {
                "type": ["integer", "null"],
                "minimum": 0,
                "maximum": LONGEST_OVERLAP,
                "default": OVERLAP,
            }
        },
    }
    limit = {"type": ["integer", "null"], "minimum": 1, "maximum": MOST}
    limits = {
        "type": "object",
        "additionalProperties": False,
        "properties": dict.fromkeys(NAMES, limit),
    }
    return {
        "/v1/clients": {
            "get": operation(
                "listClients",
                "Clients by page; needs the operate scope, as all routes below",
                {"200": answer("A page", schemas.ref("Clients"))},
                errors=("401", "403", "422"),
                parameters=[
                    query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
                    query("after", {"type": "string", "pattern": "^([a-z0-9][a-z0-9_-]{0,62})?$"}),
                ],
            )
        },
        one: {
            "get": operation(
                "getClient",
                "A client's limits and what is left of them",
                {"200": answer("The client", schemas.ref("Client"))},
                errors=("401", "403", "404"),
                parameters=[client],
            )
        },
        f"{one}/limits": {
            "put": operation(
                "setLimits",
                "Give a client limits of its own; null is the standard again",
                {"200": answer("The client", schemas.ref("Client"))},
                errors=("400", "401", "403", "404", "413", "422"),
                body=limits,
                parameters=[client],
            )
        },
        f"{one}/keys": {
            "get": operation(
                "listKeys",
                "A client's keys, without their secrets",
                {"200": answer("Keys", _keys())},
                errors=("401", "403", "404"),
                parameters=[client],
            ),
            "post": operation(
                "createKey",
                "A new key, shown once; a client begins to exist with its first",
                {"201": answer("The key", schemas.ref("NewKey"))},
                errors=("400", "401", "403", "409", "413", "422"),
                body=new_key,
                parameters=[client, IDEMPOTENCY_KEY],
            ),
        },
        f"{one}/keys/{{key}}": {
            "delete": operation(
                "revokeKey",
                "Within half a minute the key opens nothing any more",
                {"200": answer("The key", schemas.ref("Key"))},
                errors=("401", "403", "404"),
                parameters=[client, key],
            )
        },
        f"{one}/keys/{{key}}/rotate": {
            "post": operation(
                "rotateKey",
                "A new key with the rights of an old one, which works on for a while",
                {"201": answer("The new key", schemas.ref("NewKey"))},
                errors=("400", "401", "403", "404", "409", "413", "422"),
                body=rotation,
                body_required=False,
                parameters=[client, key, IDEMPOTENCY_KEY],
            )
        },
    }


def _keys() -> Schema:
    return {
        "type": "object",
        "required": ["keys"],
        "properties": {"keys": {"type": "array", "items": schemas.ref("Key")}},
    }
