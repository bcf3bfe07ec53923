"""The parent's handle on the process that forks for jobs: starts it (``child.py``), hands it jobs, ends it.

``harden_parent`` belongs here because it must come before the first child.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from sheetrun.records import dataclass

from . import landlock, layers
from .bare import TAMED
from .errors import ProtocolError

if TYPE_CHECKING:
    from subprocess import Popen

START_SECONDS: Final = 30.0
_END_SECONDS: Final = 5.0
_HERE: Final = os.path.dirname(os.path.realpath(__file__))
_CHILD: Final = os.path.join(_HERE, "child.py")
_PACKAGES: Final = os.path.dirname(os.path.dirname(_HERE))

#: What computations import when they first need it, which would be too late where no file can be opened any more.
_STANDARD: Final = ("_strptime", "datetime", "decimal", "fractions", "json", "math", "statistics", "unicodedata")

#: Where shared libraries and time zones live on the systems that we know (/var/lang is AWS Lambda's Python).
_SYSTEM_FILES: Final = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/var/lang/lib",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/dev/null",
    "/dev/urandom",
)


def harden_parent() -> bool:
    """Closes this process's ``/proc/<pid>/environ`` and memory to others of the same user. Whether that held.

    In AWS Lambda the credentials of the execution role are in our environment, and the job's process has our user id:
    without this it could read them by opening a file, whatever its own environment holds. Not undone: credentials do
    not become less secret after the run. A debugger can then attach only as root.
    """
    try:
        layers.close_memory()
    except (layers.Unavailable, OSError):
        return False
    return True


def import_path() -> list[str]:
    """Where the child finds our runtime and NumPy, and nothing else of ``sys.path``."""
    paths = [_PACKAGES]
    found = importlib.util.find_spec("numpy")  # does not import it
    if found is not None and found.origin is not None:
        paths.append(os.path.dirname(os.path.dirname(os.path.realpath(found.origin))))
    return list(dict.fromkeys(paths))


@cache
def readable_paths() -> list[str]:
    """What a job's process may read: the interpreter, its packages, the system's shared libraries."""
    compiled = [path for path in sys.path if os.path.basename(path) == "lib-dynload"]  # of the standard library
    library = [os.path.dirname(os.__file__), *compiled, os.path.join(sys.base_prefix, "lib")]
    return list(dict.fromkeys(os.path.realpath(path) for path in (*import_path(), *library, *_SYSTEM_FILES)))


@dataclass(frozen=True, slots=True)
class Report:
    """How a job's process ended (from the server, which is ours)."""

    exit_code: int  #: negative: the signal that ended it
    cpu_seconds: float
    peak_bytes: int


class Process(Protocol):
    """What a server's process must answer. ``wait`` raises TimeoutError."""

    def poll(self) -> int | None: ...
    def wait(self, timeout: float) -> int: ...
    def kill(self) -> None: ...


class _Started:
    """A process of its own program."""

    def __init__(self, process: Popen[bytes]) -> None:
        self._process = process
        self.poll = process.poll
        self.kill = process.kill

    def wait(self, timeout: float) -> int:
        from subprocess import TimeoutExpired

        try:
            return self._process.wait(timeout)
        except TimeoutExpired as error:
            raise TimeoutError(str(error)) from None


class Server:
    """A process that forks for each job. Runs one job at a time; not for two threads at once."""

    def __init__(self, process: Process, control: socket.socket) -> None:
        self.process = process
        self.socket = control
        self.job_pid: int | None = None

    @classmethod
    def started(cls, preload: Sequence[str], *, whole: bool) -> Server:
        """A fresh interpreter (``child.py``) with modules; ``whole``: and the packages that they are in, which it takes in
        any case where a job can open no file. Raises ``ProtocolError`` if it does not come up."""
        if not sys.executable:
            raise ProtocolError("this Python does not know its own interpreter (sys.executable is empty)")
        ours, theirs = socket.socketpair()
        setting = {
            "path": import_path(),
            "preload": [*_STANDARD, *preload],
            "whole": whole or landlock.abi() == 0,
            "control": theirs.fileno(),
        }
        environment = dict(TAMED)
        if "LD_LIBRARY_PATH" in os.environ:  # no secret; AWS Lambda's interpreter finds its own library by it
            environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        import subprocess  # what is forked from the command line needs none

        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-X", "utf8", _CHILD, json.dumps(setting)],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise ProtocolError(f"the sandbox's interpreter could not be started: {error}") from error
        finally:
            theirs.close()
        server = cls(_Started(process), ours)
        try:
            with process.stderr as said:  # type: ignore[union-attr]
                _greet(ours, said.fileno())
        except BaseException:
            server.close()
            raise
        return server

    def alive(self) -> bool:
        return self.process.poll() is None

    def submit(self, fds: Sequence[int]) -> None:
        """Has a job forked that gets these four descriptors: input, output, stdout, stderr."""
        try:
            socket.send_fds(self.socket, [b"J"], list(fds))
            answer = self._receive(5)
        except OSError as error:
            raise ProtocolError(f"the sandbox's process is gone: {error}") from error
        self.job_pid = int.from_bytes(answer[1:], "big")

    def kill(self) -> None:
        """Asks for the end of the job and all that it started. Only the server does the killing, because it alone knows
        that the process id is still the job's."""
        try:
            self.socket.sendall(b"K")
        except OSError:
            return  # the server is gone, and its job with it; ``report`` says so

    def report(self, timeout: float = _END_SECONDS) -> Report:
        """The end of the job. Raises ``ProtocolError`` if the server does not tell."""
        self.socket.settimeout(timeout)
        try:
            head = self._receive(5)
            found = json.loads(self._receive(int.from_bytes(head[1:], "big")))
        except (OSError, ValueError) as error:
            raise ProtocolError(f"the sandbox's process is gone: {error}") from error
        finally:
            self.socket.settimeout(None)
        self.job_pid = None
        return Report(os.waitstatus_to_exitcode(found["status"]), float(found["cpu"]), int(found["peak"]))

    def _receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionResetError("it closed its socket")
            data += piece
        return data

    def close(self) -> None:
        """Ends the server and a job that still runs. Can be called again."""
        self.socket.close()  # the server sees it, kills its job and leaves
        try:
            self.process.wait(timeout=_END_SECONDS)
        except TimeoutError:
            self.process.kill()
            self.process.wait(timeout=_END_SECONDS)
        if self.job_pid is not None:
            # The server did not tell how its job ended. A job dies with its server; this is for systems that have no
            # such signal. It leads its own group, whose number is not another's while a member lives.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.job_pid, signal.SIGKILL)
            self.job_pid = None


def _greet(control: socket.socket, pipe: int) -> None:
    """Waits until the imports are done; what the process said (``pipe``: its stderr) is the error if they fail."""
    said = b""
    deadline = time.monotonic() + START_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([control, pipe], [], [], left)
        if pipe in ready:
            said = (said + os.read(pipe, 1 << 16))[-4096:]
        if control in ready:
            if control.recv(1) == b"H":
                return
            while more := os.read(pipe, 1 << 16):
                said = (said + more)[-4096:]
            raise ProtocolError(f"the sandbox's interpreter did not start: {said.decode(errors='replace')}")
    raise ProtocolError(f"the sandbox's interpreter was not ready within {START_SECONDS:g} s")
