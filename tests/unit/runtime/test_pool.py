"""The pool of strings: one id for each text, one for all its cases."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime import pool
from sheetrun.runtime.cells import TEXT
from sheetrun.runtime.coerce import number_in_text


@given(st.text(max_size=20))
def test_a_text_has_one_id(text: str) -> None:
    number = pool.intern(text)
    assert pool.intern(text) == number
    assert pool.text(number) == text
    assert pool.tag_of(text) == TEXT + number
    folded = pool.intern(pool.fold(text))
    upper = pool.intern(text.upper())
    assert pool.folded()[number] == folded
    if text.isascii():
        assert pool.folded()[upper] == folded


@given(st.lists(st.text(max_size=4), max_size=20))
def test_many_texts(texts: list[str]) -> None:
    tags = pool.tags_of(texts)
    assert [pool.text(t - TEXT) for t in tags.tolist()] == texts


def test_case_is_folded_beyond_ascii() -> None:
    assert pool.fold("ÄÖÜ Straße") == pool.fold("äöü STRASSE")
    assert pool.fold("ABC") == "abc"


def test_what_texts_read_as_is_kept_and_can_be_forgotten() -> None:
    number = pool.intern("12.25")
    assert pool.read_as(number_in_text)[number] == 12.25
    pool.forget_readings()
    assert pool.read_as(number_in_text)[number] == 12.25
    other = pool.intern("a text that reads as nothing")
    assert pool.read_as(number_in_text)[other] != pool.read_as(number_in_text)[other]
