"""One worksheet: chooses how its XML is read, and puts together what was gathered."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from sheetrun.workbook.fastrows import FastRows
from sheetrun.workbook.gather import Context, Gatherer
from sheetrun.workbook.model import Rect, Sheet
from sheetrun.workbook.sheetparser import Outline, SheetParser

#: Widths and hidden flags of columns far right of the data are of no use, and there may be 16,384 of them.
_COLUMNS_KEPT_BESIDE_DATA = 256


def read_sheet(
    name: str,
    part: str,
    chunks: Iterable[bytes],
    context: Context,
    *,
    visible: bool = True,
    table_filters: Iterable[Rect] = (),
    fast: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Sheet:
    """One worksheet. ``progress`` gets the bytes of each piece, and the workbook's cells so far.

    Raises DamagedWorkbook, LimitExceeded.
    """
    gatherer = Gatherer(name, context)
    parser = SheetParser(part, gatherer)
    way: SheetParser | FastRows = FastRows(parser, gatherer) if fast else parser
    for chunk in chunks:
        way.feed(chunk)
        cells = gatherer.check_size()
        if progress is not None:
            progress(len(chunk), cells)
    way.close()
    return finish_sheet(name, gatherer, parser.outline, visible=visible, table_filters=table_filters)


def finish_sheet(
    name: str, gatherer: Gatherer, outline: Outline, *, visible: bool, table_filters: Iterable[Rect]
) -> Sheet:
    grids = gatherer.finish_grids()
    filters = [*([outline.filter] if outline.filter else []), *table_filters]
    hidden = frozenset(outline.hidden_rows)
    # A filter hides rows under its header; an advanced filter leaves no <autoFilter>, only filterMode.
    filtered = _inside(hidden, filters)
    if outline.filter_mode and not filters:
        filtered = hidden
    widest = max((grid.rect.right for grid in grids), default=0) + _COLUMNS_KEPT_BESIDE_DATA
    widths: dict[int, float] = {}
    hidden_columns: set[int] = set()
    for first, last, width, is_hidden in outline.columns:
        kept = range(first, min(last, widest) + 1)
        if width is not None:
            widths.update(dict.fromkeys(kept, width))
        if is_hidden:
            hidden_columns.update(kept)
    return Sheet(
        name=name,
        visible=visible,
        grids=grids,
        blocks=gatherer.finish_blocks(),
        uncached=gatherer.finish_uncached(),
        hidden_rows=hidden,
        filtered=bool(filters) or outline.filter_mode,
        filtered_rows=filtered,
        hidden_columns=frozenset(hidden_columns),
        column_widths=widths,
        formats=gatherer.finish_formats(),
        validations=outline.validations.found,
    )


def _inside(rows: frozenset[int], filters: list[Rect]) -> frozenset[int]:
    """The rows under the header of one of the filters."""
    ordered = np.array(sorted(rows), dtype=np.int64)
    chosen = np.zeros(len(ordered), dtype=bool)
    for rect in filters:
        first, last = np.searchsorted(ordered, (rect.top + 1, rect.bottom + 1))
        chosen[first:last] = True
    return frozenset(ordered[chosen].tolist())
