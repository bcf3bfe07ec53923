"""What goes into a run and what comes out, as bytes: a JSON header and the cells of all sheets as raw arrays.

    b"SHRUN1\\n"  u32 length of the header  header (UTF-8 JSON)  arrays, one after another (little-endian)

Nothing is executed or unpickled while reading: what comes out of a sandbox is data, checked for its sizes.
"""

from __future__ import annotations

import datetime
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, TypeVar

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime import calendar, charset, pool
from sheetrun.runtime.address import Span
from sheetrun.runtime.book import Book
from sheetrun.runtime.cells import TEXT, Numbers, Tags
from sheetrun.runtime.distinct import distinct_places
from sheetrun.runtime.errors import ExcelError
from sheetrun.runtime.failures import Failure
from sheetrun.runtime.names import Named, Tables
from sheetrun.runtime.pivots import Pivot
from sheetrun.runtime.sheet import Area
from sheetrun.runtime.solving import Iteration
from sheetrun.runtime.values import Scalar

_MAGIC: Final = b"SHRUN1\n"
AnyBook = TypeVar("AnyBook", bound=Book)


class BadPayload(ValueError):
    """The bytes are not what a run takes or gives."""


@dataclass(frozen=True, slots=True)
class SheetData:
    """Cells of one sheet: areas with tags TEXT + index into the payload's own strings."""

    name: str
    areas: Sequence[Area]
    hidden_rows: Sequence[int] = ()  #: 1-based
    filtered: bool = False


@dataclass(frozen=True, slots=True)
class RunInput:
    """All that a script needs to compute a workbook."""

    sheets: Sequence[SheetData]
    strings: Sequence[str]
    date1904: bool = False
    iteration: Iteration = field(default_factory=Iteration)
    now: datetime.datetime | None = None
    seed: int = 0
    names: Mapping[str, Named] = field(default_factory=dict)
    tables: Mapping[str, Tables] = field(default_factory=dict)
    formulas: Sequence[tuple[int, int, int, str]] = ()
    spills: Sequence[tuple[int, Span]] = ()  #: where dynamic arrays that are not computed stand
    overrides: Sequence[tuple[int, int, int, Scalar]] = ()  #: (sheet, row, column, value), 1-based
    path: str = ""
    formats: Sequence[tuple[int, str, Sequence[Span]]] = ()  #: (sheet, number format, where), if they are asked for
    pivots: Sequence[Pivot] = ()  #: where they are asked for
    displayed: bool = False  #: precision as displayed: results are rounded by their formats
    externals: int = 0  #: how many of the sheets, the last ones, are stored cells of other workbooks
    day_first: bool = False  #: texts such as 3/4/2026 are read with the day first
    macintosh: bool = False  #: CHAR and CODE count the characters of the Macintosh
    alone: bool = False  #: each formula from stored values (see ``alone``), not from what others give
    wanted: Sequence[tuple[int, Span]] = ()  #: (sheet, range) of the formulas that ``alone`` computes; none: all
    arrays: Sequence[tuple[int, Span]] = ()  #: (sheet, range) of array formulas, where ``A1#`` may ask for one

    def to_bytes(self) -> bytes:
        header = {
            "sheets": [
                {
                    "name": s.name,
                    "areas": [place_of(a) for a in s.areas],
                    "hidden": list(s.hidden_rows),
                    "filtered": s.filtered,
                }
                for s in self.sheets
            ],
            "strings": list(self.strings),
            "date1904": self.date1904,
            "iteration": [self.iteration.on, self.iteration.count, self.iteration.delta],
            "now": None if self.now is None else self.now.isoformat(),
            "seed": self.seed,
            "names": {k: [v.sheet, *v.span] for k, v in self.names.items()},
            "tables": {
                k: [v.sheet, *v.span, list(v.columns), v.header_rows, v.totals_rows] for k, v in self.tables.items()
            },
            "formulas": [list(f) for f in self.formulas],
            "spills": [[sheet, *span] for sheet, span in self.spills],
            "overrides": [
                [*place, {"error": value.code} if isinstance(value, ExcelError) else value]
                for *place, value in self.overrides
            ],
            "path": self.path,
            "formats": [[sheet, code, [list(span) for span in spans]] for sheet, code, spans in self.formats],
            "pivots": [pivot.to_json() for pivot in self.pivots],
            "displayed": self.displayed,
            "externals": self.externals,
            "day_first": self.day_first,
            "macintosh": self.macintosh,
            "alone": self.alone,
            "wanted": [[sheet, *span] for sheet, span in self.wanted],
            "arrays": [[sheet, *span] for sheet, span in self.arrays],
        }
        return b"".join(pack(header, (a for s in self.sheets for a in s.areas)))

    def book(self) -> Book:
        """The book, ready to run. Its arrays are copies: the input can be used again."""
        if self.displayed:
            from sheetrun.runtime.displayed import DisplayedBook

            return book_from(self, DisplayedBook)
        return book_from(self, Book)

    @classmethod
    def from_bytes(cls, data: bytes) -> RunInput:
        header, areas = unpack(data)
        at = iter(areas)
        sheets = [
            SheetData(s["name"], [next(at) for _ in s["areas"]], s["hidden"], s["filtered"]) for s in header["sheets"]
        ]
        return cls(
            sheets,
            header["strings"],
            header["date1904"],
            Iteration(*header["iteration"]),
            None if header["now"] is None else datetime.datetime.fromisoformat(header["now"]),
            header["seed"],
            {k: Named(v[0], Span(*v[1:5])) for k, v in header["names"].items()},
            {k: Tables(v[0], Span(*v[1:5]), tuple(v[5]), v[6], v[7]) for k, v in header["tables"].items()},
            [tuple(f) for f in header["formulas"]],
            [(v[0], Span(*v[1:5])) for v in header["spills"]],
            [(s, r, c, ExcelError(v["error"]) if isinstance(v, dict) else v) for s, r, c, v in header["overrides"]],
            header["path"],
            [(sheet, code, [Span(*span) for span in spans]) for sheet, code, spans in header["formats"]],
            [Pivot.from_json(pivot) for pivot in header["pivots"]],
            header["displayed"],
            header["externals"],
            header["day_first"],
            header["macintosh"],
            header["alone"],
            [(sheet, Span(*span)) for sheet, *span in header["wanted"]],
            [(sheet, Span(*span)) for sheet, *span in header["arrays"]],
        )


def settle(source: RunInput, book: Book) -> None:
    """Makes this process count days and characters as the workbook does."""
    calendar.settle(date1904=book.date1904, year=book.now.year, day_first=source.day_first)
    charset.settle(source.macintosh)


def book_from(source: RunInput, kind: type[AnyBook]) -> AnyBook:
    """A book of some kind from the input of a run."""
    book = kind(date1904=source.date1904, now=source.now, seed=source.seed)
    settle(source, book)  # before texts are read as dates
    ids = np.array([pool.intern(s) for s in source.strings], np.int32)
    for data in source.sheets:
        areas = [Area(a.top, a.left, a.num.copy(), _renumbered(a.tag, ids)) for a in data.areas]
        sheet = book.add_sheet(data.name, areas)
        book.cached.append([Area(a.top, a.left, a.num.copy(), a.tag.copy()) for a in areas])
        for view in book.views(sheet.index):
            view.hidden_rows = frozenset(data.hidden_rows)
            view.filtered = data.filtered
    book.iteration = source.iteration
    book.names = {pool.fold(k): v for k, v in source.names.items()}
    book.tables = {pool.fold(k): v for k, v in source.tables.items()}
    book.formulas = {(s, r, c): text for s, r, c, text in source.formulas}
    book.arrays = {(sheet, span.top, span.left): span for sheet, span in source.arrays}
    book.path = source.path
    book.pivots = source.pivots
    for index, code, spans in source.formats:
        book.formats.setdefault(index, []).append((code, spans))
    book.spills = {(sheet, span.top, span.left): span for sheet, span in source.spills}
    for index, row, col, value in source.overrides:
        book.override(index, row, col, float(value) if type(value) is int else value)
    return book


def _renumbered(tag: Tags, ids: Any) -> Tags:
    """Tags with the pool's string ids instead of the payload's."""
    texts = tag >= TEXT
    out = tag.copy()
    if texts.any():
        out[texts] = TEXT + ids[tag[texts] - TEXT]
    return out


@dataclass(frozen=True, slots=True)
class RunOutput:
    """All cells after a run, and what could not be computed. ``circular``: cells found in a real cycle."""

    sheets: Sequence[Sequence[Area]]
    strings: Sequence[str]
    failures: Sequence[Failure]
    circular: Sequence[tuple[int, int, int]]
    spills: Sequence[tuple[int, Span]]
    seconds: float = 0.0

    @classmethod
    def of(cls, book: Book, sheets: int, seconds: float) -> RunOutput:
        """What a book holds now; ``sheets``: how many of its sheets are the workbook's own."""
        return cls(
            [s.areas for s in book.sheets[:sheets]],
            [],
            book.failures,
            book.circular,
            [
                (sheet, span)
                for (sheet, _, _), span in book.spills.items()
                if any(area.span.holds(span) for area in book.sheets[sheet].areas)  # else it has no cells
            ],
            seconds,
        )

    def to_bytes(self) -> bytes:
        return b"".join(self.pieces())

    def pieces(self) -> list[bytes | memoryview]:
        """What ``to_bytes`` puts together; arrays are not copied."""
        areas = [a for s in self.sheets for a in s]
        used: dict[int, int] = {}
        local = []
        for a in areas:
            texts = a.tag >= TEXT
            tag = a.tag
            if texts.any():
                unique, inverse = distinct_places(tag[texts] - TEXT)
                places = np.array([used.setdefault(i, len(used)) for i in unique.tolist()], np.int32)
                tag = tag.copy()
                tag[texts] = TEXT + places[inverse]
            local.append(Area(a.top, a.left, a.num, tag))
        header = {
            "sheets": [[place_of(a) for a in s] for s in self.sheets],
            "strings": [pool.text(i) for i in used],
            "failures": [[f.sheet, *f.span, f.code, f.detail] for f in self.failures],
            "circular": [list(c) for c in self.circular],
            "spills": [[sheet, *span] for sheet, span in self.spills],
            "seconds": self.seconds,
        }
        return pack(header, local)

    @classmethod
    def from_bytes(cls, data: bytes | bytearray) -> RunOutput:
        header, areas = unpack(data)
        at = iter(areas)
        try:
            return cls(
                [[next(at) for _ in s] for s in header["sheets"]],
                [str(s) for s in header["strings"]],
                [Failure(str(f[0]), Span(*map(int, f[1:5])), str(f[5]), str(f[6])) for f in header["failures"]],
                [(int(c[0]), int(c[1]), int(c[2])) for c in header["circular"]],
                [(int(s[0]), Span(*map(int, s[1:5]))) for s in header["spills"]],
                float(header["seconds"]),
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise BadPayload(f"the header is not complete: {error}") from error


def place_of(area: Area) -> list[int]:
    """What a header says of an area: its first row and column, its shape, and whether it has tags (1 or 0)."""
    return [area.top, area.left, *area.num.shape, int(area.tag.any())]


def pack(header: Mapping[str, Any], areas: Iterable[Area]) -> list[bytes | memoryview]:
    """Header and arrays as pieces of bytes. The header must tell of each array, in the same order (``place_of``)."""
    # Lone surrogates may occur in damaged files: ASCII escapes carry them.
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    parts: list[bytes | memoryview] = [_MAGIC, struct.pack("<I", len(text)), text]
    for area in areas:
        if area.num.size:  # memory of no length cannot be cast
            parts.append(_memory(area.num, "<f8"))
        if area.tag.any():
            parts.append(_memory(area.tag, "<i4"))
    return parts


def _memory(array: Any, kind: str) -> memoryview:
    """The bytes of an array, row by row; its own where they lie so."""
    return np.ascontiguousarray(array, kind).reshape(-1).data.cast("B")


def unpack(data: bytes | bytearray) -> tuple[dict[str, Any], list[Area]]:
    """Header and areas. Raises BadPayload when sizes do not fit."""
    start = len(_MAGIC)
    if data[:start] != _MAGIC or len(data) < start + 4:
        raise BadPayload("not the bytes of a run")
    (size,) = struct.unpack_from("<I", data, start)
    start += 4
    try:
        header = json.loads(data[start : start + size])
        shapes = [
            [*map(int, area), 1][:5]  # scripts' data of old versions say nothing of tags, and have them
            for sheet in header["sheets"]
            for area in (sheet["areas"] if isinstance(sheet, dict) else sheet)
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise BadPayload(f"the header cannot be read: {error}") from error
    at = start + size
    areas = []
    for top, left, rows, columns, tagged in shapes:
        count = rows * columns
        end = at + count * (12 if tagged else 8)
        if min(top, left) < 1 or min(rows, columns) < 0 or end > len(data):
            raise BadPayload("an array is cut off or has an impossible place")
        num: Numbers = np.frombuffer(data, "<f8", count, at).reshape(rows, columns)
        tag: Tags = np.frombuffer(data, "<i4", count, at + count * 8) if tagged else np.zeros(count, np.int32)
        areas.append(Area(top, left, num, tag.reshape(rows, columns)))
        at = end
    return header, areas
