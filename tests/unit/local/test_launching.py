"""The wait before cold starts, on a runtime that counts them."""

from __future__ import annotations

import inspect
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from sheetrun.local import launching
from sheetrun.local.launching import patient


class Runtime:
    """As much of MiniStack's as is used."""

    def __init__(self, start: float = 0.02) -> None:
        self._lock = threading.Lock()
        self._workers: dict[str, list[Any]] = {}
        self.start, self.at_once, self.most_at_once = start, 0, 0

    def _worker_key(self, name: str, config: Any, qualifier: str) -> str:
        return f"{name}:{qualifier}"

    def acquire_worker(self, name: str, config: Any, code: bytes, qualifier: str = "$LATEST") -> Any:
        with self._lock:
            workers = self._workers.setdefault(f"{name}:{qualifier}", [])
            for worker in workers:
                if not worker.in_use:
                    worker.in_use = True
                    return worker, "reused"
            workers.append(SimpleNamespace(in_use=True))
            return workers[-1], "spawn"

    def ensure_spawned(self, worker: Any) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(self.start)
        self.at_once -= 1

    def release_worker(self, worker: Any) -> None:
        with self._lock:
            worker.in_use = False


def test_many_short_invocations_share_few_processes_that_start_one_by_one() -> None:
    runtime = Runtime()
    acquire, release = patient(runtime)

    def invoke(_: int) -> None:
        worker, _how = acquire("api", {}, b"")
        time.sleep(0.001)
        release(worker)

    with ThreadPoolExecutor(100) as pool:
        list(pool.map(invoke, range(300)))
    assert runtime.most_at_once == 1
    assert len(runtime._workers["api:$LATEST"]) < 20


def test_invocations_that_stay_get_a_process_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "MOMENT", 0.01)
    monkeypatch.setattr(launching, "WHILE", 0.02)
    runtime = Runtime(start=0.0)
    acquire, release = patient(runtime)
    workers = [acquire("api", {}, b"")[0] for _ in range(3)]
    assert len({id(worker) for worker in workers}) == 3
    release(workers[1])
    assert acquire("api", {}, b"") == (workers[1], "reused")
    assert acquire("parse", {}, b"")[1] == "spawn"


def test_a_process_that_does_not_start_holds_up_nobody() -> None:
    runtime = Runtime(start=0.0)
    acquire, _release = patient(runtime)

    def broken(_: Any) -> None:
        raise OSError("no memory")

    works, runtime.ensure_spawned = runtime.ensure_spawned, broken  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no memory"):
        acquire("api", {}, b"")
    runtime.ensure_spawned = works  # type: ignore[method-assign]
    assert acquire("api", {}, b"")[1] == "reused"


def test_ministack_has_what_is_replaced() -> None:
    runtime = import_module("ministack.core.lambda_runtime")
    for name in ("acquire_worker", "release_worker", "ensure_spawned", "_worker_key", "_workers", "_lock"):
        assert hasattr(runtime, name), name
    source = inspect.getsource(import_module("ministack.services.lambda_svc"))
    assert "    acquire_worker,\n" in source  # taken by name, so it must be replaced before this module is loaded
