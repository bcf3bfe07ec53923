"""Runs a generated script by itself: ``python model.py [--set REF=VALUE]… [--get REF]… [--json]``.

The data of the workbook stand beside the script (``model.py`` and ``model.data``).
"""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from sheetrun.runtime.address import cell_address, read_span
from sheetrun.runtime.book import Book, Step
from sheetrun.runtime.errors import ExcelError
from sheetrun.runtime.payload import RunInput
from sheetrun.runtime.values import Scalar


def main(steps: list[Step], script: str, argv: Sequence[str] | None = None) -> None:
    """Computes the workbook and prints cells. ``script``: the path of the script, its data stand beside it."""
    import argparse

    parser = argparse.ArgumentParser(prog=Path(script).name, description="A workbook as a Python program.")
    parser.add_argument("--set", metavar="SHEET!CELL=VALUE", action="append", default=[], help="set a cell first")
    parser.add_argument("--get", metavar="SHEET!CELL", action="append", default=[], help="print these cells alone")
    parser.add_argument("--now", metavar="TIME", type=datetime.datetime.fromisoformat, help="what the clock says")
    parser.add_argument("--seed", metavar="N", type=int, help="where random numbers start")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    data = Path(script).with_suffix(".data")
    try:
        source = RunInput.from_bytes(data.read_bytes())
    except FileNotFoundError:
        parser.exit(1, f"{parser.prog}: the data of the workbook are missing: {data} must stand beside the script\n")
    from sheetrun.runtime.host import run_steps

    names = [s.name for s in source.sheets]
    try:
        overrides = [_setting(text, names) for text in options.set]
        wanted = [_place(text, names) for text in options.get]
    except ValueError as error:
        parser.error(str(error))
    from dataclasses import replace

    now = source.now if options.now is None else options.now.replace(tzinfo=None)
    seed = source.seed if options.seed is None else options.seed
    book, _ = run_steps(steps, replace(source, overrides=[*source.overrides, *overrides], now=now, seed=seed))
    if not wanted:
        wanted = [(book[name].index, *span) for s in steps for name, span in s.targets]
    _print(book, wanted, as_json=options.json, bare=bool(options.get))


def _setting(text: str, names: list[str]) -> tuple[int, int, int, Scalar]:
    reference, mark, value = text.partition("=")
    if not mark:
        raise ValueError(f"--set {text}: write it as SHEET!CELL=VALUE")
    sheet, row, col, *_ = _place(reference, names)
    return sheet, row, col, read_value(value)


def read_value(text: str) -> Scalar:
    """A value as typed: a number, TRUE, FALSE, nothing (an empty cell), or text (quotes around it are taken off)."""
    if text == "":
        return None
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    try:
        return float(text)
    except ValueError:
        return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _place(text: str, names: list[str]) -> tuple[int, int, int, int, int]:
    sheet, _, address = text.rpartition("!")
    sheet = sheet.strip("'").replace("''", "'")
    found = next((i for i, n in enumerate(names) if n.casefold() == sheet.casefold()), 0 if not sheet else None)
    if found is None:
        raise ValueError(f"{text}: there is no sheet {sheet!r}; the sheets are {', '.join(names)}")
    return (found, *read_span(address)[0])


def _print(book: Book, wanted: Sequence[tuple[int, int, int, int, int]], *, as_json: bool, bare: bool) -> None:
    cells = {}
    for index, top, left, bottom, right in wanted:
        for row in range(top, bottom + 1):
            for col in range(left, right + 1):
                sheet = book.sheets[index]
                cells[f"{quoted(sheet.name)}!{cell_address(row, col)}"] = _plain(sheet.cell(row, col))
    if as_json:
        json.dump(cells, sys.stdout, indent=1)
        print()
        return
    for name, value in cells.items():
        shown = value["error"] if isinstance(value, dict) else value
        print(shown if bare else f"{name} = {shown}")


def quoted(sheet: str) -> str:
    """A sheet's name as Excel writes it in a reference."""
    plain = re.fullmatch(r"[^\W\d][\w.]*", sheet) and not re.fullmatch(
        r"[A-Za-z]{1,3}\d+|[Rr]\d*[Cc]?\d*|[Cc]\d*", sheet
    )
    return sheet if plain else "'" + sheet.replace("'", "''") + "'"


def _plain(value: Scalar) -> object:
    return {"error": value.code} if isinstance(value, ExcelError) else value
