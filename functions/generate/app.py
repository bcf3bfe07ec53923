"""The step generate of a job."""

from __future__ import annotations

from typing import Any

from sheetrun import bootstrap


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS: a batch of one message."""
    return bootstrap.run_step("generate", event, context)
