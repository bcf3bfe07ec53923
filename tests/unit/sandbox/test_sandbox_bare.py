"""A sandbox that is forked from the program sees no secret, because the program gave its environment away."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from sheetrun.sandbox import bare, forked
from sheetrun.sandbox.errors import SandboxError
from sheetrun.sandbox.job import Job

#: A program as the command line is one: it sheds its environment, then runs a job that looks for what is left of it in
#: every byte of its memory (no layer is on that could forbid it). What it looks for reaches it backwards.
PROGRAM = """
import json, os, sys
from sheetrun.sandbox.bare import bare, shed
shed()
from sheetrun.sandbox import forked
from sheetrun.sandbox.job import Job
from sheetrun.sandbox.layers import LAYERS
SCRIPT = '''
import os
def run_payload(payload, progress):
    needle = payload[::-1]
    with open("/proc/self/maps") as maps:
        spans = [[int(end, 16) for end in line.split()[0].split("-")] for line in maps if " rw-p " in line]
    found = looked = 0
    with open("/proc/self/mem", "rb", 0) as memory:
        for low, high in spans:
            memory.seek(low)
            held = memory.read(high - low)
            looked += len(held)
            found += held.count(needle)
    return repr((sorted(os.environ), found - 1, looked)).encode()
'''
job = Job(SCRIPT, b"hctarcs-lacirtemmys", policy=None, preload=(), without=frozenset(LAYERS))
names, found, looked = eval(forked.run(job).payload)
print(json.dumps({"bare": bare(), "words": sys.argv[1:], "names": names, "found": found, "looked": looked}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_of_the_environment_is_left() -> None:
    told = {**os.environ, "AWS_SECRET_ACCESS_KEY": "symmetrical-scratch", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, "one", "two words"]
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["bare"] is True
    assert answer["words"] == ["one", "two words"]
    assert "AWS_SECRET_ACCESS_KEY" not in answer["names"]
    assert "PATH" in answer["names"]
    assert answer["looked"] > 1_000_000
    assert answer["found"] == 0


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        (bare.TAMED, True),
        ({**bare.TAMED, "PATH": "/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": "/x"}, True),
        ({**bare.TAMED, "SHEETRUN_KEY": "sr_1"}, False),
        ({**bare.TAMED, "AWS_PROFILE": "me"}, False),
        ({**bare.TAMED, "OMP_NUM_THREADS": "8"}, False),
    ],
)
def test_what_counts_as_bare(environment: dict[str, str], expected: bool) -> None:
    assert bare.bare(environment) is expected


def test_with_something_to_hide_it_is_another_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "bare", lambda: False)
    monkeypatch.setattr(forked, "_fork", None)
    script = "import os\ndef run_payload(payload, progress): return str(len(os.environ)).encode()"
    assert int(forked.run(Job(script, policy=None, preload=())).payload) < 10
    with pytest.raises(SandboxError):
        forked.run(Job("import os", preload=()))


def test_with_something_to_hide_several_jobs_share_another_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "bare", lambda: False)
    monkeypatch.setattr(forked, "_fork", None)
    script = "import os\ndef run_payload(payload, progress): return str(os.getppid()).encode()"
    with forked.several(()) as run:
        first, second = (run(Job(script, policy=None, preload=())).payload for _ in range(2))
    assert first == second
    assert int(first) != os.getpid()
