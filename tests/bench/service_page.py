"""The figures of the two services as Markdown, and their place in docs/benchmarks.md."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from .report import PAGE, table

BEGIN: Final = "<!-- service: written by `make bench-service` -->"
END: Final = "<!-- /service -->"

Functions = dict[str, tuple[int, float]]  #: name -> calls, seconds


@dataclass(frozen=True, slots=True)
class Cell:
    """One service with so many clients. Seconds; ``ends``: until the end was known, ``values``: until they were there.

    ``own``: CPU of the service's own processes (web server, broker, emulator), ``below``: of the workers or functions.
    ``wrong``: kinds of answers that are not ours; no job at all is one.
    """

    jobs: int
    wall: float
    ends: tuple[float, ...]
    values: tuple[float, ...]
    faults: tuple[str, ...]
    wrong: int
    own: float
    below: float
    memory: float
    processes: int
    client_cpu: float
    functions: Functions

    @property
    def rate(self) -> float:
        return self.jobs / self.wall

    def each(self, seconds: float) -> float:
        """Milliseconds a job."""
        return 1000 * seconds / max(1, self.jobs)

    def __str__(self) -> str:
        middle = statistics.median(self.values) if self.values else float("nan")
        known = statistics.median(self.ends) if self.ends else float("nan")
        calls = ", ".join(
            f"{name} {count / max(1, self.jobs):.1f}×{1000 * seconds / count:.0f}"
            for name, (count, seconds) in sorted(self.functions.items())
        )
        return (
            f"{self.rate:5.1f} jobs/s, end {known:.2f} s, values {middle:.2f} s, "
            f"CPU {self.each(self.own):.0f} + {self.each(self.below):.0f} ms, {self.memory:.0f} MB in {self.processes}, "
            f"{len(self.faults)} faults, {self.wrong} wrong {calls} {self.faults[:1] or ''}"
        )


@dataclass(slots=True)
class Results:
    """All of one run."""

    machine: dict[str, str]
    services: list[str]
    clients: list[int]
    cells: dict[tuple[str, int], list[Cell]] = field(default_factory=dict)

    def median(self, service: str, clients: int, figure: Callable[[Cell], float]) -> float:
        return statistics.median(figure(cell) for cell in self.cells[service, clients])


def write(results: Results) -> None:
    """Replaces what stands between the marks; the words around it are kept."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n\n{measured(results)}\n\n{END}{tail}", encoding="utf-8")


def measured(results: Results) -> str:
    parts = ["\n".join(table(("", ""), list(results.machine.items()))), "\n".join(_cells(results))]
    if ratios := _ratios(results):
        parts.append("\n".join(ratios))
    parts += ["\n".join(lines) for lines in (_functions(results), _answers(results)) if lines]
    return "\n\n".join(parts)


def _quantile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


_FIGURES: Final[tuple[tuple[str, Callable[[Cell], float], str], ...]] = (
    ("jobs a second", lambda cell: cell.rate, ".1f"),
    ("end known, median, s", lambda cell: _quantile(cell.ends, 0.5), ".2f"),
    ("values there, median, s", lambda cell: _quantile(cell.values, 0.5), ".2f"),
    ("95 of 100, s", lambda cell: _quantile(cell.values, 0.95), ".2f"),
    ("CPU of the service's own processes, ms a job", lambda cell: cell.each(cell.own), ".0f"),
    ("CPU of workers or functions, ms a job", lambda cell: cell.each(cell.below), ".0f"),
    ("memory, MB", lambda cell: cell.memory, ".0f"),
    ("processes", lambda cell: cell.processes, ".0f"),
)


def _cells(results: Results) -> list[str]:
    rows = []
    for clients in results.clients:
        for service in results.services:
            figures = [f"{results.median(service, clients, figure):{form}}" for _, figure, form in _FIGURES]
            rows.append([f"{clients}", service, *figures])
    return table(("clients", "service", *(name for name, _, _ in _FIGURES)), rows)


def _ratios(results: Results) -> list[str]:
    if len(results.services) < 2:
        return []
    rows = []
    for clients in results.clients:
        figures = []
        for _, figure, _ in (*_FIGURES[:4], ("", lambda cell: cell.each(cell.own + cell.below), "")):
            theirs, ours = (results.median(service, clients, figure) for service in results.services)
            figures.append(f"{ours / theirs:.2f} ×" if theirs else "–")
        rows.append([f"{clients}", *figures])
    return table(("sheetrun to celery, clients", *(name for name, _, _ in _FIGURES[:4]), "CPU a job"), rows)


def _functions(results: Results) -> list[str]:
    """Of the embedded service: how often each function is called for a job, and how long it takes."""
    rows = []
    names = sorted({name for cells in results.cells.values() for cell in cells for name in cell.functions})
    for name in names:
        figures = []
        for clients in results.clients:
            cells = [cell for cell in results.cells["sheetrun", clients] if name in cell.functions]
            jobs = sum(cell.jobs for cell in cells)
            count = sum(cell.functions[name][0] for cell in cells)
            seconds = sum(cell.functions[name][1] for cell in cells)
            figures.append(f"{count / jobs:.1f} of {1000 * seconds / count:.0f} ms" if jobs and count else "–")
        rows.append([name, *figures])
    heads = [f"{clients} clients" if clients > 1 else "1 client" for clients in results.clients]
    return table(("calls of each function a job, and their time", *heads), rows) if rows else []


def _answers(results: Results) -> list[str]:
    cells = [cell for found in results.cells.values() for cell in found]
    jobs, faults = sum(cell.jobs for cell in cells), [fault for cell in cells for fault in cell.faults]
    wrong = sum(cell.wrong for cell in cells)
    said = "all as `sheetrun run` says" if not wrong else f"**{wrong} kinds of answers differ**"
    lines = [f"Answers of {jobs:,} jobs were compared, {said}; {len(faults)} jobs failed."]
    return [*lines, *(f"- {fault}" for fault in sorted(set(faults))[:5])]
