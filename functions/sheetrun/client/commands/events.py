"""``sheetrun events``: a job's story, a line an event, until the job has ended."""

from __future__ import annotations

import argparse
import json

from sheetrun.client.service_options import add_service, connect


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the job")
    parser.add_argument("--after", metavar="N", type=int, default=0, help="leave out the first N events")
    parser.add_argument("--no-follow", action="store_true", help="print what there is, and stop")
    parser.add_argument("--json", action="store_true", help="print each event as a line of JSON")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    with connect(arguments) as client:
        for event in client.events(arguments.id, after=arguments.after, follow=not arguments.no_follow):
            moment = event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if event.at else ""
            if arguments.json:
                line = json.dumps({"id": event.id, "type": event.type, "at": moment, "data": dict(event.data)})
            else:
                facts = " ".join(f"{name}={_short(value)}" for name, value in event.data.items())
                line = f"{event.id:>4}  {moment}  {event.type}  {facts}".rstrip()
            print(line, flush=True)
    return 0


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:59]}…"
