"""One POST to a webhook's receiver, from inside a cloud account: the address is judged, then used, and nothing else.

The name is resolved once; the connection goes to an address that was judged (``service.addresses``), while TLS and the
Host header still carry the name. Redirects are not followed, proxies not used, and the whole exchange has a time limit,
which a receiver cannot stretch by sending a byte now and then.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from sheetrun.service.addresses import allowed
from sheetrun.service.outgoing import SendFailed, Sent

KEPT = 512  #: bytes of an answer's body; no more is read
CONNECT_SECONDS = 5.0
MOST_ADDRESSES = 3  #: of a name, that are tried
Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(entry[4][0]) for entry in found]


class HttpSender:
    """``service.outgoing.Sender``. ``private`` also lets in http:// and addresses that are not public."""

    def __init__(
        self, *, private: bool = False, tls: ssl.SSLContext | None = None, resolver: Resolve = resolve
    ) -> None:
        self._private = private
        self._tls = tls
        self._resolve = resolver

    def send(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Sent:
        end = monotonic() + seconds
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and self._private):
            raise SendFailed("address_refused", "only https:// is allowed")
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = self._addresses(host, port, end)
        addresses = allowed(found, private=self._private)[:MOST_ADDRESSES]
        if not addresses:
            raise SendFailed("address_refused", "the host is not on the public internet")
        with _told_plainly(), contextlib.closing(self._connect(parts, host, port, addresses, end)) as connection:
            return _exchange(connection, parts, body, headers, end)

    def _addresses(self, host: str, port: int, end: float) -> Sequence[str]:
        """The name's addresses; in a thread of its own, for the resolver of the system has no time limit."""
        found: list[Sequence[str]] = []
        failed: list[OSError | UnicodeError] = []

        def look_up() -> None:
            try:
                found.append(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                failed.append(error)

        worker = threading.Thread(target=look_up, daemon=True)
        worker.start()
        worker.join(max(0.0, min(CONNECT_SECONDS, end - monotonic())))
        if found and found[0]:
            return found[0]
        if not failed and not found:
            raise SendFailed("timeout", "the name was not resolved in time")
        raise SendFailed("name_unknown", "the host name is not known")

    def _connect(
        self, parts: SplitResult, host: str, port: int, addresses: Sequence[str], end: float
    ) -> http.client.HTTPConnection:
        last: OSError | None = None
        for address in addresses:
            left = end - monotonic()
            if left <= 0:
                break
            try:
                plain = socket.create_connection((address, port), min(CONNECT_SECONDS, left))
            except OSError as error:
                last = error
                continue
            connection = http.client.HTTPConnection(host, port)  # its socket is set: it connects to nothing by itself
            connection.sock = self._wrapped(plain, host, end) if parts.scheme == "https" else plain
            return connection
        raise last or TimeoutError

    def _wrapped(self, plain: socket.socket, host: str, end: float) -> ssl.SSLSocket:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        try:
            with _deadline(plain, end):
                return self._tls.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise


def _exchange(
    connection: http.client.HTTPConnection, parts: SplitResult, body: bytes, headers: Mapping[str, str], end: float
) -> Sent:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    assert connection.sock is not None
    with _deadline(connection.sock, end):
        connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": host, **headers, "Content-Length": str(len(body)), "Connection": "close"}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        with connection.getresponse() as answer:
            excerpt = b"" if 200 <= answer.status < 300 else answer.read(KEPT)
    text = "".join(char if char.isprintable() else " " for char in excerpt.decode("utf-8", "replace")).strip()
    return Sent(status=answer.status, retry_after=_retry_after(answer.getheader("Retry-After")), response=text)


@contextlib.contextmanager
def _deadline(sock: socket.socket, end: float) -> Iterator[None]:
    """Shuts the connection when the time is over, whatever it is waiting for. Raises TimeoutError then."""
    over = threading.Event()

    def stop() -> None:
        over.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, end - monotonic()), stop)
    timer.daemon = True
    timer.start()
    sock.settimeout(max(0.1, end - monotonic() + 1))
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError):
        if over.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
    if over.is_set():
        raise TimeoutError


@contextlib.contextmanager
def _told_plainly() -> Iterator[None]:
    """What went wrong with a receiver, as ``SendFailed``; nothing of the machine's own inside."""
    try:
        yield
    except TimeoutError:
        raise SendFailed("timeout", "the receiver took too long") from None
    except ssl.SSLError as error:
        raise SendFailed("tls_failed", f"TLS: {getattr(error, 'verify_message', '') or error.reason}") from None
    except OSError as error:
        raise SendFailed("connection_failed", error.strerror or type(error).__name__) from None
    except (http.client.HTTPException, ValueError) as error:
        raise SendFailed("bad_answer", f"the answer is not HTTP ({type(error).__name__})") from None


def _retry_after(text: str | None) -> int | None:
    """Seconds, from a number or an HTTP date; None when it says neither."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return int(text.strip()[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0, int((moment - datetime.now(UTC)).total_seconds()))
