"""Tries each layer of the sandbox in a throwaway process, and says which hold on this machine (``sheetrun doctor``).

Nothing is concluded from a version or a setting: each trial does what the layer forbids, with that layer alone put on,
and looks at what happens. The rows after the layers do the same with all of them on: what a hostile script would meet.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import field
from pathlib import Path
from typing import Final

from sheetrun.records import dataclass

from .errors import SandboxError
from .job import Job
from .layers import LAYERS
from .limits import Limits
from .warm import WarmRunner


@dataclass(frozen=True, slots=True)
class Layer:
    """``holds``: what it forbids was tried, and did not happen. ``detail``: what did happen, or why it is missing."""

    name: str
    holds: bool
    detail: str
    purpose: str


#: What the trials below share. Each defines ``attempt(payload)``: an ``OSError`` is being stopped; otherwise it returns
#: "held …" or "open …".
_FRAME: Final = """
import ctypes, os, resource, socket, time
def expect(condition, text):
    return ("held " if condition else "open ") + text
def death_signal():
    value = ctypes.c_int(0)
    ctypes.CDLL(None).prctl(2, ctypes.byref(value), 0, 0, 0)
    return value.value
def no_new_privs():
    return ctypes.CDLL(None).prctl(39, 0, 0, 0, 0)
def dumpable():
    return ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
def run_payload(payload, progress):
    try:
        return attempt(payload.decode()).encode()
    except OSError as error:
        return f"held {error.strerror}".encode()
"""

_LEAVE_BEHIND: Final = """
def attempt(payload):
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        pid = os.fork()
        if pid == 0:
            time.sleep(20)
            os._exit(0)
        os.write(write, str(pid).encode())
        os._exit(0)
    return os.read(read, 99).decode()
"""

_LOOP: Final = "def attempt(_):\n    while True: time.sleep(0.01)"
_SPIN: Final = "def attempt(_):\n    while True: pass"
_READ: Final = 'def attempt(path): open(path, "rb").read(1); return "open: a file was read"'
_WRITE: Final = 'def attempt(path): open(path, "ab").write(b"x"); return "open: a file was written"'
_SOCKET: Final = 'def attempt(_): socket.socket(); return "open: a socket was made"'
_FORK: Final = 'def attempt(_): os.fork() or os._exit(0); return "open: a process was started"'
_EXEC: Final = 'def attempt(_): os.execv("/bin/true", ["true"])'
_SIGNAL: Final = 'def attempt(pid): os.kill(int(pid), 0); return "open: a signal could be sent"'
_ENVIRONMENTS: Final = """
def attempt(_):
    others = [pid for pid in os.listdir("/proc") if pid.isdigit() and pid != str(os.getpid())]
    for pid in others:
        try:
            open(f"/proc/{pid}/environ", "rb").read(1)
        except OSError:
            continue
        return f"open: the environment of process {pid} was read"
    return f"held none of {len(others)} could be read"
"""
_PLAIN: Final = Limits(wall_seconds=5.0)


@dataclass(frozen=True, slots=True)
class _Trial:
    name: str
    script: str
    payload: str = ""
    only: frozenset[str] = frozenset()  #: the layers that are on; empty: all of them
    limits: Limits = field(default=_PLAIN)
    stops: str = ""  #: where no answer can come: the error that must (its class, and the clock that ran out)
    purpose: str = ""


def _alone(name: str, script: str, payload: str = "", **more: object) -> _Trial:
    """A layer by itself, with what the kernel asks for before it."""
    only = frozenset({name, "no_new_privs"})
    return _Trial(name, script, payload, only, purpose=LAYERS[name], **more)  # type: ignore[arg-type]


def _trials(secret: str) -> list[_Trial]:
    """``secret``: a file of this process that no job should read."""
    me = os.getpid()
    short = Limits(wall_seconds=5.0, cpu_seconds=0.5)
    small = Limits(wall_seconds=5.0, memory_bytes=64 * 2**20)
    quick = Limits(wall_seconds=0.2)
    no_root = frozenset({"capabilities"})  # as any other user than root has it
    return [
        _alone("core", 'def attempt(_): return expect(resource.getrlimit(4)[1] == 0, "limit 0")'),
        _alone("file_size", 'def attempt(_): os.write(os.open("f", 65), b"x"); return "open: a file was written"'),
        _alone("cpu", _SPIN, limits=short, stops="TimedOut cpu"),
        _alone(
            "memory", 'def attempt(_): return f"open: {len(bytes(2**28))} bytes"', limits=small, stops="OutOfMemory"
        ),
        _alone(
            "identity", 'def attempt(p): return expect(os.getuid() != int(p), f"uid {os.getuid()}")', f"{os.getuid()}"
        ),
        _alone("capabilities", 'def attempt(_): os.chroot("/"); return "open: chroot was allowed"'),
        _alone("parent_death", 'def attempt(_): return expect(death_signal() == 9, "SIGKILL")'),
        _alone("undumpable", 'def attempt(_): return expect(dumpable() == 0, "closed")'),
        _alone("processes", _FORK),
        _alone("no_new_privs", 'def attempt(_): return expect(no_new_privs() == 1, "set")'),
        _alone("landlock", _READ, secret),
        _alone("open_files", 'def attempt(_): return f"open: {len([os.dup(1) for _ in range(99)])} descriptors"'),
        _alone("seccomp", _SOCKET),
        _Trial("wall_clock", _LOOP, "", no_root, quick, "TimedOut wall", "time ends, whatever the process does"),
        _Trial(
            "leftovers", _LEAVE_BEHIND, "", no_root, purpose="no process outlives the job, even in a session of its own"
        ),
        _Trial("parent_environment", _READ, f"/proc/{me}/environ", no_root, purpose="the service's credentials"),
        _Trial("parent_memory", _READ, f"/proc/{me}/mem", no_root, purpose="the service's memory"),
        _Trial("all:network", _SOCKET, purpose="no connection, with all layers on"),
        _Trial("all:processes", _FORK, purpose="no new process, with all layers on"),
        _Trial("all:programs", _EXEC, purpose="no other program, with all layers on"),
        _Trial("all:signals", _SIGNAL, f"{me}", purpose="no signal to the service, with all layers on"),
        _Trial("all:environments", _ENVIRONMENTS, purpose="no process's environment, with all layers on"),
        _Trial("all:reading", _READ, secret, purpose="no file but the interpreter's, with all layers on"),
        _Trial("all:writing", _WRITE, secret, purpose="no file written, with all layers on"),
    ]


def probe() -> list[Layer]:
    """In the order in which the layers are put on. Takes about two seconds. Raises ``ProtocolError`` if none starts."""
    with tempfile.TemporaryDirectory(prefix="sheetrun-probe-") as directory, WarmRunner(preload=()) as runner:
        secret = Path(directory, "secret")
        secret.write_text("the parent's own")
        return [_judge(runner, trial) for trial in _trials(str(secret))]


def _judge(runner: WarmRunner, trial: _Trial) -> Layer:
    without = frozenset(LAYERS) - trial.only if trial.only else frozenset()
    job = Job(_FRAME + trial.script, trial.payload.encode(), policy=None, preload=(), without=without)
    try:
        result = runner.run(job, trial.limits)
    except SandboxError as error:
        stopped_by = f"{type(error).__name__} {getattr(error, 'clock', '')}".strip()
        return Layer(trial.name, stopped_by == trial.stops, str(error), trial.purpose)
    said = result.payload.decode(errors="replace")
    if trial.name == "leftovers":
        return _leftovers(trial, said)
    if trial.name in result.missing:
        return Layer(trial.name, False, result.missing[trial.name], trial.purpose)
    return Layer(trial.name, said.startswith("held"), said.removeprefix("held").strip(": "), trial.purpose)


def _leftovers(trial: _Trial, said: str) -> Layer:
    """The process that it left behind was ended before ``run`` returned."""
    if not said.isdigit():
        return Layer(trial.name, said.startswith("held"), said, trial.purpose)
    try:
        os.kill(int(said), 0)
    except ProcessLookupError:
        return Layer(trial.name, True, "ended with the job", trial.purpose)
    return Layer(trial.name, False, f"process {said} was still there", trial.purpose)
