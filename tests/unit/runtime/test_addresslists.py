"""Lists of addresses give what their addresses give one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.address import MAX_COLUMNS, MAX_ROWS, Span, read_span, span_address
from sheetrun.runtime.addresslists import read_corners, read_keys

_ROWS = st.integers(1, MAX_ROWS)
_COLUMNS = st.integers(1, MAX_COLUMNS)
_CELLS = st.builds(lambda row, col: span_address(Span(row, col, row, col)), _ROWS, _COLUMNS)
_RANGES = st.builds(lambda one, other: f"{one}:{other}", _CELLS, _CELLS)
_LISTS = st.one_of(st.lists(_CELLS), st.lists(_RANGES), st.lists(st.one_of(_CELLS, _RANGES)))


@given(_LISTS, st.sampled_from((" ", "  ", "\n ")))
def test_a_list_gives_what_its_addresses_give(words: list[str], blank: str) -> None:
    text = blank.join(words)
    assert read_corners(text).tolist() == [list(read_span(word)[0]) for word in words]
    assert read_keys(text) == [tuple(span[:2] if single else span) for span, single in map(read_span, words)]


@given(st.lists(st.one_of(_CELLS, st.text(alphabet="AZ019:$b?é ", min_size=1, max_size=7)), min_size=1))
def test_anything_else_is_read_or_refused_as_one_by_one(words: list[str]) -> None:
    text = " ".join(words)
    try:
        alone = [read_span(word)[0] for word in text.split()]
    except ValueError:
        with pytest.raises(ValueError, match="not a"):
            read_corners(text)
    else:
        assert read_corners(text).tolist() == [list(span) for span in alone]
