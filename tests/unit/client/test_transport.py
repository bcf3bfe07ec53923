"""The real transport against a real socket: keep-alive, refusals before the body is read, broken answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sheetrun.client import ConnectionFailed, HttpTransport, Request

connections: list[tuple[str, int]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        connections.append(self.client_address)
        if self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"abc")
            self.close_connection = True
            return
        self._answer(200, self.path.encode())
        if self.path == "/hang-up":
            self.close_connection = True

    def do_POST(self) -> None:
        if self.path == "/refuse":
            self._answer(413, b"too large")
            self.close_connection = True
            return
        self._answer(200, self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def base() -> Iterator[str]:
    connections.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    made = HttpTransport(proxies={})
    yield made
    made.close()


class Repeated:
    """A body that is never whole in memory."""

    def __init__(self, count: int) -> None:
        self.length = count * 65536

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.length // 65536):
            yield b"x" * 65536


def test_a_connection_is_used_again(base: str, transport: HttpTransport) -> None:
    for path in ("/a?b=1", "/b", "/c"):
        with transport.send(Request("GET", base + path)) as response:
            assert response.content().decode() == path
    assert len(set(connections)) == 1


def test_an_idle_connection_that_the_service_closed_is_replaced(base: str, transport: HttpTransport) -> None:
    for path in ("/hang-up", "/next"):
        assert transport.send(Request("GET", base + path)).content().decode() == path
    assert len(set(connections)) == 2


def test_a_streamed_body_arrives_whole(base: str, transport: HttpTransport) -> None:
    response = transport.send(Request("POST", base + "/echo", {}, Repeated(40)))
    assert response.content() == b"x" * 40 * 65536


def test_a_refusal_before_the_body_is_read_is_still_an_answer(base: str, transport: HttpTransport) -> None:
    response = transport.send(Request("POST", base + "/refuse", {}, Repeated(400)))
    assert (response.status, response.content()) == (413, b"too large")


def test_an_answer_cut_short_is_no_answer(base: str, transport: HttpTransport) -> None:
    with pytest.raises(ConnectionFailed, match="broke off"):
        transport.send(Request("GET", base + "/short")).content()


def test_a_closed_port_says_that_nothing_was_sent(transport: HttpTransport) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ConnectionFailed, match="nothing listens there") as caught:
        transport.send(Request("GET", f"http://127.0.0.1:{port}/"))
    assert not caught.value.sent


def test_a_silent_service_takes_too_long(transport: HttpTransport) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with pytest.raises(ConnectionFailed, match="too long") as caught:
            transport.send(Request("GET", f"http://127.0.0.1:{mute.getsockname()[1]}/", timeout=0.05))
    assert caught.value.sent


def test_plain_http_goes_through_the_proxy_with_its_login(base: str) -> None:
    through = HttpTransport(proxies={"http": base.replace("http://", "http://me:s3cret@")})
    assert through.send(Request("GET", "http://far.example/x")).content() == b"http://far.example/x"
    through.close()


@pytest.mark.parametrize("url", ["ftp://host/x", "http:///x", "nonsense"])
def test_only_web_addresses_are_sent_to(url: str, transport: HttpTransport) -> None:
    with pytest.raises(ConnectionFailed, match="address"):
        transport.send(Request("GET", url))
