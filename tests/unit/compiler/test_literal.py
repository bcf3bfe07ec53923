"""Text from a workbook in a script: a literal is the text itself, a comment stays on its line, a name is only a name."""

from __future__ import annotations

import ast
import io
import math
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.compiler.literal import COMMENT_LENGTH, comment, identifier, literal
from sheetrun.compiler.scriptnames import function_name, reserved
from sheetrun.runtime import api
from sheetrun.runtime.functions import load_all
from sheetrun.runtime.registry import entries
from sheetrun.sandbox.allowlist import usable_name

from .hostile import HOSTILE, texts

scalars = st.one_of(texts, st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none())


@given(scalars)
def test_a_literal_is_the_value(value: str | float | bool | None) -> None:
    written = literal(value)
    read = ast.literal_eval(written)
    assert type(read) is type(value)
    assert read == value
    assert math.copysign(1, read) == math.copysign(1, value) if isinstance(value, float) else True
    assert written.isascii()
    assert written.isprintable()


@given(texts)
def test_a_literal_is_one_token(text: str) -> None:
    source = f"x = {literal(text)}\n"
    tree = ast.parse(source)
    assert len(tree.body) == 1
    kinds = [t.type for t in tokenize.generate_tokens(io.StringIO(source).readline)]
    assert kinds == [
        tokenize.NAME,
        tokenize.OP,
        tokenize.STRING,
        tokenize.NEWLINE,
        tokenize.ENDMARKER,
    ]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_has_no_literal(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        literal(value)


@pytest.mark.parametrize("value", [1, b"x", (), [], object(), 1j])
def test_other_types_have_no_literal(value: object) -> None:
    with pytest.raises(TypeError):
        literal(value)  # type: ignore[arg-type]


def test_subclasses_have_no_literal() -> None:
    class Text(str):
        def __repr__(self) -> str:
            return "evil()"

    with pytest.raises(TypeError):
        literal(Text("x"))


@given(texts)
def test_a_comment_stays_on_its_line(text: str) -> None:
    written = comment(text)
    assert len(f"# {written}\n".splitlines()) == 1
    assert len(written) <= COMMENT_LENGTH
    assert written.isprintable()
    written.encode("utf-8")  # no lone surrogate
    source = f"# {written}\nx = 1\n"
    assert [type(n) for n in ast.parse(source).body] == [ast.Assign]


@given(st.lists(texts, max_size=6), st.sampled_from(["sheet", "x"]))
def test_identifiers_are_usable_and_different(wanted: list[str], fallback: str) -> None:
    taken = set(reserved())
    given_names = [identifier(text, taken, fallback) for text in wanted]
    assert len(set(given_names)) == len(given_names)
    for name in given_names:
        assert usable_name(name), name
        assert name.isascii()
        assert len(name) < 60
        assert not hasattr(api, name)
        assert name in taken


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_identifiers(text: str) -> None:
    assert usable_name(identifier(text, set(reserved()), "sheet"))


def test_functions_are_imported_under_names_that_may_be_used() -> None:
    load_all()
    for entry in entries():
        assert usable_name(function_name(entry.name)), entry.name
        assert function_name(entry.name).isupper()  # names of the script's own are in lower case
        assert callable(getattr(api, function_name(entry.name)))


def test_readable_identifiers() -> None:
    taken: set[str] = set()
    assert identifier("Profit & Loss (2024)", taken, "sheet") == "profit_loss_2024"
    assert identifier("Profit  Loss 2024", taken, "sheet") == "profit_loss_2024_2"
    assert identifier("Übersicht", taken, "sheet") == "ubersicht"
    assert identifier("2024", taken, "sheet") == "sheet_2024"
    assert identifier("数字", taken, "sheet") == "sheet"
    assert identifier("class", taken, "sheet") == "class_"
