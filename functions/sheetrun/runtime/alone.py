"""Each formula on its own: computed from the values that Excel stored for what it reads, not from ours.

After a run that differs from Excel this tells causes from followers: a cell whose formula gives another result even
from Excel's own inputs is where the difference begins; one that agrees only passes it on. Nothing that is computed
here is read again: results go to a second book.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from sheetrun.runtime import indexes
from sheetrun.runtime.address import Key, Span, read_span, span_of
from sheetrun.runtime.book import Book
from sheetrun.runtime.errors import Raised, Unsupported
from sheetrun.runtime.failures import Failure, describe
from sheetrun.runtime.guard import part_of, run_guarded
from sheetrun.runtime.refs import read
from sheetrun.runtime.sheet import Area, Sheet
from sheetrun.runtime.steps import Step
from sheetrun.runtime.tracks import Track, track_of
from sheetrun.runtime.values import Value


class _Reading(Sheet):
    """A sheet that is read as stored; what is written to it goes to its twin in the other book."""

    __slots__ = ("twin",)

    def __init__(self, book: Book, twin: Sheet, areas: list[Area], *, live: bool = False) -> None:
        super().__init__(book, twin.index, twin.name, areas, live=live)
        self.twin = twin

    def store(self, row: int, col: int, value: Value) -> None:
        self.twin.store(row, col, value)

    def store_array(self, span: Span, value: Value) -> None:
        self.twin.store_array(span, value)

    def _track(self, span: Span, *, numbers: bool, across: bool) -> Track:
        return track_of(self, span, self.rectangle(span), numbers=numbers, across=across, twin=True)

    def spill(self, key: Key, value: Value) -> None:
        self.twin.spill(key, value)

    def data_table(self, key: Key, *, row: str | None, column: str | None, through: Sequence[str]) -> None:
        reason = Unsupported("not_alone", "a data table is computed through other cells")
        self.book.keep(self, span_of(key)[0], reason)


class AloneBook(Book):
    """``run`` computes every cell from stored values; ``results`` then holds the sheets with what came out."""

    kind: ClassVar[type[Book]] = Book  #: of the results

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.results = self.kind(**options)
        self.wanted: Sequence[tuple[int, Span]] = ()  #: (sheet, range) of what is to be computed; none: all

    def new_views(self, index: int, name: str, areas: list[Area]) -> tuple[Sheet, Sheet]:
        twin = self.results.add_sheet(name, [Area(a.top, a.left, a.num.copy(), a.tag.copy()) for a in areas])
        return _Reading(self, twin, areas), _Reading(self, twin, areas, live=True)

    def keep(self, sheet: Sheet, span: Span, error: Exception) -> None:
        """Records why a range was not computed; its twin has the stored values already."""
        self.failures.append(Failure(sheet.name, span, *describe(error)))

    def run(self, steps: Sequence[Step], progress: Callable[[int, int, str], None] | None = None) -> None:
        """Computes all steps (or what is ``wanted`` of them), in any order: none reads what another one wrote."""
        self.results.spills = dict(self.spills)
        self.results.formats = self.formats
        with np.errstate(all="ignore"), indexes.kept():
            for done, each in enumerate(steps, 1):
                if not any(self._wants(name, span) for name, span in each.targets):
                    continue
                self.solver.forget()
                self._run_part(each)
                if each.solved:
                    self._each_cell(each)
                if progress is not None:
                    progress(done, len(steps), each.name)
        self.results.failures = self.failures

    def _run_part(self, each: Step) -> None:
        if each.solved or not self.wanted:
            run_guarded(self, each)
            return
        try:
            part = part_of(each.function, lambda sheet, address: self._wants(sheet, read_span(address)[0]))
        except (OSError, SyntaxError):
            run_guarded(self, each)
            return
        part(self)

    def _wants(self, sheet: str, span: Span) -> bool:
        index = self[sheet].index
        return not self.wanted or any(index == other and span.overlaps(place) for other, place in self.wanted)

    def _each_cell(self, each: Step) -> None:
        for name, span in each.targets:
            if not self._wants(name, span):
                continue
            view = self._live[self[name].index]
            for row in range(span.top, span.bottom + 1):
                for col in range(span.left, span.right + 1):
                    self._cell(view, row, col)

    def _cell(self, view: Sheet, row: int, col: int) -> None:
        defined = self.solver.formula_of(view.index, row, col)
        if defined is None or (defined.how != "cells" and (row, col) != tuple(defined.span[:2])):
            return
        span = Span(row, col, row, col) if defined.how == "cells" else defined.span
        try:
            value = defined.formula(row, col) if defined.how == "cells" else defined.formula()
            if defined.how != "cells":
                value = read(value)
        except Raised as stop:
            value = stop.error
        except Exception as error:
            self.keep(view, span, error)
            return
        self.solver.store(view, defined, span, value)
