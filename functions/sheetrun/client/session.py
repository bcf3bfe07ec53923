"""Requests to one service: address, key, retries, problem documents. What ``Client`` is built on.

The key goes to the service's own origin and nowhere else: presigned links are other origins, and carry their own right.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import sheetrun
from sheetrun.client.errors import ApiError, BadAnswer, ConnectionFailed, NotConfigured, SheetrunError, api_error
from sheetrun.client.retrying import RetryPolicy
from sheetrun.client.transport import HttpTransport, Request, Response, Transport

_AGENT = f"sheetrun/{sheetrun.__version__}"


class Session:
    """One service and one key. ``sleep`` and ``jitter`` (0..1) are arguments so that tests take no time."""

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        transport: Transport | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise NotConfigured(f"{url!r} is not the address of a service (https://…/v1)")
        base = url.rstrip("/")
        self.base = base if base.endswith("/v1") else f"{base}/v1"
        self.origin = (parts.scheme, parts.netloc)
        self.sleep = sleep
        self.monotonic = monotonic
        self.transport: Transport = transport if transport is not None else HttpTransport()
        self._key = key
        self._retry = retry or RetryPolicy()
        self._timeout = timeout
        self._jitter = jitter

    def __repr__(self) -> str:
        return f"<Session {self.base}>"

    def close(self) -> None:
        self.transport.close()

    def address(self, path: str, query: Mapping[str, object] | None = None) -> str:
        """The absolute address of a route such as ``/jobs``."""
        url = self.base + path
        wanted = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        if not wanted:
            return url
        return f"{url}?{urlencode(wanted)}"

    def link(self, link: str) -> str:
        """The absolute address of a link that the service gave, which may be absolute or begin at ``/v1``."""
        return self.base + link.removeprefix("/v1") if link.startswith("/v1/") else urljoin(f"{self.base}/", link)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        idempotency_key: str | None = None,
        repeatable: bool | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> tuple[Mapping[str, Any], Response]:
        """A JSON object and the (finished) response. Raises ApiError, ConnectionFailed, BadAnswer. 304 gives {}."""
        sent_headers = {"Accept": "application/json", **(headers or {})}
        if idempotency_key is not None:
            sent_headers["Idempotency-Key"] = idempotency_key
        content: bytes | None = None
        if body is not None:
            content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
            sent_headers["Content-Type"] = "application/json"
        elif method == "POST":
            content = b""
        url = self.address(path, query) if path.startswith("/") else path
        request = Request(method, url, sent_headers, content, timeout or self._timeout)
        if repeatable is None:
            repeatable = method in ("GET", "DELETE") or idempotency_key is not None
        response = self.send(request, repeatable=repeatable)
        if response.status == 304:
            response.content()
            return {}, response
        return _object(response, request.url), response

    def lines(self, path: str) -> list[Mapping[str, Any]]:
        """JSON lines, each an object. Raises as ``call`` does."""
        request = Request("GET", self.address(path), {"Accept": "application/jsonl"}, timeout=self._timeout)
        response = self.send(request)
        try:
            found = [json.loads(line) for line in response.content().splitlines()]
        except ValueError:
            raise BadAnswer(request.url, response.status, "and a line of it is not JSON") from None
        if not all(isinstance(one, dict) for one in found):
            raise BadAnswer(request.url, response.status, "and a line of it is not an object")
        return found

    def send(self, request: Request, *, repeatable: bool = True) -> Response:
        """The response with a status below 400; retried as the policy says."""
        request = self._signed(request)
        attempt = 0
        while True:
            attempt += 1
            try:
                response = self.transport.send(request)
                if response.status < 400:
                    return response
                raise self._problem(response, request.url)
            except (ApiError, ConnectionFailed) as error:
                delay = self._retry.delay(attempt, error, repeatable=repeatable, jitter=self._jitter)
                if delay is None:
                    raise
                self.sleep(delay)

    def attempt(
        self, action: Callable[[], Response], *, failed: Callable[[Response], SheetrunError | None]
    ) -> Response:
        """An exchange with another host (the object store): retried on a lost connection or a 5xx answer."""
        attempt = 0
        while True:
            attempt += 1
            try:
                response = action()
                error = failed(response)
                if error is None:
                    return response
                if response.status < 500 or attempt >= self._retry.attempts:
                    raise error
                delay: float | None = self._jitter() * self._retry.base * 2 ** (attempt - 1)
            except ConnectionFailed as lost:
                delay = self._retry.delay(attempt, lost, repeatable=True, jitter=self._jitter)
                if delay is None:
                    raise
            self.sleep(delay or 0.0)

    def pages(self, path: str, query: Mapping[str, object]) -> Iterator[Mapping[str, Any]]:
        """Every page of a list, following ``Link: rel="next"`` by its cursor alone."""
        after: str | None = None
        while True:
            page, response = self.call("GET", path, query={**query, "after": after} if after else query)
            yield page
            following = next_cursor(response.headers.get("link", "")) or page.get("after")
            if not following or following == after:
                return
            after = str(following)

    def _signed(self, request: Request) -> Request:
        headers = {"User-Agent": _AGENT, **request.headers}
        parts = urlsplit(request.url)
        if self._key and (parts.scheme, parts.netloc) == self.origin:
            headers["x-api-key"] = self._key
        return replace(request, headers=headers)

    def _problem(self, response: Response, url: str) -> SheetrunError:
        retry_after = _retry_after(response.headers.get("retry-after"))
        request_id = response.headers.get("x-request-id") or response.headers.get("x-amzn-requestid")
        content = response.content()
        try:
            problem = json.loads(content)
        except ValueError:
            problem = None
        if not isinstance(problem, dict):
            if response.status in (429, 502, 503, 504):  # a gateway's or a proxy's own page: still "later"
                return api_error(response.status, {}, request_id=request_id, retry_after=retry_after)
            return BadAnswer(url, response.status, "which is not a Sheetrun answer")
        return api_error(response.status, problem, request_id=request_id, retry_after=retry_after)


def _object(response: Response, url: str) -> Mapping[str, Any]:
    content = response.content()
    if not content and response.status in (202, 204):
        return {}
    try:
        document = json.loads(content)
    except ValueError:
        raise BadAnswer(url, response.status, "and the body is not JSON") from None
    if not isinstance(document, dict):
        raise BadAnswer(url, response.status, "and the body is not a JSON object")
    return document


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time needs a zone: datetime(…, tzinfo=UTC)")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def _retry_after(text: str | None) -> float | None:
    """Seconds, from a number or an HTTP date (RFC 9110, 10.2.3)."""
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment.tzinfo else None


def next_cursor(link: str) -> str | None:
    """The ``after`` of the ``rel="next"`` link (RFC 8288); None where there is none."""
    for entry in link.split(","):
        target, _, parameters = entry.partition(";")
        if 'rel="next"' in parameters.replace(" ", "") or "rel=next" in parameters.replace(" ", ""):
            values = parse_qs(urlsplit(target.strip().strip("<>")).query).get("after")
            return values[0] if values else None
    return None
