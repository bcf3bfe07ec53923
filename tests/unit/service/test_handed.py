"""What generate hands on comes out as it went in, and nothing else is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.service.compute import Generated
from sheetrun.service.handed import pack, unpack
from sheetrun.workbook.store import BadArtefact

TEXTS = st.text(st.characters(codec="utf-8"))
MADE = st.builds(
    Generated, TEXTS, st.binary(), st.lists(st.dictionaries(TEXTS, TEXTS), max_size=3).map(tuple), st.binary()
)


@given(MADE)
def test_it_comes_back(generated: Generated) -> None:
    assert unpack(pack(generated)) == generated


@given(MADE, st.integers(0, 200))
def test_what_is_not_whole_is_refused(generated: Generated, cut: int) -> None:
    data = pack(generated)
    with pytest.raises(BadArtefact):
        unpack(data[: min(cut, len(data) - 1)])
    with pytest.raises(BadArtefact):
        unpack(data + b"x")
