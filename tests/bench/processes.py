"""What a program and all that it started cost: CPU seconds and memory, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """``own``: CPU seconds of the processes named; ``below``: of those that they started, the ended ones too.
    ``memory``: MB of all of them together, where what they share counts once (PSS)."""

    own: float
    below: float
    memory: float
    processes: int

    @property
    def cpu(self) -> float:
        return self.own + self.below


def cost(roots: Iterable[int]) -> Cost:
    """Of these processes and everything below them. One that ends meanwhile is counted by whoever waited for it."""
    parents: dict[int, int] = {}
    cpu: dict[int, tuple[float, float]] = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            ticks = [int(field) for field in fields[11:15]]
            parents[int(place.name)] = int(fields[1])
            cpu[int(place.name)] = ((ticks[0] + ticks[1]) / _TICKS, (ticks[2] + ticks[3]) / _TICKS)
    named = set(roots) & set(cpu)
    found = set(named)
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    own = sum(cpu[pid][0] for pid in named)
    below = sum(cpu[pid][0] for pid in found - named) + sum(cpu[pid][1] for pid in found)
    return Cost(own, below, sum(map(_memory, found)), len(found))


def _memory(pid: int) -> float:
    """MB. What has shut itself in may not be looked into: of that, all that is resident counts."""
    for name, mark in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            lines = Path(f"/proc/{pid}/{name}").read_text().splitlines()
        except OSError:  # it ended meanwhile, or see above
            continue
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(mark)), 0.0)
    return 0.0
