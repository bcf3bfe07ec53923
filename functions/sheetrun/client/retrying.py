"""When to send a request again: a policy that returns a delay or nothing, applied by the session."""

from __future__ import annotations

from collections.abc import Callable

from sheetrun.client.errors import ApiError, ConnectionFailed, SheetrunError
from sheetrun.records import dataclass

#: Answers that say "not now" and nothing about the request itself.
_LATER = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter; ``Retry-After`` wins. Times in seconds.

    A request that changes something and carries no idempotency key is repeated only when it surely was not done:
    the connection was refused, or the service shed it (429, 503).
    """

    attempts: int = 4  #: sendings in all; 1 = never again
    base: float = 0.5
    cap: float = 20.0
    patience: float = 60.0  #: a longer Retry-After is an error for the caller to see at once

    def delay(
        self, attempt: int, error: SheetrunError, *, repeatable: bool, jitter: Callable[[], float]
    ) -> float | None:
        """Seconds until sending number ``attempt + 1`` (1 = the first has failed), or None: give up."""
        if attempt >= self.attempts:
            return None
        if isinstance(error, ConnectionFailed):
            if error.sent and not repeatable:
                return None
        elif isinstance(error, ApiError):
            if error.status not in _LATER or (error.status in (502, 504) and not repeatable):
                return None
            if error.retry_after is not None:
                return error.retry_after + jitter() * self.base if error.retry_after <= self.patience else None
        else:
            return None
        return jitter() * float(min(self.cap, self.base * 2 ** (attempt - 1)))


#: For callers who retry themselves.
NEVER = RetryPolicy(attempts=1)
