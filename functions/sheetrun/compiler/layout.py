"""What the code of a formula stands for: a cell, the cell of a loop, a block, any formula of a form, many scenarios."""

from __future__ import annotations

from collections.abc import Mapping

from sheetrun.compiler.ranges import Range
from sheetrun.formula.nodes import Axis
from sheetrun.records import dataclass
from sheetrun.workbook.model import Rect


class NotWhole(Exception):
    """The formula cannot be computed for a whole block at once: emit a loop."""


class NotAlike(Exception):
    """What a formula means depends on which cells stand in the blanks of its form: emit each one by itself."""


class NotTracked(Exception):
    """A loop reads its own results in a way that only the sheet can answer: emit it without tracks."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the host is: one cell (``rect`` of size 1), the loop variables ``r`` and ``c``, or a whole block.

    ``rect``: the cells that the code stands for (0-based). ``row_var``/``col_var``: that axis is a loop variable.
    ``lanes``: each cell has a value for each of many scenarios (see ``runtime.lanes``); then ``whole`` is set as well,
    also in a loop, and arrays have a row for each cell of the block and a column for each scenario.
    ``blanks``: the code stands for any formula of a form: how the host (None), the references and the numbers that the
    form has stand-ins for are called in it. With ``whole`` it stands for many at once: a list of cells in each blank.
    ``fills``: of an array formula, the rows and columns of the cells that it fills, where these are several.
    """

    rect: Rect
    row_var: bool = False
    col_var: bool = False
    whole: bool = False
    lanes: bool = False
    blanks: Mapping[Range | float | None, str] | None = None
    fills: tuple[int, int] | None = None

    @property
    def fixed(self) -> bool:
        return not (self.row_var or self.col_var or self.whole)

    @property
    def moving(self) -> bool:
        """In a loop."""
        return self.row_var or self.col_var


def counted(axis: Axis, variable: str) -> str:
    """A relative coordinate, counted from a loop variable: ``r - 4``."""
    if axis.index == 0:
        return variable
    return f"{variable} {'+' if axis.index > 0 else '-'} {abs(axis.index)}"
