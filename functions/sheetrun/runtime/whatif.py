"""What-if data tables: a formula computed again for each pair of headers.

Microsoft, "Calculate multiple results by using a data table"; ECMA-376 part 1, 18.3.1.40 (``t="dataTable"``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sheetrun.runtime.address import Span, read_span
from sheetrun.runtime.cells import Numbers, Tags
from sheetrun.runtime.values import Arr, Scalar

if TYPE_CHECKING:
    from sheetrun.runtime.sheet import Area, Sheet


def data_table(sheet: Sheet, span: Span, row: str | None, column: str | None, through: Sequence[str]) -> None:
    """Fills a table. With both inputs the formula stands in the corner; with one it stands at the head of each column
    (``column``: the headers to the left go into that cell) or row."""
    book = sheet.book
    set_before = dict(book.overrides)  # an input cell may hold a formula: while it is set, that does not count
    before = [[(area, area.num.copy(), area.tag.copy()) for area in s.areas] for s in book.sheets]
    failures = len(book.failures)
    height, width = span.shape
    above = [sheet.cell(span.top - 1, span.left + j) for j in range(width)]
    beside = [sheet.cell(span.top + i, span.left - 1) for i in range(height)]
    results: list[list[Scalar]] = [[None] * width for _ in range(height)]
    # One computation serves a whole column or row where only one input changes.
    if row is not None and column is not None:
        for i, left in enumerate(beside):
            for j, top in enumerate(above):
                _set(sheet, row, top)
                _set(sheet, column, left)
                book.again(through)
                results[i][j] = sheet.cell(span.top - 1, span.left - 1)
    elif column is not None:
        for i, left in enumerate(beside):
            _set(sheet, column, left)
            book.again(through)
            for j in range(width):
                results[i][j] = sheet.cell(span.top - 1, span.left + j)
    elif row is not None:
        for j, top in enumerate(above):
            _set(sheet, row, top)
            book.again(through)
            for i in range(height):
                results[i][j] = sheet.cell(span.top + i, span.left - 1)
    book.overrides = set_before
    _restore(before)
    del book.failures[failures:]  # those of the trials; the cells' own were recorded before
    sheet.store_array(span, Arr.rows(results))


def _set(sheet: Sheet, address: str, value: Scalar) -> None:
    span, _ = read_span(address)
    sheet.book.override(sheet.index, span.top, span.left, value)


def _restore(before: list[list[tuple[Area, Numbers, Tags]]]) -> None:
    for areas in before:
        for area, num, tag in areas:
            if area.num.shape == num.shape:
                area.num[...], area.tag[...] = num, tag
