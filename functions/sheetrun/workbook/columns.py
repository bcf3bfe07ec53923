"""The values of predicted rows, a column at a time: from the bytes in the file to numbers and tags."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from sheetrun.runtime.cells import NUMBER, Numbers, Tags
from sheetrun.workbook.gather import Gatherer
from sheetrun.workbook.rowshape import Columns, RowShape
from sheetrun.workbook.strings import xml_text

_TEXTS = ("str", "inlineStr")


def convert(shape: RowShape, columns: Columns, gatherer: Gatherer, top: int) -> tuple[Numbers, Tags] | None:
    """The values of the rows from ``top`` (0-based): (rows, cells) numbers, and tags like them or of one row for all.

    None when a value needs a closer look. Raises DamagedWorkbook, LimitExceeded.
    """
    count = len(columns[0])
    num = np.zeros((count, len(shape.cols)))
    tag = np.array(shape.fixed, dtype=np.int32)
    tags: dict[int, Tags] = {}  #: place -> a tag for each row
    try:
        for place, kind, column in zip(shape.with_value, shape.kinds, columns, strict=True):
            if kind == "n" and b"" not in column:
                num[:, place] = numbers = np.fromiter(map(float, column), np.float64, count)
                tag[place] = NUMBER
                if not np.isfinite(numbers).all():
                    return None
            elif kind == "s" and b"" not in column:
                tags[place] = gatherer.shared(np.fromiter(map(int, column), np.int32, count))
            elif kind not in _TEXTS:
                if shape.keys[place] < 0 and b"" in column:
                    return None  # an empty <v> of a constant is no cell at all
                num[:, place], tags[place] = _each(column, kind, gatherer, top, shape.cols[place])
        _texts(shape, columns, gatherer, tags)
    except (ValueError, OverflowError):
        return None
    if not tags:
        return num, tag
    tag = np.tile(tag, (count, 1))
    for place, found in tags.items():
        tag[:, place] = found
    return num, tag


def _texts(shape: RowShape, columns: Columns, gatherer: Gatherer, tags: dict[int, Tags]) -> None:
    """All columns of texts together, row by row: texts are numbered in the order of the file."""
    chosen = [index for index, kind in enumerate(shape.kinds) if kind in _TEXTS]
    if chosen:
        rows = zip(*(columns[index] for index in chosen), strict=True)
        found = gatherer.texts(chain.from_iterable(rows)).reshape(-1, len(chosen))
        for order, index in enumerate(chosen):
            tags[shape.with_value[index]] = found[:, order]


def _each(column: Sequence[bytes], kind: str, gatherer: Gatherer, top: int, col: int) -> tuple[Numbers, Tags]:
    """Truth values, errors, dates and empty values: each different one once. Raises ValueError, DamagedWorkbook."""
    known = {}
    for raw in dict.fromkeys(column):
        known[raw] = gatherer.value(top + column.index(raw), col, kind, xml_text(raw))
    num = np.array([known[raw][0] for raw in column])
    tag = np.array([known[raw][1] for raw in column], dtype=np.int32)
    return num, tag
