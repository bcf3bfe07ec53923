"""The tree of one formula: frozen values, relative to the cell that holds it.

A reference keeps each axis either absolute (a 0-based index) or as an offset from the host cell, so two cells whose
formulas are the same in R1C1 terms have *equal* trees. Nothing here knows a workbook: names, tables and sheets are
text until the compiler resolves them.

    Node
    ├── Number  Text  Logical  Error  Missing  ArrayConst        literals
    ├── Cell  Area  Rows  Columns  Name  Structured              references (static)
    ├── RangeOp  Union  Intersection  Spill                      reference operators
    ├── Unary  Percent  Binary  Implicit                         operators
    └── Call  Invoke                                             FUNCTION(args) and expr(args)
"""

from __future__ import annotations

from typing import TypeAlias

from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """One coordinate of a reference: an index when absolute, else an offset from the host cell (both 0-based)."""

    index: int
    absolute: bool

    def at(self, host: int) -> int:
        """The index on the sheet for a host cell at ``host`` (may fall outside the sheet: the caller decides)."""
        return self.index if self.absolute else host + self.index


@dataclass(frozen=True, slots=True)
class Prefix:
    """What stands before ``!``: a sheet, a 3-D span of sheets, a workbook, or a workbook alone (for names)."""

    sheet: str | None = None
    last_sheet: str | None = None  #: ``Jan:Dec!A1`` has sheet Jan and last_sheet Dec
    book: str | None = None  #: ``[2]Sheet1!A1`` has book "2"; ``[Budget.xlsx]…`` has "Budget.xlsx"


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Logical:
    value: bool


@dataclass(frozen=True, slots=True)
class Error:
    """An error literal: ``#REF!``, ``#N/A`` …; ``Sheet1!#REF!`` and ``#REF!A1`` are Error too."""

    code: str


@dataclass(frozen=True, slots=True)
class Missing:
    """An argument left out: the second one of ``IF(A1,,3)``."""


@dataclass(frozen=True, slots=True)
class ArrayConst:
    """``{1,2;3,4}``: rows of literals, all of the same length."""

    rows: tuple[tuple[Number | Text | Logical | Error, ...], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    row: Axis
    col: Axis
    prefix: Prefix | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """``A1:B9``; corners as written (they may be in any order once the host is known)."""

    first_row: Axis
    first_col: Axis
    last_row: Axis
    last_col: Axis
    prefix: Prefix | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Whole rows: ``2:5``."""

    first: Axis
    last: Axis
    prefix: Prefix | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Whole columns: ``A:C``."""

    first: Axis
    last: Axis
    prefix: Prefix | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A defined name, a LET or LAMBDA variable, a table without brackets, or a function passed by name (``SUM``).

    As written, with the file prefixes of variables and functions (``_xlpm.``, ``_xleta.``) taken off; ``function`` tells
    that it had the latter.
    """

    name: str
    prefix: Prefix | None = None
    function: bool = False


@dataclass(frozen=True, slots=True)
class Structured:
    """``Sales[[#Totals],[Qty]:[Price]]``. ``table`` is None inside its own table (``[@Qty]``).

    ``items``: the specials without ``#``, in lower case: all, data, headers, totals, this row (``@`` gives "this row").
    ``first``/``last``: column names unescaped, None for all columns; ``last`` None for one column.
    A LAMBDA's optional parameter is ``Structured(None, (), "y")``: people type it ``[y]``, files have ``_xlop.y``.
    """

    table: str | None
    items: tuple[str, ...] = ()
    first: str | None = None
    last: str | None = None
    prefix: Prefix | None = None


@dataclass(frozen=True, slots=True)
class RangeOp:
    """``left:right`` where a side is not a plain corner: ``A1:INDEX(B:B,3)``, ``Name1:Name2``."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Union:
    """``(A1:A3,C1)``: areas in the order written; without parentheses in a defined name."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Intersection:
    """``A1:C3 B2:D4``."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Spill:
    """``A1#`` (stored as ``_xlfn.ANCHORARRAY(A1)``)."""

    anchor: Node


@dataclass(frozen=True, slots=True)
class Unary:
    """Prefix ``-`` or ``+``; binds tighter than ``^`` (Excel: ``-2^2`` is 4)."""

    op: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Percent:
    """Postfix ``%``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """``op`` is one of + - * / ^ & = <> < <= > >=."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Implicit:
    """``@x``: implicit intersection (stored as ``_xlfn.SINGLE(x)``)."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Paren:
    """``(x)``: kept because Excel's snap to zero looks at the last operation outside parentheses."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Call:
    """``NAME(args)``: the name in upper case, file prefixes (``_xlfn.`` …) off; an argument left out is Missing."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Invoke:
    """A call of an expression: ``LAMBDA(x,x+1)(3)``, or of a name with a prefix: ``Sheet1!Fn(3)``, ``[1]!Macro()``."""

    function: Node
    args: tuple[Node, ...]


Node: TypeAlias = (
    Number
    | Text
    | Logical
    | Error
    | Missing
    | ArrayConst
    | Cell
    | Area
    | Rows
    | Columns
    | Name
    | Structured
    | RangeOp
    | Union
    | Intersection
    | Spill
    | Unary
    | Percent
    | Binary
    | Implicit
    | Paren
    | Call
    | Invoke
)
