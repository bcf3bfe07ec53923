"""What changed inputs reach of what is asked for: the units that must be computed again, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sheetrun.compiler.graph import regions, sheets_of
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Alike, Loop, Part, Solve, Whole, units_of
from sheetrun.compiler.units import Unit
from sheetrun.records import dataclass
from sheetrun.workbook.model import Rect

Place = tuple[int, Rect]  #: sheet index and rectangle (0-based)


@dataclass(frozen=True, slots=True)
class Cone:
    """``units``: indices of the units to compute again. ``places``: all cells that may change, inputs included."""

    units: frozenset[int]
    places: tuple[Place, ...]

    def holds(self, sheets: Iterable[int], rect: Rect) -> bool:
        """Whether a rectangle of some sheets has a cell that may change."""
        wanted = set(sheets)
        return any(sheet in wanted and rect.overlaps(place) for sheet, place in self.places)


def cone(
    units: Sequence[Unit],
    parts: Sequence[Part],
    scope: Scope,
    inputs: Sequence[Place],
    outputs: Sequence[Place],
    *,
    also: frozenset[int] = frozenset(),
) -> Cone:
    """The units on the way from ``inputs`` to ``outputs``. What reads through OFFSET or INDIRECT may read anything.

    ``also``: units that change whatever the inputs are.
    """
    reached: set[int] = set()
    for part in parts:  # what is read comes first; within a part each reads from each
        members = units_of(part)
        hit = (u for u in members if u.index in also or u.dynamic or u.needs & reached or _reads(u, inputs, scope))
        if isinstance(part, Alike):  # but here none reads from another
            reached.update([u.index for u in hit])
        elif any(hit):
            reached.update(u.index for u in members)
    wanted = _wanted(units, reached, outputs)
    places = [*inputs, *((units[i].sheet, units[i].rect) for i in sorted(wanted))]
    return Cone(frozenset(wanted), tuple(places))


def _reads(unit: Unit, inputs: Sequence[Place], scope: Scope) -> bool:
    for read, rect in regions(unit):
        sheets = sheets_of(read, scope)
        if any(sheet in sheets and rect.overlaps(place) for sheet, place in inputs):
            return True
    return False


def _wanted(units: Sequence[Unit], reached: set[int], outputs: Sequence[Place]) -> set[int]:
    left = [u.index for u in units if u.index in reached and any(_shows(u, place) for place in outputs)]
    found = set(left)
    while left:
        for index in units[left.pop()].needs & reached:
            if index not in found:
                found.add(index)
                left.append(index)
    return set(reached) if any(units[i].dynamic for i in found) else found


def _shows(unit: Unit, place: Place) -> bool:
    return unit.sheet == place[0] and unit.rect.overlaps(place[1])


def chosen(parts: Iterable[Part], kept: frozenset[int]) -> Iterable[Part]:
    """The parts without the units that are not in ``kept``."""
    for part in parts:
        members = tuple(u for u in units_of(part) if u.index in kept)
        if not members:
            continue
        if isinstance(part, Whole | Alike):
            yield from map(Whole, members)
        elif isinstance(part, Loop):
            yield Loop(members, part.by_row, part.forward, part.inner_forward)
        else:
            yield Solve(members)
