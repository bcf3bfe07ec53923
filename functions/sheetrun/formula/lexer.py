"""Cuts formula text, as .xlsx files store it (en-US, commas between arguments), into tokens.

One regular expression does the work: each alternative has one group, and the number of that group is the token's kind.
Blanks belong to the operator beside them, so a SPACE token that is left over is Excel's intersection operator.
A token has no place of its own; ``place`` finds it again when an error needs it, which keeps the common case fast.

No optional group is possessive: before Python 3.11.5 one that failed half-way kept what it had read (CPython issue 106052).
The fragments for cells, rows and columns reach exactly to the edge of the sheet: ``XFD1048576`` is a cell, ``XFE1``
and ``A1048577`` are names, as in Excel. (Grammar: [MS-XLSX] 2.2.2 "Formulas"; ECMA-376 part 1, 18.17.)
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from sheetrun.formula.errors import FormulaError

#: The error literals, in the order Excel numbers them (ERROR.TYPE).
ERROR_CODES: Final = (
    "#NULL!",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NAME?",
    "#NUM!",
    "#N/A",
    "#GETTING_DATA",
    "#SPILL!",
    "#CONNECT!",
    "#BLOCKED!",
    "#UNKNOWN!",
    "#FIELD!",
    "#CALC!",
    "#EXTERNAL!",
    "#BUSY!",
    "#PYTHON!",
    "#TIMEOUT!",
)

END: Final = 0
REF: Final = 1  #: A1, $A$1:B2
OPERATOR: Final = 2  #: + - * / ^ & = <> < <= > >=
FUNCTION: Final = 3  #: SUM( … the text is the name
COMMA: Final = 4
CLOSE: Final = 5
ROWS: Final = 6  #: 2:5
NUMBER: Final = 7
COLUMNS: Final = 8  #: A:C
OPEN: Final = 9
STRING: Final = 10
PREFIX: Final = 11  #: Sheet1!  'Jan 1:Dec 2'!  [1]!
STRUCTURED: Final = 12  #: Sales[[#All],[Qty]]
ERROR: Final = 13
NAME: Final = 14
PERCENT: Final = 15
COLON: Final = 16
AT: Final = 17
HASH: Final = 18  #: the # of A1#
ARRAY: Final = 19  #: {1,2;3,4}
SPACE: Final = 20  #: the intersection operator
QUOTED: Final = 21  #: 'text' without !: the item of a DDE link
BAD: Final = 22  #: fits nowhere; it is all the rest, since no formula has one

#: Characters. Excel stops at 8192 as shown; the prefixes that files add (``_xlfn.``) come on top.
MAX_LENGTH = 32_768

Token = tuple[int, str]

BLANK: Final = r"[ \t\r\n]"
#: A character that may go on a name: letters and digits of any script, _ . ? \ (no other ASCII, no Unicode space).
#: Spaces are told by their class: to write them out takes ``re`` three milliseconds, in patterns that have this often.
NAME_CHAR: Final = r"[^\x00-\x2d/:->@\[\]^`{-\xa0\s]"
NAME_START: Final = r"[^\x00-@\[\]^`{-\xa0\s]"
COLUMN: Final = r"(?:[A-Za-z]{1,2}|[A-Wa-w][A-Za-z]{2}|[Xx](?:[A-Ea-e][A-Za-z]|[Ff][A-Da-d]))"
ROW: Final = (
    r"(?:0*+(?:[1-9][0-9]{0,5}|10[0-3][0-9]{4}|104[0-7][0-9]{3}|1048[0-4][0-9]{2}|10485[0-6][0-9]|104857[0-6]))"
)
#: How every reference to a cell begins, told in less time than by ``COLUMN`` and ``ROW``.
CELL_START: Final = r"(?=\$?+[A-Za-z]{1,3}+\$?[0-9])"
#: What must not follow a reference: then it is (part of) a name, a function, a sheet or a table.
REF_END: Final = rf"(?!{NAME_CHAR}|[(!\[])"
#: The same after the second corner: ``A1:B2#`` is A1 to the spill of B2, and ``x:$A$1`` a name to a cell.
PAIR_END: Final = rf"(?!{NAME_CHAR}|[(!\[#$])"
STRING_LITERAL: Final = r'"[^"]*+(?:""[^"]*+)*+"'
QUOTED_NAME: Final = r"'[^']*+(?:''[^']*+)*+'"
_INNER_BRACKETS: Final = r"\[(?:[^\[\]']|'[\s\S])*+\]"
BRACKETS: Final = rf"\[(?:[^\[\]']|'[\s\S]|{_INNER_BRACKETS})*+\]"
_SHEETS: Final = rf"{NAME_CHAR}++(?::{NAME_CHAR}++)?"
#: ``[1]Sheet1!`` and ``[1]!``, without quotation marks.
BOOK_PREFIX: Final = rf"\[[^\[\]]*+\](?:{_SHEETS})?!"
_NUMBER: Final = r"(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
_ERRORS: Final = "|".join(re.escape(code) for code in sorted(ERROR_CODES, key=len, reverse=True))

_R1C1_PART: Final = r"(?:[0-9]++|\[-?[0-9]++\])?"


def _compile(ref: str, rows: str, columns: str) -> re.Pattern[str]:
    """The token pattern for one reference style; the alternatives stand in the order of the kinds above."""
    alternatives = (
        ref,
        rf"{BLANK}*+([-+*/^&=]|<[=>]?|>=?){BLANK}*+",
        rf"({NAME_START}{NAME_CHAR}*+){BLANK}*+\({BLANK}*+",
        rf"{BLANK}*+(,){BLANK}*+",
        rf"{BLANK}*+(\))",
        rows,
        rf"({_NUMBER})(?!{NAME_CHAR}|!)",
        columns,
        rf"(\(){BLANK}*+",
        rf"({STRING_LITERAL})",
        rf"({QUOTED_NAME}(?::{QUOTED_NAME})?!|{BOOK_PREFIX}|(?:{_SHEETS})?!)",
        rf"((?:{NAME_START}{NAME_CHAR}*+)?{BRACKETS})(?!{NAME_CHAR}|!)",
        rf"((?i:{_ERRORS}))",
        rf"({NAME_START}{NAME_CHAR}*+)",
        rf"{BLANK}*+(%)",
        rf"{BLANK}*+(:){BLANK}*+",
        rf"(@){BLANK}*+",
        r"(#)",
        r'(\{(?:[^"{}]++|"[^"]*+")*\})',
        rf"({BLANK}++)",
        rf"({QUOTED_NAME})",
        r"([\s\S]+)",
    )
    return re.compile("|".join(alternatives))


_A1: Final = _compile(
    ref=rf"(\$?+{COLUMN}\$?+{ROW}(?::\$?+{COLUMN}\$?+{ROW}{PAIR_END})?){REF_END}",
    rows=rf"(\$?+{ROW}:\$?+{ROW}){PAIR_END}",
    columns=rf"(\$?+{COLUMN}:\$?+{COLUMN}){PAIR_END}",
)
_R1C1_CELL: Final = rf"[Rr]{_R1C1_PART}[Cc]{_R1C1_PART}"


@cache
def _r1c1() -> re.Pattern[str]:
    """Few workbooks say INDIRECT("R1C1", FALSE), and the pattern takes three milliseconds to make."""
    return _compile(
        ref=rf"({_R1C1_CELL}(?::{_R1C1_CELL}{PAIR_END})?){REF_END}",
        rows=rf"([Rr]{_R1C1_PART}(?::[Rr]{_R1C1_PART}{PAIR_END})?){REF_END}",
        columns=rf"([Cc]{_R1C1_PART}(?::[Cc]{_R1C1_PART}{PAIR_END})?){REF_END}",
    )


#: Blanks before the formula, and the = that some writers leave in the file.
_HEAD: Final = re.compile(rf"{BLANK}*+(?:={BLANK}*+)?")
_BLANKS: Final = " \t\r\n"


def tokenize(text: str, *, r1c1: bool = False) -> list[Token]:
    """The tokens of a formula as (kind, text), the last one END. Never fails: what fits nowhere is a BAD token."""
    start, end = _bounds(text)
    pattern = _r1c1() if r1c1 else _A1
    tokens = [(match.lastindex or BAD, match[match.lastindex or 0]) for match in pattern.finditer(text, start, end)]
    tokens.append((END, ""))
    return tokens


def place(text: str, index: int, *, r1c1: bool = False) -> int:
    """Where token ``index`` of ``tokenize(text)`` begins: a 0-based character position; the end for END."""
    start, end = _bounds(text)
    for number, match in enumerate((_r1c1() if r1c1 else _A1).finditer(text, start, end)):
        if number == index:
            return match.start(match.lastindex or 0)
    return end


def bad_token(text: str, position: int) -> FormulaError:
    """The error for the place where no token fits: says what is missing there."""
    char = text[position]
    if char == '"':
        return FormulaError("A text is opened by a quotation mark and never closed", position, text)
    if char == "'":
        return FormulaError("A quoted sheet name is not closed, or no ! follows it", position, text)
    if char == "[":
        return FormulaError("A bracket is opened and never closed", position, text)
    if char == "{":
        return FormulaError("An array constant is not closed, or holds something else than literals", position, text)
    if char == ";":
        return FormulaError("A semicolon separates rows of {…} only; arguments take a comma", position, text)
    if char.isdecimal() or char == ".":
        return FormulaError("This is neither a number nor a name", position, text)
    if char.isprintable():
        return FormulaError(f"The character {char} has no meaning here", position, text)
    return FormulaError(f"The character U+{ord(char):04X} has no meaning here", position, text)


def _bounds(text: str) -> tuple[int, int]:
    end = len(text.rstrip(_BLANKS)) if text and text[-1] in _BLANKS else len(text)
    if text and text[0] in "= \t\r\n":
        head = _HEAD.match(text)
        return (head.end() if head else 0), end
    return 0, end
