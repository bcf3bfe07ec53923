"""What a value is (the IS functions, TYPE, N), and what the workbook tells of itself (CELL, INFO, SHEET)."""

from __future__ import annotations

from typing import Any

import numpy as np

from sheetrun.runtime.address import cell_address
from sheetrun.runtime.cells import LOGICAL, NUMBER, Mask, error_numbers
from sheetrun.runtime.errors import NA, REF, VALUE, ExcelError, Raised, Unsupported
from sheetrun.runtime.numberformat import cell_format_code
from sheetrun.runtime.refs import Ref, Refs
from sheetrun.runtime.registry import excel
from sheetrun.runtime.strict import strict_integer
from sheetrun.runtime.tails import is_array
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value


def _masked(test: Any) -> Any:
    """A whole-array answer from a test on the array."""

    def whole(value: Value) -> Arr:
        return Arr.logicals(test(Arr.of(value)))

    return whole


def _not_available(a: Arr) -> Mask:
    mask: Mask = a.errors() & (error_numbers(a.num).reshape(a.shape) == NA.number)
    return mask


@excel("ISBLANK(value: any) -> logical", whole=_masked(Arr.empties))
def is_blank(value: Scalar) -> bool:
    """Whether a cell is empty (a formula's "" is not)."""
    return value is None


@excel("ISERROR(value: any) -> logical", whole=_masked(Arr.errors))
def is_error(value: Scalar) -> bool:
    """Whether a value is an error."""
    return isinstance(value, ExcelError)


@excel("ISERR(value: any) -> logical", whole=_masked(lambda a: a.errors() & ~_not_available(a)))
def is_err(value: Scalar) -> bool:
    """Whether a value is an error other than #N/A."""
    return isinstance(value, ExcelError) and value is not NA


@excel("ISNA(value: any) -> logical", whole=_masked(_not_available))
def is_na(value: Scalar) -> bool:
    """Whether a value is #N/A."""
    return value is NA


@excel("ISNUMBER(value: any) -> logical", whole=_masked(Arr.numbers))
def is_number(value: Scalar) -> bool:
    """Whether a value is a number (a date is one, a text that reads as one is not)."""
    return type(value) is float


@excel("ISTEXT(value: any) -> logical", whole=_masked(Arr.texts))
def is_text(value: Scalar) -> bool:
    """Whether a value is text."""
    return type(value) is str


@excel("ISNONTEXT(value: any) -> logical", whole=_masked(lambda a: ~a.texts()))
def is_non_text(value: Scalar) -> bool:
    """Whether a value is anything but text (an empty cell too)."""
    return type(value) is not str


@excel("ISLOGICAL(value: any) -> logical", whole=_masked(lambda a: a.tags() == LOGICAL))
def is_logical(value: Scalar) -> bool:
    """Whether a value is TRUE or FALSE."""
    return type(value) is bool


@excel("ISEVEN(number: strict) -> logical")
def is_even(number: Scalar) -> bool:
    """Whether a number without its fraction is even; a logical is #VALUE!."""
    return strict_integer(number) % 2 == 0


@excel("ISODD(number: strict) -> logical")
def is_odd(number: Scalar) -> bool:
    """Whether a number without its fraction is odd; a logical is #VALUE!."""
    return strict_integer(number) % 2 == 1


@excel("ISREF(value: raw) -> logical")
def is_ref(value: Value) -> bool:
    """Whether a value is a reference."""
    return isinstance(value, Ref | Refs)


@excel("ISFORMULA(reference: ref) -> logical")
def is_formula(reference: Ref | Refs) -> Value:
    """Whether a cell holds a formula."""
    if isinstance(reference, Refs):
        return VALUE
    book, sheet = reference.book, reference.sheet.index
    top, left, bottom, right = reference.clipped()
    if (top, left) == (bottom, right):
        return (sheet, top, left) in book.formulas
    rows = [[(sheet, r, c) in book.formulas for c in range(left, right + 1)] for r in range(top, bottom + 1)]
    return Arr.logicals(np.array(rows))


def _n_whole(value: Value) -> Arr:
    a = Arr.of(value)
    kept = (a.tags() == NUMBER) | (a.tags() == LOGICAL)
    return Arr(np.where(kept, a.num, 0.0))


@excel("N(value: any) -> number", whole=_n_whole)
def n(value: Scalar) -> Scalar:
    """A value as a number: text and empty are 0, errors stay."""
    if type(value) is bool:
        return 1.0 if value else 0.0
    return value if type(value) is float or isinstance(value, ExcelError) else 0.0


@excel("NA() -> any")
def na() -> ExcelError:
    """The error #N/A."""
    return NA


@excel("TYPE(value: raw) -> number")
def type_of(value: Value) -> float:
    """The kind of a value: 1 number, 2 text, 4 logical, 16 error, 64 array, 128 function."""
    if isinstance(value, Ref | Refs):
        array = value.arr()
        value = array.cell(0, 0) if array.size == 1 else array
    if is_array(value):
        return 64.0
    if isinstance(value, str):
        return 2.0
    if isinstance(value, bool):
        return 4.0
    if isinstance(value, ExcelError):
        return 16.0
    return 128.0 if callable(value) else 1.0


@excel("ERROR.TYPE(value: any) -> number")
def error_type(value: Scalar) -> float:
    """The number of an error value; #N/A for anything else."""
    if not isinstance(value, ExcelError):
        raise Raised(NA)
    return float(value.number)


@excel("SHEET(host: host, [value: raw]) -> number")
def sheet_number(host: Ref, value: Value = None) -> float:
    """The number of a sheet: of a reference, of the sheet with a name, or of the formula's own."""
    if value is None or value is MISSING:
        return host.sheet.index + 1.0
    if isinstance(value, Ref | Refs):
        return next(value.parts()).sheet.index + 1.0
    if isinstance(value, ExcelError):
        raise Raised(value)
    if not isinstance(value, str):
        raise Raised(NA)
    found = host.book.sheet(value)
    if found is not None:
        return found.index + 1.0
    named = host.book.names.get(value.casefold()) or host.book.tables.get(value.casefold())
    if named is None:
        raise Raised(NA)
    return named.sheet + 1.0


@excel("SHEETS(host: host, [reference: raw]) -> number")
def sheet_count(host: Ref, reference: Value = None) -> float:
    """How many sheets the workbook or a reference has."""
    if reference is None or reference is MISSING:
        return float(len(host.book.sheets))
    if isinstance(reference, ExcelError):
        raise Raised(reference)
    if not isinstance(reference, Ref | Refs):
        raise Raised(REF)
    return float(len({part.sheet.index for part in reference.parts()}))


@excel("INFO(host: host, type_text: text) -> any", volatile=True)
def info(host: Ref, type_text: str) -> Value:
    """What Excel tells of its surroundings: recalculation mode, release, system."""
    what = type_text.lower()
    if what == "recalc":
        return "Automatic"
    if what == "release":
        return "16.0"
    if what == "system":
        return "pcdos"
    if what == "origin":
        return "$A:$A$1"
    if what in ("directory", "numfile", "osversion"):
        raise Unsupported("machine_information", f'INFO("{what}") tells of the machine that Excel ran on')
    if what in ("memavail", "memused", "totmem"):
        raise Raised(NA)
    raise Raised(VALUE)


@excel("CELL(host: host, info_type: text, [reference: raw]) -> any", volatile=True)
def cell_information(host: Ref, info_type: str, reference: Value = None) -> Value:
    """What is known of a cell: address, row, col, contents, type, format, sheet and file name.

    Without a reference Excel takes the cell that was changed last; here it is the formula's own cell.
    """
    if isinstance(reference, ExcelError):
        raise Raised(reference)
    if reference is None or reference is MISSING:
        of = host
    elif isinstance(reference, Ref):
        of = reference
    else:
        raise Raised(VALUE)
    return _cell_fact(info_type.lower(), of, host)


def _cell_fact(what: str, of: Ref, host: Ref) -> Value:
    row, col = of.span.top, of.span.left
    if what == "row":
        return float(row)
    if what == "col":
        return float(col)
    if what == "address":
        address = absolute_address(row, col)
        return address if of.sheet.name == host.sheet.name else f"{quoted_sheet(of.sheet.name, of.book.path)}!{address}"
    if what == "contents":
        value = of.cell()
        return 0.0 if value is None else value
    if what == "type":
        value = of.cell()
        return "b" if value is None else "l" if isinstance(value, str) else "v"
    if what == "filename":
        if not of.book.path:
            raise Unsupported("machine_information", 'CELL("filename") tells the path of the file on a machine')
        folder, slash, name = of.book.path.replace("\\", "/").rpartition("/")
        return f"{folder}{slash}[{name}]{of.sheet.name}"
    if what in ("format", "color", "parentheses"):
        code = of.book.format_at(of.sheet.index, row, col)
        return cell_format_code(code)[("format", "color", "parentheses").index(what)]
    if what in ("prefix", "protect", "width"):
        raise Unsupported("cell_style", f'CELL("{what}") tells of the style of a cell, which is not computed')
    raise Raised(VALUE)


def absolute_address(row: int, col: int) -> str:
    letters = cell_address(row, col).rstrip("0123456789")
    return f"${letters}${row}"


def quoted_sheet(name: str, path: str) -> str:
    """A sheet as CELL("address") writes it for another sheet: with its workbook."""
    book = path.replace("\\", "/").rpartition("/")[2]
    text = f"[{book}]{name}" if book else name
    plain = text.replace("_", "").replace(".", "").replace("[", "").replace("]", "").isalnum() and not name[0].isdigit()
    return text if plain else "'" + text.replace("'", "''") + "'"
