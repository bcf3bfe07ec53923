"""Structured lines on standard output: one JSON object each, which CloudWatch, and any other reader, can query."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO


class JsonLog:
    """``stage`` and ``function`` are on every line. Callers never pass contents of cells, keys, or signed URLs."""

    def __init__(self, *, function: str, stage: str, stream: TextIO | None = None) -> None:
        self._fixed = {"function": function, "stage": stage}
        self._stream = stream

    def info(self, event: str, **facts: Any) -> None:
        self._write("info", event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        self._write("warning", event, facts)

    def error(self, event: str, **facts: Any) -> None:
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, Any]) -> None:
        line = {"level": level, "event": event, **self._fixed, **facts}
        stream = self._stream or sys.stdout
        stream.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
        stream.flush()
