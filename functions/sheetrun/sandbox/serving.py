"""The server loop of the sandbox's process: forks for each job, ends what jobs leave behind. All its code is ours.

wait ─► "J" + 4 descriptors ─► fork ─► "P" pid ─► the job ends, or "K" ─► kill what is left ─► "X" status ─► wait …
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any, Final

from .worker import run_job

_ORPHAN_SECONDS: Final = 2.0


def serve(control: socket.socket) -> None:
    """One job at a time, until the parent is gone."""
    woken, wake = os.pipe()
    for fd in (woken, wake):
        os.set_blocking(fd, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    while True:
        message, fds, _flags, _address = socket.recv_fds(control, 1, 4)
        if message == b"":
            return
        if message == b"K" and not fds:
            continue  # the job that it was meant for had just ended
        if message != b"J" or len(fds) != 4:
            raise SystemExit(f"unexpected message {message!r}")
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run_job(fds, server)
        for fd in fds:
            os.close(fd)
        control.sendall(b"P" + pid.to_bytes(4, "big"))
        status, usage = _await(control, woken, pid)
        _end_orphans()
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        report = {"status": status, "cpu": usage.ru_utime + usage.ru_stime, "peak": peak}
        text = json.dumps(report).encode()
        control.sendall(b"X" + len(text).to_bytes(4, "big") + text)


def silence() -> None:
    """From here on nobody reads the server's own output: a job brings its own pipes."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    if null > 2:
        os.close(null)


def _await(control: socket.socket, woken: int, pid: int) -> tuple[int, Any]:
    """Until the job ends. The parent can have it killed; if the parent is gone, it is killed as well."""
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            _kill_group(pid)  # what the job may have left in its group; the number is not free while a member lives
            return status, usage
        readable, _, _ = select.select([control, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
        if control in readable:
            message = control.recv(1)
            _kill_group(pid)
            os.kill(pid, signal.SIGKILL)  # it may not have become a group yet
            if message == b"":
                os._exit(0)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nobody there; on macOS a zombie group answers "not permitted"


def _end_orphans() -> None:
    """Ends processes that left the job's group: they have become our children (``adopt_orphans``)."""
    deadline = time.monotonic() + _ORPHAN_SECONDS
    while time.monotonic() < deadline:
        for pid in _children():
            os.kill(pid, signal.SIGKILL)  # our child until we wait for it: the number cannot be another's
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)
    os._exit(3)  # they breed faster than they die: the parent then sees this server gone


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []
