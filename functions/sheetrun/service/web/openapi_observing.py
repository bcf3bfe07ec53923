"""The OpenAPI document's part for whoever runs the service: health, metrics, dead letters."""

from __future__ import annotations

from sheetrun.service.burying import LONGEST_ID
from sheetrun.service.web import schemas
from sheetrun.service.web.described import Schema, answer, operation, query

_ID: Schema = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
    "description": "A dead letter's id.",
}


def observing_paths() -> Schema:
    """By path."""
    return {
        "/v1/health": {
            "get": {
                **operation(
                    "health",
                    "Whether the service and what it stands on answer, and how full it is",
                    {"200": answer("Healthy", schemas.ref("Health")), "503": answer("Not", schemas.ref("Health"))},
                ),
                "security": [],
            }
        },
        "/v1/metrics": {
            "get": operation(
                "metrics",
                "Gauges and counters in Prometheus' text format; needs the operate scope",
                {"200": {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}},
                errors=("401", "403"),
            )
        },
        "/v1/dead-letters": {
            "get": operation(
                "listDeadLetters",
                "Messages that were given up, newest first; needs the operate scope",
                {"200": answer("A page", schemas.ref("DeadLetterPage"))},
                errors=("401", "403", "422"),
                parameters=[
                    query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
                    query("after", {"type": "string", "maxLength": 64}),
                ],
            )
        },
        "/v1/dead-letters/redrive": {
            "post": operation(
                "redriveDeadLetters",
                "Send the named ones once more, or the newest hundred",
                {"200": answer("What was sent, and what was not", schemas.ref("Redriven"))},
                errors=("400", "401", "403", "404", "413", "422"),
                body={
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "ids": {
                            "type": ["array", "null"],
                            "minItems": 1,
                            "maxItems": 100,
                            "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_ID},
                        }
                    },
                },
                body_required=False,
            )
        },
        "/v1/dead-letters/{id}": {
            "delete": operation(
                "dropDeadLetter",
                "Nothing shall come of it",
                {"204": {"description": "It is gone"}},
                errors=("401", "403", "404"),
                parameters=[_ID],
            )
        },
    }
