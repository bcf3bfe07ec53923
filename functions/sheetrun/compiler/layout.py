"""What the code of a formula stands for: a cell, the cell of a loop, a block, any formula of a form, many scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sheetrun.compiler.ranges import Range
from sheetrun.workbook.model import Rect


class NotWhole(Exception):
    """The formula cannot be computed for a whole block at once: emit a loop."""


class NotAlike(Exception):
    """What a formula means depends on which cells stand in the blanks of its form: emit each one by itself."""


class NotTracked(Exception):
    """A loop reads its own results in a way that only the sheet can answer: emit it without tracks."""


@dataclass(slots=True)
class Tracks:
    """The lists that a loop keeps its lines of cells in (``runtime.tracks``): the results of its own units, and what
    it reads beside itself; and cells that are the same in every turn.

    ``own``: sheet, and column (row, when the loop runs over columns) that the loop computes, 0-based.
    """

    by_row: bool
    own: frozenset[tuple[int, int]]
    targets: tuple[tuple[int, Rect], ...]
    used: dict[tuple[int, int, bool], tuple[str, int, int]] = field(
        default_factory=dict
    )  #: (sheet, line, as numbers) -> name, first and last place (0-based)
    fixed: dict[str, str] = field(default_factory=dict)  #: expression -> name

    def holds(self, sheet: int, rect: Rect) -> bool:
        """Whether a rectangle has a cell that the loop computes."""
        return any(sheet == mine and rect.overlaps(target) for mine, target in self.targets)


@dataclass(frozen=True, slots=True)
class Layout:
    """What the host is: one cell (``rect`` of size 1), the loop variables ``r`` and ``c``, or a whole block.

    ``rect``: the cells that the code stands for (0-based). ``row_var``/``col_var``: that axis is a loop variable.
    ``lanes``: each cell has a value for each of many scenarios (see ``runtime.lanes``); then ``whole`` is set as well,
    also in a loop, and arrays have a row for each cell of the block and a column for each scenario.
    ``blanks``: the code stands for any formula of a form: how the host (None), the references and the numbers that the
    form has stand-ins for are called in it.
    """

    rect: Rect
    row_var: bool = False
    col_var: bool = False
    whole: bool = False
    lanes: bool = False
    blanks: Mapping[Range | float | None, str] | None = None

    @property
    def fixed(self) -> bool:
        return not (self.row_var or self.col_var or self.whole)

    @property
    def moving(self) -> bool:
        """In a loop."""
        return self.row_var or self.col_var
