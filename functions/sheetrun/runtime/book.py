"""A workbook at run time: its sheets, clock and settings, and the order in which formulas are computed.

A script registers *steps* (``@step``, ``@solve``); ``run`` computes them in order. A step that reads, through OFFSET or
INDIRECT, a cell whose step has not run yet makes that step run first. ``@solve`` steps define their cells one by one;
each is computed when it is first asked for, so formulas whose order is known only at run time, and cycles, end here.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime import indexes, pool
from sheetrun.runtime.address import Key, Span, span_of
from sheetrun.runtime.addresslists import read_spans
from sheetrun.runtime.cells import EMPTY, NUMBER, PENDING, TEXT
from sheetrun.runtime.coerce import number_in_text
from sheetrun.runtime.errors import Raised, Stop, Unsupported
from sheetrun.runtime.guard import run_guarded
from sheetrun.runtime.marking import mark_single
from sheetrun.runtime.pivots import Pivot
from sheetrun.runtime.refs import Ref, Refs, read
from sheetrun.runtime.sheet import Area, Sheet
from sheetrun.runtime.values import Scalar, Value, encode

if TYPE_CHECKING:
    import random

_BUSY: Final = -(2**30)  # tag of a cell that is being computed right now
_MOST_PASSES: Final = 3  #: over all steps again, where dynamic arrays get another size
_DEEPEST: Final = 120  # nested demands before the stack is unwound and the innermost cell computed first


@dataclass(frozen=True, slots=True)
class Step:
    """One function of the script and the ranges that it computes."""

    function: Callable[[Any], None]
    targets: tuple[tuple[str, Span], ...]  #: (sheet name, rectangle)
    needs: tuple[str, ...] = ()  #: names of functions whose results it reads
    solved: bool = False

    @property
    def name(self) -> str:
        return self.function.__name__


def step(*targets: str, needs: Sequence[str] = ()) -> Callable[[Callable[[Any], None]], Step]:
    """Marks a function that computes the given ranges (``"Sheet!A1:B2 C7"``) in one go."""
    return lambda function: Step(function, tuple(_targets(targets)), tuple(needs))


def solve(*targets: str, needs: Sequence[str] = ()) -> Callable[[Callable[[Any], None]], Step]:
    """Marks a function that defines the cells of the given ranges, each to be computed when it is asked for."""
    return lambda function: Step(function, tuple(_targets(targets)), tuple(needs), solved=True)


def _targets(texts: Iterable[str]) -> Iterator[tuple[str, Span]]:
    for text in texts:
        sheet, _, addresses = text.rpartition("!")
        if sheet.startswith("'"):
            sheet = sheet[1:-1].replace("''", "'")
        for span in read_spans(addresses):
            yield sheet, span


class _Deeper(Stop):
    """Too many cells wait for each other: compute this one first."""

    def __init__(self, sheet: int, row: int, col: int) -> None:
        super().__init__()
        self.place = sheet, row, col


class Circular(Stop):
    """A cell needs itself."""


@dataclass(slots=True)
class Iteration:
    """Excel's iterative calculation: ``count`` rounds at most, until no value changes by more than ``delta``."""

    on: bool = False
    count: int = 100
    delta: float = 0.001


@dataclass(slots=True)
class Failure:
    """Cells that could not be computed and keep Excel's cached value."""

    sheet: str
    span: Span
    code: str
    detail: str


@dataclass(slots=True)
class Named:
    """A defined name or table as INDIRECT sees it: the reference it stands for."""

    sheet: int
    span: Span


@dataclass(slots=True)
class _Defined:
    """Cells with one formula. ``how``: one result per cell, one array for all ("array"), or a spill ("spill")."""

    span: Span
    formula: Callable[..., Value]
    how: str = "cells"


@dataclass(slots=True)
class Tables:
    """A table's place and columns, for structured references inside INDIRECT."""

    sheet: int
    span: Span
    columns: tuple[str, ...]
    header_rows: int
    totals_rows: int


@dataclass(slots=True)
class _Progress:
    done: int = 0
    report: Callable[[int, int, str], None] | None = None


class Book:
    """All sheets of a workbook while it is computed."""

    def __init__(self, *, date1904: bool = False, now: datetime.datetime | None = None, seed: int = 0) -> None:
        self.sheets: list[Sheet] = []
        self.date1904 = date1904
        self.now = now or datetime.datetime(2026, 1, 1)
        self.iteration = Iteration()
        self.names: dict[str, Named] = {}
        self.tables: dict[str, Tables] = {}
        self.formulas: dict[
            tuple[int, int, int], str
        ] = {}  #: (sheet, row, col) -> text with "=", where it is asked for
        #: per sheet, number formats and where they are, where they are asked for
        self.formats: dict[int, list[tuple[str, Sequence[Span]]]] = {}
        self.spills: dict[tuple[int, int, int], Span] = {}
        self._extents: dict[tuple[int, int, int], tuple[Span, Span]] = {}
        self._resized = False
        self.arrays: dict[
            tuple[int, int, int], Span
        ] = {}  #: of array formulas by their first cell, where it is asked for
        self.pivots: Sequence[Pivot] = ()
        self.failures: list[Failure] = []
        self.circular: list[tuple[int, int, int]] = []
        self.cached: list[list[Area]] = []  #: per sheet, what Excel stored, for cells that cannot be computed
        self.path = ""
        self.overrides: dict[tuple[int, int, int], Scalar] = {}  #: cells set by the caller, formula or not
        self._live: list[Sheet] = []
        self._by_name: dict[str, Sheet] = {}
        self._seed = seed
        self._random: random.Random | None = None  # imported for the first RAND alone
        self._steps: list[Step] = []
        self._state: list[str] = []  # waiting, running, done
        self._defined: dict[int, list[_Defined]] = {}
        self._depth = 0
        self._iterating = False
        self._progress = _Progress()

    # -- sheets --------------------------------------------------------------------------------------------------

    def add_sheet(self, name: str, areas: list[Area]) -> Sheet:
        """Adds a sheet; its texts get their numeric reading here."""
        read_as = pool.read_as(number_in_text)
        for area in areas:
            texts = area.tag >= TEXT
            if texts.any():
                area.num[texts] = read_as[area.tag[texts] - TEXT]
        sheet, live = self.new_views(len(self.sheets), name, areas)
        self.sheets.append(sheet)
        self._live.append(live)
        self._by_name[pool.fold(name)] = sheet
        return sheet

    def new_views(self, index: int, name: str, areas: list[Area]) -> tuple[Sheet, Sheet]:
        """A sheet as steps see it, and as formulas see it that are computed on demand."""
        return Sheet(self, index, name, areas), Sheet(self, index, name, areas, live=True)

    def __getitem__(self, name: str) -> Sheet:
        return self._by_name[pool.fold(name)]

    def sheet(self, name: str) -> Sheet | None:
        return self._by_name.get(pool.fold(name))

    def live(self, sheet: int | str) -> Sheet:
        """The sheet as seen by formulas that are computed on demand."""
        return self._live[self[sheet].index if isinstance(sheet, str) else sheet]

    def views(self, index: int) -> tuple[Sheet, Sheet]:
        return self.sheets[index], self._live[index]

    def span(self, first: str, last: str, key: Key) -> Refs:
        """A 3-D reference: the same range of all sheets from ``first`` to ``last``."""
        a, b = sorted((self[first].index, self[last].index))
        area = span_of(key)[0]
        return Refs(tuple(Ref(s, area) for s in self.sheets[a : b + 1]))

    def format_at(self, sheet: int, row: int, col: int) -> str:
        """The number format of a cell."""
        here = Span(row, col, row, col)
        for code, rects in self.formats.get(sheet, ()):
            if any(rect.holds(here) for rect in rects):
                return code
        return "General"

    def random(self) -> float:
        """The next number of RAND: in [0, 1), from the seed of this run."""
        if self._random is None:
            import random

            self._random = random.Random(self._seed)
        return self._random.random()

    def override(self, sheet: int, row: int, col: int, value: Scalar) -> None:
        """Sets a cell, now and whenever its formula would store a result."""
        self.overrides[sheet, row, col] = value
        self._put(self.sheets[sheet], row, col, value)

    def impose(self, sheet: Sheet, span: Span, *, beside: Span | None = None) -> None:
        """Puts the caller's values back into a range, but for the cells that are in another one too."""
        if span.top == span.bottom and span.left == span.right and beside is None:
            key = (sheet.index, span.top, span.left)
            if key in self.overrides:
                self._put(sheet, span.top, span.left, self.overrides[key])
            return
        for (index, row, col), value in self.overrides.items():
            if index == sheet.index and span.has(row, col) and (beside is None or not beside.has(row, col)):
                self._put(sheet, row, col, value)

    def sets_within(self, sheet: Sheet, span: Span) -> bool:
        """Whether the caller set a cell of a range, its first one aside. To empty it is nothing in an array's way."""
        return any(
            index == sheet.index and value is not None and span.has(row, col) and (row, col) != (span.top, span.left)
            for (index, row, col), value in self.overrides.items()
        )

    @staticmethod
    def _put(sheet: Sheet, row: int, col: int, value: Scalar) -> None:
        area, r, c = sheet._place(row, col) or sheet._grow(Span(row, col, row, col))
        area.num[r, c], area.tag[r, c] = encode(value)

    # -- computing -----------------------------------------------------------------------------------------------

    def run(self, steps: Sequence[Step], progress: Callable[[int, int, str], None] | None = None) -> None:
        """Computes all steps in order. Failures of single blocks are recorded, never raised."""
        self._steps = list(steps)
        self._progress = _Progress(0, progress)
        self._run_all()
        for _ in range(_MOST_PASSES):
            if not self._resized:
                break
            # A dynamic array fills other cells than those it had in the file: formulas before it may have read them.
            self._resized = False
            self.failures.clear()
            self.circular.clear()
            self._progress = _Progress()
            self._run_all()
        self._sweep()

    def _run_all(self) -> None:
        self._state = ["waiting"] * len(self._steps)
        for k, each in enumerate(self._steps):
            for name, targets in groupby(each.targets, itemgetter(0)):
                sheet = self[name]
                for span in mark_single(sheet, [span for _, span in targets], PENDING - k):
                    now = self.extent((sheet.index, span.top, span.left), span)
                    # Cells beyond those of the file are not marked: formulas before the array read what it was just now.
                    bottom, right = min(span.bottom, now.bottom), min(span.right, now.right)
                    self._mark(sheet, Span(*span[:2], bottom, right), PENDING - k)
        indexes.forget()
        with np.errstate(all="ignore"), indexes.kept():
            for k in range(len(self._steps)):
                self._run_step(k)

    def resized(self, place: tuple[int, int, int], stored: Span, span: Span) -> None:
        """Notes where a dynamic array lies now, that lay in ``stored`` when the workbook was saved."""
        old = self.extent(place, stored)
        if not old.holds(span) or (place in self._extents and span != old):
            self._resized = True
        self._extents[place] = stored, span

    def extent(self, place: tuple[int, int, int], stored: Span) -> Span:
        """Where a dynamic array lay when it was computed last, else where the file has it."""
        known = self._extents.get(place)
        return known[1] if known is not None and known[0] == stored else stored

    def _own(self, sheet: int, stored: Span) -> Span:
        """The cells that a block is about to compute: of a dynamic array no more than it had, here and in the file.

        Cells that it came to fill later are not marked: formulas before it read what they are just now.
        """
        now = self.extent((sheet, stored.top, stored.left), stored)
        return Span(stored.top, stored.left, min(stored.bottom, now.bottom), min(stored.right, now.right))

    def _sweep(self) -> None:
        """Nothing may leave a run half computed: a cell that no step has stored keeps its cached value, and says so."""
        for sheet in self.sheets:
            for area in sheet.areas:
                for r, c in np.argwhere(area.tag < 0).tolist():
                    row, col = area.top + r, area.left + c
                    self.keep(sheet, Span(row, col, row, col), Unsupported("not_computed", "no step computed the cell"))

    def _mark(self, sheet: Sheet, span: Span, tag: int) -> None:
        place = sheet._place(span.top, span.left)
        if place is not None and span[:2] == span[2:]:
            place[0].tag[place[1], place[2]] = tag
            return
        if place is None or span.bottom > place[0].span.bottom or span.right > place[0].span.right:
            place = sheet._grow(span)
        area, r, c = place
        rows, columns = span.shape
        area.tag[r : r + rows, c : c + columns] = tag

    def _run_step(self, k: int) -> None:
        each = self._steps[k]
        if self._state[k] == "done":
            return
        if each.solved:
            if self._state[k] == "waiting":  # else some of its cells were asked for before its turn
                self._state[k] = "defined"
                self._define(each)
            self._solve(each)
        elif self._state[k] == "running":
            return
        else:
            self._state[k] = "running"
            run_guarded(self, each)
        self._state[k] = "done"
        self._progress.done += 1
        if self._progress.report is not None:
            self._progress.report(self._progress.done, len(self._steps), each.name)

    def again(self, names: Sequence[str]) -> None:
        """Computes some steps once more, in their order, from what their cells read now."""
        for k, each in enumerate(self._steps):
            if each.name not in names:
                continue
            indexes.forget()  # what was looked up before may have changed
            for name, span in each.targets:
                self._mark(self[name], self._own(self[name].index, span), PENDING - k)
            self._state[k] = "defined" if each.solved else "running"
            if each.solved:
                self._solve(each)
            else:
                run_guarded(self, each)
            self._state[k] = "done"

    def _define(self, each: Step) -> None:
        run_guarded(self, each)

    def define(self, sheet: int, span: Span, formula: Callable[..., Value], how: str = "cells") -> None:
        """Gives the cells of a range a formula that is computed when one of them is asked for."""
        self._defined.setdefault(sheet, []).append(_Defined(span, formula, how))

    def demand(self, sheet: int, row: int, col: int, tag: int) -> None:
        """Computes a cell that is not computed yet: its step, or the cell alone when its step is solved by cells."""
        if tag == _BUSY:
            raise Circular
        k = PENDING - tag
        each = self._steps[k]
        if not each.solved:
            if self._state[k] == "running":
                raise Circular
            self._run_needs(k)
            self._run_step(k)
            return
        if self._state[k] == "waiting":
            self._run_needs(k)
            self._state[k] = "defined"
            self._define(each)
        if self._depth >= _DEEPEST:
            raise _Deeper(sheet, row, col)
        self._compute(sheet, row, col, tag)

    def _run_needs(self, k: int) -> None:
        """Runs what a step reads, out of turn."""
        places = {s.name: i for i, s in enumerate(self._steps)}
        order: list[int] = []
        seen: set[int] = set()
        stack = [(k, False)]
        while stack:
            i, closed = stack.pop()
            if closed:
                order.append(i)
            elif i not in seen:
                seen.add(i)
                stack.append((i, True))
                stack.extend((places[n], False) for n in self._steps[i].needs if n in places)
        if any(self._state[i] == "running" for i in order):
            raise Circular
        for i in order[:-1]:
            if not self._steps[i].solved:
                self._run_step(i)

    def _formula(self, sheet: int, row: int, col: int) -> _Defined | None:
        for each in reversed(self._defined.get(sheet, ())):
            top, left, bottom, right = each.span
            if top <= row <= bottom and left <= col <= right:
                return each
        return None

    def _compute(self, sheet: int, row: int, col: int, tag: int) -> None:
        """Computes one cell of a solved step (for an array formula, all its cells)."""
        view = self._live[sheet]
        defined = self._formula(sheet, row, col)
        if defined is None:
            reason = Unsupported("not_defined", "no formula was generated for the cell")
            self.keep(view, Span(row, col, row, col), reason)
            return
        span = Span(row, col, row, col) if defined.how == "cells" else self._own(sheet, defined.span)
        if defined.how == "cells" and (sheet, row, col) in self.overrides:
            view.store(row, col, self.overrides[sheet, row, col])  # what the formula reads does not matter, nor a cycle
            return
        self._mark(view, span, _BUSY)
        self._depth += 1
        try:
            value = defined.formula(row, col) if defined.how == "cells" else defined.formula()
            if defined.how != "cells":
                value = read(value)
        except (Circular, _Deeper):
            self._mark(view, span, tag)
            raise
        except Raised as stop:
            value = stop.error
        except Exception as error:
            self.keep(view, span, error)
            return
        finally:
            self._depth -= 1
        self._store(view, defined, span, value)

    @staticmethod
    def _store(view: Sheet, defined: _Defined, span: Span, value: Value) -> None:
        if defined.how == "spill":
            view.spill(tuple(defined.span), value)
        elif defined.how == "array":
            view.store_array(span, value)
        else:
            view.store(span.top, span.left, value)

    def _solve(self, each: Step) -> None:
        """Computes all cells of a solved step, whatever order they need."""
        cyclic: list[tuple[int, int, int]] = []
        for name, span in each.targets:
            sheet = self[name].index
            for row in range(span.top, span.bottom + 1):
                for col in range(span.left, span.right + 1):
                    if not self._compute_deep(sheet, row, col):
                        cyclic.append((sheet, row, col))
        if cyclic:
            self._iterate(cyclic)

    def _compute_deep(self, sheet: int, row: int, col: int) -> bool:
        """Computes a cell however long the chain behind it is; False when it needs itself."""
        stack = [(sheet, row, col)]
        waiting = set(stack)
        while stack:
            where = stack[-1]
            place = self._live[where[0]]._place(where[1], where[2])
            tag = place[0].tag.item(place[1], place[2]) if place else NUMBER
            if tag >= 0:
                waiting.discard(stack.pop())
                continue
            try:
                self._depth = 0
                if self._steps[PENDING - tag].solved:
                    self._compute(*where, tag)
                else:
                    self.demand(*where, tag)
            except _Deeper as deeper:
                if deeper.place in waiting:
                    return False
                stack.append(deeper.place)
                waiting.add(deeper.place)
            except Circular:
                return False
        return True

    def _iterate(self, cells: list[tuple[int, int, int]]) -> None:
        """Cells in a cycle: Excel's iterative calculation; when that is off Excel computes none, and they stay."""
        self.circular.extend(cells)
        work: list[tuple[Sheet, _Defined, Span]] = []
        for sheet, row, col in cells:
            view = self._live[sheet]
            defined = self._formula(sheet, row, col)
            if not self.iteration.on:
                self.keep(view, Span(row, col, row, col), Circular())
                continue
            view.store(row, col, self._cached(sheet, row, col))
            if defined is not None and (defined.how == "cells" or (row, col) == defined.span[:2]):
                work.append((view, defined, Span(row, col, row, col) if defined.how == "cells" else defined.span))
        for done in range(max(1, self.iteration.count)):
            change = max((self._again(*each) for each in work), default=0.0)
            if change < self.iteration.delta:
                if not done and not self.overrides:  # at rest already: Excel stopped here too, and nothing has changed
                    for sheet, row, col in cells:
                        stored = self._cached(sheet, row, col)
                        if isinstance(stored, float):
                            self._live[sheet].store(row, col, stored)
                break

    def _again(self, view: Sheet, defined: _Defined, span: Span) -> float:
        """Computes a cell of a cycle once more; by how much it changed."""
        before = view.cell(span.top, span.left)
        indexes.forget()  # ranges that were looked through may hold cells of the cycle
        try:
            value = defined.formula(span.top, span.left) if defined.how == "cells" else defined.formula()
        except Raised as stop:
            value = stop.error
        except Exception as error:
            self.keep(view, span, error)
            return 0.0
        self._store(view, defined, span, value)
        return _distance(before, view.cell(span.top, span.left))

    def _cached(self, sheet: int, row: int, col: int) -> Scalar:
        from sheetrun.runtime.values import decode

        for area in self.cached[sheet] if self.cached else ():
            r, c = row - area.top, col - area.left
            rows, columns = area.num.shape
            if 0 <= r < rows and 0 <= c < columns:
                return decode(area.num.item(r, c), area.tag.item(r, c))
        return 0.0

    # -- failures ------------------------------------------------------------------------------------------------

    def keep(self, sheet: Sheet, span: Span, error: Exception) -> None:
        """The cells of a range cannot be computed: they get Excel's cached values, and the reason is recorded."""
        code, detail = describe(error)
        self.failures.append(Failure(sheet.name, span, code, detail))
        place = sheet._place(span.top, span.left) or sheet._grow(span)
        target = place[0]
        rows, columns = span.shape
        num = target.num[place[1] : place[1] + rows, place[2] : place[2] + columns]
        tag = target.tag[place[1] : place[1] + rows, place[2] : place[2] + columns]
        num[...] = 0.0
        tag[...] = EMPTY
        for area in self.cached[sheet.index] if self.cached else ():
            other = area.span
            top, left = max(span.top, other.top), max(span.left, other.left)
            bottom, right = min(span.bottom, other.bottom), min(span.right, other.right)
            if top <= bottom and left <= right:
                here = (slice(top - span.top, bottom - span.top + 1), slice(left - span.left, right - span.left + 1))
                there = (slice(top - area.top, bottom - area.top + 1), slice(left - area.left, right - area.left + 1))
                num[here], tag[here] = area.num[there], area.tag[there]
        if self.overrides:
            self.impose(sheet, span)


def describe(error: Exception) -> tuple[str, str]:
    """(code, detail) of why a cell could not be computed."""
    if isinstance(error, Unsupported):
        return error.code, error.detail
    if isinstance(error, Circular):
        return "circular_reference", "the formula needs its own result and iterative calculation is off"
    if isinstance(error, MemoryError):
        return "out_of_memory", "the formula's result does not fit into memory"
    return "internal_error", f"{type(error).__name__}: {error}"


def _distance(a: Scalar, b: Scalar) -> float:
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b)
    return 0.0 if a == b else math.inf
