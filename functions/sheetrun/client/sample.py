"""What ``make run`` shows: the sample workbook sent through a service as any client would, and what came back."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sheetrun.client.api import Client
from sheetrun.client.console import seconds
from sheetrun.client.literals import show_value
from sheetrun.client.progress import ProgressLine
from sheetrun.client.service_options import job_line, show_job
from sheetrun.client.values import Job


def run_sample(url: str, key: str, path: Path) -> None:
    """Submits, waits, prints. Raises SheetrunError."""
    with Client(url, key) as client:
        begun = time.monotonic()
        with ProgressLine() as progress:
            progress.show(path.name, 0, "uploading")
            job = client.wait(client.submit(path), 300, lambda news: show_job(progress, news))
        took = time.monotonic() - begun
        print(f"\n{job_line(job)}")
        print(f"  from upload to result in {seconds(took)}\n")
        for line in value_table(highlights(client.values(job))):
            print(line)
        print()
        for line in links(job):
            print(line)
    sys.stdout.flush()


def highlights(cells: Mapping[str, Any], limit: int = 12) -> list[tuple[str, Any]]:
    """The cells of a sheet that sums up (Dashboard, Summary …), else the last ones."""
    wanted = ("dashboard!", "summary!", "results!", "outputs!")
    chosen = [(ref, value) for ref, value in cells.items() if ref.lower().startswith(wanted) and value is not None]
    return chosen[:limit] if chosen else list(cells.items())[-limit:]


def value_table(rows: Sequence[tuple[str, Any]]) -> list[str]:
    """References and values in two columns, numbers to the right."""
    width = max((len(reference) for reference, _ in rows), default=0)
    return [f"  {reference:<{width}}  {_shown(value):>16}" for reference, value in rows]


def _shown(value: Any) -> str:
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.4f}" if abs(value) < 1000 else f"{value:,.2f}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,.0f}"
    return show_value(value)


def links(job: Job) -> list[str]:
    """Where to look next."""
    names = ("report", "graph", "script", "workbook", "values")
    known = [(name, job.results[name]) for name in names if name in job.results]
    return [f"  {name:<9} {url}" for name, url in known] + [f"  all       sheetrun fetch {job.id}"]
