"""``sheetrun batch``: how far a batch is (see ``sheetrun submit --batch``), and what can be done with all of it at once.

--results and --errors print a line of JSON a job: custom_id, id, state, filename, and where its results are or its error.
"""

from __future__ import annotations

import argparse
import json

from sheetrun.client.progress import ProgressLine
from sheetrun.client.service_options import add_service, batch_line, connect, show_batch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the batch")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--cancel", action="store_true", help="stop all that has not ended")
    what.add_argument("--retry", action="store_true", help="resume what failed")
    what.add_argument("--results", action="store_true", help="print the manifest of results")
    what.add_argument("--errors", action="store_true", help="print the manifest of errors")
    parser.add_argument("--wait", action="store_true", help="wait for the end; exit code 1 unless all succeed")
    parser.add_argument("--timeout", metavar="S", type=float, help="with --wait: stop waiting after so many seconds")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    with connect(arguments) as client, ProgressLine() as progress:
        if arguments.cancel:
            batch = client.cancel_batch(arguments.id)
        elif arguments.retry:
            batch = client.retry_batch(arguments.id)
        else:
            batch = client.batch(arguments.id)
        if arguments.wait:
            batch = client.wait_batch(batch, arguments.timeout, lambda news: show_batch(progress, news))
            progress.clear()
        if arguments.results or arguments.errors:
            lines = client.batch_results(batch) if arguments.results else client.batch_errors(batch)
            for line in lines:
                print(json.dumps(line, ensure_ascii=False))
        else:
            print(json.dumps(batch.raw, ensure_ascii=False) if arguments.json else batch_line(batch))
    return 1 if arguments.wait and not batch.succeeded else 0
