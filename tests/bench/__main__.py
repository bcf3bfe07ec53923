"""``make bench``: measures everything in one run and writes docs/benchmarks.md. ``python -m tests.bench --help``."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import pickle
import platform
import subprocess
import sys
from pathlib import Path
from typing import Final

from . import libreoffice, plan, report, start
from .catalogue import BOOKS, CACHE, ROOT, Book
from .measure import rounds

LAST: Final = CACHE / "last.pickle"


def main() -> None:
    arguments = _arguments()
    if arguments.again:
        report.page(pickle.loads(LAST.read_bytes()))
        return
    books = [book for book in BOOKS.values() if book.quick or not arguments.quick]
    subprocess.run([sys.executable, "-m", "tests.bench.books", *(book.name for book in books)], cwd=ROOT, check=True)
    results = _measure(books, arguments)
    if arguments.quick:
        print(report.measured(results))
        return
    LAST.write_bytes(pickle.dumps(results))
    report.page(results)
    print(f"bench: wrote {report.PAGE.relative_to(ROOT)}")


def _measure(books: list[Book], arguments: argparse.Namespace) -> report.Results:
    count = 1 if arguments.quick else arguments.rounds
    others = plan.peers(arguments.peers, plan.PEERS + (plan.SLOW_PEERS if arguments.slow else ()))
    office = libreoffice.task(books[0])
    missing = [name for name in plan.PEERS if name not in others.versions] + ([] if office else [libreoffice.COLUMN])
    for name in missing:
        _tell(f"{name} is not on this machine: skipped")
    columns = [*others.versions, *([libreoffice.COLUMN] if office else [])]
    before = os.getloadavg()[0]
    rounds(plan.whole([BOOKS["small_200"]], others), 1, tell=lambda _: None)  # bytecode and disk caches
    results = report.Results({}, [book.name for book in books], columns, start.measure_all())
    results.whole = rounds(plan.whole(books, others), count, tell=_tell)
    results.phases = rounds(plan.phases(books), count, tell=_tell)
    results.sweeps = rounds(plan.sweeps(books, others), count, tell=_tell)
    if not arguments.quick:
        results.real = rounds(plan.real(), count, tell=_tell)
    results.machine = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {_memory():.0f} GiB, {platform.system()}",
        "load average, 1 minute": f"{before:.1f} at the start, {os.getloadavg()[0]:.1f} at the end",
        "Python, NumPy": f"{platform.python_version()}, {importlib.metadata.version('numpy')}",
        "Sheetrun": _commit(),
        "peers": ", ".join(f"{name} {version}" for name, version in others.versions.items()) or "none",
        "skipped, not on this machine": ", ".join(missing) or "nothing",
        "rounds": f"{count}, in turn; what took over 10 s wall once",
    }
    return results


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small workbooks once; nothing is written")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often everything is run (3)")
    parser.add_argument("--slow", action="store_true", help="also the peers that need minutes, where installed")
    parser.add_argument("--again", action="store_true", help="write the page again from the last run's figures")
    default = ROOT / ".bench-venv" / "bin" / "python"
    parser.add_argument("--peers", type=Path, default=default, metavar="PYTHON", help="that has the peers' packages")
    return parser.parse_args()


def _tell(line: str) -> None:
    print(f"bench: {line}", flush=True)


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
        return next(names, platform.machine())


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _commit() -> str:
    """The last one that changed what is measured."""
    done = subprocess.run(
        ["git", "log", "-1", "--format=%h", "--", "functions"], cwd=ROOT, capture_output=True, text=True
    )
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else importlib.metadata.version("sheetrun")


if __name__ == "__main__":
    main()
