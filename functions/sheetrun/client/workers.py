"""A function over many items in processes of their own, so that one that crashes or hangs costs only itself.

Each worker is this module run with ``-m``: it reads an item a line (JSON) and writes a result a line. The parent kills
a worker whose time is up, with all that it started, and begins another.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any


class _Worker:
    """One process, which lives for many items."""

    def __init__(self, function: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sheetrun.client.workers", function],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("SHEETRUN_DEBUG") else subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # so that its children can be killed with it, and Ctrl-C reaches only us
        )
        self._expired = False

    def ask(self, item: str, timeout: float) -> dict[str, Any]:
        """The result, or ``{status: crashed | timed_out}`` when the process gives none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        begun = time.monotonic()
        alarm = threading.Timer(timeout, self._expire)
        alarm.start()
        try:
            self._process.stdin.write(json.dumps(item) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            alarm.cancel()
        if answer.endswith("\n"):
            result: dict[str, Any] = json.loads(answer)
            return result
        took = time.monotonic() - begun
        code = self._process.wait()
        if self._expired:
            told = {"status": "timed_out", "code": "timed_out", "detail": f"not done after {timeout:g} s"}
        else:
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            told = {"status": "crashed", "code": "crashed", "detail": f"the process ended ({how})"}
        return {"file": item, **told, "seconds": took}

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def _expire(self) -> None:
        self._expired = True
        self.kill()

    def kill(self) -> None:
        """Ends the process, from any thread; the one that asks it closes its pipes."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def each(function: str, items: Sequence[str], workers: int, timeout: float) -> Iterator[dict[str, Any]]:
    """Results of ``function`` ("module:name", an item in, a dict out) as they come; ``timeout`` in seconds per item."""
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)
    results: queue.SimpleQueue[dict[str, Any] | BaseException] = queue.SimpleQueue()
    stop = threading.Event()
    running: list[_Worker] = []
    lock = threading.Lock()

    def serve() -> None:
        worker: _Worker | None = None
        try:
            while not stop.is_set():
                try:
                    item = waiting.get_nowait()
                except queue.Empty:
                    return
                if worker is None or not worker.alive:
                    if worker is not None:
                        worker.close()
                    worker = _Worker(function)
                    with lock:
                        running.append(worker)
                results.put(worker.ask(item, timeout))
        except BaseException as error:  # the thread has nobody to raise to: the caller's loop raises it
            results.put(error)
        finally:
            if worker is not None:
                worker.close()

    threads = [threading.Thread(target=serve, daemon=True) for _ in range(min(workers, len(items)))]
    for thread in threads:
        thread.start()
    try:
        for _ in items:
            result = results.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stop.set()
        with lock:
            for worker in running:
                if worker.alive:
                    worker.kill()
        for thread in threads:
            thread.join(timeout=5)


def _serve(function: str) -> None:
    """The worker's side. Whatever the function prints goes to stderr: stdout is the line to the parent."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    module, _, name = function.partition(":")
    call = getattr(import_module(module), name)
    for line in sys.stdin:
        out.write(json.dumps(call(json.loads(line))) + "\n")
        out.flush()


if __name__ == "__main__":
    _serve(sys.argv[1])
