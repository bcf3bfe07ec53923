"""The one place where text from a workbook becomes Python source: as a literal, or as a comment."""

from __future__ import annotations

import keyword
import math
import re
import unicodedata

#: Cut long formulas in comments here: the report has the whole text.
COMMENT_LENGTH = 400
_WORDS = 16  #: in a line of a list of cells


def literal(value: str | float | bool | None) -> str:
    """A Python literal that evaluates to exactly this value, in printable ASCII.

    Only these types are let through; a float must be finite. Lone surrogates, control characters, quotes and line ends
    are escaped, so that no text can end its literal.
    """
    kind = type(value)
    if kind is str:
        return ascii(value)
    if kind is float:
        if not math.isfinite(value):  # type: ignore[arg-type]
            raise ValueError("only finite numbers have a literal")
        return repr(value)
    if kind is bool or value is None:
        return repr(value)
    raise TypeError(f"no literal for {kind.__name__}")


def comment(text: str) -> str:
    """Text as the rest of a comment line: one line, no control or format characters, cut where it is very long."""
    if text.isascii() and text.isprintable() and "  " not in text:
        clean = text.strip()
        return clean if len(clean) <= COMMENT_LENGTH else clean[: COMMENT_LENGTH - 1] + "…"
    clean = "".join(c if c.isprintable() and unicodedata.category(c) not in _UNSEEN else " " for c in text)
    clean = re.sub(r" {2,}", " ", clean).strip()
    return clean if len(clean) <= COMMENT_LENGTH else clean[: COMMENT_LENGTH - 1] + "…"


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def identifier(text: str, taken: set[str], fallback: str) -> str:
    """A readable ASCII identifier made from any text, different from all in ``taken`` (to which it is added)."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"[^0-9a-zA-Z]+", "_", plain).strip("_").lower()[:40].strip("_")
    if not words or words[0].isdigit():
        words = f"{fallback}_{words}" if words else fallback
    if keyword.iskeyword(words) or keyword.issoftkeyword(words):
        words += "_"
    name, count = words, 2
    while name in taken:
        name = f"{words}_{count}"
        count += 1
    taken.add(name)
    return name


def wrapped(words: list[str]) -> list[str]:
    """Words in lines of equal number, for a table that nobody reads word by word."""
    return [" ".join(words[start : start + _WORDS]) for start in range(0, len(words), _WORDS)]
