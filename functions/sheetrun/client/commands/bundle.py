"""``sheetrun bundle``: a workbook as a Python module: script, data, pinned requirements, README and a test.

Unpacked, `python model.py --set Inputs!B2=0.07` computes it, `from model import calculate` imports it, and
`python test_model.py` compares it with the values that Excel stored. It needs Python and NumPy, and not Sheetrun.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sheetrun.client.console import say, size, write
from sheetrun.client.pipeline import execute


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.xlsx", help="the workbook")
    parser.add_argument("-o", "--output", metavar="OUT.zip", help="where to write it (default: FILE.zip)")


def run(arguments: argparse.Namespace) -> int:
    target = arguments.output or f"{Path(arguments.file).stem}.zip"
    content = execute(arguments.file).results["bundle"][1]
    write(target, content)
    if target != "-":
        say(f"  wrote {target}, {size(len(content))}")
    return 0
