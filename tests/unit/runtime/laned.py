"""A workbook in lanes for tests: computed from its tape, and again by its script, which must give the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tests.unit.compiler.making import Cells, rect_of, workbook_of

from sheetrun.compiler.lanes import compile_lanes
from sheetrun.runtime.address import read_span
from sheetrun.runtime.bounds import Between
from sheetrun.runtime.lanes import LaneBook
from sheetrun.runtime.payload import book_from
from sheetrun.runtime.replay import Replay, run_once
from sheetrun.runtime.values import Scalar, encode
from sheetrun.service.inprocess import executed
from sheetrun.service.rundata import run_input
from sheetrun.service.scenarios import changing_boxes


class Lanes:
    """A workbook of one sheet in lanes, its input in A1. ``known``: between which numbers the input will always lie."""

    def __init__(
        self, cells: Cells, outputs: Sequence[str], first: Sequence[Scalar], known: Between | None = None
    ) -> None:
        workbook = workbook_of(cells)
        script = compile_lanes(workbook, [(0, rect_of("A1"))], [(0, rect_of(output)) for output in outputs])
        self.namespace = executed(script.text)
        self.book = book_from(run_input(workbook, script.text), LaneBook)
        self.book.open(len(first), changing_boxes(script.places))
        self.outputs = [read_span(output)[0] for output in outputs]
        self.put(first)
        run_once(self.namespace["STEPS"], self.book)
        self.replay = Replay(self.namespace, self.book, [(0, 1, 1)], None if known is None else [known])

    def put(self, values: Sequence[Scalar]) -> None:
        pairs = [encode(value) for value in values]
        self.book.put((0, 1, 1), np.array([num for num, _ in pairs]), np.array([tag for _, tag in pairs], np.int32))

    def again(self, *values: Scalar) -> dict[str, list[Scalar]]:
        """The outputs from the tape; the script itself must give the same."""
        self.put(values)
        self.replay.play()
        found = self.values()
        run_once(self.namespace["STEPS"], self.book)
        assert found == self.values()
        return found

    def values(self) -> dict[str, list[Scalar]]:
        found: dict[str, list[Scalar]] = {}
        for span in self.outputs:
            for lane in range(self.book.lanes):
                self.book.lane = lane
                found.setdefault(str(span), []).append(self.book.sheets[0].cell(span.top, span.left))
        self.book.lane = None
        return found


EVERY_KIND = {
    "A1": 2.0,
    "B1": "=A1*3+1-A1/7",
    "B2": "=-(A1-B1)^2",
    "B3": "=IF(AND(A1>1,B1<50),B1,MAX(A1,B2,3))",
    "B4": '=IF(A1>5,"high",IF(A1=0,TRUE,A1))',
    **{f"F{n}": float(n) for n in range(1, 10)},
    "C1:C9": "=$A$1*F1",
    "C10": "=SUM(C1:C9,B1)",
    "C11": "=MIN(C1:C9)-MAX(C1:C9)",
    "C12": "=ROUND(C10/7,3)+ABS(B2)",
    "C13": "=NPV(0.1,C1:C9)+IRR(D1:D4)",
    "D1:D4": "=IF(F1=1,-$A$1*2,$A$1)",
    "D5:D9": "=D4+C5",
}
FORMULAS = [address for address, value in EVERY_KIND.items() if isinstance(value, str)]
