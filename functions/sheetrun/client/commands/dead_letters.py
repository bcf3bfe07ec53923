"""``sheetrun dead-letters``: messages that the service gave up. Needs an operator's key.

list · redrive [ID…] (without ids: the newest hundred) · drop ID…
"""

from __future__ import annotations

import argparse
import json

from sheetrun.client.console import Usage, say
from sheetrun.client.service_options import add_service, connect


def add_arguments(parser: argparse.ArgumentParser) -> None:
    choices = ["list", "redrive", "drop"]
    parser.add_argument("action", choices=choices, metavar="ACTION", nargs="?", default="list", help="see below")
    parser.add_argument("ids", metavar="ID", nargs="*", help="letters")
    parser.add_argument("--json", action="store_true", help="print lines of JSON, as the service gives them")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    ids = arguments.ids
    if (arguments.action == "drop") != bool(ids) and arguments.action != "redrive":
        raise Usage("sheetrun dead-letters list · redrive [ID…] · drop ID…")
    with connect(arguments) as client:
        letters = client.dead_letters
        if arguments.action == "redrive":
            result = letters.redrive(ids or None)
            for one in result.done:
                print(f"{one}  sent once more")
            for one, code in result.skipped.items():
                say(f"sheetrun: {one}: {code}")
            return 1 if result.skipped else 0
        if arguments.action == "drop":
            for one in ids:
                letters.drop(one)
            return 0
        for letter in letters.list():
            moment = letter.at.isoformat(timespec="seconds").replace("+00:00", "Z") if letter.at else ""
            message = json.dumps(letter.message)
            line = f"{letter.id}  {moment}  {letter.source}  {letter.job or '-'}  {message[:60]}"
            print(json.dumps(letter.raw) if arguments.json else line)
    return 0
