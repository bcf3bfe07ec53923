"""``sheetrun submit``: files to a service; prints a job id a line, or with --wait how each one ended.

sheetrun submit model.xlsx --set Inputs!B2=7% --wait && sheetrun fetch …
irr=$(sheetrun submit model.xlsx --set Inputs!B2=7% --get IRR --wait)
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from sheetrun.client.console import Usage, say
from sheetrun.client.literals import parse_assignments, value_lines
from sheetrun.client.progress import ProgressLine
from sheetrun.client.service_options import add_service, batch_line, connect, job_line, show_batch, show_job


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="workbooks or datasets")
    parser.add_argument("--set", metavar="REF=VALUE", action="append", default=[], help="set a cell before calculating")
    parser.add_argument(
        "--get",
        metavar="REF",
        action="append",
        default=[],
        help="calculate only these cells; with --wait their values are printed, one a line",
    )
    parser.add_argument("--kind", choices=("workbook", "dataset"), help="default: from the task, else from the name")
    parser.add_argument("--task", help="for a dataset: profile, data_quality, correlations …")
    parser.add_argument("--priority", choices=("low", "normal", "high"))
    parser.add_argument("--webhook", metavar="URL", help="where the end of the job is reported")
    parser.add_argument("--deadline", metavar="S", type=int, help="seconds after which the job is given up")
    parser.add_argument("--meta", metavar="NAME=VALUE", action="append", default=[], help="your own labels")
    parser.add_argument("--replaces", metavar="ID", help="a model that the workbook is the next version of")
    parser.add_argument("--batch", action="store_true", help="all files in one call, as a batch; its id is printed")
    parser.add_argument("--wait", action="store_true", help="wait for the end; exit code 1 if a job fails")
    parser.add_argument("--timeout", metavar="S", type=float, help="with --wait: stop waiting after so many seconds")
    parser.add_argument("--json", action="store_true", help="print each job as a line of JSON")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    options = job_options(arguments)
    if arguments.replaces is not None and (arguments.batch or len(arguments.files) > 1):
        raise Usage("--replaces is for one file")
    if arguments.batch:
        return _batch(arguments, options)
    failed = False
    with connect(arguments) as client, ProgressLine() as progress:
        jobs = []
        for file in arguments.files:
            progress.show(file, 0, "uploading")
            jobs.append(client.submit(file, **options, replaces=arguments.replaces))
            if not arguments.wait:
                progress.clear()
                print(json.dumps(jobs[-1].raw) if arguments.json else jobs[-1].id, flush=True)
        for job in jobs if arguments.wait else ():
            done = client.wait(job, arguments.timeout, lambda news: show_job(progress, news), check=False)
            progress.clear()
            failed = failed or not done.succeeded
            if arguments.json or not arguments.get:
                print(json.dumps(done.raw) if arguments.json else job_line(done), flush=True)
                continue
            say(job_line(done))
            if done.succeeded:
                cells = client.values(done)
                print("\n".join(line for ref in arguments.get for line in value_lines(cells[ref])), flush=True)
    return 1 if failed else 0


def _batch(arguments: argparse.Namespace, options: dict[str, Any]) -> int:
    """One batch; with --wait, how many jobs came to which end."""
    if arguments.get and arguments.wait:
        raise Usage("--get prints values of single jobs; leave out --batch")
    from sheetrun.client.batches import BatchItem

    items = [BatchItem(file, custom_id=file, **options) for file in arguments.files]
    with connect(arguments) as client, ProgressLine() as progress:
        batch = client.submit_batch(items)
        for custom_id, error in batch.upload_errors.items():
            say(f"sheetrun: {custom_id}: {error}")
        if arguments.wait:
            batch = client.wait_batch(batch, arguments.timeout, lambda news: show_batch(progress, news))
    print(json.dumps(batch.raw) if arguments.json else batch_line(batch) if arguments.wait else batch.id, flush=True)
    return 0 if not batch.upload_errors and (not arguments.wait or batch.succeeded) else 1


def job_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The arguments of ``Client.submit``. Raises Usage."""
    metadata = {}
    for label in arguments.meta:
        name, equals, value = label.partition("=")
        if not equals or not name:
            raise Usage(f"--meta {label!r} is not NAME=VALUE")
        metadata[name] = value
    return {
        "inputs": parse_assignments(arguments.set) or None,
        "outputs": arguments.get or None,
        "kind": arguments.kind,
        "task": arguments.task,
        "priority": arguments.priority,
        "webhook_url": arguments.webhook,
        "deadline_seconds": arguments.deadline,
        "metadata": metadata or None,
    }
