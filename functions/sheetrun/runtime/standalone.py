"""Runs a generated script by itself: ``python model.py [--set REF=VALUE]… [--get REF]… [--json]``.

The data of the workbook stand beside the script (``model.py`` and ``model.data``).
"""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from sheetrun.runtime.address import cell_address
from sheetrun.runtime.book import Book
from sheetrun.runtime.calling import Place, Program, plain
from sheetrun.runtime.cells import ERROR_CODES
from sheetrun.runtime.errors import ExcelError
from sheetrun.runtime.inputs import InputError
from sheetrun.runtime.steps import Step
from sheetrun.runtime.values import Scalar


def main(steps: list[Step], script: str, argv: Sequence[str] | None = None) -> None:
    """Computes the workbook and prints cells. ``script``: the path of the script, its data stand beside it."""
    import argparse

    parser = argparse.ArgumentParser(prog=os.path.basename(script), description="A workbook as a Python program.")
    parser.add_argument("--set", metavar="REF=VALUE", action="append", default=[], help="set a cell first")
    parser.add_argument("--get", metavar="REF", action="append", default=[], help="print these cells alone")
    parser.add_argument("--now", metavar="TIME", type=datetime.datetime.fromisoformat, help="what the clock says")
    parser.add_argument("--seed", metavar="N", type=int, help="where random numbers start")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    program = Program(steps, os.path.splitext(script)[0] + ".data")
    clock: dict[str, Any] = {}
    if options.now is not None:
        clock["now"] = options.now.replace(tzinfo=None)
    if options.seed is not None:
        clock["seed"] = options.seed
    try:
        inputs = dict(_setting(text) for text in options.set)
        wanted: list[Place] = [program.place(text) for text in options.get]
        book = program.run(inputs, **clock)
    except (InputError, ValueError) as error:
        parser.error(str(error))
    except FileNotFoundError as error:
        parser.exit(
            1, f"{parser.prog}: the data of the workbook are missing: {error.filename} must stand beside the script\n"
        )
    if not options.get:
        wanted = [(book[name].index, span) for s in steps for name, span in s.targets]
    _print(book, wanted, as_json=options.json, bare=bool(options.get))


def _setting(text: str) -> tuple[str, Scalar]:
    """``REF=VALUE``; a sheet's name in quotes may hold an equals sign."""
    match = re.fullmatch(r"((?:'(?:[^']|'')*'|[^'=])+)=(.*)", text, re.DOTALL)
    if match is None:
        raise ValueError(f"--set {text}: write it as SHEET!CELL=VALUE")
    return match[1].strip(), read_value(match[2])


def read_value(text: str) -> Scalar:
    """A value as typed: a number, TRUE, FALSE, an error, nothing (an empty cell), or text (quotes around it are taken
    off)."""
    if text == "":
        return None
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    if text.upper() in ERROR_CODES:
        return ExcelError(text.upper())
    try:
        return float(text)
    except ValueError:
        return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _print(book: Book, wanted: Iterable[Place], *, as_json: bool, bare: bool) -> None:
    cells = {}
    for index, span in wanted:
        sheet = book.sheets[index]
        for row in range(span.top, span.bottom + 1):
            for col in range(span.left, span.right + 1):
                cells[f"{quoted(sheet.name)}!{cell_address(row, col)}"] = plain(sheet.cell(row, col))
    if as_json:
        json.dump(cells, sys.stdout, indent=1)
        print()
        return
    for name, value in cells.items():
        shown = value["error"] if isinstance(value, dict) else value
        print(shown if bare else f"{name} = {shown}")


def quoted(sheet: str) -> str:
    """A sheet's name as Excel writes it in a reference."""
    plainly = re.fullmatch(r"[^\W\d][\w.]*", sheet) and not re.fullmatch(
        r"[A-Za-z]{1,3}\d+|[Rr]\d*[Cc]?\d*|[Cc]\d*", sheet
    )
    return sheet if plainly else "'" + sheet.replace("'", "''") + "'"
