"""The OpenAPI 3.1 document of the API, and the page that shows it. Loaded only when somebody asks."""

from __future__ import annotations

from typing import Any

from sheetrun import __version__
from sheetrun.jobs.states import TASKS, Kind, State
from sheetrun.service.references import PATTERN
from sheetrun.service.requests import DATASET_SUFFIXES, MAX_INPUTS, WORKBOOK_SUFFIXES
from sheetrun.service.web import schemas
from sheetrun.service.web.described import IDEMPOTENCY_KEY as _KEY
from sheetrun.service.web.described import UNTIL as _UNTIL
from sheetrun.service.web.described import WAIT as _WAIT
from sheetrun.service.web.described import answer as _json
from sheetrun.service.web.described import operation as _operation
from sheetrun.service.web.described import query as _query
from sheetrun.service.web.described import shape
from sheetrun.service.web.job_options import job_options
from sheetrun.service.web.openapi_clients import client_paths
from sheetrun.service.web.openapi_models import model_paths
from sheetrun.service.web.openapi_observing import observing_paths
from sheetrun.service.web.openapi_scenarios import scenario_paths
from sheetrun.service.web.openapi_webhooks import told_to_receivers, webhook_paths
from sheetrun.settings import Settings

Schema = dict[str, Any]

_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
    "description": "A job's id.",
}

_BATCH_ID = {**_ID, "description": "A batch's id."}
#: Parameters that are blank count as absent.
_TIME_OR_BLANK = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "maxLength": 0}]}


def document(base: str, settings: Settings) -> Schema:
    """``base`` is the URL of the API without ``/v1``."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sheetrun",
            "version": __version__,
            "description": "Workbooks computed by a Python script and proved against Excel's values; datasets analyzed.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base}],
        "security": [{"key": []}, {"bearer": []}],
        "paths": _paths(settings),
        "webhooks": told_to_receivers(),
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": schemas.all_schemas(),
        },
    }


def _paths(settings: Settings) -> Schema:
    return {
        "/v1/jobs": {
            "post": _operation(
                "submitJob",
                "Create a job; upload the file to the address in the answer",
                {"202": _job("Accepted", upload=True)},
                errors=("400", "401", "403", "409", "413", "422", "429", "503"),
                body=_request(settings),
                parameters=[_KEY],
            ),
            "get": _operation(
                "listJobs",
                "The caller's jobs, newest first",
                {"200": _json("A page", schemas.ref("JobPage"))},
                errors=("401", "403", "422"),
                parameters=[
                    _query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
                    _query("after", {"type": "string", "pattern": "^(job_[0-9A-Za-z]{26})?$"}),
                    _query("state", {"type": "array", "items": {"enum": [*State, ""]}}),
                    _query("kind", {"type": "string", "enum": [*Kind, ""]}),
                    _query("batch", {"type": "string"}),
                    _query("created_after", _TIME_OR_BLANK),
                    _query("created_before", _TIME_OR_BLANK),
                ],
            ),
        },
        "/v1/jobs/{id}": {
            "get": _operation(
                "getJob",
                "A job; with wait, when it changes or ends, or only when it ends",
                {"200": _job("The job"), "304": {"description": "Not changed since If-None-Match"}},
                errors=("401", "403", "404", "422"),
                parameters=[
                    _ID,
                    _WAIT,
                    _UNTIL,
                    {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}},
                ],
            )
        },
        "/v1/jobs/{id}/cancel": {
            "post": _operation(
                "cancelJob",
                "Stop a job",
                {"202": _job("Cancelled, or being cancelled")},
                errors=("401", "403", "404", "409"),
                parameters=[_ID],
            )
        },
        "/v1/jobs/{id}/retry": {
            "post": _operation(
                "retryJob",
                "Resume a failed job from the stage that failed",
                {"202": _job("Queued again")},
                errors=("401", "403", "404", "409"),
                parameters=[_ID],
            )
        },
        "/v1/jobs/{id}/upload/complete": {
            "post": _operation(
                "completeUpload",
                "All parts of a multipart upload are there",
                {"202": _job("Taken in")},
                errors=("401", "403", "404", "409"),
                parameters=[_ID],
            )
        },
        "/v1/jobs/{id}/events": {
            "get": _operation(
                "listEvents",
                "What happened to a job, as JSON or as server-sent events",
                {
                    "200": {
                        "description": "Events after a number",
                        "content": {
                            "application/json": {"schema": schemas.ref("Events")},
                            "text/event-stream": {"schema": {"type": "string"}},
                        },
                    },
                    "204": {"description": "The stream has come to its end"},
                },
                errors=("401", "403", "404", "422"),
                parameters=[
                    _ID,
                    _query("after", {"type": "integer", "minimum": 0, "maximum": 2**31}),
                    _WAIT,
                    {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}},
                ],
            )
        },
        "/v1/jobs/{id}/results/{name}": {
            "get": _operation(
                "getResult",
                "Where a result can be fetched for the next minutes",
                {
                    "302": {
                        "description": "To the file",
                        "headers": {"Location": {"schema": {"type": "string", "format": "uri"}}},
                    }
                },
                errors=("401", "403", "404", "409"),
                parameters=[
                    _ID,
                    {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
                ],
            )
        },
        "/v1/batches": {
            "post": _operation(
                "submitBatch",
                "Create up to 100 jobs in one call: all of them or none",
                {"202": _json("Accepted", schemas.ref("SubmittedBatch"))},
                errors=("400", "401", "403", "409", "413", "422", "429", "503"),
                body=_batch(settings),
                parameters=[_KEY],
            )
        },
        "/v1/batches/{id}": {
            "get": _operation(
                "getBatch",
                "Counts by state, and the jobs by page",
                {"200": _json("The batch", schemas.ref("BatchPage"))},
                errors=("401", "403", "404", "422"),
                parameters=[
                    _BATCH_ID,
                    _query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
                    _query("after", {"type": "string", "pattern": "^[0-9]{0,3}$"}),
                ],
            )
        },
        "/v1/batches/{id}/results": {
            "get": _operation(
                "getBatchResults",
                "A manifest: a line of JSON for each job that has results",
                {"200": _jsonl("custom_id, id, state, filename, self and results of each")},
                errors=("401", "403", "404"),
                parameters=[_BATCH_ID],
            )
        },
        "/v1/batches/{id}/errors": {
            "get": _operation(
                "getBatchErrors",
                "A manifest: a line of JSON for each job that ended without results",
                {"200": _jsonl("custom_id, id, state, filename, self and error of each")},
                errors=("401", "403", "404"),
                parameters=[_BATCH_ID],
            )
        },
        "/v1/batches/{id}/cancel": {
            "post": _operation(
                "cancelBatch",
                "Stop every job that has not ended",
                {"202": _json("The batch", schemas.ref("Batch"))},
                errors=("401", "403", "404", "409"),
                parameters=[_BATCH_ID],
            )
        },
        "/v1/batches/{id}/retry": {
            "post": _operation(
                "retryBatch",
                "Resume the jobs that failed",
                {"202": _json("The batch", schemas.ref("Batch"))},
                errors=("401", "403", "404", "409"),
                parameters=[_BATCH_ID],
            )
        },
        **model_paths(),
        **scenario_paths(settings),
        **client_paths(),
        **webhook_paths(),
        **observing_paths(),
        "/v1/capacity": {
            "get": _operation(
                "capacity",
                "Jobs under way and limits",
                {"200": _json("Capacity", schemas.ref("Capacity"))},
                errors=("401", "403"),
            )
        },
        "/v1/limits": {
            "get": _operation(
                "limits",
                "The caller's limits and what is left of them",
                {"200": _json("Limits", schemas.ref("Limits"))},
                errors=("401", "403"),
            )
        },
        "/v1/openapi.json": {
            "get": {
                **_operation("openapi", "This document", {"200": _json("OpenAPI 3.1", {"type": "object"})}),
                "security": [],
            }
        },
        "/v1/docs": {
            "get": {
                **_operation(
                    "docs",
                    "This document as a page",
                    {"200": {"description": "A page", "content": {"text/html": {"schema": {"type": "string"}}}}},
                ),
                "security": [],
            }
        },
    }


def _jsonl(description: str) -> Schema:
    return {"description": description, "content": {"application/jsonl": {"schema": {"type": "string"}}}}


def _job(description: str, *, upload: bool = False) -> Schema:
    return _json(description, schemas.ref("SubmittedJob" if upload else "Job"))


def _request(settings: Settings, more: Schema | None = None) -> Schema:
    """What may be sent depends on the kind, and the kind on the suffix if it is not given. ``more`` is required too."""
    value = schemas.ref("Value")
    reference = {"type": "string", "minLength": 1, "maxLength": 512, "pattern": PATTERN}
    common = {
        "size": {"type": ["integer", "null"], "minimum": 1, "maximum": settings.max_upload_bytes},
        "sha256": {
            "type": ["string", "null"],
            "pattern": "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
            "description": "base64",
        },
        **job_options(settings),
        **(more or {}),
    }
    workbook = {
        "filename": _filename(WORKBOOK_SUFFIXES, "model.xlsx"),
        "kind": {"enum": [Kind.WORKBOOK.value, None]},
        "task": {"enum": [*TASKS[Kind.WORKBOOK], None]},
        "inputs": {
            "type": ["object", "null"],
            "maxProperties": MAX_INPUTS,
            "propertyNames": reference,
            "additionalProperties": value,
        },
        "outputs": {"type": ["array", "null"], "minItems": 1, "maxItems": MAX_INPUTS, "items": reference},
        "replaces": {"type": ["string", "null"], "minLength": 1, "maxLength": 64, "description": "a model's id"},
        **common,
    }
    nothing: Schema = {
        "inputs": {"type": ["object", "null"], "maxProperties": 0},
        "outputs": {"type": "null"},
        "replaces": {"type": "null"},
    }
    dataset = {
        "filename": _filename(DATASET_SUFFIXES, "orders.csv"),
        "kind": {"enum": [Kind.DATASET.value, None]},
        "task": {"enum": [*TASKS[Kind.DATASET], None]},
        **nothing,
        **common,
    }
    table = {
        **dataset,
        "filename": _filename(DATASET_SUFFIXES + WORKBOOK_SUFFIXES, "orders.xlsx"),
        "kind": {"const": Kind.DATASET.value},
    }
    return {
        "anyOf": [
            shape("A workbook", workbook, ["filename", *(more or ())]),
            shape("A dataset", dataset, ["filename", *(more or ())]),
            shape("A worksheet as a dataset", table, ["filename", "kind", *(more or ())]),
        ]
    }


def _filename(suffixes: tuple[str, ...], example: str) -> Schema:
    """Any name without path separators and control characters; suffixes in whatever case."""
    ways = "|".join("".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in suffix[1:]) for suffix in suffixes)
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": rf"^[^/\\\x00-\x1f\x7f]+\.({ways})$",
        "examples": [example],
    }


def _batch(settings: Settings) -> Schema:
    custom = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f]+$"}
    job = _request(settings, {"custom_id": custom})
    return {
        "type": "object",
        "required": ["jobs"],
        "additionalProperties": False,
        "properties": {"jobs": {"type": "array", "minItems": 1, "maxItems": 100, "items": job}},
    }


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sheetrun API</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
h1{margin-bottom:0}code{font:14px ui-monospace,monospace}section{border-top:1px solid #d5dae1;padding:.8rem 0}
.m{display:inline-block;min-width:4.5rem;font-weight:700}table{border-collapse:collapse;margin:.3rem 0}
td{padding:.1rem 1rem .1rem 0;vertical-align:top}
@media(prefers-color-scheme:dark){body{background:#12161c;color:#dfe5ec}section{border-color:#333c48}}
</style>
<h1>Sheetrun API</h1><p id="about">The machine-readable form is at <a href="openapi.json">openapi.json</a>.</p>
<main id="routes"></main>
<script>
const add=(to,tag,text)=>{const e=document.createElement(tag);if(text)e.textContent=text;to.append(e);return e};
fetch("openapi.json").then(r=>r.json()).then(doc=>{
  const main=document.getElementById("routes");add(main,"p",doc.info.description);
  for(const [path,methods] of Object.entries(doc.paths))for(const [method,op] of Object.entries(methods)){
    const s=add(main,"section"),h=add(s,"div");add(h,"span",method.toUpperCase()).className="m";add(h,"code",path);
    add(s,"div",op.summary);const t=add(s,"table");
    for(const p of op.parameters||[]){const r=add(t,"tr");add(add(r,"td"),"code",p.name);add(r,"td",p.in);
      add(r,"td",p.description||"")}
    for(const [name,p] of Object.entries(op.requestBody?.content["application/json"].schema.properties||{})){
      const r=add(t,"tr");add(add(r,"td"),"code",name);add(r,"td","body");
      add(r,"td",(p.enum||[]).filter(x=>x!==null).join(", ")||p.description||[].concat(p.type||"").join(" or "))}
    for(const [status,a] of Object.entries(op.responses)){const r=add(t,"tr");add(add(r,"td"),"code",status);
      add(r,"td","answer");add(r,"td",a.description)}
  }});
</script></html>
"""
