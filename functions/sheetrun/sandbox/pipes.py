"""The pipes to a job's process, none of which is ever waited for: what is ready is read, what fits is written."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from typing import Any, Final

from .frames import Kind, encode
from .server import Server

_WIDE: Final = 1 << 20  #: bytes that a pipe may hold
_F_SETPIPE_SZ: Final = 1031
_AT_ONCE: Final = 16  #: pieces that are written in one call


class Pipes:
    """Our ends. Opening them has the server fork the process; raises ``ProtocolError``."""

    def __init__(self, server: Server) -> None:
        self._selector = selectors.DefaultSelector()
        self._outgoing: list[memoryview] = []
        self._ours: list[int] = []
        theirs: list[int] = []
        try:
            for from_child in (False, True, True, True):
                reading, writing = os.pipe()
                self._ours.append(reading if from_child else writing)
                theirs.append(writing if from_child else reading)
            server.submit(theirs)
            self.to_child, self.from_child, self.stdout, self.stderr = self._ours
            for fd in (self.to_child, self.from_child):
                _widen(fd)
            for fd in self._ours:
                os.set_blocking(fd, False)
        except BaseException:
            self.close()
            raise
        finally:
            for fd in theirs:
                os.close(fd)

    def close(self) -> None:
        self._selector.close()
        for fd in self._ours:
            os.close(fd)

    def when(self, fd: Any, heard: Callable[[], None]) -> None:
        """``heard`` is called when there is something to read (or the other end is closed)."""
        self._selector.register(fd, selectors.EVENT_READ, heard)

    def drop(self, fd: int) -> None:
        """Nothing more will be read there."""
        self._selector.unregister(fd)

    def open(self, fd: int) -> bool:
        """Whether something may still be read there."""
        return fd in self._selector.get_map()

    def turn(self, seconds: float) -> None:
        """Hears and feeds what is ready, and waits at most so long for it."""
        for key, _ in self._selector.select(seconds):
            if self.open(key.fd):  # not dropped by what another one said
                key.data()

    def put(self, kind: Kind, header: dict[str, Any] | None = None, payload: bytes = b"") -> None:
        """A frame to be sent as the process takes it."""
        if not self._outgoing:
            self._selector.register(self.to_child, selectors.EVENT_WRITE, self.feed)
        self._outgoing += [memoryview(piece) for piece in (encode(kind, header, len(payload)), payload) if piece]

    def feed(self) -> None:
        """Writes what fits."""
        try:
            sent = os.writev(self.to_child, self._outgoing[:_AT_ONCE])
        except BlockingIOError:
            return
        except BrokenPipeError:  # the child is done with us; its frames or its end say why
            sent = sum(map(len, self._outgoing))
        while self._outgoing and sent >= len(self._outgoing[0]):
            sent -= len(self._outgoing.pop(0))
        if self._outgoing:
            self._outgoing[0] = self._outgoing[0][sent:]
        else:
            self._selector.unregister(self.to_child)


def _widen(fd: int) -> None:
    """A larger pipe takes fewer turns; how large it may be is the system's business."""
    try:
        import fcntl

        fcntl.fcntl(fd, _F_SETPIPE_SZ, _WIDE)
    except OSError:
        return
