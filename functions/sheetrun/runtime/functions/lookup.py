"""Finding values in ranges: VLOOKUP, HLOOKUP, LOOKUP, MATCH, XLOOKUP, XMATCH."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from sheetrun.runtime.address import is_vast
from sheetrun.runtime.cells import Mask
from sheetrun.runtime.errors import NA, REF, VALUE, Raised
from sheetrun.runtime.functions.regex import compiled
from sheetrun.runtime.indexes import index_of
from sheetrun.runtime.lineindex import Index
from sheetrun.runtime.ordered import Places
from sheetrun.runtime.refs import Ref
from sheetrun.runtime.registry import excel, kept
from sheetrun.runtime.tails import Tailed, is_array
from sheetrun.runtime.values import MISSING, Arr, Scalar, Value


def gather(table: Arr, rows: Any, cols: Any, shape: tuple[int, int], wanted: Arr) -> Arr:
    """Cells at (row, column) pairs, flat arrays; a row of -1 is #N/A, or the error that was looked up."""
    good = rows >= 0
    num = table.num[np.where(good, rows, 0), cols]
    errors = wanted.errors().ravel()
    num = np.where(good, num, np.where(errors, wanted.num.ravel(), float(NA)))
    if table.tag is None:
        return Arr(num.reshape(shape))
    tag = np.where(good, table.tag[np.where(good, rows, 0), cols], 0)
    return Arr(num.reshape(shape), tag.reshape(shape))


def searched(array: Value, first: bool) -> Arr:
    """What is searched of an array: of a whole column no tail, unless a value may stand there (``first``: one is enough)."""
    if type(array) is not Tailed:
        return Arr.of(array)
    if array.ends_in(Arr.empties):
        return array.cut()  # the cells where they are, so that their index is known again
    return array.once() if first else array.cut(_never_found)


def _never_found(cells: Arr) -> Mask:
    return cells.empties() | cells.errors()


def _find(index: Index, value: Scalar, approximate: bool) -> int:
    at = index.below(value) if approximate else index.exact(value)
    if at < 0:
        raise Raised(NA)
    return at


def _line(number: int, count: int) -> int:
    """The line of a table that is asked for, from 0. One that it has not matters when something was found (measured)."""
    if number < 1:
        raise Raised(VALUE)
    if number > count:
        raise Raised(REF)
    return number - 1


def _truth(value: Value) -> bool | None:
    """A plain scalar as a logical; None when it is no scalar that can be one."""
    from sheetrun.runtime.coerce import to_logical

    if is_array(value) or hasattr(value, "arr"):
        return None
    found = to_logical(None if value is MISSING else value)
    return found if isinstance(found, bool) else None


def _whole_table(lookup: Value, table: Value, column: Value, approximate: Value, *, across: bool) -> Arr | None:
    """A lookup of many values in one table; None when other arguments are arrays too."""
    nearest = _truth(approximate)
    if nearest is None or not isinstance(column, float | int | np.ndarray | Arr) or not is_array(lookup):
        return None
    cells, wanted = searched(table, not nearest), Arr.of(lookup)
    if across:
        cells = cells.transposed()
    columns = Arr.of(column)
    if columns.tag is not None or not np.isfinite(columns.num).all():
        return None
    shape = (max(wanted.shape[0], columns.shape[0]), max(wanted.shape[1], columns.shape[1]))
    if any(a not in (1, b) for part in (wanted, columns) for a, b in zip(part.shape, shape, strict=True)):
        return None
    numbers = np.trunc(columns.num).astype(np.int64)
    if (numbers < 1).any() or (numbers > cells.shape[1]).any():
        return None
    index = index_of(cells.take(slice(None), slice(0, 1)))
    found = index.below_many(wanted) if nearest else index.exact_many(wanted)
    rows = np.broadcast_to(found.reshape(wanted.shape), shape).ravel()
    cols = np.broadcast_to(numbers - 1, shape).ravel()
    return gather(cells, rows, cols, shape, wanted.expanded(shape))


def _vlookup_whole(lookup: Value, table: Value, column: Value, approximate: Value = True) -> Arr | None:
    return _whole_table(lookup, table, column, approximate, across=False)


def _hlookup_whole(lookup: Value, table: Value, row: Value, approximate: Value = True) -> Arr | None:
    return _whole_table(lookup, table, row, approximate, across=True)


@excel(
    "VLOOKUP(lookup_value: scalar, table_array: array, col_index_num: integer, [range_lookup: logical = TRUE]) -> any",
    whole=_vlookup_whole,
    tails=kept,
)
def vlookup(value: Scalar, table: Arr | Tailed, column: int, approximate: bool) -> Scalar:
    """Finds a value in the first column of a table and answers the cell of another column in that row."""
    table = searched(table, not approximate)
    at = _find(index_of(table.take(slice(None), slice(0, 1))), value, approximate)
    return table.cell(at, _line(column, table.shape[1]))


@excel(
    "HLOOKUP(lookup_value: scalar, table_array: array, row_index_num: integer, [range_lookup: logical = TRUE]) -> any",
    whole=_hlookup_whole,
    tails=kept,
)
def hlookup(value: Scalar, table: Arr | Tailed, row: int, approximate: bool) -> Scalar:
    """Finds a value in the first row of a table and answers the cell of another row in that column."""
    table = searched(table, not approximate)
    at = _find(index_of(table.take(slice(0, 1), slice(None))), value, approximate)
    return table.cell(_line(row, table.shape[0]), at)


def _lookup_parts(array: Arr) -> tuple[Arr, Arr]:
    """What LOOKUP searches and what it answers when it has one array: the longer way, rows when equal."""
    if array.shape[1] > array.shape[0]:
        return array.take(slice(0, 1), slice(None)), array.take(slice(-1, None), slice(None))
    return array.take(slice(None), slice(0, 1)), array.take(slice(None), slice(-1, None))


def _lookup_whole(value: Value, vector: Value, result: Value = None) -> Arr | None:
    if not is_array(value):
        return None
    wanted = Arr.of(value)
    array = searched(vector, False)
    keys, answers = _lookup_parts(array)
    if result is not None:
        keys, answers = array if 1 in array.shape else keys, Arr.of(result)
        if 1 not in answers.shape:
            return None
    flat = Arr(answers.num.reshape(-1, 1), None if answers.tag is None else answers.tag.reshape(-1, 1))
    found = index_of(keys).below_many(wanted)
    if (found >= flat.shape[0]).any():
        return None
    return gather(flat, found, np.zeros(len(found), np.int64), wanted.shape, wanted)


@excel(
    "LOOKUP(lookup_value: scalar, lookup_vector: array, [result_vector: raw = None]) -> any",
    whole=_lookup_whole,
    tails=kept,
)
def lookup(value: Scalar, vector: Arr | Tailed, result: Value) -> Scalar:
    """Finds the last value in ascending data that is not greater, and answers the cell at that place elsewhere."""
    vector = searched(vector, False)
    if result is None or result is MISSING:
        keys, answers = _lookup_parts(vector)
        return list(answers)[_find(index_of(keys), value, True)]
    if 1 not in (result.shape if isinstance(result, Ref) else Arr.of(result).shape):
        raise Raised(NA)  # measured
    keys = vector if 1 in vector.shape else _lookup_parts(vector)[0]  # of a table its first column (measured)
    at = _find(index_of(keys), value, True)
    if isinstance(result, Ref):
        across = result.shape[0] == 1 and (result.shape[1] > 1 or vector.shape[0] == 1)
        row, col = result.span.top + (0 if across else at), result.span.left + (at if across else 0)
        return result.sheet.cell(row, col)  # Excel goes on past the end of a result range
    if type(result) is not Tailed:
        result = Arr.of(result)
    if at >= result.size:
        raise Raised(NA)
    return result.cell(*divmod(at, result.shape[1]))  # type: ignore[no-any-return]


def _match_whole(value: Value, vector: Value, kind: Value = 1.0) -> Arr | None:
    if not isinstance(kind, float | bool | int) or kind < 0 or not is_array(value):
        return None
    array, wanted = searched(vector, kind == 0), Arr.of(value)
    if 1 not in array.shape:
        return None
    index = index_of(array)
    found = index.below_many(wanted) if kind > 0 else index.exact_many(wanted)
    return _positions(found, wanted)


def _positions(found: Places, wanted: Arr) -> Arr:
    """Found places counted from 1; #N/A where there is none, errors as they came."""
    missing = np.where(wanted.errors().ravel(), wanted.num.ravel(), float(NA))
    return Arr(np.where(found >= 0, found + 1.0, missing).reshape(wanted.shape))


@excel(
    "MATCH(lookup_value: scalar, lookup_array: array, [match_type: number = 1]) -> number",
    whole=_match_whole,
    tails=kept,
)
def match(value: Scalar, vector: Arr | Tailed, kind: float) -> int:
    """The position of a value in a row or column: exact (0), in ascending (1) or descending data (-1)."""
    if 1 not in vector.shape:
        raise Raised(NA)
    index = index_of(searched(vector, kind == 0))
    if kind < 0:
        at = index.above(value)
        if at < 0:
            raise Raised(NA)
        return at + 1
    return _find(index, value, kind > 0) + 1


# -- XLOOKUP and XMATCH ------------------------------------------------------------------------------------------


def _xfind(index: Index, value: Scalar, match_mode: int, search_mode: int) -> int:
    if match_mode not in (-1, 0, 1, 2, 3) or search_mode not in (1, -1, 2, -2):
        raise Raised(VALUE)
    last = search_mode == -1
    if match_mode == 3:
        return _regex_find(index, value, last)
    if match_mode == 2:
        if abs(search_mode) == 2:
            raise Raised(VALUE)
        return index.exact(value, last=last, wild=True, empties=True)
    if abs(search_mode) == 2:
        return index.bisect(value, descending=search_mode < 0, mode=match_mode)
    at = index.exact(value, last=last, wild=False, empties=True)
    if at >= 0 or match_mode == 0:
        return at
    return index.nearest(value, larger=match_mode == 1, last=last)


def _xsearched(array: Value, value: Value, search_mode: Value) -> Arr:
    """What XMATCH searches: an empty value is found in the first of the empty cells."""
    if type(array) is not Tailed:
        return Arr.of(array)
    first = search_mode is MISSING or search_mode == 1
    empty = value is None or value is MISSING or (is_array(value) and Arr.of(value).empties().any())
    return array.once() if first and empty else array.arr() if empty else searched(array, first)


def _regex_find(index: Index, value: Scalar, last: bool) -> int:
    if not isinstance(value, str):
        return index.exact(value, last=last, wild=False, empties=True)
    pattern: re.Pattern[str] = compiled(value, False)
    texts = Arr(index.num.reshape(1, -1), None if index.tag is None else index.tag.reshape(1, -1))
    hits = [i for i, v in enumerate(texts) if isinstance(v, str) and pattern.search(v)]
    return (hits[-1] if last else hits[0]) if hits else -1


def _xfind_whole(value: Value, array: Arr, match_mode: Value, search_mode: Value) -> tuple[Arr, Places] | None:
    """Exact lookups of many values; None when the modes ask for more."""
    modes = (0.0 if match_mode is MISSING else match_mode, 1.0 if search_mode is MISSING else search_mode)
    if modes[0] not in (0.0, 2.0) or modes[1] not in (1.0, -1.0) or 1 not in array.shape or not is_array(value):
        return None
    wanted = Arr.of(value)
    found = index_of(array).exact_many(wanted, last=modes[1] < 0, wild=modes[0] == 2.0, empties=True)
    return wanted, found


def _is_plain(*values: Value) -> bool:
    return all(isinstance(v, float | int | bool) or v is MISSING for v in values)


def _xmatch_whole(value: Value, array: Value, match_mode: Value = 0.0, search_mode: Value = 1.0) -> Arr | None:
    if not _is_plain(match_mode, search_mode):
        return None
    found = _xfind_whole(value, _xsearched(array, value, search_mode), match_mode, search_mode)
    return None if found is None else _positions(found[1], found[0])


@excel(
    "XMATCH(lookup_value: scalar, lookup_array: array, [match_mode: integer ~ 0], "
    "[search_mode: integer ~ 1]) -> number",
    whole=_xmatch_whole,
    tails=kept,
)
def xmatch(value: Scalar, vector: Arr | Tailed, match_mode: int, search_mode: int) -> int:
    """The position of a value in a row or column, with ways to match and to search."""
    if 1 not in vector.shape:
        raise Raised(VALUE)
    at = _xfind(index_of(_xsearched(vector, value, search_mode)), value, match_mode, search_mode)
    if at < 0:
        raise Raised(NA)
    return at + 1


def _xlookup_whole(
    value: Value,
    vector: Value,
    answers: Value,
    missing: Value = (),
    match_mode: Value = 0.0,
    search_mode: Value = 1.0,
) -> Arr | None:
    if not _is_plain(match_mode, search_mode) or not is_array(value):
        return None
    array, table = _xsearched(vector, value, search_mode), Arr.of(answers)
    down = array.shape[1] == 1
    size = array.size
    if (1 not in table.shape) or table.size != size or table.shape[0 if down else 1] != size:
        return None
    found = _xfind_whole(value, array, match_mode, search_mode)
    if found is None:
        return None
    wanted, places = found
    flat = Arr(table.num.reshape(-1, 1), None if table.tag is None else table.tag.reshape(-1, 1))
    out = gather(flat, places, np.zeros(len(places), np.int64), wanted.shape, wanted)
    if isinstance(missing, tuple) or missing is MISSING:
        return out
    fallback = Arr.of(missing)
    if fallback.shape not in ((1, 1), wanted.shape):
        return None
    fallback = fallback.expanded(wanted.shape)
    absent = (places < 0).reshape(wanted.shape) & ~wanted.errors()
    if not absent.any():
        return out
    return Arr(np.where(absent, fallback.num, out.num), np.where(absent, fallback.tags(), out.tags()))


@excel(
    "XLOOKUP(lookup_value: scalar, lookup_array: array, return_array: raw, [if_not_found: any ~ ()], "
    "[match_mode: integer ~ 0], [search_mode: integer ~ 1]) -> any",
    whole=_xlookup_whole,
    tails=kept,
)
def xlookup(
    value: Scalar, vector: Arr | Tailed, answers: Value, missing: Any, match_mode: int, search_mode: int
) -> Value:
    """Finds a value in a row or column and answers the row or column of another range at that place."""
    down = vector.shape[1] == 1
    if 1 not in vector.shape:
        raise Raised(VALUE)
    table = answers if isinstance(answers, Ref | Tailed) else Arr.of(answers)
    shape = table.shape
    if not _fits(vector, answers, shape, down):
        raise Raised(VALUE)
    at = _xfind(index_of(_xsearched(vector, value, search_mode)), value, match_mode, search_mode)
    if at < 0:
        if isinstance(missing, tuple):
            raise Raised(NA)
        return missing
    if isinstance(table, Ref):
        span = table.span
        if down:
            return Ref(table.sheet, span._replace(top=span.top + at, bottom=span.top + at))
        return Ref(table.sheet, span._replace(left=span.left + at, right=span.left + at))
    line = table.take(slice(at, at + 1), slice(None)) if down else table.take(slice(None), slice(at, at + 1))
    return line.cell(0, 0) if line.size == 1 else line


def _fits(vector: Arr | Tailed, answers: Value, shape: tuple[int, int], down: bool) -> bool:
    """Whether the answers have a line for each value; a whole column may have been cut at the used range."""
    if vector.size == 1:
        return 1 in shape or shape[0] == 1 or shape[1] == 1
    size = shape[0] if down else shape[1]
    whole = isinstance(answers, Ref) and is_vast(*((size, 1) if down else (1, size)))
    return size == vector.size or (whole and size > vector.size)
