"""``sheetrun calculate``: a workbook on the service, called with other inputs.

--set REF=VALUE   as in `sheetrun run`. --get REF prints the value alone, one cell a line; without it, all outputs.
--explain REF     the cells from the inputs to an output, with their formulas and values.
--goal REF=NUMBER --by REF   the value of an input for which an output is a number; --between LOW HIGH says where.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sheetrun.client.console import Usage, say
from sheetrun.client.literals import has_date, parse_assignment, parse_assignments, show_value, value_lines
from sheetrun.client.service_options import add_service, connect

if TYPE_CHECKING:
    from sheetrun.client.api import Client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the model")
    parser.add_argument("--set", metavar="REF=VALUE", action="append", default=[], help="set a cell before calculating")
    parser.add_argument("--get", metavar="REF", action="append", default=[], help="print a cell, a range or a name")
    parser.add_argument("--explain", metavar="REF", action="append", default=[], help="tell how an output came about")
    parser.add_argument("--goal", metavar="REF=NUMBER", help="seek the input for which a cell is a number")
    parser.add_argument("--by", metavar="REF", help="with --goal: the input")
    parser.add_argument("--between", metavar=("LOW", "HIGH"), nargs=2, type=float, help="with --goal: where to look")
    parser.add_argument("--pin", metavar="N", type=int, help="of this version (default: the newest)")
    parser.add_argument("--loose", action="store_true", help="also formula cells and values of other types may be set")
    parser.add_argument("--seconds", metavar="S", type=int, help="the longest that it may compute (1 to 25)")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    add_service(parser)


def run(arguments: argparse.Namespace) -> int:
    goal = _goal(arguments)
    common = {"version": arguments.pin, "strict": not arguments.loose, "seconds": arguments.seconds}
    with connect(arguments) as client:
        inputs = parse_assignments(arguments.set, date1904=_date1904(client, arguments))
        if goal is not None:
            bounds = tuple(arguments.between) if arguments.between else None
            sought = client.goal_seek(arguments.id, *goal, arguments.by, bounds=bounds, inputs=inputs, **common)
            print(json.dumps(sought.raw, indent=1, ensure_ascii=False) if arguments.json else show_value(sought.input))
            return 0
        outputs = [*arguments.get, *(name for name in arguments.explain if name not in arguments.get)]
        done = client.calculate(arguments.id, inputs, outputs or None, explain=arguments.explain or False, **common)
    for error in done.errors:
        say(f"sheetrun: {error.get('cell')}: {error.get('detail')}; it kept the value that it had")
    if arguments.json:
        print(json.dumps(done.raw, indent=1, ensure_ascii=False))
        return 0
    for name in arguments.explain:
        _print_chain(done.explain[name])
    if not arguments.explain:
        for name, value in done.outputs.items():
            for line in value_lines(value):
                print(line if arguments.get else f"{name}  {line}")
    return 0


def _goal(arguments: argparse.Namespace) -> tuple[str, float] | None:
    if arguments.goal is None:
        if arguments.by is not None or arguments.between is not None:
            raise Usage("--by and --between go with --goal")
        return None
    if arguments.by is None or arguments.get or arguments.explain:
        raise Usage("--goal needs --by, and neither --get nor --explain")
    name, target = parse_assignment(arguments.goal)
    if isinstance(target, bool) or not isinstance(target, int | float):
        raise Usage(f"--goal {arguments.goal!r} is not REF=NUMBER")
    return name, float(target)


def _date1904(client: Client, arguments: argparse.Namespace) -> bool:
    """How the workbook counts days; asked only when a date is to be set."""
    if not any(has_date(text) for text in arguments.set):
        return False
    return bool(client.model(arguments.id, version=arguments.pin).get("date1904"))


def _print_chain(chain: Mapping[str, Any]) -> None:
    rows = [(step["cell"], _value(step["value"]), step["formula"] or step["label"] or "") for step in chain["steps"]]
    widths = [max((len(row[k]) for row in rows), default=0) for k in (0, 1)]
    for cell, value, about in rows:
        print(f"{cell:<{widths[0]}}  {value:>{widths[1]}}  {about}".rstrip())
    if not chain["complete"]:
        print("… and more: the chain is too long to tell whole")


def _value(value: Any) -> str:
    return "a range" if isinstance(value, list) else show_value(value)
