"""The port through which the client reaches a network: one method, ``send``; the real one, and one for tests.

``HttpTransport`` is HTTP/1.1 on the standard library: kept-alive connections, TLS with the system's certificates, the
proxies that the environment names, no redirects (the client decides where its key may go). ``MockTransport`` answers
from a function, so that users of the SDK test without a service:

>>> client = Client("http://test/v1", "key", transport=MockTransport(lambda request: Response.of_json(200, {...})))
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from threading import Lock
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from sheetrun.client.errors import ConnectionFailed
from sheetrun.records import dataclass


class Body(Protocol):
    """A body too large for memory: its exact length in bytes, and chunks that can be had again for a second sending."""

    @property
    def length(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Request:
    """``timeout`` is in seconds and counts for each wait on the network, not for the whole."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Body | None = None
    timeout: float = 30.0

    def content(self) -> bytes:
        """The whole body; for tests."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)

    def json(self) -> Any:
        return json.loads(self.content() or b"null")


class Readable(Protocol):
    """What a response reads from."""

    def read(self, amount: int | None = ..., /) -> bytes: ...


class Response:
    """An answer whose body may still be on its way. Header names are in lower case. Close it, or read it whole."""

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | Readable = b"",
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self.status = status
        self.headers: dict[str, str] = {name.lower(): value for name, value in (headers or {}).items()}
        self._body: Readable = io.BytesIO(body) if isinstance(body, bytes) else body
        self._on_close = on_close

    @classmethod
    def of_json(cls, status: int, document: object, headers: Mapping[str, str] | None = None) -> Response:
        """An answer with a JSON body; for tests."""
        return cls(status, {"content-type": "application/json", **(headers or {})}, json.dumps(document).encode())

    def read(self, amount: int | None = None) -> bytes:
        """Up to ``amount`` bytes, or all that is left. Raises ConnectionFailed when the rest does not come."""
        try:
            return self._body.read() if amount is None else self._body.read(amount)
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionFailed("the service", f"the answer broke off ({_reason(error)})") from error

    def chunks(self, size: int = 1 << 18) -> Iterator[bytes]:
        while chunk := self.read(size):
            yield chunk

    def content(self) -> bytes:
        """The whole body; closes the response."""
        try:
            return self.read()
        finally:
            self.close()

    def close(self) -> None:
        if self._on_close is not None:
            done, self._on_close = self._on_close, None
            done()

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transport(Protocol):
    """Sends one request and gives its answer, whatever its status. Raises ConnectionFailed where none came."""

    def send(self, request: Request) -> Response: ...

    def close(self) -> None: ...


class MockTransport:
    """Answers from ``handler``; ``requests`` keeps what was sent, in order."""

    def __init__(self, handler: Callable[[Request], Response]) -> None:
        self.handler = handler
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        return self.handler(request)

    def close(self) -> None:
        """Nothing is held."""


class HttpTransport:
    """HTTP/1.1 with kept-alive connections; safe to share between threads.

    ``proxies``: scheme -> proxy address; default: what the environment says (``HTTPS_PROXY``, ``NO_PROXY`` …).
    """

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, proxies: Mapping[str, str] | None = None, idle: int = 8
    ) -> None:
        self._tls = tls
        self._proxies = urllib.request.getproxies() if proxies is None else dict(proxies)
        self._use_bypass = proxies is None
        self._idle: dict[tuple[str, str], list[http.client.HTTPConnection]] = {}
        self._most_idle = idle
        self._lock = Lock()

    def send(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConnectionFailed(request.url, "not an http(s) address", False)
        connection, fresh = self._take(parts, request.timeout)
        try:
            try:
                return self._exchange(connection, parts, request)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                if fresh:
                    raise
                # The service closed an idle connection at the moment of use: that says nothing about the request.
                connection.close()
                connection, _ = self._take(parts, request.timeout, reuse=False)
                return self._exchange(connection, parts, request)
        except (OSError, http.client.HTTPException) as error:
            sent = connection.sock is not None
            connection.close()
            raise ConnectionFailed(
                f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", _reason(error), sent
            ) from error

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def _take(
        self, parts: SplitResult, timeout: float, *, reuse: bool = True
    ) -> tuple[http.client.HTTPConnection, bool]:
        """A connection and whether it is new."""
        if reuse:
            with self._lock:
                idle = self._idle.get((parts.scheme, parts.netloc))
                connection = idle.pop() if idle else None
            if connection is not None:
                if connection.sock is not None:
                    connection.sock.settimeout(timeout)
                return connection, False
        return self._connect(parts, timeout), True

    def _connect(self, parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", parts.port
        proxy = self._proxy(parts)
        if parts.scheme == "https":
            if self._tls is None:
                self._tls = ssl.create_default_context()
            if proxy is None:
                return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
            tunnel = http.client.HTTPSConnection(proxy.hostname or "", proxy.port, timeout=timeout, context=self._tls)
            tunnel.set_tunnel(host, port, headers=_proxy_login(proxy))
            return tunnel
        if proxy is None:
            return http.client.HTTPConnection(host, port, timeout=timeout)
        return http.client.HTTPConnection(proxy.hostname or "", proxy.port, timeout=timeout)

    def _proxy(self, parts: SplitResult) -> SplitResult | None:
        address = self._proxies.get(parts.scheme)
        if not address or (self._use_bypass and urllib.request.proxy_bypass(parts.netloc)):
            return None
        return urlsplit(address if "//" in address else f"//{address}")

    def _exchange(self, connection: http.client.HTTPConnection, parts: SplitResult, request: Request) -> Response:
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        headers = dict(request.headers)
        proxy = self._proxy(parts)
        if proxy is not None and parts.scheme == "http":
            target = f"http://{parts.netloc}{target}"
            headers.update(_proxy_login(proxy))
        body = request.body
        if body is not None and not isinstance(body, bytes):
            headers["Content-Length"] = str(body.length)
        try:
            connection.request(request.method, target, body=body, headers=headers)
        except (BrokenPipeError, ConnectionResetError):
            # A service that refuses a large body may answer and close before it has read it: the answer says why.
            if body is None or connection.sock is None:
                raise
            early = _early_answer(connection)
            if early is None:
                raise
            return early
        answer = connection.getresponse()
        return Response(
            answer.status,
            dict(answer.getheaders()),
            answer,
            lambda: self._give_back(parts, connection, answer),
        )

    def _give_back(
        self, parts: SplitResult, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse
    ) -> None:
        if answer.isclosed() and not answer.will_close:
            with self._lock:
                idle = self._idle.setdefault((parts.scheme, parts.netloc), [])
                if len(idle) < self._most_idle:
                    idle.append(connection)
                    return
        connection.close()


def _early_answer(connection: http.client.HTTPConnection) -> Response | None:
    try:
        answer = connection.response_class(connection.sock)
        answer.begin()
        content = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return Response(answer.status, dict(answer.getheaders()), content)


def _proxy_login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def _reason(error: Exception) -> str:
    """Why, in words that need no traceback."""
    if isinstance(error, socket.timeout):
        return "it took too long"
    if isinstance(error, socket.gaierror):
        return "the host name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError):
        return "the connection was closed"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection was closed before the end"
    return str(error) or type(error).__name__
