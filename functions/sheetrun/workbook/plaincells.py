"""Cells of a row that need no closer look, all at once: a value in a bare ``<v>``, perhaps with a formula of its own."""

from __future__ import annotations

import math
import re
from typing import Final

from sheetrun.records import dataclass
from sheetrun.workbook.model import MAX_COLUMNS
from sheetrun.workbook.references import column_index
from sheetrun.workbook.rowshape import Cell
from sheetrun.workbook.strings import xml_text

_NUMBERS: Final = frozenset({None, b"n"})
_OF_ONE_CELL: Final = frozenset({"normal", "shared"})  #: the types of formulas that are not arrays
_NO_ATTRIBUTES: Final[dict[str, str]] = {}
_ATTRIBUTE: Final = re.compile(r' ([A-Za-z0-9]+)="([^"&]*)"')


class _Columns(dict[bytes, int]):
    """Columns by their letters. Raises ValueError."""

    def __missing__(self, letters: bytes) -> int:
        found = column_index(letters.decode("ascii"))
        if found >= MAX_COLUMNS:
            raise ValueError("a column behind the last one")
        self[letters] = found
        return found


_columns: Final = _Columns()


@dataclass(frozen=True, slots=True)
class PlainCells:
    """The cells of a row by their properties. ``formulas``: text and attributes, None for constants; ``others``: places
    and texts of values that are no numbers."""

    cols: list[int]
    styles: list[int]
    kinds: list[str]
    formulas: list[tuple[str, dict[str, str]] | None]
    numbers: list[float]
    others: list[tuple[int, str]]


def plain_cells(cells: list[Cell]) -> PlainCells | None:
    """Matched cells (see ``rowshape.CELL``), without those that hold nothing; None where one is not plain."""
    filled = [cell for cell in cells if cell[7] is not None]
    if not filled or (len(filled) < len(cells) and any(map(_says_something, cells))):
        return None
    letters, _, styles, kinds, metadata, attributes, formulas, values, _, _, _ = zip(*filled, strict=True)
    if any(metadata) or not all(values):
        return None
    said = [_NO_ATTRIBUTES if not text else formula_attributes(text) for text in attributes]
    if any(pairs.get("t", "normal") not in _OF_ONE_CELL for pairs in said if pairs):
        return None
    try:
        numbers = [float(value) if kind in _NUMBERS else 0.0 for kind, value in zip(kinds, values, strict=True)]
        if not math.isfinite(sum(numbers)):
            return None
        return PlainCells(
            list(map(_columns.__getitem__, letters)),
            [int(style or 0) for style in styles],
            ["n" if kind is None else kind.decode("ascii") for kind in kinds],
            [
                None if raw is None else ("" if text is None else xml_text(text), pairs)
                for raw, text, pairs in zip(attributes, formulas, said, strict=True)
            ],
            numbers,
            [(k, xml_text(values[k])) for k, kind in enumerate(kinds) if kind not in _NUMBERS],
        )
    except ValueError:
        return None


def formula_attributes(text: bytes) -> dict[str, str]:
    """The attributes of an ``<f>``."""
    return dict(_ATTRIBUTE.findall(text.decode("utf-8", "replace")))


def _says_something(cell: Cell) -> bool:
    """Whether a cell without a bare ``<v>`` has a formula or a value all the same."""
    return cell[7] is None and (cell[5] is not None or cell[8:] != (None, None, None))
