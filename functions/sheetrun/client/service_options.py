"""What the commands that talk to a service share: its address and key, and a job in a line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sheetrun.client.console import count, seconds
from sheetrun.client.values import ENDED

if TYPE_CHECKING:
    from sheetrun.client.api import Client
    from sheetrun.client.batches import Batch
    from sheetrun.client.progress import ProgressLine
    from sheetrun.client.values import Job


def add_service(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("service")
    group.add_argument("--url", metavar="URL", help="its address, https://…/v1 (default: SHEETRUN_URL)")
    group.add_argument("--key", metavar="KEY", help="your key (default: SHEETRUN_KEY)")


def connect(arguments: argparse.Namespace) -> Client:
    """Raises NotConfigured."""
    from sheetrun.client.api import Client

    return Client(arguments.url, arguments.key)


def job_line(job: Job) -> str:
    """``model.xlsx  succeeded  1,204 formulas, all 1,190 as in Excel  job_01J…``."""
    parts = [job.filename or job.id, job.state]
    report = job.report
    if report is not None and report.formulas:
        told = [count(report.formulas, "formula")]
        if report.compared and not report.raw.get("inputs_changed"):  # other inputs: a difference is what was asked for
            same = report.matched == report.compared
            told.append(
                f"all {report.compared:,} as in Excel"
                if same
                else f"{report.matched:,} of {report.compared:,} as in Excel"
            )
        if report.unsupported:
            told.append(f"{report.unsupported:,} not supported")
        if report.duration_ms:
            told.append(seconds(sum(report.duration_ms.values()) / 1000))
        parts.append(", ".join(told))
    elif report is not None and isinstance(report.raw.get("scenarios"), int):
        failed = report.raw.get("failed")
        parts.append(count(report.raw["scenarios"], "scenario") + (f", {failed:,} with an error" if failed else ""))
    elif not job.ended and job.progress.total:
        parts.append(f"{job.progress.percent:.0f} %")
    if job.error is not None:
        parts.append(f"{job.error.detail or job.error.title} [{job.error.code}]")
    parts.append(job.id)
    return "  ".join(parts)


def batch_line(batch: Batch) -> str:
    """``3 jobs: 2 succeeded, 1 failed  batch_01J…``."""
    told = ", ".join(f"{n} {state.replace('_', ' ')}" for state, n in sorted(batch.counts.items()) if state != "total")
    return f"{count(batch.total, 'job')}: {told}  {batch.id}"


def show_batch(progress: ProgressLine, batch: Batch) -> None:
    """The batch's news on the progress line."""
    done = sum(number for state, number in batch.counts.items() if state in ENDED)
    progress.show(batch.id, 100 * done / max(1, batch.total), f"{done} of {batch.total} done")


def show_job(progress: ProgressLine, job: Job) -> None:
    """The job's news on the progress line."""
    stage = job.state.replace("_", " ")
    message = job.progress.message
    progress.show(job.filename or job.id, job.progress.percent, f"{stage}: {message}" if message else stage)
