"""Which blocks each block reads from, by their places: put together only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TypeAlias

from sheetrun.workbook.model import Rect

Place: TypeAlias = tuple[int, Rect]  #: sheet index and rectangle of a block


class Needs(Mapping[Place, list[Place]]):
    """Place of a block -> the places of those that it reads from, in their own order.

    ``places``: of all blocks; ``reads``: for each block the indices of others.
    """

    def __init__(self, places: Sequence[Place], reads: Sequence[Set[int]]) -> None:
        self._places = places
        self._reads = reads
        self._index: dict[Place, int] = {}

    def __getitem__(self, place: Place) -> list[Place]:
        if not self._index:
            self._index = {at: k for k, at in enumerate(self._places)}
        return [self._places[k] for k in sorted(self._reads[self._index[place]])]

    def __iter__(self) -> Iterator[Place]:
        return iter(dict.fromkeys(self._places))

    def __len__(self) -> int:
        return len(set(self._places))

    def __repr__(self) -> str:
        return f"Needs({dict(self)})"
