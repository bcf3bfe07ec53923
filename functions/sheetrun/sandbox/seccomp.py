"""A seccomp filter: the few system calls that a computation needs, and EPERM for every other one.

A list of what is allowed, so that a system call which the kernel learns next year is closed today. No sockets, exec,
fork, threads, signals to others, ptrace, mounts, keys, namespaces, io_uring, bpf; no new machine code (memory that is
both writable and executable, or is made executable later). A foreign architecture's call kills the process.
Source: Linux, Documentation/userspace-api/seccomp_filter.rst; numbers from the kernel's unistd tables.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterable
from typing import ClassVar, Final, Literal

# name -> (x86_64, aarch64); None: that architecture has no such call
_ALLOWED: Final[dict[str, tuple[int | None, int | None]]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "poll": (7, None),
    "lseek": (8, 62),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "readv": (19, 65),
    "writev": (20, 66),
    "access": (21, None),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "dup": (32, 23),
    "dup2": (33, None),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "exit": (60, 93),
    "uname": (63, 160),
    "fsync": (74, 82),
    "ftruncate": (77, 46),
    "getcwd": (79, 17),
    "readlink": (89, None),
    "gettimeofday": (96, 169),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "getuid": (102, 174),
    "getgid": (104, 176),
    "geteuid": (107, 175),
    "getegid": (108, 177),
    "getppid": (110, 173),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "time": (201, None),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "getdents64": (217, 61),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "newfstatat": (262, 79),
    "readlinkat": (267, 78),
    "faccessat": (269, 48),
    "ppoll": (271, 73),
    "dup3": (292, 24),
    "getcpu": (309, 168),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "statx": (332, 291),
    "rseq": (334, 293),
    "close_range": (436, 436),
    "faccessat2": (439, 439),
}

# Allowed with a look at the arguments.
_OPEN: Final = (2, None)
_OPENAT: Final = (257, 56)
_MMAP: Final = (9, 222)
_MPROTECT: Final = (10, 226)
_TGKILL: Final = (234, 131)
_PRLIMIT64: Final = (302, 261)
_IOCTL: Final = (16, 29)
_FCNTL: Final = (72, 25)

_ARCHITECTURES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7), "arm64": (1, 0xC00000B7)}

# Classic BPF: Linux, include/uapi/linux/bpf_common.h
_LOAD: Final = 0x20  # the 32-bit word at an offset of struct seccomp_data
_JUMP_EQUAL: Final = 0x15
_JUMP_SET: Final = 0x45
_RETURN: Final = 0x06
_AND: Final = 0x54

_NUMBER: Final = 0
_ARCHITECTURE: Final = 4

_ALLOW: Final = 0x7FFF0000
_KILL_PROCESS: Final = 0x80000000
_DENY: Final = 0x00050000 | errno.EPERM

_PROT_WRITE: Final = 2
_PROT_EXEC: Final = 4
_IOCTLS: Final = (0x5401, 0x5450, 0x5451)  # TCGETS (isatty), FIONCLEX, FIOCLEX
_FCNTLS: Final = (1, 2, 3, 1030)  # F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2

_Instruction = tuple[int, int, int, int]


def _argument(index: int, *, high: bool = False) -> _Instruction:
    little = sys.byteorder == "little"
    return (_LOAD, 0, 0, 16 + 8 * index + (4 if high is little else 0))


def _return(value: int) -> _Instruction:
    return (_RETURN, 0, 0, value)


def _one_of(index: int, values: Iterable[int]) -> list[_Instruction]:
    """Allows the call if this argument is one of ``values``."""
    body = [_argument(index)]
    for value in values:
        body += [(_JUMP_EQUAL, 0, 1, value & 0xFFFFFFFF), _return(_ALLOW)]
    return [*body, _return(_DENY)]


def _none_of_bits(index: int, bits: int) -> list[_Instruction]:
    """Allows the call if this argument has none of ``bits``."""
    return [_argument(index), (_JUMP_SET, 0, 1, bits), _return(_DENY), _return(_ALLOW)]


Opening = Literal["write", "read", "none"]


def program(machine: str, pid: int, opening: Opening) -> bytes:
    """The filter for an architecture, as an array of ``struct sock_filter``. ``KeyError`` if it has no table here.

    ``opening``: for what files can be opened at all. Which ones is Landlock's to say, as a filter cannot see a path.
    """
    column, audit = _ARCHITECTURES[machine]
    # A file without a name would escape the sum of the scratch directory, so O_TMPFILE is closed even there.
    flags = os.O_TMPFILE & ~os.O_DIRECTORY
    if opening == "read":
        flags |= os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    examined = {
        _OPEN: [_return(_DENY)] if opening == "none" else _none_of_bits(1, flags),
        _OPENAT: [_return(_DENY)] if opening == "none" else _none_of_bits(2, flags),
        _MMAP: [
            _argument(2),
            (_AND, 0, 0, _PROT_WRITE | _PROT_EXEC),
            (_JUMP_EQUAL, 0, 1, _PROT_WRITE | _PROT_EXEC),
            _return(_DENY),
            _return(_ALLOW),
        ],
        _MPROTECT: _none_of_bits(2, _PROT_EXEC),
        _TGKILL: _one_of(0, (pid,)),  # abort() signals its own thread
        _PRLIMIT64: [
            _argument(2),  # a null pointer for the new limit: reading only
            (_JUMP_EQUAL, 1, 0, 0),
            _return(_DENY),
            _argument(2, high=True),
            (_JUMP_EQUAL, 1, 0, 0),
            _return(_DENY),
            _return(_ALLOW),
        ],
        _IOCTL: _one_of(1, _IOCTLS),
        _FCNTL: _one_of(1, _FCNTLS),
    }
    code: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, audit),
        _return(_KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for numbers in _ALLOWED.values():
        number = numbers[column]
        if number is not None:
            code += [(_JUMP_EQUAL, 0, 1, number), _return(_ALLOW)]
    for numbers, body in examined.items():
        number = numbers[column]
        if number is not None:
            code += [(_JUMP_EQUAL, 0, len(body), number), *body]
    code.append(_return(_DENY))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def restrict(opening: Opening) -> str:
    """Installs the filter for good. ``no_new_privs`` must be set. Raises ``OSError``."""
    machine = os.uname().machine
    if sys.platform != "linux" or machine not in _ARCHITECTURES or struct.calcsize("P") != 8:
        raise OSError(errno.ENOSYS, f"no filter for {sys.platform} on {machine}")
    code = program(machine, os.getpid(), opening)

    class Program(ctypes.Structure):
        _fields_: ClassVar = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    libc = ctypes.CDLL(None, use_errno=True)
    filled = Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(filled), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return f"{len(code) // 8} instructions; files can be opened to {opening}".replace("to none", "not at all")
