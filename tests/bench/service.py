"""Upload to result, many clients at once: the embedded service beside FastAPI, Celery, Redis and `formulas`.

``make bench-service``. Both services stand side by side, and one client program drives them in turn with the same workbook.
The page docs/benchmarks.md gets the tables between its marks; nothing here fails for a time.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from . import books, rivals, service_page
from .answers import differences
from .catalogue import BOOKS, ROOT
from .measure import ENVIRONMENT, run
from .processes import cost
from .rivals import Missing, Service
from .service_page import Cell, Functions, Results

BOOK: Final = BOOKS["small_200"]
CROWD: Final = str(Path(__file__).parent / "peers" / "crowd.py")
CLIENTS: Final = (1, 10, 50)


def main() -> int:
    arguments = _arguments()
    books.make([BOOK.name])
    with tempfile.TemporaryDirectory(prefix="sheetrun-bench-") as scratch:
        try:
            services = rivals.start_all(arguments.peers, Path(scratch), only=arguments.only)
        except Missing as missing:
            print(f"bench: {missing}", file=sys.stderr)
            return 1
        try:
            results = _measure(services, arguments)
        finally:
            for service in reversed(services):
                service.stop()
    if arguments.write:
        service_page.write(results)
    else:
        print(service_page.measured(results))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.service", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, metavar="N", help="how often everything is run (2)")
    parser.add_argument("--seconds", type=float, default=12.0, metavar="S", help="of each cell (12)")
    parser.add_argument("--warm", type=float, default=20.0, metavar="S", help="with all clients, not counted (20)")
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS, metavar="N", help="at once (1 10 50)")
    parser.add_argument("--only", choices=("celery", "sheetrun"), help="one of the two, for a look at it alone")
    parser.add_argument("--write", action="store_true", help="write the page")
    default = ROOT / ".bench-venv" / "bin" / "python"
    parser.add_argument("--peers", type=Path, default=default, metavar="PYTHON", help="that has the peer's packages")
    return parser.parse_args()


def _measure(services: Sequence[Service], arguments: argparse.Namespace) -> Results:
    expected = _expected()
    before = os.getloadavg()[0]
    results = Results({}, [service.name for service in services], list(arguments.clients))
    for service in services:  # processes, imports, caches
        _crowd(service, arguments.peers, max(arguments.clients), arguments.warm)
    for number in range(arguments.rounds):
        for clients in arguments.clients:
            for service in services:
                cell = _cell(service, arguments.peers, clients, arguments.seconds, expected)
                results.cells.setdefault((service.name, clients), []).append(cell)
                print(f"bench: {number + 1}/{arguments.rounds} {service.name:9} {clients:3} {cell}", flush=True)
    results.machine = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{len(os.sched_getaffinity(0))} cores, {platform.system()}, Python {platform.python_version()}",
        "load average, 1 minute": f"{before:.1f} at the start, {os.getloadavg()[0]:.1f} at the end",
        "rounds": f"{arguments.rounds} of {arguments.seconds:.0f} s for each service and number of clients, in turn",
        **{service.name: service.what for service in services},
    }
    return results


def _expected() -> Mapping[str, Any]:
    """What `sheetrun run` says of the cells that are compared."""
    command = [sys.executable, "-m", "tests.bench.ours", "run", str(BOOK.path), *BOOK.probes]
    sample = run(command, environment=ENVIRONMENT)
    if sample.failure:
        raise RuntimeError(sample.failure)
    cells: dict[str, Any] = json.loads(sample.output)["cells"]
    return cells


def _crowd(service: Service, python: Path, clients: int, seconds: float) -> dict[str, Any]:
    told = (service.kind, service.url, service.key, str(BOOK.path), str(clients), str(seconds), *BOOK.probes)
    done = subprocess.run([str(python), CROWD, *told], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the clients of {service.name} failed: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _cell(service: Service, python: Path, clients: int, seconds: float, expected: Mapping[str, Any]) -> Cell:
    begun, before = time.time(), cost(service.processes())
    found = _crowd(service, python, clients, seconds)
    after = cost(service.processes())
    wrong = sum(bool(differences(expected, answer)) for answer in found["answers"])
    return Cell(
        jobs=found["jobs"],
        wall=found["wall"],
        ends=tuple(found["ends"]),
        values=tuple(found["values"]),
        faults=tuple(found["faults"]),
        wrong=wrong if found["jobs"] else 1,
        own=after.own - before.own,
        below=after.below - before.below,
        memory=after.memory,
        processes=after.processes,
        client_cpu=found["cpu"],
        functions=_functions(service, begun),
    )


def _functions(service: Service, since: float) -> Functions:
    """Calls of each function since then and their time in seconds, as the emulator reports them."""
    return service.functions(since) if service.functions is not None else {}


if __name__ == "__main__":
    sys.exit(main())
