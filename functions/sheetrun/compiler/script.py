"""Workbook in, script out: with the original formulas as comments and a map from lines to cells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from sheetrun.compiler.draft import Draft
from sheetrun.compiler.formulas import Formulas
from sheetrun.compiler.needs import Needs
from sheetrun.compiler.program import Line, Mapped
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Part, schedule, units_of
from sheetrun.compiler.units import Refused, Unit, make_units
from sheetrun.records import dataclass
from sheetrun.workbook.model import Rect, Workbook


@dataclass(frozen=True, slots=True)
class Script:
    """The generated program. ``text`` has no data in it; ``standalone`` writes the workbook's constants in."""

    text: str
    mapped: tuple[Mapped, ...]
    refused: tuple[Refused, ...]
    volatile: tuple[tuple[int, Rect], ...]  #: blocks that are volatile or hang on a volatile block
    blocks: int
    needs: Needs

    @property
    def lines(self) -> tuple[Line, ...]:
        """Which line computes which range."""
        return tuple(line for mapped in self.mapped for line in mapped.lines())

    def line_map(self) -> bytes:
        """The line map as JSON: ``[[line, sheet, address], …]``."""
        return json.dumps(self.lines, separators=(",", ":")).encode()


def compile_workbook(workbook: Workbook, *, progress: Callable[[int, int], None] | None = None) -> Script:
    """The script of a workbook. Byte-identical for the same workbook. ``progress``: blocks written, of how many."""
    return Writer(workbook).script(progress)


class Writer:
    """Writes the script of a workbook and keeps what it found on the way: ``units``, the formulas, resolved, after
    ``script``; ``scope``, what is known by name."""

    def __init__(self, workbook: Workbook) -> None:
        self.scope = Scope.of(workbook)
        self.units: list[Unit] = []

    def script(self, progress: Callable[[int, int], None] | None = None) -> Script:
        """The whole script (see ``compile_workbook``)."""
        units, refused = make_units(self.scope.workbook, self.scope)
        self.units = units
        parts = schedule(units, self.scope)
        draft = Draft(Formulas(self.scope), refused)
        done = 0
        for part in parts:
            draft.add(part)
            done += len(units_of(part))
            if progress is not None:
                progress(done, len(units))
        written = draft.program()
        return Script(
            written.text,
            written.mapped,
            tuple(sorted(draft.refused, key=lambda r: (r.sheet, r.rect))),
            tuple(_volatile(units, parts)),
            len(units),
            Needs([(u.sheet, u.rect) for u in units], [u.needs for u in units]),
        )


def _volatile(units: list[Unit], parts: list[Part]) -> Iterator[tuple[int, Rect]]:
    """Volatile blocks and all that depend on them, or may: where only the run tells what a block reads."""
    if not any(unit.volatile for unit in units):
        return
    marked: set[int] = set()
    for part in parts:
        members = units_of(part)
        if any(u.volatile or u.dynamic or u.needs & marked for u in members):
            marked.update(u.index for u in members)
    for unit in units:
        if unit.index in marked:
            yield unit.sheet, unit.rect
