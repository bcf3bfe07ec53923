"""Why a job has no result, as an error: from what its process said of itself, or from how it ended."""

from __future__ import annotations

import signal
from typing import Any, Final

from .errors import Crashed, ForbiddenSyntax, Killed, OutOfMemory, OutputTooLarge, ProtocolError, SandboxError, TimedOut
from .limits import Limits
from .server import Report

_TRACE: Final = 16_000  #: characters of a traceback that are kept


def said(header: dict[str, Any], limits: Limits) -> SandboxError:
    """What the process says of itself; by now it may be anything, so only its shape is trusted."""
    why = header.get("why")
    line = header.get("line")
    line = line if is_count(line) else None
    if why == "forbidden":
        return ForbiddenSyntax(line or 1, str(header.get("detail"))[:500])
    if why == "memory":
        return OutOfMemory(limits.memory_bytes)
    if why == "output":
        return OutputTooLarge("result", limits.output_bytes)
    if why == "raised":
        return Crashed(1, str(header.get("trace"))[-_TRACE:], str(header.get("exception"))[:1000], line)
    return ProtocolError("the sandboxed process failed without saying why")


def ended(report: Report, stderr: bytes | bytearray, limits: Limits) -> SandboxError:
    """From how the process ended, when it did not say itself."""
    if report.exit_code >= 0:
        return Crashed(report.exit_code, stderr.decode(errors="replace")[-_TRACE:])
    number = -report.exit_code
    spent = report.cpu_seconds >= limits.cpu_seconds
    if number == signal.SIGXCPU or (number == signal.SIGKILL and spent):
        return TimedOut("cpu", limits.cpu_seconds)
    return Killed(number)


def is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**53
