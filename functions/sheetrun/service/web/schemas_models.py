"""JSON Schemas of what the routes of models answer."""

from __future__ import annotations

from sheetrun.service.web.shapes import COUNT, TEXT, TIME, URL, Schema, map_of, object_of, or_null, ref

_NUMBER: Schema = {"type": "number"}


def model_schemas() -> dict[str, Schema]:
    """By name."""
    port = object_of(
        {
            "reference": TEXT,
            "name": {"type": ["string", "null"]},
            "label": {"type": ["string", "null"]},
            "type": {"enum": ["number", "date", "text", "boolean", "error", "empty"]},
            "value": ref("Value"),
            "format": TEXT,
        },
        {
            "unit": TEXT,
            "shape": {"type": "array", "items": COUNT, "minItems": 2, "maxItems": 2},
            "validation": object_of(
                {"kind": TEXT},
                {
                    "choices": {"type": "array"},
                    **dict.fromkeys(("minimum", "maximum", "above", "below", "equal"), _NUMBER),
                },
            ),
        },
    )
    error = object_of({"cell": TEXT, "code": TEXT, "detail": TEXT})
    called = {"model": TEXT, "version": COUNT, "duration_ms": {"type": "number", "minimum": 0}}
    step = object_of(
        {
            "cell": TEXT,
            "label": {"type": ["string", "null"]},
            "formula": {"type": ["string", "null"]},
            "value": ref("Value"),
            "input": {"type": "boolean"},
            "reads": {"type": "array", "items": TEXT},
        }
    )
    chain = object_of({"steps": {"type": "array", "items": step}, "complete": {"type": "boolean"}})
    axis = object_of({"reference": TEXT, "values": {"type": "array", "items": ref("CellValue")}})
    sought = object_of({"reference": TEXT, "value": _NUMBER})
    kinds: Schema = {"enum": ["added", "removed", "changed"]}
    changed = {"change": kinds, "from": ref("Value"), "to": ref("Value")}
    formula = {"cells": TEXT, "change": kinds, "from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}}
    causes: Schema = {"type": "array", "items": TEXT}
    version = {"version": COUNT, "job": TEXT, "filename": TEXT, "created_at": TIME, "expires_at": TIME}
    ports: Schema = {"type": "array", "items": ref("Port")}
    return {
        "Port": port,
        "Model": object_of(
            {
                "id": TEXT,
                **version,
                "inputs": ports,
                "outputs": ports,
                "counts": object_of({"inputs": COUNT, "outputs": COUNT}),
                "date1904": {"type": "boolean", "description": "Whether dates count from 1904, as on old Macs"},
                "schema": {"type": "object"},
                "urls": map_of(URL),
            }
        ),
        "CellValue": {
            "anyOf": [
                {"type": ["number", "string", "boolean", "null"]},
                {**object_of({"error": TEXT}), "additionalProperties": False},
            ]
        },
        "Calculated": object_of(
            {
                "outputs": map_of(ref("Value")),
                **called,
                "formulas": {**COUNT, "description": "Formula cells that were computed: what the inputs reach"},
                "errors": {"type": "array", "items": error},
                "overwritten": {"type": "array", "items": TEXT},
            },
            {"explain": map_of(chain)},
        ),
        "Sought": object_of({**called, "input": sought, "output": sought, "target": _NUMBER, "evaluations": COUNT}),
        "Tables": object_of(
            {
                **called,
                "row": axis,
                "column": or_null(axis),
                "tables": map_of({"type": "array", "items": {"type": "array", "items": ref("CellValue")}}),
                "formulas": COUNT,
                "errors": {"type": "array", "items": error},
            }
        ),
        "Difference": object_of(
            {
                "id": TEXT,
                "from": COUNT,
                "to": COUNT,
                "formulas": {"type": "array", "items": object_of(formula)},
                "inputs": {"type": "array", "items": object_of({"cell": TEXT, **changed})},
                "outputs": {
                    "type": "array",
                    "items": object_of(
                        {"reference": TEXT, "label": {"type": ["string", "null"]}, **changed, "causes": causes}
                    ),
                },
                "counts": object_of({"formulas": COUNT, "inputs": COUNT, "outputs": COUNT}),
            }
        ),
        "Versions": object_of(
            {
                "id": TEXT,
                "current": {"type": ["integer", "null"]},
                "versions": {"type": "array", "items": object_of({**version, "state": TEXT})},
            }
        ),
    }
