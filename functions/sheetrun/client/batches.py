"""Many jobs in one call: what goes in (an item a job), and what a service says of them together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any, BinaryIO

from sheetrun.client.errors import SheetrunError
from sheetrun.client.values import ENDED, SUCCESSES, CellValue, Job, jobs_of
from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One job of a batch. ``custom_id`` is yours, unique in the batch; default: the file's name."""

    file: str | os.PathLike[str] | bytes | BinaryIO
    custom_id: str = ""
    filename: str | None = None
    kind: str | None = None
    task: str | None = None
    inputs: Mapping[str, CellValue] | None = None
    outputs: Sequence[str] | None = None
    priority: str | None = None
    webhook_url: str | None = None
    deadline_seconds: int | None = None
    retain_seconds: int | None = None
    metadata: Mapping[str, str] | None = None

    def options(self) -> dict[str, Any]:
        """The members of the job request beside the file's own."""
        names = ("kind", "task", "inputs", "outputs", "priority", "webhook_url")
        more = ("deadline_seconds", "retain_seconds", "metadata")
        return {name: getattr(self, name) for name in (*names, *more)}


@dataclass(frozen=True, slots=True)
class Batch:
    """``counts`` is jobs by state (with ``total``). ``upload_errors``: custom id -> why its file did not arrive."""

    id: str
    counts: Mapping[str, int]
    jobs: tuple[Job, ...] = ()
    upload_errors: Mapping[str, SheetrunError] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def total(self) -> int:
        return self.counts.get("total", sum(self.counts.values()))

    @property
    def ended(self) -> bool:
        return sum(count for state, count in self.counts.items() if state in ENDED) >= self.total

    @property
    def succeeded(self) -> bool:
        """Every job has ended with its results."""
        return sum(self.counts.get(state, 0) for state in SUCCESSES) >= self.total

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Batch:
        counts = raw.get("counts")
        known = {str(k): v for k, v in counts.items() if isinstance(v, int)} if isinstance(counts, Mapping) else {}
        return cls(str(raw.get("id", "")), known, tuple(Job.of(item) for item in jobs_of(raw)), raw=raw)


def settle_names(items: Sequence[BatchItem | str | os.PathLike[str] | bytes | BinaryIO]) -> list[BatchItem]:
    """Items with a custom id each. Raises ValueError for two with the same, and for bytes without any name."""
    settled = []
    for number, item in enumerate(items, 1):
        made = item if isinstance(item, BatchItem) else BatchItem(item)
        if not made.custom_id:
            name = made.filename or (Path(made.file).name if isinstance(made.file, str | os.PathLike) else "")
            made = replace(made, custom_id=name or f"item-{number}")
        settled.append(made)
    seen: set[str] = set()
    for made in settled:
        if made.custom_id in seen:
            raise ValueError(f"two jobs of the batch are called {made.custom_id!r}: give each a custom_id")
        seen.add(made.custom_id)
    return settled
