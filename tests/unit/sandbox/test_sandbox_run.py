"""A run gives its result, its logs and its progress; it can be cancelled; and it says where a script failed."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from sheetrun.sandbox import forked, landlock, process
from sheetrun.sandbox.compiled import CodeCache
from sheetrun.sandbox.errors import Cancelled, Crashed, ForbiddenSyntax, NotIsolated, ProtocolError
from sheetrun.sandbox.job import Job, Result
from sheetrun.sandbox.limits import Limits
from sheetrun.sandbox.process import run
from sheetrun.sandbox.warm import WarmRunner

ECHO = "def run_payload(payload, progress):\n    return payload\n"
QUICK = Limits(wall_seconds=60)

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmRunner]:
    with WarmRunner(preload=()) as runner:
        yield runner


@pytest.fixture(params=["warm", "cold", "forked"])
def runs(request: pytest.FixtureRequest, warm: WarmRunner, monkeypatch: pytest.MonkeyPatch) -> Run:
    if request.param == "forked" and sys.platform == "linux":
        # The fork of a test sees the environment of the tests; what it may see is another matter (test_sandbox_bare).
        monkeypatch.setattr(forked, "bare", lambda: True)
        monkeypatch.setattr(process, "run", _not_forked)
    return {"warm": warm.run, "cold": run, "forked": forked.run}[request.param]


def _not_forked(*_job: object, **_options: object) -> Result:
    raise AssertionError("it was not run in a fork")


def raw(script: str, payload: bytes = b"", **more: object) -> Job:
    return Job(script, payload, policy=None, preload=(), **more)  # type: ignore[arg-type]


def test_arrow_takes_its_memory_by_the_piece() -> None:
    """Its own pool takes a gigabyte of addresses at its first text, more than a small limit has to give."""
    script = "import pyarrow\ndef run_payload(payload, progress):\n    "
    script += "return str(len(pyarrow.array(['a'] * 9))).encode() + pyarrow.default_memory_pool().backend_name.encode()"
    result = run(Job(script, policy=None, preload=("pyarrow",)), Limits(wall_seconds=60, memory_bytes=2**27))
    assert result.payload == b"9system"


def test_bytes_in_bytes_out(runs: Run) -> None:
    payload = os.urandom(3_000_000)
    result = runs(Job(ECHO, payload, preload=()), QUICK)
    assert result.payload == payload
    assert (result.stdout, result.stderr) == (b"", b"")
    assert result.wall_seconds > 0
    assert result.cpu_seconds > 0
    assert result.peak_bytes > 2**20
    assert not set(result.layers) & set(result.missing)


def test_nothing_in_nothing_out(runs: Run) -> None:
    assert runs(Job(ECHO, preload=()), QUICK).payload == b""


def test_logs_are_apart(runs: Run) -> None:
    script = (
        "import sys\ndef run_payload(payload, progress):\n    print('out')\n    sys.stderr.write('err')\n    return b''"
    )
    result = runs(raw(script), QUICK)
    assert (result.stdout, result.stderr) == (b"out\n", b"err")


def test_a_host_function_gets_the_namespace(runs: Run) -> None:
    # Any function of three arguments will do: here the standard library's own.
    with pytest.raises(Crashed, match="not bytes"):
        runs(raw("VALUE = 1", b"x", entry="builtins:print"), QUICK)


def test_progress_ends_with_the_last(runs: Run) -> None:
    told: list[tuple[int, int, str]] = []
    script = (
        "def run_payload(payload, progress):\n    for i in range(1, 1001): progress(i, 1000, 'x' * 300)\n    return b''"
    )
    runs(raw(script), QUICK, on_progress=lambda *values: told.append(values))
    assert told[-1] == (1000, 1000, "x" * 200)
    assert len(told) < 50


def test_progress_may_raise_to_cancel(runs: Run) -> None:
    class Stop(Exception):
        pass

    def refuse(_done: int, _total: int, _message: str) -> None:
        raise Stop

    script = "import time\ndef run_payload(payload, progress):\n    progress(1, 1)\n    time.sleep(60)"
    with pytest.raises(Stop):
        runs(raw(script), QUICK, on_progress=refuse)
    assert runs(Job(ECHO, b"next", preload=()), QUICK).payload == b"next"


def test_cancelled(runs: Run) -> None:
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        runs(
            raw("import time\ndef run_payload(payload, progress): time.sleep(60)"),
            QUICK,
            cancelled=lambda: next(answers),
        )


def test_a_failure_names_the_line_of_the_script(runs: Run) -> None:
    script = "def inner():\n    return 1 / 0\n\ndef run_payload(payload, progress):\n    return inner()\n"
    with pytest.raises(Crashed) as caught:
        runs(Job(script, preload=()), QUICK)
    error = caught.value
    assert (error.line, error.exception) == (2, "ZeroDivisionError: division by zero")
    assert "return 1 / 0" in error.stderr_tail  # the script's own text, through linecache
    assert "worker.py" not in error.stderr_tail  # our own files are nobody's business


@pytest.mark.parametrize(
    ("script", "exception"),
    [
        ("x = 1", "KeyError: 'run_payload'"),
        ("def run_payload(payload): return payload", "TypeError"),
        ("def run_payload(payload, progress): return 'text'", "TypeError: the entry point gave str, not bytes"),
        ("def run_payload(payload, progress): return run_payload(payload, progress)", "RecursionError"),
        ("x = 1 / 0", "ZeroDivisionError"),
        ("from sheetrun.runtime.api import NO_SUCH_FUNCTION", "ImportError"),
    ],
)
def test_scripts_that_fail(warm: WarmRunner, script: str, exception: str) -> None:
    with pytest.raises(Crashed, match=exception):
        warm.run(Job(script, preload=()), QUICK)


def test_a_forbidden_script(runs: Run) -> None:
    with pytest.raises(ForbiddenSyntax) as caught:
        runs(Job("x = 1\nimport os\n", preload=()), QUICK)
    assert caught.value.line == 2


def test_a_required_layer(runs: Run) -> None:
    assert "cpu" in runs(Job(ECHO, preload=(), require=frozenset({"cpu"})), QUICK).layers
    with pytest.raises(NotIsolated) as caught:
        runs(Job(ECHO, preload=(), require=frozenset({"cpu", "moat"})), QUICK)
    assert caught.value.missing == {"moat": "unknown layer"}


def test_a_runtime_that_cannot_be_imported() -> None:
    with pytest.raises(ProtocolError, match="no_such_module"):
        run(Job(ECHO, preload=("no_such_module",)), QUICK)
    with pytest.raises(ProtocolError, match="no_such_module"):
        WarmRunner(preload=("no_such_module",)).start()


# ---- warm


@pytest.mark.parametrize("whole", [True, False])
def test_how_much_a_server_imports(whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that its jobs may ever need, or what one job needs where it may still read the rest: with Landlock alone."""
    script = "import sys\ndef run_payload(p, g): return str('sheetrun.runtime.units' in sys.modules).encode()"
    job = Job(script, policy=None, preload=("sheetrun.runtime.names",))
    with WarmRunner(job.preload, whole=whole) as runner:
        assert runner.run(job).payload == str(whole or landlock.abi() == 0).encode()
    monkeypatch.setattr("sheetrun.sandbox.landlock.abi", lambda: 0)
    with WarmRunner(job.preload, whole=whole) as runner:
        assert runner.run(job).payload == b"True"


def test_jobs_see_nothing_of_each_other(warm: WarmRunner) -> None:
    write = "import builtins, sys\ndef run_payload(p, g):\n    builtins.mark = sys.mark = 1\n    return b'set'"
    look = "import builtins, sys\ndef run_payload(p, g):\n    return str(hasattr(builtins, 'mark')).encode()"
    assert warm.run(raw(write)).payload == b"set"
    assert warm.run(raw(look)).payload == b"False"


def test_forks_do_not_share_their_random_numbers() -> None:
    script = "def run_payload(p, g):\n    import random\n    return str(random.random()).encode()"
    with WarmRunner(preload=("random",)) as runner:
        assert len({bytes(runner.run(raw(script)).payload) for _ in range(3)}) == 3


def test_a_server_that_died_is_started_again(warm: WarmRunner) -> None:
    who = raw("import os\ndef run_payload(p, g): return str(os.getppid()).encode()")
    first = int(warm.run(who).payload)
    assert int(warm.run(who).payload) == first
    os.kill(first, 9)
    time.sleep(0.1)
    assert int(warm.run(who).payload) != first


def test_a_server_is_replaced_after_its_jobs() -> None:
    who = raw("import os\ndef run_payload(p, g): return str(os.getppid()).encode()")
    with WarmRunner(preload=(), recycle=2) as runner:
        servers = [bytes(runner.run(who).payload) for _ in range(5)]
    assert len(set(servers)) == 3


def test_threads_do_not_wait_for_each_other() -> None:
    endless = raw("import time\ndef run_payload(p, g):\n    g(0, 1)\n    time.sleep(60)")
    begun, enough = threading.Event(), threading.Event()
    ended: list[bool] = []

    def hold() -> None:
        with pytest.raises(Cancelled):
            runner.run(endless, QUICK, cancelled=enough.is_set, on_progress=lambda *_: begun.set())
        ended.append(True)

    with WarmRunner(preload=()) as runner:
        thread = threading.Thread(target=hold)
        thread.start()
        assert begun.wait(30)
        assert runner.run(Job(ECHO, b"beside", preload=()), QUICK).payload == b"beside"
        assert not ended
        enough.set()
        thread.join()
    assert ended


def test_descriptors_do_not_leak(warm: WarmRunner) -> None:
    warm.run(Job(ECHO, preload=()))
    before = len(os.listdir("/dev/fd"))
    for _ in range(5):
        warm.run(Job(ECHO, preload=()))
        with pytest.raises(ForbiddenSyntax):
            warm.run(Job("import os", preload=()))
        with pytest.raises(Crashed):
            run(raw("1/0"))
    assert len(os.listdir("/dev/fd")) == before


# ---- compiled scripts


def test_a_compiled_script_is_used_again() -> None:
    cache = CodeCache()
    for payload in (b"first", b"second"):
        assert run(Job(ECHO, payload, preload=()), QUICK, cache=cache).payload == payload
    assert cache.get(CodeCache.key(ECHO.encode(), Job("").policy)) is not None
    assert cache.get(CodeCache.key(ECHO.encode(), None)) is None


def test_a_script_that_one_policy_refuses_is_not_taken_from_another(warm: WarmRunner) -> None:
    script = "import os\n" + ECHO
    assert warm.run(raw(script, b"x")).payload == b"x"
    with pytest.raises(ForbiddenSyntax):
        warm.run(Job(script, preload=()))


def test_the_cache_lets_the_oldest_go() -> None:
    cache = CodeCache(100)
    for name in (b"a", b"b"):
        cache.put(name, bytes(40))
    assert cache.get(b"a")
    cache.put(b"c", bytes(40))
    cache.put(b"too large", bytes(101))
    assert [cache.get(name) is not None for name in (b"a", b"b", b"c", b"too large")] == [True, False, True, False]


# ---- prepared


def test_a_prepared_process_runs_the_next_job(warm: WarmRunner) -> None:
    template = Job("", preload=())
    warm.run(Job(ECHO, b"before", preload=()), QUICK)  # the cache knows the script
    warm.prepare(template, QUICK)
    waiting = warm._waiting
    assert waiting is not None
    warm.prepare(template, QUICK)
    assert warm._waiting is waiting, "one is enough"
    result = warm.run(Job(ECHO, b"x", preload=()), Limits(wall_seconds=30))
    assert result.payload == b"x"
    assert result.layers
    assert warm._waiting is None
    assert waiting.scratch is not None
    assert not os.path.exists(waiting.scratch)


def test_a_prepared_process_is_only_for_jobs_like_its_own(warm: WarmRunner) -> None:
    warm.prepare(Job("", preload=()), QUICK)
    waiting = warm._waiting
    other = Limits(wall_seconds=60, memory_bytes=512 * 2**20)
    assert warm.run(Job(ECHO, b"y", preload=()), other).payload == b"y"
    assert waiting is not None
    assert waiting.report is not None, "it was ended"


def test_a_prepared_process_that_died_is_replaced() -> None:
    with WarmRunner(preload=()) as runner:
        runner.prepare(Job("", preload=()), QUICK)
        assert runner._server is not None
        runner._server.process.kill()
        runner._server.process.wait(5)
        assert runner.run(Job(ECHO, b"z", preload=()), QUICK).payload == b"z"


def test_a_prepared_process_ends_with_its_runner() -> None:
    runner = WarmRunner(preload=())
    runner.prepare(Job("", preload=()), QUICK)
    waiting = runner._waiting
    assert waiting is not None
    runner.close()
    assert waiting.report is not None
    assert runner._waiting is None


def test_a_prepared_job_that_fails_leaves_a_runner_that_works(warm: WarmRunner) -> None:
    warm.prepare(Job("", preload=()), QUICK)
    with pytest.raises(Crashed):
        warm.run(Job("def run_payload(payload, progress):\n    return 1 // 0\n", preload=()), QUICK)
    warm.prepare(Job("", preload=()), QUICK)
    with pytest.raises(ForbiddenSyntax):
        warm.run(Job("import os", preload=()), QUICK)
    assert warm.run(Job(ECHO, b"a", preload=()), QUICK).payload == b"a"
