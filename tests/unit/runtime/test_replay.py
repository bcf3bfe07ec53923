"""A script in lanes again and again: what goes on the tape, what leaves it, and that results are those of the script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.compiler.making import Cells, rect_of, workbook_of

from sheetrun.compiler.lanes import compile_lanes
from sheetrun.runtime.address import Span, read_span
from sheetrun.runtime.lanes import LaneBook
from sheetrun.runtime.payload import book_from
from sheetrun.runtime.replay import Replay, joined, run_once
from sheetrun.runtime.values import Scalar, encode
from sheetrun.service.inprocess import executed
from sheetrun.service.rundata import run_input
from sheetrun.service.scenarios import changing_boxes


class Lanes:
    """A workbook of one sheet in lanes, its input in A1."""

    def __init__(self, cells: Cells, outputs: Sequence[str], first: Sequence[Scalar]) -> None:
        workbook = workbook_of(cells)
        script = compile_lanes(workbook, [(0, rect_of("A1"))], [(0, rect_of(output)) for output in outputs])
        self.namespace = executed(script.text)
        self.book = book_from(run_input(workbook, script.text), LaneBook)
        self.book.open(len(first), changing_boxes(script.places))
        self.outputs = [read_span(output)[0] for output in outputs]
        self.put(first)
        run_once(self.namespace["STEPS"], self.book)
        self.replay = Replay(self.namespace, self.book, [(0, 1, 1)])

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


def test_numbers_are_taped() -> None:
    lanes = Lanes(EVERY_KIND, FORMULAS, [2.0, 3.0])
    assert lanes.replay.taped == len(lanes.replay), "each statement has its place on the tape"
    lanes.again(4.0, 0.5)
    lanes.again(-1.0, 1e-9)
    assert lanes.replay.taped == len(lanes.replay)


@pytest.mark.parametrize("value", [0.0, 1e308, "word", None, True, 7.0])
def test_what_no_tape_is_meant_for(value: Scalar) -> None:
    lanes = Lanes(
        {**EVERY_KIND, "E1": "=B1/A1", "E2": "=MIN(E1,1)", "E3": "=1/E1"}, ["E1", "E2", "E3", "C10"], [2.0, 3.0]
    )
    whole = lanes.replay.taped
    before = lanes.again(2.0, 4.0)
    lanes.again(2.0, value)
    assert lanes.again(2.0, 4.0) == before
    assert (lanes.replay.taped == whole) == (value == 7.0)


def test_a_branch_that_does_not_count_may_divide_by_zero() -> None:
    lanes = Lanes({"A1": 2.0, "B1": "=IF(A1=0,0,ROUND(6/A1,1))", "B2": "=IF(A1<>0,1/A1,9)"}, ["B1", "B2"], [2.0, 3.0])
    assert lanes.again(0.0, 4.0) == {str(read_span("B1")[0]): [0.0, 1.5], str(read_span("B2")[0]): [9.0, 0.25]}
    assert lanes.replay.taped == 2


def test_another_number_of_lanes() -> None:
    lanes = Lanes(EVERY_KIND, ["B4", "C12", "D9"], [2.0])
    lanes.replay.reopen(3)
    found = lanes.again(2.0, 9.0, 0.0)
    assert found[str(read_span("B4")[0])] == [2.0, "high", True]
    assert lanes.replay.taped == len(lanes.replay)


def test_texts_and_sums_of_them_are_computed_as_they_are_written() -> None:
    lanes = Lanes({"A1": 2.0, "B1": '="n"&A1', "B2": "=LEN(B1)", "B3": "=A1+1"}, ["B1", "B2", "B3"], [2.0, 30.0])
    found: Any = lanes.again(400.0, 5.0)
    assert found[str(read_span("B2")[0])] == [4.0, 2.0]
    assert lanes.replay.taped == 1


SPANS = st.builds(
    lambda top, left, height, width: Span(top, left, top + height, left + width),
    st.integers(1, 5),
    st.integers(1, 5),
    st.integers(0, 3),
    st.integers(0, 3),
)


@given(st.lists(SPANS, max_size=8))
def test_joined_are_the_same_cells(spans: list[Span]) -> None:
    apart: list[Span] = []
    for span in spans:
        if not any(span.overlaps(other) for other in apart):
            apart.append(span)
    found = joined(apart)
    cells = [(r, c) for s in found for r in range(s.top, s.bottom + 1) for c in range(s.left, s.right + 1)]
    assert sorted(cells) == sorted(
        (r, c) for s in apart for r in range(s.top, s.bottom + 1) for c in range(s.left, s.right + 1)
    )
    assert len(found) <= len(apart)
