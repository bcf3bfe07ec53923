"""Reads an .xlsx or .xlsm file into a ``Workbook``: the one entry point for files that come from outside."""

from __future__ import annotations

import os
from collections.abc import Callable

from sheetrun.runtime.pivots import Pivot
from sheetrun.workbook.book import SheetEntry, read_book
from sheetrun.workbook.errors import LimitExceeded
from sheetrun.workbook.externals import read_external
from sheetrun.workbook.gather import Context
from sheetrun.workbook.model import Sheet, Table, Workbook
from sheetrun.workbook.package import Limits, Package, load_source, open_package
from sheetrun.workbook.pivots import read_pivots
from sheetrun.workbook.richvalues import read_cell_metadata
from sheetrun.workbook.sheet import read_sheet
from sheetrun.workbook.strings import Pool, read_shared_strings
from sheetrun.workbook.styles import GENERAL, read_number_formats
from sheetrun.workbook.tables import read_tables

#: (bytes of sheet XML done, in all, cells so far, sheet); may raise to cancel
Progress = Callable[[int, int, int, str], None]

LEAST_CELL = 16  #: bytes of a cell with a value: <c><v>1</v></c>
_WITHOUT_CELLS = frozenset({"chartsheet", "dialogsheet", "module"})


def read(
    source: bytes | str | os.PathLike[str],
    *,
    filename: str = "",
    limits: Limits | None = None,
    progress: Progress | None = None,
    fast: bool = True,
) -> Workbook:
    """The workbook in a file, with formulas as blocks and the values that Excel cached.

    ``fast=False`` reads all XML with expat; the result is the same. Raises WorkbookError (see ``errors``), and
    OSError when ``source`` is a path that cannot be read.
    """
    limits = limits or Limits()
    package = open_package(load_source(source, limits), limits)
    book = read_book(package, limits)
    formats = _number_formats(package, limits)
    metadata, errors = read_cell_metadata(package)
    context = Context(
        pool=Pool(_shared_strings(package, limits), limits),
        limits=limits,
        date1904=book.settings.date1904,
        dynamic=metadata.dynamic,
        formatted=[code != GENERAL for code in formats],
        rich_errors=errors,
    )
    total = sum(package.size(entry.part) for entry in book.sheets if entry.kind not in _WITHOUT_CELLS)
    if total > LEAST_CELL * limits.cells:
        _refuse_too_many(package, book.sheets, limits)
    meter = _Meter(progress, total)
    sheets: list[Sheet] = []
    tables: list[Table] = []
    pivots: list[Pivot] = []
    for index, entry in enumerate(book.sheets):
        sheets.append(_sheet(package, entry, index, context, tables, meter, fast))
        pivots.extend(read_pivots(package, entry.part, index))
    externals = [read_external(package, part, number + 1, context) for number, part in enumerate(book.links)]
    if not filename and not isinstance(source, bytes):
        filename = os.path.basename(source)
    return Workbook(
        sheets=sheets,
        strings=context.pool.texts,
        names=book.names,
        tables=tables,
        externals=externals,
        pivots=pivots,
        settings=book.settings,
        number_formats=formats,
        filename=filename,
    )


def _refuse_too_many(package: Package, sheets: list[SheetEntry], limits: Limits) -> None:
    """Counts values before any is kept: a workbook that will be refused must not take the memory of one that is read."""
    count = 0
    for entry in sheets:
        if entry.kind not in _WITHOUT_CELLS:
            for chunk in package.chunks(entry.part):
                count += chunk.count(b"<v>") + chunk.count(b":v>")
            if count > limits.cells:
                raise LimitExceeded(
                    f"The workbook has {count:,} cells up to here; the limit is {limits.cells:,}.",
                    part=entry.name,
                    code="too_many_cells",
                )


class _Meter:
    """Adds up bytes for ``progress``."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self.sheet = ""

    def __call__(self, count: int, cells: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total, cells, self.sheet)


def _sheet(
    package: Package, entry: SheetEntry, index: int, context: Context, tables: list[Table], meter: _Meter, fast: bool
) -> Sheet:
    if entry.kind in _WITHOUT_CELLS:
        return Sheet(name=entry.name, visible=entry.visible, is_chart=True)
    found, filters = read_tables(package, entry.part, index)
    tables.extend(found)
    meter.sheet = entry.name
    return read_sheet(
        entry.name,
        entry.part,
        package.chunks(entry.part),
        context,
        visible=entry.visible,
        table_filters=filters,
        fast=fast,
        progress=meter,
    )


def _shared_strings(package: Package, limits: Limits) -> list[str]:
    part = package.related(package.workbook, "sharedStrings")
    if part is None:
        return []
    size = package.size(part)
    if size > limits.string_bytes:  # before anything is unpacked: the part is read as a whole
        raise LimitExceeded(
            f"The texts have {size:,} bytes; the limit is {limits.string_bytes:,}.", part=part, code="too_many_strings"
        )
    return read_shared_strings(package.chunks(part), part, limits)


def _number_formats(package: Package, limits: Limits) -> list[str]:
    part = package.related(package.workbook, "styles")
    return read_number_formats(package.chunks(part), part, limits) if part else []
