"""The OpenAPI document's part on webhooks."""

from __future__ import annotations

from sheetrun.jobs.webhooks import TEST, TYPES, DeliveryStatus
from sheetrun.service.web import schemas
from sheetrun.service.web.described import IDEMPOTENCY_KEY, Schema, answer, operation, query

_ID: Schema = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
    "description": "An endpoint's id.",
}
_DELIVERY: Schema = {**_ID, "name": "delivery", "description": "A delivery's id."}
_LIMIT = query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20})
_AFTER = query("after", {"type": "string", "maxLength": 64})
_MISSING = ("401", "403", "404")


def told_to_receivers() -> Schema:
    """What an endpoint is sent."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    headers = [{"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in names]
    return {
        "jobEnded": {
            "post": {
                "operationId": "jobEnded",
                "summary": "A job has ended; verify the signature as standardwebhooks.com says",
                "parameters": headers,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": schemas.ref("JobEnded")}},
                },
                "responses": {
                    "2XX": {"description": "Taken"},
                    "410": {"description": "Tell this endpoint nothing more"},
                    "default": {"description": "Try again later"},
                },
            }
        }
    }


def webhook_paths() -> Schema:
    """By path."""
    endpoint = schemas.ref("Webhook")
    one = "/v1/webhooks/{id}"
    log = f"{one}/deliveries"
    return {
        "/v1/webhooks": {
            "post": operation(
                "createWebhook",
                "Be told how jobs end (standardwebhooks.com); the answer holds the secret",
                {"201": answer("The endpoint", schemas.ref("CreatedWebhook"))},
                errors=("400", "401", "403", "409", "413", "422"),
                body=_request(),
                parameters=[IDEMPOTENCY_KEY],
            ),
            "get": operation(
                "listWebhooks",
                "The caller's endpoints, newest first",
                {"200": answer("A page", schemas.ref("WebhookPage"))},
                errors=("401", "403", "422"),
                parameters=[_LIMIT, _AFTER],
            ),
        },
        one: {
            "get": operation(
                "getWebhook", "An endpoint", {"200": answer("It", endpoint)}, errors=_MISSING, parameters=[_ID]
            ),
            "delete": operation(
                "deleteWebhook",
                "Tell this endpoint nothing more",
                {"204": {"description": "It is gone"}},
                errors=_MISSING,
                parameters=[_ID],
            ),
        },
        f"{one}/secret": {
            "get": operation(
                "getWebhookSecret",
                "What the receiver verifies with",
                {"200": answer("The secret, and the one that it replaces", schemas.ref("WebhookSecrets"))},
                errors=_MISSING,
                parameters=[_ID],
            )
        },
        f"{one}/rotate": {
            "post": operation(
                "rotateWebhookSecret",
                "A new secret; the old one signs beside it for a time",
                {"200": answer("The endpoint and its secrets", schemas.ref("RotatedWebhook"))},
                errors=("400", *_MISSING, "413", "422"),
                body={
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "overlap_seconds": {"type": ["integer", "null"], "minimum": 0, "maximum": 2_592_000}
                    },
                },
                body_required=False,
                parameters=[_ID],
            )
        },
        f"{one}/enable": {
            "post": operation(
                "enableWebhook",
                "Tell it again, after it was disabled",
                {"200": answer("It", endpoint)},
                errors=_MISSING,
                parameters=[_ID],
            )
        },
        f"{one}/test": {
            "post": operation(
                "testWebhook",
                f"Send an event of type {TEST}",
                {"202": answer("On its way", schemas.ref("Delivery"))},
                errors=(*_MISSING, "409"),
                parameters=[_ID],
            )
        },
        log: {
            "get": operation(
                "listDeliveries",
                "What was sent, newest first",
                {"200": answer("A page", schemas.ref("DeliveryPage"))},
                errors=(*_MISSING, "422"),
                parameters=[_ID, _LIMIT, _AFTER, query("status", {"type": "string", "enum": list(DeliveryStatus)})],
            )
        },
        f"{log}/{{delivery}}": {
            "get": operation(
                "getDelivery",
                "One delivery with its attempts",
                {"200": answer("It", schemas.ref("Delivery"))},
                errors=_MISSING,
                parameters=[_ID, _DELIVERY],
            )
        },
        f"{log}/{{delivery}}/replay": {
            "post": operation(
                "replayDelivery",
                "Send it once more, under the same webhook-id",
                {"202": answer("On its way", schemas.ref("Delivery"))},
                errors=(*_MISSING, "409"),
                parameters=[_ID, _DELIVERY],
            )
        },
    }


def _request() -> Schema:
    return {
        "type": "object",
        "required": ["url"],
        "additionalProperties": False,
        "properties": {
            "url": {"type": "string", "format": "uri", "maxLength": 2048, "pattern": "^https?://[!-~]+$"},
            "events": {"type": ["array", "null"], "minItems": 1, "items": {"enum": list(TYPES)}},
            "description": {"type": ["string", "null"], "maxLength": 255},
        },
    }
