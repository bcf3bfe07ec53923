"""Workbooks made in memory for tests of the compiler: cells and blocks by address in, computed cells out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sheetrun.compiler.script import Script, compile_workbook
from sheetrun.formula.a1 import parse_cell
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, box
from sheetrun.service.local import Model, Run
from sheetrun.workbook.model import Block, DefinedName, ExternalBook, Grid, Kind, Rect, Settings, Sheet, Table, Workbook

#: What stands in a sheet, by address: a constant, or a formula ("=…" one result per cell of the range, "{=…}" an array
#: formula, "#=…" a dynamic array that spilled over the range).
Cells = Mapping[str, Any]


def rect_of(address: str) -> Rect:
    """``"B2"`` or ``"B2:C9"`` as a rectangle, 0-based."""
    first, _, last = address.partition(":")
    top, left = parse_cell(first)
    bottom, right = parse_cell(last or first)
    return Rect(top, left, bottom, right)


def workbook_of(
    *sheets: Cells,
    titles: list[str] | None = None,
    names: Mapping[str | tuple[int, str], str] | None = None,
    tables: list[Table] | None = None,
    externals: list[ExternalBook] | None = None,
    cached: Cells | None = None,
    settings: Settings | None = None,
    filename: str = "book.xlsx",
) -> Workbook:
    """A workbook with sheets Sheet1, Sheet2 … (or ``titles``). ``cached``: values for formula cells of the first sheet.

    ``names``: name -> definition without ``=``; the key (sheet, name) makes it local.
    """
    strings: list[str] = []
    made = []
    for index, cells in enumerate(sheets):
        title = titles[index] if titles else f"Sheet{index + 1}"
        made.append(_sheet(title, cells, cached or {} if index == 0 else {}, strings))
    return Workbook(
        made,
        strings,
        names=[
            DefinedName(key, text) if isinstance(key, str) else DefinedName(key[1], text, key[0])
            for key, text in (names or {}).items()
        ],
        tables=tables or [],
        externals=externals or [],
        settings=settings or Settings(),
        filename=filename,
    )


def _sheet(title: str, cells: Cells, cached: Cells, strings: list[str]) -> Sheet:
    blocks = []
    constants: dict[tuple[int, int], Any] = {}
    for address, value in cells.items():
        rect = rect_of(address)
        block = _block(rect, value)
        if block is not None:
            blocks.append(block)
        else:
            constants[rect.top, rect.left] = value
    for address, value in cached.items():
        rect = rect_of(address)
        constants[rect.top, rect.left] = value
    blocks.sort(key=lambda b: b.rect)
    rects = [b.rect for b in blocks] + [Rect(r, c, r, c) for r, c in constants]
    if not rects:
        return Sheet(title)
    grid = grid_of(constants, strings, max(r.bottom for r in rects) + 1, max(r.right for r in rects) + 1)
    return Sheet(title, grids=[grid], blocks=blocks)


def grid_of(values: Mapping[tuple[int, int], Any], strings: list[str], rows: int, columns: int) -> Grid:
    """Cells from A1 on; texts are added to ``strings``."""
    num, tag = np.zeros((rows, columns)), np.full((rows, columns), EMPTY, np.int32)
    for (row, col), value in values.items():
        num[row, col], tag[row, col] = _stored(value, strings)
    return Grid(0, 0, num, tag)


def _block(rect: Rect, value: Any) -> Block | None:
    if not isinstance(value, str):
        return None
    for start, end, kind in (("{=", "}", Kind.ARRAY), ("#=", "", Kind.DYNAMIC), ("=", "", Kind.NORMAL)):
        if value.startswith(start):
            return Block(rect, value.removeprefix(start).removesuffix(end), kind)
    return None


def _stored(value: Any, strings: list[str]) -> tuple[float, int]:
    if value is None:
        return 0.0, EMPTY
    if isinstance(value, bool):
        return float(value), LOGICAL
    if isinstance(value, dict):
        return box(value["error"]), NUMBER
    if isinstance(value, str):
        strings.append(value.removeprefix("'"))
        return 0.0, TEXT + len(strings) - 1
    return float(value), NUMBER


def run(workbook: Workbook, inputs: Mapping[str, Any] | None = None) -> Run:
    """Computes it in this process."""
    return Model(Path("book.xlsx"), workbook, 0.0).run(inputs, sandboxed=False)


def computed(*sheets: Cells, **options: Any) -> dict[str, Any]:
    """Every formula cell of ``workbook_of(*sheets)``, by address; those of the first sheet without its name."""
    workbook = workbook_of(*sheets, **options)
    cells = run(workbook).cells()
    return {name.removeprefix("Sheet1!"): value for name, value in cells.items()}


def script_of(*sheets: Cells, **options: Any) -> Script:
    return compile_workbook(workbook_of(*sheets, **options))


def error(code: str) -> dict[str, str]:
    """An Excel error as a JSON value."""
    return {"error": code}
