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
        self._views = views_of(outputs, boxes)
        self._count = len(outputs)
        self._book = book_from(source, LaneBook)
        self._book.open(1, boxes)
        #: For each view the memory of its sheet's box, cell by cell: it stays where it is.
        self._boxes = [
            (s.nums.reshape(-1), s.tags.reshape(-1)) for s in (self._book.laned(v.sheet) for v in self._views)
        ]
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
        num, tag = np.zeros(self._count), np.zeros(self._count, np.int32)
        for view, box in zip(self._views, self._boxes, strict=True):
            if view.cells is None:
                found = view.of(book)
                num[view.outputs], tag[view.outputs] = found[0][:, 0], found[1][:, 0]
            else:
                num[view.outputs], tag[view.outputs] = box[0][view.cells], box[1][view.cells]
        return num, tag
