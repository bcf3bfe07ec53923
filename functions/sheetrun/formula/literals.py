"""Reads the literals of a formula: function and variable names without their file prefixes, array constants."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from sheetrun.formula.lexer import BLANK, ERROR_CODES, STRING_LITERAL
from sheetrun.formula.nodes import ArrayConst, Error, Logical, Number, Text

Literal = Number | Text | Logical | Error

#: What Excel writes before functions newer than the file format (_xlfn. _xlws.), add-in functions (_xll.), functions
#: it does not know (_xludf.), LET and LAMBDA variables (_xlpm.) and functions passed by name (_xleta.).
_FILE_PREFIXES: Final = re.compile(r"(?:_xl(?:fn|ws|l|udf|pm|eta)\.)+", re.IGNORECASE)
_VARIABLE_PREFIXES: Final = re.compile(r"(?:_xl(?:pm|op|eta)\.)+", re.IGNORECASE)
_OPTIONAL_PREFIX: Final = "_xlop."
_FUNCTION_PREFIX: Final = "_xleta."

_ELEMENT: Final = re.compile(
    rf"{BLANK}*+(?:(?P<text>{STRING_LITERAL})"
    rf"|(?P<number>[-+]?{BLANK}*+(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][-+]?[0-9]++)?)"
    rf"|(?P<logical>TRUE|FALSE)|(?P<error>{'|'.join(map(re.escape, ERROR_CODES))})){BLANK}*+(?P<end>[,;]|\Z)",
    re.IGNORECASE,
)
TOO_LARGE: Final = "The number is too large: the largest is 1.79769313486232E+308"
_BLANKS: Final = str.maketrans("", "", " \t\r\n")


class BadLiteral(ValueError):
    """``detail`` for people, ``offset`` in characters from the beginning of the token."""

    def __init__(self, detail: str, offset: int) -> None:
        super().__init__(detail, offset)
        self.detail = detail
        self.offset = offset


@lru_cache(maxsize=8192)
def function_name(token: str) -> str:
    """The name of a function in upper case: ``_xlfn._xlws.SORT`` is SORT.

    A function of an add-in keeps its prefix, ``_XLL.SORT``: it may share its name with one of Excel's, and is another.
    """
    match = _FILE_PREFIXES.match(token)
    if match and match[0].lower().endswith("_xll."):
        return "_XLL." + token[match.end() :].upper()
    return (token[match.end() :] or token if match else token).upper()


def is_file_function(token: str) -> bool:
    """Whether the name carries a prefix that says it is Excel's own, not the user's."""
    return token[:6].lower() == "_xlfn."


def variable_name(token: str) -> str:
    """A name without the prefix of LET and LAMBDA variables; other names as they are."""
    if token[0] != "_":
        return token
    match = _VARIABLE_PREFIXES.match(token)
    return token[match.end() :] or token if match else token


def names_function(token: str) -> bool:
    """Whether a name is marked as a function that is passed by its name."""
    return token[:7].lower() == _FUNCTION_PREFIX


def optional_parameter(token: str) -> str | None:
    """``y`` for ``_xlop.y``, which is how files store the optional parameter ``[y]`` of a LAMBDA; else None."""
    return token[6:] if token[:6].lower() == _OPTIONAL_PREFIX and len(token) > 6 else None


def number(text: str) -> Number:
    """Raises BadLiteral beyond the largest double."""
    value = float(text)
    if value == float("inf"):
        raise BadLiteral(TOO_LARGE, 0)
    return Number(value)


def text(token: str) -> Text:
    """The value of a quoted text, doubled quotation marks undone."""
    return Text(token[1:-1].replace('""', '"'))


def array_constant(token: str) -> ArrayConst:
    """The value of ``{1,-2;"a",TRUE}``. Raises BadLiteral: empty, ragged, or not only literals."""
    body = token[1:-1]
    rows: list[tuple[Literal, ...]] = []
    row: list[Literal] = []
    position = 0
    while True:
        element = _ELEMENT.match(body, position)
        if element is None:
            raise BadLiteral("An array constant holds numbers, texts, TRUE, FALSE and errors only", 1 + position)
        row.append(_element(element, position))
        end = element["end"]
        if end != ",":
            rows.append(tuple(row))
            row = []
            if len(rows[-1]) != len(rows[0]):
                raise BadLiteral("The rows of an array constant have different lengths", 1 + position)
        if not end:
            return ArrayConst(tuple(rows))
        position = element.end()


def _element(match: re.Match[str], position: int) -> Literal:
    if match["number"] is not None:
        value = float(match["number"].translate(_BLANKS))
        if value in (float("inf"), float("-inf")):
            raise BadLiteral(TOO_LARGE, 1 + position)
        return Number(value)
    if match["text"] is not None:
        return text(match["text"])
    if match["logical"] is not None:
        return Logical(match["logical"].upper() == "TRUE")
    return Error(match["error"].upper())
