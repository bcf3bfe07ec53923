"""REF=VALUE in, values out: what a person types and what a shell reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.client.console import Usage
from sheetrun.client.literals import parse_assignment, parse_assignments, parse_value, show_value, value_lines


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-1.5e3", -1500),
        (".5", 0.5),
        ("7%", 0.07),
        ("12.5 %", 0.125),
        ("true", True),
        ("FALSE", False),
        ("", None),
        ("  ", None),
        ("#n/a", {"error": "#N/A"}),
        ("#DIV/0!", {"error": "#DIV/0!"}),
        ('"007"', "007"),
        ('"say ""hi"""', 'say "hi"'),
        ('""', ""),
        ("hello", "hello"),
        ("1,5", "1,5"),
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("2026-01-31", 46053),
        ("2026-01-31T12:00", 46053.5),
        ("1900-03-01", 61),
        ("2026-1-31", "2026-1-31"),
    ],
)
def test_a_value_is_read_as_excel_reads_a_typed_one(text: str, value: Any) -> None:
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_dates_follow_the_workbooks_date_system() -> None:
    assert parse_value("2026-01-31", date1904=True) == 46053 - 1462
    assert parse_value("1904-01-01", date1904=True) == 0


@pytest.mark.parametrize("text", ["1e999", "2026-02-30", "1900-02-28", "1899-12-31"])
def test_what_no_cell_can_hold_is_refused(text: str) -> None:
    with pytest.raises(Usage):
        parse_value(text)


@pytest.mark.parametrize(
    ("text", "reference", "value"),
    [
        ("Inputs!B2=0.07", "Inputs!B2", 0.07),
        ("'A = B'!A1=3", "'A = B'!A1", 3),
        ("'It''s = odd'!A1=x=y", "'It''s = odd'!A1", "x=y"),
        ("Table[Net = Gross]=1", "Table[Net = Gross]", 1),
        ("Table[It's']=odd]=1", "Table[It's']=odd]", 1),
        ("Rate=", "Rate", None),
        (" Rate =2", "Rate", 2),
    ],
)
def test_the_reference_ends_at_the_first_equals_sign_that_is_not_part_of_it(
    text: str, reference: str, value: Any
) -> None:
    assert parse_assignment(text) == (reference, value)


@pytest.mark.parametrize("text", ["Rate", "=3", "'open!A1=3", ""])
def test_what_is_no_assignment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Usage, match="--set"):
        parse_assignment(text)


def test_the_last_assignment_wins() -> None:
    assert parse_assignments(["A=1", "B=2", "A=3"]) == {"A": 3, "B": 2}


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_the_way_through_a_shell(number: float) -> None:
    assert parse_value(show_value(number)) == number


@given(st.text())
def test_any_quoted_text_stays_that_text(text: str) -> None:
    assert parse_value('"' + text.replace('"', '""') + '"') == text


@given(st.text())
def test_nothing_that_is_typed_crashes(text: str) -> None:
    try:
        parse_assignment(text)
    except Usage:
        return


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (3.0, ["3"]),
        (0.1, ["0.1"]),
        (1e300, ["1e+300"]),
        (True, ["TRUE"]),
        (None, [""]),
        ({"error": "#REF!"}, ["#REF!"]),
        ("two\nlines", ["two lines"]),
        ([[1, "a"], [None, False]], ["1", "a", "", "FALSE"]),
    ],
)
def test_a_value_is_a_line_a_cell(value: Any, lines: list[str]) -> None:
    assert list(value_lines(value)) == lines
