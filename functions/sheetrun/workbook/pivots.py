"""Pivot tables: what each of their rows and columns stands for (ECMA-376 part 1, 18.10), for GETPIVOTDATA.

One that cannot be understood (an OLAP source, a cache that is missing) is left out: its readers keep their values.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import field

from sheetrun.records import dataclass
from sheetrun.runtime.pivots import Line, Pivot, Scalar, Span
from sheetrun.workbook.errors import WorkbookError
from sheetrun.workbook.markup import Attributes, is_true, parse
from sheetrun.workbook.package import Package
from sheetrun.workbook.references import parse_rect
from sheetrun.workbook.values import unescape

_DATA = -2  #: the number that stands for "the data fields" among the fields of an axis
_EPOCH = datetime.datetime(1899, 12, 30)


@dataclass(slots=True)
class _Cache:
    """``pivotCacheDefinition``: fields and the values that occur in them."""

    fields: list[str] = field(default_factory=list)
    shared: list[list[Scalar]] = field(default_factory=list)
    grouped: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Axis:
    fields: list[int] = field(default_factory=list)
    lines: list[Line | None] = field(default_factory=list)
    before: list[int] = field(default_factory=list)  #: items of the line before

    def add(self, attributes: Attributes, items: list[int]) -> None:
        """An ``<i>``: its first ``r`` items are those of the line before."""
        kind, shown = attributes.get("t", "data"), int(attributes.get("i", "0"))
        if kind in ("grand", "data", "default"):
            whole = [] if kind == "grand" else self.before[: int(attributes.get("r", "0"))] + items
            self.before = whole or self.before
            limits = []
            for number, item in zip(self.fields, whole, strict=False):
                if number == _DATA:
                    shown = item
                else:
                    limits.append((number, item))
            self.lines.append((shown, tuple(limits)))
        else:  # blank lines, and further subtotals of other functions
            self.lines.append(None)


def read_pivots(package: Package, sheet_part: str, sheet: int) -> list[Pivot]:
    """The pivot tables of a sheet that can be understood."""
    found = []
    for relationship in package.relationships(sheet_part).values():
        if relationship.kind == "pivotTable" and not relationship.external:
            try:
                found.append(_read(package, relationship.target, sheet))
            except (WorkbookError, ValueError, LookupError):
                continue
    return found


def _read(package: Package, part: str, sheet: int) -> Pivot:
    cache = _read_cache(package, part)
    reader = _Definition()
    parse(package.chunks(part), part, reader.start, reader.end)
    rect = parse_rect(reader.location["ref"])
    top = rect.top + int(reader.location.get("firstDataRow", "1")) + 1
    left = rect.left + int(reader.location.get("firstDataCol", "1")) + 1
    items = {
        number: tuple(_captions(cache, number, shared, caption) for shared, caption in listed)
        for number, listed in reader.items.items()
    }
    return Pivot(
        sheet,
        Span(rect.top + 1, rect.left + 1, rect.bottom + 1, rect.right + 1),
        top,
        left,
        tuple(reader.names.get(i) or name for i, name in enumerate(cache.fields)),
        items,
        tuple(reader.data),
        tuple(reader.rows.lines),
        tuple(reader.columns.lines),
        tuple(reader.pages),
        frozenset(cache.grouped),
    )


def _captions(cache: _Cache, number: int, shared: int | None, caption: str | None) -> tuple[Scalar, ...]:
    """All that an item may be called by: what is in the data, and what a user named it."""
    own: tuple[Scalar, ...] = () if shared is None else (cache.shared[number][shared],)
    return own if caption is None else (*own, caption)


class _Definition:
    """Reads ``pivotTableDefinition``."""

    def __init__(self) -> None:
        self.location: Attributes = {}
        self.names: dict[int, str] = {}
        self.items: dict[int, list[tuple[int | None, str | None]]] = {}
        self.data: list[tuple[str, int]] = []
        self.rows, self.columns = _Axis(), _Axis()
        self.pages: list[tuple[int, int]] = []
        self._field = -1
        self._fields: Callable[[int], None] | None = None
        self._axis: _Axis | None = None
        self._line: Attributes = {}
        self._line_items: list[int] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        match tag:
            case "location":
                self.location = attributes
            case "pivotField":
                self._field += 1
                if "name" in attributes:
                    self.names[self._field] = unescape(attributes["name"])
            case "item":
                shared = attributes.get("x")
                caption = attributes.get("n")
                self.items.setdefault(self._field, []).append(
                    (None if shared is None else int(shared), None if caption is None else unescape(caption))
                )
            case "rowFields":
                self._fields = self.rows.fields.append
            case "colFields":
                self._fields = self.columns.fields.append
            case "field" if self._fields is not None:
                self._fields(int(attributes["x"]))
            case "rowItems":
                self._axis = self.rows
            case "colItems":
                self._axis = self.columns
            case "i":
                self._line, self._line_items = attributes, []
            case "x":
                self._line_items.append(int(attributes.get("v", "0")))
            case "pageField" if "item" in attributes:
                self.pages.append((int(attributes["fld"]), int(attributes["item"])))
            case "dataField":
                self.data.append((unescape(attributes.get("name", "")), int(attributes["fld"])))

    def end(self, tag: str) -> None:
        if tag == "i" and self._axis is not None:
            self._axis.add(self._line, self._line_items)
        elif tag in ("rowFields", "colFields"):
            self._fields = None
        elif tag in ("rowItems", "colItems"):
            self._axis = None


def _read_cache(package: Package, part: str) -> _Cache:
    target = package.related(part, "pivotCacheDefinition")
    if target is None:
        raise LookupError("the pivot table has no cache")
    cache = _Cache()
    inside: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        inside.append(tag)
        if tag == "cacheField":
            cache.fields.append(unescape(attributes.get("name", "")))
            cache.shared.append([])
        elif tag == "groupItems":
            cache.shared[-1] = []
            cache.grouped.add(len(cache.fields) - 1)
        elif inside[-2:-1] in (["sharedItems"], ["groupItems"]):
            cache.shared[-1].append(_shared(tag, attributes.get("v", "")))

    def end(tag: str) -> None:
        inside.pop()

    parse(package.chunks(target), target, start, end)
    return cache


def _shared(tag: str, text: str) -> Scalar:
    match tag:
        case "n":
            return float(text)
        case "d":
            return (datetime.datetime.fromisoformat(text) - _EPOCH) / datetime.timedelta(days=1)
        case "b":
            return is_true(text)
        case "m":
            return "(blank)"
    return unescape(text)
