"""``sheetrun status``: how far a job is, or what became of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sheetrun.client.progress import ProgressLine
from sheetrun.client.service_options import add_service, connect, job_line, show_job

if TYPE_CHECKING:
    from sheetrun.client.values import Job


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", help="the job (default: the latest ones)")
    parser.add_argument("--state", help="without ID: only jobs in this state")
    parser.add_argument("--limit", metavar="N", type=int, default=20, help="without ID: how many (default: 20)")
    parser.add_argument("--wait", action="store_true", help="wait for the end; exit code 1 if the job fails")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    with connect(arguments) as client:
        if arguments.id is None:
            jobs = client.jobs(state=arguments.state, page_size=max(1, min(100, arguments.limit)))
            for _, job in zip(range(arguments.limit), jobs, strict=False):
                print(json.dumps(job.raw) if arguments.json else job_line(job))
            return 0
        if arguments.wait:
            with ProgressLine() as progress:
                job = client.wait(arguments.id, on_progress=lambda news: show_job(progress, news), check=False)
        else:
            job = client.job(arguments.id)
    if arguments.json:
        print(json.dumps(job.raw, indent=1, ensure_ascii=False))
    else:
        for line in job_lines(job):
            print(line)
    return 1 if job.ended and not job.succeeded else 0


def job_lines(job: Job) -> Iterator[str]:
    """The job for a person: where it is, when it got there, what it found."""
    yield job_line(job)
    if not job.ended:
        yield f"  {job.progress.percent:.0f} %  {job.progress.message}".rstrip()
    for state, moment in sorted(job.timestamps.items(), key=lambda item: item[1]):
        yield f"  {moment}  {state.replace('_', ' ')}"
    if job.error is not None:
        for error in job.error.errors[:10]:
            yield f"  {error.cell or '-'}: {error.detail} [{error.code}]"
    if job.results:
        yield f"  results: {', '.join(sorted(job.results))}"
    if job.expires_at is not None and job.ended:
        yield f"  kept until {job.expires_at:%Y-%m-%d %H:%M} UTC"
