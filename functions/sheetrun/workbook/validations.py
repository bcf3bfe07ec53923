"""Reads data validation: what a cell may hold, as the author of the sheet said (ECMA-376 part 1, 18.3.1.33).

Formulas do not need it, callers of a model do. So what cannot be read is left out, and never stops the reading.
"""

from __future__ import annotations

from typing import Final

from sheetrun.workbook.markup import Attributes, is_true
from sheetrun.workbook.model import Rect, Validation
from sheetrun.workbook.references import parse_rect

_MOST: Final = 65_534  #: of one sheet, as in Excel
_RECTS: Final = 1_000  #: of one rule


class ValidationReader:
    """Takes the elements around the cells. Lists on other sheets stand in an extension, with the same names."""

    def __init__(self) -> None:
        self.found: list[Validation] = []
        self.collecting = False  #: whether text is wanted now
        self._attributes: Attributes | None = None
        self._texts: dict[str, str] = {}
        self._part = ""
        self._pieces: list[str] = []

    def start(self, name: str, attributes: Attributes) -> None:
        """An element's local name, foreign ones with ``~``."""
        name = name.removeprefix("~")
        if name == "dataValidation":
            self._attributes, self._texts = attributes, {}
        elif self._attributes is not None and name in ("formula1", "formula2", "sqref"):
            self._part, self._pieces, self.collecting = name, [], True

    def text(self, data: str) -> None:
        self._pieces.append(data)

    def end(self, name: str) -> None:
        name = name.removeprefix("~")
        if self.collecting and name == self._part:
            self._texts[name] = "".join(self._pieces).strip()
            self.collecting = False
        elif name == "dataValidation" and self._attributes is not None:
            self._finish(self._attributes)
            self._attributes = None

    def _finish(self, attributes: Attributes) -> None:
        kind = attributes.get("type", "none")
        rects = _rects(attributes.get("sqref") or self._texts.get("sqref", ""))
        if kind == "none" or not rects or len(self.found) >= _MOST:
            return
        self.found.append(
            Validation(
                kind=kind,
                operator=attributes.get("operator", "between"),
                first=self._texts.get("formula1", ""),
                second=self._texts.get("formula2", ""),
                blank=is_true(attributes.get("allowBlank")),
                rects=rects,
            )
        )


def _rects(text: str) -> tuple[Rect, ...]:
    found = []
    for word in text.split()[:_RECTS]:
        try:
            found.append(parse_rect(word))
        except ValueError:
            continue
    return tuple(found)
