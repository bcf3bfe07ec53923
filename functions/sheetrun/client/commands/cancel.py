"""``sheetrun cancel``: stops jobs."""

from __future__ import annotations

import argparse

from sheetrun.client.console import say
from sheetrun.client.errors import ApiError
from sheetrun.client.service_options import add_service, connect


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="ID", nargs="+", help="jobs")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    failed = False
    with connect(arguments) as client:
        for one in arguments.ids:
            try:
                print(f"{one}  {client.cancel(one).state}", flush=True)
            except ApiError as error:
                if error.status not in (404, 409):  # those are of this job alone; others would meet the next one too
                    raise
                failed = True
                say(f"sheetrun: {one}: {error}")
    return 1 if failed else 0
