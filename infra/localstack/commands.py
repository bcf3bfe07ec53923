"""Other programs, called so that what they say is shown when they fail and not before."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Failed(Exception):
    """Something that must work did not; the text says what, and what to do."""


class Missing(Failed):
    """This machine has no Docker, and cannot be given it."""


class NotDeployed(Failed):
    """`sam deploy` did not come to its end: the template's fault, or the emulator's."""


def call(
    *words: str | Path, environment: Mapping[str, str] | None = None, cwd: Path = ROOT, seconds: float = 900
) -> str:
    """What the program wrote to stdout. Raises ``Failed`` with the end of all that it said."""
    command = [str(word) for word in words]
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise Failed(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(command)}: not done after {seconds:.0f} s") from None
    if done.returncode:
        raise Failed(f"{' '.join(command)}: exit status {done.returncode}\n{tail(done.stdout + done.stderr)}")
    return done.stdout


def works(*words: str | Path) -> bool:
    try:
        call(*words, seconds=30)
    except Failed:
        return False
    return True


def tail(text: str, lines: int = 30) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


def apt(*packages: str) -> None:
    """Installs Debian packages. Raises ``Missing`` where that cannot be."""
    if os.geteuid() != 0 or not works("apt-get", "--version"):
        raise Missing(
            f"{', '.join(packages)}: not installed, and only root on Debian or Ubuntu can install them from here"
        )
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    call("apt-get", "update", "-qq", environment=quiet)
    call("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, environment=quiet)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Tells what is done, and how long it took."""
    begun = time.monotonic()
    say(f"{title} …")
    yield
    say(f"{title}: {time.monotonic() - begun:.0f} s")


def say(text: str) -> None:
    print(f"localstack: {text}", flush=True)


def run_tests(words: Sequence[str], environment: Mapping[str, str]) -> None:
    """pytest, shown as it goes. Raises ``Failed``."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=ROOT, env={**os.environ, **environment}, check=False
    )
    if done.returncode:
        raise Failed("the end-to-end tests do not pass on LocalStack")
