"""Writes values back into the user's own file: only what is inside changed cells differs, byte for byte.

Charts, styles, pivots, macros and everything else that this program does not understand stay as they were, since
their parts are copied as they lie in the zip, still compressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sheetrun.workbook.archive import Limits, rebuild
from sheetrun.workbook.book import read_book
from sheetrun.workbook.model import Grid
from sheetrun.workbook.package import open_package
from sheetrun.workbook.patch import Changes, patch_sheet
from sheetrun.workbook.richvalues import read_cell_metadata
from sheetrun.workbook.strings import read_shared_strings


def write_back(
    source: bytes, values: Mapping[int, Iterable[Grid]], strings: Sequence[str], *, limits: Limits | None = None
) -> bytes:
    """The file ``source`` with new values of cells.

    ``values``: by index of the sheet, grids of values as in ``runtime.cells`` (text ``i`` is ``strings[i]``); where
    grids overlap the later one counts. A cell that already has its value keeps its bytes; a pending one (negative
    tag) is left alone; an empty one loses its value; one that the file does not have is inserted, with the style of
    its row or column. Formulas are never touched. Raises WorkbookError as ``read`` does, IndexError for a sheet
    that is not there.
    """
    limits = limits or Limits()
    package = open_package(source, limits)
    book = read_book(package, limits)
    positions = {entry.name.lower(): position for position, entry in enumerate(package.archive.entries)}
    shared: list[str] | None = None
    rich_errors = read_cell_metadata(package)[1]
    replaced: dict[int, bytes] = {}
    for index, grids in sorted(values.items()):
        changes = _changes(grids, strings)
        part = book.sheets[index].part
        if changes is None or not part:
            continue
        if shared is None:
            shared_part = package.related(package.workbook, "sharedStrings")
            shared = read_shared_strings(package.chunks(shared_part), shared_part, limits) if shared_part else []
        before = package.archive.read(package.entry(part))
        after = patch_sheet(before, changes, shared, part, rich_errors)
        if after != before:
            replaced[positions[part.lower()]] = after
    return rebuild(package.archive, replaced) if replaced else source


def _changes(grids: Iterable[Grid], strings: Sequence[str]) -> Changes | None:
    """All cells of the grids by (row, column), each once; None when there are none."""
    found = [grid for grid in grids if grid.num.size]
    if not found:
        return None
    rows, cols = [], []
    for grid in found:
        height, width = grid.num.shape
        rows.append(np.repeat(np.arange(grid.top, grid.top + height), width))
        cols.append(np.tile(np.arange(grid.left, grid.left + width), height))
    row, col = np.concatenate(rows), np.concatenate(cols)
    num = np.concatenate([grid.num.ravel() for grid in found])
    tag = np.concatenate([grid.tag.ravel() for grid in found])
    known = tag >= 0
    if not known.any():
        return None
    row, col, num, tag = row[known], col[known], num[known], tag[known]
    order = np.lexsort((np.arange(len(row)), col, row))
    row, col, num, tag = row[order], col[order], num[order], tag[order]
    last = np.ones(len(row), dtype=bool)
    last[:-1] = (row[1:] != row[:-1]) | (col[1:] != col[:-1])
    return Changes(row[last], col[last], num[last], tag[last], strings)
