"""The routes of jobs, batches and models, from an id or from what a service answered."""

from __future__ import annotations

from urllib.parse import quote

from sheetrun.client.batches import Batch
from sheetrun.client.values import Job, job_id


def job_route(job: str | Job) -> str:
    """Raises ValueError for an id that is empty, as the others do."""
    return f"/jobs/{_segment(job_id(job))}"


def result_route(job: str | Job, name: str) -> str:
    return f"{job_route(job)}/results/{quote(name, safe='/')}"


def batch_route(batch: str | Batch) -> str:
    return f"/batches/{_segment(batch.id if isinstance(batch, Batch) else batch)}"


def model_route(model: str | Job) -> str:
    return f"/models/{_segment(job_id(model))}"


def _segment(text: str) -> str:
    if not text:
        raise ValueError("an id is needed")
    return quote(text, safe="")
