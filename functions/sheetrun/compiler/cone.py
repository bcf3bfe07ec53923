"""What changed inputs reach of what is asked for: the units that must be computed again, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sheetrun.compiler.graph import regions, sheets_of
from sheetrun.compiler.growth import Rooms, grows, room
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
    rooms = Rooms()  # of the arrays that may have another size now
    more = True
    while more:
        more = False
        for part in parts:  # what is read comes first; within a part each reads from each
            left = [u for u in units_of(part) if u.index not in reached]
            hit = (u for u in left if u.index in also or u.needs & reached or _touched(u, inputs, rooms, scope))
            if isinstance(part, Alike):  # there none reads from another
                left = list(hit)
            elif not any(hit):
                continue
            for unit in left:
                reached.add(unit.index)
                if grows(unit):
                    rooms.add(unit)
                    more = True  # a formula that comes before an array may read where it grows to
    wanted = _wanted(units, scope, reached, rooms, outputs)
    places = [*inputs, *((units[i].sheet, units[i].rect) for i in sorted(wanted))]
    places += [(units[i].sheet, room(units[i])) for i in sorted(wanted) if grows(units[i])]
    return Cone(frozenset(wanted), tuple(places))


def _touched(unit: Unit, inputs: Sequence[Place], rooms: Rooms, scope: Scope) -> bool:
    """Whether a unit reads what changes, or is an array with an input in its way."""
    if unit.dynamic or (unit.block.kind is Kind.DYNAMIC and any(_shows(unit, place) for place in inputs)):
        return True
    return any(
        rooms.meet(sheet, rect) or any(sheet == s and rect.overlaps(place) for s, place in inputs)
        for sheet, rect in _read(unit, scope)
    )


def _read(unit: Unit, scope: Scope) -> Iterator[Place]:
    for read, rect in regions(unit):
        for sheet in sheets_of(read, scope):
            yield sheet, rect


def _wanted(units: Sequence[Unit], scope: Scope, reached: set[int], rooms: Rooms, outputs: Sequence[Place]) -> set[int]:
    left = [u.index for u in units if u.index in reached and any(_shows(u, place) for place in outputs)]
    left += [index for place in outputs for index in rooms.take(*place)]
    found = set(left)
    while left:
        unit = units[left.pop()]
        needed = unit.needs & reached
        needed.update(index for place in _read(unit, scope) for index in rooms.take(*place))
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
