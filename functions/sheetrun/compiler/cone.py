"""What changed inputs reach of what is asked for: the units that must be computed again, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sheetrun.compiler.graph import regions, sheets_of
from sheetrun.compiler.growth import grows, room
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Alike, Loop, Part, Solve, Whole, units_of
from sheetrun.compiler.units import Unit
from sheetrun.records import dataclass
from sheetrun.workbook.model import Kind, Rect

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
    rooms: dict[int, Place] = {}  #: of the arrays that may have another size now
    seen = -1
    while seen < len(rooms):  # a formula that comes before an array may read where it grows to
        seen = len(rooms)
        changing = [*inputs, *rooms.values()]
        for part in parts:  # what is read comes first; within a part each reads from each
            members = units_of(part)
            hit = [u for u in members if u.index in also or u.needs & reached or _touched(u, inputs, changing, scope)]
            if hit and not isinstance(part, Alike):  # there none reads from another
                hit = list(members)
            for unit in hit:
                if unit.index not in reached:
                    reached.add(unit.index)
                    if grows(unit):
                        rooms[unit.index] = unit.sheet, room(unit)
    wanted = _wanted(units, scope, reached, rooms, outputs)
    places = [*inputs, *((units[i].sheet, units[i].rect) for i in sorted(wanted))]
    return Cone(frozenset(wanted), (*places, *(rooms[i] for i in sorted(wanted & rooms.keys()))))


def _reads(unit: Unit, places: Sequence[Place], scope: Scope) -> bool:
    for read, rect in regions(unit):
        sheets = sheets_of(read, scope)
        if any(sheet in sheets and rect.overlaps(place) for sheet, place in places):
            return True
    return False


def _touched(unit: Unit, inputs: Sequence[Place], changing: Sequence[Place], scope: Scope) -> bool:
    """Whether a unit reads what changes, or is an array with an input in its way."""
    if unit.dynamic or _reads(unit, changing, scope):
        return True
    return unit.block.kind is Kind.DYNAMIC and any(_shows(unit, place) for place in inputs)


def _wanted(
    units: Sequence[Unit], scope: Scope, reached: set[int], rooms: Mapping[int, Place], outputs: Sequence[Place]
) -> set[int]:
    left = [u.index for u in units if u.index in reached and any(_shows(u, place) for place in outputs)]
    left += [i for i, (sheet, rect) in rooms.items() if any(sheet == s and rect.overlaps(r) for s, r in outputs)]
    found = set(left)
    while left:
        unit = units[left.pop()]
        needed = unit.needs & reached
        needed |= {i for i, place in rooms.items() if i not in found and _reads(unit, [place], scope)}
        left += needed - found
        found |= needed
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
