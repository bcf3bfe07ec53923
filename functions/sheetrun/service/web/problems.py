"""Errors as ``application/problem+json`` (RFC 9457), with members of ours: ``code``, ``retryable`` …"""

from __future__ import annotations

import json
from typing import Any

from sheetrun.jobs.errors import AtCapacity, QuotaExceeded, Rejected
from sheetrun.service.web.http import PROBLEM, Request, Response

#: The two types that draft-ietf-httpapi-ratelimit-headers defines; all others are ours.
_STANDARD = {
    QuotaExceeded: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    AtCapacity: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
}


def problem(request: Request, rejection: Rejected) -> Response:
    """A rejection as an answer."""
    kind = _STANDARD.get(type(rejection), f"urn:sheetrun:problem:{rejection.code}")
    document: dict[str, Any] = {
        "type": kind,
        "title": rejection.title,
        "status": rejection.status,
        "detail": rejection.detail,
        "instance": request.path,
        "code": rejection.code,
        "request_id": request.request_id,
        "retryable": rejection.retryable,
    }
    if rejection.errors:
        document["errors"] = [dict(error) for error in rejection.errors]
    document.update(rejection.extra)
    headers = {"Content-Type": PROBLEM}
    if rejection.retry_after is not None:
        headers["Retry-After"] = str(rejection.retry_after)
    if rejection.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if allow := rejection.extra.get("allow"):
        headers["Allow"] = ", ".join(allow)
    return Response(status=rejection.status, body=json.dumps(document, ensure_ascii=False), headers=headers)


def fault(request: Request, *, status: int, code: str, title: str, detail: str) -> Response:
    """What is our fault: nothing of it is told but that it was logged under the request's id."""
    document = {
        "type": f"urn:sheetrun:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "request_id": request.request_id,
        "retryable": True,
    }
    headers = {"Content-Type": PROBLEM, "Retry-After": "2"}
    return Response(status=status, body=json.dumps(document), headers=headers)
