"""With one lane a statement of one cell is computed on single values, with the results of the script."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laned import EVERY_KIND, FORMULAS, Lanes
from tests.unit.compiler.making import Cells

from sheetrun.runtime.address import read_span
from sheetrun.runtime.values import Scalar

WORDS: Cells = {
    "A1": 2.0,
    **{f"F{n}": float(n) for n in range(1, 7)},
    **{f"G{n}": word for n, word in enumerate(("north", "south", "north", None, "NORTH", "1"), 1)},
    "C1:C6": "=$A$1*F1",
    "B1": '="Plan "&TEXT(SUM(C1:C6),"0.00")&" of "&A1',
    "B2": "=LEN(B1)*2",
    "B3": "=IF(LEFT(B1,6)=\"Plan 2\",B2,-B2)",
    "B4": "=SUMIF(G1:G6,\"north\",C1:C6)",
    "B5": "=SUMPRODUCT(C1:C6,F1:F6)",
    "B6": "=INDEX(C1:C6,MATCH(A1,F1:F6,0))",
    "B7": "=MAX(C1:C6,A1)-MIN(C2:C2,50)",
    "B8": "=A1>3",
    "B9": "=IF(B8,B1,C3)",
    "B10": "=IFERROR(1/(A1-5),\"none\")",
    "B11": "=VLOOKUP(A1,F1:G6,2)",
    "B12": "=COUNT(C1:C6)+COUNTA(G1:G6)+B9",
    "B13": "=NPV(A1/100,C1:C6)+PMT(A1/100,12,C6)",
}  # fmt: skip
ANSWERS = [name for name in WORDS if name.startswith("B")]


def test_texts_lookups_and_criteria() -> None:
    lanes = Lanes(WORDS, ANSWERS, [2.0])
    assert lanes.replay.taped == len(lanes.replay)
    for value in (3.0, 5.0, 6.0, 1.0, 0.0, -2.5, 4.0):
        lanes.again(value)
    found: Any = lanes.again(3.0)
    assert found[str(read_span("B1")[0])] == ["Plan 63.00 of 3"]


@pytest.mark.parametrize("value", ["word", "4", True, None, 1e308, 7.0])
def test_a_cell_may_change_its_type(value: Scalar) -> None:
    """What reads it as a number is computed in another way from then on."""
    lanes = Lanes({**WORDS, "D1:D6": "=IF(A1>6,F1/0,F1)+C1", "D7": "=SUM(D1:D6)"}, [*ANSWERS, "D7"], [2.0])
    before = lanes.again(3.0)
    lanes.again(value)
    assert lanes.again(3.0) == before


@pytest.mark.parametrize("formula", ["=UNIQUE(G1:G3)", "=LAMBDA(x,x+A1)", "=IF(A1>2,F1:F3,A1)", "=A1:A1"])
def test_a_result_that_is_no_single_value(formula: str) -> None:
    lanes = Lanes({**WORDS, "D1": formula, "D2": "=A1+1"}, ["D1", "D2"], [2.0])
    lanes.again(3.0)
    lanes.again(1.0)


@given(st.one_of(st.floats(-1e6, 1e6), st.sampled_from(["word", "12", "", True, None, 1e300, 5.0])))
def test_every_kind(value: Scalar) -> None:
    lanes = Lanes(EVERY_KIND, FORMULAS, [2.0])
    lanes.again(value)
    lanes.again(2.0)
