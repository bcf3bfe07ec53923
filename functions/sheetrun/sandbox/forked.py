"""Runs one job in a fork of this very process: no second interpreter, and no second import of NumPy.

A fork sees all that this process has in its memory. So it is only for a program that began with nothing to hide
(``bare``).
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from . import landlock, layers, serving, worker
from .bare import bare
from .conversation import Conversation, Progress
from .job import Job, Result
from .limits import Limits
from .server import Server, harden_parent


def run(
    job: Job,
    limits: Limits | None = None,
    *,
    cancelled: Callable[[], bool] | None = None,
    on_progress: Progress | None = None,
) -> Result:
    """As ``process.run``, and it is that where this process may not fork."""
    if not _may_fork():
        from . import process

        return process.run(job, limits, cancelled=cancelled, on_progress=on_progress)
    harden_parent()
    _import(job.preload)
    server = _fork()
    try:
        return Conversation(server, job, limits or Limits(), cancelled, on_progress, None).run()
    finally:
        server.close()


@contextmanager
def several(preload: Sequence[str]) -> Iterator[Callable[..., Result]]:
    """A ``run`` for jobs that follow each other. Where this process may not fork they share an interpreter."""
    if _may_fork():
        yield run
        return
    from .warm import WarmRunner

    with WarmRunner(preload, whole=False) as runner:
        yield runner.run


def _may_fork() -> bool:
    """A fork would show secrets, or break threads (those of macOS's own numeric library among them)."""
    return sys.platform == "linux" and bare() and threading.active_count() == 1


def _import(names: Iterable[str]) -> None:
    """Here rather than in the fork. Where no file can be opened in a job, also what it would import late."""
    late = landlock.abi() == 0
    for name in names:
        worker.bring_in(name, whole=late)


def _fork() -> Server:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _serve(theirs, os.getppid())
    theirs.close()
    return Server(_Forked(pid), ours)


def _serve(control: socket.socket, parent: int) -> NoReturn:
    """The fork's side: nothing of the caller's runs here any more."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        worker.close_all_but(control.fileno())
        serving.silence()
        kept = _fresh_streams()  # if they were collected, they would close descriptors that are another's by now
        for step in (layers.close_memory, layers.adopt_orphans):
            with contextlib.suppress(layers.Unavailable, OSError):  # each job reports its own layers
                step()
        gc.freeze()
        if os.getppid() == parent:
            serving.serve(control)
        del kept
        code = 0
    finally:
        os._exit(code)


def _fresh_streams() -> list[object]:
    """Standard streams on the standard descriptors, whatever the caller had put in their place; the old ones."""
    old: list[object] = [sys.stdin, sys.stdout, sys.stderr]
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (open as long as the process)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    return old


class _Forked:
    """A child of this process, with the words of ``subprocess.Popen`` that a server needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def wait(self, timeout: float) -> int:
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() >= end:
                raise TimeoutError("the sandbox's process did not end")
            time.sleep(0.0005)
        return code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
