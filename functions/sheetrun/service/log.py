"""Structured lines on standard output: one JSON object each, which CloudWatch, and any other reader, can query.

Lines of some events are metrics as well (``metrics``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, TextIO

from sheetrun.service.metrics import measured
from sheetrun.service.ports import Clock


class JsonLog:
    """``at``, ``stage`` and ``function`` are on every line, and ``trace`` where there is one.

    Callers never pass contents of cells, keys, or signed URLs.
    """

    def __init__(
        self,
        *,
        function: str,
        stage: str,
        clock: Clock,
        trace: Callable[[], str | None] = lambda: None,
        stream: TextIO | None = None,
    ) -> None:
        self._fixed = {"function": function, "stage": stage}
        self._clock = clock
        self._trace = trace
        self._stream = stream

    def info(self, event: str, **facts: Any) -> None:
        self._write("info", event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        self._write("warning", event, facts)

    def error(self, event: str, **facts: Any) -> None:
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, Any]) -> None:
        now = self._clock.now()
        trace = self._trace()
        line = {
            "at": now.isoformat(timespec="milliseconds"),
            "level": level,
            "event": event,
            **self._fixed,
            **({} if trace is None else {"trace": trace}),
            **facts,
        }
        stream = self._stream or sys.stdout
        line = measured(line, int(now.timestamp() * 1000))
        stream.write(json.dumps(line, default=str, ensure_ascii=False) + "\n")
        stream.flush()
