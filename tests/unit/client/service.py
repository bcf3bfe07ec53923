"""A small Sheetrun service in memory, as a handler for ``MockTransport``: enough to see what the client sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sheetrun.client import Client, MockTransport, Request, Response, RetryPolicy
from sheetrun.client.session import Session

URL = "http://service.test/v1"
STORE = "http://store.test/uploads"


def job(state: str = "queued", **members: Any) -> dict[str, Any]:
    """A job document as the contract says."""
    ended = state in {"succeeded", "partially_succeeded", "failed", "timed_out", "cancelled", "expired"}
    return {
        "id": "job_1",
        "kind": "workbook",
        "task": "recalculate",
        "filename": "model.xlsx",
        "size": 4,
        "client": "demo",
        "priority": "normal",
        "metadata": {},
        "state": state,
        "running": not ended,
        "progress": {"stage": state, "done": 0, "total": 3, "percent": 0.0, "message": ""},
        "timestamps": {},
        "attempts": {},
        "error": None,
        "report": None,
        "urls": {"results": {}},
        "expires_at": "2026-01-31T09:30:00.000Z",
        **members,
    }


def awaiting(**members: Any) -> dict[str, Any]:
    upload = {"method": "POST", "url": STORE, "fields": {"key": "uploads/demo/job_1/source", "policy": "cG9s"}}
    return job("awaiting_upload", upload=upload, **members)


def problem(status: int, code: str, detail: str = "no", **members: Any) -> Response:
    headers = members.pop("headers", {})
    document = {"type": "about:blank", "title": "No", "status": status, "code": code, "detail": detail, **members}
    return Response.of_json(status, document, {"content-type": "application/problem+json", **headers})


class Scripted:
    """Answers each ``METHOD /path`` from a list, the last one again and again; the query is left out of the key."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, list[Response | Callable[[Request], Response]]] = {}
        self.requests: list[Request] = []  #: what was asked
        for route, given in answers.items():
            self.on(route, *(given if isinstance(given, list) else [given]))

    def on(self, route: str, *answers: Response | Callable[[Request], Response]) -> Scripted:
        self.answers[route] = list(answers)
        return self

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        parts = urlsplit(request.url)
        route = f"{request.method} {parts.netloc.removesuffix('.test')}{parts.path}"
        left = self.answers.get(route)
        if not left:
            return problem(404, "not_found", f"nothing at {route}")
        answer = left.pop(0) if len(left) > 1 else left[0]
        return answer(request) if callable(answer) else answer


class Watch:
    """A clock that only ``sleep`` moves."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def client_of(
    handler: Callable[[Request], Response], *, watch: Watch | None = None, retry: RetryPolicy | None = None
) -> tuple[Client, MockTransport]:
    watch = watch or Watch()
    transport = MockTransport(handler)
    session = Session(
        URL, "key-1", transport=transport, retry=retry, sleep=watch.sleep, jitter=lambda: 1.0, monotonic=watch
    )
    return Client(session=session), transport


def query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
