"""A script in lanes again and again: what goes on the tape, what leaves it, and that results are those of the script."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laned import EVERY_KIND, FORMULAS, Lanes

from sheetrun.runtime.address import Span, read_span
from sheetrun.runtime.replay import joined
from sheetrun.runtime.values import Scalar


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
