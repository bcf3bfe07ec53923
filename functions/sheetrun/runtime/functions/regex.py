"""Regular expressions: REGEXTEST, REGEXEXTRACT, REGEXREPLACE. Excel's are PCRE2, which is translated to Python's.

Source: Microsoft, "REGEXEXTRACT function"; PCRE2's pattern syntax.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import lru_cache, partial
from typing import Final

from sheetrun.runtime.errors import NA, VALUE, Raised
from sheetrun.runtime.registry import excel
from sheetrun.runtime.values import Arr

_POSIX: Final = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9A-Fa-f",
    "word": r"\w",
    "graph": "!-~",
    "print": " -~",
}
_ESCAPES: Final = {
    "h": r"[ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "H": r"[^ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]",
    "R": r"(?:\r\n|[\n\v\f\r\x85\u2028\u2029])",
    "N": r"[^\n]",
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "G": r"\A",
    "e": r"\x1b",
}
_IN_CLASS: Final = {"h": r" \t\xa0\u2000-\u200a\u202f\u205f\u3000", "e": r"\x1b"}


@lru_cache(maxsize=128)
def _property(name: str) -> str:
    """The inside of a character class for a Unicode category such as L or Lu."""
    if len(name) not in (1, 2) or name[0] not in "LMNPSZC":
        raise Raised(VALUE)
    ranges: list[list[int]] = []
    for i in range(sys.maxunicode + 1):
        if 0xD800 <= i <= 0xDFFF:
            continue
        if unicodedata.category(chr(i)).startswith(name):
            if ranges and ranges[-1][1] == i - 1:
                ranges[-1][1] = i
            else:
                ranges.append([i, i])
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges)


def translate(pattern: str) -> str:
    """A PCRE2 pattern as one of Python's ``re``."""
    out: list[str] = []
    i = 0
    while i < len(pattern):
        ch = pattern[i]
        if ch == "\\":
            text, i = _escape(pattern, i, inside=False)
            out.append(text)
        elif ch == "[":
            text, i = _class(pattern, i)
            out.append(text)
        elif pattern.startswith("(?<", i) and pattern[i + 3 : i + 4] not in ("=", "!"):
            out.append("(?P<")
            i += 3
        elif pattern.startswith("(?'", i):
            close = pattern.find("'", i + 3)
            out.append(f"(?P<{pattern[i + 3 : close]}>")
            i = close + 1
        else:
            out.append(ch)
            i += 1
    return "".join(out)


def _escape(pattern: str, i: int, *, inside: bool) -> tuple[str, int]:
    code = pattern[i + 1 : i + 2]
    if code == "Q":
        end = pattern.find(r"\E", i + 2)
        end = len(pattern) if end < 0 else end
        return re.escape(pattern[i + 2 : end]), end + 2
    if code in ("p", "P") and code:
        match = re.compile(r"\{\^?(\w+)\}|(\w)").match(pattern, i + 2)
        if match is None:
            raise Raised(VALUE)
        body = _property(match[1] or match[2])
        negative = (code == "P") != pattern.startswith("{^", i + 2)
        if inside:
            if negative:
                raise Raised(VALUE)
            return body, match.end()
        return f"[{'^' if negative else ''}{body}]", match.end()
    if code == "x" and pattern[i + 2 : i + 3] == "{":
        close = pattern.find("}", i)
        try:
            return re.escape(chr(int(pattern[i + 3 : close], 16))), close + 1
        except (ValueError, OverflowError) as error:
            raise Raised(VALUE) from error
    if code in ("k", "g"):
        match = re.compile(r"[{<']?(\w+)[}>']?").match(pattern, i + 2)
        if match is None:
            raise Raised(VALUE)
        return (f"(?:\\{match[1]})" if match[1].isdigit() else f"(?P={match[1]})"), match.end()
    table = _IN_CLASS if inside else _ESCAPES
    if code in table:
        return table[code], i + 2
    if code.isalpha() and code not in "abBdDfnrsStvwWxAuU":
        raise Raised(VALUE)
    return pattern[i : i + 2], i + 2


def _class(pattern: str, i: int) -> tuple[str, int]:
    """A bracketed class, with POSIX names and properties written out."""
    out = ["["]
    i += 1
    if pattern[i : i + 1] == "^":
        out.append("^")
        i += 1
    if pattern[i : i + 1] == "]":
        out.append(r"\]")
        i += 1
    while i < len(pattern) and pattern[i] != "]":
        posix = re.compile(r"\[:(\w+):\]").match(pattern, i)
        if posix is not None:
            if posix[1] not in _POSIX:
                raise Raised(VALUE)
            out.append(_POSIX[posix[1]])
            i = posix.end()
        elif pattern[i] == "\\":
            text, i = _escape(pattern, i, inside=True)
            out.append(text)
        else:
            out.append("\\" + pattern[i] if pattern[i] in "[&~|" else pattern[i])
            i += 1
    return "".join(out) + "]", i + 1


@lru_cache(maxsize=512)
def compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """A pattern ready to use. Raises #VALUE! when it is none."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.compile(translate(pattern), re.IGNORECASE if ignore_case else 0)
    except (re.error, RecursionError, OverflowError, FutureWarning, DeprecationWarning) as error:
        raise Raised(VALUE) from error


def _ignores_case(case: int) -> bool:
    if case not in (0, 1):
        raise Raised(VALUE)
    return case == 1


@excel("REGEXTEST(text: text, pattern: text, [case_sensitivity: integer ~ 0]) -> logical")
def regextest(text: str, pattern: str, case: int) -> bool:
    """Whether a pattern matches anywhere in a text; case_sensitivity 1 ignores case."""
    return compiled(pattern, _ignores_case(case)).search(text) is not None


@excel("REGEXEXTRACT(text: text, pattern: text, [return_mode: integer ~ 0], [case_sensitivity: integer ~ 0]) -> any")
def regexextract(text: str, pattern: str, mode: int, case: int) -> str | Arr:
    """What a pattern matches: the first match (0), all of them down a column (1), the groups of the first (2)."""
    if mode not in (0, 1, 2):
        raise Raised(VALUE)
    matcher = compiled(pattern, _ignores_case(case))
    first = matcher.search(text)
    if first is None:
        raise Raised(NA)
    if mode == 0:
        return first[0]
    if mode == 1:
        return Arr.rows([[m[0] for m in matcher.finditer(text)]])
    if not first.groups():
        raise Raised(VALUE)  # measured
    return Arr.rows([[NA if group is None else group for group in first.groups()]])


_DOLLAR: Final = re.compile(r"\$(?:(\d+)|\{(\w+)\}|(\$))")


@excel(
    "REGEXREPLACE(text: text, pattern: text, replacement: text, [occurrence: integer ~ 0], "
    "[case_sensitivity: integer ~ 0]) -> text"
)
def regexreplace(text: str, pattern: str, replacement: str, occurrence: int, case: int) -> str:
    """A text with matches replaced: all (0), the n-th, or the n-th from the end (negative); $1 is a group."""
    matcher = compiled(pattern, _ignores_case(case))
    matches = list(matcher.finditer(text))
    if occurrence:
        at = occurrence - 1 if occurrence > 0 else len(matches) + occurrence
        matches = [matches[at]] if 0 <= at < len(matches) else []
    out: list[str] = []
    end = 0
    for match in matches:
        out += [text[end : match.start()], _DOLLAR.sub(partial(_group, match), replacement)]
        end = match.end()
    result = "".join(out) + text[end:]
    if len(result) > 32767:
        raise Raised(VALUE)
    return result


def _group(match: re.Match[str], dollar: re.Match[str]) -> str:
    if dollar[3]:
        return "$"
    name: int | str = int(dollar[1] or dollar[2]) if (dollar[1] or dollar[2]).isdigit() else dollar[2]
    try:
        return match[name] or ""
    except IndexError as error:
        raise Raised(VALUE) from error
