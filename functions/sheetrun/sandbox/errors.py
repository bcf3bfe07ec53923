"""Why a sandboxed run gave no result: one class per consequence, with a stable code.

SandboxError
├── ForbiddenSyntax   the script says something outside its vocabulary; it was not executed
├── TimedOut          wall clock or processor time ran out
├── OutOfMemory       the script asked for more memory than its limit
├── OutputTooLarge    result, logs, progress or scratch files beyond their limit
├── Killed            a signal ended the process (a forbidden system call, the kernel's OOM killer, a crash in C)
├── Crashed           the script raised, or its process ended without a result
├── ProtocolError     the two sides did not understand each other; the machine's fault, not the script's
├── NotIsolated       a layer that the caller requires does not hold on this machine; the script was not executed
└── Cancelled         the caller called it off

All of them can be pickled: their arguments are plain values, given to ``Exception`` as they came.
"""

from __future__ import annotations

import signal as signals
from typing import ClassVar


class SandboxError(Exception):
    """``code`` is stable and snake_case; ``retryable`` says whether the same run may succeed on another try."""

    code: ClassVar[str] = "sandbox_error"
    retryable: bool = False


class ForbiddenSyntax(SandboxError):
    """``line`` counts from 1 in the script's text; ``detail`` names what is not allowed."""

    code = "forbidden_syntax"

    def __init__(self, line: int, detail: str) -> None:
        super().__init__(line, detail)
        self.line = line
        self.detail = detail

    def __str__(self) -> str:
        return f"line {self.line}: {self.detail}"


class TimedOut(SandboxError):
    """``clock`` is "wall" or "cpu"; ``seconds`` is the limit that ran out."""

    code = "timed_out"

    def __init__(self, clock: str, seconds: float) -> None:
        super().__init__(clock, seconds)
        self.clock = clock
        self.seconds = seconds

    def __str__(self) -> str:
        name = "processor time" if self.clock == "cpu" else "time"
        return f"the model did not finish within {self.seconds:g} s of {name}"


class OutOfMemory(SandboxError):
    """``limit`` in bytes."""

    code = "out_of_memory"

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"the model needs more than its {self.limit / 2**20:.0f} MiB of memory"


class OutputTooLarge(SandboxError):
    """``what`` is "result", "logs", "progress" or "scratch"; ``limit`` in bytes (of scratch files: or their number)."""

    code = "output_too_large"

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(what, limit)
        self.what = what
        self.limit = limit

    def __str__(self) -> str:
        return f"the model's {self.what} went over the limit of {self.limit} bytes"


class Killed(SandboxError):
    """``signal`` is the number of the signal that ended the process. The machine may have been short of memory."""

    code = "killed"

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal
        self.retryable = signal in (
            signals.SIGKILL,
            signals.SIGTERM,
        )  # from outside; others the script brings on itself

    def __str__(self) -> str:
        try:
            name = signals.Signals(self.signal).name
        except ValueError:
            name = f"signal {self.signal}"
        return f"the model's process was ended by {name}"


class Crashed(SandboxError):
    """``exception`` and ``line`` (of the script) are known when Python raised; ``stderr_tail`` is for people."""

    code = "crashed"

    def __init__(
        self, exit_code: int, stderr_tail: str = "", exception: str | None = None, line: int | None = None
    ) -> None:
        super().__init__(exit_code, stderr_tail, exception, line)
        self.exit_code = exit_code
        self.stderr_tail = stderr_tail
        self.exception = exception
        self.line = line

    def __str__(self) -> str:
        if self.exception is None:
            return f"the model's process ended without a result (exit code {self.exit_code})"
        place = f" at line {self.line} of the script" if self.line else ""
        return f"the model failed{place}: {self.exception}"


class ProtocolError(SandboxError):
    """The child could not be started, or sent something that is not a frame."""

    code = "sandbox_protocol"
    retryable = True

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


class NotIsolated(SandboxError):
    """``missing`` maps each required layer that does not hold to the reason the machine gave."""

    code = "not_isolated"

    def __init__(self, missing: dict[str, str]) -> None:
        super().__init__(missing)
        self.missing = missing

    def __str__(self) -> str:
        reasons = "; ".join(f"{name} ({why})" for name, why in sorted(self.missing.items()))
        return f"this machine does not give the required layers: {reasons}. `sheetrun doctor` shows what holds"


class Cancelled(SandboxError):
    """The caller's ``cancelled`` said yes; the process is gone."""

    code = "cancelled"

    def __str__(self) -> str:
        return "the run was cancelled"
