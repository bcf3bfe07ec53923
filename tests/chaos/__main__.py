"""``python -m tests.chaos --seed 1 --schedules 20000``: prints each storm that breaks something."""

from __future__ import annotations

import argparse
import sys
import time

from sheetrun.service import watch
from tests.chaos.schedules import storm


def main() -> int:
    """1 when something broke."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=1_000_000)
    options.add_argument("--schedules", type=int, default=20_000)
    asked = options.parse_args()
    watch.EVERY = 1e6
    begun, broken, harm = time.monotonic(), 0, 0
    for seed in range(asked.seed, asked.seed + asked.schedules):
        try:
            harm += storm(seed).chooser.harm
        except AssertionError as error:
            broken += 1
            notes = "\n    ".join(getattr(error, "__notes__", ["no trace"])[-1].splitlines())
            print(f"seed {seed}: {error!r}\n    {notes}")
    seconds = time.monotonic() - begun
    print(f"{asked.schedules} schedules, {harm} faults, {broken} broken, {seconds:.0f} s")
    return 1 if broken else 0


sys.exit(main())
