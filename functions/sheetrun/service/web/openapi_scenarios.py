"""The OpenAPI document's part about scenarios: one route, four forms of a body."""

from __future__ import annotations

from sheetrun.service.models import MOST_VERSIONS
from sheetrun.service.references import PATTERN
from sheetrun.service.scenario_requests import MOST_INPUTS, MOST_OUTPUTS
from sheetrun.service.web import schemas
from sheetrun.service.web.described import IDEMPOTENCY_KEY, Schema, answer, operation, shape
from sheetrun.service.web.job_options import job_options
from sheetrun.settings import Settings

_ID: Schema = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
    "description": "A model's id: that of the job which made it.",
}
_REFERENCE: Schema = {"type": "string", "minLength": 1, "maxLength": 512, "pattern": PATTERN}
_NUMBER: Schema = {"type": "number", "exclusiveMinimum": -1e300, "exclusiveMaximum": 1e300}
_POSITIVE: Schema = {"type": "number", "minimum": 0, "exclusiveMaximum": 1e300}


def scenario_paths(settings: Settings) -> Schema:
    """By path."""
    job = {"anyOf": [schemas.ref("SubmittedJob"), schemas.ref("Job")]}
    return {
        "/v1/models/{id}/scenarios": {
            "post": operation(
                "submitScenarios",
                "Compute a model for many inputs: a job of kind scenarios",
                {"202": answer("Accepted; with upload where the scenarios come in a file", job)},
                errors=("400", "401", "403", "404", "409", "413", "422", "429", "503"),
                body=_body(settings),
                parameters=[_ID, IDEMPOTENCY_KEY],
            )
        }
    }


def _body(settings: Settings) -> Schema:
    common: Schema = {
        "outputs": {
            "type": ["array", "null"],
            "minItems": 1,
            "maxItems": MOST_OUTPUTS,
            "items": _REFERENCE,
            "description": "Cells; without it, the model's outputs that are one cell",
        },
        "version": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_VERSIONS},
        **job_options(settings),
    }
    value = schemas.ref("CellValue")
    listed = {
        "scenarios": {
            "type": "array",
            "minItems": 1,
            "items": _inputs(value),
            "description": "Each an object: reference to value; what one does not name is the workbook's own",
        }
    }
    grid = {
        "grid": {
            **_inputs({"type": "array", "minItems": 1, "items": value}),
            "minProperties": 1,
            "description": "Every combination of these values; the last input changes fastest",
        }
    }
    sample = {
        "sample": {**_inputs(_distribution()), "minProperties": 1},
        "count": {"type": "integer", "minimum": 1, "maximum": settings.max_scenarios},
        "seed": {"type": ["integer", "null"], "minimum": 0, "maximum": 2**63 - 1},
        "skip": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": 2**63 - 1,
            "description": "Scenarios of the sample to leave out: so several jobs share one sample",
        },
        "correlations": {
            "type": ["array", "null"],
            "maxItems": 1000,
            "items": {
                "type": "array",
                "minItems": 3,
                "maxItems": 3,
                "prefixItems": [
                    _REFERENCE,
                    _REFERENCE,
                    {"type": "number", "exclusiveMinimum": -1, "exclusiveMaximum": 1},
                ],
            },
            "description": "[first, second, r]: of the normal variables behind the inputs",
        },
    }
    file = {
        "filename": {
            "type": "string",
            "minLength": 5,
            "maxLength": 255,
            "pattern": r"^[^/\\\x00-\x1f\x7f]+\.([cC][sS][vV]|[pP][aA][rR][qQ][uU][eE][tT])$",
            "description": "A file that is uploaded: its first line, or its columns, name the inputs",
        },
        "size": {"type": ["integer", "null"], "minimum": 1, "maximum": settings.max_upload_bytes},
        "sha256": {"type": ["string", "null"], "pattern": "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"},
    }
    return {
        "anyOf": [
            shape("A list", {**listed, **common}, ["scenarios"]),
            shape("A grid", {**grid, **common}, ["grid"]),
            shape("A sample", {**sample, **common}, ["sample", "count"]),
            shape("A file", {**file, **common}, ["filename"]),
        ]
    }


def _inputs(value: Schema) -> Schema:
    return {
        "type": "object",
        "maxProperties": MOST_INPUTS,
        "propertyNames": _REFERENCE,
        "additionalProperties": value,
    }


def _distribution() -> Schema:
    pair: Schema = {"type": "array", "minItems": 2, "maxItems": 2}
    weighed = {**pair, "prefixItems": [schemas.ref("CellValue"), _POSITIVE]}
    return {
        "oneOf": [
            _one("normal", {**pair, "prefixItems": [_NUMBER, _POSITIVE]}, "[mean, standard deviation]"),
            _one("lognormal", {**pair, "prefixItems": [_NUMBER, _POSITIVE]}, "[mean, sd] of the logarithm"),
            _one("uniform", {**pair, "items": _NUMBER}, "[low, high]"),
            _one("triangular", {"type": "array", "minItems": 3, "maxItems": 3, "items": _NUMBER}, "[low, mode, high]"),
            _one("discrete", {"type": "array", "minItems": 1, "items": weighed}, "[[value, weight], …]"),
        ]
    }


def _one(name: str, takes: Schema, told: str) -> Schema:
    return {
        "type": "object",
        "required": [name],
        "additionalProperties": False,
        "properties": {name: {**takes, "description": told}},
    }
