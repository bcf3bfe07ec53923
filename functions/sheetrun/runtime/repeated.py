"""One scenario after another of the same inputs and outputs, in a process that keeps all it can from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sheetrun.runtime.address import Place, Span
from sheetrun.runtime.cells import Numbers, Tags
from sheetrun.runtime.lanes import LaneBook, views_of
from sheetrun.runtime.payload import RunInput, book_from, settle
from sheetrun.runtime.replay import Replay, run_once
from sheetrun.runtime.values import Scalar, encode


class Repeated:
    """A script for lanes, with one lane. ``namespace``: what executing it has left; ``source``: the computed workbook;
    ``boxes``: for each sheet with cells that change, a range around them."""

    def __init__(
        self,
        namespace: dict[str, Any],
        source: RunInput,
        inputs: Sequence[Place],
        outputs: Sequence[Place],
        boxes: Sequence[tuple[int, Span]],
    ) -> None:
        self._namespace = namespace
        self._source = source
        self._inputs = inputs
        self._book = book_from(source, LaneBook)
        self._book.open(1, boxes)
        self._num, self._tag = np.zeros(len(outputs)), np.zeros(len(outputs), np.int32)
        #: What varies: which outputs, and the memory that they lie in, which stays where it is.
        self._varying: list[tuple[Any, Any, Numbers, Tags]] = []
        for view in views_of(outputs, boxes):
            sheet = self._book.laned(view.sheet)
            if view.cells is not None:
                self._varying.append((view.outputs, view.cells, sheet.num_lines[:, 0], sheet.tag_lines[:, 0]))
            else:
                num, tag = view.of(self._book)
                self._num[view.outputs], self._tag[view.outputs] = num[:, 0], tag[:, 0]
        self._replay: Replay | None = None

    def __call__(self, values: Sequence[Scalar]) -> tuple[Numbers, Tags]:
        """(num, tag) of the outputs for a value of each input; tags of texts are those of this process.

        Raises what a statement raises that cannot be computed.
        """
        book = self._book
        settle(self._source, book)
        for place, value in zip(self._inputs, values, strict=True):
            one = encode(value)
            book.put(place, np.array([one[0]]), np.array([one[1]], np.int32))
        if self._replay is None:
            run_once(self._namespace["STEPS"], book)
            self._replay = Replay(self._namespace, book, self._inputs)
        else:
            self._replay.play()
        num, tag = self._num.copy(), self._tag.copy()
        for outputs, cells, nums, tags in self._varying:
            num[outputs], tag[outputs] = nums[cells], tags[cells]
        return num, tag
