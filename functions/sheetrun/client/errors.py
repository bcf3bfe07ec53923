"""What can go wrong between a client and a service, as a tree: every error says what happened and what to do.

SheetrunError              exit code 1
├── NotConfigured          exit code 2: no address or key was given
├── ConnectionFailed       no answer came (refused, reset, timed out)
├── BadAnswer              an answer came that is not Sheetrun's (a proxy's page, a wrong address)
├── ApiError               the service said no, with a problem document (RFC 9457)
│   ├── RequestRejected    4xx: the request is at fault
│   ├── QuotaExceeded      429: this client is over a limit of its own
│   └── AtCapacity         503: the service is full; the same request will work later
├── UploadRejected         the object store refused the file (size, checksum, link expired)
├── JobFailed              the job ended without results
└── WaitTimeout            the job still runs; it was not stopped

All can be pickled: their arguments are plain values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from sheetrun.client.values import Job


class SheetrunError(Exception):
    """Base of all. ``str()`` is one line for people; ``hint`` is the next step, or empty."""

    exit_code: ClassVar[int] = 1
    hint: str = ""


class NotConfigured(SheetrunError):
    """No address or no key."""

    exit_code = 2

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.hint = "Give --url and --key, or set SHEETRUN_URL and SHEETRUN_KEY (`sheetrun up` prints both)."


class ConnectionFailed(SheetrunError):
    """No answer. ``sent`` tells whether the request may have reached the service."""

    retryable = True

    def __init__(self, address: str, reason: str, sent: bool = True) -> None:
        super().__init__(address, reason, sent)
        self.address = address
        self.reason = reason
        self.sent = sent
        self.hint = "Is the service running, and the address right? `sheetrun doctor` checks both."

    def __str__(self) -> str:
        return f"no answer from {self.address}: {self.reason}"


class BadAnswer(SheetrunError):
    """The answer is not one that Sheetrun gives."""

    def __init__(self, address: str, status: int, detail: str) -> None:
        super().__init__(address, status, detail)
        self.address = address
        self.status = status
        self.detail = detail
        self.hint = "Check the address: `sheetrun up` and `sheetrun deploy` print it."

    def __str__(self) -> str:
        return f"{self.address} answered {self.status}, {self.detail}"


_HINTS: Mapping[str, str] = {
    "unauthenticated": "Check the key (--key or SHEETRUN_KEY).",
    "forbidden": "Ask the operator for a key with this scope.",
    "not_found": "Check the id; results are kept for a limited time, and a key sees only its own client's jobs.",
    "file_too_large": "See the limits with the service's operator, or split the workbook.",
    "invalid_checksum": "The file changed while it was read; submit it again.",
    "quota_exceeded": "Wait and try again.",
    "at_capacity": "The service is full; try again later.",
    "idempotency_key_reused": "Use a new idempotency key for another request.",
}


class ApiError(SheetrunError):
    """A problem document. ``code`` is stable; ``errors`` name fields or cells; ``retry_after`` is in seconds."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        request_id: str | None = None,
        retryable: bool = False,
        errors: Sequence[Mapping[str, Any]] = (),
        retry_after: float | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            status, code, title, detail, request_id, retryable, tuple(errors), retry_after, dict(problem or {})
        )
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.request_id = request_id
        self.retryable = retryable
        self.errors: tuple[Mapping[str, Any], ...] = tuple(errors)
        self.retry_after = retry_after
        self.problem: Mapping[str, Any] = dict(problem or {})  #: the document as it came
        self.hint = _HINTS.get(code, "")

    def __str__(self) -> str:
        text = self.detail or self.title
        for error in self.errors[:5]:
            place = error.get("path") or error.get("cell") or ""
            told = f"{place}: {error.get('detail', error.get('code', ''))}" if place else str(error.get("detail"))
            if told not in text:  # the only error is often the detail itself
                text += f"; {told}"
        if len(self.errors) > 5:
            text += f"; and {len(self.errors) - 5} more"
        reference = f", request {self.request_id}" if self.request_id else ""
        return f"{text} ({self.code}, {self.status}{reference})"


class RequestRejected(ApiError):
    """4xx: sending the same again will not help."""


class QuotaExceeded(ApiError):
    """429: over one of this client's own limits; ``retry_after`` says when to come back."""


class AtCapacity(ApiError):
    """503: the service sheds load; ``retry_after`` says when to come back."""


class UploadRejected(SheetrunError):
    """The object store's own answer to the upload."""

    def __init__(self, status: int, code: str, message: str, job_id: str | None = None) -> None:
        super().__init__(status, code, message, job_id)
        self.status = status
        self.code = code
        self.message = message
        self.job_id = job_id
        self.hint = {
            "EntityTooLarge": "The file is larger than the service takes.",
            "BadDigest": "The file changed while it was read; submit it again.",
            "InvalidDigest": "The file changed while it was read; submit it again.",
            "XAmzContentChecksumMismatch": "The file changed while it was read; submit it again.",
            "AccessDenied": "The upload link has expired or does not fit this file; submit again.",
        }.get(code, "Submit it again; if it stays, tell the operator.")

    def __str__(self) -> str:
        job = f" of {self.job_id}" if self.job_id else ""
        return f"the upload{job} was refused: {self.message or self.code} ({self.code}, {self.status})"


class JobFailed(SheetrunError):
    """The job ended, and not with success. ``job`` has the whole story."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.job = job
        failure = job.error
        self.hint = (
            "Run it again from the stage that failed: client.retry(id)." if failure and failure.retryable else ""
        )

    def __str__(self) -> str:
        failure = self.job.error
        if failure is None:
            return f"{self.job.filename or self.job.id} {self.job.state}"
        cells = [f"{e.cell}: {e.detail}" if e.cell else e.detail for e in failure.errors[:3]]
        more = f" ({'; '.join(cells)})" if cells else ""
        reason = f"{failure.detail or failure.title}{more} [{failure.code}]"
        return f"{self.job.filename or self.job.id} {self.job.state}: {reason}"


class WaitTimeout(SheetrunError):
    """``wait`` gave up after its own time; the job goes on."""

    def __init__(self, job: Job, seconds: float) -> None:
        super().__init__(job, seconds)
        self.job = job
        self.seconds = seconds
        self.hint = f"It still runs: `sheetrun status {job.id}` tells how far it is."

    def __str__(self) -> str:
        return f"{self.job.id} is still {self.job.state} after {self.seconds:g} s"


def api_error(
    status: int, problem: Mapping[str, Any], *, request_id: str | None, retry_after: float | None
) -> ApiError:
    """The error for a problem document; members that are missing or of a wrong type do not hurt."""
    kind: type[ApiError]
    if status == 429:
        kind = QuotaExceeded
    elif status == 503:
        kind = AtCapacity
    elif 400 <= status < 500:
        kind = RequestRejected
    else:
        kind = ApiError
    raw_errors = problem.get("errors")
    errors = [e for e in raw_errors if isinstance(e, Mapping)] if isinstance(raw_errors, list) else []
    own_id = problem.get("request_id")
    return kind(
        status,
        str(problem.get("code") or f"http_{status}"),
        str(problem.get("title") or ""),
        str(problem.get("detail") or problem.get("title") or problem.get("message") or "the request failed"),
        str(own_id) if own_id else request_id,
        bool(problem.get("retryable", status in (429, 502, 503, 504))),
        errors,
        retry_after,
        problem,
    )
