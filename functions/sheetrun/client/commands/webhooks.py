"""``sheetrun webhooks``: who is told how jobs end.

list · create URL · delete ID · secret ID · rotate ID · enable ID · test ID · deliveries ID · replay ID DELIVERY.
A secret is printed by create, secret and rotate; keep it where the receiver verifies (standardwebhooks.com).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from sheetrun.client.console import Usage
from sheetrun.client.service_options import add_service, connect

if TYPE_CHECKING:
    from sheetrun.client.api import Client
    from sheetrun.client.receivers import Delivery, Endpoint

#: Action -> what it needs beside its name.
ACTIONS = {
    "list": (),
    "create": ("URL",),
    "delete": ("ID",),
    "secret": ("ID",),
    "rotate": ("ID",),
    "enable": ("ID",),
    "test": ("ID",),
    "deliveries": ("ID",),
    "replay": ("ID", "DELIVERY"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=list(ACTIONS), metavar="ACTION", nargs="?", default="list", help="see below")
    parser.add_argument("of", metavar="ID", nargs="*", help="what it is done to")
    parser.add_argument(
        "--event", metavar="TYPE", action="append", help="with create: only these, job.failed and so on"
    )
    parser.add_argument("--status", choices=["pending", "succeeded", "failed"], help="with deliveries: only these")
    parser.add_argument("--json", action="store_true", help="print lines of JSON, as the service gives them")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    needed = ACTIONS[arguments.action]
    if len(arguments.of) != len(needed):
        raise Usage(f"sheetrun webhooks {' '.join((arguments.action, *needed))}")
    with connect(arguments) as client:
        for line in _lines(client, arguments):
            print(line, flush=True)
    return 0


def _lines(client: Client, arguments: argparse.Namespace) -> list[str]:
    hooks, of = client.webhooks, arguments.of
    endpoint: Callable[[Endpoint], str] = (lambda one: json.dumps(one.raw)) if arguments.json else endpoint_line
    delivery: Callable[[Delivery], str] = (lambda one: json.dumps(one.raw)) if arguments.json else delivery_line
    match arguments.action:
        case "list":
            return [endpoint(one) for one in hooks.list()]
        case "create":
            made = hooks.create(of[0], events=arguments.event)
            return [endpoint(made)] if arguments.json else [endpoint(made), str(made.secret)]
        case "delete":
            hooks.delete(of[0])
            return []
        case "secret":
            return list(hooks.secrets(of[0]).all)
        case "rotate":
            return [hooks.rotate(of[0]).current]
        case "enable":
            return [endpoint(hooks.enable(of[0]))]
        case "test":
            return [delivery(hooks.test(of[0]))]
        case "deliveries":
            return [delivery(one) for one in hooks.deliveries(of[0], status=arguments.status)]
        case _:
            return [delivery(hooks.replay(*of))]


def endpoint_line(one: Endpoint) -> str:
    """``whk_…  enabled  https://…``, and what is wrong with it."""
    parts = [one.id, "enabled" if one.enabled else f"disabled ({one.disabled_reason})", one.url]
    if one.of_jobs:
        parts.append("(of jobs)")
    if one.paused_until is not None:
        parts.append(f"paused until {_time(one.paused_until)}")
    elif one.failing_since is not None:
        parts.append(f"failing since {_time(one.failing_since)}")
    return "  ".join(parts)


def delivery_line(one: Delivery) -> str:
    """``dlv_…  2026-…  job.succeeded  job_…  failed  500 500 timeout``."""
    tried = " ".join(str(attempt.status_code or attempt.error) for attempt in one.attempts)
    parts = [one.id, _time(one.created_at), one.type, one.job or "-", one.status, tried]
    if one.next_attempt_at is not None:
        parts.append(f"again at {_time(one.next_attempt_at)}")
    return "  ".join(part for part in parts if part)


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
