"""Turns the text of an A1 reference into the axes of a tree, seen from a host cell."""

from __future__ import annotations

from functools import lru_cache

from sheetrun.formula.a1 import column_index, parse_corner
from sheetrun.formula.nodes import Area, Axis, Cell, Columns, Prefix, Rows

# Trees share their axes: a workbook has few different offsets, and making one costs more than finding it.
axis = lru_cache(maxsize=1 << 16)(Axis)


def a1_reference(text: str, row: int, col: int, prefix: Prefix | None) -> Cell | Area:
    """``B7`` or ``$A$1:B7``; the text must be a REF token."""
    first, colon, second = text.partition(":")
    cell_row, row_absolute, cell_col, col_absolute = parse_corner(first)
    first_row = axis(cell_row if row_absolute else cell_row - row, row_absolute)
    first_col = axis(cell_col if col_absolute else cell_col - col, col_absolute)
    if not colon:
        return Cell(first_row, first_col, prefix)
    cell_row, row_absolute, cell_col, col_absolute = parse_corner(second)
    return Area(
        first_row,
        first_col,
        axis(cell_row if row_absolute else cell_row - row, row_absolute),
        axis(cell_col if col_absolute else cell_col - col, col_absolute),
        prefix,
    )


def a1_rows(text: str, row: int, prefix: Prefix | None) -> Rows:
    """``2:5``; the text must be a ROWS token."""
    first, _, last = text.partition(":")
    return Rows(_row_axis(first, row), _row_axis(last, row), prefix)


def a1_columns(text: str, col: int, prefix: Prefix | None) -> Columns:
    """``A:C``; the text must be a COLUMNS token."""
    first, _, last = text.partition(":")
    return Columns(_column_axis(first, col), _column_axis(last, col), prefix)


def _row_axis(text: str, row: int) -> Axis:
    return axis(int(text[1:].lstrip("0")) - 1, True) if text[0] == "$" else axis(int(text.lstrip("0")) - 1 - row, False)


def _column_axis(text: str, col: int) -> Axis:
    return axis(column_index(text[1:]), True) if text[0] == "$" else axis(column_index(text) - col, False)
