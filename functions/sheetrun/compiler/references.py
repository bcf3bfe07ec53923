"""A reference as Python: cells of a sheet, of a list of the loop, or of several sheets; the cell of the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sheetrun.compiler.brackets import ACCESSORS, Brackets
from sheetrun.compiler.constants import error_text
from sheetrun.compiler.intersection import here, narrowed
from sheetrun.compiler.layout import Layout, NotWhole
from sheetrun.compiler.literal import literal
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.scriptnames import Names
from sheetrun.compiler.tracks import Tracks
from sheetrun.compiler.windows import growing, window

_QUOTES: Final = ('"', "'")


class References:
    """Writes the references of one formula in one layout.

    ``sheet``: index of the host's. ``alias(sheet)`` is what a sheet is called in the code, ``title(sheet)`` in the file.
    """

    def __init__(
        self,
        layout: Layout,
        sheet: int,
        names: Names,
        alias: Callable[[int], str],
        title: Callable[[int], str],
        varies: Callable[[Range], bool],
        tracks: Tracks | None,
    ) -> None:
        self.layout = layout
        self.names = names
        self._sheet = sheet
        self._alias = alias
        self._title = title
        self._tracks = tracks
        self._brackets = Brackets(layout, varies)

    def text(self, node: Range, want: str, *, arrays: bool) -> str:
        """``want``: number, value, arr or ref. ``arrays``: array mode, in which a range stays an array."""
        if node.last_sheet is not None:
            return self._three_d(node, node.last_sheet, want)
        if want in ("number", "value") and not node.single and not arrays:
            try:
                one = narrowed(node, self.layout)
            except NotWhole:
                if self.layout.whole:
                    raise
                text = self.single(self._of_sheet(node, "ref"))  # only the run can tell, cell by cell
                return self.names.call("num", text) if want == "number" else text
            if one is None:
                return error_text("#VALUE!", self.names)
            node = one
        return self._of_sheet(node, want)

    def host(self) -> str:
        """The cell that holds the formula, as a Ref."""
        if self.layout.whole:
            raise NotWhole
        if self.layout.blanks is not None:
            return f"{self._alias(self._sheet)}.ref[{self.layout.blanks[None]}]"
        return self._of_sheet(here(self._sheet), "ref")

    def settled(self, text: str, *, arrays: bool) -> str:
        """A reference made at run time as a value."""
        if arrays or self.layout.whole:
            return self.names.call("spread", text)
        return self.single(text)

    def single(self, text: str) -> str:
        """What the host means by a reference made at run time, which is one cell of it."""
        if self.layout.whole:
            raise NotWhole
        return self.names.call("single", text, self.host())

    def window(self, node: Range) -> str:
        """The cells of each cell's own window, for all cells of the block. Raises NotWhole."""
        text = window(node, self.layout)
        return f"{self._alias(node.sheet)}.{text}"

    def growing(self, node: Range) -> str | None:
        """A range that grows from cell to cell of the block; None for another."""
        text = growing(node, self.layout)
        return None if text is None else f"{self._alias(node.sheet)}.{text}"

    def same(self, node: Range) -> bool:
        """Whether a reference means the same for every cell of the block."""
        return self._brackets.same(node)

    def _of_sheet(self, node: Range, want: str) -> str:
        if self._tracks is not None:
            tracked = self._tracks.cell(node, want, self.layout.rect)
            if tracked is not None:
                return tracked
        sheet = self._alias(node.sheet)
        return f"{sheet}{ACCESSORS[want]}[{self._brackets.key(node, want)}]"

    def _three_d(self, node: Range, last_sheet: int, want: str) -> str:
        if self._tracks is not None:
            self._tracks.check_from(node.sheet)
        first, last = self._title(node.sheet), self._title(last_sheet)
        key = self._brackets.key(node, "ref")
        text = f"book.span({literal(first)}, {literal(last)}, {key if key.startswith(_QUOTES) else f'({key})'})"
        return self.names.call("num", text) if want == "number" else text
