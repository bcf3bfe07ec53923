"""Landlock: the kernel's access control for one process. Reads only where named, writes only in the scratch directory.

Also cuts TCP (ABI 4), signals and abstract sockets to the outside (ABI 6), and ``ptrace`` of any process outside the
domain, which closes ``/proc/<parent>/environ`` even for root. Source: Linux, Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Iterable
from typing import ClassVar, Final

# The same numbers on every architecture.
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION_FLAG: Final = 1
_PATH_BENEATH: Final = 1

_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_MAKE_REG: Final = 1 << 8
_TRUNCATE: Final = 1 << 14

#: How many filesystem rights each ABI knows (index: the ABI). All are handled, so that what is not granted is denied.
_RIGHTS: Final = (0, 13, 14, 15, 15, 16)
_NET_RIGHTS: Final = 0b11  # bind and connect TCP
_SCOPES: Final = 0b11  # abstract unix sockets, signals


_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_: ClassVar = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_: ClassVar = [("allowed", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def _syscall(*arguments: object) -> int:
    result: int = _LIBC.syscall(*arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def abi() -> int:
    """The version that the kernel gives; 0: none."""
    try:
        return _syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: str | None) -> str:
    """Restricts this process for good; says what was restricted. ``no_new_privs`` must be set. Raises ``OSError``.

    In ``writable`` new files can be made and written, flat: no directories, links, sockets or removals, so that the sum
    of its files is always there to be seen.
    """
    version = abi()
    if version == 0:
        raise OSError(errno.ENOSYS, "the kernel has no Landlock, or it is switched off")
    rights = (1 << _RIGHTS[min(version, len(_RIGHTS) - 1)]) - 1
    attributes = _Ruleset(rights, _NET_RIGHTS if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _syscall(
        ctypes.c_long(_CREATE_RULESET), ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0)
    )
    try:
        for path in readable:
            _allow(ruleset, path, (_READ_FILE | _READ_DIR) & rights)
        if writable is not None:
            _allow(ruleset, writable, (_READ_FILE | _READ_DIR | _WRITE_FILE | _MAKE_REG | _TRUNCATE) & rights)
        _syscall(ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return f"ABI {version}: files" + (", TCP" if version >= 4 else "") + (", signals" if version >= 6 else "")


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            return  # what cannot be reached needs no permission
        raise
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= _READ_FILE | _WRITE_FILE | _TRUNCATE
        rule = _PathBeneath(rights, fd)
        _syscall(
            ctypes.c_long(_ADD_RULE),
            ctypes.c_int(ruleset),
            ctypes.c_int(_PATH_BENEATH),
            ctypes.byref(rule),
            ctypes.c_uint32(0),
        )
    finally:
        os.close(fd)
