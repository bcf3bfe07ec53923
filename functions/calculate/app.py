"""Calculate: calls of models, computed at once."""

from __future__ import annotations

from typing import Any

from sheetrun import bootstrap


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """API Gateway, REST (version 1) or HTTP (version 2)."""
    answer: dict[str, Any] = bootstrap.calls(event, context)
    return answer
