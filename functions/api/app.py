"""The API: one request in, one answer out."""

from __future__ import annotations

from typing import Any

from sheetrun import bootstrap


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """API Gateway, REST (version 1) or HTTP (version 2)."""
    answer: dict[str, Any] = bootstrap.api().handle(event, remaining=bootstrap.remaining(context))
    return answer
