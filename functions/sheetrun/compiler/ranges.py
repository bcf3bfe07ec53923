"""References after resolution: which sheet, and where, for any host cell of a block."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from sheetrun.formula.nodes import Axis, Name, Node
from sheetrun.records import dataclass
from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, Rect


@dataclass(frozen=True, slots=True)
class Range:
    """A reference to a rectangle of a known sheet; axes as in the formula's tree (absolute, or offset from the host).

    ``single``: written as one cell. ``last_sheet``: the end of a 3-D reference. Whole rows and columns reach to the
    sheet's edge.
    """

    sheet: int
    top: Axis
    left: Axis
    bottom: Axis
    right: Axis
    single: bool = False
    last_sheet: int | None = None

    def at(self, row: int, col: int) -> Rect:
        """The rectangle for one host cell (0-based); relative references wrap at the sheet's edge as Excel's do."""
        top, bottom = self.top.at(row) % MAX_ROWS, self.bottom.at(row) % MAX_ROWS
        left, right = self.left.at(col) % MAX_COLUMNS, self.right.at(col) % MAX_COLUMNS
        return Rect(min(top, bottom), min(left, right), max(top, bottom), max(left, right))

    def over(self, hosts: Rect) -> Rect:
        """The rectangle around what all host cells of a block refer to."""
        first, last = self.at(hosts.top, hosts.left), self.at(hosts.bottom, hosts.right)
        return Rect(
            min(first.top, last.top),
            min(first.left, last.left),
            max(first.bottom, last.bottom),
            max(first.right, last.right),
        )

    def wraps(self, hosts: Rect) -> bool:
        """Whether it leaves the sheet for some host cells (and comes back on the other side)."""
        return any(
            not 0 <= axis.at(host) < size
            for axis, host, size in (
                (self.top, hosts.top, MAX_ROWS),
                (self.bottom, hosts.bottom, MAX_ROWS),
                (self.left, hosts.left, MAX_COLUMNS),
                (self.right, hosts.right, MAX_COLUMNS),
            )
        )

    def first_cell(self) -> Range:
        """The upper left cell; the range itself where that is another corner for each host."""
        mixed = self.top.absolute != self.bottom.absolute or self.left.absolute != self.right.absolute
        if mixed or self.last_sheet is not None:
            return self
        top = min(self.top, self.bottom, key=lambda axis: axis.index)
        left = min(self.left, self.right, key=lambda axis: axis.index)
        return Range(self.sheet, top, left, top, left, True)

    def anchored(self, row: int, col: int) -> Range:
        """The same with every axis absolute, as seen from one host cell."""
        rect = self.at(row, col)
        return replace(
            self,
            top=Axis(rect.top, True),
            left=Axis(rect.left, True),
            bottom=Axis(rect.bottom, True),
            right=Axis(rect.right, True),
        )

    @property
    def one(self) -> bool:
        """Whether both corners are the same cell, for every host (also where it is written as two)."""
        return self.top == self.bottom and self.left == self.right

    @property
    def fixed_rows(self) -> bool:
        return self.top.absolute and self.bottom.absolute

    @property
    def fixed_columns(self) -> bool:
        return self.left.absolute and self.right.absolute

    @property
    def whole_columns(self) -> bool:
        return self.fixed_rows and self.top.index == 0 and self.bottom.index == MAX_ROWS - 1

    @property
    def whole_rows(self) -> bool:
        return self.fixed_columns and self.left.index == 0 and self.right.index == MAX_COLUMNS - 1


@dataclass(frozen=True, slots=True)
class Defined:
    """A defined name that is a LAMBDA, to be called: ``key`` finds its body in the scope (it may call itself)."""

    key: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A function of Excel that is passed by its name: ``BYROW(A1:B9,SUM)``."""

    name: str


@dataclass(frozen=True, slots=True)
class OptionalParameter(Name):
    """A parameter of a LAMBDA that a call may leave out."""


#: A resolved tree: formula nodes in which Range stands for every static reference, Defined for a name that is a LAMBDA,
#: Passed for one of a function.
Resolved: TypeAlias = Node | Range | Defined | Passed
