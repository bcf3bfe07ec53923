"""``sheetrun limits``: what you may do, and what is left of it; for operators, what a client may.

sheetrun limits                                        your own
sheetrun limits acme --set running_jobs=4 --set bytes_per_day=standard
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from sheetrun.client.console import Usage
from sheetrun.client.service_options import add_service, connect


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("client", metavar="CLIENT", nargs="?", help="a client (with an operator's key)")
    parser.add_argument(
        "--set",
        metavar="NAME=N",
        action="append",
        default=[],
        help="requests_per_minute, calls_per_minute, uploads_per_day, "
        "bytes_per_day, running_jobs or jobs_under_way; =standard to reset",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    changes = changes_of(arguments.set)
    if changes and arguments.client is None:
        raise Usage("--set needs a CLIENT")
    with connect(arguments) as client:
        if arguments.client is None:
            found = client.limits()
        elif changes:
            found = client.operator.set_limits(arguments.client, **changes)
        else:
            found = client.operator.client(arguments.client)
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        for quota in found.get("limits", ()):
            print(line_of(quota))
    return 0


def changes_of(texts: list[str]) -> dict[str, int | None]:
    """Raises Usage."""
    changes: dict[str, int | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not (value.isdecimal() or value == "standard"):
            raise Usage(f"--set {text!r} is not NAME=NUMBER or NAME=standard")
        changes[name] = None if value == "standard" else int(value)
    return changes


def line_of(quota: Mapping[str, Any]) -> str:
    """``jobs  599 of 600 requests left in 60 s``."""
    window = quota.get("window_seconds")
    left = f"{quota['remaining']:,} of {quota['limit']:,} {quota['unit']} left"
    return f"{quota['name']:<16}{left}" + (f", per {window:,} s" if window else "")
