"""A program with nothing to hide: its environment holds no secret, so what is forked from it can be shown to anybody."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

#: What libraries must know that are forked into a sandbox.
TAMED = {
    # no threads: a fork keeps only one, and a thread would count as a process
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # memory by the piece: Arrow's own pool takes a gigabyte of addresses at once, which the sandbox's limit may refuse
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # what glibc frees stays with the process, for the next array of NumPy: to take it from the system again, page by page,
    # takes longer than most of what is done with it
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
}
#: What may stay in the environment: where things are and how they look. Nobody keeps a secret there.
_HARMLESS = frozenset(
    {
        "COLUMNS",
        "HOME",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "LINES",
        "LOGNAME",
        "NO_COLOR",
        "PATH",
        "PWD",
        "SHELL",
        "SHEETRUN_DEBUG",
        "SHLVL",
        "TEMP",
        "TERM",
        "TMP",
        "TMPDIR",
        "TZ",
        "USER",
        "VIRTUAL_ENV",
        "_",
    }
)
_HARMLESS_PREFIXES = ("LC_", "PYTHON")


def shed() -> None:
    """Starts this program again with an environment that holds no secret, unless it holds none already.

    Does not return when it does so. Does nothing but on Linux: elsewhere nothing is forked (see ``forked``).
    """
    if bare() or sys.platform != "linux" or not (sys.executable and sys.orig_argv):
        return
    kept = {name: value for name, value in os.environ.items() if _harmless(name)}
    os.execve(sys.executable, sys.orig_argv, {**kept, **TAMED})  # this interpreter again  # nosec B606


def bare(environment: Mapping[str, str] | None = None) -> bool:
    """Whether an environment (ours) holds nothing but what is harmless, and libraries are tamed."""
    told = (os.environ if environment is None else environment).items()
    return TAMED.items() <= told and all(_harmless(name) or name in TAMED for name, _ in told)


def _harmless(name: str) -> bool:
    return name in _HARMLESS or name.startswith(_HARMLESS_PREFIXES)
