"""Deliver: webhooks to their receivers."""

from __future__ import annotations

from typing import Any

from sheetrun import bootstrap


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS: ends of jobs that are to be told, and deliveries that are due."""
    return bootstrap.deliver(event)
