"""What can go wrong with a job or a request, split by who must act.

::

    SheetrunError
    ├── Rejected            the request is wrong: answered at once, nothing was started
    │   ├── Malformed         400  the body is not JSON, a header is not of its form
    │   ├── Unauthenticated   401  no key or a wrong one
    │   ├── Forbidden         403  the key may not do this
    │   ├── NotFound          404  unknown, gone, or another client's
    │   ├── Conflict          409  the job is in a state that does not allow it
    │   ├── TooLarge          413  the file or the body is over a limit
    │   ├── Unprocessable     422  fields do not validate
    │   ├── QuotaExceeded     429  this client is over a limit of its own
    │   ├── AtCapacity        503  the whole service is
    │   └── Overran           504  computing takes longer than the call may
    ├── StepFailed          the job's own fault, trying again cannot help: the job ends as failed (or timed_out)
    ├── StepRetryable       a dependency's fault: the message goes back with backoff
    ├── Stopped             the worker must let go: cancelled meanwhile, or its claim was given to another
    ├── Raced               a conditional write met a newer version: read again and decide again
    └── Full                a gate has no place: the caller says whose limit it was (429 or 503)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class SheetrunError(Exception):
    """Base of all; ``detail`` is for people."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Rejected(SheetrunError):
    """A start failure: one HTTP answer. ``code`` is stable and snake_case; ``errors`` name fields by JSON path."""

    status: ClassVar[int] = 400
    title: ClassVar[str] = "The request was rejected"
    default_code: ClassVar[str] = "rejected"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code or self.default_code
        self.errors = tuple(errors)
        self.retry_after = retry_after  #: seconds
        self.extra = dict(extra or {})  #: further members of the problem document


class Malformed(Rejected):
    status, title, default_code = 400, "The request cannot be read", "malformed_request"


class Unauthenticated(Rejected):
    status, title, default_code = 401, "A valid API key is needed", "unauthenticated"


class Forbidden(Rejected):
    status, title, default_code = 403, "The key does not allow this", "forbidden"


class NotFound(Rejected):
    status, title, default_code = 404, "Not found", "not_found"


class MethodNotAllowed(Rejected):
    status, title, default_code = 405, "Method not allowed", "method_not_allowed"


class Conflict(Rejected):
    status, title, default_code = 409, "The state of the resource does not allow it", "conflict"


class TooLarge(Rejected):
    status, title, default_code = 413, "Too large", "too_large"


class Unprocessable(Rejected):
    status, title, default_code = 422, "The request does not validate", "invalid_request"


class QuotaExceeded(Rejected):
    status, title, default_code, retryable = 429, "A limit of this client was exceeded", "quota_exceeded", True


class AtCapacity(Rejected):
    status, title, default_code, retryable = 503, "The service is at capacity", "at_capacity", True


class Overran(Rejected):
    status, title, default_code = 504, "The call's time is over", "time_limit"


class StepFailed(SheetrunError):
    """Ends the job. ``errors`` are ``{cell, code, detail}``; ``timed_out`` picks that state instead of failed."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        title: str | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        timed_out: bool = False,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.title = title or code.replace("_", " ").capitalize()
        self.errors = tuple(dict(error) for error in errors)
        self.timed_out = timed_out

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_step_failed, (self.code, self.detail, self.title, self.errors, self.timed_out)


def _rebuild_step_failed(
    code: str, detail: str, title: str, errors: Sequence[Mapping[str, str]], timed_out: bool
) -> StepFailed:
    return StepFailed(code, detail, title=title, errors=errors, timed_out=timed_out)


class StepRetryable(SheetrunError):
    """A dependency did not answer as it should; the step is tried again later."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Stopped(SheetrunError):
    """Raised inside a worker by its heartbeat."""


class Raced(SheetrunError):
    """A conditional write failed because somebody else wrote first."""


class Full(SheetrunError):
    """No place in ``gate``: "service" or "client" (jobs under way), "running" or "running_client" (jobs that run),
    "uploads" or "bytes" (of a client's day). ``limit`` is how many there may be."""

    def __init__(self, gate: str, limit: int) -> None:
        super().__init__(f"the limit of {limit} was reached: {gate}")
        self.gate = gate
        self.limit = limit
