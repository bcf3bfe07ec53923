"""The long run: ``python -m tests.fuzz --formulas 1000000 --files 20000 --seed 1`` (``make fuzz``).

Prints the formulas and files that break the rule (a value, an error of Excel, or a typed reason; nothing else), each with
the seed that makes it again, and ends with exit code 1 when there are some.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator, Sequence

from .books import batch, faults
from .files import file_faults
from .texts import table_faults, text_faults

BATCH = 200
MEMORY = 6 * 2**30  #: bytes; what wants more must end as a typed reason


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz")
    parser.add_argument("--formulas", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of each of the three parts, at most")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--start", type=int, default=0, help="first batch")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    started = time.monotonic()
    found = done = files = texts = 0
    batches = range(arguments.start, arguments.start + -(-arguments.formulas // BATCH))
    for done, number in enumerate(within(batches, arguments.seconds), 1):
        seed = f"{arguments.seed}:{number}"
        found += report(seed, faults(batch(seed, BATCH), date1904=number % 10 == 9))
        if done % 100 == 0:
            progress(f"{done * BATCH:,} formulas", started, found)
    for files in within(range(1, arguments.files + 1), arguments.seconds):
        seed = f"{arguments.seed}:{files}"
        found += report(seed, file_faults(seed))
        if files % 1000 == 0:
            progress(f"{files:,} files", started, found)
    for texts in within(range(1, arguments.texts + 1), arguments.seconds):
        seed = f"{arguments.seed}:{texts}"
        found += report(seed, text_faults(seed)) + report(seed, table_faults(seed))
    seconds = time.monotonic() - started
    print(f"{done * BATCH:,} formulas, {files:,} files, {texts:,} texts and tables: {found} faults, {seconds:.0f} s")
    return 1 if found else 0


def within(numbers: Sequence[int], seconds: float) -> Iterator[int]:
    """The numbers, until the time is over."""
    end = time.monotonic() + seconds
    for number in numbers:
        if time.monotonic() >= end:
            return
        yield number


def report(seed: str, lines: Sequence[str]) -> int:
    for line in lines:
        print(f"[{seed}] {line}", flush=True)
    return len(lines)


def progress(what: str, started: float, found: int) -> None:
    print(f"{what}, {time.monotonic() - started:.0f} s, {found} faults", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
