"""What is run, as tasks: every engine on every workbook, the scenarios, the phases, the real workbooks."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import libreoffice
from .catalogue import REAL, ROOT, SWEEPS, Book
from .measure import ONE_THREAD, Task, run

OURS: Final = "sheetrun run"
INSIDE: Final = "in process"
FLOOR: Final = "floor"
LIMIT: Final = "NumPy by hand"
PEERS: Final = ("formualizer", "ironcalc")
SLOW_PEERS: Final = ("pycel", "formulas")

_ENGINES: Final = str(Path(__file__).parent / "peers" / "engines.py")
_SWEEP_SECONDS: Final = 4.0  #: of each peer's recalculations


@dataclass(frozen=True, slots=True)
class Peers:
    """Python with the peers' packages, and which of them it has: name -> version."""

    python: str
    versions: dict[str, str]


def peers(python: Path, names: Sequence[str]) -> Peers:
    """Those that are installed."""
    found = {}
    for name in names if python.exists() else ():
        sample = run([str(python), "-c", f"import importlib.metadata as m; print(m.version({name!r}))"])
        if not sample.failure:
            found[name] = sample.output.strip()
    return Peers(str(python), found)


def whole(books: Sequence[Book], others: Peers) -> list[Task]:
    """Load and calculate, in a process each."""
    tasks: list[Task] = []
    for book in books:
        path = str(book.path)
        gets = [word for cell in book.probes for word in ("--get", cell)]
        tasks.append(Task(book.name, OURS, (_sheetrun(), "run", path, *gets)))
        tasks.append(Task(book.name, INSIDE, _ours("run", path, *book.probes), environment=ONE_THREAD))
        tasks.append(Task(book.name, FLOOR, (sys.executable, "-c", "import numpy"), environment=ONE_THREAD))
        for peer in others.versions:
            tasks.append(Task(book.name, peer, (others.python, _ENGINES, peer, "run", path, *book.probes)))
        if office := libreoffice.task(book):
            tasks.append(office)
    return tasks


def phases(books: Sequence[Book]) -> list[Task]:
    return [_phases(book.name, str(book.path)) for book in books]


def _phases(name: str, path: str) -> Task:
    return Task(name, "phases", _ours("phases", path), seconds=120.0, environment=ONE_THREAD)


def sweeps(books: Sequence[Book], others: Peers) -> list[Task]:
    """Scenarios: ours in one call, peers one after another."""
    tasks: list[Task] = []
    paths = {book.name: str(book.path) for book in books}
    for sweep in SWEEPS:
        path = paths[sweep.book]
        span = (sweep.cell, str(sweep.low), str(sweep.high))
        ours = _ours("sweep", path, str(sweep.ours), *span, *sweep.outputs)
        tasks.append(Task(sweep.book, OURS, ours, environment=ONE_THREAD))
        for peer in others.versions:
            if peer != "formulas":
                told = (peer, "sweep", path, str(_SWEEP_SECONDS), *span, *sweep.outputs)
                tasks.append(Task(sweep.book, peer, (others.python, _ENGINES, *told)))
        if sweep.book.startswith("chain"):
            by_hand = ("1000", str(sweep.ours), *span[1:])
            command = (sys.executable, "-m", "tests.bench.limit", *by_hand)
            tasks.append(Task(sweep.book, LIMIT, command, environment=ONE_THREAD))
    return tasks


def real() -> list[Task]:
    """Nothing where the corpus is not beside the project."""
    folder = Path(os.environ.get("SHEETRUN_CORPUS", ROOT.parent / "shared" / "corpus" / "open"))
    tasks = []
    for name, file in REAL.items():
        path = next((str(place) for place in (folder / file, folder / "open" / file) if place.exists()), None)
        if path:
            tasks.append(Task(name, OURS, (_sheetrun(), "run", path)))
            tasks.append(Task(name, "report", _ours("report", path), environment=ONE_THREAD))
            tasks.append(_phases(name, path))
    return tasks


def _sheetrun() -> str:
    return str(Path(sys.executable).parent / "sheetrun")


def _ours(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.bench.ours", *words)
