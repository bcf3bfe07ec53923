"""The routes of batches: many jobs in one call, their counts, cancel and retry of all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sheetrun.jobs.errors import AtCapacity, Conflict, NotFound, QuotaExceeded, Unprocessable
from sheetrun.jobs.job import Job, rfc3339
from sheetrun.jobs.states import RETRYABLE, State
from sheetrun.records import dataclass
from sheetrun.service.control import Control
from sheetrun.service.ports import Batch, Batches, Clock, Ids
from sheetrun.service.requests import JobRequest, job_request
from sheetrun.service.submit import Submitter
from sheetrun.service.sweep import Sweeper
from sheetrun.service.views import job_view
from sheetrun.service.web.http import Request, Response, answer
from sheetrun.service.web.limits import Gatekeeper
from sheetrun.service.web.replay import Replay
from sheetrun.service.web.router import Call, Route
from sheetrun.settings import Settings

MOST = 100
LINES = "application/jsonl; charset=utf-8"
_ALSO = frozenset({"custom_id"})


@dataclass(frozen=True, slots=True)
class BatchRoutes:
    """A batch is a list of jobs: its state is theirs."""

    batches: Batches
    clock: Clock
    ids: Ids
    settings: Settings
    submitter: Submitter
    control: Control
    sweeper: Sweeper
    replay: Replay
    gate: Gatekeeper

    def routes(self) -> list[Route]:
        one = "/v1/batches/{id}"
        return [
            Route(method="POST", template="/v1/batches", handler=self.submit, scope="submit"),
            Route(method="GET", template=one, handler=self.batch),
            Route(method="GET", template=f"{one}/results", handler=self.results),
            Route(method="GET", template=f"{one}/errors", handler=self.errors),
            Route(method="POST", template=f"{one}/cancel", handler=self.cancel, scope="submit"),
            Route(method="POST", template=f"{one}/retry", handler=self.retry, scope="submit"),
        ]

    def submit(self, call: Call) -> Response:
        """``POST /v1/batches``: all of the jobs, or none."""
        client = call.caller.client
        requests = _requests(call.request.json(self.settings.max_body_bytes), self.settings)

        def make(batch_id: str) -> Response:
            batch = self.batches.put_batch(self._new(client, batch_id, requests))
            made = self._create(batch, requests, call.request)
            url = f"{call.request.base}/v1/batches/{batch.id}"
            jobs = self.batches.jobs_of(batch)
            body = {**_view(batch, jobs, call.request.base), "jobs": made}
            return answer(202, body, {"Location": url, "Retry-After": "2"})

        subject = self.ids.batch_id(self.clock.now())
        return self.gate.metered(client, lambda: self.replay.once(call, subject, make), cost=len(requests))

    def _new(self, client: str, batch_id: str, requests: Sequence[JobRequest]) -> Batch:
        now = self.clock.now()
        last = max(request.deadline_seconds + request.retain_seconds for request in requests)
        ids = tuple(self.ids.derived_job_id(now, f"{batch_id}/{place}") for place in range(len(requests)))
        return Batch(id=batch_id, client=client, created_at=now, expires_at=now + timedelta(seconds=last), job_ids=ids)

    def _create(self, batch: Batch, requests: Sequence[JobRequest], request: Request) -> list[dict[str, Any]]:
        """Each job with its upload. When the gates have no place for all, those that were made are cancelled."""
        made: list[dict[str, Any]] = []
        spend = self.submitter.spend(batch.client, requests)
        try:
            for job_id, wanted in zip(batch.job_ids, requests, strict=True):
                counted = None if made else spend  # all of them with the first
                job, upload = self.submitter.create(batch.client, wanted, job_id=job_id, spend=counted, batch=batch.id)
                view = job_view(job, request.base)
                if upload["method"] == "MULTIPART":
                    upload["complete_url"] = f"{view['urls']['self']}/upload/complete"
                made.append({**view, "upload": upload})
        except (AtCapacity, QuotaExceeded):
            for job in self.batches.jobs_of(batch):
                self._try(self.control.cancel, job)
            if made:
                self.submitter.ledger.give_back(spend)
            self.batches.drop_batch(batch.id)
            raise
        return made

    def batch(self, call: Call) -> Response:
        """``GET /v1/batches/{id}``: counts of all, jobs by page in the order of submission."""
        batch = self._mine(call)
        request = call.request
        limit = request.integer("limit", 20, 1, 100)
        start = request.integer("after", 0, 0, 999) if request.one("after") else 0
        jobs = self._jobs(batch)
        wanted = set(batch.job_ids[start : start + limit])  # a batch's jobs keep their places, so a cursor is a place
        page = [job for job in jobs if job.id in wanted]
        cursor = str(start + limit) if start + limit < len(batch.job_ids) else None
        headers = {}
        if cursor is not None:
            headers["Link"] = f'<{request.base}/v1/batches/{batch.id}?limit={limit}&after={cursor}>; rel="next"'
        body = {
            **_view(batch, jobs, request.base),
            "jobs": [job_view(job, request.base) for job in page],
            "after": cursor,
        }
        return answer(200, body, headers)

    def results(self, call: Call) -> Response:
        """``GET …/results``: a line for each job that has results, with where they are."""
        batch = self._mine(call)
        views = [job_view(job, call.request.base) for job in self._jobs(batch) if job.results]
        return _lines([{**_named(view), "results": view["urls"]["results"]} for view in views])

    def errors(self, call: Call) -> Response:
        """``GET …/errors``: a line for each job that ended without results, with the reason where there is one."""
        batch = self._mine(call)
        jobs = [job for job in self._jobs(batch) if job.ended and not job.results]
        views = [job_view(job, call.request.base) for job in jobs]
        return _lines([{**_named(view), "error": view["error"]} for view in views])

    def cancel(self, call: Call) -> Response:
        """``POST …/cancel``: every job that has not ended."""
        return self._all(call, lambda job: not job.ended, self.control.cancel, "Every job of the batch has ended.")

    def retry(self, call: Call) -> Response:
        """``POST …/retry``: only those that failed."""
        return self._all(
            call, lambda job: job.state in RETRYABLE, self.control.retry, "No job of the batch has failed."
        )

    def _all(self, call: Call, wanted: Callable[[Job], bool], act: Callable[[str], Job], otherwise: str) -> Response:
        batch = self._mine(call)
        chosen = [job for job in self._jobs(batch) if wanted(job)]
        done = sum(self._try(act, job) for job in chosen)
        if not done:
            raise Conflict(otherwise, code="nothing_to_do")
        return answer(202, _view(batch, self._jobs(batch), call.request.base))

    def _try(self, act: Callable[[str], Job], job: Job) -> bool:
        """Whether it was done; a job that went on meanwhile is left as it is."""
        try:
            act(job.id)
        except (Conflict, NotFound):
            return False
        return True

    def _jobs(self, batch: Batch) -> list[Job]:
        now = self.clock.now()
        kept = [job for job in self.batches.jobs_of(batch) if not (job.ended and job.expires_at <= now)]
        return [self.sweeper.settle(job) for job in kept]

    def _mine(self, call: Call) -> Batch:
        batch = self.batches.get_batch(call.path["id"])
        if batch is None or batch.client != call.caller.client or batch.expires_at <= self.clock.now():
            raise NotFound(f"There is no batch {call.path['id']}.", code="batch_not_found")
        return batch


def _named(view: Mapping[str, Any]) -> dict[str, Any]:
    """A job in a manifest."""
    return {name: view[name] for name in ("custom_id", "id", "state", "filename")} | {"self": view["urls"]["self"]}


def _lines(documents: Sequence[Mapping[str, Any]]) -> Response:
    body = "".join(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n" for document in documents)
    return Response(status=200, body=body, headers={"Content-Type": LINES, "Cache-Control": "private, no-cache"})


def _requests(body: Any, settings: Settings) -> list[JobRequest]:
    if not isinstance(body, dict) or not isinstance(body.get("jobs"), list) or set(body) != {"jobs"}:
        raise Unprocessable(
            "The body must be an object with one member, jobs.",
            errors=[{"path": "jobs", "code": "type", "detail": "must be a list of job requests"}],
        )
    jobs = body["jobs"]
    if not 1 <= len(jobs) <= MOST:
        raise Unprocessable(
            f"A batch has 1 to {MOST} jobs.",
            errors=[{"path": "jobs", "code": "length", "detail": f"must have 1 to {MOST} members"}],
        )
    requests = [job_request(job, settings, path=f"jobs[{place}].", also=_ALSO) for place, job in enumerate(jobs)]
    seen: set[str | None] = set()
    for place, request in enumerate(requests):
        if request.custom_id in seen:
            raise Unprocessable(
                f"custom_id {request.custom_id!r} is there twice.",
                errors=[{"path": f"jobs[{place}].custom_id", "code": "duplicate", "detail": "must be unique"}],
            )
        seen.add(request.custom_id)
    return requests


def _view(batch: Batch, jobs: Sequence[Job], base: str) -> Mapping[str, Any]:
    counts = {state.value: sum(job.state is state for job in jobs) for state in State}
    root = f"{base}/v1/batches/{batch.id}"
    return {
        "id": batch.id,
        "client": batch.client,
        "created_at": rfc3339(batch.created_at),
        "expires_at": rfc3339(batch.expires_at),
        "running": any(not job.ended for job in jobs),
        "counts": {"total": len(jobs), **{name: count for name, count in counts.items() if count}},
        "urls": {
            "self": root,
            "cancel": f"{root}/cancel",
            "retry": f"{root}/retry",
            "results": f"{root}/results",
            "errors": f"{root}/errors",
        },
    }
