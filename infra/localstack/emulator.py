"""LocalStack in a container: started, and taken away with the containers of its functions."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.localstack import docker
from infra.localstack.commands import Failed, call, say, tail
from infra.localstack.images import LOCALSTACK

NAME = "sheetrun-localstack"
SETTINGS = Path(__file__).with_name("localstack.env")


@contextmanager
def localstack() -> Iterator[str]:
    """Its endpoint: an address at which functions and this machine both find it."""
    _remove()
    address, port = docker.gateway(), _free_port()
    call(
        *("docker", "run", "--detach", "--name", NAME, "--env-file", SETTINGS),
        *("--publish", f"{address}:{port}:4566"),
        *("--volume", f"{docker.socket_path()}:/var/run/docker.sock"),
        LOCALSTACK,
    )
    try:
        endpoint = f"http://{address}:{port}"
        _wait(endpoint)
        yield endpoint
    except Failed:
        say(f"what LocalStack said last:\n{_last_words()}")
        raise
    finally:
        _remove()


def _last_words() -> str:
    """The end of its log, and whether it still runs."""
    try:
        state = call(
            "docker", "inspect", "--format", "{{.State.Status}}, exit status {{.State.ExitCode}}", NAME
        ).strip()
        return f"{tail(call('sh', '-c', f'docker logs --tail 60 {NAME} 2>&1'), 60)}\n({state})"
    except Failed as gone:
        return str(gone)


def _wait(endpoint: str, *, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"{endpoint}/_localstack/health", timeout=5).close()
            return
        except OSError:  # not there yet
            time.sleep(0.5)
    raise Failed(f"LocalStack did not answer within {seconds:.0f} s")


def _remove() -> None:
    """It, and what it started: its functions' containers bear its name."""
    for pattern in (f"^{NAME}$", f"^{NAME}-lambda-"):
        found = call("docker", "ps", "--all", "--quiet", "--filter", f"name={pattern}").split()
        if found:
            call("docker", "rm", "--force", "--volumes", *found)


def _free_port() -> int:
    """4566 where it is free."""
    for port in (4566, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Failed("no port is free")
