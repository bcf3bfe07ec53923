"""Texts that try to leave their place in a Python script, for tests of all that writes one."""

from __future__ import annotations

from hypothesis import strategies as st

#: Each would do harm in a literal, a comment, a docstring or a name if it were written as it is.
HOSTILE = [
    "",
    '"',
    "'",
    "'''",
    '"""',
    "\\",
    "\\'",
    '\\"""',
    "\\N{LINE FEED}",
    "a\nimport os",
    "a\r\nimport os",
    "a\rb",
    "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029import os",
    "\x00",
    "\ud800",
    "\udfff\ud800",
    "\u202eevil\u202c",
    "\u2066\u200f\ufeff",
    "{__import__('os')}",
    "{0!r}",
    "%s",
    "#",
    "# noqa",
    "-*- coding: utf-7 -*-",
    "+AAo-import os",
    "book",
    "r",
    "c",
    "__import__",
    "__name__",
    "class",
    "match",
    "exit",
    "SUM",
    "sum",
    "main",
    "step",
    "STEPS",
    "lambda",
    "None",
    "ﬁ",
    "ﾠ",
    "µ",
    "１２",
    "a" * 1000,
    "🜁" * 50,
    "Sheet'1",
    "A1",
    "R1C1",
    "[1]x",
    "a!b",
    "=1+1",
    "\t",
]


def paired(text: str) -> str:
    """Two halves of a surrogate pair that meet are one character, as the reader makes them; lone halves stay."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


#: Any text, lone surrogates included, and the worst of it mixed in.
texts = st.lists(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.text(st.characters(exclude_categories=()), max_size=20),
        st.text("\"'\\\n\r{}#\u2028\x00", max_size=8),
    ),
    max_size=4,
).map(lambda parts: paired("".join(parts)))
