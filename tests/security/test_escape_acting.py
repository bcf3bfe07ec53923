"""A script past the allow-list tries to act: connect, start programs and processes, signal, gain rights, new code."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from sheetrun.sandbox.errors import NotIsolated, ProtocolError, TimedOut
from sheetrun.sandbox.job import Job
from sheetrun.sandbox.layers import LAYERS
from sheetrun.sandbox.limits import Limits
from sheetrun.sandbox.process import run
from sheetrun.sandbox.warm import WarmRunner

from .conftest import MISSING, Attack

EVERYTHING = frozenset(LAYERS)


def body(text: str) -> str:
    return "def attack(payload, progress):\n" + textwrap.indent(textwrap.dedent(text), "    ")


@pytest.mark.parametrize("kind", ["AF_INET, socket.SOCK_STREAM", "AF_INET, socket.SOCK_DGRAM", "AF_INET6", "AF_UNIX"])
@pytest.mark.parametrize("layer", ["seccomp", None])
def test_no_socket(attack: Attack, kind: str, layer: str | None) -> None:
    assert attack(body(f"return socket.socket(socket.{kind})"), layer=layer) in ("stopped EPERM", MISSING)


def test_landlock_alone_keeps_tcp_from_the_metadata_service(attack: Attack) -> None:
    said = attack(
        body("""
        client = socket.socket()
        client.setblocking(False)
        client.connect(("169.254.169.254", 80))
        """),
        layer="landlock",
    )
    assert said in ("stopped EACCES", MISSING)


@pytest.mark.parametrize(("layer", "error"), [("seccomp", "EPERM"), ("landlock", "EACCES")])
def test_no_other_program(attack: Attack, layer: str, error: str) -> None:
    assert attack(body("os.execv('/bin/true', ['true'])"), layer=layer) in (f"stopped {error}", MISSING)


@pytest.mark.parametrize(("layer", "error"), [("seccomp", "EPERM"), ("processes", "EAGAIN")])
def test_no_other_process(attack: Attack, layer: str, error: str) -> None:
    assert attack(body("return os.fork() or os._exit(0)"), layer=layer) in (f"stopped {error}", MISSING)


@pytest.mark.parametrize("layer", ["seccomp", "processes"])
def test_no_other_thread(attack: Attack, layer: str) -> None:
    said = attack(body("threading.Thread(target=print).start()"), layer=layer)
    assert said in ("stopped can't start new thread", MISSING)


@pytest.mark.parametrize(
    ("name", "x86_64", "aarch64"),
    [
        ("socketpair", 53, 199),
        ("ptrace", 101, 117),
        ("mount", 165, 40),
        ("chroot", 161, 51),
        ("setuid", 105, 146),
        ("keyctl", 250, 219),
        ("unshare", 272, 97),
        ("setns", 308, 268),
        ("perf_event_open", 298, 241),
        ("open_by_handle_at", 304, 265),
        ("process_vm_writev", 311, 271),
        ("seccomp", 317, 277),
        ("memfd_create", 319, 279),
        ("bpf", 321, 280),
        ("execveat", 322, 281),
        ("userfaultfd", 323, 282),
        ("io_uring_setup", 425, 425),
        ("pidfd_open", 434, 434),
        ("clone3", 435, 435),
        ("pidfd_getfd", 438, 438),
        ("landlock_create_ruleset", 444, 444),
        ("symlinkat", 266, 36),
        ("linkat", 265, 37),
        ("unlinkat", 263, 35),
        ("renameat2", 316, 276),
        ("mknodat", 259, 33),
        ("mkdirat", 258, 34),
        ("setsid", 112, 157),
        ("prctl", 157, 167),
        ("one that is not invented yet", 999, 999),
    ],
)
def test_system_calls_that_a_computation_does_not_need(attack: Attack, name: str, x86_64: int, aarch64: int) -> None:
    number = {"x86_64": x86_64, "aarch64": aarch64}.get(os.uname().machine, x86_64)
    said = attack(
        body(f"""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(ctypes.c_long({number}), 0, 0, 0, 0, 0) < 0:
            raise OSError(ctypes.get_errno(), "")
        """),
        layer="seccomp",
    )
    assert said in ("stopped EPERM", MISSING), name


def test_the_other_numbering_of_x86_64_is_closed(attack: Attack) -> None:
    if os.uname().machine != "x86_64":
        assert os.uname().machine in ("aarch64", "arm64")  # which have no second numbering
        return
    said = attack(
        body("""
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(ctypes.c_long(0x40000000 | 41), 2, 1, 0) < 0:
            raise OSError(ctypes.get_errno(), "")
        """),
        layer="seccomp",
    )
    assert said in ("stopped EPERM", MISSING)


def test_no_new_machine_code(attack: Attack) -> None:
    writable_and_executable = body("return mmap.mmap(-1, 4096, prot=7)")
    made_executable = body("""
        area = mmap.mmap(-1, 4096, prot=3)
        libc = ctypes.CDLL(None, use_errno=True)
        address = ctypes.addressof(ctypes.c_char.from_buffer(area))
        if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), 5) < 0:
            raise OSError(ctypes.get_errno(), "")
    """)
    for text in (writable_and_executable, made_executable):
        assert attack(text, layer="seccomp") in ("stopped EPERM", MISSING)


@pytest.mark.parametrize("layer", ["seccomp", "landlock", "identity", None])
def test_the_service_cannot_be_signalled(attack: Attack, layer: str | None) -> None:
    said = attack(body("os.kill(int(payload), 0)"), layer=layer, payload=str(os.getpid()).encode())
    assert said in ("stopped EPERM", MISSING)


def test_no_limit_can_be_raised_again(attack: Attack) -> None:
    said = attack(body("resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))"), layer="seccomp")
    assert said in ("stopped not allowed to raise maximum limit", MISSING)


def test_a_required_layer_that_is_missing_stops_the_run(runner: WarmRunner) -> None:
    job = Job("raise SystemExit(1)", policy=None, require=frozenset({"seccomp"}), without=frozenset({"seccomp"}))
    with pytest.raises(NotIsolated, match="left out by the caller"):
        runner.run(job)


# ---- what is left behind, when no layer keeps a script from starting processes

_SWARM = """
import os, time
def run_payload(payload, progress):
    read, write = os.pipe()
    for number in range(20):
        if os.fork() == 0:
            if number % 2:
                os.setsid()  # out of the group that is killed
            if number % 4 < 2 and os.fork():
                os._exit(0)  # an orphan
            os.write(write, os.getpid().to_bytes(4, "big"))
            time.sleep(20)
            os._exit(0)  # so that they go by themselves where the sandbox fails to end them
    pids = b""
    while len(pids) < 80:
        pids += os.read(read, 80)
    return pids
"""


def _alive(pids: bytes) -> list[int]:
    found = []
    for offset in range(0, len(pids), 4):
        pid = int.from_bytes(pids[offset : offset + 4], "big")
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        found.append(pid)
    return found


@pytest.mark.parametrize("warm", [True, False])
def test_no_process_outlives_its_job(runner: WarmRunner, warm: bool) -> None:
    job = Job(_SWARM, policy=None, preload=(), without=EVERYTHING)
    pids = (runner.run if warm else run)(job, Limits(wall_seconds=30)).payload
    assert len(pids) == 80
    assert _alive(pids) == []


def _copies() -> int:
    """How many processes there are of the sandbox's interpreter."""
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found += b"sandbox/child.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
    return found


def test_a_fork_bomb_ends_with_its_time(runner: WarmRunner) -> None:
    # Bounded in number and time, so that a failure of this test does not take the machine with it.
    bomb = """
import os, time
def run_payload(payload, progress):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if len(os.listdir("/proc")) < 400:
                os.fork()
            else:
                time.sleep(0.05)
        except OSError:
            pass
"""
    before = _copies()
    with pytest.raises(TimedOut):
        runner.run(Job(bomb, policy=None, preload=(), without=EVERYTHING), Limits(wall_seconds=0.5))
    assert _copies() < before + 20  # other runs of these tests may be about
    assert runner.run(Job("def run_payload(p, g):\n    return b'next'", policy=None)).payload == b"next"


_KILLER = """
import os, time
def run_payload(payload, progress):
    progress(0, 1, str(os.getpid()))
    time.sleep(0.2)
    os.kill(os.getppid(), 9)
    time.sleep(60)
"""


def test_a_job_that_kills_its_server_takes_only_itself_along() -> None:
    said: list[str] = []
    job = Job(_KILLER, policy=None, preload=(), without=EVERYTHING - {"parent_death"})
    with WarmRunner(preload=()) as warm:
        with pytest.raises(ProtocolError):
            warm.run(job, Limits(wall_seconds=30), on_progress=lambda _done, _total, message: said.append(message))
        assert _gone(int(said[0]))
        assert warm.run(Job("def run_payload(p, g):\n    return b'next'", policy=None, preload=())).payload == b"next"


_SERVICE = """
import os
from sheetrun.sandbox.job import Job
from sheetrun.sandbox.layers import LAYERS
from sheetrun.sandbox.process import run
script = "import os, time\\ndef run_payload(payload, progress):\\n"
script += "    progress(0, 1, f'{os.getpid()} {os.getppid()}')\\n    time.sleep(60)"
job = Job(script, policy=None, preload=(), without=frozenset(LAYERS))
run(job, on_progress=lambda _done, _total, message: print(message, flush=True))
"""


def test_nothing_runs_on_when_the_service_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _SERVICE], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        job, server = map(int, service.stdout.readline().split())
        service.kill()
    assert _gone(job)
    assert _gone(server)


def _gone(pid: int) -> bool:
    """Within two seconds. A process that has ended and waits for its parent counts as gone."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False
