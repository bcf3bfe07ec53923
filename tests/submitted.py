"""A job at its beginning, for whoever tests what becomes of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sheetrun.jobs.job import Job
from sheetrun.jobs.states import Kind, Priority, State


def submitted(at: datetime, **given: Any) -> Job:
    """Created at a time, and waiting for its file. ``given``: members that are to be other than usual."""
    usual: dict[str, Any] = {
        "id": "job_1",
        "client": "acme",
        "kind": Kind.WORKBOOK,
        "task": "recalculate",
        "filename": "a.xlsx",
        "priority": Priority.NORMAL,
        "state": State.AWAITING_UPLOAD,
        "created_at": at,
        "upload_expires_at": at + timedelta(seconds=900),
        "deadline_at": at + timedelta(seconds=3600),
        "expires_at": at + timedelta(seconds=7200),
        "source_key": "uploads/acme/job_1/source",
        "retain_seconds": 60,
    }
    return Job(**(usual | given))
