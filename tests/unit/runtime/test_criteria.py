"""Criteria of COUNTIF and kin: what each matches among one cell of every sort."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.criteria import Criterion, wildcard
from sheetrun.runtime.errors import DIV0, NA
from sheetrun.runtime.values import Arr

CELLS: dict[str, Any] = {
    "five": 5.0,
    "six": 6.0,
    "zero": 0.0,
    "text five": "5",
    "apple": "apple",
    "APPLE": "APPLE",
    "apples": "apples",
    "star": "a*b",
    "true": True,
    "false": False,
    "empty": None,
    "blank": "",
    "na": NA,
    "div": DIV0,
}


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        (5, {"five", "text five"}),
        ("5", {"five", "text five"}),
        ("=5", {"five", "text five"}),
        (" 5", {"five", "text five"}),
        ("5.0", {"five", "text five"}),
        (">5", {"six"}),
        (">=5", {"five", "six"}),
        ("<5", {"zero"}),
        ("<=0", {"zero"}),
        ("<>5", set(CELLS) - {"five"}),
        (0, {"zero"}),
        (None, {"zero"}),
        ("apple", {"apple", "APPLE"}),
        ("=APPLE", {"apple", "APPLE"}),
        ("<>apple", set(CELLS) - {"apple", "APPLE"}),
        ("app*", {"apple", "APPLE", "apples"}),
        ("apple?", {"apples"}),
        ("?", {"text five"}),
        ("*", {"text five", "apple", "APPLE", "apples", "star", "blank"}),
        ("a~*b", {"star"}),
        ("a~*?", {"star"}),
        (">apple", {"apples"}),
        (">=apple", {"apple", "APPLE", "apples"}),
        ("<b", {"text five", "apple", "APPLE", "apples", "star", "blank"}),
        (True, {"true"}),
        ("TRUE", {"true"}),
        ("=false", {"false"}),
        ("<>TRUE", set(CELLS) - {"true"}),
        ("=", {"empty"}),
        ("<>", set(CELLS) - {"empty"}),
        ("", {"empty", "blank"}),
        (NA, {"na"}),
        ("#N/A", {"na"}),
        ("=#div/0!", {"div"}),
        ("<>#N/A", set(CELLS) - {"na"}),
        (">#N/A", set()),
    ],
)
def test_what_matches(criterion: Any, expected: set[str]) -> None:
    parsed = Criterion.parse(float(criterion) if type(criterion) is int else criterion)
    mask = parsed.mask(Arr.column(list(CELLS.values()))).ravel().tolist()
    assert {name for name, hit in zip(CELLS, mask, strict=True) if hit} == expected
    assert {name for name, value in CELLS.items() if parsed.matches(value)} == expected
    assert parsed.matches_empty() == ("empty" in expected)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a?c", "aBC", True),
        ("a?c", "ac", False),
        ("~?", "?", True),
        ("~?", "x", False),
        ("~~*", "~x", True),
        ("a~x*", "a~xy", True),
        ("*~", "a~", True),
        ("*.*", "a.b", True),
        ("*.*", "ab", False),
        ("*\n?", "a\nb", True),
        ("a*", "ba", False),
    ],
)
def test_wildcards(pattern: str, text: str, expected: bool) -> None:
    found = wildcard(pattern)
    assert found is not None
    assert bool(found.match(text.lower())) is expected


def test_a_plain_text_is_no_pattern() -> None:
    assert wildcard("abc") is None


SCALARS = st.one_of(
    st.floats(-9, 9).map(round).map(float), st.sampled_from(list(CELLS.values())), st.text("ab*~?", max_size=3)
)
TESTS = st.one_of(
    SCALARS,
    st.tuples(
        st.sampled_from(["=", "<>", "<", ">", "<=", ">="]), st.sampled_from(["", "1", "a", "b*", "TRUE", "#N/A"])
    ).map("".join),
)


@given(st.lists(SCALARS, min_size=1, max_size=10), TESTS)
def test_an_array_is_tested_cell_by_cell(cells: list[Any], criterion: Any) -> None:
    parsed = Criterion.parse(criterion)
    assert parsed.mask(Arr.column(cells)).ravel().tolist() == [parsed.matches(c) for c in cells]
    if parsed.op == "=" and not isinstance(parsed.value, float):
        other = Criterion("<>", parsed.value, parsed.written)
        assert (other.mask(Arr.column(cells)) == ~parsed.mask(Arr.column(cells))).all()
