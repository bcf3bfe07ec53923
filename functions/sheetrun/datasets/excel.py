"""A worksheet as CSV: the first visible sheet with a table in it, dates as dates, so that the rest reads one format."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sheetrun.datasets.errors import DatasetError
from sheetrun.runtime.cells import EMPTY, LOGICAL, TEXT, unbox
from sheetrun.workbook.model import Grid, Sheet, Workbook
from sheetrun.workbook.reader import read

MOST_TITLES: Final = 20  #: lines above a table

#: What is left of a number format without texts, escapes, colours and conditions has one of these for a date.
_NOISE: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h|m|s)[^\]]*\]', re.IGNORECASE)
_DATE: Final = re.compile(r"[ymdhs]", re.IGNORECASE)


def sheet_as_csv(data: bytes, filename: str) -> tuple[bytes, str]:
    """(CSV in UTF-8, the sheet's name). Raises WorkbookError, and DatasetError when no sheet holds a table."""
    workbook = read(data, filename=filename)
    for sheet in workbook.sheets:
        if sheet.visible and not sheet.is_chart:
            table = _table(workbook, sheet)
            if table is not None:
                return table, sheet.name
    raise DatasetError("no_rows", "No visible sheet holds a table of at least two rows.")


def _table(workbook: Workbook, sheet: Sheet) -> bytes | None:
    """The used cells as CSV; empty rows and columns, and lines of title above the table, are left out.

    None when there are fewer than two rows. Rows are made twice and never kept: as texts they are many times as large.
    """
    grid = max(sheet.grids, key=lambda one: one.num.size, default=None)
    if grid is None:
        return None
    dates = _date_cells(workbook, sheet)
    used: set[int] = set()
    filled: list[int] = []
    for _, row in _filled_rows(workbook, grid, dates):
        columns = [column for column, text in enumerate(row) if text]
        used.update(columns)
        filled.append(len(columns))
    kept = sorted(used)
    start = next((index for index, count in enumerate(filled) if count >= max(1, len(kept) / 2)), 0)
    if start > MOST_TITLES:
        start = 0
    if len(filled) - start < 2:
        return None
    out = io.BytesIO()
    text = io.TextIOWrapper(out, "utf-8", errors="replace", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    for index, row in _filled_rows(workbook, grid, dates):
        if index >= start:
            writer.writerow([row[column] for column in kept])
    text.detach()
    return out.getvalue()


def _filled_rows(
    workbook: Workbook, grid: Grid, dates: list[tuple[int, int, int, int]]
) -> Iterator[tuple[int, list[str]]]:
    """Rows with something in them, numbered from 0."""
    rows = (_row(workbook, grid, index, dates) for index in range(grid.num.shape[0]))
    return enumerate(row for row in rows if any(row))


def _row(workbook: Workbook, grid: Grid, index: int, dates: list[tuple[int, int, int, int]]) -> list[str]:
    row = grid.top + index
    spans = [(left, right) for top, left, bottom, right in dates if top <= row <= bottom]
    found = []
    for offset, (number, tag) in enumerate(zip(grid.num[index].tolist(), grid.tag[index].tolist(), strict=True)):
        if tag >= TEXT:
            found.append(workbook.strings[tag - TEXT])
        elif tag == EMPTY:
            found.append("")
        elif tag == LOGICAL:
            found.append("true" if number else "false")
        elif number != number:
            found.append("#N/A" if unbox(number) == "#N/A" else "")
        else:
            column = grid.left + offset
            is_date = any(left <= column <= right for left, right in spans)
            found.append(_moment(number, workbook.settings.date1904) if is_date else _plain(number))
    return found


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _moment(serial: float, date1904: bool) -> str:
    try:
        moment = datetime(1904, 1, 1) if date1904 else datetime(1899, 12, 30)
        moment += timedelta(seconds=round(serial * 86400))
    except OverflowError:
        return _plain(serial)
    return moment.strftime("%Y-%m-%d" if serial == int(serial) else "%Y-%m-%d %H:%M:%S")


def _date_cells(workbook: Workbook, sheet: Sheet) -> list[tuple[int, int, int, int]]:
    """Rectangles whose number format is a date's."""
    return [
        (rect.top, rect.left, rect.bottom, rect.right)
        for style, rects in sheet.formats.items()
        if style < len(workbook.number_formats) and _DATE.search(_NOISE.sub("", workbook.number_formats[style]))
        for rect in rects
    ]
