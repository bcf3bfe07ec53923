"""References: INDEX, OFFSET, INDIRECT, ROW and COLUMN, ADDRESS, and what a reference tells of itself."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import numpy as np

from sheetrun.runtime.address import MAX_COLUMNS, MAX_ROWS, Span, column_letters, is_vast
from sheetrun.runtime.cells import EMPTY
from sheetrun.runtime.errors import NA, REF, VALUE, ExcelError, Raised, Unsupported
from sheetrun.runtime.indirect import reference_of
from sheetrun.runtime.refs import Ref, Refs
from sheetrun.runtime.registry import excel, kept
from sheetrun.runtime.tails import Tailed, is_array
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value, common_shape


def _area_of(array: Value, area: int) -> Value:
    """The array or reference that INDEX looks at."""
    if isinstance(array, ExcelError):
        raise Raised(array)
    if isinstance(array, Refs):
        if not 1 <= area <= len(array.refs):
            raise Raised(REF)
        return array.refs[area - 1]
    if area != 1:
        raise Raised(REF)
    return array if isinstance(array, Ref) or type(array) is Tailed else Arr.of(None if array is MISSING else array)


def _index_whole(array: Value, row: Value, col: Value = None, area: Value = 1.0) -> Any:
    """Many cells of one array; None where whole rows or columns are asked for."""
    if not isinstance(area, float | int):
        return None
    source = _area_of(array, int(area))
    tall, wide = source.shape
    if col is None:
        if tall == 1:
            row, col = 1.0, row
        elif wide == 1:
            col = 1.0
        else:
            return None
    if not all(is_array(a) or isinstance(a, float | int | ExcelError) for a in (row, col)):
        return None
    rows, cols = Arr.of(row), Arr.of(col)
    shape = common_shape((rows, cols))
    r, c = rows.expanded(shape).num, cols.expanded(shape).num
    wrong = np.isnan(r) | np.isnan(c)
    with np.errstate(invalid="ignore"):
        r0 = np.where(wrong, 1, np.trunc(r)).astype(np.int64) - 1
        c0 = np.where(wrong, 1, np.trunc(c)).astype(np.int64) - 1
    if (r0 == -1).any() or (c0 == -1).any():
        return None
    cells = Arr.of(source)
    negative, outside = (r0 < 0) | (c0 < 0), (r0 >= tall) | (c0 >= wide)
    beyond = (r0 >= cells.shape[0]) | (c0 >= cells.shape[1])  # of the used range: empty
    r0 = np.where(negative | beyond, 0, r0)
    c0 = np.where(negative | beyond, 0, c0)
    num = np.where(beyond, 0.0, cells.num[r0, c0])
    num = np.where(negative, float(VALUE), np.where(outside, float(REF), num))
    num = np.where(np.isnan(c), c, num)
    num = np.where(np.isnan(r), r, num)
    if cells.tag is None and not beyond.any():
        return Arr(num)
    tag = np.where(beyond, EMPTY, cells.tags()[r0, c0])
    return Arr(num, np.where(negative | outside | wrong, 0, tag).astype(np.int32))


@excel(
    "INDEX(array: raw, row_num: integer, [column_num: integer = None], [area_num: integer = 1]) -> any",
    whole=_index_whole,
)
def index(array: Value, row: int, col: int | None, area: int) -> Value:
    """The cell of an array at a row and column; 0 means the whole row or column. Of a reference, a reference."""
    source = _area_of(array, area)
    tall, wide = source.shape
    if col is None:
        if tall == 1 and wide > 1:
            row, col = (1 if row else 0), row
        elif wide > 1 and isinstance(source, Ref) and row >= 0:
            raise Raised(REF)  # measured: an array gives its row
        else:
            col = 1 if wide == 1 else 0
    if row < 0 or col < 0:
        raise Raised(VALUE)
    if row > tall or col > wide:
        raise Raised(REF)
    if isinstance(source, Ref):
        span = source.span
        top, bottom = (span.top + row - 1,) * 2 if row else (span.top, span.bottom)
        left, right = (span.left + col - 1,) * 2 if col else (span.left, span.right)
        return Ref(source.sheet, Span(top, left, bottom, right))
    if row and col:
        return source.cell(row - 1, col - 1)
    rows = slice(row - 1, row) if row else slice(None)
    return source.take(rows, slice(col - 1, col) if col else slice(None))


@excel(
    "OFFSET(reference: ref, rows: integer, cols: integer, [height: number ~ None], [width: number ~ None]) -> ref",
    volatile=True,
)
def offset(reference: Ref, rows: int, cols: int, height: float | None, width: float | None) -> Ref:
    """A reference moved by rows and columns, with a height and width of its own when given."""
    if isinstance(reference, Refs):
        raise Raised(VALUE)
    tall, wide = reference.shape
    return reference.moved(rows, cols, _extent(height, tall), _extent(width, wide))


def _extent(size: float | None, own: int) -> int:
    """A height or width without its fraction, but one at least where it is not 0 (measured: 0.9 is 1)."""
    if size is None:
        return own
    return math.trunc(size) or (0 if size == 0 else 1 if size > 0 else -1)


@excel("INDIRECT(host: host, ref_text: text, [a1: logical ~ TRUE]) -> ref", volatile=True)
def indirect(host: Ref, text: str, a1: bool) -> Ref:
    """The reference that a text spells."""
    return reference_of(text, host, a1)


def _line(first: int, last: int, down: bool) -> Value:
    if first == last:
        return float(first)
    numbers = np.arange(first, last + 1, dtype=np.float64)
    return numbers.reshape(-1, 1) if down else numbers.reshape(1, -1)


def _own(host: Ref, reference: Value) -> Ref:
    if reference is None or reference is MISSING:
        return host
    if isinstance(reference, ExcelError):
        raise Raised(reference)
    if isinstance(reference, Refs):
        return reference.refs[0]
    if not isinstance(reference, Ref):
        raise Raised(VALUE)
    return reference


@excel("ROW(host: host, [reference: raw]) -> number")
def row(host: Ref, reference: Value) -> Value:
    """The row number of a reference (an array when it is tall), or of the formula's own cell."""
    of = _own(host, reference)
    top, bottom = of.span.top, of.span.bottom
    if not is_vast(bottom - top + 1, 1):
        return _line(top, bottom, True)
    return Tailed(np.array([[float(top)], [top + 1.0]]), (bottom - top + 1, 1), counts=True)


@excel("COLUMN(host: host, [reference: raw]) -> number")
def column(host: Ref, reference: Value) -> Value:
    """The column number of a reference (an array when it is wide), or of the formula's own cell."""
    span = _own(host, reference).span
    return _line(span.left, span.right, False)


def _shape(array: Value) -> tuple[int, int]:
    if isinstance(array, ExcelError):
        raise Raised(array)
    if isinstance(array, Refs):
        raise Raised(REF)
    if isinstance(array, Ref) or is_array(array):
        rows, columns = array.shape
        return rows, columns
    return 1, 1


@excel("ROWS(array: raw) -> number")
def rows(array: Value) -> int:
    """How many rows an array or reference has."""
    return _shape(array)[0]


@excel("COLUMNS(array: raw) -> number")
def columns(array: Value) -> int:
    """How many columns an array or reference has."""
    return _shape(array)[1]


@excel("AREAS(reference: raw) -> number")
def areas(reference: Value) -> int:
    """How many rectangles a reference has."""
    if isinstance(reference, ExcelError):
        raise Raised(reference)
    if not isinstance(reference, Ref | Refs):
        raise Raised(VALUE)
    return sum(1 for _ in reference.parts())


_PLAIN_SHEET: Final = re.compile(r"[^\W\d][\w.]*\Z")
_LIKE_A_CELL: Final = re.compile(r"(?:[A-Za-z]{1,3}\d+|[Rr]\d*(?:[Cc]\d*)?|[Cc]\d*)\Z")


def quoted(sheet: str) -> str:
    """A sheet's name as it stands before ``!``."""
    if _PLAIN_SHEET.match(sheet) and not _LIKE_A_CELL.match(sheet):
        return sheet
    return "'" + sheet.replace("'", "''") + "'"


@excel(
    "ADDRESS(row_num: integer, column_num: integer, [abs_num: integer ~ 1], [a1: logical ~ TRUE], "
    "[sheet_text: text = None]) -> text"
)
def address(row_num: int, column_num: int, kind: int, a1: bool, sheet: str | None) -> str:
    """The address of a cell as text: 1 absolute, 2 only the row, 3 only the column, 4 relative."""
    if not (1 <= row_num <= MAX_ROWS and 1 <= column_num <= MAX_COLUMNS and 1 <= kind <= 4):
        raise Raised(VALUE)
    fixed_row, fixed_column = kind in (1, 2), kind in (1, 3)
    if a1:
        letters = column_letters(column_num)
        text = f"{'$' if fixed_column else ''}{letters}{'$' if fixed_row else ''}{row_num}"
    else:
        text = f"R{row_num if fixed_row else f'[{row_num}]'}C{column_num if fixed_column else f'[{column_num}]'}"
    if sheet is None:
        return text
    return f"{quoted(sheet) if sheet else ''}!{text}"


@excel("HYPERLINK(link_location: any, [friendly_name: any ~ ()]) -> any")
def hyperlink(link: Scalar, friendly: Any) -> Scalar:
    """What a link shows: its friendly name, else its address."""
    return link if isinstance(friendly, tuple) else friendly


@excel("GETPIVOTDATA(data_field: text, pivot_table: ref, *field: text, *item: scalar) -> any")
def getpivotdata(data_field: str, pivot_table: Value, *wanted: Any) -> Scalar:
    """What a pivot table shows for a data field and items of its fields, as it was when the file was saved.

    Source: Microsoft, "GETPIVOTDATA function"; #REF! for what is not to be seen in the table.
    """
    if len(wanted) % 2:
        return REF
    anchor = next(pivot_table.parts())
    book, sheet = anchor.book, anchor.sheet.index
    pivot = next((p for p in book.pivots if p.sheet == sheet and p.span.holds(anchor.span)), None)
    if pivot is None:
        raise Unsupported("pivot", "there is no pivot table that can be read")
    row, col = pivot.place(data_field, list(zip(wanted[::2], wanted[1::2], strict=True)))
    value: Scalar = book.live(sheet).cell(row, col)
    if value is None:
        raise Unsupported("pivot", "the cell of the pivot table is empty")
    return value


@excel("FORMULATEXT(reference: ref) -> text")
def formulatext(reference: Value) -> Value:
    """The formula of a cell as text; #N/A where there is none."""
    part = next(reference.parts())
    book, sheet = part.book, part.sheet.index
    top, left, bottom, right = part.clipped()

    def text(r: int, c: int) -> Scalar:
        found: str | None = book.formulas.get((sheet, r, c))
        return NA if found is None else found

    if (top, left) == (bottom, right):
        return text(top, left)
    return Arr.rows([[text(r, c) for c in range(left, right + 1)] for r in range(top, bottom + 1)])


@excel("TRANSPOSE(array: array) -> array", tails=kept)
def transpose(array: Arr | Tailed) -> Value:
    """Rows as columns and columns as rows."""
    return array.transposed()
