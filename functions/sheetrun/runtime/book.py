"""A workbook at run time: its sheets, clock and settings, and the order in which the steps of a script are computed.

``run`` computes them in order. A step that reads, through OFFSET or INDIRECT, a cell whose step has not run yet makes that
step run first. Where the order is known only inside of a step, and in cycles, cells are computed one by one (``solving``).
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime import indexes, pool
from sheetrun.runtime.address import Key, Place, Span, span_of
from sheetrun.runtime.cells import EMPTY, PENDING, TEXT
from sheetrun.runtime.coerce import number_in_text
from sheetrun.runtime.errors import Unsupported
from sheetrun.runtime.failures import Circular, Failure, describe
from sheetrun.runtime.guard import run_guarded
from sheetrun.runtime.marking import mark_single
from sheetrun.runtime.names import Named, Tables
from sheetrun.runtime.pivots import Pivot
from sheetrun.runtime.refs import Ref, Refs
from sheetrun.runtime.sheet import Area, Sheet
from sheetrun.runtime.solving import BUSY, Iteration, Solver
from sheetrun.runtime.steps import Step
from sheetrun.runtime.values import Scalar, encode

if TYPE_CHECKING:
    import random

_MOST_SIZES: Final = 4  #: that a dynamic array may take in one run, before it is #SPILL!


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
        self.formulas: dict[Place, str] = {}  #: the text of each, with "=", where it is asked for
        #: per sheet, number formats and where they are, where they are asked for
        self.formats: dict[int, list[tuple[str, Sequence[Span]]]] = {}
        self.spills: dict[Place, Span] = {}  #: where each dynamic array lies, by its first cell
        self.arrays: dict[Place, Span] = {}  #: of array formulas by their first cell, where it is asked for
        self.pivots: Sequence[Pivot] = ()
        self.failures: list[Failure] = []
        self.circular: list[Place] = []
        self.cached: list[list[Area]] = []  #: per sheet, what Excel stored, for cells that cannot be computed
        self.path = ""
        self.overrides: dict[Place, Scalar] = {}  #: cells set by the caller, formula or not
        self.steps: list[Step] = []  #: of the script that runs
        self._live: list[Sheet] = []
        self.solver = Solver(self, self._live)
        self._by_name: dict[str, Sheet] = {}
        #: where each dynamic array lay in the file, and when it was computed last
        self._extents: dict[Place, tuple[Span, Span]] = {}
        self._resized = False
        self._sizes: Counter[Place] = Counter()  #: how often a dynamic array took another size in this run
        self._seed = seed
        self._random: random.Random | None = None  # imported for the first RAND alone
        self._state: list[str] = []  # waiting, running (or defined, where it is solved), done
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
            if index == sheet.index and span.contains(row, col) and (beside is None or not beside.contains(row, col)):
                self._put(sheet, row, col, value)

    def sets_within(self, sheet: Sheet, span: Span) -> bool:
        """Whether the caller set a cell of a range, its first one aside. To empty it is nothing in an array's way."""
        return any(
            index == sheet.index
            and value is not None
            and span.contains(row, col)
            and (row, col) != (span.top, span.left)
            for (index, row, col), value in self.overrides.items()
        )

    @staticmethod
    def _put(sheet: Sheet, row: int, col: int, value: Scalar) -> None:
        area, r, c = sheet._place(row, col) or sheet._grow(Span(row, col, row, col))
        area.num[r, c], area.tag[r, c] = encode(value)

    # -- computing -----------------------------------------------------------------------------------------------

    def run(self, steps: Sequence[Step], progress: Callable[[int, int, str], None] | None = None) -> None:
        """Computes all steps in order. Failures of single blocks are recorded, never raised."""
        self.steps = list(steps)
        self._progress = _Progress(0, progress)
        self._sizes.clear()
        self._run_all()
        while self._resized:
            # A dynamic array fills other cells than those it had in the file: formulas before it may have read them.
            self._resized = False
            self.failures.clear()
            self.circular.clear()
            self._progress = _Progress()
            self._run_all()
        self._sweep()

    def _run_all(self) -> None:
        self._state = ["waiting"] * len(self.steps)
        for k, each in enumerate(self.steps):
            for name, ranges in each.ranges:
                sheet = self[name]
                for span in mark_single(sheet, ranges, PENDING - k):
                    self.mark(sheet, self.own(sheet.index, span), PENDING - k)
        indexes.forget()
        with np.errstate(all="ignore"), indexes.kept():
            for k in range(len(self.steps)):
                self._run_step(k)

    def resized(self, place: Place, stored: Span, span: Span) -> None:
        """Notes where a dynamic array lies now, that lay in ``stored`` when the workbook was saved."""
        old = self.extent(place, stored)
        if not old.holds(span) or (place in self._extents and span != old):
            self._resized = True
            self._sizes[place] += 1
        self._extents[place] = stored, span

    def restless(self, place: Place) -> bool:
        """Whether a dynamic array took so many sizes in this run that none will stay: a reason for #SPILL! (Microsoft,
        "#SPILL! error - Indeterminate size")."""
        return self._sizes[place] > _MOST_SIZES

    def extent(self, place: Place, stored: Span) -> Span:
        """Where a dynamic array lay when it was computed last, else where the file has it."""
        known = self._extents.get(place)
        return known[1] if known is not None and known[0] == stored else stored

    def own(self, sheet: int, stored: Span) -> Span:
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

    def mark(self, sheet: Sheet, span: Span, tag: int) -> None:
        """Tags cells as not computed yet: ``PENDING`` minus the number of their step, or as being computed right now."""
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
        each = self.steps[k]
        if self._state[k] == "done":
            return
        if each.solved:
            if self._state[k] == "waiting":  # else some of its cells were asked for before its turn
                self._state[k] = "defined"
                run_guarded(self, each)
            self.solver.solve(each)
        elif self._state[k] == "running":
            return
        else:
            self._state[k] = "running"
            run_guarded(self, each)
        self._state[k] = "done"
        self._progress.done += 1
        if self._progress.report is not None:
            self._progress.report(self._progress.done, len(self.steps), each.name)

    def again(self, names: Sequence[str]) -> None:
        """Computes some steps once more, in their order, from what their cells read now."""
        for k, each in enumerate(self.steps):
            if each.name not in names:
                continue
            indexes.forget()  # what was looked up before may have changed
            for name, span in each.targets:
                self.mark(self[name], self.own(self[name].index, span), PENDING - k)
            self._state[k] = "defined" if each.solved else "running"
            if each.solved:
                self.solver.solve(each)
            else:
                run_guarded(self, each)
            self._state[k] = "done"

    def demand(self, sheet: int, row: int, col: int, tag: int) -> None:
        """Computes a cell that is not computed yet: its step, or the cell alone when its step is solved by cells."""
        if tag == BUSY:
            raise Circular
        k = PENDING - tag
        each = self.steps[k]
        if not each.solved:
            if self._state[k] == "running":
                raise Circular
            self._run_needs(k)
            self._run_step(k)
            return
        if self._state[k] == "waiting":
            self._run_needs(k)
            self._state[k] = "defined"
            run_guarded(self, each)
        self.solver.compute(sheet, row, col, tag)

    def _run_needs(self, k: int) -> None:
        """Runs what a step reads, out of turn."""
        places = {s.name: i for i, s in enumerate(self.steps)}
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
                stack.extend((places[n], False) for n in self.steps[i].needs if n in places)
        if any(self._state[i] == "running" for i in order):
            raise Circular
        for i in order[:-1]:
            if not self.steps[i].solved:
                self._run_step(i)

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
            part = span.shared(area.span)
            if part is not None:
                here, there = part.slices(span.top, span.left), part.slices(area.top, area.left)
                num[here], tag[here] = area.num[there], area.tag[there]
        if self.overrides:
            self.impose(sheet, span)
