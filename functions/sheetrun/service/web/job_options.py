"""JSON Schema of the options that every request for a job takes, for the OpenAPI document."""

from __future__ import annotations

from sheetrun.jobs.states import Priority
from sheetrun.service.requests import MAX_METADATA
from sheetrun.service.web.shapes import Schema
from sheetrun.settings import Settings


def job_options(settings: Settings) -> dict[str, Schema]:
    """By name; each may be null."""
    return {
        "priority": {"type": ["string", "null"], "enum": [*Priority, None]},
        "webhook_url": {"type": ["string", "null"], "format": "uri", "maxLength": 2048, "pattern": "^https://"},
        "deadline_seconds": {"type": ["integer", "null"], "minimum": 1, "maximum": settings.max_deadline_seconds},
        "retain_seconds": {"type": ["integer", "null"], "minimum": 1, "maximum": settings.max_retain_seconds},
        "metadata": {
            "type": ["object", "null"],
            "maxProperties": MAX_METADATA,
            "propertyNames": {"minLength": 1, "maxLength": 64},
            "additionalProperties": {"type": "string", "maxLength": 512},
        },
    }
