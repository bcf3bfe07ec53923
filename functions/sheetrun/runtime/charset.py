"""The characters that CHAR and CODE count: those of Windows, or of the Macintosh in a file that Excel for Mac saved.

Source: Microsoft, "CHAR function": the operating environment decides. Measured: CHAR(128) is Ä in files of Excel for Mac
2011 to 2016, and € in those of Windows.
"""

from __future__ import annotations

from typing import Final


def _characters(encoding: str) -> list[str]:
    """The character of each code; where the encoding has none, Windows has the control character of that number."""
    return [bytes([i]).decode(encoding, "ignore") or chr(i) for i in range(256)]


_WINDOWS: Final = _characters("cp1252")
_MACINTOSH: Final = _characters("mac_roman")
_CODES: Final = [{c: i for i, c in enumerate(known)} for known in (_WINDOWS, _MACINTOSH)]

_macintosh = False


def settle(macintosh: bool) -> None:
    """Sets the characters of this run."""
    global _macintosh
    _macintosh = macintosh


def character(code: int) -> str:
    """The character of a code from 0 to 255."""
    return (_MACINTOSH if _macintosh else _WINDOWS)[code]


def code_of(character: str) -> int | None:
    """The code of a character; None where there is none."""
    return _CODES[_macintosh].get(character)
