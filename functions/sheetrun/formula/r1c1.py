"""References seen from their host: R1C1 text into axes, and formulas compared and moved without a parse.

``relative_key`` is what finds the blocks of a sheet, so it runs once for every formula cell. It does not read the
formula: what lies between the cells of a text decides which of them are references, so that is found out once for all
formulas that differ in their cells only, and kept as a *plan*. ``B17*2`` and ``$C18*2`` share a plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sheetrun.formula.a1 import MAX_COLUMNS, MAX_ROWS, column_index, column_name
from sheetrun.formula.axes import axis
from sheetrun.formula.lexer import (
    BOOK_PREFIX,
    BRACKETS,
    CELL_START,
    COLUMN,
    NAME_CHAR,
    PAIR_END,
    QUOTED_NAME,
    REF_END,
    ROW,
    STRING_LITERAL,
)
from sheetrun.formula.nodes import Area, Axis, Cell, Columns, Prefix, Rows

#: Every reference, with groups for its dollars, letters and digits. What holds no reference has no groups: texts,
#: quoted names, other workbooks, brackets; and all the rest behind one that is never closed, as it is no formula.
_REFERENCE: Final = re.compile(
    rf"{STRING_LITERAL}|{QUOTED_NAME}|{BOOK_PREFIX}|{BRACKETS}|[\"'\[][\s\S]*+|(?<!{NAME_CHAR})(?:"
    rf"(\$?+)({COLUMN})(\$?+)({ROW}){REF_END}"
    rf"|(\$?+)({COLUMN}):(\$?+)({COLUMN}){PAIR_END}"
    rf"|(\$?+)({ROW}):(\$?+)({ROW}){PAIR_END})"
)
#: The four coordinates' (dollar group, value group, is a row).
_COORDINATES: Final = ((1, 2, False), (3, 4, True), (5, 6, False), (7, 8, False), (9, 10, True), (11, 12, True))
#: A cell, as loosely as it can be cut out: also in a text, or in a name that is quoted.
_CELL: Final = re.compile(rf"(?=[$A-Za-z])(?<!{NAME_CHAR}){CELL_START}(\$?+)({COLUMN})(\$?+)({ROW}){REF_END}")
_CACHED_OFFSETS: Final = 1 << 16
_CACHED_CHARACTERS: Final = 1 << 23


class _Offsets(dict[int, str]):
    """The text of each offset. Bounded: a workbook of scattered references has any number of them."""

    def __init__(self, letter: str) -> None:
        super().__init__()
        self._letter = letter

    def __missing__(self, offset: int) -> str:
        if len(self) >= _CACHED_OFFSETS:
            self.clear()
        text = self[offset] = f"{{{self._letter}{offset}}}"
        return text


class _Plans(dict[tuple[str, ...], tuple[int, ...] | None]):
    """What stands between cells -> where the cells are that are references (see ``_make_plan``); bounded."""

    characters = 0

    def __missing__(self, between: tuple[str, ...]) -> tuple[int, ...] | None:
        self.characters += sum(map(len, between)) + 100
        if self.characters > _CACHED_CHARACTERS:
            self.clear()
            self.characters = 0
        plan = self[between] = _make_plan(between)
        return plan


_row_offsets: Final = _Offsets("r")
_column_offsets: Final = _Offsets("c")
_plans: Final = _Plans()


def relative_key(text: str, row: int, col: int) -> str:
    """The formula of the cell at (row, col), both 0-based, with each relative coordinate as its offset in braces.

    ``B17*$C$1`` in D17 gives ``{c-2}{r0}*$C$1``, and so does ``B18*$C$1`` in D18. Formulas with equal keys have equal
    trees. Formulas with equal trees have equal keys where they are spelled alike: blanks, the case of names, ``1.0``
    for ``1`` make a difference, as does a reference that a shared formula has carried around the sheet's edge.
    """
    pieces = _CELL.split(text)
    plan = _plans[tuple(pieces[::5])]
    if plan is None:
        return _exact_key(text, row, col)
    for at in plan:
        if not pieces[at]:
            pieces[at + 1] = _column_offsets[column_index(pieces[at + 1]) - col]
        if not pieces[at + 2]:
            pieces[at + 3] = _row_offsets[int(pieces[at + 3]) - 1 - row]
    return "".join(pieces)


def shift(text: str, d_row: int, d_col: int) -> str:
    """The formula as a shared formula reads ``d_row`` rows down and ``d_col`` columns to the right (may be negative).

    Relative references move, and come in again on the other side when they leave the sheet, as in Excel
    (ECMA-376 part 1, 18.3.1.40, shared formulas).
    """
    pieces: list[str] = []
    done = 0
    for start, end, is_row in _relative_parts(text):
        pieces.append(text[done:start])
        part = text[start:end]
        if is_row:
            pieces.append(str((int(part.lstrip("0")) - 1 + d_row) % MAX_ROWS + 1))
        else:
            pieces.append(column_name((column_index(part) + d_col) % MAX_COLUMNS))
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _relative_parts(text: str) -> Iterator[tuple[int, int, bool]]:
    """(start, end, is a row) of all letters and digits that are relative coordinates, from left to right."""
    for match in _REFERENCE.finditer(text):
        if match.lastindex is None:
            continue
        for dollar, value, is_row in _COORDINATES:
            if match[value] is not None and not match[dollar]:
                yield match.start(value), match.end(value), is_row


def _make_plan(between: tuple[str, ...]) -> tuple[int, ...] | None:
    """Which of the cells between these pieces are references, as indices into the split text; None when there are
    other relative coordinates as well (``A:A``).

    Found on the formula that has B2 for every cell: any other cells are references in the same places.
    """
    begins: dict[int, int] = {}
    position = 0
    for k, piece in enumerate(between[:-1]):
        position += len(piece)
        begins[position] = 5 * k + 1
        position += 2
    parts = list(_relative_parts("B2".join(between)))
    starts = [start for start, _, is_row in parts if not is_row]
    if len(parts) != 2 * len(starts) or any(start not in begins for start in starts):
        return None
    return tuple(begins[start] for start in starts)


def _exact_key(text: str, row: int, col: int) -> str:
    """``relative_key`` without a plan."""
    pieces: list[str] = []
    done = 0
    for start, end, is_row in _relative_parts(text):
        part = text[start:end]
        offset = int(part.lstrip("0")) - 1 - row if is_row else column_index(part) - col
        pieces.append(f"{text[done:start]}{{{'r' if is_row else 'c'}{offset}}}")
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def read_reference(text: str, prefix: Prefix | None) -> Cell | Area:
    """``R[1]C3`` or ``R1C1:RC``. Raises ValueError outside the sheet."""
    first, colon, second = text.upper().partition(":")
    first_row, first_col = _read_corner(first)
    if not colon:
        return Cell(first_row, first_col, prefix)
    return Area(first_row, first_col, *_read_corner(second), prefix)


def read_rows(text: str, prefix: Prefix | None) -> Rows:
    """``R``, ``R5`` or ``R[-1]:R[1]``. Raises ValueError outside the sheet."""
    first, _, last = text.partition(":")
    return Rows(_read_axis(first[1:], MAX_ROWS), _read_axis((last or first)[1:], MAX_ROWS), prefix)


def read_columns(text: str, prefix: Prefix | None) -> Columns:
    """``C``, ``C5`` or ``C[-1]:C[1]``. Raises ValueError outside the sheet."""
    first, _, last = text.partition(":")
    return Columns(_read_axis(first[1:], MAX_COLUMNS), _read_axis((last or first)[1:], MAX_COLUMNS), prefix)


def _read_corner(text: str) -> tuple[Axis, Axis]:
    cut = text.index("C")
    return _read_axis(text[1:cut], MAX_ROWS), _read_axis(text[cut + 1 :], MAX_COLUMNS)


def _read_axis(text: str, size: int) -> Axis:
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
