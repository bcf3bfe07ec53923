"""Loaded by schemathesis (``infra/openapi_check.py``), in its own environment."""

from __future__ import annotations

import itertools
from typing import Any

import schemathesis

_NUMBER = itertools.count()
FREE = 10**6


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A key that was used with another request is refused, as it should be: each request gets one of its own."""
    headers = case.headers or {}
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and 1 <= len(key) <= 255 and key.isascii() and key.isprintable() and key.strip(' "'):
        headers["Idempotency-Key"] = f"{key.strip()[:200]}-{next(_NUMBER)}"
    wait = (case.query or {}).get("wait")
    if isinstance(wait, int) and wait > 1:
        case.query["wait"] = 1  # a poll that is held holds this run too
    body = case.body
    if case.operation.path.endswith("/limits") and isinstance(body, dict):
        for name, value in body.items():  # a limit of ours that is too small would answer for the routes
            if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < FREE:
                body[name] = value + FREE
    jobs = body.get("jobs") if isinstance(body, dict) and isinstance(body.get("jobs"), list) else [body]
    for job in jobs:
        if isinstance(job, dict) and isinstance(job.get("replaces"), str):
            del job["replaces"]  # only the name of a model that is there is right, and none is
    if case.operation.path == "/v1/batches" and isinstance(body, dict) and isinstance(body.get("jobs"), list):
        # That names are unique is more than a schema can say.
        for place, job in enumerate(body["jobs"]):
            if isinstance(job, dict) and isinstance(job.get("custom_id"), str) and 1 <= len(job["custom_id"]) <= 255:
                job["custom_id"] = f"{job['custom_id'][:200]}-{place}"
