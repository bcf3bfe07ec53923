"""The two services that are measured side by side, each started as its users would, and stopped with all it started."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sheetrun.local.emulator import ROOT as CREDENTIALS
from sheetrun.local.emulator import free_port

from .measure import ENVIRONMENT, ONE_THREAD, run

PEERS: Final = Path(__file__).parent / "peers"
#: What one client may do in a minute, wide open: the services are measured, and not their limits.
LIMITS: Final = {"SHEETRUN_REQUESTS_PER_MINUTE": "1000000"}
_REPORT: Final = re.compile(r"REPORT RequestId: \S+\tDuration: (\d+) ms")


class Missing(Exception):
    """What is not on this machine, and how to get it."""


@dataclass(slots=True)
class Service:
    """``processes``: those that were started here, the service's own work; what they start computes."""

    name: str
    kind: str
    what: str
    url: str
    key: str
    processes: Callable[[], list[int]]
    functions: Callable[[float], dict[str, tuple[int, float]]] | None = None
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def stop(self) -> None:
        """The last started first; what does not go is killed with its group."""
        for process in reversed(self.started):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def start_all(python: Path, scratch: Path, *, only: str | None = None) -> list[Service]:
    """Raises ``Missing``."""
    if not python.exists():
        raise Missing(f"{python} is not there; `make bench-service` makes it")
    services = []
    try:
        if only != "sheetrun":
            services.append(celery(python, scratch))
        if only != "celery":
            services.append(sheetrun(scratch))
    except BaseException:
        for service in services:
            service.stop()
        raise
    return services


def celery(python: Path, scratch: Path) -> Service:
    """Redis without persistence, one Celery worker with two processes, one uvicorn."""
    redis = shutil.which("redis-server")
    if redis is None:
        raise Missing("redis-server is not on this machine; on Debian and Ubuntu: apt-get install redis-server")
    store, port = free_port(), free_port()
    uploads = scratch / "uploads"
    uploads.mkdir()
    environment = {**ONE_THREAD, "BENCH_REDIS": f"redis://127.0.0.1:{store}", "BENCH_UPLOADS": str(uploads)}
    keeps = ("--bind", "127.0.0.1", "--port", str(store), "--save", "", "--appendonly", "no", "--dir", str(scratch))
    worker = ("-m", "celery", "-A", "celery_tasks", "worker", "-P", "prefork", "-c", "2", "-l", "WARNING")
    front = ("-m", "uvicorn", "celery_api:api", "--port", str(port), "--workers", "1", "--no-access-log")
    started: list[subprocess.Popen[bytes]] = []
    service = Service(
        name="celery",
        kind="celery",
        what=f"{_versions(python)}; Redis without persistence, one uvicorn, two prefork workers",
        url=f"http://127.0.0.1:{port}",
        key="-",
        processes=lambda: [process.pid for process in started],
        started=started,
    )
    try:
        for name, command in (
            ("redis", (redis, *keeps)),
            ("worker", (str(python), *worker)),
            ("uvicorn", (str(python), *front, "--log-level", "warning")),
        ):
            started.append(_start(command, environment, scratch / f"{name}.log"))
        _wait_for(f"{service.url}/openapi.json", started[-1], scratch / "uvicorn.log")
    except BaseException:
        service.stop()
        raise
    return service


def sheetrun(scratch: Path) -> Service:
    """`sheetrun up`, its limits on requests opened; the rest is as it comes."""
    log = scratch / "up.log"
    command = (sys.executable, "-m", "sheetrun.client.cli", "up", "--port", "0", "--json")
    process = _start(command, {**ENVIRONMENT, **LIMITS}, log, output=subprocess.PIPE)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise Missing(f"the embedded service did not start: {' '.join(log.read_text().strip().splitlines()[-1:])}")
    told: dict[str, str] = json.loads(line)
    endpoint = told["url"].partition("/restapis/")[0]

    def processes() -> list[int]:
        """The command, and the emulator that it started."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return [process.pid, *map(int, children)]

    return Service(
        name="sheetrun",
        kind="sheetrun",
        what="`sheetrun up`: the whole template on the emulator, rights enforced",
        url=told["url"],
        key=told["key"],
        processes=processes,
        functions=lambda since: _reports(endpoint, since),
        started=[process],
    )


def _reports(endpoint: str, since: float) -> dict[str, tuple[int, float]]:
    """Function -> (calls, seconds) of what was reported since then, by the emulator's logs."""
    import boto3

    logs: Any = boto3.Session(region_name="us-east-1", **CREDENTIALS).client("logs", endpoint_url=endpoint)
    found = {}
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/sheetrun-")["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"], startTime=int(since * 1000), filterPattern='"REPORT RequestId"'
        )
        times = [int(m[1]) for page in pages for e in page["events"] if (m := _REPORT.match(e["message"]))]
        if times:
            found[group["logGroupName"].rpartition("-")[2]] = (len(times), sum(times) / 1000)
    return found


def _start(
    command: Sequence[str], environment: dict[str, str], log: Path, *, output: int | None = None
) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            cwd=PEERS,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out if output is None else output,
            stderr=out,
            start_new_session=True,
        )


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path, *, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:  # not there yet
            time.sleep(0.05)
    raise Missing(f"the peer did not start: {' '.join(log.read_text().strip().splitlines()[-1:])}")


def _versions(python: Path) -> str:
    names = ("fastapi", "uvicorn", "celery", "redis", "formulas")
    program = f"import importlib.metadata as m; print(', '.join(f'{{n}} {{m.version(n)}}' for n in {names!r}))"
    sample = run([str(python), "-c", program])
    if sample.failure:
        raise Missing(f"{python} lacks the peer's packages ({sample.failure}); `make bench-service` installs them")
    return sample.output.strip()
