"""Intake: files that arrived in the bucket become queued jobs."""

from __future__ import annotations

from typing import Any

from sheetrun import bootstrap


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS, with S3's notifications in it."""
    return bootstrap.take_in(event)
