"""The layers that a job's process puts on itself before it reads a word of foreign text. Each can only be put on.

Each layer is tried on its own and reported: which hold depends on the kernel and on who we are, and is never assumed.
They are applied in an order in which none takes from a later one what that one needs.
"""

from __future__ import annotations

import ctypes
import errno
import math
import os
import resource
import stat
import sys
from collections.abc import Callable, Iterable
from typing import Final

from sheetrun.records import dataclass

from . import landlock, seccomp
from .limits import Limits

#: The layers that a process applies to itself, in order, with what each is for.
LAYERS: Final = {
    "core": "no core dump with the job's data on disk",
    "file_size": "no file beyond the scratch limit; with a limit of 0 not a byte into any file",
    "cpu": "processor time ends by signal, whatever the process does",
    "memory": "address space has an end",
    "identity": "another user than the service: its files, processes and signals are out of reach",
    "capabilities": "not root's powers, even as root",
    "parent_death": "dies with the process that started it",
    "undumpable": "no other process of this user can read its memory",
    "processes": "no further process or thread",
    "no_new_privs": "no program can give it more rights",
    "landlock": "reads only the interpreter and its packages, writes only its scratch directory, no TCP",
    "open_files": "few open files",
    "seccomp": "only the system calls of a computation: no sockets, exec, fork, signals, new machine code",
}

_NOBODY: Final = 65534

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_CAPBSET_DROP: Final = 24
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_CAPABILITY_VERSION: Final = 0x20080522
_CAPSET: Final = {"x86_64": 126, "aarch64": 91, "arm64": 91}
_SIGKILL: Final = 9


class Unavailable(Exception):
    """A layer that cannot hold here; the message says why."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What held (name -> detail), and what did not (name -> reason)."""

    held: dict[str, str]
    missing: dict[str, str]


@dataclass(frozen=True, slots=True)
class Setting:
    """What the layers need to know."""

    limits: Limits
    scratch: str
    readable: tuple[str, ...]  #: directories that the interpreter reads from
    parent: int  #: the process whose death is ours


def apply(setting: Setting, without: Iterable[str] = ()) -> Applied:
    """Puts every layer on this process, but for ``without``."""
    steps: dict[str, Callable[[Setting, Applied], str]] = {
        "core": lambda _s, _a: _limit(resource.RLIMIT_CORE, 0),
        "file_size": lambda s, _a: _limit(resource.RLIMIT_FSIZE, s.limits.scratch_bytes),
        "cpu": _cpu,
        "memory": _memory,
        "identity": _identity,
        "capabilities": _capabilities,
        "parent_death": _parent_death,
        "undumpable": lambda _s, _a: _prctl(_PR_SET_DUMPABLE, 0),
        "processes": _processes,
        "no_new_privs": lambda _s, _a: _prctl(_PR_SET_NO_NEW_PRIVS, 1),
        "landlock": _landlock,
        "open_files": lambda s, _a: _limit(resource.RLIMIT_NOFILE, s.limits.files),
        "seccomp": _seccomp,
    }
    applied = Applied({}, {})
    skipped = frozenset(without)
    for name in LAYERS:
        if name in skipped:
            applied.missing[name] = "left out by the caller"
            continue
        try:
            applied.held[name] = steps[name](setting, applied)
        except Unavailable as error:
            applied.missing[name] = str(error)
        except (OSError, ValueError) as error:
            applied.missing[name] = f"refused by the system: {error}"
    return applied


def close_memory() -> None:
    """Makes this process undumpable. Raises ``Unavailable`` where the system has no such thing."""
    _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Makes processes that a job leaves behind children of this process, so that it can end them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int = 0, *rest: int) -> str:
    if sys.platform != "linux":
        raise Unavailable(f"{sys.platform} has no prctl")
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(number) for number in (value, *rest, 0, 0, 0)][:4]
    if libc.prctl(option, *arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return "set"


def _limit(which: int, soft: int, hard: int | None = None) -> str:
    _, ceiling = resource.getrlimit(which)
    hard = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(which, (soft, hard))
    return f"limit {soft}"


def _cpu(setting: Setting, _applied: Applied) -> str:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(usage.ru_utime + usage.ru_stime + setting.limits.cpu_seconds)
    # SIGXCPU at the soft limit tells the parent why; a process that ignores it meets SIGKILL a second later.
    return _limit(resource.RLIMIT_CPU, soft, soft + 1)


def _memory(setting: Setting, _applied: Applied) -> str:
    if sys.platform != "linux":
        raise Unavailable(f"{sys.platform} does not limit a process's address space")
    with open("/proc/self/statm", encoding="ascii") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    return _limit(resource.RLIMIT_AS, mapped + setting.limits.memory_bytes)


def _identity(setting: Setting, _applied: Applied) -> str:
    if os.geteuid() != 0:
        raise Unavailable("only root can become another user; the job runs as the service's own user")
    closed = next((path for path in setting.readable if not _readable_by_all(path)), None)
    if closed is not None:
        raise Unavailable(f"another user could not read the interpreter's files in {closed}")
    os.chown(setting.scratch, _NOBODY, _NOBODY)
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    return f"uid {_NOBODY}"


def _readable_by_all(path: str) -> bool:
    """By the permission bits of the path and all directories above it; a path that does not exist needs none."""
    try:
        if not os.stat(path).st_mode & stat.S_IROTH:
            return False
        while path != os.path.dirname(path):
            path = os.path.dirname(path)
            if not os.stat(path).st_mode & stat.S_IXOTH:
                return False
    except FileNotFoundError:
        return True
    return True


def _capabilities(_setting: Setting, _applied: Applied) -> str:
    number = _CAPSET.get(os.uname().machine)
    if sys.platform != "linux" or number is None:
        raise Unavailable(f"no capabilities on {sys.platform}, {os.uname().machine}")
    libc = ctypes.CDLL(None, use_errno=True)
    # First the bounding set (needs a capability itself; without it, there is nothing that exec could give back).
    for capability in range(64):
        if libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0:
            break
    libc.prctl(_PR_CAP_AMBIENT, ctypes.c_ulong(_PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0)  # older kernels have none
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.syscall(ctypes.c_long(number), ctypes.byref(header), ctypes.byref(nothing)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return "none left"


def _parent_death(setting: Setting, _applied: Applied) -> str:
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != setting.parent:  # it died before we asked to be told
        os._exit(1)
    return "SIGKILL"


def _processes(setting: Setting, _applied: Applied) -> str:
    detail = _limit(resource.RLIMIT_NPROC, setting.limits.processes)
    if os.getuid() == 0:
        raise Unavailable("the kernel does not limit root's processes")
    return detail


def _landlock(setting: Setting, applied: Applied) -> str:
    if "no_new_privs" not in applied.held:
        raise Unavailable("needs no_new_privs")
    if sys.platform != "linux":
        raise Unavailable(f"{sys.platform} has no Landlock")
    return landlock.restrict(setting.readable, setting.scratch if setting.limits.scratch_bytes else None)


def _seccomp(setting: Setting, applied: Applied) -> str:
    if "no_new_privs" not in applied.held:
        raise Unavailable("needs no_new_privs")
    # Without Landlock nobody tells the scratch directory, or the interpreter, from other places: then no file can be
    # opened at all, and everything that a job needs must have been imported (``Job.preload``, the host's module).
    opening: seccomp.Opening = "none"
    if "landlock" in applied.held:
        opening = "write" if setting.limits.scratch_bytes else "read"
    try:
        return seccomp.restrict(opening)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EINVAL, errno.ENOSYS):
            raise Unavailable(f"the kernel takes no filter: {error.strerror}") from error
        raise
