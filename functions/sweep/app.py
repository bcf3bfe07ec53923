"""Sweep: what time alone brings about, and the steps' dead letters."""

from __future__ import annotations

from typing import Any

from sheetrun import bootstrap


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A schedule's event, or SQS with dead letters."""
    if "Records" in event:
        return bootstrap.bury(event)
    return bootstrap.sweep(context)
