"""Data validation as a rule that a caller's value is held to, as JSON and as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.resolve import Resolver, Scope
from sheetrun.formula.errors import FormulaError
from sheetrun.formula.parser import parse
from sheetrun.records import dataclass
from sheetrun.service.planes import Plane, plain
from sheetrun.workbook.model import Rect, Validation, Workbook

_CHOICES: Final = 1000  #: a longer list is a table, not a choice
_NUMERIC: Final = frozenset({"whole", "decimal", "date", "time"})
_BOUNDS: Final = {
    "between": ("minimum", "maximum"),
    "equal": ("equal", ""),
    "greaterThan": ("above", ""),
    "greaterThanOrEqual": ("minimum", ""),
    "lessThan": ("below", ""),
    "lessThanOrEqual": ("maximum", ""),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What a cell may hold. ``bounds``: minimum, maximum (both included), above, below, equal; of a text its length."""

    kind: str
    blank: bool = True
    choices: tuple[Any, ...] = ()
    bounds: tuple[tuple[str, float], ...] = ()

    def document(self) -> dict[str, Any]:
        """As the API tells it."""
        out: dict[str, Any] = {"kind": self.kind}
        if self.choices:
            out["choices"] = list(self.choices)
        return {**out, **{name: _short(bound) for name, bound in self.bounds}}

    def fault(self, value: Any) -> str | None:
        """Why a value (not a range) is not allowed; None when it is."""
        if value is None or isinstance(value, Mapping):
            return None
        if self.kind == "list":
            return None if any(_same(value, choice) for choice in self.choices) else f"must be {_or(self.choices)}"
        if self.kind == "textLength":
            found = float(len(value if isinstance(value, str) else str(value)))
            return self._outside(found, "its length must be")
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "must be a number"
        if self.kind == "whole" and float(value) != int(value):
            return "must be a whole number"
        return self._outside(float(value), "must be")

    def _outside(self, value: float, begin: str) -> str | None:
        for name, bound in self.bounds:
            if not _HOLDS[name](value, bound):
                return f"{begin} {_WORDS[name]} {_short(bound)}"
        return None


_HOLDS: Final = {
    "minimum": lambda v, b: v >= b,
    "maximum": lambda v, b: v <= b,
    "above": lambda v, b: v > b,
    "below": lambda v, b: v < b,
    "equal": lambda v, b: v == b,
}
_WORDS: Final = {
    "minimum": "at least",
    "maximum": "at most",
    "above": "above",
    "below": "below",
    "equal": "equal to",
}


def rules_of(workbook: Workbook) -> dict[int, list[tuple[Rect, Rule]]]:
    """By sheet. Rules that only a formula can tell (custom, bounds that are computed) are left out."""
    scope = Scope.of(workbook)
    found: dict[int, list[tuple[Rect, Rule]]] = {}
    for index, sheet in enumerate(workbook.sheets):
        for validation in sheet.validations:
            rule = _rule(workbook, scope, index, validation)
            if rule is not None:
                found.setdefault(index, []).extend((rect, rule) for rect in validation.rects)
    return found


def _rule(workbook: Workbook, scope: Scope, sheet: int, validation: Validation) -> Rule | None:
    if validation.kind == "list":
        choices = _choices(workbook, scope, sheet, validation)
        return Rule("list", validation.blank, choices) if choices else None
    if validation.kind not in _NUMERIC and validation.kind != "textLength":
        return None
    names = _BOUNDS.get(validation.operator)
    if names is None:
        return None
    bounds = []
    for name, text in zip(names, (validation.first, validation.second), strict=True):
        if name:
            bound = _bound(workbook, scope, sheet, text)
            if bound is None:
                return None
            bounds.append((name, bound))
    return Rule(validation.kind, validation.blank, (), tuple(bounds))


def _choices(workbook: Workbook, scope: Scope, sheet: int, validation: Validation) -> tuple[Any, ...]:
    text = validation.first
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        words = [word.strip() for word in text[1:-1].replace('""', '"').split(",")]
        return tuple(_literal(word) for word in words if word)
    values = _cells(workbook, scope, sheet, validation)
    return tuple(dict.fromkeys(v for v in values if v is not None and not isinstance(v, dict)))


def _literal(word: str) -> Any:
    try:
        number = float(word)
    except ValueError:
        return word
    return _short(number) if abs(number) < 1e300 else word


def _cells(workbook: Workbook, scope: Scope, sheet: int, validation: Validation) -> list[Any]:
    place = _place(scope, sheet, validation.first, validation.rects[0])
    if place is None or place[1].size > _CHOICES:
        return []
    num, tag = Plane.of_grids(workbook.sheets[place[0]].grids).get(place[1])
    return [plain(n, t, workbook.strings) for n, t in zip(num.ravel().tolist(), tag.ravel().tolist(), strict=True)]


def _bound(workbook: Workbook, scope: Scope, sheet: int, text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        place = _place(scope, sheet, text, None)
    if place is None or place[1].size != 1:
        return None
    num, tag = Plane.of_grids(workbook.sheets[place[0]].grids).get(place[1])
    value = plain(float(num[0, 0]), int(tag[0, 0]), workbook.strings)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _place(scope: Scope, sheet: int, text: str, host: Rect | None) -> tuple[int, Rect] | None:
    """Where a rule's formula points, seen from the first cell that it is for."""
    row, col = (host.top, host.left) if host else (0, 0)
    try:
        tree = Resolver(scope, sheet, row, col).resolve(parse(text, row, col))
    except (FormulaError, CannotCompile, RecursionError):
        return None
    if not isinstance(tree, Range) or tree.last_sheet is not None or tree.sheet >= scope.own:
        return None
    if host is None and not (tree.fixed_rows and tree.fixed_columns):
        return None
    return tree.sheet, tree.at(row, col)


def _same(value: Any, choice: Any) -> bool:
    """Texts as in Excel, without regard to case."""
    if isinstance(value, str) and isinstance(choice, str):
        return value.casefold() == choice.casefold()
    if isinstance(value, bool) or isinstance(choice, bool):
        return value is choice
    return bool(value == choice)


def _or(choices: tuple[Any, ...]) -> str:
    shown = ", ".join(str(choice) for choice in choices[:20])
    return f"one of {shown}{', …' if len(choices) > 20 else ''}"


def _short(number: float) -> int | float:
    return int(number) if number == int(number) and abs(number) < 1e15 else number
