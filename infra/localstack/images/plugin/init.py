#!/usr/bin/python3
"""The program that runs beside a function in its container, in place of LocalStack's own, which is not in any package.

It speaks two protocols. To LocalStack, with HTTP both ways: ``POST /invoke`` comes in; readiness, logs and the answer go
out. To the function's runtime client: AWS's Runtime API (``next``, ``response``, ``error``). It runs the bootstrap of the
image, ends it when the function's time is over, and starts it again for the next call. Python's standard library only.
"""

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO

LOCALSTACK = os.environ["LOCALSTACK_RUNTIME_ENDPOINT"]
RUNTIME = os.environ["LOCALSTACK_RUNTIME_ID"]
PORT = int(os.environ.get("LOCALSTACK_INTEROP_PORT", "9563"))
SECONDS = int(os.environ["AWS_LAMBDA_FUNCTION_TIMEOUT"])
MEMORY = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
VERSION = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
RUNTIME_API = ("127.0.0.1", 9001)
NOBODY = {"user": 993, "group": 990}  #: whom Lambda runs functions as

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_NEXT = "/2018-06-01/runtime/invocation/next"
_ANSWER = re.compile(r"/2018-06-01/runtime/invocation/([^/]+)/(response|error)$")


@dataclass(slots=True)
class Invocation:
    """One call of the function, from LocalStack's ``/invoke`` to its answer."""

    id: str
    arn: str
    payload: bytes
    trace: str
    deadline: int = 0  #: ms since 1970
    answer: bytes = b""
    failed: bool = False
    done: threading.Event = field(default_factory=threading.Event)

    def end(self, answer: bytes, *, failed: bool) -> None:
        """The first answer holds."""
        if not self.done.is_set():
            self.answer, self.failed = answer, failed
            self.done.set()


def tell(path: str, body: bytes | dict[str, str]) -> None:
    """LocalStack; a message that it does not take is only told here, for there is nobody else to tell."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(LOCALSTACK + path, data, {"Content-Type": "application/json"})
    try:
        _DIRECT.open(request, timeout=30).close()
    except OSError as problem:
        print(f"init: {path}: {problem}", file=sys.stderr)


def exited(code: int, request: str = "") -> dict[str, str]:
    about = f"RequestId: {request} " if request else ""
    message = f"{about}Error: Runtime exited with error: exit status {code}"
    return {"errorType": "Runtime.ExitError", "errorMessage": message}


class Function:
    """The function's process, and the one call that it works on."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.current: Invocation | None = None
        self.calls: queue.Queue[Invocation | None] = queue.Queue()
        self.lines: list[str] = []
        self.ready = False
        self.broken = False
        self.turn = threading.Lock()

    def start(self) -> None:
        # A process that died may have left its question for the next call open: that question must not take an event.
        self.calls.put(None)
        self.calls = queue.Queue()
        self.process = subprocess.Popen(
            ["/var/runtime/bootstrap"],
            env=_environment(),
            cwd=os.environ.get("LAMBDA_TASK_ROOT", "/var/task"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **NOBODY,
        )
        assert self.process.stdout is not None
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        threading.Thread(target=self._wait, args=(self.process,), daemon=True).start()

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def call(self, invocation: Invocation) -> None:
        """From the event to the last word to LocalStack."""
        with self.turn:
            self.lines = [f"START RequestId: {invocation.id} Version: {VERSION}\n"]
            self.current = invocation
            if self.process is None:
                self.start()
            begun = time.time()
            invocation.deadline = int((begun + SECONDS) * 1000)
            self.calls.put(invocation)
            if not invocation.done.wait(SECONDS):
                self.stop()
                at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                text = f"{at} {invocation.id} Task timed out after {SECONDS}.00 seconds"
                invocation.end(json.dumps({"errorMessage": text}).encode(), failed=True)
            took = 1000 * (time.time() - begun)
            time.sleep(0.002)  # what the function printed last is still in the pipe
            self.current = None
            lines = [*self.lines, f"END RequestId: {invocation.id}\n", _report(invocation, took)]
            tell(f"/invocations/{invocation.id}/logs", {"logs": "".join(lines)})
            tell(f"/invocations/{invocation.id}/{'error' if invocation.failed else 'response'}", invocation.answer)

    def next(self) -> Invocation | None:
        """For the runtime client: blocks until there is a call. The first question says that the function is loaded."""
        if not self.ready:
            self.ready = True
            tell(f"/status/{RUNTIME}/ready", b"")
        return self.calls.get()

    def cannot_start(self, reason: bytes | dict[str, str]) -> None:
        self.broken = True
        tell(f"/status/{RUNTIME}/error", reason)

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
            self.lines.append(line.decode("utf-8", "replace"))

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        if process is not self.process:  # it was stopped, and another has its place
            return
        self.process = None
        if self.current is not None:
            self.current.end(json.dumps(exited(code, self.current.id)).encode(), failed=True)
        elif not self.ready and not self.broken:
            self.cannot_start(exited(code))


def _environment() -> dict[str, str]:
    """The function's own: without what concerns LocalStack and us."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HOSTNAME", "HOME") and (not name.startswith("LOCALSTACK_") or name == "LOCALSTACK_HOSTNAME")
    }
    return {"AWS_EXECUTION_ENV": "AWS_Lambda_rapid", **kept, "AWS_LAMBDA_RUNTIME_API": ":".join(map(str, RUNTIME_API))}


def _report(invocation: Invocation, milliseconds: float) -> str:
    return (
        f"REPORT RequestId: {invocation.id}\tDuration: {milliseconds:.2f} ms\tBilled Duration: {int(milliseconds) + 1} ms\t"
        f"Memory Size: {MEMORY} MB\tMax Memory Used: {MEMORY} MB\t\n"
    )


FUNCTION = Function()


class Handler(BaseHTTPRequestHandler):
    """Both sides: LocalStack's ``/invoke`` and the Runtime API."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != _NEXT:
            self._send(404)
            return
        call = FUNCTION.next()
        if call is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": call.id,
            "Lambda-Runtime-Deadline-Ms": str(call.deadline),
            "Lambda-Runtime-Invoked-Function-Arn": call.arn,
            "Lambda-Runtime-Trace-Id": call.trace,
        }
        self._send(200, call.payload, headers)

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/invoke":
            told = json.loads(body)
            call = Invocation(
                told["invoke-id"], told["invoked-function-arn"], told["payload"].encode(), told.get("trace-id") or ""
            )
            threading.Thread(target=FUNCTION.call, args=(call,), daemon=True).start()
            self._send(200, b"OK")
        elif self.path.endswith("/init/error"):
            FUNCTION.cannot_start(body)
            self._send(202)
        else:
            found = _ANSWER.search(self.path)
            current = FUNCTION.current
            if found and current is not None and current.id == found[1]:
                current.end(body, failed=found[2] == "error")
            self._send(202)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, status: int, body: bytes = b"{}", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The log is the function's."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


def _terminate(*_: object) -> None:
    FUNCTION.stop()
    os._exit(0)


def main() -> None:
    for place in json.loads(os.environ.get("LOCALSTACK_CHMOD_PATHS", "[]")):
        with contextlib.suppress(OSError):  # a folder that is not there needs no rights
            os.chmod(place["path"], 0o1777 if place["path"] == "/tmp" else int(place["mode"], 8))
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, _terminate)
    runtime_api, from_localstack = Server(RUNTIME_API, Handler), Server(("0.0.0.0", PORT), Handler)
    threading.Thread(target=runtime_api.serve_forever, daemon=True).start()
    FUNCTION.start()
    from_localstack.serve_forever()


main()
