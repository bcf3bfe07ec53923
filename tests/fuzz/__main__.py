"""The long run: ``python -m tests.fuzz --formulas 1000000 --files 20000 --seed 1`` (``make fuzz``).

Prints the formulas and files that break the rule (a value, an error of Excel, or a typed reason; nothing else), each with
the seed that makes it again, and ends with exit code 1 when there are some.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence

from .books import batch, faults
from .files import file_faults

BATCH = 200
MEMORY = 6 * 2**30  #: bytes; what wants more must end as a typed reason


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz")
    parser.add_argument("--formulas", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--start", type=int, default=0, help="first batch")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    started = time.monotonic()
    found = 0
    batches = range(arguments.start, arguments.start + -(-arguments.formulas // BATCH))
    for done, number in enumerate(batches, 1):
        seed = f"{arguments.seed}:{number}"
        found += report(seed, faults(batch(seed, BATCH), date1904=number % 10 == 9))
        if done % 100 == 0:
            progress(f"{done * BATCH:,} formulas", started, found)
    for number in range(arguments.files):
        seed = f"{arguments.seed}:{number}"
        found += report(seed, file_faults(seed))
        if (number + 1) % 1000 == 0:
            progress(f"{number + 1:,} files", started, found)
    print(
        f"{len(batches) * BATCH:,} formulas, {arguments.files:,} files: {found} faults, {time.monotonic() - started:.0f} s"
    )
    return 1 if found else 0


def report(seed: str, lines: Sequence[str]) -> int:
    for line in lines:
        print(f"[{seed}] {line}", flush=True)
    return len(lines)


def progress(what: str, started: float, found: int) -> None:
    print(f"{what}, {time.monotonic() - started:.0f} s, {found} faults", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
