"""The number format language, as TEXT shows it. Many cases were read off real Excel."""

from __future__ import annotations

import pytest
from calls import VALUE, call
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.formatdigits import general_display
from sheetrun.runtime.numberformat import cell_format_code, format_number, is_date_code


@pytest.mark.parametrize(
    ("value", "code", "wanted"),
    [
        (1234.567, "$#,##0.00", "$1,234.57"),
        (0.285, "0.0%", "28.5%"),
        (4.34, "# ?/?", "4 1/3"),
        (12200000, "0.00E+00", "1.22E+07"),
        (1234567898, "[<=9999999]###-####;(###) ###-####", "(123) 456-7898"),
        (1234, "0000000", "0001234"),
        (123456, "##0° 00' 00''", "12° 34' 56''"),
        (1.005, "0.00", "1.01"),
        (2.5, "0", "3"),
        (-2.5, "0", "-3"),
        (1234567, "#,##0,", "1,235"),
        (1234567, "0.0,,", "1.2"),
        (1234567, ",#", ",1234567"),
        (0.00012, "##0.0E+0", "120.0E-6"),
        (9.995e9, "0.00E+00", "1.00E+10"),
        (12345, "0.0E-0", "1.2E4"),
        (0, "#.##", "."),
        (5, "#.##", "5."),
        (0, "#", ""),
        (12.3, "0.0#####0", "12.3000000"),
        (12, "?0.0?", "12.0 "),
        (123456789, "000-00-0000", "123-45-6789"),
        (5, "000,000", "000,005"),
        (-5, "0;(0)", "(5)"),
        (0, '0;(0);"zero"', "zero"),
        (-5, "[<0]0;0", "5"),
        (-5, "[>=100]0;0", "-5"),
        (50, '[>100]"big";"small"', "small"),
        (1234.5, "_($* #,##0.00_)", " $1,234.50 "),
        (1.5, '"a;b" 0.0', "a;b 1.5"),
        (3, "0\\x", "3x"),
        (5, "[Red]0", "5"),
        (5, "[$€-407] 0", "€ 5"),
        (5, "General", "5"),
        (5, 'General" units"', "5 units"),
        (-5, "General", "-5"),
        ("abc", "0", "abc"),
        ("abc", "0;0;0;<@>", "<abc>"),
        ("12", "0.0", "12.0"),
        ("Snap", "", "Snap"),
        (5, "", ""),
        (True, ";;;-@-", "-TRUE-"),
        (5, "@", "5"),
        (890123.456789, "0,x#.00", "89012x3.46"),
        (890123.456789, "#,0x#.00", "890,12x3.46"),
        (890123.456789, "#x,0x#.00", "8901x,2x3.46"),
        (890123.456789, "#x,0,#.00", "890,1x,23.46"),
        (890123.456789, "#.###x,##", "890123.456x,79"),
        (890123.456789, "#.###,x##", "890123.456x79"),
        (1234567.0, "#,,##0", "1,234,567"),
        (0.99999999, "[s]", "86400"),
        (0.99999999, "[m]", "1440"),
        (5, "[", VALUE),
        (5, "0;0;0;0;0", VALUE),
    ],
)
def test_numbers(value: object, code: str, wanted: object) -> None:
    assert call("TEXT", value, code) == wanted


@pytest.mark.parametrize(
    ("value", "code", "wanted"),
    [
        (0.0, r"|#\:#/#|", "|0|"),
        (0.75, r"|#\:#/#|", "|3/4|"),
        (0.75, r"|?\:#=/=#|", "|  3=/=4|"),
        (0.75, r"|#-#-#\:#/#|", "|--3/4|"),
        (1.0, r"|#\:#=/=?|", "|1      |"),
        (0.0, r"|#\:0=/=#|", "|0=/=1|"),
        (0.0, r"|?\:0=/=?|", "|0:0=/=1|"),
        (0.0, r"|#\:? ?0#/000", "|:0  00/001"),
        (3.75, "|#_#=/=?|", "|15 =/=4|"),
        (5.0, "# ?/?", "5    "),
        (1 / 3, "# ??/??", "  1/3 "),
        (3.1415926, "# ??/100", "3 14/100"),
        (-1.5, "# ?/?", "-1 1/2"),
        (0.99, "# ?/?", "1    "),
    ],
)
def test_fractions(value: float, code: str, wanted: str) -> None:
    assert format_number(value, code) == wanted


@pytest.mark.parametrize(
    ("value", "code", "wanted"),
    [
        (43831.75, "yyyy-mm-dd hh:mm:ss AM/PM", "2020-01-01 06:00:00 PM"),
        (43831, "dddd, mmmm d, yyyy", "Wednesday, January 1, 2020"),
        (43831, "d-mmm-yy", "1-Jan-20"),
        (43831, "mmmmm", "J"),
        (60, "yyyy-mm-dd", "1900-02-29"),
        (0, "yyyy-mm-dd", "1900-01-00"),
        (1.5, "[h]:mm", "36:00"),
        (1.5, "[mm]", "2160"),
        (0.5, "h:mm a/p", "12:00 p"),
        (0.000011574, "s.000", "1.000"),
        (0.5 + 0.0004 / 86400, "hh:mm:ss.000", "12:00:00.000"),
        (43831.9999999, "yyyy-mm-dd h:mm:ss", "2020-01-02 0:00:00"),
        (43831, "mm/dd", "01/01"),
        (0.25, "mm:ss", "00:00"),
        (43831, "[$-407]mmmm", "Januar"),
        (43831, "[$-40C]dddd d mmmm", "mercredi 1 janvier"),
        (43831, "[$-F800]dddd", "Wednesday, January 01, 2020"),
        (43831, "bbbb", "2563"),
    ],
)
def test_dates(value: float, code: str, wanted: str) -> None:
    assert format_number(value, code) == wanted


def test_a_date_before_the_calendar_is_an_error() -> None:
    assert call("TEXT", -1, "yyyy") is VALUE
    assert call("TEXT", 2_958_466, "yyyy") is VALUE


def test_1904() -> None:
    assert format_number(0.0, "yyyy-mm-dd", True) == "1904-01-01"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1 / 3, "0.333333333"),
        (12345678901.0, "12345678901"),
        (123456789012.0, "1.23457E+11"),
        (0.00001, "0.00001"),
        (0.000012345678, "1.23457E-05"),
        (1234567.891234, "1234567.891"),
        (-0.1, "-0.1"),
        (9.9999999999e-11, "1E-10"),
    ],
)
def test_general_fits_a_cell(value: float, wanted: str) -> None:
    assert general_display(value) == wanted


def test_what_cell_tells_of_formats() -> None:
    assert cell_format_code("General") == ("G", 0.0, 0.0)
    assert cell_format_code("#,##0.00") == (",2", 0.0, 0.0)
    assert cell_format_code("$#,##0_);[Red]($#,##0)")[0] == "C0-"
    assert cell_format_code("0.00%")[0] == "P2"
    assert cell_format_code("0.00E+00")[0] == "S2"
    assert cell_format_code("m/d/yy")[0] == "D4"
    assert cell_format_code("h:mm")[0] == "D9"
    assert is_date_code("[h]:mm")
    assert not is_date_code("0.0")
    assert not is_date_code("[")


@given(st.floats(-1e12, 1e12), st.integers(0, 6))
def test_fixed_places_agree_with_the_number(value: float, places: int) -> None:
    text = format_number(value, "0." + "0" * places if places else "0")
    assert float(text) == pytest.approx(value, abs=0.51 * 10.0**-places + abs(value) * 1e-14)


@given(st.text(alphabet='0#?.,%eE+-/@;[]<>="\\_*yMdhmsAP $General', max_size=14), st.floats(-1e6, 1e6))
def test_any_code_gives_a_text_or_an_error(code: str, value: float) -> None:
    got = call("TEXT", value, code)
    assert isinstance(got, str) or got is VALUE
