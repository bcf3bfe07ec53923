"""Lines of cells as lists: what makes a recurrence over ten thousand rows a matter of milliseconds.

    b, c = s.track_n("B3:B90"), s.track("C2:C90")
    for r in rows(3, 90):
        c[r] = kept(add(num(c[r - 1]), b[r]))
    s.keep("C3:C90", c)

A track is indexed by the row of a cell (or its column, in a line that runs across), counting from 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from sheetrun.runtime.cells import EMPTY, NUMBER
from sheetrun.runtime.coerce import to_number
from sheetrun.runtime.errors import NUM, error_of
from sheetrun.runtime.values import Arr, Scalar, Value, decode, encode

if TYPE_CHECKING:
    from sheetrun.runtime.address import Span
    from sheetrun.runtime.sheet import Sheet


class Track(list[Any]):
    """Scalars (or numbers and errors) of a line of cells. Cells that are not computed yet are None."""

    __slots__ = ("down", "line", "sheet")

    sheet: Sheet
    line: int  #: the column of a line that runs down, the row of one that runs across
    down: bool

    def results(self) -> list[Any]:
        """What was computed, by the same index."""
        return self

    def place(self, index: int) -> tuple[int, int]:
        """Row and column of a cell."""
        return (index, self.line) if self.down else (self.line, index)


class ImposedTrack(Track):
    """A track some of whose cells the caller has set: no formula overwrites them."""

    __slots__ = ("imposed",)

    imposed: dict[int, Scalar]

    def __setitem__(self, index: Any, value: Any) -> None:
        if index not in self.imposed:
            super().__setitem__(index, value)


class TwinTrack(Track):
    """A track that is read as it was, whatever is written to it (see ``alone``)."""

    __slots__ = ("written",)

    written: dict[int, Any]

    def __setitem__(self, index: Any, value: Any) -> None:
        self.written[index] = value

    def results(self) -> list[Any]:
        found = list(self)
        for index, value in self.written.items():
            found[index] = value
        return found


def track_of(sheet: Sheet, span: Span, cells: Arr, *, numbers: bool, across: bool, twin: bool) -> Track:
    """The track of a line of cells, with ``None`` before its first."""
    down = span.left == span.right and not across
    first = span.top if down else span.left
    imposed = {
        (row if down else col): value
        for (index, row, col), value in sheet.book.overrides.items()
        if index == sheet.index and span.contains(row, col)
    }
    track = TwinTrack() if twin else ImposedTrack() if imposed else Track()
    track.extend([None] * first)
    track.extend(_numbers(cells) if numbers else _scalars(cells))
    track.sheet, track.line, track.down = sheet, span.left if down else span.top, down
    if isinstance(track, ImposedTrack):
        for index, value in imposed.items():
            list.__setitem__(track, index, to_number(value) if numbers else value)
        track.imposed = imposed
    if isinstance(track, TwinTrack):
        track.written = {}
    return track


def _numbers(cells: Arr) -> list[Any]:
    found: list[Any] = cells.num.ravel().tolist()
    return [n if n == n else error_of(n) for n in found] if _has_errors(cells) else found


def _scalars(cells: Arr) -> Iterable[Any]:
    if cells.tag is None or not cells.tag.any():
        return _numbers(cells)
    pairs = zip(cells.num.ravel().tolist(), cells.tag.ravel().tolist(), strict=True)
    return [None if tag < 0 else decode(num, tag) for num, tag in pairs]


def _has_errors(cells: Arr) -> bool:
    return bool((cells.num != cells.num).any())


def kept(value: Value) -> Scalar:
    """A result as a cell holds it: an empty one is 0, an infinite one #NUM!, of an array its first value."""
    if type(value) is float and value - value == 0.0:
        return value
    from sheetrun.runtime.refs import first_of

    num, tag = encode(first_of(value))
    if num - num != 0.0 and num == num:
        return NUM
    return decode(num, NUMBER if tag == EMPTY else tag)


def boxed(value: Scalar) -> Value:
    """A cell as a function sees it through a reference; a number is the same either way."""
    return value if type(value) is float else Arr.of(value)


def line_of(values: list[Any], *, down: bool) -> Arr:
    """Scalars as a line of cells."""
    shape = (len(values), 1) if down else (1, len(values))
    if set(map(type, values)) == {float}:
        return Arr(np.array(values, np.float64).reshape(shape))
    return Arr.flat(values, shape)
