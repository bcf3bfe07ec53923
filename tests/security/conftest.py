"""What the escape tests share: a runner, and what the probe says of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sheetrun.sandbox.job import Job
from sheetrun.sandbox.layers import LAYERS
from sheetrun.sandbox.limits import Limits
from sheetrun.sandbox.probe import Layer, probe
from sheetrun.sandbox.warm import WarmRunner

#: Imported before the layers are on, so that a script can attack where no file can be opened any more.
TOOLS = (
    "ctypes",
    "errno",
    "mmap",
    "os",
    "resource",
    "select",
    "signal",
    "socket",
    "struct",
    "sys",
    "threading",
    "time",
)

#: Raw Python past the allow-list. ``attack`` is the test's; being stopped is an ``OSError``.
_FRAME = """
import ctypes, errno, mmap, os, resource, select, signal, socket, struct, sys, threading, time

{attack}

def run_payload(payload, progress):
    try:
        return ("open " + str(attack(payload, progress))).encode()
    except OSError as error:
        return ("stopped " + errno.errorcode.get(error.errno, "?")).encode()
    except (RuntimeError, ValueError) as error:
        return ("stopped " + str(error)).encode()
"""

MISSING = "missing"

Attack = Callable[..., str]


@pytest.fixture(scope="session")
def probed() -> dict[str, Layer]:
    return {layer.name: layer for layer in probe()}


@pytest.fixture(scope="session")
def runner() -> Iterator[WarmRunner]:
    with WarmRunner(preload=TOOLS) as warm:
        yield warm


@pytest.fixture
def attack(runner: WarmRunner, probed: dict[str, Layer]) -> Attack:
    """Runs an attack with only one layer on (or all of them), and gives what came of it.

    Where the machine does not have the layer, that must be what both the run and the probe report: MISSING.
    """

    def attempt(body: str, *, layer: str | None = None, limits: Limits | None = None, payload: bytes = b"") -> str:
        only = {layer, "no_new_privs"} if layer else set(LAYERS)
        job = Job(
            _FRAME.replace("{attack}", body),
            payload,
            policy=None,
            preload=TOOLS,
            without=frozenset(LAYERS) - only,
        )
        result = runner.run(job, limits or Limits(wall_seconds=30, memory_bytes=256 * 2**20))
        if layer is not None and layer in result.missing:
            assert not probed[layer].holds
            assert probed[layer].detail == result.missing[layer]
            return MISSING
        return result.payload.decode()

    return attempt
