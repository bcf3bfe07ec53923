"""The form of a formula: what is cut out of it, and that it can be put back."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.formula.forms import cut, filled
from tests.fuzz.formulas import Grammar


def parts(text: str) -> tuple[list[str], list[str]]:
    """The references and the numbers in the blanks."""
    key, blanks = cut(text)
    kinds = key.references
    return (
        [blank for blank, reference in zip(blanks, kinds, strict=True) if reference],
        [blank for blank, reference in zip(blanks, kinds, strict=True) if not reference],
    )


@pytest.mark.parametrize(
    ("text", "references", "numbers"),
    [
        ("A1+$B$2*0.5", ["A1", "B2"], ["0.5"]),
        ("SUM(In!A1:B9)", ["A1", "B9"], []),
        ("'Q1 of 5'!C7&\"A1 is 3\"", ["C7"], []),
        ("LOG10(D4)+Q1!E5", ["D4", "E5"], []),
        ("SUM(A:A)+SUM(2:5)+SUM($3:$4)", [], []),
        ("1E5+1.5E-3*.5", [], []),
        ("Name1_+XFE1+A1048577", [], []),
        ("A1048576+XFD1", ["A1048576", "XFD1"], []),
        ("ROUND(a1,2)%", ["a1"], ["2"]),
        ("[1]Data!B2+[2]!Rate", ["B2"], []),
        ("SUM(A2:$B$200000)+C200000+SUM($A$1:$AAB$3)", ["A2", "C200000", "A1"], []),  # as vast as whole columns
    ],
)
def test_blanks(text: str, references: list[str], numbers: list[str]) -> None:
    assert parts(text) == (references, numbers)


def test_one_form() -> None:
    forms = {cut(text)[0] for text in ("SUM(In!A1:B9)*0.5", "SUM(In!$C$4:C7)*2")}
    assert len(forms) == 1
    assert len({cut(text)[0] for text in ("A1+2", "2+A1", 'A1&"x"', 'A1&"y"', "A1:B2", "A1,B2")}) == 6


@given(st.integers(0, 2**32))
def test_put_back(seed: int) -> None:
    text = Grammar(random.Random(seed)).formula()
    key, _ = cut(text)
    assert filled(key, *parts(text)).replace("$", "") == text.replace("$", "")
