"""The sandbox under AWS Lambda's constraints: none of root's powers, no namespaces, nothing to write to but one folder.

A process without a capability, a home or an environment runs a job. What it opens to write is noted, and every layer that a
plain user can have must hold.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import ctypes, json, os, platform, sys, tempfile
if os.getuid() == 0:  # what Lambda's user never had
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(64):
        libc.prctl(24, capability, 0, 0, 0)
    number = 126 if platform.machine() == "x86_64" else 91
    assert libc.syscall(number, (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()) == 0
powers = next(line for line in open("/proc/self/status") if line.startswith("CapEff")).split()[1]
touched = []
def saw(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and arguments[1] is not None and set(arguments[1]) & set("wax+"):
        touched.append(arguments[0])
    if event in ("os.unshare", "os.setns", "shm_open"):
        touched.append(event)
sys.addaudithook(saw)
from sheetrun.sandbox.job import Job
from sheetrun.sandbox.limits import Limits
from sheetrun.sandbox.warm import WarmRunner
script = "def run_payload(payload, progress):\\n    return payload[::-1]\\n"
with WarmRunner(preload=("numpy",)) as runner:
    result = runner.run(Job(script, b"abc", policy=None, preload=("numpy",)), Limits(wall_seconds=30, memory_bytes=2**28))
outside = [path for path in touched if not path.startswith(tempfile.gettempdir()) and path != "/dev/null"]
told = {"payload": result.payload.decode(), "missing": result.missing, "outside": outside, "powers": int(powers, 16)}
print(json.dumps(told))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Lambda is Linux")
def test_a_job_runs_where_there_is_only_tmp(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["payload"] == "cba"
    assert found["powers"] == 0
    assert found["outside"] == []
    only_root = {"identity"}  # to become another user takes powers that are not there
    if os.getuid() == 0:
        only_root |= {"processes"}  # the kernel counts no processes of user 0, even without its powers
    by_the_kernel = {"landlock", "seccomp"}  # which tests/security/test_probe.py speaks of
    assert set(found["missing"]) <= only_root | by_the_kernel
