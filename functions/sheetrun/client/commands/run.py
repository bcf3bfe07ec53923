"""``sheetrun run``: a workbook compiled and run here, with other inputs, for values, JSON or a recalculated workbook.

--set REF=VALUE   REF: Inputs!B2, 'Sheet with space'!B2, a defined name, Table[Column]. VALUE: 3, 7%, TRUE, #N/A,
                  2026-01-31 (a date), text ("007" in double quotes is text too); nothing after = empties the cell.
--now, --seed     the clock of TODAY and NOW, and the seed of RAND and its kin: with both a run gives the same again.
--get REF         prints the value alone, one cell a line: a range row by row, an empty cell as an empty line.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from sheetrun.client.console import Usage, about, count, json_bytes, say, seconds, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.xlsx", help="the workbook")
    parser.add_argument("--set", metavar="REF=VALUE", action="append", default=[], help="set a cell before calculating")
    parser.add_argument("--get", metavar="REF", action="append", default=[], help="print a cell, a range or a name")
    parser.add_argument("--now", metavar="TIME", help="what the clock says, as 2026-01-31T12:00 (default: the clock)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="where random numbers start (default: 0)")
    parser.add_argument("--json", metavar="OUT", help="write every formula cell and the report as JSON (- for stdout)")
    parser.add_argument("--xlsx", metavar="OUT", help="write the recalculated workbook (- for stdout)")


def run(arguments: argparse.Namespace) -> int:
    targets = [target for target in (arguments.json, arguments.xlsx) if target is not None]
    if targets.count("-") + bool(arguments.get) > 1:
        raise Usage("only one of --get, --json - and --xlsx - can have stdout")
    from sheetrun.client.literals import parse_assignments, parse_clock, value_lines
    from sheetrun.service import local

    now = None if arguments.now is None else parse_clock(arguments.now)
    begun = time.monotonic()
    with about(arguments.file):
        model = local.open_model(arguments.file)
        inputs = parse_assignments(arguments.set, date1904=model.workbook.settings.date1904)
        done = model.run(inputs, now=now, seed=arguments.seed)
    took = time.monotonic() - begun
    for reference in arguments.get:
        with about(reference):
            for line in value_lines(done.get(reference)):
                print(line)
    if arguments.json is not None:
        write(arguments.json, json_bytes({"cells": done.cells(), "report": done.report}))
    if arguments.xlsx is not None:
        write(arguments.xlsx, done.workbook_bytes())
    if not arguments.get and "-" not in targets:
        print(f"{arguments.file}: {headline(done.report, changed=bool(arguments.set))}, {seconds(took)}")
        for target in targets:
            print(f"  wrote {target}")
    _warn(done.report, changed=bool(arguments.set))
    return 0


def headline(report: dict[str, Any], *, changed: bool) -> str:
    """The report in half a line; with changed inputs a difference from Excel's values is what was asked for."""
    parts = [count(report.get("formulas", 0), "formula")]
    if not changed:
        compared, matched = report.get("compared", 0), report.get("matched", 0)
        parts.append(
            f"all {compared:,} as in Excel" if compared == matched else f"{matched:,} of {compared:,} as in Excel"
        )
    if report.get("volatile"):
        parts.append(f"{report['volatile']:,} volatile")
    if report.get("unsupported"):
        parts.append(f"{report['unsupported']:,} not supported")
    return ", ".join(parts)


def _warn(report: dict[str, Any], *, changed: bool) -> None:
    unsupported = report.get("unsupported", 0)
    if unsupported:
        reasons = [f"{e.get('cell')}: {e.get('detail')}" for e in (report.get("errors") or [])[:3]]
        told = f" ({'; '.join(reasons)}{'; …' if unsupported > len(reasons) else ''})" if reasons else ""
        say(f"sheetrun: {count(unsupported, 'cell')} kept Excel's value{told}")
    if not changed and report.get("mismatched"):
        say(f"sheetrun: {count(report['mismatched'], 'cell')} differ from Excel's values; `sheetrun check` shows them")
