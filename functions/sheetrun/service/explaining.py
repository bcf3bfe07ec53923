"""Why an output is what it is: the cells from the inputs to it, with their formulas, in the order of computing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from sheetrun.compiler.cone import Place
from sheetrun.compiler.graph import Owners, region, sheets_of
from sheetrun.compiler.plan import Plan
from sheetrun.compiler.units import Unit
from sheetrun.records import dataclass
from sheetrun.service.interface import Interface, reference
from sheetrun.service.rundata import formula_of
from sheetrun.workbook.model import Rect

MOST: Final = 500  #: cells and ranges of one chain
SHOWN: Final = 100  #: cells of a range whose values are told


@dataclass(frozen=True, slots=True)
class Link:
    """A cell, or the cells that a range reference names. ``unit`` None: it is not computed again."""

    place: Place
    unit: int | None
    reads: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """``links``: what is read comes first, the output last. ``whole``: False when it was cut off."""

    output: str
    links: tuple[Link, ...]
    whole: bool

    @property
    def shown(self) -> list[Place]:
        """The places whose values are told."""
        return [link.place for link in self.links if link.place[1].size <= SHOWN]


def chain(plan: Plan, owners: dict[int, Owners], name: str, output: Place, inputs: Sequence[Place]) -> Chain:
    """The way to one output: of what the inputs reach, or, when none is set, of all that it is computed from."""
    relevant = plan.cone(inputs, [output]).units if inputs else frozenset(plan.behind([output]))
    walk = _Walk(plan, relevant, owners, tuple(inputs))
    walk.go(output)
    return Chain(name, tuple(walk.links.values()), not walk.cut)


class _Walk:
    def __init__(
        self, plan: Plan, relevant: frozenset[int], owners: dict[int, Owners], inputs: Sequence[Place]
    ) -> None:
        self._inputs = inputs
        self._plan = plan
        self._relevant = relevant
        self._owners = owners
        self.links: dict[Place, Link] = {}  # in the order of their end: what is read comes first
        self.cut = False

    def go(self, output: Place) -> None:
        stack: list[tuple[Place, Link | None]] = [(output, None)]
        seen: set[Place] = set()
        while stack:
            place, done = stack.pop()
            if done is not None:
                self.links[place] = done
                continue
            if place in seen:
                continue
            if len(seen) >= MOST:
                self.cut = True
                continue
            seen.add(place)
            parts = list(self._computed(place))
            reads = tuple(dict.fromkeys(read for unit, rect in parts for read in self._reads(unit, rect)))
            one = parts[0][0].index if parts and parts[0][1] == place[1] else None
            if one is None and parts:  # a range: its computed cells stand before it
                reads = tuple((unit.sheet, rect) for unit, rect in parts)
            if one is None and place[1].size > 1:
                inside = (p for p in self._inputs if p[0] == place[0] and p[1].overlaps(place[1]))
                reads = tuple(dict.fromkeys((*inside, *reads)))
            stack.append((place, Link(place, one, reads)))
            stack.extend((read, None) for read in reversed(reads))

    def _computed(self, place: Place) -> Iterator[tuple[Unit, Rect]]:
        """The formulas in a place that are on the way, each with the part of the place that it fills."""
        sheet, rect = place
        owners = self._owners.get(sheet)
        for index in sorted(owners.of_rect(rect)) if owners else ():
            unit = self._plan.units[index]
            if index in self._relevant:
                inner = Rect(
                    max(rect.top, unit.rect.top),
                    max(rect.left, unit.rect.left),
                    min(rect.bottom, unit.rect.bottom),
                    min(rect.right, unit.rect.right),
                )
                yield unit, inner

    def _reads(self, unit: Unit, rect: Rect) -> Iterator[Place]:
        for read in unit.reads:
            rect_read = read.over(rect) if unit.scalar else region(unit, read)
            for sheet in sheets_of(read, self._plan.scope):
                if sheet < self._plan.scope.own:
                    yield sheet, rect_read


def chain_document(
    plan: Plan, interface: Interface, found: Chain, inputs: set[Place], value: Callable[[Place], Any]
) -> dict[str, Any]:
    """A chain as JSON. ``value`` tells what is in a place after the call."""
    workbook = plan.workbook
    steps = []
    for link in found.links:
        sheet, rect = link.place
        step: dict[str, Any] = {
            "cell": reference(workbook, sheet, rect),
            "label": interface.label_of(sheet, rect),
            "formula": None,
            "value": value(link.place) if rect.size <= SHOWN else None,
            "input": link.place in inputs,
            "reads": [reference(workbook, *place) for place in link.reads],
        }
        if link.unit is not None:
            step["formula"] = formula_of(plan.units[link.unit].block, rect.top, rect.left)
        elif rect.size == 1 and link.place not in inputs:
            step["formula"] = _kept(plan, sheet, rect)
        steps.append(step)
    return {"steps": steps, "complete": found.whole}


def _kept(plan: Plan, sheet: int, rect: Rect) -> str | None:
    """The formula of a cell that was not computed again."""
    for block in plan.workbook.sheets[sheet].blocks:
        if block.rect.contains(rect.top, rect.left):
            return formula_of(block, rect.top, rect.left)
    return None
