"""JSON Schemas of what the API answers, for its OpenAPI document."""

from __future__ import annotations

from sheetrun.jobs.states import TASKS, Kind, Priority, State
from sheetrun.jobs.webhooks import TYPES, DeliveryStatus
from sheetrun.service.letters import Source
from sheetrun.service.web.schemas_models import model_schemas
from sheetrun.service.web.shapes import COUNT as _COUNT
from sheetrun.service.web.shapes import TEXT as _TEXT
from sheetrun.service.web.shapes import TIME as _TIME
from sheetrun.service.web.shapes import URL as _URL
from sheetrun.service.web.shapes import Schema
from sheetrun.service.web.shapes import map_of as _map
from sheetrun.service.web.shapes import object_of as _object
from sheetrun.service.web.shapes import or_null as _or_null
from sheetrun.service.web.shapes import ref as ref


def all_schemas() -> dict[str, Schema]:
    """By name."""
    states: Schema = {"type": "string", "enum": list(State)}
    problem_item = _object({"code": _TEXT, "detail": _TEXT}, {"path": _TEXT, "cell": _TEXT})
    job = _object(
        {
            "id": _TEXT,
            "kind": {"type": "string", "enum": list(Kind)},
            "task": {"type": "string", "enum": [task for tasks in TASKS.values() for task in tasks]},
            "filename": _TEXT,
            "size": {"type": ["integer", "null"], "minimum": 0},
            "client": _TEXT,
            "priority": {"type": "string", "enum": list(Priority)},
            "metadata": _map(_TEXT),
            "state": states,
            "running": {"type": "boolean"},
            "progress": _object(
                {
                    "stage": states,
                    "done": _COUNT,
                    "total": _COUNT,
                    "percent": {"type": "number", "minimum": 0, "maximum": 100},
                    "message": _TEXT,
                }
            ),
            "timestamps": _map(_TIME),
            "attempts": _map(_COUNT),
            "error": _or_null(
                _object(
                    {
                        "code": _TEXT,
                        "title": _TEXT,
                        "detail": _TEXT,
                        "stage": _TEXT,
                        "retryable": {"type": "boolean"},
                        "errors": {"type": "array", "items": problem_item},
                    }
                )
            ),
            "report": _or_null({"type": "object"}),
            "urls": _object(
                {"self": _URL, "events": _URL, "cancel": _URL, "retry": _URL, "results": _map(_URL)}, {"model": _URL}
            ),
            "created_at": _TIME,
            "expires_at": _TIME,
        },
        {
            "batch": {"type": ["string", "null"]},
            "model": {"type": ["string", "null"], "description": "The model that it made, computes, or is to make"},
            "custom_id": {"type": ["string", "null"]},
            "deadline_at": _or_null(_TIME),
        },
    )
    batch = _object(
        {
            "id": _TEXT,
            "client": _TEXT,
            "created_at": _TIME,
            "expires_at": _TIME,
            "running": {"type": "boolean"},
            "counts": _map(_COUNT),
            "urls": _object(dict.fromkeys(("self", "cancel", "retry", "results", "errors"), _URL)),
        }
    )
    quota = _object(
        {
            "name": _TEXT,
            "unit": _TEXT,
            "limit": _COUNT,
            "window_seconds": _or_null(_COUNT),
            "remaining": _COUNT,
            "reset": _or_null(_COUNT),
        }
    )
    key = _object(
        {
            "id": _TEXT,
            "client": _TEXT,
            "prefix": _TEXT,
            "name": _TEXT,
            "scopes": {"type": "array", "items": {"enum": ["operate", "read", "submit"]}},
            "active": {"type": "boolean"},
            "created_at": _TIME,
            "expires_at": _or_null(_TIME),
            "revoked_at": _or_null(_TIME),
            "last_used_at": _or_null(_TIME),
        }
    )
    return {
        "Quota": quota,
        "Key": key,
        "NewKey": {
            "allOf": [ref("Key"), _object({"key": {"type": ["string", "null"], "description": "null in a replay"}})]
        },
        "Client": _object(
            {
                "client": _TEXT,
                "allowance": _map(_COUNT),
                "own": _map(_COUNT),
                "limits": {"type": "array", "items": ref("Quota")},
            }
        ),
        "Clients": _object(
            {
                "clients": {"type": "array", "items": _object({"client": _TEXT})},
                "after": {"type": ["string", "null"]},
            }
        ),
        "Value": {
            "description": 'A number, text, boolean, null (empty), {"error": "#N/A"}, or rows of these.',
            "anyOf": [
                {"type": ["number", "string", "boolean", "null"]},
                {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": _TEXT},
                    "additionalProperties": False,
                },
                {"type": "array", "items": {"type": "array", "items": ref("Value")}},
            ],
        },
        "Job": job,
        "SubmittedJob": {"allOf": [ref("Job"), _object({"upload": ref("Upload")})]},
        "Upload": {
            "oneOf": [
                _object(
                    {
                        "method": {"const": "POST"},
                        "url": _URL,
                        "fields": _map(_TEXT),
                        "expires_at": _TIME,
                        "max_bytes": _COUNT,
                    }
                ),
                _object(
                    {
                        "method": {"const": "MULTIPART"},
                        "part_size": _COUNT,
                        "parts": {"type": "array", "items": _object({"number": _COUNT, "url": _URL})},
                        "complete_url": _URL,
                        "expires_at": _TIME,
                        "max_bytes": _COUNT,
                    }
                ),
            ]
        },
        "JobPage": _object(
            {
                "jobs": {"type": "array", "items": ref("Job")},
                "after": {"type": ["string", "null"]},
                "next": _or_null(_URL),
            }
        ),
        "Batch": batch,
        "SubmittedBatch": {"allOf": [ref("Batch"), _object({"jobs": {"type": "array", "items": ref("SubmittedJob")}})]},
        "BatchPage": {
            "allOf": [
                ref("Batch"),
                _object({"jobs": {"type": "array", "items": ref("Job")}, "after": {"type": ["string", "null"]}}),
            ]
        },
        "Events": _object(
            {
                "events": {
                    "type": "array",
                    "items": _object({"id": _COUNT, "type": _TEXT, "at": _TIME, "data": {"type": "object"}}),
                },
                "next": _COUNT,
            }
        ),
        **_webhook_schemas(),
        **model_schemas(),
        "Health": _object(
            {
                "status": {"enum": ["healthy", "unhealthy"]},
                "version": _TEXT,
                "stage": _TEXT,
                "at": _TIME,
                "dependencies": _map(
                    _object(
                        {"status": {"enum": ["healthy", "unhealthy"]}},
                        {"detail": _TEXT, "latency_ms": {"type": "number", "minimum": 0}},
                    )
                ),
                "capacity": _or_null(
                    _object({"under_way": _COUNT, "limit": _COUNT, "at_capacity": {"type": "boolean"}})
                ),
                "concurrency": _or_null(
                    _object({"running": _COUNT, "limit": _COUNT, "working": _COUNT, "waiting": _map(_COUNT)})
                ),
            }
        ),
        "Capacity": _object(
            {
                "at_capacity": {"type": "boolean"},
                "service": _object(
                    {
                        "running": _COUNT,
                        "queued": _COUNT,
                        "limit": _COUNT,
                        "running_limit": _COUNT,
                        "messages": _map(_COUNT),
                    }
                ),
                "client": _object(
                    {
                        "running": _COUNT,
                        "queued": _COUNT,
                        "limit": _COUNT,
                        "running_limit": _COUNT,
                        "at_capacity": {"type": "boolean"},
                    }
                ),
            }
        ),
        "Limits": _object(
            {
                "limits": {"type": "array", "items": ref("Quota")},
                "max_upload_bytes": _COUNT,
                "max_deadline_seconds": _COUNT,
                "max_retain_seconds": _COUNT,
            }
        ),
        "Problem": _object(
            {
                "type": _TEXT,
                "title": _TEXT,
                "status": {"type": "integer"},
                "detail": _TEXT,
                "instance": _TEXT,
                "code": _TEXT,
                "request_id": _TEXT,
                "retryable": {"type": "boolean"},
            },
            {"errors": {"type": "array", "items": problem_item}},
        ),
    }


def _webhook_schemas() -> dict[str, Schema]:
    maybe_time = _or_null(_TIME)
    endpoint = _object(
        {
            "id": _TEXT,
            "url": _URL,
            "events": {"type": "array", "items": {"enum": list(TYPES)}},
            "description": _TEXT,
            "of_jobs": {"type": "boolean", "description": "Not registered: jobs' webhook_url at this origin"},
            "status": {"enum": ["enabled", "disabled"]},
            "disabled_reason": {"type": ["string", "null"]},
            "failing_since": maybe_time,
            "paused_until": {**maybe_time, "description": "The circuit breaker is open until then"},
            "created_at": _TIME,
            "urls": _object({"self": _URL, "deliveries": _URL}),
        }
    )
    attempt = _object(
        {
            "at": _TIME,
            "status_code": {"type": ["integer", "null"]},
            "error": {"type": ["string", "null"]},
            "duration_ms": _COUNT,
            "response": _TEXT,
        }
    )
    delivery = _object(
        {
            "id": _TEXT,
            "endpoint": _TEXT,
            "webhook_id": _TEXT,
            "type": _TEXT,
            "job": {"type": ["string", "null"]},
            "url": _URL,
            "status": {"enum": list(DeliveryStatus)},
            "reason": {"type": ["string", "null"]},
            "next_attempt_at": maybe_time,
            "attempts": {"type": "array", "items": attempt},
            "created_at": _TIME,
            "urls": _object({"self": _URL, "replay": _URL}),
        }
    )
    previous = {"type": "array", "items": _object({"secret": _TEXT, "until": _TIME})}
    secrets = _object({"secret": _TEXT, "previous": previous})
    return {
        "Webhook": endpoint,
        "JobEnded": _object({"type": {"enum": list(TYPES)}, "timestamp": _TIME, "data": ref("Job")}),
        "CreatedWebhook": {"allOf": [ref("Webhook"), _object({"secret": _TEXT})]},
        "WebhookSecrets": secrets,
        "RotatedWebhook": {"allOf": [ref("Webhook"), ref("WebhookSecrets")]},
        "WebhookPage": _page("webhooks", "Webhook"),
        "DeadLetter": _object(
            {
                "id": _TEXT,
                "source": {"enum": list(Source)},
                "job": {"type": ["string", "null"]},
                "at": _TIME,
                "expires_at": _TIME,
                "receives": _COUNT,
                "message": {"type": ["object", "string", "array", "number", "boolean", "null"]},
            }
        ),
        "DeadLetterPage": _page("dead_letters", "DeadLetter"),
        "Redriven": _object(
            {
                "redriven": {"type": "array", "items": _TEXT},
                "skipped": {"type": "array", "items": _object({"id": _TEXT, "code": _TEXT, "detail": _TEXT})},
            }
        ),
        "Delivery": delivery,
        "DeliveryPage": _page("deliveries", "Delivery"),
    }


def _page(name: str, item: str) -> Schema:
    return _object(
        {
            name: {"type": "array", "items": ref(item)},
            "after": {"type": ["string", "null"]},
            "next": _or_null(_URL),
        }
    )
