"""``sheetrun compile``: the readable Python script of a workbook, to stdout or a file (with its data beside it)."""

from __future__ import annotations

import argparse
from pathlib import Path

from sheetrun.client.console import about, write


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.xlsx", help="the workbook")
    parser.add_argument("-o", "--output", metavar="MODEL.py", default="-", help="where to write it (default: stdout)")


def run(arguments: argparse.Namespace) -> int:
    from sheetrun.service import local

    with about(arguments.file):
        model = local.open_model(arguments.file)
        script = model.script()
    write(arguments.output, script.encode())
    if arguments.output != "-":  # the script finds its constants beside it
        write(str(Path(arguments.output).with_suffix(".data")), model.data())
    return 0
