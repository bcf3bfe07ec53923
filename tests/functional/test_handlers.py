"""Each function's own entry point with one real event per source, on fakes of the tables and queues."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sheetrun import bootstrap
from sheetrun.service import compute
from tests.support import XLSX, Bench, FakeCompute

ROOT = Path(__file__).parents[2]
EVENTS = sorted((ROOT / "events").glob("*.json"))
JOB = "job_01KGAJ5J5M3Q4R5S6T7V8W9XYZ"
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 30_000)


def handler(function: str) -> Callable[[dict[str, Any], Any], Any]:
    """The function's ``app.handler``, from its file, as Lambda would load it."""
    spec = importlib.util.spec_from_file_location(f"app_{function}", ROOT / "functions" / function / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[dict[str, Any], Any], Any] = module.handler
    return found


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A world of fakes where the functions look for theirs."""
    bench = Bench()
    for cached in (bootstrap.api, bootstrap._calls, bootstrap._sweeper, bootstrap._courier):
        cached.cache_clear()
    monkeypatch.setattr(bootstrap, "world", lambda: bench.world)
    nobody = SimpleNamespace(run=None, prepare=lambda *_: None)
    monkeypatch.setattr(bootstrap, "_sandbox", lambda kind: nobody)
    fake = FakeCompute()
    for name in ("parse", "generate", "execute"):
        monkeypatch.setattr(compute, name, getattr(fake, name))
    bench.compute = fake
    return bench


def event(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return loaded


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_every_event_is_taken(bench: Bench, path: Path) -> None:
    function = path.stem.split("-")[0]
    answer = handler(function)(event(path.stem), CONTEXT)
    if function == "api":
        assert answer["statusCode"] in (200, 401)
    elif function == "calculate":
        assert answer["statusCode"] == 401
    elif path.stem == "sweep-schedule":
        assert answer == {"changed": 0, "deleted": 0, "sent": 0, "told": 0, "redelivered": 0}
    else:
        assert answer == {"batchItemFailures": []}


def test_a_job_goes_through_all_functions(bench: Bench) -> None:
    submit = event("api-submit")
    submit["headers"]["x-api-key"] = bench.key
    made = json.loads(handler("api")(submit, CONTEXT)["body"])
    key = f"uploads/acme/{made['id']}/source"
    bench.blobs.upload(key, XLSX.ljust(20481))  # the size that the event announces
    note = event("intake-upload")
    note["Records"][0]["body"] = note["Records"][0]["body"].replace(f"uploads/acme/{JOB}/source", key)
    assert handler("intake")(note, CONTEXT) == {"batchItemFailures": []}
    for function in ("parse", "generate", "execute"):
        dispatch = bench.queues.take()
        assert dispatch is not None
        message = event(function)
        message["Records"][0]["body"] = json.dumps(dispatch.message())
        assert handler(function)(message, CONTEXT) == {"batchItemFailures": []}
    assert bench.job(made["id"])["state"] == "succeeded"


def test_there_is_an_event_for_every_function() -> None:
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert {path.stem.split("-")[0] for path in EVENTS} == functions
