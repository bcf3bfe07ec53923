"""Turns the text of a reference, A1 or R1C1, into the axes of a tree, seen from a host cell."""

from __future__ import annotations

from functools import lru_cache

from sheetrun.formula.a1 import MAX_COLUMNS, MAX_ROWS, column_index, parse_corner
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
    return axis(int(text[1:]) - 1, True) if text[0] == "$" else axis(int(text) - 1 - row, False)


def _column_axis(text: str, col: int) -> Axis:
    return axis(column_index(text[1:]), True) if text[0] == "$" else axis(column_index(text) - col, False)


def r1c1_reference(text: str, prefix: Prefix | None) -> Cell | Area:
    """``R[1]C3`` or ``R1C1:RC``. Raises ValueError outside the sheet."""
    first, colon, second = text.upper().partition(":")
    first_row, first_col = _r1c1_corner(first)
    if not colon:
        return Cell(first_row, first_col, prefix)
    return Area(first_row, first_col, *_r1c1_corner(second), prefix)


def r1c1_rows(text: str, prefix: Prefix | None) -> Rows:
    """``R``, ``R5`` or ``R[-1]:R[1]``. Raises ValueError outside the sheet."""
    first, _, last = text.partition(":")
    return Rows(_r1c1_axis(first[1:], MAX_ROWS), _r1c1_axis((last or first)[1:], MAX_ROWS), prefix)


def r1c1_columns(text: str, prefix: Prefix | None) -> Columns:
    """``C``, ``C5`` or ``C[-1]:C[1]``. Raises ValueError outside the sheet."""
    first, _, last = text.partition(":")
    return Columns(_r1c1_axis(first[1:], MAX_COLUMNS), _r1c1_axis((last or first)[1:], MAX_COLUMNS), prefix)


def _r1c1_corner(text: str) -> tuple[Axis, Axis]:
    cut = text.index("C")
    return _r1c1_axis(text[1:cut], MAX_ROWS), _r1c1_axis(text[cut + 1 :], MAX_COLUMNS)


def _r1c1_axis(text: str, size: int) -> Axis:
    """Nothing: the host's own; ``[-2]``: an offset; ``7``: the seventh."""
    if not text:
        return axis(0, False)
    relative = text[0] == "["
    digits = text.strip("[]")
    # Python refuses to read thousands of digits; no index has more than seven.
    value = int(digits) if len(digits) <= 8 else size + 1
    if relative:
        if abs(value) >= size:
            raise ValueError(f"the offset {digits} leads out of the sheet")
        return axis(value, False)
    if not 1 <= value <= size:
        raise ValueError(f"{digits} is outside the sheet: it ends at {size}")
    return axis(value - 1, True)
