"""MiniStack as a child process: started with a clean environment, stopped with everything it started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from sheetrun.local import launching
from sheetrun.local.errors import LocalError
from sheetrun.records import dataclass

HOST = "127.0.0.1"
_EMULATOR = "test"
#: The emulator's root credentials. They open nothing but this process on this machine.
ROOT: Any = {"aws_access_key_id": _EMULATOR, "aws_secret_access_key": _EMULATOR}
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "USER", "VIRTUAL_ENV", "SYSTEMROOT")


@dataclass(slots=True)
class Emulator:
    """A running MiniStack."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self, *, seconds: float = 15) -> None:
        """Asks first, so that state is written; then takes down what is left of the whole group."""
        if self.alive:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def taken(port: int) -> bool:
    """Whether somebody listens on the port, or may not be asked to."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def start(port: int, *, scratch: Path, data: Path | None) -> Emulator:
    """Starts and waits until it answers. ``data`` keeps state over restarts. Raises ``LocalError``."""
    _require_ministack()
    if taken(port):
        raise LocalError(f"port {port} is taken; choose another with --port, or stop what listens there")
    scratch.mkdir(parents=True, exist_ok=True)
    log = (data or scratch) / "ministack.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", Path(launching.__file__).read_text(encoding="utf-8")],
            env=_environment(port, scratch, data),
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    emulator = Emulator(process=process, port=port, log=log)
    try:
        _wait(emulator)
    except BaseException:
        emulator.stop(seconds=1)
        raise
    return emulator


def _require_ministack() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("ministack", "samtranslator", "boto3", "uvicorn") if find_spec(name) is None]
    if missing:
        raise LocalError(f"{', '.join(missing)} is not installed; pip install 'sheetrun[local]'")


def _environment(port: int, scratch: Path, data: Path | None) -> dict[str, str]:
    """Nothing of the caller's but what a program needs to run: workers inherit this."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    temporary = scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    environment |= {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": "us-east-1",
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ROOT["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": ROOT["aws_secret_access_key"],
        "TMPDIR": str(temporary),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "INFO",
        # NumPy's threads would fight over the few cores of a laptop with every worker.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    if data is not None:
        environment |= {
            "PERSIST_STATE": "1",
            "STATE_DIR": str(data / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(data / "objects"),
        }
    return environment


def _wait(emulator: Emulator, *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not emulator.alive:
            tail = emulator.log.read_text(errors="replace").strip().splitlines()[-1:]
            raise LocalError(f"the emulator did not start: {' '.join(tail) or 'no output'} (see {emulator.log})")
        try:
            urllib.request.urlopen(
                f"{emulator.endpoint}/_ministack/health", timeout=2
            ).close()  # of a process on this machine  # nosec B310
            return
        except OSError:  # not there yet
            time.sleep(0.05)
    raise LocalError(f"the emulator did not answer within {seconds:.0f} s (see {emulator.log})")
