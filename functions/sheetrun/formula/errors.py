"""Why a formula could not be read: what is wrong, where, and the text with a caret under the place.

FormulaError           the text is not a formula by Excel's grammar
└── FormulaTooLarge    it may be one, but it is longer or nested deeper than we accept
"""

from __future__ import annotations

from typing import ClassVar, Final

_WINDOW: Final = 30  #: characters shown on either side of the place


class FormulaError(Exception):
    """``detail`` is for people, ``position`` counts characters of ``text`` from 0, ``code`` is stable snake_case."""

    code: ClassVar[str] = "formula_syntax"

    def __init__(self, detail: str, position: int, text: str) -> None:
        super().__init__(detail, position, text)  # the arguments are what pickle calls the class with
        self.detail = detail
        self.position = position
        self.text = text

    def __str__(self) -> str:
        return f"{self.detail} (at character {self.position + 1})\n{self.excerpt()}"

    def excerpt(self) -> str:
        """Two lines: the formula around the place, and a caret under it."""
        start = max(0, self.position - _WINDOW)
        end = min(len(self.text), self.position + _WINDOW)
        before = "…" if start else ""
        after = "…" if end < len(self.text) else ""
        # Line breaks and control characters would move the caret away from its place.
        shown = "".join(char if char.isprintable() else " " for char in self.text[start:end])
        return f"  {before}{shown}{after}\n  {' ' * (len(before) + self.position - start)}^"


class FormulaTooLarge(FormulaError):
    code = "formula_too_large"
