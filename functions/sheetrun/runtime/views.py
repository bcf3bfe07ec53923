"""The three other ways to read a sheet: ``s.n[...]`` as numbers, ``s.arr[...]`` as an Arr, ``s.ref[...]`` as a Ref."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sheetrun.runtime.address import Cells, Key, span_of
from sheetrun.runtime.refs import Ref
from sheetrun.runtime.tails import numbers_of
from sheetrun.runtime.values import Arr

if TYPE_CHECKING:
    from sheetrun.runtime.sheet import Sheet


class AsNumbers:
    __slots__ = ("_sheet",)

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet

    def __getitem__(self, key: Key) -> Any:
        if type(key) is tuple and len(key) == 2:  # in loops
            return self._sheet.number(*key)
        if type(key) is Cells:
            return numbers_of(self._sheet.gathered(key))
        span, single = span_of(key)
        if single:
            return self._sheet.number(span.top, span.left)
        return numbers_of(self._sheet.whole(span))


class AsArrays:
    __slots__ = ("_sheet",)

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet

    def __getitem__(self, key: Key) -> Arr:
        span, single = span_of(key)
        if single:  # makes sure that it is computed
            self._sheet.number(span.top, span.left)
        return self._sheet.rectangle(span)


class AsReferences:
    __slots__ = ("_sheet",)

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet

    def __getitem__(self, key: Key) -> Ref:
        return Ref(self._sheet, span_of(key)[0])
