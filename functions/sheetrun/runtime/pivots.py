"""Pivot tables as GETPIVOTDATA sees them: which item of which field each of their rows and columns stands for.

The values themselves are in the cells: Excel writes a pivot table into its sheet when it is refreshed, and GETPIVOTDATA
gives what is to be seen there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sheetrun.records import dataclass
from sheetrun.runtime import pool
from sheetrun.runtime.address import Span
from sheetrun.runtime.errors import REF, Raised, Unsupported
from sheetrun.runtime.values import Scalar

__all__ = ["Line", "Pivot", "Scalar", "Span"]

#: A row or column: the data field it shows, and (field, item) of what it is limited to, by their numbers.
Line = tuple[int, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True)
class Pivot:
    """``span`` is the whole table; ``top`` and ``left`` are where its values begin. Rows, columns: 1-based."""

    sheet: int
    span: Span
    top: int
    left: int
    fields: tuple[str, ...]
    items: Mapping[int, tuple[tuple[Scalar, ...], ...]]  #: by field; each item with all names that it has
    data: tuple[tuple[str, int], ...]  #: (caption, field) of each data field
    rows: tuple[Line | None, ...]  #: None for a row without values of its own
    columns: tuple[Line | None, ...]
    pages: tuple[tuple[int, int], ...] = ()  #: (field, item) that a page filter is set to
    grouped: frozenset[int] = frozenset()  #: fields whose items are groups of dates or numbers

    def place(self, data_field: str, wanted: Sequence[tuple[str, Scalar]]) -> tuple[int, int]:
        """(row, column) of the cell with a data field for the given items. Raises #REF!, Unsupported."""
        shown = self._data(data_field)
        limits = dict(self._item(field, item) for field, item in wanted)
        for page, item in self.pages:
            if page in limits and limits.pop(page) != item:
                raise Raised(REF)
        for r, row in enumerate(self.rows):
            for c, column in enumerate(self.columns):
                if row is None or column is None:
                    continue
                if max(row[0], column[0]) == shown and {**dict(row[1]), **dict(column[1])} == limits:
                    return self.top + r, self.left + c
        raise Raised(REF)

    def _data(self, name: str) -> int:
        wanted = pool.fold(name.strip())
        for by in (lambda caption, _: caption, lambda _, field: self.fields[field]):
            for index, (caption, field) in enumerate(self.data):
                if pool.fold(by(caption, field).strip()) == wanted:
                    return index
        raise Raised(REF)

    def _item(self, field: str, item: Scalar) -> tuple[int, int]:
        names = [pool.fold(name) for name in self.fields]
        if pool.fold(field) not in names:
            raise Raised(REF)
        number = names.index(pool.fold(field))
        for index, captions in enumerate(self.items.get(number, ())):
            if any(_same(caption, item) for caption in captions):
                return number, index
        if number in self.grouped and not isinstance(item, str):
            raise Unsupported("pivot", f"the items of {field} are groups, and a number stands for one of them")
        raise Raised(REF)

    def to_json(self) -> list[Any]:
        items = [[field, captions] for field, captions in self.items.items()]
        return [
            *(self.sheet, list(self.span), self.top, self.left, self.fields, items, self.data, self.rows, self.columns),
            *(self.pages, sorted(self.grouped)),
        ]

    @classmethod
    def from_json(cls, found: Sequence[Any]) -> Pivot:
        sheet, span, top, left, fields, items, data, rows, columns, pages, grouped = found
        return cls(
            sheet,
            Span(*span),
            top,
            left,
            tuple(fields),
            {field: tuple(tuple(one) for one in captions) for field, captions in items},
            tuple((caption, field) for caption, field in data),
            tuple(None if line is None else _line(line) for line in rows),
            tuple(None if line is None else _line(line) for line in columns),
            tuple((field, item) for field, item in pages),
            frozenset(grouped),
        )


def _line(found: Sequence[Any]) -> Line:
    return found[0], tuple((field, item) for field, item in found[1])


def _same(caption: Scalar, item: Scalar) -> bool:
    if isinstance(caption, str) and isinstance(item, str):
        return pool.fold(caption.strip()) == pool.fold(item.strip())
    if isinstance(caption, bool) or isinstance(item, bool):
        return caption is item
    if isinstance(caption, float) and isinstance(item, str):  # "2020" finds 2020
        from sheetrun.runtime.coerce import number_in_text

        return number_in_text(item) == caption
    return caption == item
