"""What the child process runs to become MiniStack, with patience put before its cold starts. It is handed over as text.

MiniStack starts a new process for every invocation that finds no free one. A hundred clients at once would make a hundred
interpreters import at once, and all of them miss their time. Here an invocation first waits a moment for a process to fall
free, and the processes of a function start one after another (docs/decisions/0010-patient-cold-starts.md).

Its requests are taken in by uvicorn, and its look for messages follows an idle one at once
(docs/decisions/0024-round-trips.md).
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections import Counter
from importlib import import_module
from typing import Any

#: Seconds that an invocation waits for a free process before it may start another one; the longer time where more programs
#: want to run than there are processors: there another process makes everything slower, and nothing faster.
MOMENT, WHILE = 0.25, 2.0
#: Seconds between two looks for messages, the first of which found none. MiniStack's own are 0.05, in which it is deaf: as
#: long as a step takes, so nearly every message of a job would come into them.
GAP = 0.005


def patient(runtime: Any) -> tuple[Any, Any]:
    """``acquire_worker`` and ``release_worker`` of MiniStack's ``core.lambda_runtime``, with the waiting put in."""
    changed = threading.Condition()
    starting: Counter[str] = Counter()

    def acquire(name: str, config: Any, code: bytes, qualifier: str = "$LATEST", *rest: Any, **more: Any) -> Any:
        key = runtime._worker_key(name, config, qualifier)
        with changed:
            waited = False
            while True:
                with runtime._lock:
                    workers = list(runtime._workers.get(key, ()))
                if any(not worker.in_use for worker in workers):
                    return acquire_now(name, config, code, qualifier, *rest, **more)
                if not starting[key] and (waited or not workers):
                    starting[key] += 1
                    break
                waited = not changed.wait(WHILE if crowded() else MOMENT)
        try:
            worker, how = acquire_now(name, config, code, qualifier, *rest, **more)
            if worker is not None:
                try:
                    runtime.ensure_spawned(worker)
                except BaseException:
                    release_now(worker)
                    raise
            return worker, how
        finally:
            with changed:
                starting[key] -= 1
                changed.notify_all()

    def release(worker: Any) -> None:
        release_now(worker)
        with changed:
            changed.notify()

    acquire_now, release_now = runtime.acquire_worker, runtime.release_worker
    return acquire, release


def crowded() -> bool:
    """Whether the processors have more to do than they can, as far as this system tells."""
    try:
        with open("/proc/loadavg", encoding="ascii") as file:
            running = int(file.read().split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return False
    return running > 2 * (os.cpu_count() or 1)


def main() -> None:
    """Asks the kernel to end this process when its parent dies, however that happens, and becomes MiniStack."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    runtime: Any = import_module("ministack.core.lambda_runtime")

    runtime.acquire_worker, runtime.release_worker = patient(runtime)
    mappings: Any = import_module("ministack.services.lambda_svc")
    assert mappings._ESM_IDLE_WAKE_GAP_SECONDS > GAP
    mappings._ESM_IDLE_WAKE_GAP_SECONDS = GAP
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    serve()


def serve() -> None:
    """MiniStack's application, until SIGTERM; then it writes its state."""
    import uvicorn

    uvicorn.run(
        "ministack.app:app",
        host=os.environ["BIND_HOST"],
        port=int(os.environ["GATEWAY_PORT"]),
        lifespan="on",
        ws="none",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # it says that itself
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
