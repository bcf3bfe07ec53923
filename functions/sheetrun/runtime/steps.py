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
from sheetrun.runtime.addresslists import read_spans


@dataclass(frozen=True, slots=True)
class Step:
    """One function of the script and the ranges that it computes."""

    function: Callable[[Any], None]
    targets: tuple[tuple[str, Span], ...]  #: (sheet name, rectangle)
    needs: tuple[str, ...] = ()  #: names of functions whose results it reads
    solved: bool = False

    @property
    def name(self) -> str:
        return self.function.__name__


def step(*targets: str, needs: Sequence[str] = ()) -> Callable[[Callable[[Any], None]], Step]:
    """Marks a function that computes the given ranges (``"Sheet!A1:B2 C7"``) in one go."""
    return lambda function: Step(function, tuple(_targets(targets)), tuple(needs))


def solve(*targets: str, needs: Sequence[str] = ()) -> Callable[[Callable[[Any], None]], Step]:
    """Marks a function that defines the cells of the given ranges, each to be computed when it is asked for."""
    return lambda function: Step(function, tuple(_targets(targets)), tuple(needs), solved=True)


def _targets(texts: Iterable[str]) -> Iterator[tuple[str, Span]]:
    pairs = [text.rpartition("!")[::2] for text in texts]
    for sheet, lists in groupby(pairs, itemgetter(0)):
        if sheet.startswith("'"):
            sheet = sheet[1:-1].replace("''", "'")
        for span in read_spans(" ".join([addresses for _, addresses in lists])):
            yield sheet, span
