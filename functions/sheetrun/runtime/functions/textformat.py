"""Values written as text and read from it: TEXT, FIXED, DOLLAR, VALUE, NUMBERVALUE, ARRAYTOTEXT, BAHTTEXT."""

from __future__ import annotations

import math
import re
from typing import Final

from sheetrun.runtime import calendar
from sheetrun.runtime.coerce import general, number_in_text
from sheetrun.runtime.errors import VALUE, ExcelError, Raised
from sheetrun.runtime.formatdigits import decimal_of, rounded
from sheetrun.runtime.functions.text import LONGEST, limited
from sheetrun.runtime.numberformat import format_number
from sheetrun.runtime.registry import excel
from sheetrun.runtime.values import Arr, Scalar, Value


@excel("TEXT(value: scalar, format_text: text) -> text")
def text_(value: Scalar, code: str) -> str:
    """A value as text in a number format; a text that reads as a number is formatted as one."""
    if isinstance(value, bool):
        value = "TRUE" if value else "FALSE"
    elif isinstance(value, str):
        number = number_in_text(value)
        if number == number:
            value = number
    if not code:
        return value if isinstance(value, str) else ""
    return format_number(value, code, calendar.is_1904())


def grouped(number: float, decimals: int, *, commas: bool = True) -> str:
    """The size of a number to a number of decimals (below 0: rounded left of the point)."""
    whole, _, fraction = f"{abs(rounded(decimal_of(number), decimals)):f}".partition(".")
    point = "." if decimals > 0 else ""
    return (f"{int(whole):,}" if commas else str(int(whole))) + point + fraction.ljust(max(decimals, 0), "0")


@excel("FIXED(number: number, [decimals: integer = 2], [no_commas: logical = FALSE]) -> text")
def fixed(number: float, decimals: int, no_commas: bool) -> str:
    """A number as text with decimals, and commas unless told not to."""
    if decimals > 127:
        raise Raised(VALUE)
    text = grouped(number, decimals, commas=not no_commas)
    return ("-" if number < 0 and text.strip("0.,") else "") + text


@excel("DOLLAR(number: number, [decimals: integer = 2]) -> text", also=("USDOLLAR",))
def dollar(number: float, decimals: int) -> str:
    """A number as an amount of dollars; negative ones in parentheses."""
    if decimals > 127:
        raise Raised(VALUE)
    text = "$" + grouped(number, decimals)
    return f"({text})" if number < 0 and text.strip("$0.,") else text


@excel("VALUE(text: scalar) -> number")
def value_(text: Scalar) -> float:
    """The number that a text reads as: numbers, dates, times, money, percent; a logical is #VALUE!."""
    if isinstance(text, bool):
        raise Raised(VALUE)
    if text is None:
        return 0.0
    if isinstance(text, str):
        number = number_in_text(text)
        if number != number:
            raise Raised(VALUE)
        return number
    assert isinstance(text, float)
    return text


_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(%*)\Z")


@excel('NUMBERVALUE(text: text, [decimal_separator: text = "."], [group_separator: text = None]) -> number')
def numbervalue(text: str, decimal: str, group: str | None = None) -> float:
    """The number in a text with given separators; spaces do not count, percent signs each divide by 100."""
    if not decimal or group == "":
        raise Raised(VALUE)
    text = "".join(text.split())
    if not text:
        return 0.0
    negative = _IN_PARENTHESES.match(text)
    if negative is not None and negative[1][0] not in "+-":
        return -numbervalue(negative[1] + negative[2], decimal, group)
    point, comma = decimal[0], (group or ",")[0]
    if group is None and point == comma:  # measured: no separator of groups then (of spaces there are none left)
        comma = " "
    if point == comma:
        raise Raised(VALUE)
    whole, mark, rest = text.partition(point)
    if mark and (point in rest or comma in rest):
        raise Raised(VALUE)
    plain = whole.replace(comma, "") + ("." + rest if mark else "")
    match = _NUMBER.match(plain)
    if match is None:
        raise Raised(VALUE)
    number = float(plain.rstrip("%"))
    if not math.isfinite(number):
        raise Raised(VALUE)
    return number / 100.0 ** len(match[1])


def written(value: Scalar, strict: bool) -> str:
    """A value as ARRAYTOTEXT and VALUETOTEXT write it; strict: texts in quotes."""
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"' if strict else value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value.code if isinstance(value, ExcelError) else general(value)


_IN_PARENTHESES: Final = re.compile(r"\(([^()]+)\)(%*)\Z")


@excel("VALUETOTEXT(value: any, [format: integer ~ 0]) -> text")
def valuetotext(value: Scalar, form: int) -> str:
    """A value as text; format 1 puts texts in quotes."""
    if form not in (0, 1):
        raise Raised(VALUE)
    return written(value, form == 1)


@excel("ARRAYTOTEXT(array: values, [format: integer ~ 0]) -> text")
def arraytotext(array: Value, form: int) -> str:
    """An array as text: a list with commas, or with format 1 an array constant in braces."""
    if form not in (0, 1):
        raise Raised(VALUE)
    if isinstance(array, ExcelError):
        raise Raised(array)
    whole = Arr.of(array)
    if whole.size - 1 > LONGEST:  # its commas alone are too many
        raise Raised(VALUE)
    if form == 1 and whole.size == 1 and whole.empties().all():
        raise Raised(VALUE)  # measured
    rows = whole.to_rows()
    if form == 0:
        text = ", ".join(written(v, False) for row in rows for v in row)
    else:
        text = "{" + ";".join(",".join(written(v, True) for v in row) for row in rows) + "}"
    return limited(text)


_THAI_DIGITS: Final = ("ศูนย์", "หนึ่ง", "สอง", "สาม", "สี่", "ห้า", "หก", "เจ็ด", "แปด", "เก้า")
_THAI_PLACES: Final = ("", "สิบ", "ร้อย", "พัน", "หมื่น", "แสน")


def _thai(number: int) -> str:
    if number == 0:
        return ""
    millions, rest = divmod(number, 1_000_000)
    out = _thai(millions) + "ล้าน" if millions else ""
    digits = str(rest)
    for i, digit in enumerate(digits):
        place = len(digits) - i - 1
        if digit == "0":
            continue
        if place == 1 and digit in "12":
            out += ("" if digit == "1" else "ยี่") + _THAI_PLACES[1]
        elif place == 0 and digit == "1" and (len(digits) > 1 or millions):
            out += "เอ็ด"
        else:
            out += _THAI_DIGITS[int(digit)] + _THAI_PLACES[place]
    return out


@excel("BAHTTEXT(number: number) -> text")
def bahttext(number: float) -> str:
    """A number as an amount of baht in Thai words."""
    satang_total = int(rounded(decimal_of(abs(number)), 2).scaleb(2))
    baht, satang = divmod(satang_total, 100)
    words = "ลบ" if number < 0 and satang_total else ""
    if baht or not satang:
        words += (_thai(baht) or _THAI_DIGITS[0]) + "บาท"
    return words + (_thai(satang) + "สตางค์" if satang else "ถ้วน")
