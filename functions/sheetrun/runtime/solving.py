"""Cells that are computed one by one, each when it is first asked for, and cycles among them.

For formulas whose order is known only at run time. A chain of any length is followed without a deep stack: too many cells
that wait for each other unwind it, and the innermost one is computed first. Cells that need themselves are Excel's
circular references: computed again and again until they stand still, where the workbook asks for that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sheetrun.records import dataclass
from sheetrun.runtime import indexes
from sheetrun.runtime.address import Place, Span
from sheetrun.runtime.cells import NUMBER, PENDING
from sheetrun.runtime.errors import Raised, Stop, Unsupported
from sheetrun.runtime.failures import Circular
from sheetrun.runtime.refs import read
from sheetrun.runtime.values import Scalar, Value, decode

if TYPE_CHECKING:
    from sheetrun.runtime.book import Book
    from sheetrun.runtime.sheet import Sheet
    from sheetrun.runtime.steps import Step

BUSY: Final = -(2**30)  #: tag of a cell that is being computed right now
_DEEPEST: Final = 120  # nested demands before the stack is unwound and the innermost cell computed first


@dataclass(slots=True)
class Iteration:
    """Excel's iterative calculation: ``count`` rounds at most, until no value changes by more than ``delta``."""

    on: bool = False
    count: int = 100
    delta: float = 0.001


@dataclass(slots=True)
class Defined:
    """Cells with one formula. ``how``: one result per cell, one array for all ("array"), or a spill ("spill")."""

    span: Span
    formula: Callable[..., Value]
    how: str = "cells"


class _Deeper(Stop):
    """Too many cells wait for each other: compute this one first."""

    def __init__(self, sheet: int, row: int, col: int) -> None:
        super().__init__()
        self.place = sheet, row, col


class Solver:
    """The cells of a book that have a formula of their own.

    ``views``: the sheets as such formulas see them.
    """

    def __init__(self, book: Book, views: Sequence[Sheet]) -> None:
        self._book = book
        self._views = views
        self._formulas: dict[int, list[Defined]] = {}
        self._depth = 0

    def forget(self) -> None:
        """No cell has a formula any more."""
        self._formulas.clear()

    def define(self, sheet: int, span: Span, formula: Callable[..., Value], how: str = "cells") -> None:
        """Gives the cells of a range a formula that is computed when one of them is asked for."""
        self._formulas.setdefault(sheet, []).append(Defined(span, formula, how))

    def formula_of(self, sheet: int, row: int, col: int) -> Defined | None:
        """What was defined last for a cell."""
        for each in reversed(self._formulas.get(sheet, ())):
            if each.span.contains(row, col):
                return each
        return None

    def compute(self, sheet: int, row: int, col: int, tag: int) -> None:
        """Computes one cell of a solved step (for an array formula, all its cells); ``tag``: what marks it as waiting."""
        if self._depth >= _DEEPEST:
            raise _Deeper(sheet, row, col)
        book, view = self._book, self._views[sheet]
        defined = self.formula_of(sheet, row, col)
        if defined is None:
            reason = Unsupported("not_defined", "no formula was generated for the cell")
            book.keep(view, Span(row, col, row, col), reason)
            return
        span = Span(row, col, row, col) if defined.how == "cells" else book.own(sheet, defined.span)
        if defined.how == "cells" and (sheet, row, col) in book.overrides:
            view.store(row, col, book.overrides[sheet, row, col])  # what the formula reads does not matter, nor a cycle
            return
        book.mark(view, span, BUSY)
        self._depth += 1
        try:
            value = defined.formula(row, col) if defined.how == "cells" else defined.formula()
            if defined.how != "cells":
                value = read(value)
        except (Circular, _Deeper):
            book.mark(view, span, tag)
            raise
        except Raised as stop:
            value = stop.error
        except Exception as error:
            book.keep(view, span, error)
            return
        finally:
            self._depth -= 1
        self.store(view, defined, span, value)

    @staticmethod
    def store(view: Sheet, defined: Defined, span: Span, value: Value) -> None:
        """Stores what a formula gave, as it fills its cells."""
        if defined.how == "spill":
            view.spill(tuple(defined.span), value)
        elif defined.how == "array":
            view.store_array(span, value)
        else:
            view.store(span.top, span.left, value)

    def solve(self, each: Step) -> None:
        """Computes all cells of a solved step, whatever order they need."""
        cyclic: list[Place] = []
        for name, span in each.targets:
            sheet = self._book[name].index
            for row in range(span.top, span.bottom + 1):
                for col in range(span.left, span.right + 1):
                    if not self._compute_deep(sheet, row, col):
                        cyclic.append((sheet, row, col))
        if cyclic:
            self._iterate(cyclic)

    def _compute_deep(self, sheet: int, row: int, col: int) -> bool:
        """Computes a cell however long the chain behind it is; False when it needs itself."""
        book = self._book
        stack = [(sheet, row, col)]
        waiting = set(stack)
        while stack:
            where = stack[-1]
            place = self._views[where[0]]._place(where[1], where[2])
            tag = place[0].tag.item(place[1], place[2]) if place else NUMBER
            if tag >= 0:
                waiting.discard(stack.pop())
                continue
            try:
                self._depth = 0
                if book.steps[PENDING - tag].solved:
                    self.compute(*where, tag)
                else:
                    book.demand(*where, tag)
            except _Deeper as deeper:
                if deeper.place in waiting:
                    return False
                stack.append(deeper.place)
                waiting.add(deeper.place)
            except Circular:
                return False
        return True

    def _iterate(self, cells: list[Place]) -> None:
        """Cells in a cycle: Excel's iterative calculation; when that is off Excel computes none, and they stay."""
        book = self._book
        book.circular.extend(cells)
        work: list[tuple[Sheet, Defined, Span]] = []
        for sheet, row, col in cells:
            view = self._views[sheet]
            defined = self.formula_of(sheet, row, col)
            if not book.iteration.on:
                book.keep(view, Span(row, col, row, col), Circular())
                continue
            view.store(row, col, self._cached(sheet, row, col))
            if defined is not None and (defined.how == "cells" or (row, col) == defined.span[:2]):
                work.append((view, defined, Span(row, col, row, col) if defined.how == "cells" else defined.span))
        for done in range(max(1, book.iteration.count)):
            change = max((self._once_more(*each) for each in work), default=0.0)
            if change < book.iteration.delta:
                if not done and not book.overrides:  # at rest already: Excel stopped here too, and nothing has changed
                    for sheet, row, col in cells:
                        stored = self._cached(sheet, row, col)
                        if isinstance(stored, float):
                            self._views[sheet].store(row, col, stored)
                break

    def _once_more(self, view: Sheet, defined: Defined, span: Span) -> float:
        """Computes a cell of a cycle once more; by how much it changed."""
        before = view.cell(span.top, span.left)
        indexes.forget()  # ranges that were looked through may hold cells of the cycle
        try:
            value = defined.formula(span.top, span.left) if defined.how == "cells" else defined.formula()
        except Raised as stop:
            value = stop.error
        except Exception as error:
            self._book.keep(view, span, error)
            return 0.0
        self.store(view, defined, span, value)
        return _distance(before, view.cell(span.top, span.left))

    def _cached(self, sheet: int, row: int, col: int) -> Scalar:
        cached = self._book.cached
        for area in cached[sheet] if cached else ():
            r, c = row - area.top, col - area.left
            rows, columns = area.num.shape
            if 0 <= r < rows and 0 <= c < columns:
                return decode(area.num.item(r, c), area.tag.item(r, c))
        return 0.0


def _distance(a: Scalar, b: Scalar) -> float:
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b)
    return 0.0 if a == b else math.inf
