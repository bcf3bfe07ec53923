"""A script in lanes that is computed again and again: on a tape where that goes, else as it is written.

first     the script runs once, so that the type of every cell is known
then      each statement of numbers is taped; playing that is all that is done from there on
Missed    a result is no finite number in some lane: that statement is computed as it is written from then on, and
          so is every later one that reads what it stores
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Any

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime import indexes
from sheetrun.runtime.address import Place, Span
from sheetrun.runtime.bounds import Between, Bounds, Doubts
from sheetrun.runtime.cells import Mask
from sheetrun.runtime.chains import Chain, chain_from
from sheetrun.runtime.lanes import LaneBook
from sheetrun.runtime.recorded import NotRecorded, Statement, recording
from sheetrun.runtime.single import NotSingle, Single
from sheetrun.runtime.steps import Step
from sheetrun.runtime.tape import Missed, Play, add_one, finite, sub_one
from sheetrun.runtime.tapedesk import NotTaped, Scratch
from sheetrun.runtime.taping import taped, taped_chain

Range = tuple[int, Span]  #: sheet index and range


@dataclass(slots=True)
class _Part:
    """A statement, or a step that was not recorded. Where ``calls`` are empty it runs on single values, and where there is
    no ``single`` as it is written; ``good`` tells then which of the cells that it stores others take for finite numbers.
    ``bounded``: all that it stores is finite whatever the inputs are (see ``bounds``)."""

    run: Callable[[LaneBook], None]
    stores: Sequence[Range]
    statement: Statement | None
    count: int = 1  #: statements
    calls: list[Play] = field(default_factory=list)
    single: Single | None = None
    reads: Sequence[Range] = ()
    bounded: bool = False
    good: list[Mask] = field(default_factory=list)


def run_once(steps: Sequence[Step], book: LaneBook) -> None:
    """Computes everything as the script is written. Raises what a statement raises: such a script is not for lanes."""
    with np.errstate(all="ignore"), indexes.kept():
        for step in steps:
            step.function(book)


class Replay:
    """For a book that the script was run on once, with its inputs put into it.

    ``known``: between which numbers each input will always lie, where that is worth to be thought through.
    """

    def __init__(
        self, namespace: dict[str, Any], book: LaneBook, inputs: Sequence[Place], known: Sequence[Between] | None = None
    ) -> None:
        self._book = book
        self._each = _parts(namespace, book)
        self._doubts = {} if known is None else _bounded(self._each, book, dict(zip(inputs, known, strict=True)))
        self._chains = _chains(self._each)
        self._parts: list[_Part] = []
        self._inputs = [(sheet, Span(row, col, row, col)) for sheet, row, col in inputs]
        self._tape()

    def __len__(self) -> int:
        """Statements, and steps that could not be recorded."""
        return len(self._each)

    @property
    def taped(self) -> int:
        """How many statements are on the tape, or computed on single values."""
        return sum(part.count for part in self._parts if part.calls or part.single)

    def reopen(self, lanes: int) -> None:
        """For another number of lanes from here on."""
        self._book.reopen(lanes)
        self._tape()

    def _tape(self) -> None:
        scratch = Scratch()
        self._parts = []
        at = 0
        while at < len(self._each):
            if (chain := self._chains.get(at)) is not None and (part := self._along(chain, at, scratch)) is not None:
                at += chain.count
            else:
                part = self._each[at]
                self._tape_one(part, scratch)
                at += 1
            self._parts.append(part)
        self.calls = sum(len(part.calls) for part in self._parts)  #: of the tape as it was written
        self._given = self._good(self._inputs)
        self._look()

    def _along(self, chain: Chain, at: int, scratch: Scratch) -> _Part | None:
        """The statements of a chain as one; None where they are not for a tape."""
        each = self._each[at : at + chain.count]
        statements = [part.statement for part in each if part.statement is not None]
        try:
            found = taped_chain(chain, statements, self._book, scratch, self._doubts)
        except NotTaped:
            return None

        def run(book: LaneBook) -> None:
            for part in each:
                part.run(book)

        stores, bounded = [(chain.before.sheet, chain.line)], all(part.bounded for part in each)
        return _Part(run, stores, None, chain.count, found.calls, reads=found.reads, bounded=bounded)

    def _tape_one(self, part: _Part, scratch: Scratch) -> None:
        part.calls, part.reads, part.good, part.single = [], (), [], None
        if part.statement is not None:
            with suppress(NotTaped):
                found = taped(part.statement, self._book, scratch, self._doubts)
                part.calls, part.reads = found.calls, found.reads
            if not _quick(part.calls):
                with suppress(NotSingle):
                    part.single = Single(part.statement, self._book)
                    part.calls, part.reads = [], ()
        if not part.calls:
            part.good = self._good(part.stores)

    def _look(self) -> None:
        """Makes the calls that look whether all that the tape has stored is finite."""
        stored: dict[int, list[Span]] = {}
        for part in self._parts:
            if part.calls and not part.bounded:
                for sheet, span in part.stores:
                    stored.setdefault(sheet, []).append(span)
        self._checks = [
            finite(memory)
            for sheet, spans in stored.items()
            for span in joined(spans)
            if (memory := self._book.laned(sheet).memory(span)) is not None
        ]

    def play(self) -> None:
        """Computes everything from the inputs that the book has now. Raises what a statement raises that is not taped."""
        with np.errstate(all="ignore"), indexes.kept():
            self._play()

    def _play(self) -> None:
        if not _hold(self._given, now := self._good(self._inputs)):
            self._lose(self._inputs, 0)
            self._given = now
        at = first = 0
        while True:
            try:
                for at in range(first, len(self._parts)):
                    part = self._parts[at]
                    if part.single is not None:
                        self._run_single(part, part.single, at)
                    elif not part.calls:
                        self._run(part, at)
                    for function, args in part.calls:
                        function(*args)
                for function, args in self._checks:
                    function(*args)
            except Missed:
                first = self._missed(at)
            else:
                return

    def _missed(self, last: int) -> int:
        """Takes the first statement off the tape that is not for it any more, of those up to ``last``; gives its index."""
        at = next((i for i in range(last) if self._parts[i].calls and not self._finite(self._parts[i])), last)
        self._off(self._parts[at])
        self._look()
        return at

    def _finite(self, part: _Part) -> bool:
        memories = [self._book.laned(sheet).memory(span) for sheet, span in part.stores]
        return all(memory is None or np.isfinite(memory).all() for memory in memories)  # None: values of any type

    def _run(self, part: _Part, at: int) -> None:
        part.run(self._book)
        now = self._good(part.stores)
        if not _hold(part.good, now):
            self._lose(part.stores, at + 1)
        part.good = now

    def _run_single(self, part: _Part, single: Single, at: int) -> None:
        try:
            if not single.run():
                self._lose(part.stores, at + 1)
        except NotSingle:
            part.single, part.good = None, self._good(part.stores)
            self._run(part, at)

    def _good(self, ranges: Sequence[Range]) -> list[Mask]:
        """For each range which of its cells are finite numbers in every lane."""
        return [self._book.laned(sheet).good(span) for sheet, span in ranges]

    def _lose(self, ranges: Sequence[Range], first: int) -> None:
        """Takes off the tape what reads cells of these ranges."""
        for part in self._parts[first:]:
            if part.calls and any(s == t and a.overlaps(b) for s, a in part.reads for t, b in ranges):
                self._off(part)
        self._look()

    def _off(self, part: _Part) -> None:
        """Has a statement computed as it is written."""
        part.good = self._good(part.stores)
        part.calls, part.reads = [], ()


def _quick(calls: Sequence[Play]) -> bool:
    """Whether a tape for one lane takes less time than single values."""
    return len(calls) == 1 and calls[0][0] in (np.copyto, add_one, sub_one)


def _hold(before: Sequence[Mask], now: Sequence[Mask]) -> bool:
    """Whether all that was good still is."""
    return not any((old & ~new).any() for old, new in zip(before, now, strict=True))


def _parts(namespace: dict[str, Any], book: LaneBook) -> list[_Part]:
    found: list[_Part] = []
    with recording(namespace, book) as record:
        for step in namespace["STEPS"]:
            try:
                found += [_Part(s.run, [(s.sheet, s.span)], s) for s in record(step)]
            except NotRecorded:
                found.append(_Part(step.function, _targets(step, book), None))
    return found


def _bounded(parts: Sequence[_Part], book: LaneBook, inputs: Mapping[Place, Between]) -> Doubts:
    """Which additions may leave noise. Notes which parts store what is finite, whatever the inputs are."""
    bounds = Bounds(book, inputs)
    for part in parts:
        followed = [bounds.follow(sheet, span, part.statement) for sheet, span in part.stores]
        part.bounded = all(followed)
    return bounds.doubts


def _chains(parts: Sequence[_Part]) -> dict[int, Chain]:
    """By the index of their first statement."""
    statements = [part.statement for part in parts]
    found: dict[int, Chain] = {}
    at = 0
    while at < len(statements):
        chain = chain_from(statements, at)
        if chain is not None:
            found[at] = chain
        at += 1 if chain is None else chain.count
    return found


def _targets(step: Step, book: LaneBook) -> list[Range]:
    return [(book[name].index, span) for name, span in step.targets]


def joined(spans: Sequence[Span]) -> list[Span]:
    """The same cells in fewer rectangles: those side by side as one, then those below each other."""
    wide: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.top, s.bottom, s.left)):
        last = wide[-1] if wide else None
        if last is not None and last[0::2] == span[0::2] and last.right + 1 == span.left:
            wide[-1] = last._replace(right=span.right)
        else:
            wide.append(span)
    found: list[Span] = []
    for span in sorted(wide, key=lambda s: (s.left, s.right, s.top)):
        last = found[-1] if found else None
        if last is not None and last[1::2] == span[1::2] and last.bottom + 1 == span.top:
            found[-1] = last._replace(bottom=span.bottom)
        else:
            found.append(span)
    return found
