"""What a broken formula's error says, and where it points."""

from __future__ import annotations

import pickle

import pytest

from sheetrun.formula.errors import FormulaError, FormulaTooLarge
from sheetrun.formula.parser import parse


@pytest.mark.parametrize(
    ("text", "position", "detail"),
    [
        ("", 0, "empty"),
        ("=", 1, "empty"),
        ("  ", 0, "empty"),
        ("1+", 1, "A value is missing after +"),
        ("1 + * 2", 4, "A value is missing before *"),
        ("SUM(1+,2)", 5, "A value is missing after +"),
        ("SUM(1", 3, "This parenthesis is never closed"),
        ("SUM (1", 4, "This parenthesis is never closed"),
        ("(1+(2)", 0, "This parenthesis is never closed"),
        ("0()", 1, "only a function can be called"),
        ("A1%(2)", 3, "only a function can be called"),
        ("1)", 1, "This parenthesis closes nothing"),
        (")", 0, "This parenthesis closes nothing"),
        ("()", 1, "The parentheses are empty"),
        ("(A1,)", 4, "A value is missing after the comma"),
        ("A1,", 3, "A value is missing after the comma"),
        ("(,A1)", 1, "A value is missing before the comma"),
        ("1 2", 1, "An operator is missing"),
        ('A1"x"', 2, "An operator is missing"),
        ('"x" A1', 3, "An operator is missing"),
        ("1,2", 3, ", needs a reference"),
        ("1:A1", 1, ": needs a reference"),
        ("5#", 1, "# needs a reference before it"),
        ('1+"abc', 2, "never closed"),
        ("'Sheet 1", 0, "quoted sheet name"),
        ("Sheet1!", 0, "No reference follows"),
        ("Sheet1!+1", 0, "No reference follows"),
        ("T[a", 1, "A bracket is opened"),
        ("T[[#Nothing]]", 2, "no item #Nothing"),
        ("T[#Nothing]", 2, "no item #Nothing"),
        ("T[[a],[b]]", 6, "one column or one span"),
        ("T[[a]:[b]:[c]]", 10, "one column or one span"),
        ("T[[a],[#All]]", 6, "come before the columns"),
        ("{1,2", 0, "array constant is not closed"),
        ("{}", 1, "numbers, texts"),
        ("{1,A1}", 3, "numbers, texts"),
        ("{1,2;3}", 5, "different lengths"),
        ("{1E999}", 1, "too large"),
        ("1E999", 0, "too large"),
        ("SUM(1;2)", 5, "arguments take a comma"),
        ("1x", 0, "neither a number nor a name"),
        ("1.2.3", 0, "neither a number nor a name"),
        ("A1+$", 3, "The character $ has no meaning"),
        ("A1\u00a0+1", 2, "U+00A0"),
        ("1+^2", 2, "A value is missing before ^"),
        ("_xlfn.ANCHORARRAY(A1,A2)", 0, "ANCHORARRAY takes one argument, not 2"),
        ("_xlfn.SINGLE()", 0, "SINGLE takes one argument, not 0"),
    ],
)
def test_the_error_names_the_place(text: str, position: int, detail: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text, 0, 0)
    assert detail in caught.value.detail
    assert caught.value.position == position
    assert caught.value.text == text


@pytest.mark.parametrize("text", ["R0C1", "R1048577C1", "R1C16385", "R[1048576]C", "R99999999999C1", "C0", "R0:R1"])
def test_r1c1_off_the_sheet_is_refused(text: str) -> None:
    with pytest.raises(FormulaError, match="Not a reference"):
        parse(text, 0, 0, r1c1=True)


def test_the_caret_stands_under_the_place() -> None:
    error = FormulaError("A value is missing", 4, "1 +\n* 2")
    assert str(error) == "A value is missing (at character 5)\n  1 + * 2\n      ^"


def test_a_long_formula_is_shown_around_the_place() -> None:
    error = FormulaError("Bad", 500, "x" * 500 + "!" + "y" * 500)
    line, caret = error.excerpt().splitlines()
    assert line[caret.index("^")] == "!"
    assert len(line) < 70
    assert line.startswith("  …x")
    assert line.endswith("y…")


def test_errors_are_pickled_whole() -> None:
    error = pickle.loads(pickle.dumps(FormulaTooLarge("Deep", 3, "((((")))
    assert isinstance(error, FormulaTooLarge)
    assert (error.detail, error.position, error.text, error.code) == ("Deep", 3, "((((", "formula_too_large")
