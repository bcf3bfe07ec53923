"""JSON Schemas of what the routes of models answer."""

from __future__ import annotations

from sheetrun.service.web.shapes import COUNT, TEXT, TIME, URL, Schema, map_of, object_of, ref

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
                "schema": {"type": "object"},
                "urls": map_of(URL),
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
