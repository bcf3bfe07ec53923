"""The figures as Markdown, and the page docs/benchmarks.md that holds them between two marks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from . import libreoffice, start
from .answers import Difference, differences, of_json, of_lines
from .catalogue import BOOKS, GROWTH, REAL, ROOT, SWEEPS
from .measure import Median, Samples
from .plan import FLOOR, INSIDE, LIMIT, OURS
from .start import Start

PAGE: Final = ROOT / "docs" / "benchmarks.md"
BEGIN: Final = "<!-- measured: written by `make bench` -->"
END: Final = "<!-- /measured -->"
AGAIN: Final = "again"
PHASES: Final = ("python", "import", "read", "compile", "data", "check", "load", "run", "prove")


@dataclass(slots=True)
class Results:
    """All of one run. ``machine``: lines of the first table. ``peers``: columns in their order."""

    machine: dict[str, str]
    books: list[str]
    peers: list[str]
    starts: list[Start]
    whole: Samples = field(default_factory=Samples)
    phases: Samples = field(default_factory=Samples)
    sweeps: Samples = field(default_factory=Samples)
    real: Samples = field(default_factory=Samples)

    def wrong(self, book: str, column: str) -> list[Difference]:
        """Cells in which a column differs from `sheetrun run`."""
        ours, theirs = self.whole.median(book, OURS), self.whole.median(book, column)
        if ours is None or theirs is None or ours.failure or theirs.failure or column in (OURS, FLOOR):
            return []
        return differences(of_lines(ours.output, BOOKS[book].probes), of_json(theirs.output))

    def fastest(self, book: str) -> tuple[str, Median] | None:
        """The peer with the least CPU of those that finished with our answers."""
        found = [(peer, self.whole.median(book, peer)) for peer in self.peers if not self.wrong(book, peer)]
        able = [(peer, median) for peer, median in found if median and not median.failure]
        return min(able, key=lambda pair: pair[1].cpu, default=None)

    def ratio(self, book: str) -> float | None:
        """CPU of ours to that of the fastest peer."""
        ours, fastest = self.whole.median(book, OURS), self.fastest(book)
        if ours is None or ours.failure or fastest is None:
            return None
        return ours.cpu / fastest[1].cpu


def page(results: Results) -> None:
    """Replaces what stands between the marks; the words around it are kept."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n\n{measured(results)}\n\n{END}{tail}", encoding="utf-8")


def measured(results: Results) -> str:
    sections = {
        "The run": _machine(results),
        "Load and calculate: CPU, seconds": _whole(results, lambda m: f"{m.cpu:.2f}", ratios=True),
        "The same answers": _answers(results),
        "Load and calculate: wall, seconds": _whole(results, lambda m: f"{m.wall:.2f}"),
        "Load and calculate: peak memory, MB": _whole(results, lambda m: f"{m.peak:.0f}"),
        "Growth": _growth(results),
        "Where our time goes": _phases(results),
        "Scenarios": _sweeps(results),
        "Real workbooks": _real(results),
        "Start of the functions": _starts(results),
        "Where we are behind": _behind(results),
    }
    return "\n\n".join(f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items() if lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _machine(results: Results) -> list[str]:
    return table(("", ""), list(results.machine.items()))


def _whole(results: Results, show: Callable[[Median], str], *, ratios: bool = False) -> list[str]:
    columns = [OURS, INSIDE, FLOOR, *results.peers]
    rows = []
    for name in results.books:
        cells = [_cell(results.whole.median(name, column), show) for column in columns]
        marks = ["≠" if results.wrong(name, column) else "" for column in columns]
        row = [name, f"{BOOKS[name].formulas:,}", *(c + m for c, m in zip(cells, marks, strict=True))]
        if ratios:
            ratio = results.ratio(name)
            row.append("–" if ratio is None else f"**{ratio:.1f} ×**")
        rows.append(row)
    return table(["workbook", "formulas", *columns, *(["ours to the fastest peer"] if ratios else [])], rows)


def _cell(median: Median | None, show: Callable[[Median], str]) -> str:
    if median is None:
        return "–"
    if median.failure:
        return median.failure if median.failure.startswith(">") else "failed"
    return show(median)


def _answers(results: Results) -> list[str]:
    columns = [INSIDE, *results.peers]
    compared, lines = 0, []
    for name in results.books:
        for column in columns:
            median = results.whole.median(name, column)
            if median is None or (median.failure and median.failure.startswith(">")):
                continue
            if median.failure:
                lines.append(f"- {name}, {column}: failed: {median.failure}")
                continue
            compared += len(BOOKS[name].probes)
            found = results.wrong(name, column)
            some = "; ".join(f"{d.cell}: ours {d.ours}, theirs {d.theirs}" for d in found[:4])
            if found:
                lines.append(f"- ≠ {name}, {column}: {len(found)} of {len(BOOKS[name].probes)} cells differ: {some}")
    verdict = "Some differ or failed:" if lines else "All agree."
    return [
        f"{compared} values of {', '.join(columns)} were compared with those of `sheetrun run`. {verdict}",
        "",
        *lines,
    ]


def _growth(results: Results) -> list[str]:
    names = [name for name in GROWTH if name in results.books]
    if len(names) < 2:
        return []
    rows = []
    for column in (OURS, INSIDE, *results.peers):
        medians = [results.whole.median(name, column) for name in names]
        times = [m.cpu for m in medians if m and not m.failure]
        if len(times) == len(names):
            factors = [f"{b / a:.1f}" for a, b in pairwise(times)]
            each = f"{1e6 * times[-1] / BOOKS[names[-1]].formulas:.2f}"
            rows.append([column, *(f"{t:.2f}" for t in times), *factors, each])
    heads = [f"{a} → {b}" for a, b in pairwise(names)]
    return table(["CPU, seconds", *names, *heads, f"µs a formula of {names[-1]}"], rows)


def _phases(results: Results) -> list[str]:
    rows = []
    for name in [*results.books, *REAL]:
        source = results.real if name in REAL else results.phases
        found = _phase(source, name)
        if found:
            whole = sum(found[phase] for phase in PHASES)
            rows.append([name, *(f"{found[phase]:.0f}" for phase in PHASES), f"{whole:.0f}", f"{found[AGAIN]:.1f}"])
    return table(["CPU, ms", *PHASES, "sum", "run again"], rows) if rows else []


def _phase(samples: Samples, name: str) -> dict[str, float] | None:
    """The median of each phase."""
    good = [json.loads(s.output) for s in samples.found.get((name, "phases"), []) if not s.failure]
    if not good:
        return None
    return {phase: sorted(sample[phase] for sample in good)[len(good) // 2] for phase in (*PHASES, AGAIN)}


def _sweeps(results: Results) -> list[str]:
    columns = [OURS, *(peer for peer in results.peers if peer != libreoffice.COLUMN), LIMIT]
    rows, notes = [], []
    for sweep in SWEEPS:
        rates = [_rate(results.sweeps, sweep.book, column) for column in columns]
        peers = [rate for rate in rates[1:-1] if rate]
        ratio = f"**{rates[0] / max(peers):.0f} ×**" if rates[0] and peers else "–"
        alone = _rate(results.sweeps, sweep.book, OURS, "inside")
        shown = [f"{rate:,.0f}" if rate else "–" for rate in (rates[0], alone, *rates[1:])]
        rows.append([sweep.book, str(len(sweep.outputs)), *shown, ratio])
        notes += _sweep_notes(results.sweeps, sweep.book, columns)
    head = [
        "scenarios a second of CPU",
        "cells read",
        OURS,
        "computing alone",
        *columns[1:],
        "ours to the fastest peer",
    ]
    return [*table(head, rows), "", *notes]


def _sweep(samples: Samples, book: str, column: str) -> Mapping[str, Any] | None:
    median = samples.median(book, column)
    if median is None or median.failure:
        return None
    found: dict[str, Any] = json.loads(median.output.strip().splitlines()[-1])
    return found


def _rate(samples: Samples, book: str, column: str, seconds: str = "cpu") -> float | None:
    """The median of the rounds. ``seconds``: which of those that a sample tells."""
    good = [json.loads(s.output) for s in samples.found.get((book, column), []) if not s.failure]
    rates = sorted(sample["count"] / sample[seconds] for sample in good)
    return rates[len(rates) // 2] if rates else None


def _sweep_notes(samples: Samples, book: str, columns: Sequence[str]) -> list[str]:
    ours = _sweep(samples, book, OURS)
    notes = []
    if ours and ours["in_turn"]:
        notes.append(f"- {book}: ours were computed one after another: {ours['in_turn']}")
    for column in columns:
        median, theirs = samples.median(book, column), _sweep(samples, book, column)
        if median and median.failure:
            notes.append(f"- {book}, {column}: {median.failure}")
        elif ours and theirs:
            found = differences(ours["cells"], theirs["cells"])
            some = "; ".join(f"{d.cell}: ours {d.ours}, theirs {d.theirs}" for d in found[:4])
            if found:
                notes.append(f"- ≠ {book}, {column}: {len(found)} of {len(ours['cells'])} cells differ: {some}")
    return notes


def _real(results: Results) -> list[str]:
    rows = []
    for name in REAL:
        whole, inside = results.real.median(name, OURS), results.real.median(name, "report")
        if whole is None or inside is None:
            continue
        if whole.failure or inside.failure:
            rows.append([name, "–", whole.failure or inside.failure or "", "–", "–", "–"])
            continue
        found = json.loads(inside.output)
        match = f"{found['matched']:,} of {found['compared']:,}"
        speed = [f"{whole.cpu:.2f}", f"{whole.wall:.2f}", f"{whole.peak:.0f}"]
        rows.append([name, f"{found['formulas']:,}", match, *speed])
    if not rows:
        return []
    return table(["workbook", "formulas", "as in Excel, of those compared", "CPU, s", "wall, s", "peak, MB"], rows)


def _starts(results: Results) -> list[str]:
    return start.section(results.starts)


def _behind(results: Results) -> list[str]:
    """Every workbook on which a peer needs less CPU than we do, and the three phases that cost us most."""
    lines = []
    for name in results.books:
        ratio, fastest, ours = results.ratio(name), results.fastest(name), results.whole.median(name, OURS)
        if ratio is None or ratio <= 1 or fastest is None or ours is None:
            continue
        found = _phase(results.phases, name) or {}
        most = sorted(((phase, found[phase]) for phase in PHASES if found), key=lambda pair: -pair[1])[:3]
        told = ", ".join(f"{phase} {time:.0f} ms" for phase, time in most) or "not measured"
        lines.append(f"- {name}: {ours.cpu:.2f} s, {fastest[0]} {fastest[1].cpu:.2f} s. Most of ours: {told}.")
    return lines or ["Nowhere in this run."]
