"""Text functions: known results, errors, oddities."""

from __future__ import annotations

from typing import Any

import pytest
from calls import DIV0, MISSING, NA, VALUE, call
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("LEFT", ("Sale Price", 4), "Sale"),
        ("LEFT", ("Sweden",), "S"),
        ("LEFT", ("Sweden", MISSING), ""),
        ("LEFT", ("x", -1), VALUE),
        ("LEFT", (12.5, 3), "12."),
        ("LEFT", ("😀a", 2), "😀"),
        ("RIGHT", ("Sale Price", 5), "Price"),
        ("RIGHT", ("abc", 0), ""),
        ("MID", ("Fluid Flow", 7, 20), "Flow"),
        ("MID", ("Fluid", 20, 5), ""),
        ("MID", ("x", 0, 1), VALUE),
        ("LEN", ("   One   ",), 9.0),
        ("LEN", ("😀",), 2.0),
        ("LEN", (None,), 0.0),
        ("LEN", (True,), 4.0),
        ("UPPER", ("straße",), "STRAßE"),
        ("LOWER", ("E. E. Cummings",), "e. e. cummings"),
        ("PROPER", ("2-way street, 76BudGet, o'neil",), "2-Way Street, 76Budget, O'Neil"),
        ("TRIM", ("  First  Quarter ",), "First Quarter"),
        ("TRIM", ("\xa0a ",), "\xa0a"),
        ("CLEAN", ("\tMonthly\x07",), "Monthly"),
        ("EXACT", ("Word", "word"), False),
        ("REPT", ("*-", 3), "*-*-*-"),
        ("REPT", ("ab", 20_000), VALUE),
        ("FIND", ("M", "Miriam McGovern", 3), 8.0),
        ("FIND", ("", "abc", 4), 4.0),
        ("FIND", ("", "abc", 5), VALUE),
        ("FIND", ("m", "MM"), VALUE),
        ("SEARCH", ("e", "Statements", 6), 7.0),
        ("SEARCH", ("MARGIN", "Profit Margin"), 8.0),
        ("SEARCH", ("p*t", "A Profit"), 3.0),
        ("SEARCH", ("?r", "Profit"), 1.0),
        ("SEARCH", ("~*", "a*b"), 2.0),
        ("SEARCH", ("*b", "aab"), 1.0),
        ("SUBSTITUTE", ("Quarter 1, 2011", "1", "2", 3), "Quarter 1, 2012"),
        ("SUBSTITUTE", ("aaa", "a", "b"), "bbb"),
        ("SUBSTITUTE", ("aaa", "", "b"), "aaa"),
        ("SUBSTITUTE", ("aaa", "a", "b", 0), VALUE),
        ("SUBSTITUTE", ("aaa", "a", "b", 4), "aaa"),
        ("REPLACE", ("abcdefghijk", 6, 5, "*"), "abcde*k"),
        ("REPLACE", ("abc", 0, 1, "x"), VALUE),
        ("CONCATENATE", ("a", 1, True, None), "a1TRUE"),
        ("CONCAT", ([["a", 1], [None, "b"]], "c"), "a1bc"),
        ("CONCAT", ([["a", DIV0]],), DIV0),
        ("TEXTJOIN", (", ", True, [["a"], [None], ["b"]]), "a, b"),
        ("TEXTJOIN", ("-", False, [["a"], [None], ["b"]]), "a--b"),
        ("TEXTJOIN", ("-", MISSING, [["a"], [""], ["b"]]), "a-b"),
        ("TEXTJOIN", ([[",", ";"]], True, [["a"], ["b"], ["c"], ["d"]]), "a,b;c,d"),
        ("CHAR", (128,), "€"),
        ("CHAR", (0,), VALUE),
        ("CODE", ("€uro",), 128.0),
        ("CODE", ("Ω",), 63.0),
        ("CODE", ("",), VALUE),
        ("UNICHAR", (66,), "B"),
        ("UNICHAR", (0,), VALUE),
        ("UNICHAR", (0xD800,), NA),
        ("UNICODE", ("😀",), 128512.0),
        ("T", (True,), ""),
        ("T", (DIV0,), DIV0),
        ("ASC", ("ＥＸＣＥＬ ガ",), "EXCEL ｶﾞ"),
        ("DBCS", ("EXCEL ｶﾞ",), "ＥＸＣＥＬ\u3000ガ"),
        ("BAHTTEXT", (1234,), "หนึ่งพันสองร้อยสามสิบสี่บาทถ้วน"),
        ("BAHTTEXT", (21.25,), "ยี่สิบเอ็ดบาทยี่สิบห้าสตางค์"),
        ("PHONETIC", ([["東京", 1]],), "東京"),
    ],
)
def test_values(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert call(name, *args) == wanted


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("FIXED", (1234.567, 1), "1,234.6"),
        ("FIXED", (-1234.567, -1, True), "-1230"),
        ("FIXED", (44.332,), "44.33"),
        ("FIXED", (-0.001, 2), "0.00"),
        ("DOLLAR", (-1234.567, -2), "($1,200)"),
        ("DOLLAR", (99.888,), "$99.89"),
        ("VALUE", ("$1,000",), 1000.0),
        ("VALUE", ("16:48:00",), 0.7),
        ("VALUE", ("12€",), 12.0),
        ("VALUE", (None,), 0.0),
        ("VALUE", (True,), VALUE),
        ("VALUE", ("12,34",), VALUE),
        ("VALUE", ("",), VALUE),
        ("NUMBERVALUE", ("2.500,27", ",", "."), 2500.27),
        ("NUMBERVALUE", ("3.5%%",), 0.00035),
        ("NUMBERVALUE", (" 3 000 ", ".", ","), 3000.0),
        ("NUMBERVALUE", ("",), 0.0),
        ("NUMBERVALUE", ("1.2.3",), VALUE),
        ("NUMBERVALUE", ("1.2,3",), VALUE),
        ("VALUETOTEXT", ('a"b', 1), '"a""b"'),
        ("VALUETOTEXT", (7.123456e-09,), "0.000000007123456"),
        ("VALUETOTEXT", (1, 2), VALUE),
        ("ARRAYTOTEXT", ([[True, "x"], [1234.01234, DIV0]],), "TRUE, x, 1234.01234, #DIV/0!"),
        ("ARRAYTOTEXT", ([[True, "x"], [1, None]], 1), '{TRUE,"x";1,}'),
    ],
)
def test_writing_and_reading(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    got = call(name, *args)
    assert got == pytest.approx(wanted, rel=1e-12) if isinstance(wanted, float) else got == wanted


@pytest.mark.parametrize(
    ("name", "args", "wanted"),
    [
        ("TEXTSPLIT", ("Dakota Lennon", " "), [["Dakota", "Lennon"]]),
        ("TEXTSPLIT", ("a,b;c", ",", ";"), [["a", "b"], ["c", NA]]),
        ("TEXTSPLIT", ("a,b;c", ",", ";", False, 0, "-"), [["a", "b"], ["c", "-"]]),
        ("TEXTSPLIT", ("a,,b", ",", MISSING, True), [["a", "b"]]),
        ("TEXTSPLIT", ("1X2x3", "x", MISSING, False, 1), [["1", "2", "3"]]),
        ("TEXTSPLIT", ("1-2 3", [["-", " "]]), [["1", "2", "3"]]),
        ("TEXTSPLIT", ("", ","), VALUE),
        ("TEXTSPLIT", ("a", ""), VALUE),
        ("TEXTBEFORE", ("Red riding hood's, red hood", "hood"), "Red riding "),
        ("TEXTBEFORE", ("Red riding hood's, red hood", "red", 2, 1), "Red riding hood's, "),
        ("TEXTBEFORE", ("Socrates", " ", MISSING, MISSING, 1), "Socrates"),
        ("TEXTBEFORE", ("Socrates", " ", MISSING, MISSING, 0), NA),
        ("TEXTBEFORE", ("123 the 456 the 891", "the", -1.2, 1), "123 "),
        ("TEXTAFTER", ("Red riding hood’s, red hood", "hood", -2), "’s, red hood"),
        ("TEXTAFTER", ("a-b", "x", MISSING, MISSING, MISSING, "none"), "none"),
        ("TEXTAFTER", ("del", "deli"), NA),
        ("TEXTAFTER", ("del", "deli", 1), VALUE),
        ("TEXTAFTER", ("abc", "b", 0), VALUE),
        ("TEXTAFTER", ("abc", "b", 1, 0, 2), VALUE),
        ("TEXTAFTER", ("abc", ""), "abc"),
        ("REGEXTEST", ("alfalfa", "[a-z]{7}"), True),
        ("REGEXTEST", ("ALFALFA", "a", 1), True),
        ("REGEXTEST", ("x", "("), VALUE),
        ("REGEXTEST", ("x", "[[:alpha:]]"), True),
        ("REGEXTEST", ("É", r"^\p{Lu}$"), True),
        ("REGEXEXTRACT", ("DylanWilliams", "[A-Z][a-z]+"), "Dylan"),
        ("REGEXEXTRACT", ("DylanWilliams", "[A-Z][a-z]+", 1), [["Dylan", "Williams"]]),
        ("REGEXEXTRACT", ("a1b2", "([a-z])([0-9])", 2), [["a", "1"]]),
        ("REGEXEXTRACT", ("x", "[0-9]"), NA),
        ("REGEXREPLACE", ("SoniaBrown", "([A-Z][a-z]+)([A-Z][a-z]+)", "$2, $1"), "Brown, Sonia"),
        ("REGEXREPLACE", ("1 2 3", r"\d", "x", -1), "1 2 x"),
        ("REGEXREPLACE", ("ab", "(?<first>a)", "${first}$$"), "a$b"),
    ],
)
def test_cutting_and_matching(name: str, args: tuple[Any, ...], wanted: Any) -> None:
    assert call(name, *args) == wanted


def test_lifted_over_a_column_of_repeated_texts() -> None:
    words = [f"item {i % 7}" for i in range(500)]
    assert call("RIGHT", words, 1) == [[w[-1]] for w in words]
    assert call("LEFT", words, [i % 3 for i in range(500)]) == [[w[: i % 3]] for i, w in enumerate(words)]


def test_an_error_among_texts_stays_where_it_is() -> None:
    assert call("LEN", ["ab", DIV0, None]) == [[2.0], [DIV0], [0.0]]


def test_search_does_not_backtrack() -> None:
    assert call("SEARCH", "*a" * 40 + "b", "a" * 5_000) == VALUE


@given(st.text(max_size=40), st.integers(0, 45))
def test_left_and_mid_make_the_text_again(text: str, at: int) -> None:
    assert call("LEFT", text, at) + call("MID", text, at + 1, 100) == text or any(c > "\uffff" for c in text)


@given(st.text(max_size=30), st.text(min_size=1, max_size=3))
def test_what_comes_before_and_after_a_delimiter(text: str, mark: str) -> None:
    before, after = call("TEXTBEFORE", text, mark), call("TEXTAFTER", text, mark)
    assert (before is NA and mark not in text) or before + mark + after == text
