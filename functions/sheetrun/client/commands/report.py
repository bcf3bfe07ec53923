"""``sheetrun report``: a workbook computed here, as a page that a person reads: does it match Excel, and where not.

The page is one HTML file that loads nothing; --graph writes its picture of how blocks depend on each other alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sheetrun.client.commands.run import headline
from sheetrun.client.console import say, write
from sheetrun.client.pipeline import execute


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.xlsx", help="the workbook")
    parser.add_argument("--set", metavar="REF=VALUE", action="append", default=[], help="set a cell before calculating")
    parser.add_argument("-o", "--output", metavar="OUT.html", help="where to write it (default: FILE.report.html)")
    parser.add_argument("--graph", metavar="OUT.svg", help="write the graph alone, too")


def run(arguments: argparse.Namespace) -> int:
    target = arguments.output or f"{Path(arguments.file).name}.report.html"
    done = execute(arguments.file, arguments.set)
    write(target, done.results["report"][1])
    if arguments.graph is not None:
        write(arguments.graph, done.results["graph"][1])
    if target != "-":
        print(f"{arguments.file}: {headline(dict(done.report), changed=bool(arguments.set))}")
        say(f"  wrote {target}")
    return 0
