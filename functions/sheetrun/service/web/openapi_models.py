"""The OpenAPI document's part about models, and the document of one model as an API of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sheetrun.service.models import CASES, OPTIONS, Version, calculate_schema
from sheetrun.service.references import PATTERN
from sheetrun.service.requests import MAX_INPUTS
from sheetrun.service.web import schemas
from sheetrun.service.web.described import Schema, answer, operation, query

_ID: Schema = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
    "description": "A model's id: that of the job which made it.",
}
_VERSION = query("version", {"type": "integer", "minimum": 1, "maximum": 1_000_000})
_READ = ("401", "403", "404", "409", "422")


def model_paths() -> Schema:
    """By path."""
    return {
        "/v1/models/{id}": {
            "get": operation(
                "getModel",
                "What a workbook takes and gives: inputs, outputs, and the JSON Schema of calculate",
                {"200": answer("The model", schemas.ref("Model"))},
                errors=_READ,
                parameters=[_ID, _VERSION],
            )
        },
        "/v1/models/{id}/versions": {
            "get": operation(
                "listVersions",
                "The versions of a model, newest first",
                {"200": answer("Versions", schemas.ref("Versions"))},
                errors=_READ,
                parameters=[_ID],
            )
        },
        "/v1/models/{id}/openapi.json": {
            "get": operation(
                "modelOpenapi",
                "The OpenAPI document of this model alone",
                {"200": answer("OpenAPI 3.1", {"type": "object"})},
                errors=_READ,
                parameters=[_ID, _VERSION],
            )
        },
        **_call_paths(),
    }


def _call_paths() -> Schema:
    value = schemas.ref("Value")
    reference = {"type": "string", "minLength": 1, "maxLength": 512, "pattern": PATTERN}
    inputs = {
        "type": ["object", "null"],
        "maxProperties": MAX_INPUTS,
        "propertyNames": reference,
        "additionalProperties": value,
    }
    outputs = {"type": ["array", "null"], "minItems": 1, "maxItems": MAX_INPUTS, "items": reference}
    explain = {"type": ["boolean", "array", "null"], "minItems": 1, "items": reference}
    axis = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "propertyNames": reference,
        "additionalProperties": {"type": "array", "minItems": 1, "maxItems": CASES, "items": schemas.ref("CellValue")},
    }
    number = {"type": "number", "minimum": -1e300, "maximum": 1e300}
    bounds = {"type": ["array", "null"], "items": number, "minItems": 2, "maxItems": 2}
    tolerance = {"type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 1e12}
    goal = {"output": reference, "target": number, "input": reference, "bounds": bounds, "tolerance": tolerance}
    table = {
        "row": {**axis, "description": "The values across the table"},
        "column": {**axis, "type": ["object", "null"], "description": "The values down the table"},
        "outputs": {**outputs, "type": "array"},
    }
    return {
        "/v1/models/{id}/calculate": _call(
            "calculate",
            "Outputs for other inputs, computed now",
            "Calculated",
            inputs,
            {"outputs": outputs, "explain": explain},
        ),
        "/v1/models/{id}/goal-seek": _call(
            "goalSeek",
            "The input for which an output is the target",
            "Sought",
            inputs,
            goal,
            ["output", "target", "input"],
        ),
        "/v1/models/{id}/data-table": _call(
            "dataTable",
            "Outputs for every value of one input, or pair of two",
            "Tables",
            inputs,
            table,
            ["outputs", "row"],
        ),
        "/v1/models/{id}/diff": {
            "get": operation(
                "diffVersions",
                "What changed between two versions, and which change caused which",
                {"200": answer("The difference", schemas.ref("Difference"))},
                errors=(*_READ, "429"),
                parameters=[
                    _ID,
                    query("from", {"type": "integer", "minimum": 1, "maximum": 1_000_000}),
                    query("to", {"type": "integer", "minimum": 1, "maximum": 1_000_000}),
                ],
            )
        },
    }


def _call(
    name: str, summary: str, found: str, inputs: Schema, fields: Schema, required: list[str] | None = None
) -> Schema:
    body: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"inputs": inputs, **fields, **OPTIONS},
    }
    if required:
        body["required"] = required
    return {
        "post": operation(
            name,
            summary,
            {"200": answer("Computed", schemas.ref(found))},
            errors=("400", "401", "403", "404", "409", "413", "422", "429", "503", "504"),
            body=body,
            parameters=[_ID],
        )
    }


def model_document(version: Version, interface: Mapping[str, Any], base: str) -> Schema:
    """``GET /v1/models/{id}/openapi.json``."""
    outputs = {
        entry["reference"]: {
            **schemas.ref("Value"),
            **({"description": entry["label"]} if entry["label"] else {}),
        }
        for entry in interface["outputs"]
    }
    body = calculate_schema(version.job.filename, interface)
    del body["$schema"]
    calculated = {
        "type": "object",
        "required": ["outputs", "duration_ms"],
        "properties": {
            "outputs": {"type": "object", "properties": outputs, "additionalProperties": schemas.ref("Value")},
            "duration_ms": {"type": "number", "minimum": 0},
        },
    }
    known = schemas.all_schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": version.job.filename,
            "version": str(version.number),
            "description": "A workbook as an API: set inputs, get outputs, computed by its own formulas.",
        },
        "servers": [{"url": base}],
        "security": [{"key": []}, {"bearer": []}],
        "paths": {
            f"/v1/models/{version.model}/calculate": {
                "post": operation(
                    "calculate",
                    "Outputs for other inputs",
                    {"200": answer("Computed", calculated)},
                    errors=("400", "401", "403", "404", "409", "413", "422", "429", "503", "504"),
                    body=body,
                )
            }
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": {name: known[name] for name in ("Value", "Problem")},
        },
    }
