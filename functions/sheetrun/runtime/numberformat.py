"""Excel's number format language: a value and a format code in, the text that Excel shows out.

A code has up to four sections, ``positive;negative;zero;text``, or sections with conditions (``[>=100]``). A section
is numbers (``#,##0.00``, fractions, scientific), a date or time, General, or text (``@``), with literals between.
Sources: Microsoft, "Number format codes" and "TEXT function"; ECMA-376 part 1, 18.8.31.

The parts: this file reads codes and chooses the section, ``formatdigits`` writes numbers, ``formatdates`` dates.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from sheetrun.records import dataclass
from sheetrun.runtime.coerce import general
from sheetrun.runtime.errors import VALUE, ExcelError, Raised
from sheetrun.runtime.formatdates import format_date
from sheetrun.runtime.formatdigits import compile_digits, format_digits, general_display
from sheetrun.runtime.values import Scalar


class Token(NamedTuple):
    """``kind`` is one of literal, digit, point, comma, percent, exponent, slash, date, elapsed, halfday, fraction, at,
    general, fill."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """One section: what it is for and how it is written."""

    kind: str  #: general, number, date, text, literal
    tokens: tuple[Token, ...]
    condition: tuple[str, float] | None
    color: str | None
    locale: int

    def admits(self, value: float) -> bool:
        if self.condition is None:
            return True
        op, limit = self.condition
        return {
            "<": value < limit,
            "<=": value <= limit,
            ">": value > limit,
            ">=": value >= limit,
            "=": value == limit,
            "<>": value != limit,
        }[op]

    @property
    def only_negative(self) -> bool:
        """Whether its condition lets only negative numbers in (they are written without their sign)."""
        if self.condition is None:
            return False
        op, limit = self.condition
        return (op == "<" and limit <= 0) or (op in ("<=", "=") and limit < 0)


_CONDITION: Final = re.compile(r"\s*(<=|>=|<>|<|>|=)\s*([+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)\s*\Z")
_COLOR: Final = re.compile(r"(black|blue|cyan|green|magenta|red|white|yellow|color ?\d{1,2})\Z", re.IGNORECASE)
_CURRENCY: Final = re.compile(r"\$([^-]*)(?:-([0-9A-Fa-f]+))?.*\Z", re.DOTALL)
_ELAPSED: Final = re.compile(r"(h+|m+|s+)\Z", re.IGNORECASE)
_HALF: Final = re.compile(r"am/pm|a/p|上午/下午", re.IGNORECASE)
_LETTERS: Final = "ymdhsebga"
SYSTEM_DATE: Final = 0xF800
SYSTEM_TIME: Final = 0xF400


def format_number(value: Scalar, code: str, date1904: bool = False) -> str:
    """The text of a value under a format code. Raises #VALUE! for what is no code, or a date outside the calendar."""
    if isinstance(value, ExcelError):
        return value.code
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    sections = read_code(code)
    if isinstance(value, str):
        return _format_text(value, sections)
    number = 0.0 if value is None else value
    section, sign = _choose(number, sections)
    if section is None and len(sections) == 1:
        return general_display(number)
    if section is None:
        return "#" * 8  # no condition holds: Excel fills the cell with these
    if section.kind == "general":
        return sign + _literals_around(section, general_display(abs(number) if sign or number < 0 else number))
    if section.kind == "date":
        return format_date(number, section.tokens, section.locale, date1904)
    if section.kind == "text":
        return "".join(sign + general(abs(number)) if t.kind == "at" else t.text for t in section.tokens)
    if section.kind == "literal":
        return sign + "".join(t.text for t in section.tokens if t.kind != "fill")
    return format_digits(abs(number), compile_digits(section.tokens), sign)


def section_of(number: float, code: str) -> Section | None:
    """The section of a format code that writes a number; None when no condition holds. Raises #VALUE! for no code."""
    return _choose(number, read_code(code))[0]


def _choose(number: float, sections: tuple[Section, ...]) -> tuple[Section | None, str]:
    """The section for a number and the sign to be written before it."""
    minus = "-" if number < 0 else ""
    numeric = sections
    if len(sections) == 4 or (len(sections) > 1 and sections[-1].kind == "text"):
        numeric = sections[:-1]
    first = numeric[0]
    if len(numeric) == 1:
        if not first.admits(number):
            return None, ""
        return first, "" if first.only_negative else minus
    if all(s.condition is None for s in numeric):
        if number > 0 or (number == 0 and len(numeric) == 2):
            return first, ""
        return (numeric[1], "") if number < 0 else (numeric[2], "")
    return _choose_by_condition(number, numeric, minus)


def _choose_by_condition(number: float, numeric: tuple[Section, ...], minus: str) -> tuple[Section | None, str]:
    first, second = numeric[0], numeric[1]
    if first.condition is None:
        if number > 0:
            return first, ""
    elif first.admits(number):
        return first, "" if first.only_negative else minus
    if second.condition is None and len(numeric) == 3:
        if number < 0:
            return second, ""
        return numeric[2], minus
    if second.admits(number):
        negative = second.only_negative or (second.condition is None and _leaves_negative(first))
        return second, "" if negative else minus
    return (numeric[2], minus) if len(numeric) == 3 else (None, "")


def _leaves_negative(first: Section) -> bool:
    """Whether only negative numbers are left when the first section's condition fails."""
    if first.condition is None:
        return True
    op, limit = first.condition
    return (op == ">=" and limit <= 0) or (op == ">" and limit < 0)


def _format_text(value: str, sections: tuple[Section, ...]) -> str:
    last = sections[-1]
    if len(sections) != 4 and last.kind != "text":
        return value
    return "".join(value if t.kind == "at" else "" if t.kind == "fill" else t.text for t in last.tokens)


def _literals_around(section: Section, body: str) -> str:
    return "".join(body if t.kind == "general" else "" if t.kind == "fill" else t.text for t in section.tokens)


@lru_cache(maxsize=2048)
def read_code(code: str) -> tuple[Section, ...]:
    """The sections of a code. Raises #VALUE! when it has more than four or a bracket stays open."""
    if len(code) > 255:
        raise Raised(VALUE)
    parts = _split_sections(code)
    if len(parts) > 4:
        raise Raised(VALUE)
    return tuple(_read_section(p) for p in parts)


def _split_sections(code: str) -> list[str]:
    parts, start, i = [], 0, 0
    while i < len(code):
        ch = code[i]
        if ch == '"':
            close = code.find('"', i + 1)
            if close < 0 and i + 1 == len(code):
                raise Raised(VALUE)  # measured: a quote at the end opens nothing
            i = len(code) if close < 0 else close
        elif ch in "\\_*":
            i += 1
        elif ch == "[":
            close = code.find("]", i)
            if close < 0:
                raise Raised(VALUE)
            i = close
        elif ch == ";":
            parts.append(code[start:i])
            start = i + 1
        i += 1
    return [*parts, code[start:]]


def _read_section(code: str) -> Section:
    tokens: list[Token] = []
    condition: tuple[str, float] | None = None
    color: str | None = None
    locale = 0
    i = 0
    while i < len(code):
        ch = code[i]
        if ch == '"':
            close = code.find('"', i + 1)
            close = len(code) if close < 0 else close
            tokens.append(Token("literal", code[i + 1 : close]))
            i = close + 1
        elif ch == "\\":
            tokens.append(Token("literal", code[i + 1 : i + 2]))
            i += 2
        elif ch == "_":
            tokens.append(Token("literal", " " if i + 1 < len(code) else ""))
            i += 2
        elif ch == "*":
            tokens.append(Token("fill", code[i + 1 : i + 2]))
            i += 2
        elif ch == "[":
            close = code.index("]", i)
            inner = code[i + 1 : close]
            i = close + 1
            if match := _CONDITION.match(inner):
                condition = match[1], float(match[2])
            elif _COLOR.match(inner):
                color = inner.lower()
            elif match := _CURRENCY.match(inner):
                locale = int(match[2], 16) if match[2] else 0
                if match[1]:
                    tokens.append(Token("literal", match[1]))
            elif _ELAPSED.match(inner):
                tokens.append(Token("elapsed", inner.lower()))
            elif inner and not inner.upper().startswith(("DBNUM", "NATNUM", "~", "ENG", "HIJ")):
                raise Raised(VALUE)
        else:
            i = _read_plain(code, i, tokens)
    return _section(tokens, condition, color, locale)


def _read_plain(code: str, i: int, tokens: list[Token]) -> int:
    """Reads one token that is no bracket and no quote; the index after it."""
    ch = code[i]
    lower = ch.lower()
    if code[i : i + 7].lower() == "general":
        tokens.append(Token("general", code[i : i + 7]))
        return i + 7
    if match := _HALF.match(code, i):
        tokens.append(Token("halfday", match[0]))
        return match.end()
    if lower == "e" and code[i + 1 : i + 2] in ("+", "-") and any(t.kind == "digit" for t in tokens):
        tokens.append(Token("exponent", code[i : i + 2]))
        return i + 2
    if lower in _LETTERS:
        end = i + 1
        while end < len(code) and code[end].lower() == lower:
            end += 1
        tokens.append(Token("date", lower * (end - i)))
        return end
    kind = {
        "0": "digit",
        "#": "digit",
        "?": "digit",
        ".": "point",
        ",": "comma",
        "%": "percent",
        "/": "slash",
        "@": "at",
    }
    tokens.append(Token(kind.get(ch, "literal"), ch))
    return i + 1


def _section(tokens: list[Token], condition: tuple[str, float] | None, color: str | None, locale: int) -> Section:
    kinds = {t.kind for t in tokens}
    low = locale & 0xFFFF
    if low == SYSTEM_DATE:
        tokens, kinds = list(read_code("dddd, mmmm dd, yyyy")[0].tokens), {"date"}
    elif low == SYSTEM_TIME:
        tokens, kinds = list(read_code("h:mm:ss AM/PM")[0].tokens), {"date"}
    if kinds & {"date", "elapsed", "halfday"}:
        kind = "date"
        tokens = _date_tokens(tokens)
    elif "general" in kinds:
        kind = "general"
    elif "at" in kinds:
        kind = "text"
    elif "digit" in kinds or "percent" in kinds or "point" in kinds:
        kind = "number"
    else:
        kind = "literal"
    return Section(kind, tuple(tokens), condition, color, locale)


def _date_tokens(tokens: list[Token]) -> list[Token]:
    """In a date, ``.000`` are parts of seconds, other digits are #VALUE!, other signs stand for themselves."""
    out: list[Token] = []
    for token in tokens:
        if token == Token("digit", "0") and out and out[-1].kind in ("point", "fraction"):
            before = out.pop()
            out.append(Token("fraction", before.text + "0"))
        elif token.kind == "digit":
            raise Raised(VALUE)  # no code: "mm###"
        elif token.kind in ("comma", "percent", "slash", "exponent", "general", "at"):
            out.append(Token("literal", token.text))
        else:
            out.append(token)
    return [Token("literal", t.text) if t.kind == "point" else t for t in out]


def is_date_code(code: str) -> bool:
    """Whether a format shows numbers as dates or times (its first section does)."""
    try:
        return read_code(code)[0].kind == "date"
    except Raised:
        return False


_KNOWN_DATES: Final = {
    "d-mmm-yy": "D1",
    "dd-mmm-yy": "D1",
    "d-mmm": "D2",
    "dd-mmm": "D2",
    "mmm-yy": "D3",
    "m/d/yy": "D4",
    "m/d/yyyy": "D4",
    "mm/dd/yy": "D4",
    "mm-dd-yy": "D4",
    "m/d/yy h:mm": "D4",
    "m/d/yyyy h:mm": "D4",
    "mm/dd": "D5",
    "h:mm:ss am/pm": "D6",
    "h:mm am/pm": "D7",
    "h:mm:ss": "D8",
    "h:mm": "D9",
}


def cell_format_code(code: str) -> tuple[str, float, float]:
    """What CELL tells of a format: its short code, 1 when negatives are coloured, 1 when positives are in parentheses.

    Source: Microsoft, "CELL function", the table of format codes.
    """
    sections = read_code(code)
    first = sections[0]
    colored = 1.0 if len(sections) > 1 and sections[1].color else 0.0
    parenthesised = 1.0 if any(t.kind == "literal" and "(" in t.text for t in first.tokens) else 0.0
    tail = ("-" if colored else "") + ("()" if parenthesised else "")
    if first.kind == "date":
        plain = re.sub(r"\[[^\]]*\]|\\|;.*|\"", "", code).strip().lower()
        return _KNOWN_DATES.get(plain, "G") + tail, colored, parenthesised
    if first.kind != "number" or any(t.kind == "slash" for t in first.tokens):
        return "G" + tail, colored, parenthesised
    digits = compile_digits(first.tokens)
    letter = "F"
    if digits.exponent:
        letter = "S"
    elif digits.percents:
        letter = "P"
    elif any(t.kind == "literal" and set(t.text) & set("$€£¥") for t in first.tokens):
        letter = "C"
    elif digits.thousands:
        letter = ","
    return f"{letter}{digits.decimals}{tail}", colored, parenthesised
