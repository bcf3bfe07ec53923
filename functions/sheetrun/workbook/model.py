"""A workbook as values: grids of cells, blocks of equal formulas, names, tables, settings. What the reader makes.

All rows and columns are 0-based; a ``Rect`` includes both corners.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from sheetrun.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection

    from sheetrun.runtime.cells import Numbers, Tags
    from sheetrun.runtime.pivots import Pivot

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384


class Rect(NamedTuple):
    """A rectangle of cells, both corners included."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top + 1

    @property
    def width(self) -> int:
        return self.right - self.left + 1

    @property
    def size(self) -> int:
        top, left, bottom, right = self
        return (bottom - top + 1) * (right - left + 1)

    def contains(self, row: int, col: int) -> bool:
        return self.top <= row <= self.bottom and self.left <= col <= self.right

    def overlaps(self, other: Rect) -> bool:
        return (
            self.top <= other.bottom
            and other.top <= self.bottom
            and self.left <= other.right
            and other.left <= self.right
        )

    @staticmethod
    def around(rects: Collection[Rect]) -> Rect:
        """The smallest rectangle that holds them all; at least one."""
        return Rect(
            min(r.top for r in rects),
            min(r.left for r in rects),
            max(r.bottom for r in rects),
            max(r.right for r in rects),
        )


@dataclass(slots=True)
class Grid:
    """A dense rectangle of cell values (see ``runtime.cells`` for the encoding).

    Holds constants and, for formula cells, the values Excel cached. ``num`` of a TEXT cell is 0.0 here; the runtime
    fills in what the text reads as. Shapes: (rows, columns), first cell at (top, left).
    """

    top: int
    left: int
    num: Numbers
    tag: Tags

    @property
    def rect(self) -> Rect:
        rows, columns = self.num.shape
        return Rect(self.top, self.left, self.top + rows - 1, self.left + columns - 1)


class Kind(StrEnum):
    """How a block's formula is evaluated and where its result goes."""

    NORMAL = "normal"  #: one scalar result per cell, ranges intersect implicitly
    ARRAY = "array"  #: a CSE array formula: one result array over the whole rect
    DYNAMIC = "dynamic"  #: a dynamic array formula (cell metadata says so): spills from the first cell
    TABLE = "table"  #: a what-if data table (``TABLE(row input, column input)``)


@dataclass(frozen=True, slots=True)
class DataTable:
    """``<f t="dataTable">``: the input cells as (row, column); ``two_inputs`` has both, else ``by_row`` tells which."""

    two_inputs: bool
    by_row: bool
    first_input: tuple[int, int] | None  #: r1; None when the file says that the input cell was deleted
    second_input: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle of formula cells that share one formula in R1C1 terms.

    ``text`` is the formula of the top left cell without ``=``, as stored in the file. For ARRAY and DYNAMIC the block
    is one formula and ``rect`` is where its result went when Excel saved the file, unless it is ``filled``.
    """

    rect: Rect
    text: str
    kind: Kind = Kind.NORMAL
    table: DataTable | None = None
    filled: bool = False  #: an array formula of one cell, filled: each cell of ``rect`` computes its own

    @property
    def per_cell(self) -> bool:
        """Whether each cell has its own result (relative references move from cell to cell)."""
        return self.filled or self.kind is Kind.NORMAL


@dataclass(frozen=True, slots=True)
class DefinedName:
    """``text`` is the definition without ``=``; relative references count from A1 of the sheet in use."""

    name: str
    text: str
    sheet: int | None = None  #: index of the sheet that it is local to, None for the workbook
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table (ListObject). ``rect`` covers headers, data and totals."""

    name: str
    sheet: int
    rect: Rect
    columns: tuple[str, ...]
    header_rows: int = 1
    totals_rows: int = 0


@dataclass(slots=True)
class ExternalBook:
    """What the file has cached of another workbook. ``index`` is the number in ``[1]Sheet1!A1`` (1-based)."""

    index: int
    target: str
    sheets: dict[str, list[Grid]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  #: defined name -> its refersTo text
    lost: frozenset[str] = frozenset()  #: not refreshed, and no cell is known: all are #REF!


@dataclass(frozen=True, slots=True)
class Validation:
    """A rule of data validation. ``kind``: list, whole, decimal, date, time, textLength, custom; ``operator`` as in the
    file (between, notBetween, equal, …); ``first`` and ``second`` are formula texts without ``=``."""

    kind: str
    operator: str
    first: str
    second: str
    blank: bool  #: whether the cell may stay empty
    rects: tuple[Rect, ...]


@dataclass(slots=True)
class Sheet:
    """One worksheet. ``grids`` do not overlap; nearly always there is one. Cells outside all of them are empty."""

    name: str
    visible: bool = True
    grids: list[Grid] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    uncached: list[Rect] = field(
        default_factory=list
    )  #: formula cells for which the file has no value (EMPTY in grids)
    hidden_rows: frozenset[int] = frozenset()  #: hidden by hand or by a filter
    filtered: bool = False  #: a filter with criteria is on
    filtered_rows: frozenset[int] = frozenset()  #: those of ``hidden_rows`` that a filter hides
    hidden_columns: frozenset[int] = frozenset()
    column_widths: dict[int, float] = field(default_factory=dict)
    formats: dict[int, list[Rect]] = field(default_factory=dict)  #: style index -> rectangles (General left out)
    validations: list[Validation] = field(default_factory=list)
    is_chart: bool = False  #: a chart or dialog sheet: it has a name and a place, and no cells


@dataclass(frozen=True, slots=True)
class Settings:
    """``workbookPr`` and ``calcPr``."""

    date1904: bool = False
    iterate: bool = False
    iterate_count: int = 100
    iterate_delta: float = 0.001
    manual: bool = False  #: calculation mode is manual: cached values may be stale
    full_precision: bool = True  #: False: "precision as displayed"
    calc_on_save: bool = True  #: Excel calculates before it saves, in manual mode too
    calc_completed: bool = True  #: False: the file was saved while a calculation was not done
    full_calc_on_load: bool = False  #: the writer asks for a full calculation, since it made none
    application: str = ""  #: docProps/app.xml Application, and AppVersion after a space
    r1c1: bool = False


@dataclass(slots=True)
class Workbook:
    """The whole file. ``strings[i]`` is the text of tag TEXT + i."""

    sheets: list[Sheet]
    strings: list[str]
    names: list[DefinedName] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    externals: list[ExternalBook] = field(default_factory=list)
    pivots: list[Pivot] = field(default_factory=list)
    settings: Settings = Settings()
    number_formats: list[str] = field(default_factory=list)  #: style index (cellXfs) -> format code
    filename: str = ""

    @property
    def formula_count(self) -> int:
        return sum(block.rect.size for sheet in self.sheets for block in sheet.blocks)
