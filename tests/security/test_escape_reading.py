"""A script past the allow-list tries to read what is not its own: credentials, memory, files."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sheetrun.sandbox.bare import TAMED
from sheetrun.sandbox.job import Job
from sheetrun.sandbox.process import run

from .conftest import MISSING, Attack

PR_GET_DUMPABLE = 3

READ = "def attack(payload, progress):\n    return open(payload, 'rb').read(1)"


def test_run_closes_the_parent_to_processes_of_its_own_user() -> None:
    run(Job("def run_payload(payload, progress):\n    return b''", policy=None, preload=()))
    assert ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0


# The service holds a secret in its environment and its memory. The script has no layer on but the loss of root's
# powers, which any other user has anyway, and looks into every process that there is.
_SERVICE = """
import os, sys
from sheetrun.sandbox.bare import TAMED
from sheetrun.sandbox.job import Job
from sheetrun.sandbox.layers import LAYERS
from sheetrun.sandbox.process import run

script = '''
import os
import re
def run_payload(payload, progress):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = open(f"/proc/{pid}/environ", "rb").read()
        except OSError:
            text = b""
            if int(pid) == int(payload):
                found.append("closed")
        if b"canary" in text:
            found.append("environment of " + pid)
    try:
        open(f"/proc/{int(payload)}/mem", "rb").read(1)
    except OSError:
        found.append("closed")
    found.append(str(dict(os.environ)))
    return " ".join(found).encode()
'''
job = Job(script, str(os.getpid()).encode(), policy=None, preload=(), without=frozenset(LAYERS) - {"capabilities"})
print(run(job).payload.decode())
"""


def test_credentials_in_the_service_are_out_of_reach() -> None:
    environment = {"AWS_SECRET_ACCESS_KEY": "canary", "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_SERVICE)], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert "canary" not in said
    assert "AWS" not in said
    assert "environment of" not in said
    assert said.startswith("closed closed")


def test_the_memory_of_the_service_cannot_be_read_with_a_system_call(attack: Attack) -> None:
    # process_vm_readv(pid, local, 1, remote, 1, 0): of our own address, which the script is told
    secret = ctypes.create_string_buffer(b"canary")
    body = """
    def attack(payload, progress):
        pid, address = map(int, payload.split())
        buffer = ctypes.create_string_buffer(6)
        local = struct.pack("PN", ctypes.addressof(buffer), 6)
        remote = struct.pack("PN", address, 6)
        libc = ctypes.CDLL(None, use_errno=True)
        got = libc.process_vm_readv(pid, local, ctypes.c_ulong(1), remote, ctypes.c_ulong(1), ctypes.c_ulong(0))
        if got < 0:
            raise OSError(ctypes.get_errno(), "")
        return buffer.raw
    """
    payload = f"{os.getpid()} {ctypes.addressof(secret)}".encode()
    for layer in ("capabilities", "seccomp", "landlock"):
        assert attack(textwrap.dedent(body), layer=layer, payload=payload) in ("stopped EPERM", MISSING)


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/1/environ", "/proc/self/root/etc/passwd", "/proc/version"])
def test_landlock_closes_files_outside(attack: Attack, path: str) -> None:
    assert attack(READ, layer="landlock", payload=path.encode()) in ("stopped EACCES", MISSING)


@pytest.mark.parametrize("path", ["/etc/passwd", sys.base_prefix])
def test_without_landlock_the_filter_closes_every_file(attack: Attack, path: str) -> None:
    assert attack(READ, layer="seccomp", payload=path.encode()) in ("stopped EPERM", MISSING)


def test_a_file_of_the_service_is_closed_to_another_user(attack: Attack, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    secret.chmod(0o600)
    assert attack(READ, layer="identity", payload=str(secret).encode()) in ("stopped EACCES", MISSING)


def test_no_descriptor_of_the_service_is_inherited(attack: Attack, tmp_path: Path) -> None:
    # Only stdin, stdout, stderr and the two pipes of the protocol, though the service has many more.
    with open(tmp_path / "open", "w") as file:
        os.set_inheritable(file.fileno(), True)
        body = "def attack(payload, progress):\n    return len(os.listdir('/proc/self/fd')) - 1"
        assert attack(body, layer="core") == "open 5"


def test_all_layers_together_read_nothing(attack: Attack) -> None:
    for path in (b"/etc/passwd", b"/proc/self/environ", b"/proc/1/environ", b"/proc/self/mem"):
        assert attack(READ, payload=path).startswith("stopped")


def test_the_environment_is_empty_and_the_directory_its_own(attack: Attack) -> None:
    body = "def attack(payload, progress):\n    return (os.getcwd(), sorted(os.environ))"
    said = attack(body)
    assert "sheetrun-" in said
    names = set(re.findall(r"'(\w+)'", said.partition("[")[2]))
    assert names - {"LC_CTYPE"} == set(TAMED)
