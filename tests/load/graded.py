"""The graded workbooks, submitted together and again and again: all must finish, with the values that Excel stored."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sheetrun.client import Client, Job

GRADED = (
    "cthurber+Dynamic_DCF/Valuation.xlsx",
    "anthofflab+MimiDICE2013.jl/data/DICE_2013_Excel.xlsx",
    "kaylai+VESIcal/Calibration/PublishedExcelCalculators/Allison et al 2019/AllisonSupplement2.xlsx",
    "EnergyInnovation+eps-canada/InputData/io-model/TLIM/Total Leontief Inverse Matrix.xlsx",
    "anthofflab+MimiRICE2010.jl/data/RICE_2010_base_000.xlsx",
)


@dataclass(frozen=True)
class Graded:
    """One job's outcome; ``seconds`` from submission to the end."""

    filename: str
    state: str
    compared: int
    matched: int
    seconds: float
    error: str = ""

    @property
    def right(self) -> bool:
        return self.state in ("succeeded", "partially_succeeded") and 0 < self.compared == self.matched


def corpus() -> Path | None:
    """The folder with the open corpus, if it is on this machine."""
    given = os.environ.get("SHEETRUN_CORPUS")
    place = Path(given) if given else Path(__file__).parents[3] / "shared" / "corpus" / "open"
    return place if (place / GRADED[0]).exists() else None


def run(client: Client, folder: Path, *, jobs: int, every: float, tell: Callable[[str], None]) -> Sequence[Graded]:
    """``jobs`` submissions, the workbooks in turn, one every so many seconds (0: at once); then all to their end."""
    begun: list[tuple[Job, float]] = []
    start = time.monotonic()
    for number in range(jobs):
        time.sleep(max(0.0, start + number * every - time.monotonic()))
        moment = time.monotonic()
        begun.append((client.submit(folder / GRADED[number % len(GRADED)]), moment))
    done = []
    for job, _ in begun:
        last = client.wait(job, timeout=1800, check=False)
        report = last.report
        ended = last.raw["timestamps"].get(last.state, "")
        queued = last.raw["timestamps"].get("awaiting_upload", "")
        done.append(
            Graded(
                filename=last.filename or "",
                state=last.state,
                compared=report.compared if report else 0,
                matched=report.matched if report else 0,
                seconds=_between(queued, ended),
                error="" if last.error is None else f"{last.error.code}: {last.error.detail}",
            )
        )
        one = done[-1]
        tell(f"  {one.filename}: {one.state}, {one.matched:,} of {one.compared:,}, {one.seconds:.1f} s")
    return done


def _between(first: str, last: str) -> float:
    if not first or not last:
        return 0.0
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()
