"""A workbook as the input of a run: cells, names and tables as the runtime wants them (1-based), and inputs resolved."""

from __future__ import annotations

import contextlib
import datetime
import re
import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.resolve import Resolver, Scope
from sheetrun.formula.a1 import quote_sheet, range_name
from sheetrun.formula.errors import FormulaError
from sheetrun.formula.nodes import ArrayConst, Binary, Call, Invoke, Logical, Name, Number, Percent, Text, Unary
from sheetrun.formula.parser import parse
from sheetrun.formula.r1c1 import shift
from sheetrun.runtime.address import Span
from sheetrun.runtime.errors import ExcelError
from sheetrun.runtime.inputs import InputError
from sheetrun.runtime.names import Named, Tables
from sheetrun.runtime.payload import RunInput, RunOutput, SheetData
from sheetrun.runtime.sheet import Area
from sheetrun.runtime.solving import Iteration
from sheetrun.runtime.values import Scalar
from sheetrun.workbook.model import Block, Grid, Kind, Rect, Workbook

#: What a formula may be that is no reference.
_NEVER_PLAIN = (ArrayConst, Binary, Call, Invoke, Logical, Number, Percent, Text, Unary)

#: Functions that ask for the text of formulas; without them in a script the texts stay behind.
_ASKS_FOR_FORMULAS = re.compile(r"\b(?:FORMULATEXT|ISFORMULA|SUBTOTAL|AGGREGATE|CELL|spilled)\b")
_ASKS_FOR_ARRAYS = re.compile(r"\b(?:INDIRECT|spilled)\b")
_ADDRESS = r"\$?[A-Za-z]{1,3}\$?\d+(?::\$?[A-Za-z]{1,3}\$?\d+)?|\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}|\$?\d+:\$?\d+"
#: What one reference of a caller may name: enough for any table of inputs, and it fits into memory.
MOST_CELLS = 1_000_000
_FILE_PREFIXES = re.compile(r"_xlfn\.|_xlws\.|_xlpm\.|_xludf\.|_xll\.")


def run_input(
    workbook: Workbook,
    script: str,
    *,
    inputs: Mapping[str, Any] | None = None,
    now: datetime.datetime | None = None,
    seed: int = 0,
) -> RunInput:
    """What the script of a workbook needs to compute it. Raises InputError for an input that names no cell."""
    overrides = [
        (sheet, rect.top + 1, rect.left + 1, value)
        for reference, given in (inputs or {}).items()
        for sheet, rect, value in set_cells(workbook, reference, given)
    ]
    settings = workbook.settings
    return RunInput(
        sheets=[*_own_sheets(workbook), *_external_sheets(workbook)],
        externals=sum(len(book.sheets) for book in workbook.externals),
        strings=workbook.strings,
        date1904=settings.date1904,
        macintosh="macintosh" in settings.application.casefold(),
        iteration=Iteration(settings.iterate, settings.iterate_count, settings.iterate_delta),
        now=now or datetime.datetime.now(),
        seed=seed,
        names=dict(plain_names(workbook)) if "INDIRECT(" in script else {},
        tables={
            t.name: Tables(t.sheet, _span(t.rect), tuple(t.columns), t.header_rows, t.totals_rows)
            for t in workbook.tables
        },
        formulas=list(_formulas(workbook)) if _ASKS_FOR_FORMULAS.search(script) else [],
        arrays=[
            (index, _span(block.rect))
            for index, sheet in enumerate(workbook.sheets)
            for block in sheet.blocks
            if block.kind is Kind.ARRAY and _ASKS_FOR_ARRAYS.search(script)
        ],
        spills=[
            (index, _span(block.rect))
            for index, sheet in enumerate(workbook.sheets)
            for block in sheet.blocks
            if block.kind is Kind.DYNAMIC and not block.filled
        ],
        overrides=overrides,
        formats=list(_formats(workbook)) if "CELL(" in script or not settings.full_precision else [],
        pivots=workbook.pivots if "GETPIVOTDATA(" in script else [],
        displayed=not settings.full_precision,
        path=workbook.filename,
    )


def arrays_now(output: RunOutput) -> dict[tuple[int, int, int], Rect]:
    """Where the dynamic arrays of a run lie, by sheet and first cell (0-based); those that say #SPILL! are not there."""
    return {
        (sheet, top - 1, left - 1): Rect(top - 1, left - 1, bottom - 1, right - 1)
        for sheet, (top, left, bottom, right) in output.spills
    }


def _formats(workbook: Workbook) -> Iterable[tuple[int, str, list[Span]]]:
    for index, sheet in enumerate(workbook.sheets):
        for style, rects in sheet.formats.items():
            if style < len(workbook.number_formats):
                yield index, workbook.number_formats[style], [_span(rect) for rect in rects]


def _span(rect: Rect) -> Span:
    return Span(rect.top + 1, rect.left + 1, rect.bottom + 1, rect.right + 1)


def _areas(grids: Iterable[Grid]) -> list[Area]:
    return [Area(g.top + 1, g.left + 1, g.num, g.tag) for g in grids]


def _own_sheets(workbook: Workbook) -> Iterable[SheetData]:
    for sheet in workbook.sheets:
        yield SheetData(sheet.name, _areas(sheet.grids), sorted(r + 1 for r in sheet.hidden_rows), sheet.filtered)


def _external_sheets(workbook: Workbook) -> Iterable[SheetData]:
    for book in workbook.externals:
        for name, grids in book.sheets.items():
            yield SheetData(f"[{book.index}]{name}", _areas(grids))


def plain_names(workbook: Workbook) -> Iterable[tuple[str, Named]]:
    """Defined names that are plain references; local ones under ``Sheet!Name``."""
    scope = Scope.of(workbook)
    for name in workbook.names:
        place = _plain_reference(scope, name.text, name.sheet)
        if place is None:
            continue
        named = Named(place[0], _span(place[1]))
        if name.sheet is None:
            yield name.name, named
        else:
            yield f"{workbook.sheets[name.sheet].name}!{name.name}", named


def _plain_reference(scope: Scope, text: str, sheet: int | None) -> tuple[int, Rect] | None:
    """(sheet, rectangle) of a text that is a reference with all its axes absolute."""
    try:
        read = parse(text, 0, 0)
        if isinstance(read, _NEVER_PLAIN):  # without looking up the names that it may be made of
            return None
        tree = Resolver(scope, sheet or 0, 0, 0).resolve(read)
    except (FormulaError, CannotCompile):
        return None
    if not isinstance(tree, Range) or tree.last_sheet is not None or tree.sheet >= scope.own:
        return None
    return (tree.sheet, tree.at(0, 0)) if tree.fixed_rows and tree.fixed_columns else None


def formula_of(block: Block, row: int, col: int) -> str:
    """The formula of a block's cell as Excel shows it, with ``=``; in braces when it is an array formula."""
    text = _FILE_PREFIXES.sub("", block.text)
    if block.per_cell and (row, col) != block.rect[:2]:
        text = shift(text, row - block.rect.top, col - block.rect.left)
    return "{=" + text + "}" if block.kind is Kind.ARRAY else "=" + text


def _formulas(workbook: Workbook) -> Iterable[tuple[int, int, int, str]]:
    """(sheet, row, column, text with ``=``) of every formula cell, 1-based."""
    for index, sheet in enumerate(workbook.sheets):
        for block in sheet.blocks:
            rect = block.rect
            for row in range(rect.top, rect.bottom + 1):
                for col in range(rect.left, rect.right + 1):
                    if block.per_cell or block.kind is Kind.ARRAY or (row, col) == rect[:2]:
                        yield index, row + 1, col + 1, formula_of(block, row, col)


# -- references of the caller ------------------------------------------------------------------------------------------


def find_cells(workbook: Workbook, reference: str) -> tuple[int, Rect]:
    """(sheet, rectangle) of a reference as callers write it: ``Sheet!A1``, a name, ``Table[Column]``; case-insensitive.

    Without a sheet, an address is on the first sheet. Raises InputError.
    """
    text = reference.strip().removeprefix("=")
    absolute = _absolute(text)
    try:
        tree = parse(absolute, 0, 0)
    except FormulaError:
        raise InputError("bad_reference", f"{reference!r} is not a reference", reference) from None
    scopes = [n.sheet for n in workbook.names if n.name.casefold() == text.casefold()]
    place = _plain_reference(Scope.of(workbook), absolute, scopes[0] if scopes and None not in scopes else None)
    if place is not None:
        if place[1].size > MOST_CELLS:
            detail = f"{reference!r} names {place[1].size:,} cells; no more than {MOST_CELLS:,} can be named at once"
            raise InputError("too_many_cells", detail, reference)
        return place
    if isinstance(tree, Name):
        raise InputError("unknown_name", f"there is no name, and no cell, {reference!r}", reference)
    sheet, mark, _ = text.rpartition("!")
    if mark and not any(
        quote_sheet(s.name).casefold() == sheet.casefold()
        or s.name.casefold() == sheet.strip("'").replace("''", "'").casefold()
        for s in workbook.sheets
    ):
        known = ", ".join(s.name for s in workbook.sheets[:20])
        raise InputError("unknown_sheet", f"there is no sheet {sheet!r}; the sheets are {known}", reference)
    raise InputError("unknown_reference", f"{reference!r} does not name a cell or range", reference)


def _absolute(text: str) -> str:
    """An address with ``$`` everywhere; anything else as it is."""
    sheet, mark, address = text.rpartition("!")
    corners = re.fullmatch(_ADDRESS, address, re.ASCII)
    if not corners:
        return text
    if mark and not sheet.startswith("'"):
        sheet = quote_sheet(sheet)
    return f"{sheet}{mark}" + ":".join(re.sub(r"\$?([A-Za-z]+|\d+)", r"$\1", corner) for corner in address.split(":"))


class InputErrors(Exception):
    """Everything in a request's inputs and outputs that does not fit the workbook; ``errors`` are {cell, code, detail}."""

    code = "invalid_inputs"

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        super().__init__(errors)
        self.errors = tuple(dict(error) for error in errors)

    def __str__(self) -> str:
        if len(self.errors) == 1:
            return self.errors[0]["detail"]
        return f"{len(self.errors)} of the inputs and outputs do not fit the workbook."


def check_request(workbook: Workbook, inputs: Mapping[str, Any], outputs: Sequence[str]) -> None:
    """Looks for every cell that a request names, and at the shape of what it sets. Raises ``InputErrors``."""
    errors = []
    for reference in (*inputs, *outputs):
        try:
            find_cells(workbook, reference)
            if reference in inputs:
                deque(set_cells(workbook, reference, inputs[reference]), maxlen=0)
        except InputError as error:
            errors.append({"cell": reference, "code": error.code, "detail": error.detail})
    if errors:
        raise InputErrors(errors)


def set_cells(
    workbook: Workbook, reference: str, given: Any, place: tuple[int, Rect] | None = None
) -> Iterable[tuple[int, Rect, Scalar]]:
    """(sheet, cell, value) of what a caller sets by one reference. Raises InputError. ``place``: what ``find_cells``
    finds for it, if that is known."""
    sheet, rect = place or find_cells(workbook, reference)
    if rect.size == 1:
        yield sheet, rect, input_value(reference, given)
        return
    rows = given if isinstance(given, list) else [[given] * rect.width] * rect.height
    if rows and not isinstance(rows[0], list):
        rows = [rows] if rect.height == 1 else [[v] for v in rows]
    if len(rows) != rect.height or any(not isinstance(r, list) or len(r) != rect.width for r in rows):
        where = f"{quote_sheet(workbook.sheets[sheet].name)}!{range_name(*rect)}"
        raise InputError("wrong_shape", f"{where} takes {rect.height} rows of {rect.width} values", reference)
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            at = Rect(rect.top + i, rect.left + j, rect.top + i, rect.left + j)
            yield sheet, at, input_value(reference, value)


def input_value(reference: str, value: Any) -> Scalar:
    """A JSON value as the value of a cell. Raises InputError."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        if not abs(value) <= sys.float_info.max:  # a NaN is not, and some whole numbers of JSON are not
            raise InputError("bad_value", f"{reference}: a number must be finite", reference)
        return float(value)
    if isinstance(value, Mapping) and set(value) == {"error"}:
        with contextlib.suppress(KeyError, TypeError):
            return ExcelError(value["error"])
        raise InputError("bad_value", f"{reference}: {value['error']!r:.40} is no error of Excel's", reference)
    wanted = 'a number, text, true, false, null or {"error": "#N/A"}'
    raise InputError("bad_value", f"{reference}: a value must be {wanted}", reference)
