"""A receiver of webhooks on this machine: keeps what it got, answers as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.elsewhere import HERE

SECONDS = 30


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: str
    at: float


@dataclass
class Receiver:
    """``answer``: path -> status; it may sleep."""

    url: str
    answer: Callable[[str], int] = lambda path: 204
    got: list[Received] = field(default_factory=list)

    def wait(self, count: int, path: str = "/") -> list[Received]:
        """The first so many requests of a path; fails when they do not come."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            found = [one for one in self.got if one.path == path]
            if len(found) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{len(self.got)} of {count} requests came")


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append(Received(self.path, headers, body, time.monotonic()))
            self.send_response(receiver.answer(self.path))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer((HERE, 0), Handler)
    receiver = Receiver(f"http://{HERE}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
