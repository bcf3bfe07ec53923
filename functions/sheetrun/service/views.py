"""A job and its events as clients see them: the same object in POST, GET, lists, events and webhooks."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from sheetrun.jobs.events import Event
from sheetrun.jobs.job import Job, rfc3339
from sheetrun.jobs.states import STEPS, Kind, State


def job_view(job: Job, base: str) -> dict[str, Any]:
    """``base`` is the URL of the API up to and without ``/v1``."""
    root = f"{base}/v1/jobs/{job.id}"
    return {
        "id": job.id,
        "kind": job.kind.value,
        "task": job.task,
        "filename": job.filename,
        "size": job.size,
        "client": job.client,
        "priority": job.priority.value,
        "metadata": dict(job.metadata),
        "batch": job.batch,
        "custom_id": job.custom_id,
        "model": model_of(job),
        "state": job.state.value,
        "running": not job.ended,
        "progress": progress_view(job),
        "timestamps": dict(job.timestamps),
        "attempts": dict(job.attempts),
        "error": None if job.error is None else job.error.document(),
        "report": _report(job),
        "urls": {
            "self": root,
            "events": f"{root}/events",
            "cancel": f"{root}/cancel",
            "retry": f"{root}/retry",
            "results": {name: f"{root}/results/{quote(name)}" for name in sorted(job.results)},
            **({"model": f"{base}/v1/models/{model_of(job)}"} if "computed" in job.artefacts else {}),
        },
        "created_at": rfc3339(job.created_at),
        "deadline_at": None if job.deadline_at is None else rfc3339(job.deadline_at),
        "expires_at": rfc3339(job.expires_at),
    }


def model_of(job: Job) -> str | None:
    """The address of the model that a job made, computes, or is to be the next version of."""
    return job.model or job.computes or (job.id if "computed" in job.artefacts else None)


def progress_view(job: Job) -> dict[str, Any]:
    """``done`` of ``total`` stages; ``percent`` counts the part of the running stage too, and never goes back."""
    if job.kind is Kind.SCENARIOS:
        return _scenarios_progress(job)
    total = len(STEPS)
    if job.state in (State.SUCCEEDED, State.PARTIALLY_SUCCEEDED):
        return {"stage": job.state.value, "done": total, "total": total, "percent": 100.0, "message": "Done."}
    done = 0
    if job.step is not None:
        done = job.step.place
    part = 0.0
    if job.progress.total and not job.ended:
        part = job.progress.done / job.progress.total
    percent = 100 * (done + min(1.0, part)) / total
    return {
        "stage": job.state.value,
        "done": done,
        "total": total,
        "percent": round(percent, 1),
        "message": _message(job) if job.ended else job.progress.message or _message(job),
    }


def _scenarios_progress(job: Job) -> dict[str, Any]:
    """In scenarios; 0 of 0 until they are counted."""
    done, total = job.progress.done, job.progress.total
    if job.state is State.SUCCEEDED and job.report is not None:
        done = total = job.report["scenarios"]
    return {
        "stage": job.state.value,
        "done": done,
        "total": total,
        "percent": round(100 * done / total, 1) if total else 0.0,
        "message": _message(job) if job.ended else job.progress.message or _message(job),
    }


def _message(job: Job) -> str:
    if job.kind is Kind.SCENARIOS and job.state is State.EXECUTING:
        return "Computing the scenarios."
    if job.kind is Kind.DATASET and job.state in _OF_DATASETS:
        return _OF_DATASETS[job.state]
    return _MESSAGES[job.state]


_OF_DATASETS = {State.PARSING: "Reading the file.", State.EXECUTING: "Running the analyses."}


_MESSAGES = {
    State.AWAITING_UPLOAD: "Waiting for the file.",
    State.QUEUED: "Waiting for its turn.",
    State.PARSING: "Reading the workbook.",
    State.GENERATING: "Writing the script.",
    State.EXECUTING: "Computing and comparing with Excel's values.",
    State.CANCELLING: "Stopping.",
    State.SUCCEEDED: "Done.",
    State.PARTIALLY_SUCCEEDED: "Done.",
    State.FAILED: "Failed.",
    State.TIMED_OUT: "Ran out of time.",
    State.CANCELLED: "Cancelled.",
    State.EXPIRED: "Expired before it was started.",
}


def _report(job: Job) -> dict[str, Any] | None:
    if job.report is None:
        return None
    return {**job.report, "duration_ms": dict(job.durations)}


def event_view(event: Event) -> dict[str, Any]:
    return {"id": event.number, "type": event.type, "at": rfc3339(event.at), "data": dict(event.data)}


def etag(job: Job) -> str:
    """Changes with what a client can see of the job, and not with each heartbeat."""
    seen = json.dumps(job_view(job, ""), ensure_ascii=False, sort_keys=True)
    return f'"{hashlib.sha256(seen.encode()).hexdigest()[:32]}"'
