"""How the OpenAPI document says things: an operation, its answers and problems, a parameter."""

from __future__ import annotations

from typing import Any

from sheetrun.service.web import schemas

Schema = dict[str, Any]

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r'^([!#-~]+|"[!#-~]+")$'},
    "description": "The same key and body again within 24 h gives the same answer.",
}


def operation(
    name: str,
    summary: str,
    answers: Schema,
    *,
    errors: tuple[str, ...] = (),
    body: Schema | None = None,
    body_required: bool = True,
    parameters: list[Schema] | None = None,
) -> Schema:
    problems = {
        status: {
            "description": _MEANING[status],
            "content": {"application/problem+json": {"schema": schemas.ref("Problem")}},
        }
        for status in (*errors, *(("503",) if errors and "503" not in errors else ()))
    }
    operation: Schema = {"operationId": name, "summary": summary, "responses": {**answers, **problems}}
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {"required": body_required, "content": {"application/json": {"schema": body}}}
    return operation


def shape(title: str, properties: Schema, required: list[str]) -> Schema:
    """An object with these fields and no others."""
    return {
        "title": title,
        "type": "object",
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


_MEANING = {
    "400": "The request cannot be read",
    "401": "No key, or a wrong one",
    "403": "The key's scopes do not allow it",
    "404": "Unknown, gone, or another client's",
    "409": "The state does not allow it",
    "413": "Too large",
    "422": "A field does not validate",
    "429": "A limit of the client",
    "504": "Computing took longer than the call may",
    "503": "The service is at capacity, or a part of it does not answer",
}


#: Of requests that are held until there is news.
WAIT: Schema = {
    "name": "wait",
    "in": "query",
    "schema": {"type": "integer", "minimum": 0},
    "description": "Seconds to hold the answer; more than 25 count as 25.",
}
UNTIL: Schema = {
    "name": "until",
    "in": "query",
    "schema": {"enum": ["changed", "ended", ""], "default": "changed"},
    "description": "With wait: hold until the job is in another state, or until it has ended.",
}


def query(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "schema": schema}


def answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
