"""What the lexer promises beside the grammar: error names, places, and time that grows with the text only."""

from __future__ import annotations

import re
import time

import pytest

from sheetrun.formula import a1, forms, lexer, literals, prefix, r1c1, structured
from sheetrun.formula.errors import FormulaError
from sheetrun.formula.parser import parse
from sheetrun.formula.r1c1 import relative_key, shift
from sheetrun.runtime import cells


def test_the_error_literals_are_those_of_the_runtime() -> None:
    assert tuple(cells.ERROR_CODES) == lexer.ERROR_CODES


def test_tokens_are_found_again_at_their_places() -> None:
    text = ' = SUM( $A$1 , "x" ) '
    tokens = lexer.tokenize(text)
    assert [kind for kind, _ in tokens] == [
        lexer.FUNCTION,
        lexer.REF,
        lexer.COMMA,
        lexer.STRING,
        lexer.CLOSE,
        lexer.END,
    ]
    assert [lexer.place(text, index) for index in range(6)] == [3, 8, 13, 15, 19, 20]


_HALF = 16_000
_NO_FORMULAS = [
    "(",
    '"',
    "'",
    "'[",
    "['",
    "a[",
    "[",
    "{",
    "a:",
    "#",
    "%",
    "1+",
    "{1,",
    "T[[a],",
    "$",
    "A1:",
    "-",
    "\\[",
]
_FORMULAS = ["0", "A", "_", " A1", "_xlfn.", "1 "]


def _spent(text: str) -> float:
    """Seconds for a key and a move of a hostile text, which are made before anyone looks whether it is a formula."""
    begin = time.process_time()
    relative_key(text, 0, 0)
    shift(text, 1, 1)
    return time.process_time() - begin


# A search that starts anew at every character, or backtracks, takes minutes where these take milliseconds.


@pytest.mark.parametrize("unit", _NO_FORMULAS)
def test_hostile_text_is_refused_in_no_time(unit: str) -> None:
    text = unit * (2 * _HALF // len(unit)) + ")"
    begin = time.process_time()
    with pytest.raises(FormulaError):
        parse(text, 0, 0)
    assert time.process_time() - begin + _spent(text) < 10


@pytest.mark.parametrize("unit", _FORMULAS)
def test_a_long_formula_is_read_in_no_time(unit: str) -> None:
    text = "x+" + unit * (2 * _HALF // len(unit) - 10) if unit != "1 " else "1" + " " * 2 * _HALF
    begin = time.process_time()
    parse(text, 0, 0)
    assert time.process_time() - begin + _spent(text) < 10


def test_no_optional_group_is_possessive() -> None:
    """Before Python 3.11.5 one that fails half-way keeps what it has read (CPython issue 106052)."""
    modules = (a1, forms, lexer, literals, prefix, r1c1, structured)
    patterns = [value for module in modules for value in vars(module).values() if isinstance(value, re.Pattern)]
    patterns.append(lexer._r1c1())
    assert len(patterns) > 10
    assert not [pattern.pattern for pattern in patterns if ")?+" in pattern.pattern]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("1E", [lexer.BAD]),
        ("RC:!", [lexer.NAME, lexer.COLON, lexer.PREFIX]),
        ('{"a}', [lexer.BAD]),
        ("2.5E+", [lexer.BAD]),
    ],
)
def test_what_begins_like_something_longer(text: str, kinds: list[int]) -> None:
    assert [kind for kind, _ in lexer.tokenize(text)][: len(kinds)] == kinds
