"""Coercions as Excel's operators do them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.coerce import general, number_in_text, to_logical, to_number, to_text
from sheetrun.runtime.errors import DIV0, NA, VALUE
from sheetrun.runtime.values import MISSING


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.5, 2.5),
        (None, 0.0),
        (MISSING, 0.0),
        (True, 1.0),
        (False, 0.0),
        (NA, NA),
        ("12", 12.0),
        (" 12.5 ", 12.5),
        ("-.5", -0.5),
        ("+7", 7.0),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        ("5.", 5.0),
        ("12%", 0.12),
        ("1,234.50", 1234.5),
        ("$1,234.50", 1234.5),
        ("-$5", -5.0),
        ("(5)", -5.0),
        ("1 1/2", 1.5),
        ("1/2/2008", 39449.0),
        ("2008-01-02", 39449.0),
        ("2-Jan-2008", 39449.0),
        ("12:00", 0.5),
        ("1:30 PM", 0.5625),
        ("1/2/2008 6:00", 39449.25),
        ("", VALUE),
        (" ", VALUE),
        ("abc", VALUE),
        ("TRUE", VALUE),
        ("1e999", VALUE),
        ("0x10", VALUE),
        ("1_000", VALUE),
        ("nan", VALUE),
        ("inf", VALUE),
        ("٣", VALUE),
        ("--5", VALUE),
        ("13/13/2008", VALUE),
        ("25:61", VALUE),
    ],
)
def test_numbers(value: Any, expected: Any) -> None:
    got = to_number(value)
    assert got is expected if not isinstance(expected, float) else got == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (0.0, False),
        (-0.1, True),
        (None, False),
        (MISSING, False),
        ("true", True),
        ("FALSE", False),
        ("1", VALUE),
        ("", VALUE),
        (DIV0, DIV0),
    ],
)
def test_logicals(value: Any, expected: Any) -> None:
    assert to_logical(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", "x"),
        (None, ""),
        (MISSING, ""),
        (True, "TRUE"),
        (False, "FALSE"),
        (NA, NA),
        (0.0, "0"),
        (-0.0, "0"),
        (3.0, "3"),
        (-12.5, "-12.5"),
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333333333333"),
        (1e15, "1000000000000000"),
        (123456789012345678.0, "123456789012346000"),
        (1e19, "10000000000000000000"),
        (1e20, "1E+20"),
        (-1.5e21, "-1.5E+21"),
        (1e100, "1E+100"),
        (0.00001, "0.00001"),
        (1e-18, "0.000000000000000001"),
        (1e-20, "1E-20"),
        (-8.28846662730513e-15, "-8.28846662730513E-15"),
        (1.2e-45, "1.2E-45"),
        (0.000123456789012345, "0.000123456789012345"),
        (999999999999999.9, "1000000000000000"),
    ],
)
def test_texts(value: Any, expected: Any) -> None:
    assert to_text(value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_text_reads_as_the_number(value: float) -> None:
    text = general(value)
    assert number_in_text(text) == pytest.approx(value, rel=1e-14) or abs(value) > 1.7e308
    assert len(text.lstrip("-")) <= 21


@given(st.text(max_size=30))
def test_any_text_reads_as_a_number_or_value(text: str) -> None:
    found = to_number(text)
    assert found is VALUE or isinstance(found, float)
