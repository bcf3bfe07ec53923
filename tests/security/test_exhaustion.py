"""A script past the allow-list tries to use up what there is: time, memory, disk, descriptors, pipes."""

from __future__ import annotations

import os
import tempfile
import textwrap
from pathlib import Path

import pytest

from sheetrun.sandbox.errors import Crashed, Killed, OutOfMemory, OutputTooLarge, ProtocolError, TimedOut
from sheetrun.sandbox.job import Job, Result
from sheetrun.sandbox.layers import LAYERS
from sheetrun.sandbox.limits import Limits
from sheetrun.sandbox.process import run
from sheetrun.sandbox.warm import WarmRunner

from .conftest import MISSING, TOOLS, Attack

EVERYTHING = frozenset(LAYERS)
MEMORY = 128 * 2**20


def job(text: str, *, without: frozenset[str] = frozenset(), payload: bytes = b"") -> Job:
    head = f"import {', '.join(TOOLS)}\ndef run_payload(payload, progress):\n"
    return Job(
        head + textwrap.indent(textwrap.dedent(text), "    "), payload, policy=None, preload=TOOLS, without=without
    )


def body(text: str) -> str:
    return "def attack(payload, progress):\n" + textwrap.indent(textwrap.dedent(text), "    ")


# ---- time


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "while True: time.sleep(0.001)",
        "while True: pass",
        "os.closerange(0, 99)\nwhile True: time.sleep(1)",
        "for number in range(1, 65):\n    try: signal.signal(number, signal.SIG_IGN)\n    except OSError: pass\n"
        "    except ValueError: pass\nwhile True: time.sleep(1)",
        "import sys\nsys.setrecursionlimit(10**6)\nwhile True: time.sleep(1)",
    ],
    ids=["sleeps", "spins", "closes its pipes", "ignores signals", "changes the interpreter"],
)
def test_wall_clock(runner: WarmRunner, text: str, warm: bool) -> None:
    with pytest.raises(TimedOut) as caught:
        (runner.run if warm else run)(job(text, without=EVERYTHING), Limits(wall_seconds=0.2))
    assert caught.value.clock == "wall"


@pytest.mark.parametrize("ignoring", ["", "signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n"])
def test_processor_time(runner: WarmRunner, ignoring: str) -> None:
    with pytest.raises(TimedOut) as caught:
        runner.run(job(ignoring + "while True: pass"), Limits(wall_seconds=60, cpu_seconds=0.1))
    assert caught.value.clock == "cpu"


def test_an_endless_number_ends_too(runner: WarmRunner) -> None:
    with pytest.raises(TimedOut):  # one call that never comes back to the interpreter's loop
        runner.run(job("return 7 ** 10 ** 9"), Limits(wall_seconds=0.3))


# ---- memory


@pytest.mark.parametrize(
    "text",
    [
        "return bytes(2**30)",
        "found = []\nwhile True: found.append(bytes(2**20))",
        "found = []\nwhile True: found.append([found])",
        "text = 'x'\nwhile True: text += text",
        "import numpy\nreturn numpy.ones(2**27)",
    ],
    ids=["at once", "by pieces", "by objects", "by doubling", "in NumPy"],
)
def test_memory(runner: WarmRunner, text: str) -> None:
    with pytest.raises(OutOfMemory) as caught:
        runner.run(job(text), Limits(wall_seconds=60, memory_bytes=MEMORY))
    assert caught.value.limit == MEMORY


def test_memory_that_no_process_owns(attack: Attack) -> None:
    shared = body("return mmap.mmap(-1, 2**30, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)")
    assert attack(shared, layer="memory") == "stopped ENOMEM"


def test_what_the_payload_takes_counts(runner: WarmRunner) -> None:
    with pytest.raises(OutOfMemory):
        runner.run(job("return b''", payload=bytes(64 * 2**20)), Limits(wall_seconds=30, memory_bytes=32 * 2**20))


def test_the_peak_is_reported(runner: WarmRunner) -> None:
    result = runner.run(job("return b'x' if b'y' * 2**26 else b''"), Limits(wall_seconds=30, memory_bytes=MEMORY))
    assert result.peak_bytes > 2**26


# ---- disk


def test_no_byte_into_any_file(attack: Attack) -> None:
    write = body("os.write(os.open('file', os.O_WRONLY | os.O_CREAT), b'x')")
    assert attack(write, layer="file_size") == "stopped EFBIG"
    assert attack(write) in ("stopped EPERM", "stopped EACCES", "stopped EFBIG")


_SOME_SCRATCH = Limits(wall_seconds=30, scratch_bytes=100_000, scratch_files=10)


def test_scratch_is_there_when_asked_for(attack: Attack) -> None:
    write = body("""
        with open("file", "w") as file:
            file.write("x" * 90_000)
        return os.path.getsize("file")
    """)
    said = attack(write, limits=_SOME_SCRATCH)
    # without Landlock nothing tells scratch from other places, and so no file opens
    assert said == (
        "open 90000" if attack(write, layer="landlock", limits=_SOME_SCRATCH) != MISSING else "stopped EPERM"
    )


def test_one_large_file(attack: Attack) -> None:
    write = body("open('file', 'wb', buffering=0).write(bytes(100_001)); return os.path.getsize('file')")
    assert attack(write, layer="file_size", limits=_SOME_SCRATCH) == "open 100000"


@pytest.mark.parametrize(("count", "size"), [(100, 2_000), (11, 0)], ids=["bytes", "files"])
def test_many_small_files(runner: WarmRunner, count: int, size: int) -> None:
    text = f"for i in range({count}):\n    open(str(i), 'wb').write(bytes({size}))\ntime.sleep(5)"
    with pytest.raises(OutputTooLarge) as caught:
        runner.run(job(text, without=EVERYTHING), _SOME_SCRATCH)
    assert caught.value.what == "scratch"


@pytest.mark.parametrize(
    "text",
    [
        "open('/tmp/sheetrun-escaped', 'w')",
        "open('../sheetrun-escaped', 'w')",
        "os.mkdir('directory')",
        "os.symlink('/etc/passwd', 'link')",
        "os.link('/etc/passwd', 'link')",
        "os.mkfifo('pipe')",
        "os.rename('.', '../moved')",
        "open('file', 'w'); os.unlink('file')",  # an open file without a name is not in the sum
        "open('file', 'w'); os.rename('file', '../sheetrun-escaped')",
        "open('/proc/self/root/tmp/sheetrun-escaped', 'w')",
        "os.truncate('/etc/hostname', 0)",
    ],
)
def test_landlock_leaves_only_flat_files_in_scratch(attack: Attack, text: str) -> None:
    said = attack(body(text), layer="landlock", limits=_SOME_SCRATCH)
    assert said in ("stopped EACCES", "stopped EXDEV", "stopped EPERM", "stopped EBUSY", MISSING)
    assert not Path("/tmp/sheetrun-escaped").exists()


def test_no_file_without_a_name(attack: Attack) -> None:
    said = attack(body("os.open('.', os.O_TMPFILE | os.O_RDWR)"), limits=_SOME_SCRATCH)
    assert said == "stopped EPERM"


def test_links_in_scratch_are_removed_and_not_followed(runner: WarmRunner, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("still here")
    text = """
        os.symlink(payload, b"link")
        os.mkdir("locked")
        os.symlink(payload, b"locked/link")
        os.mkdir("locked/deeper")
        os.chmod("locked/deeper", 0)
        os.chmod("locked", 0)
        os.chmod(".", 0)
        return os.getcwd().encode()
    """
    scratch = runner.run(job(text, without=EVERYTHING, payload=str(kept).encode())).payload
    assert not os.path.lexists(bytes(scratch))
    assert (kept / "file").read_text() == "still here"


def test_nothing_is_left_of_a_run_that_fails(runner: WarmRunner) -> None:
    def mine() -> set[str]:
        return {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("sheetrun-")}

    before = mine()
    with pytest.raises(TimedOut):
        runner.run(job("open('file', 'w'); time.sleep(9)", without=EVERYTHING), Limits(wall_seconds=0.1))
    assert mine() <= before


# ---- descriptors and pipes


def test_few_descriptors(attack: Attack) -> None:
    assert attack(body("return [os.dup(1) for _ in range(99)]"), layer="open_files") == "stopped EMFILE"


@pytest.mark.parametrize("fd", [1, 2])
def test_a_flood_of_logs(runner: WarmRunner, fd: int) -> None:
    with pytest.raises(OutputTooLarge) as caught:
        runner.run(job(f"while True: os.write({fd}, b'x' * 65536)"), Limits(wall_seconds=60))
    assert caught.value.what == "logs"


def test_logs_are_kept_in_part(runner: WarmRunner) -> None:
    result = runner.run(job("os.write(1, b'a' + b'-' * 99_999); os.write(2, b'-' * 99_999 + b'z'); return b''"))
    assert (len(result.stdout), len(result.stderr)) == (65536, 65536)
    assert result.stdout.startswith(b"a")
    assert result.stderr.endswith(b"z")


def test_a_flood_of_progress(runner: WarmRunner) -> None:
    told: list[int] = []
    with pytest.raises(OutputTooLarge) as caught:
        runner.run(
            job("while True: progress(1, 1, 'x')"),
            Limits(wall_seconds=30),
            on_progress=lambda done, _total, _message: told.append(done),
        )
    assert caught.value.what == "progress"
    assert len(told) < 300  # ten a second, for as long as it took


@pytest.mark.parametrize("warm", [True, False])
def test_a_large_result(runner: WarmRunner, warm: bool) -> None:
    with pytest.raises(OutputTooLarge) as caught:
        (runner.run if warm else run)(job("return bytes(1_000_001)"), Limits(wall_seconds=30, output_bytes=1_000_000))
    assert (caught.value.what, caught.value.limit) == ("result", 1_000_000)


# ---- frames of its own making: 2 bytes magic, kind, header length, payload length

_HELPER = """
import os, stat, struct, time
def _open(fd):
    try:
        return stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        return False
def run_payload(payload, progress):
"""


def _forge(runner: WarmRunner, text: str, seconds: float = 30) -> Result:
    # The pipes of the protocol are found by looking: of the two, the one that can be written is the output.
    script = _HELPER + textwrap.indent(
        textwrap.dedent("""
        pipes = [fd for fd in range(3, 64) if _open(fd)]
        def send(kind, header, length, payload=b""):
            data = struct.pack(">2sBIQ", b"SR", kind, len(header), length) + header + payload
            for pipe in pipes:
                try:
                    os.write(pipe, data)
                except OSError:
                    continue
        """)
        + textwrap.dedent(text),
        "    ",
    )
    return runner.run(Job(script, policy=None, preload=TOOLS), Limits(wall_seconds=seconds, output_bytes=1000))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("send(19, b'{}', 2**63)", OutputTooLarge),
        ("send(19, b'{}', 1001)", OutputTooLarge),
        ("send(18, b'{}', 8, b'payload!')", OutputTooLarge),
        ("send(18, b'{}', 0)", ProtocolError),
        ('send(18, b\'{"done": -1, "total": 1, "message": ""}\', 0)', ProtocolError),
        ('send(18, b\'{"done": 1e400, "total": 1, "message": ""}\', 0)', ProtocolError),
        ("send(18, b'[]', 0)", ProtocolError),
        ("send(18, b'[' * 200_000, 0)", ProtocolError),
        ("send(18, b'\\xff\\xfe', 0)", ProtocolError),
        ("send(99, b'{}', 0)", ProtocolError),
        ("send(1, b'{}', 0)", ProtocolError),
        ('send(16, b\'{"held": {}, "missing": {}}\', 0)', ProtocolError),
        ("send(17, b'{}', 4, b'code')", ProtocolError),
        ("send(20, b'{}', 0)", ProtocolError),
        ('send(20, b\'{"why": "raised"}\', 0)', Crashed),
        ("send(19, b'{}', 500, b'a part'); time.sleep(9)", TimedOut),
        ("os.write(pipes[-1], b'SR'); time.sleep(9)", TimedOut),
        ("os.write(pipes[-1], b'not a frame at all')", ProtocolError),
        ("os._exit(0)", Crashed),
        ("os._exit(7)", Crashed),
        ("os.abort()", Killed),
    ],
)
def test_forged_frames(runner: WarmRunner, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        _forge(runner, text, 0.5 if error is TimedOut else 30)
    assert _forge(runner, "return b'next'").payload == b"next"


def test_the_compiled_script_in_the_cache_cannot_be_replaced(runner: WarmRunner) -> None:
    """``CODE`` is due only before anything of the script runs, so a later one is refused and the first one stays."""
    text = "send(17, b'{}', 4, b'evil')\nreturn b'first'"
    for _ in range(2):
        with pytest.raises(ProtocolError):
            _forge(runner, text)


def test_a_link_in_the_place_of_scratch_is_removed_and_not_followed(runner: WarmRunner, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o755)
    (kept / "file").write_text("still here")
    text = """
        here = os.getcwd()
        os.rename(here, os.path.join(payload.decode(), "moved"))
        os.symlink(payload.decode(), here)
        return here.encode()
    """
    tmp_path.chmod(0o777)
    kept.chmod(0o777)
    scratch = runner.run(job(text, without=EVERYTHING, payload=str(kept).encode())).payload
    assert not os.path.lexists(bytes(scratch))
    assert (kept / "file").read_text() == "still here"
    assert kept.stat().st_mode & 0o777 == 0o777
