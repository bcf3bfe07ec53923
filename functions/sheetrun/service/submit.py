"""Creating a job: the row first, then the URL to upload to, so that no file can come for a job that is not there."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sheetrun.jobs.arrival import created
from sheetrun.jobs.errors import AtCapacity, Full, QuotaExceeded, Raced, Rejected
from sheetrun.jobs.job import Job, rfc3339
from sheetrun.jobs.limits import DAY, Spend, days_since_epoch, gate_of, seconds_left_of_day, spend_of
from sheetrun.jobs.states import State, Step
from sheetrun.records import dataclass
from sheetrun.service.allowances import Allowances
from sheetrun.service.blobs import Blobs
from sheetrun.service.models import Models
from sheetrun.service.ports import Clock, Ledger
from sheetrun.service.receivers import Receivers
from sheetrun.service.requests import JobRequest
from sheetrun.settings import Settings

JSON_TYPE = "application/json"


def upload_key(client: str, job_id: str) -> str:
    """One exact key per job; ``intake`` reads client and job from it and believes nothing else of a notification."""
    return f"uploads/{client}/{job_id}/source"


def request_key(job_id: str) -> str:
    """Inputs and outputs, in an object of their own because they can be large."""
    return f"jobs/{job_id}/request.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """Scenarios of a model: the job that made it, and what ``scenario_work`` reads of the request."""

    model_job: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Submitter:
    """``POST /v1/jobs`` without HTTP."""

    ledger: Ledger
    blobs: Blobs
    clock: Clock
    settings: Settings
    allowances: Allowances
    receivers: Receivers
    models: Models

    def spend(self, client: str, requests: Sequence[JobRequest]) -> Spend:
        """What requests count against their client's day; a size that was not announced is counted when it is known."""
        size = sum(request.size or 0 for request in requests)
        return spend_of(client, self.allowances.of(client), self.clock.now(), uploads=len(requests), size=size)

    def create(
        self,
        client: str,
        request: JobRequest,
        *,
        job_id: str,
        spend: Spend | None,
        batch: str | None = None,
        computes: Computation | None = None,
    ) -> tuple[Job, dict[str, Any]]:
        """The job and its ``upload``. The same id again (a caller that died half-way) gives the job that is there.

        ``spend`` is counted in the same write; None when another one counts it. Raises ``QuotaExceeded``, ``AtCapacity``.
        """
        now = self.clock.now()
        replaced = None if request.replaces is None else self.models.replaced(client, request.replaces)
        if request.webhook_url is not None:
            self.receivers.expect(client, request.webhook_url)
        in_parts = request.size is not None and request.size > self.settings.max_post_bytes
        key = upload_key(client, job_id)
        job = new_job(client, request, job_id=job_id, now=now, settings=self.settings, key=key, batch=batch)
        if replaced is not None:
            job = job.evolve(model=replaced.id)
        asked: Mapping[str, Any] = {"inputs": dict(request.inputs), "outputs": request.outputs}
        if computes is not None:  # there is nothing to parse: its first step is the last one
            job = job.evolve(computes=computes.model_job, step=Step.EXECUTE, has_request=True)
            asked = computes.request
        if job.has_request:
            self.blobs.put(request_key(job_id), json.dumps(asked).encode(), content_type=JSON_TYPE)
        if in_parts:
            job = job.evolve(upload_id=self.blobs.start_multipart(key))
        change = created(job, now)
        try:
            mine = self.allowances.of(client).jobs_under_way
            self.ledger.create(change, most=self.settings.max_jobs, most_of_client=mine, spend=spend)
            job = change.job
        except Full as full:
            raise self._no_place(full, client) from None
        except Raced:
            there = self.ledger.get(job_id)
            if there is None:
                raise AtCapacity("Too many jobs are being created at this instant.", retry_after=1) from None
            job = there
        if replaced is not None:
            self.models.add_version(replaced, job)
        return job, self.upload(job)

    def upload(self, job: Job) -> dict[str, Any]:
        """Where and how to send the file."""
        seconds = max(1, int((job.upload_expires_at - self.clock.now()).total_seconds()))
        expires = rfc3339(job.upload_expires_at)
        if job.upload_id is not None and job.size is not None:
            count = math.ceil(job.size / self.settings.part_bytes)
            part_size = self.settings.part_bytes
            return {
                "method": "MULTIPART",
                "part_size": part_size,
                "parts": [
                    {
                        "number": number,
                        "url": self.blobs.presign_part(job.source_key, job.upload_id, number, seconds=seconds),
                    }
                    for number in range(1, count + 1)
                ],
                "expires_at": expires,
                "max_bytes": job.max_bytes,
            }
        form = self.blobs.presign_post(
            job.source_key,
            min_bytes=job.size or 1,
            max_bytes=job.size or job.max_bytes,
            sha256=job.sha256,
            seconds=seconds,
        )
        return {
            "method": "POST",
            "url": form.url,
            "fields": dict(form.fields),
            "expires_at": expires,
            "max_bytes": job.max_bytes,
        }

    def _no_place(self, full: Full, client: str) -> Rejected:
        """429 when the client has its share, 503 when the service is full."""
        if full.gate == "service":
            running = self.ledger.running()
            return AtCapacity(
                f"{full.limit} jobs are under way, which is what the service takes.",
                retry_after=10,
                extra={
                    "violated-policies": ["capacity"],
                    "limit": full.limit,
                    "under_way": full.limit,
                    "running": running,
                    "queued": max(0, full.limit - running),
                },
            )
        now = self.clock.now()
        if full.gate == "client":
            return QuotaExceeded(
                f"{full.limit} of your jobs are under way, which is the limit; wait for one to end.",
                retry_after=5,
                extra={"violated-policies": ["jobs-under-way"], "limit": full.limit, "under_way": full.limit},
            )
        uploads, size = self.ledger.spent(client, days_since_epoch(now))
        used = uploads if full.gate == "uploads" else size
        return QuotaExceeded(
            f"No more than {full.limit} {full.gate} a day (UTC) are yours; {used} are counted.",
            retry_after=seconds_left_of_day(now),
            extra={
                "violated-policies": [full.gate],
                "limit": full.limit,
                "window_seconds": DAY,
                "remaining": max(0, full.limit - used),
            },
        )


def new_job(
    client: str,
    request: JobRequest,
    *,
    job_id: str,
    now: datetime,
    settings: Settings,
    key: str,
    batch: str | None = None,
) -> Job:
    """A job before its first write."""
    deadline = now + timedelta(seconds=request.deadline_seconds)
    upload_until = min(now + timedelta(seconds=settings.upload_seconds), deadline)
    size = request.size
    limit = (
        settings.max_upload_bytes if size is not None and size > settings.max_post_bytes else settings.max_post_bytes
    )
    return Job(
        id=job_id,
        client=client,
        kind=request.kind,
        task=request.task,
        filename=request.filename,
        priority=request.priority,
        state=State.AWAITING_UPLOAD,
        created_at=now,
        upload_expires_at=upload_until,
        deadline_at=deadline,
        expires_at=deadline + timedelta(seconds=request.retain_seconds),
        source_key=key,
        retain_seconds=request.retain_seconds,
        size=size,
        max_bytes=limit,
        sha256=request.sha256,
        has_request=bool(request.inputs) or request.outputs is not None,
        webhook_url=request.webhook_url,
        metadata=dict(request.metadata),
        batch=batch,
        custom_id=request.custom_id,
        gate=gate_of(job_id, settings.max_jobs),
    )
