"""What ``make run`` shows: the sample workbook sent through a service as any client would, and what came back."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sheetrun.client.api import Client
from sheetrun.client.commands.fetch import file_name
from sheetrun.client.console import seconds
from sheetrun.client.literals import show_value
from sheetrun.client.progress import ProgressLine
from sheetrun.client.service_options import job_line, show_job
from sheetrun.client.values import Job

#: Where results for a look go, below the folder that the command was started in.
FOLDER = Path(".sheetrun") / "sample"
_RESULTS = ("report", "graph", "script", "workbook", "values")
_SUMMARIES = ("dashboard", "summary", "results", "outputs")


def run_sample(url: str, key: str, path: Path, folder: Path = FOLDER) -> None:
    """Submits, waits, prints, and puts the results into ``folder``. Raises SheetrunError."""
    with Client(url, key) as client:
        begun = time.monotonic()
        with ProgressLine() as progress:
            progress.show(path.name, 0, "uploading")
            job = client.wait(client.submit(path), 300, lambda news: show_job(progress, news))
        took = time.monotonic() - begun
        print(f"\n{job_line(job)}")
        print(f"  from upload to result in {seconds(took)}\n")
        for line in value_table(highlights(client.values(job), labels(path))):
            print(line)
        print()
        for line in fetched(client, job, folder):
            print(line)
        print(f"\n  sheetrun status {job.id}", flush=True)
    sys.stdout.flush()


def labels(path: Path) -> dict[str, str]:
    """Reference -> the text in the cell to its left."""
    from sheetrun.formula.a1 import quote_sheet, range_name
    from sheetrun.runtime.cells import TEXT
    from sheetrun.workbook.reader import read

    workbook = read(path)
    found = {}
    for sheet in workbook.sheets:
        if sheet.name.casefold() not in _SUMMARIES:
            continue
        for grid in sheet.grids:
            rows, columns = grid.tag.shape
            for row in range(rows):
                for column in range(columns - 1):
                    if grid.tag[row, column] >= TEXT:
                        place = (grid.top + row, grid.left + column + 1)
                        text = workbook.strings[int(grid.tag[row, column]) - TEXT]
                        found[f"{quote_sheet(sheet.name)}!{range_name(*place, *place)}"] = text
    return found


def highlights(cells: Mapping[str, Any], named: Mapping[str, str], limit: int = 14) -> list[tuple[str, str, Any]]:
    """(reference, label, value) of a sheet that sums up, else of the last cells."""
    chosen = [(ref, named[ref], value) for ref, value in cells.items() if ref in named and value is not None]
    return chosen[:limit] if chosen else [(ref, "", value) for ref, value in list(cells.items())[-limit:]]


def value_table(rows: Sequence[tuple[str, str, Any]]) -> list[str]:
    """Labels, references and values in columns, values to the right."""
    wide = max((len(label) for _, label, _ in rows), default=0)
    far = max((len(reference) for reference, _, _ in rows), default=0)
    return [f"  {label:<{wide}}  {reference:<{far}}  {_shown(value):>12}" for reference, label, value in rows]


def _shown(value: Any) -> str:
    if isinstance(value, float) and abs(value - round(value)) > 1e-9 * max(1.0, abs(value)):
        return f"{value:,.4f}" if abs(value) < 1000 else f"{value:,.2f}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,.0f}"
    return show_value(value)


def fetched(client: Client, job: Job, folder: Path) -> list[str]:
    """A line a result, with the file that it went to."""
    lines = []
    for name in _RESULTS:
        if name in job.results:
            target = folder / file_name(job.filename, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            client.fetch(job, name, target)
            lines.append(f"  {name:<9} {target}")
    return lines
