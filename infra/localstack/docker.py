"""A Docker daemon: the one that runs, or Debian's, started for as long as it is needed."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.localstack.commands import ROOT, Failed, Missing, apt, call, say, tail, works

DATA = ROOT / ".localstack" / "docker"  #: images of a daemon of ours, kept for the next time


@contextmanager
def daemon() -> Iterator[None]:
    """``docker`` works inside. Raises ``Missing`` where it cannot be made to."""
    if works("docker", "version"):
        yield
        return
    if os.geteuid() != 0:
        raise Missing("no Docker daemon answers; start one, or run this as root so that it can be started here")
    if not (shutil.which("docker") and shutil.which("dockerd") and shutil.which("iptables")):
        apt("docker.io", "iptables")
    with _started():
        yield


def gateway() -> str:
    """This machine's address as containers see it."""
    (bridge,) = json.loads(call("docker", "network", "inspect", "bridge"))
    (first, *_) = bridge["IPAM"]["Config"]
    # The daemon of Debian 12 leaves the gateway out: it is the network's first address.
    return str(first.get("Gateway") or next(ipaddress.ip_network(first["Subnet"]).hosts()))


def socket_path() -> str:
    """The daemon's socket, to be handed to LocalStack, which starts functions in containers beside its own."""
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


@contextmanager
def _started() -> Iterator[None]:
    """A daemon with a socket of its own, which is what DOCKER_HOST names inside."""
    say("starting a Docker daemon")
    DATA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sheetrun-docker-") as name:
        scratch = Path(name)
        socket = f"unix://{scratch}/docker.sock"
        log = scratch / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [
                    "dockerd",
                    *("--host", socket),
                    *("--data-root", str(DATA)),
                    *("--exec-root", str(scratch / "exec")),
                    *("--pidfile", str(scratch / "pid")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        before = os.environ.get("DOCKER_HOST")
        os.environ["DOCKER_HOST"] = socket
        try:
            _wait(process, log)
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()
            _unmount(scratch / "exec" / "netns")
            if before is None:
                del os.environ["DOCKER_HOST"]
            else:
                os.environ["DOCKER_HOST"] = before


def _unmount(folder: Path) -> None:
    """A daemon leaves its network's name mounted there, and a folder with a mount in it cannot be deleted."""
    for place in folder.glob("*"):
        with contextlib.suppress(Failed):  # what is not mounted is no hindrance
            call("umount", "--lazy", place)


def _wait(process: subprocess.Popen[bytes], log: Path, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not works("docker", "version"):
        if process.poll() is not None:
            raise Missing(f"the Docker daemon does not run on this machine:\n{tail(log.read_text(), 5)}")
        if time.monotonic() > end:
            raise Failed(f"the Docker daemon did not answer within {seconds:.0f} s:\n{tail(log.read_text(), 5)}")
        time.sleep(0.2)
