"""The routes of jobs: submit, look, wait, list, cancel, retry, events, results."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from sheetrun.jobs.errors import Conflict, NotFound, Unprocessable
from sheetrun.jobs.events import Event
from sheetrun.jobs.job import Job, instant
from sheetrun.jobs.states import Kind, State
from sheetrun.records import dataclass
from sheetrun.service.blobs import Blobs
from sheetrun.service.control import Control
from sheetrun.service.ports import Clock, Ids, JobFilter, Ledger
from sheetrun.service.requests import job_request
from sheetrun.service.submit import Submitter
from sheetrun.service.sweep import Sweeper
from sheetrun.service.uploads import Door
from sheetrun.service.views import etag, event_view, job_view
from sheetrun.service.web.http import Request, Response, answer
from sheetrun.service.web.limits import Gatekeeper
from sheetrun.service.web.replay import Replay
from sheetrun.service.web.router import Call, Route
from sheetrun.settings import Settings

T = TypeVar("T")

POLL_FIRST, POLL_MOST = 0.05, 0.5  #: seconds between two looks of a waiting request
UNTIL = ("changed", "ended")  #: what a waiting request waits for
EVENTS_AT_ONCE = 200
RETRY_MS = 1000  #: what an event stream asks clients to wait before they come back

#: Content type and name, for results whose name alone does not say.
TYPES = {
    "values": ("values.json", "application/json"),
    "results": ("results.json", "application/json"),
    "workbook": ("recalculated.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "script": ("model.py", "text/x-python; charset=utf-8"),
    "report": ("report.html", "text/html; charset=utf-8"),
    "graph": ("graph.svg", "image/svg+xml"),
    "bundle": ("bundle.zip", "application/zip"),
    "parquet": ("scenarios.parquet", "application/vnd.apache.parquet"),
    "csv": ("scenarios.csv", "text/csv; charset=utf-8"),
    "summary": ("summary.json", "application/json"),
}


@dataclass(frozen=True, slots=True)
class JobRoutes:
    """Handlers, one per route; each calls one use case."""

    ledger: Ledger
    blobs: Blobs
    clock: Clock
    ids: Ids
    settings: Settings
    submitter: Submitter
    control: Control
    door: Door
    sweeper: Sweeper
    replay: Replay
    gate: Gatekeeper

    def routes(self) -> list[Route]:
        one = "/v1/jobs/{id}"
        return [
            Route(method="POST", template="/v1/jobs", handler=self.submit, scope="submit"),
            Route(method="GET", template="/v1/jobs", handler=self.jobs),
            Route(method="GET", template=one, handler=self.job),
            Route(method="POST", template=f"{one}/cancel", handler=self.cancel, scope="submit"),
            Route(method="POST", template=f"{one}/retry", handler=self.retry, scope="submit"),
            Route(method="POST", template=f"{one}/upload/complete", handler=self.complete, scope="submit"),
            Route(method="GET", template=f"{one}/events", handler=self.events),
            Route(method="GET", template=f"{one}/results/{{name+}}", handler=self.result),
        ]

    def submit(self, call: Call) -> Response:
        """``POST /v1/jobs``."""
        return self.gate.metered(call.caller.client, lambda: self._submit(call))

    def _submit(self, call: Call) -> Response:
        client = call.caller.client
        request = job_request(call.request.json(self.settings.max_body_bytes), self.settings)

        def make(job_id: str) -> Response:
            spend = self.submitter.spend(client, [request])
            job, upload = self.submitter.create(client, request, job_id=job_id, spend=spend)
            view = job_view(job, call.request.base)
            if upload["method"] == "MULTIPART":
                upload["complete_url"] = f"{view['urls']['self']}/upload/complete"
            headers = {"Location": view["urls"]["self"], "Retry-After": "2"}
            return answer(202, {**view, "upload": upload}, headers)

        subject = self.ids.job_id(self.clock.now())
        return self.replay.once(call, subject, make)

    def job(self, call: Call) -> Response:
        """``GET /v1/jobs/{id}``; with ``wait``, not before it changes or ends; with ``until=ended``, not before it ends."""
        job = self._mine(call)
        known = call.request.headers.get("if-none-match")
        seconds = call.request.integer("wait", 0, 0, 25, clamp=True)
        for_end = _choice(call.request, "until", UNTIL) == "ended"
        if seconds and not job.ended and (for_end or known is None or _matches(known, etag(job))):
            job = self._wait(call, job, seconds, for_end=for_end)
        tag = etag(job)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if not job.ended:
            headers["Retry-After"] = "1"
        if known is not None and _matches(known, tag):
            return Response(status=304, headers=headers)
        return answer(200, job_view(job, call.request.base), headers)

    def _wait(self, call: Call, job: Job, seconds: float, *, for_end: bool) -> Job:
        """The job when it has ended or (but for ``for_end``) is in another state, or as it is at the end of the time."""
        seen = job

        def mark() -> str:
            return etag(seen) if "if-none-match" in call.request.headers else seen.state.value

        def look() -> Job | None:
            nonlocal seen
            seen = self._mine(call)
            return seen if seen.ended or (not for_end and mark() != first) else None

        first = mark()
        self._until(call.request, seconds, look, seen=True)
        return seen

    def _until(self, request: Request, seconds: float, look: Callable[[], T | None], *, seen: bool = False) -> T | None:
        """What ``look`` finds, looking less and less often; None when the time is over. ``seen``: the caller has looked."""
        end = self.clock.monotonic() + min(seconds, self.settings.wait_seconds, max(0.0, request.remaining - 2.0))
        pause = POLL_FIRST
        while True:
            found = None if seen else look()
            seen = False
            left = end - self.clock.monotonic()
            if found is not None or left <= 0:
                return found
            self.clock.sleep(min(pause, left))
            pause = min(POLL_MOST, pause * 1.3)

    def jobs(self, call: Call) -> Response:
        """``GET /v1/jobs``: a page, newest first."""
        request = call.request
        wanted = JobFilter(
            states=_states(request),
            kind=_kind(request),
            batch=request.one("batch"),
            created_after=_time(request, "created_after"),
            created_before=_time(request, "created_before"),
        )
        limit = request.integer("limit", 20, 1, 100)
        page = self.ledger.page(call.caller.client, wanted, after=_cursor(request), limit=limit)
        jobs = [self.sweeper.settle(job) for job in page.jobs if not self._gone(job)]
        views = [job_view(job, request.base) for job in jobs if wanted.holds(job)]
        headers = {}
        link = None
        if page.after is not None:
            again = {name: values for name, values in request.query.items() if name != "after"}
            link = f"{request.base}/v1/jobs?{urlencode({**again, 'after': page.after}, doseq=True)}"
            headers["Link"] = f'<{link}>; rel="next"'
        return answer(200, {"jobs": views, "after": page.after, "next": link}, headers)

    def cancel(self, call: Call) -> Response:
        """``POST …/cancel``."""
        job = self.control.cancel(self._mine(call).id)
        return answer(202, job_view(job, call.request.base))

    def retry(self, call: Call) -> Response:
        """``POST …/retry``."""
        job = self.control.retry(self._mine(call).id)
        return answer(202, job_view(job, call.request.base), {"Location": f"{call.request.base}/v1/jobs/{job.id}"})

    def complete(self, call: Call) -> Response:
        """``POST …/upload/complete``, after all parts of a multipart upload."""
        job = self.door.complete(self._mine(call))
        return answer(202, job_view(job, call.request.base))

    def events(self, call: Call) -> Response:
        """``GET …/events``: JSON, or an event stream as long as a gateway lets a body be."""
        job = self._mine(call)
        if "text/event-stream" in call.request.headers.get("accept", ""):
            return self._stream(call, job)
        after = call.request.integer("after", 0, 0, 2**31)
        seconds = call.request.integer("wait", 0, 0, 25, clamp=True)
        found = self._events(call, job, after, seconds)
        last = found[-1].number if found else after
        return answer(200, {"events": [event_view(event) for event in found], "next": last})

    def _events(self, call: Call, job: Job, after: int, seconds: float) -> list[Event]:
        """Events after a number; waits for the first one if there is none yet and one may still come."""
        if seconds <= 0:
            return self.ledger.events(job.id, after=after, limit=EVENTS_AT_ONCE)

        def look() -> list[Event] | None:
            found = self.ledger.events(job.id, after=after, limit=EVENTS_AT_ONCE)
            if found:
                return found
            current = self.ledger.get(job.id)
            return [] if current is None or current.ended else None

        return self._until(call.request, seconds, look) or []

    def _stream(self, call: Call, job: Job) -> Response:
        """One piece of the stream: the whole story so far, or what comes next; then the client comes back.

        A gateway hands a body on only when it is whole, so a piece ends as soon as it has something to say. 204 tells
        an ``EventSource`` that nothing will follow.
        """
        text = (call.request.headers.get("last-event-id") or call.request.one("after") or "0").strip()
        after = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        found = self._events(call, job, after, self.settings.stream_seconds)
        headers = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        if not found:
            current = self.ledger.get(job.id)
            if current is None or current.ended:
                return Response(status=204)
            return Response(status=200, body=f"retry: {RETRY_MS}\n: still waiting\n\n", headers=headers)
        lines = [f"retry: {RETRY_MS}\n\n"]
        for event in found:
            data = json.dumps(event_view(event), ensure_ascii=False, separators=(",", ":"))
            lines.append(f"id: {event.number}\nevent: {event.type}\ndata: {data}\n\n")
        return Response(status=200, body="".join(lines), headers=headers)

    def result(self, call: Call) -> Response:
        """``GET …/results/{name}``: to a link that is good for a few minutes."""
        job = self._mine(call)
        name = call.path["name"]
        key = job.results.get(name)
        if key is None:
            if not job.ended:
                raise Conflict(
                    f"The job is {job.state}; it has no results yet.",
                    code="not_finished",
                    extra={"state": job.state.value},
                    retry_after=1,
                )
            known = ", ".join(sorted(job.results)) or "none"
            raise NotFound(f"The job has no result {name!r}; it has: {known}.", code="no_such_result")
        filename, content_type = TYPES.get(name, (key.rsplit("/", 1)[-1], None))
        if name == "workbook":
            filename = job.filename
        elif name == "script" or name.startswith("plots/"):
            filename = key.rsplit("/", 1)[-1]
        seconds = min(self.settings.download_seconds, max(1, int((job.expires_at - self.clock.now()).total_seconds())))
        url = self.blobs.presign_get(key, filename=filename, content_type=content_type, seconds=seconds)
        return Response(status=302, headers={"Location": url, "Cache-Control": "private, no-store"})

    def _gone(self, job: Job) -> bool:
        """Past its time, though not swept yet: nothing of it may be read."""
        return job.ended and job.expires_at <= self.clock.now()

    def _mine(self, call: Call) -> Job:
        """The caller's job. Another client's is as unknown as one that never was."""
        job = self.ledger.get(call.path["id"])
        if job is None or job.client != call.caller.client or self._gone(job):
            raise NotFound(f"There is no job {call.path['id']}.", code="job_not_found")
        return self.sweeper.settle(job)


def _matches(header: str, tag: str) -> bool:
    """``If-None-Match`` (RFC 9110 13.1.2): weak comparison."""
    return any(part.strip().removeprefix("W/") in (tag, "*") for part in header.split(","))


def _states(request: Request) -> frozenset[State] | None:
    texts = [part for value in request.query.get("state", ()) for part in value.split(",") if part]
    unknown = [text for text in texts if text not in tuple(State)]
    if unknown:
        raise Unprocessable(
            f"{unknown[0]!r} is not a state; there are {', '.join(State)}.",
            code="invalid_parameter",
            errors=[{"path": "state", "code": "choice", "detail": "no such state"}],
        )
    return frozenset(State(text) for text in texts) or None


def _choice(request: Request, name: str, choices: Sequence[str]) -> str:
    """One of them; the first when the parameter is absent or blank."""
    text = request.one(name) or choices[0]
    if text not in choices:
        raise Unprocessable(
            f"{name} must be {' or '.join(choices)}.",
            code="invalid_parameter",
            errors=[{"path": name, "code": "choice", "detail": f"one of {', '.join(choices)}"}],
        )
    return text


def _kind(request: Request) -> Kind | None:
    text = request.one("kind")
    if not text:
        return None
    if text not in tuple(Kind):
        raise Unprocessable(
            f"{text!r} is not a kind; there are {', '.join(Kind)}.",
            code="invalid_parameter",
            errors=[{"path": "kind", "code": "choice", "detail": "no such kind"}],
        )
    return Kind(text)


def _time(request: Request, name: str) -> datetime | None:
    text = request.one(name)
    if not text:
        return None
    try:
        return instant(text.replace(" ", "+"))
    except ValueError:
        raise Unprocessable(
            f"{name} must be a time such as 2026-01-31T09:30:00Z.",
            code="invalid_parameter",
            errors=[{"path": name, "code": "format", "detail": "RFC 3339 with an offset"}],
        ) from None


def _cursor(request: Request) -> str | None:
    text = request.one("after")
    if not text:
        return None
    if len(text) != 30 or not text.startswith("job_") or not text.isascii() or not text[4:].isalnum():
        raise Unprocessable(
            "after must be the cursor of an earlier page.",
            code="invalid_parameter",
            errors=[{"path": "after", "code": "format", "detail": "a cursor"}],
        )
    return text
