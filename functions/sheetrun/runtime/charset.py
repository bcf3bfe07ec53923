"""The characters that CHAR and CODE count: those of Windows, or of the Macintosh in a file that Excel for Mac saved.

Source: Microsoft, "CHAR function": the operating environment decides. Measured: CHAR(128) is Ä in files of Excel for Mac
2011 to 2016, and € in those of Windows.
"""

from __future__ import annotations

from functools import cache


@cache
def _characters(encoding: str) -> list[str]:
    """The character of each code; where the encoding has none, Windows has the control character of that number."""
    return [bytes([i]).decode(encoding, "ignore") or chr(i) for i in range(256)]


_macintosh = False


def settle(macintosh: bool) -> None:
    """Sets the characters of this run."""
    global _macintosh
    _macintosh = macintosh


def character(code: int) -> str:
    """The character of a code from 0 to 255."""
    return _characters(_encoding())[code]


def code_of(character: str) -> int | None:
    """The code of a character; None where there is none."""
    return _codes(_encoding()).get(character)


def _encoding() -> str:
    return "mac_roman" if _macintosh else "cp1252"


@cache
def _codes(encoding: str) -> dict[str, int]:
    return {character: code for code, character in enumerate(_characters(encoding))}
