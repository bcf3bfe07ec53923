"""What a job wrote to stdout and stderr: as much of it as is kept, and no more of it than is allowed."""

from __future__ import annotations

from typing import Final

from .errors import OutputTooLarge

_KEPT: Final = 64 << 10  #: bytes of each
_ALLOWED: Final = 8 << 20  #: bytes of both


class Logs:
    """``stdout`` from its beginning; the end of ``stderr``, which holds the traceback."""

    def __init__(self) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._total = 0

    def out(self, data: bytes) -> None:
        self.stdout += data[: _KEPT - len(self.stdout)]
        self._count(data)

    def err(self, data: bytes) -> None:
        self.stderr += data
        del self.stderr[:-_KEPT]
        self._count(data)

    def _count(self, data: bytes) -> None:
        self._total += len(data)
        if self._total > _ALLOWED:
            raise OutputTooLarge("logs", _ALLOWED)
