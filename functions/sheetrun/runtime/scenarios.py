"""Where a script meets many scenarios: in lanes (``lanes``), or one after another.

Both take the same bytes and give the values of the outputs, a row for each output and a column for each scenario.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime import pool
from sheetrun.runtime.address import Place, Span
from sheetrun.runtime.bounds import Between
from sheetrun.runtime.cells import TEXT, Numbers, Tags
from sheetrun.runtime.lanes import LaneBook, View, views_of
from sheetrun.runtime.payload import BadPayload, RunInput, RunOutput, book_from, pack, place_of, unpack
from sheetrun.runtime.replay import Replay, run_once
from sheetrun.runtime.sheet import Area
from sheetrun.runtime.values import decode, encode

Progress = Callable[[int, int, str], None]

_FIRST_LANES: Final = 16
_MOST_LANES: Final = 8192
_LANE_BYTES: Final = 96 << 20  #: for all values in all lanes
_CELL_BYTES: Final = 12
_WORTH: Final = 1.05  #: more lanes must be so much faster to be kept
_CALL_SECONDS: Final = 1e-6  #: what a call of NumPy takes however few its numbers are, about
_TAPED_FROM: Final = 3  #: so many times the same must be ahead to be worth a tape
_KNOWN_FROM: Final = 4096  #: so many scenarios to be worth thinking through between which numbers all cells will lie


@dataclass(frozen=True, slots=True)
class ScenarioInput:
    """A computed workbook and the values of its inputs. ``num`` and ``tag``: scenarios × inputs, with tags TEXT + index
    into ``strings``. ``boxes``: for each sheet with cells that change, a range around them."""

    book: RunInput
    inputs: Sequence[Place]
    outputs: Sequence[Place]
    boxes: Sequence[tuple[int, Span]]
    num: Numbers
    tag: Tags
    strings: Sequence[str] = ()

    def to_bytes(self) -> bytes:
        return self.around(self.book.to_bytes())

    def around(self, book: bytes) -> bytes:
        """``to_bytes`` for a caller that has the bytes of the book already."""
        table = Area(1, 1, self.num, self.tag)
        header = {
            "sheets": [[place_of(table)]],
            "inputs": [list(p) for p in self.inputs],
            "outputs": [list(p) for p in self.outputs],
            "boxes": [[sheet, *span] for sheet, span in self.boxes],
            "strings": list(self.strings),
        }
        return struct.pack("<Q", len(book)) + book + b"".join(pack(header, [table]))

    @classmethod
    def from_bytes(cls, data: bytes) -> ScenarioInput:
        (length,) = struct.unpack_from("<Q", data)
        header, areas = unpack(data[8 + length :])
        if len(areas) != 1:
            raise BadPayload("there must be one table of scenarios")
        return cls(
            RunInput.from_bytes(data[8 : 8 + length]),
            [(p[0], p[1], p[2]) for p in header["inputs"]],
            [(p[0], p[1], p[2]) for p in header["outputs"]],
            [(b[0], Span(*b[1:5])) for b in header["boxes"]],
            areas[0].num,
            areas[0].tag,
            header["strings"],
        )

    @property
    def count(self) -> int:
        return int(self.num.shape[0])

    def tags(self) -> Tags:
        """The tags with the ids of this process's strings."""
        ids = np.array([pool.intern(s) for s in self.strings] or [0], np.int32)
        texts = self.tag >= TEXT
        return np.where(texts, TEXT + ids[np.where(texts, self.tag - TEXT, 0)], self.tag).astype(np.int32)


def run_lanes(namespace: dict[str, Any], payload: bytes, progress: Progress | None = None) -> list[bytes | memoryview]:
    """All scenarios in lanes, as pieces of a ``RunOutput``. Raises what a statement raises: such a script is not for
    lanes."""
    source = ScenarioInput.from_bytes(payload)
    book = book_from(source.book, LaneBook)
    tags, out = source.tags(), _Out.of(source)
    box_cells = sum((span.bottom - span.top + 1) * (span.right - span.left + 1) for _, span in source.boxes)
    most = max(1, min(_MOST_LANES, _LANE_BYTES // (_CELL_BYTES * max(box_cells, 1)), source.count))
    width = _Width(most)
    replay: Replay | None = None
    views = views_of(source.outputs, source.boxes)
    started = time.perf_counter()
    at = opened = 0
    while at < source.count:
        lanes = width.lanes
        if lanes != opened:
            book.open(lanes, source.boxes) if replay is None else replay.reopen(lanes)
            opened = lanes
        chosen = np.minimum(np.arange(at, at + lanes), source.count - 1)  # the last chunk repeats its last scenario
        for k, place in enumerate(source.inputs):
            book.put(place, source.num[chosen, k], tags[chosen, k])
        if replay is None:
            run_once(namespace["STEPS"], book)
        else:
            begun = time.perf_counter()
            replay.play()
            width.learn(time.perf_counter() - begun, replay.calls)
        out.take(book, views, at, min(lanes, source.count - at))
        at += lanes
        if replay is None and source.count - at >= _TAPED_FROM * lanes:
            far = source.count - at >= _KNOWN_FROM
            known = [Between.holding(source.num[:, k], tags[:, k]) for k in range(len(source.inputs))] if far else None
            replay = Replay(namespace, book, source.inputs, known)
        if progress is not None:
            progress(min(at, source.count), source.count, "scenarios computed")
    return out.after(time.perf_counter() - started).pieces()


class _Width:
    """How many lanes to take at a time: more as long as that is faster. What fits a cache is best, and which cache, and how
    much of the time is Python's, depends on the workbook and the machine."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.lanes = min(_FIRST_LANES, most)
        self._best = 0.0  #: scenarios a second, and with how many lanes
        self._best_lanes = self.lanes
        self._before: float | None = None  #: seconds of the turn before this one, with as many lanes
        self._settled = False

    def learn(self, seconds: float, calls: int) -> None:
        """What a turn took. Two are taken of each width, for the first one finds its memory cold. ``calls``: of NumPy."""
        if self._settled:
            return
        if self._before is None:
            self._before = seconds
            return
        seconds = min(seconds, self._before)
        self._before = None
        if self.lanes / seconds < self._best * _WORTH:
            self.lanes = self._best_lanes
            self._settled = True
            return
        self._best, self._best_lanes = self.lanes / seconds, self.lanes
        more = 4 if calls * _CALL_SECONDS > seconds / 4.0 else 2
        self._settled = self.lanes * 2 > self._most
        if not self._settled:
            self.lanes = min(self.lanes * more, self._most)


def run_in_turn(namespace: Mapping[str, Any], payload: bytes, progress: Progress | None = None) -> bytes:
    """The scenarios one after another, each as a run of its own: for what cannot be computed in lanes."""
    source = ScenarioInput.from_bytes(payload)
    tags, out = source.tags(), _Out.of(source)
    started = time.perf_counter()
    for at in range(source.count):
        book = source.book.book()
        for k, (sheet, row, col) in enumerate(source.inputs):
            book.override(sheet, row, col, decode(float(source.num[at, k]), int(tags[at, k])))
        book.run(namespace["STEPS"])
        for k, (sheet, row, col) in enumerate(source.outputs):
            out.num[k, at], out.tag[k, at] = encode(book.sheets[sheet].cell(row, col))
        if progress is not None:
            progress(at + 1, source.count, "scenarios computed")
    return out.after(time.perf_counter() - started).to_bytes()


@dataclass(frozen=True, slots=True)
class _Out:
    """outputs × scenarios."""

    num: Numbers
    tag: Tags

    @classmethod
    def of(cls, source: ScenarioInput) -> _Out:
        shape = len(source.outputs), source.count
        return cls(np.zeros(shape), np.zeros(shape, np.int32))

    def take(self, book: LaneBook, views: Sequence[View], at: int, count: int) -> None:
        here = slice(at, at + count)
        for view in views:
            if view.cells is not None or at == 0:
                num, tag = view.of(book)
                there = here if view.cells is not None else slice(None)  # what does not vary, for all at once
                self.num[view.outputs, there] = num[:, :count]
                if tag.any():
                    self.tag[view.outputs, there] = tag[:, :count]

    def after(self, seconds: float) -> RunOutput:
        return RunOutput([[Area(1, 1, self.num, self.tag)]], [], [], [], [], seconds)
