"""Runs jobs in forks of one process that has imported everything: milliseconds instead of an interpreter start.

For AWS Lambda (one instance for the life of the execution environment) and for local workers. Needs neither /dev/shm
nor any writable place but the temporary directory.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from types import TracebackType

from .compiled import CodeCache
from .conversation import Conversation, Progress
from .errors import ProtocolError
from .job import PRELOAD, Job, Result
from .limits import Limits
from .process import run as run_cold
from .server import Server, harden_parent


class WarmRunner:
    """``run`` as in ``process``. Safe to share between threads: while one job runs, another gets a fresh interpreter.

    The server is started by the first run (or ``start``), again if it died, and again after ``recycle`` jobs. ``whole``:
    with all that the packages of ``preload`` hold, so that no job imports it; for a few jobs that takes too long.
    """

    def __init__(
        self,
        preload: Sequence[str] = PRELOAD,
        *,
        whole: bool = True,
        recycle: int = 1000,
        cache: CodeCache | None = None,
    ) -> None:
        self._preload = tuple(preload)
        self._whole = whole
        self._recycle = recycle
        self._cache = cache or CodeCache()
        self._server: Server | None = None
        self._owner = 0
        self._jobs = 0
        self._lock = threading.Lock()
        self._waiting: Conversation | None = None  #: a job's process that was prepared

    def start(self) -> None:
        """Starts the server now, so that the first job does not wait for it. Raises ``ProtocolError``."""
        with self._lock:
            self._ready()

    def prepare(self, job: Job, limits: Limits) -> None:
        """Has the process for the next job forked and shut in while the caller does something else: a job like this one
        but for its script and data. Raises ``ProtocolError``."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._waiting is not None:
                if self._owner == os.getpid() and self._waiting.fits(job, limits):
                    return
                self._drop()
            server = self._ready()
            self._jobs += 1
            waiting = Conversation(server, job, limits, None, None, self._cache)
            try:
                waiting.begin()
            except ProtocolError:
                self._drop()
                raise
            self._waiting = waiting
        finally:
            self._lock.release()

    def run(
        self,
        job: Job,
        limits: Limits | None = None,
        *,
        cancelled: Callable[[], bool] | None = None,
        on_progress: Progress | None = None,
    ) -> Result:
        """Raises ``SandboxError``; nothing of the job is left when this returns or raises."""
        if not self._lock.acquire(blocking=False):
            return run_cold(job, limits, cancelled=cancelled, on_progress=on_progress, cache=self._cache)
        try:
            waiting, self._waiting = self._waiting, None
            limits = limits or Limits()
            try:
                if waiting is not None and self._owner == os.getpid():
                    if waiting.fits(job, limits) and cancelled is None and on_progress is None:
                        try:
                            return waiting.run(job, limits)
                        except ProtocolError:  # it, or its server, ended while it waited
                            self._drop()
                    else:
                        waiting.abandon()
                server = self._ready()
                self._jobs += 1
                return Conversation(server, job, limits, cancelled, on_progress, self._cache).run()
            except ProtocolError:
                self._drop()  # whatever went wrong between us, the next job shall not inherit it
                raise
        finally:
            self._lock.release()

    def _ready(self) -> Server:
        harden_parent()
        server = self._server
        if server is not None and self._owner != os.getpid():
            self._server = server = None  # a fork of ours: the server belongs to the original
        if server is not None and (self._jobs >= self._recycle or not server.alive()):
            self._drop()
            server = None
        if server is None:
            server = self._server = Server.started(self._preload, whole=self._whole)
            self._owner = os.getpid()
            self._jobs = 0
        return server

    def _drop(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and self._owner == os.getpid():
            waiting.abandon()
        if self._server is not None:
            self._server.close()
            self._server = None

    def close(self) -> None:
        """Ends the server. A later ``run`` starts a new one."""
        with self._lock:
            self._drop()

    def __enter__(self) -> WarmRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
