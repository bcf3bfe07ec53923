"""What a script registers: functions, and the cells that each of them computes.

``@step`` computes its ranges in one go; ``@solve`` defines cells one by one, each to be computed when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sheetrun.records import dataclass
from sheetrun.runtime.address import Span
from sheetrun.runtime.addresslists import Corners, read_corners


@dataclass(frozen=True, slots=True)
class Step:
    """One function of the script and the ranges that it computes."""

    function: Callable[[Any], None]
    ranges: tuple[tuple[str, Corners], ...]  #: sheet name, and top, left, bottom and right of each range, 1-based
    needs: tuple[str, ...] = ()  #: names of functions whose results it reads
    solved: bool = False

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def targets(self) -> list[tuple[str, Span]]:
        """(sheet name, rectangle)"""
        return [(name, Span(*corners)) for name, ranges in self.ranges for corners in ranges.tolist()]


def step(*targets: str, needs: Sequence[str] = ()) -> Callable[[Callable[[Any], None]], Step]:
    """Marks a function that computes the given ranges (``"Sheet!A1:B2 C7"``) in one go."""
    return lambda function: Step(function, tuple(_ranges(targets)), tuple(needs))


def solve(*targets: str, needs: Sequence[str] = ()) -> Callable[[Callable[[Any], None]], Step]:
    """Marks a function that defines the cells of the given ranges, each to be computed when it is asked for."""
    return lambda function: Step(function, tuple(_ranges(targets)), tuple(needs), solved=True)


def _ranges(texts: Iterable[str]) -> Iterator[tuple[str, Corners]]:
    pairs = [text.rpartition("!")[::2] for text in texts]
    for sheet, lists in groupby(pairs, itemgetter(0)):
        name = sheet[1:-1].replace("''", "'") if sheet.startswith("'") else sheet
        yield name, read_corners(" ".join([addresses for _, addresses in lists]))
