"""A generated script as a function: inputs in, values out, in this process. What ``model.py`` of a bundle is made of.

Values are JSON values as in the API: an error is ``{"error": "#DIV/0!"}``, an empty cell None, a range a list of rows.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeAlias, TypedDict

from sheetrun.runtime.address import Span, read_span
from sheetrun.runtime.book import Book
from sheetrun.runtime.errors import ExcelError
from sheetrun.runtime.host import run_steps
from sheetrun.runtime.inputs import InputError
from sheetrun.runtime.payload import RunInput
from sheetrun.runtime.steps import Step
from sheetrun.runtime.values import Scalar


class CellError(TypedDict):
    """An Excel error as the value of a cell."""

    error: str


Value: TypeAlias = float | str | bool | None | CellError
Place = tuple[int, Span]  #: sheet index and range


class Program:
    """The steps of a script and its workbook's data, which are read once, when they are first needed."""

    def __init__(self, steps: Sequence[Step], data: str | os.PathLike[str]) -> None:
        self._steps = list(steps)
        self._path = data

    @cached_property
    def source(self) -> RunInput:
        """Raises FileNotFoundError."""
        with open(self._path, "rb") as file:
            return RunInput.from_bytes(file.read())

    @cached_property
    def _names(self) -> Mapping[str, Place]:
        return {name.casefold(): (named.sheet, named.span) for name, named in self.source.names.items()}

    @property
    def sheets(self) -> list[str]:
        own = len(self.source.sheets) - self.source.externals
        return [sheet.name for sheet in self.source.sheets[:own]]

    def place(self, reference: str) -> Place:
        """Where ``Sheet!A1``, ``'My sheet'!A1:B9``, ``A1`` (of the first sheet) or a name is. Raises InputError."""
        text = reference.strip()
        if text.casefold() in self._names:
            return self._names[text.casefold()]
        sheet, mark, address = text.rpartition("!")
        if len(sheet) > 1 and sheet[0] == sheet[-1] == "'":
            sheet = sheet[1:-1].replace("''", "'")
        known = self.sheets
        index = next((i for i, name in enumerate(known) if name.casefold() == sheet.casefold()), None)
        if mark and index is None:
            detail = f"{reference}: there is no sheet {sheet!r}; the sheets are {', '.join(known)}"
            raise InputError("unknown_sheet", detail, reference)
        try:
            span = read_span(address)[0]
        except ValueError:
            raise InputError("unknown_reference", f"{reference!r} is neither a cell nor a name", reference) from None
        if not span.inside():
            raise InputError("unknown_reference", f"{reference!r} lies outside of the sheet", reference)
        return index or 0, span

    def run(self, inputs: Mapping[str, Any] | None = None, **options: Any) -> Book:
        """The computed book. ``options``: fields of ``RunInput``. Raises InputError."""
        set_ = [
            (sheet, row, col, value)
            for reference, given in (inputs or {}).items()
            for sheet, row, col, value in self._set(reference, given)
        ]
        source = replace(self.source, overrides=[*self.source.overrides, *set_], **options)
        return run_steps(self._steps, source)[0]

    def calculate(self, inputs: Mapping[str, Any] | None, outputs: Iterable[str]) -> dict[str, Any]:
        """The outputs under their own references. Raises InputError."""
        places = {reference: self.place(reference) for reference in outputs}
        book = self.run(inputs)
        return {reference: values_at(book, place) for reference, place in places.items()}

    def _set(self, reference: str, given: Any) -> Iterable[tuple[int, int, int, Scalar]]:
        sheet, span = self.place(reference)
        height, width = span.shape
        rows = given if isinstance(given, list) else [[given] * width] * height
        if len(rows) != height or any(not isinstance(row, list) or len(row) != width for row in rows):
            raise InputError("wrong_shape", f"{reference} takes {height} rows of {width} values", reference)
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                yield sheet, span.top + i, span.left + j, _scalar(reference, value)


def _scalar(reference: str, value: Any) -> Scalar:
    if value is None or isinstance(value, str | bool | ExcelError):
        return value
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    if isinstance(value, Mapping) and set(value) == {"error"}:
        with contextlib.suppress(KeyError, TypeError):
            return ExcelError(value["error"])
    wanted = 'a finite number, text, True, False, None or {"error": "#N/A"}'
    raise InputError("bad_value", f"{reference}: {value!r:.40} is not {wanted}", reference)


def values_at(book: Book, place: Place) -> Any:
    """One cell as a value, a range as a list of rows."""
    sheet, span = book.sheets[place[0]], place[1]
    rows = [
        [plain(sheet.cell(row, col)) for col in range(span.left, span.right + 1)]
        for row in range(span.top, span.bottom + 1)
    ]
    return rows[0][0] if span.shape == (1, 1) else rows


def plain(value: Scalar) -> Value:
    """A scalar as a JSON value."""
    return CellError(error=value.code) if isinstance(value, ExcelError) else value
