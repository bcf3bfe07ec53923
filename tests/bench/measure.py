"""Runs commands in turn, each in a process of its own, and takes CPU, wall time and peak memory of each.

This process stays small: Linux counts the memory of whoever starts a program as that program's least peak.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from .catalogue import ROOT

#: What every program is given: where things are, and no setting that would make one of them faster or slower.
ENVIRONMENT: Final = {
    **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "TZ") if name in os.environ},
    "PYTHONPATH": str(ROOT / "functions"),
}
#: For programs that import NumPy themselves; `sheetrun` says it by itself.
ONE_THREAD: Final = {**ENVIRONMENT, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
ONCE_OVER: Final = 10.0  #: seconds: what takes longer is run once


@dataclass(frozen=True, slots=True)
class Sample:
    """``cpu``: user and system seconds of the process and of the children that it waited for. ``peak``: MB of the
    largest of these processes. ``failure``: why there is no result."""

    cpu: float
    wall: float
    peak: float
    output: str
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """``row`` and ``column``: its place in a table. ``finish`` gives the output where the command does not print it."""

    row: str
    column: str
    command: Sequence[str]
    seconds: float = 60.0
    environment: Mapping[str, str] = field(default_factory=lambda: ENVIRONMENT)
    finish: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Median:
    """Of the samples of one task."""

    cpu: float
    wall: float
    peak: float
    output: str
    failure: str | None
    rounds: int


@dataclass(slots=True)
class Samples:
    """What a run found: (row, column) -> samples."""

    found: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)

    def median(self, row: str, column: str) -> Median | None:
        samples = self.found.get((row, column))
        if not samples:
            return None
        cpu, wall, peak = (statistics.median(getattr(s, name) for s in samples) for name in ("cpu", "wall", "peak"))
        return Median(cpu, wall, peak, samples[-1].output, samples[-1].failure, len(samples))


def run(command: Sequence[str], *, seconds: float = 120.0, environment: Mapping[str, str] = ENVIRONMENT) -> Sample:
    """One command, with nothing on its standard input; it and all that it started are killed when the time is over."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=ROOT,
            env=dict(environment),
            start_new_session=True,
        )
        late = False
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if not late and time.perf_counter() - started > seconds:
                late = True
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.002)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output = out.read().decode(errors="replace")
        failure = None
        if late:
            failure = f"> {seconds:.0f} s"
        elif process.returncode:
            lines = err.read().decode(errors="replace").strip().splitlines()
            failure = lines[-1][:200] if lines else f"exit code {process.returncode}"
        return Sample(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, output, failure)


def rounds(tasks: Sequence[Task], count: int, *, tell: Callable[[str], None]) -> Samples:
    """Every task once, then every task again: a machine that is busy for a while is busy for all of them.

    What failed or was slow is not run again.
    """
    samples = Samples()
    left = list(tasks)
    for number in range(count):
        for task in tuple(left):
            sample = run(task.command, seconds=task.seconds, environment=task.environment)
            if task.finish and not sample.failure:
                output = task.finish()
                sample = replace(sample, output=output, failure=None if output else "no result")
            samples.found.setdefault((task.row, task.column), []).append(sample)
            tell(f"{number + 1}/{count} {task.row:16} {task.column:16} {sample.failure or f'{sample.cpu:8.3f} s CPU'}")
            if sample.failure or sample.wall > ONCE_OVER:
                left.remove(task)
    return samples
