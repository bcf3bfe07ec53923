"""Formulas of one form worked out once: a tree with stand-ins where the formulas differ (``formula.forms``).

A workbook without a pattern has thousands of formulas that are no blocks, and still only a few forms. The stand-ins
are references and numbers that no sensible formula has; what is made of the tree (text, edges) names them, and then
each formula's own references and numbers take their places.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sheetrun.compiler.ranges import Range, Resolved
from sheetrun.compiler.trees import depth, rebuilt, walk
from sheetrun.formula import nodes
from sheetrun.formula.a1 import parse_cell, range_name, range_names
from sheetrun.formula.forms import FormKey, filled
from sheetrun.formula.nodes import Axis
from sheetrun.records import dataclass
from sheetrun.runtime.addresslists import read_keys
from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, Rect

_MOST_BLANKS: Final = 200
_DEEPEST: Final = 60  #: levels of a tree that is gone through by recursion
_FIRST_ROW: Final = MAX_ROWS - _MOST_BLANKS
_FIRST_NUMBER: Final = 271_828_182.845904


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference of a form: the blank it is in, or those of its two corners."""

    first: int
    last: int

    def address(self, blanks: list[str]) -> str:
        return blanks[self.first].upper() if self.first == self.last else range_name(*self.rect(blanks))

    def addresses(self, formulas: list[list[str]]) -> list[str]:
        """The same for many formulas, by their blanks."""
        if self.first == self.last:
            return " ".join([blanks[self.first] for blanks in formulas]).upper().split(" ")
        return range_names([self.rect(blanks) for blanks in formulas])

    def rect(self, blanks: list[str]) -> Rect:
        row, col = parse_cell(blanks[self.first])
        if self.first == self.last:
            return Rect(row, col, row, col)
        other_row, other_col = parse_cell(blanks[self.last])
        return Rect(min(row, other_row), min(col, other_col), max(row, other_row), max(col, other_col))


@dataclass(slots=True)
class Form:
    """``tree``: resolved, with stand-ins; ``references`` and ``numbers`` say which blanks they stand for."""

    tree: Resolved
    references: dict[Range, Reference]
    numbers: dict[float, int]
    reads: tuple[tuple[Range, Reference | None], ...] = ()  #: with the reference that it stands for, if it does
    dynamic: bool = False
    volatile: bool = False
    members: int = 0

    def tree_of(self, blanks: list[str], host: Rect) -> Resolved:
        """The tree of one formula."""

        def leaf(node: Any) -> Any:
            if type(node) is Range and node in self.references:
                return self.bound(node, blanks, host)
            if type(node) is nodes.Number and node.value in self.numbers:
                return nodes.Number(float(blanks[self.numbers[node.value]]))
            return node

        return rebuilt(self.tree, leaf)  # type: ignore[no-any-return]

    def reads_of(self, blanks: list[str], host: Rect) -> tuple[Range, ...]:
        return tuple(read if given is None else self.bound(read, blanks, host) for read, given in self.reads)

    def bound(self, stand_in: Range, blanks: list[str], host: Rect) -> Range:
        """What one formula has where the form has a stand-in."""
        rect = self.references[stand_in].rect(blanks)
        rows = (Axis(rect.top - host.top, False), Axis(rect.bottom - host.top, False))
        columns = (Axis(rect.left - host.left, False), Axis(rect.right - host.left, False))
        return replace(stand_in, top=rows[0], left=columns[0], bottom=rows[1], right=columns[1])


def stand_in_text(key: FormKey) -> str | None:
    """A formula of the form that has stand-ins in its blanks; None when there are too many."""
    if len(key.references) > _MOST_BLANKS:
        return None
    references = [f"$XFD${_FIRST_ROW + k + 1}" for k in range(sum(key.references))]
    numbers = [repr(_FIRST_NUMBER + k) for k in range(len(key.references) - len(references))]
    return filled(key, references, numbers)


def form_of(key: FormKey, parsed: nodes.Node, tree: Resolved) -> Form | None:
    """The form, from the tree of its stand-in text; None when the tree depends on more than what is in the blanks.

    ``parsed``: the tree before names were resolved.
    """
    places = [k for k, is_reference in enumerate(key.references) if is_reference]
    others = [k for k, is_reference in enumerate(key.references) if not is_reference]
    form = Form(tree, {}, {})
    if depth(tree, _DEEPEST) > _DEEPEST or any(isinstance(node, _ON_ITS_OWN) for node in walk(parsed)):
        return None
    found: list[int] = []
    for node in walk(tree):
        if isinstance(node, _ON_ITS_OWN) or (isinstance(node, nodes.Call) and node.name in ("LET", "LAMBDA")):
            return None
        if isinstance(node, Range):
            first, last = node.top.index - _FIRST_ROW, node.bottom.index - _FIRST_ROW
            absolute = node.fixed_rows and node.fixed_columns
            if not absolute:
                return None
            if node.left.index == MAX_COLUMNS - 1 and node.right.index == MAX_COLUMNS - 1 and first >= 0:
                if node.last_sheet is not None or node.single != (first == last) or last - first > 1:
                    return None
                form.references[node] = Reference(places[first], places[last])
                found += [places[first]] if first == last else [places[first], places[last]]
        elif isinstance(node, nodes.Number) and _FIRST_NUMBER <= node.value < _FIRST_NUMBER + len(others):
            form.numbers[node.value] = others[round(node.value - _FIRST_NUMBER)]
            found.append(form.numbers[node.value])
    if sorted(found) != list(range(len(key.references))):
        return None
    form.references = dict(sorted(form.references.items(), key=lambda item: item[1].first))
    form.numbers = dict(sorted(form.numbers.items()))
    return form


#: What makes a tree depend on its host cell, or on more than one node's text.
_ON_ITS_OWN: Final = (
    nodes.Structured,
    nodes.Error,
    nodes.RangeOp,
    nodes.Invoke,
    nodes.ArrayConst,
)


def places_of(cells: list[str]) -> tuple[list[int], list[int]]:
    """Rows and columns of references to one cell each, 0-based."""
    found = zip(*read_keys(" ".join(cells).upper()), strict=True) if cells else ((), ())
    rows, columns = ([index - 1 for index in line] for line in found)
    return rows, columns
