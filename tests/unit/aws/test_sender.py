"""The sender against real sockets: pinned addresses, TLS by name, redirects, slow and endless answers."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sheetrun.aws.sender import HttpSender
from sheetrun.service.outgoing import SendFailed, Sent

BODY = b'{"a":1}'
Serve = Callable[[socket.socket, bytes], None]


@contextlib.contextmanager
def receiver(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A server whose every connection is handled by ``serve``; its port, and what it got."""
    got: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def handle(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            connection = tls.wrap_socket(plain, server_side=True) if tls else plain
            stack.callback(connection.close)
            connection.settimeout(10)
            head = b""
            # Body and all: closing on what was not read would take the answer away from the other side.
            while not head.endswith(BODY) and (chunk := connection.recv(65536)):
                head += chunk
            got.append(head)
            serve(connection, head)

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], got
    finally:
        stop.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def answering(text: str) -> Serve:
    return lambda connection, _: connection.sendall(text.replace("\n", "\r\n").encode())


OK = "HTTP/1.1 204 No Content\nContent-Length: 0\n\n"


def send(port: int, *, seconds: float = 5.0, host: str = "127.0.0.1", scheme: str = "http", **options: object) -> Sent:
    sender = HttpSender(private=True, **options)  # type: ignore[arg-type]
    return sender.send(f"{scheme}://{host}:{port}/hook?x=1", BODY, {"webhook-id": "msg_1"}, seconds=seconds)


def test_the_request_as_it_was_meant() -> None:
    with receiver(answering(OK)) as (port, got):
        assert send(port).status == 204
    head = got[0].decode()
    assert head.startswith("POST /hook?x=1 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{port}\r\n" in head
    assert "webhook-id: msg_1\r\n" in head
    assert "Content-Length: 7\r\n" in head


def test_redirects_are_answers_like_others() -> None:
    with receiver(answering(OK)) as (elsewhere, reached):
        to = f"HTTP/1.1 307 Temporary Redirect\nLocation: http://127.0.0.1:{elsewhere}/\nContent-Length: 0\n\n"
        with receiver(answering(to)) as (port, _):
            assert send(port).status == 307
        assert not reached


def test_what_a_receiver_says_of_its_failure_is_kept_in_part() -> None:
    body = "no " * 10_000 + "\x00"
    text = f"HTTP/1.1 503 Busy\nRetry-After: 7\nContent-Length: {len(body)}\n\n{body}"
    with receiver(answering(text)) as (port, _):
        sent = send(port)
    assert (sent.status, sent.retry_after) == (503, 7)
    assert sent.response.startswith("no no no")
    assert len(sent.response) <= 512


def test_an_endless_answer_is_not_read() -> None:
    def endless(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 500 No\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with receiver(endless) as (port, _):
        assert send(port).status == 500


def test_a_byte_now_and_then_does_not_stretch_the_time() -> None:
    stop = threading.Event()

    def dripping(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not stop.wait(0.05):
            connection.sendall(b"x")

    with receiver(dripping) as (port, _):
        with pytest.raises(SendFailed) as failure:
            send(port, seconds=0.5)
        stop.set()
    assert failure.value.code == "timeout"


def test_what_is_not_http() -> None:
    with receiver(answering("hello\n\n")) as (port, _), pytest.raises(SendFailed) as failure:
        send(port)
    assert failure.value.code == "bad_answer"


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SendFailed) as failure:
        send(port)
    assert failure.value.code == "connection_failed"


def test_a_name_is_resolved_once_and_its_address_is_used() -> None:
    """DNS rebinding: a second look-up would give another address; there is none."""
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    with receiver(answering(OK)) as (port, got):
        assert send(port, host="hooks.example.com", resolver=resolver).status == 204
    assert asked == ["hooks.example.com"]
    assert f"Host: hooks.example.com:{port}".encode() in got[0]


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["169.254.169.254"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"]],
)
def test_without_leave_nothing_private_is_even_connected_to(addresses: list[str]) -> None:
    with receiver(answering(OK)) as (port, got):
        sender = HttpSender(resolver=lambda host, port: addresses)
        with pytest.raises(SendFailed) as failure:
            sender.send(f"https://hooks.example.com:{port}/", b"{}", {}, seconds=5)
    assert failure.value.code == "address_refused"
    assert not got


def test_without_leave_only_https() -> None:
    with pytest.raises(SendFailed) as failure:
        HttpSender().send("http://example.com/", b"{}", {}, seconds=5)
    assert failure.value.code == "address_refused"


def test_names_that_are_unknown_or_take_too_long() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    hang = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        hang.wait(10)
        return []

    for resolver, seconds, code in (
        (unknown, 60, "name_unknown"),
        (slow, 0.3, "timeout"),
        (lambda host, port: [], 60, "name_unknown"),
    ):
        with pytest.raises(SendFailed) as failure:
            HttpSender(resolver=resolver).send("https://example.com/", b"{}", {}, seconds=seconds)
        assert failure.value.code == code
    hang.set()


# ---- TLS ------------------------------------------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(server, client that trusts it) for a self-signed certificate of a name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "receiver.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())


def test_tls_is_checked_against_the_name_though_the_address_is_pinned(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path, "hooks.example.com")
    named: list[str] = []
    server.sni_callback = lambda sock, name, context: named.append(name)  # type: ignore[assignment]
    options = {"tls": trusting, "resolver": lambda host, port: ["127.0.0.1"], "scheme": "https"}
    with receiver(answering(OK), server) as (port, _):
        assert send(port, host="hooks.example.com", **options).status == 204
        assert named == ["hooks.example.com"]
        with pytest.raises(SendFailed) as other:
            send(port, host="other.example.com", **options)
        assert other.value.code == "tls_failed"
        with pytest.raises(SendFailed) as unknown:
            send(port, host="hooks.example.com", **{**options, "tls": None})
        assert unknown.value.code == "tls_failed"


def test_a_receiver_that_never_shakes_hands() -> None:
    hang = threading.Event()
    with receiver(lambda connection, head: hang.wait(10) and None) as (port, _):
        with pytest.raises(SendFailed) as failure:
            send(port, scheme="https", seconds=0.5)
        hang.set()
    assert failure.value.code in ("timeout", "tls_failed")
