"""``Idempotency-Key``: the same POST again gives the same answer, and makes nothing twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from sheetrun.jobs.errors import Conflict, Malformed, Rejected, Unprocessable
from sheetrun.records import dataclass
from sheetrun.service.ports import Answer, Clock, Idempotency
from sheetrun.service.web.http import Response
from sheetrun.service.web.router import Call

LONGEST = 255
_KEY = re.compile(r"[!#-~]+")


@dataclass(frozen=True, slots=True)
class Replay:
    """The first call reserves the key, and with it the id of what it creates.

    A call that dies between reserving and answering leaves the id behind: the client's next try creates under the same
    id, finds what is there, and gives its answer.
    """

    store: Idempotency
    clock: Clock

    def once(
        self,
        call: Call,
        subject: str,
        make: Callable[[str], Response],
        *,
        kept: Callable[[Response], Response] = lambda response: response,
    ) -> Response:
        """``make`` gets the id to create. Call it after the request was validated: a refusal is not stored.

        ``kept``: the answer as it is stored, without what must not be (a secret that is shown once).
        """
        key = _key(call.request.headers.get("idempotency-key"))
        if key is None:
            return make(subject)
        owner = call.caller.client
        fingerprint = _fingerprint(call)
        reserved = self.store.reserve(owner, key, fingerprint=fingerprint, subject=subject, now=self.clock.now())
        if not reserved.fresh:
            return _known(reserved.fingerprint == fingerprint, reserved.answer)
        try:
            response = make(reserved.subject)
        except Rejected:
            self.store.forget(owner, key)
            raise
        keep = kept(response)
        stored = Answer(status=keep.status, headers=dict(keep.headers), body=keep.body)
        self.store.answer(owner, key, stored, self.clock.now())
        return response


def _known(same: bool, stored: Answer | None) -> Response:
    if not same:
        raise Unprocessable("This Idempotency-Key was used with another request.", code="idempotency_key_reused")
    if stored is None:
        raise Conflict(
            "The first request with this Idempotency-Key is still running.",
            code="idempotency_in_progress",
            retry_after=1,
        )
    headers = {**stored.headers, "Idempotency-Replayed": "true"}
    return Response(status=stored.status, body=stored.body, headers=headers)


def _key(header: str | None) -> str | None:
    """The key, bare or as the draft's quoted string. Raises ``Malformed``."""
    if header is None:
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if len(key) > LONGEST or not _KEY.fullmatch(key):
        raise Malformed(
            f"Idempotency-Key must be 1 to {LONGEST} visible ASCII characters, and none of them a quotation mark.",
            code="invalid_idempotency_key",
        )
    return key


def _fingerprint(call: Call) -> str:
    request = call.request
    return hashlib.sha256(b"\n".join([request.method.encode(), request.path.encode(), request.body])).hexdigest()
