"""What a comparison with Excel's values found: counts of cells, and those that differ."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Final

from sheetrun.records import dataclass
from sheetrun.runtime.address import Span
from sheetrun.workbook.model import Rect

#: Mismatches listed in a report; the counts are always whole.
LISTED: Final = 1000
_FEW: Final = 500


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A cell that differs. ``root``: the cause is here, not in what it reads. ``reason``: of one that is set apart."""

    cell: str
    formula: str
    ours: Any
    excel: Any
    root: bool = True
    reason: str = ""


@dataclass(slots=True)
class Proof:
    """The result of the comparison. Counts are of formula cells."""

    formulas: int = 0
    compared: int = 0
    matched: int = 0
    volatile: int = 0
    unsupported: int = 0
    uncached: int = 0
    stale: int = 0  #: differ because Excel did not calculate the stored value (see ``apart``)
    locale: int = 0  #: differ because the file was saved in a country that writes the day first
    rounding: int = 0  #: differ by what rounding before them became
    mismatches: list[Mismatch] = field(default_factory=list)
    apart: list[Mismatch] = field(default_factory=list)  #: those that are ``stale`` or ``rounding``
    errors: list[dict[str, str]] = field(default_factory=list)
    #: per sheet, rectangles (0-based) with their state: "matched", "mismatched", "unsupported", "volatile"
    states: list[tuple[int, Rect, str]] = field(default_factory=list)

    @property
    def mismatched(self) -> int:
        return self.compared - self.matched

    def differing(self) -> list[tuple[int, Span]]:
        """(sheet, range) of the blocks with cells that differ; none, which stands for all, where there are many."""
        found = [(sheet, Span(*(at + 1 for at in rect))) for sheet, rect, state in self.states if state == "mismatched"]
        return found if len(found) <= _FEW else []

    def counts(self) -> dict[str, int]:
        return {
            "formulas": self.formulas,
            "compared": self.compared,
            "matched": self.matched,
            "mismatched": self.mismatched,
            "volatile": self.volatile,
            "unsupported": self.unsupported,
            "uncached": self.uncached,
            "stale": self.stale,
            "locale": self.locale,
            "rounding": self.rounding,
        }
