"""The code of a form: written once, then given each formula's own references and numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.expressions import Emitter
from sheetrun.compiler.forms import Form, Reference
from sheetrun.compiler.layout import NotAlike, NotWhole
from sheetrun.compiler.literal import literal
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.scriptnames import Names
from sheetrun.compiler.units import Unit
from sheetrun.formula.a1 import cell_name, range_names
from sheetrun.records import dataclass
from sheetrun.workbook.model import Rect

#: How the host (None), references and numbers are called in the code of a form.
Blanks: TypeAlias = Mapping[Range | float | None, str]
#: What writes the formulas of a unit's form, one for any of them or for many ``together``, and the names that it takes.
FormEmitter: TypeAlias = Callable[[Unit, Blanks, bool], tuple[Emitter, Names]]
_HOST: Final = -1
#: A place while the code is written: a name in Python, and no part of any literal (they are ASCII).
_MARK: Final = re.compile("\u00df([0-9]+)\u00df")


@dataclass(frozen=True, slots=True)
class FormText:
    """``pieces``: code, and between each two of them the index of a place. ``places``: what the places are."""

    pieces: tuple[str, ...]
    order: tuple[int, ...]
    places: tuple[Reference | int, ...]  #: a reference, the blank of a number, or _HOST
    imports: frozenset[str]
    aliases: Mapping[int, str]

    def of(self, blanks: list[str], host: Rect, names: Names, sheets: Mapping[int, str]) -> str:
        """The code for one formula. ``names``: of the function that it is put into."""
        given = [_literal(place, blanks, host) for place in self.places]
        return self.named(given, names, sheets)

    def named(self, given: Sequence[str], names: Names, sheets: Mapping[int, str]) -> str:
        """The code with each place as given."""
        names.imports |= self.imports
        names.aliases.update((sheet, sheets[sheet]) for sheet in self.aliases)
        out = [self.pieces[0]]
        for place, piece in zip(self.order, self.pieces[1:], strict=True):
            out += (given[place], piece)
        return "".join(out)


class FormTexts:
    """The code of each form, once asked for."""

    def __init__(self) -> None:
        self._texts: dict[tuple[int, bool], FormText | None] = {}

    def text(self, unit: Unit, form: Form, emitter: FormEmitter, *, together: bool = False) -> FormText | None:
        """The code of a unit's form; None when each of its formulas must be written by itself. ``together``: code that
        computes many of them at once, None where there is none."""
        key = id(form), together
        if key not in self._texts:
            self._texts[key] = _write(unit, form, emitter, together=together)
        return self._texts[key]


def _write(unit: Unit, form: Form, emitter: FormEmitter, *, together: bool) -> FormText | None:
    places: tuple[Reference | int, ...] = (_HOST, *form.references.values(), *form.numbers.values())
    keys: list[Range | float | None] = [None, *form.references, *form.numbers]
    writer, names = emitter(unit, {key: f"\u00df{k}\u00df" for k, key in enumerate(keys)}, together)
    try:
        pieces = _MARK.split(writer.formula(form.tree))
    except (NotAlike, NotWhole, CannotCompile):
        return None
    order = tuple(map(int, pieces[1::2]))
    return FormText(tuple(pieces[::2]), order, places, frozenset(names.imports), dict(names.aliases))


def _literal(place: Reference | int, blanks: list[str], host: Rect) -> str:
    if isinstance(place, Reference):
        return literal(place.address(blanks))
    return literal(cell_name(host.top, host.left)) if place == _HOST else literal(float(blanks[place]))


def names_of(form: Form) -> list[str]:
    """How a loop over a list calls the host and what stands in the blanks, in the order of the form's places."""
    references = [f"ref{k + 1}" for k in range(len(form.references))]
    return ["cell", *references, *(f"num{k + 1}" for k in range(len(form.numbers)))]


def columns_of(units: Sequence[Unit], form: Form) -> list[list[str]]:
    """For a list of units of a form: their cells, and what each of the form's blanks holds, in the order of its places."""
    formulas = [unit.blanks for unit in units]
    columns = [range_names([unit.rect for unit in units])]
    columns += [reference.addresses(formulas) for reference in form.references.values()]
    columns += [[repr(float(blanks[blank])) for blanks in formulas] for blank in form.numbers.values()]
    return columns
