"""A call over a whole block at once: a reduction of what each cell sees, or an ordinary call of arrays over the block."""

from __future__ import annotations

from typing import Any, Final, Protocol

from sheetrun.compiler.layout import NotWhole
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.references import References
from sheetrun.compiler.scriptnames import function_name
from sheetrun.compiler.traits import GIVING_ARRAYS, PASSING, holds_constant, is_zero, refers
from sheetrun.compiler.trees import walk
from sheetrun.compiler.units import entry_of
from sheetrun.formula import nodes
from sheetrun.runtime.registry import Entry
from sheetrun.runtime.signatures import LIFTED

#: Functions that can be computed for all cells of a block at once from arguments that are arrays over the block.
_OVER: Final = frozenset({"SUM", "MAX", "MIN", "AVERAGE", "COUNT", "COUNTA", "PRODUCT", "AND", "OR"})
#: Those of them that can be computed over ranges that grow from cell to cell (``SUM(A$2:A2)``) in one pass.
_GROWING: Final = _OVER - {"AND", "OR"}
_FLOWS: Final = frozenset({"NPV", "IRR"})  #: computed for many lanes at once


class Operands(Protocol):
    """What writes the operands of a call."""

    def number(self, node: Any, tight: int = 0) -> str: ...

    def value(self, node: Any) -> str: ...


def whole_call(node: nodes.Call, entry: Entry, references: References, operands: Operands) -> str | None:
    """Over a block: a reduction of each cell's arguments, or None for an ordinary call; else raises NotWhole."""
    if entry.volatile or entry.needs_host or entry.returns in ("array", "ref") or node.name in GIVING_ARRAYS:
        raise NotWhole
    if node.name in _OVER:
        return _reduction(node, references, operands)
    if node.name in _FLOWS and references.layout.lanes:
        return _flows(node, references, operands)
    if node.name == "CHOOSE" and any(not _same_for_all(a, references) for a in node.args[:1]):
        raise NotWhole
    for i, arg in enumerate(node.args):
        kind = entry.kind_of(i)
        if kind in LIFTED or kind == "lazy" or node.name in PASSING:
            if holds_constant(arg):
                raise NotWhole
        elif not _same_for_all(arg, references):
            raise NotWhole
    if node.name == "INDEX":  # an index of 0 is a whole row or column; what stands in a blank may be one
        known = references.layout.blanks is None and len(node.args) > 1
        if not known or is_zero(node.args[1]) or is_zero(node.args[-1]):
            raise NotWhole
    return None


def _same_for_all(node: Any, references: References) -> bool:
    """Whether an argument is the same for every cell of the block."""
    for n in walk(node):
        if isinstance(n, Range):
            if not references.same(n):
                return False
        elif isinstance(n, nodes.Number):
            if references.layout.blanks is not None and n.value in references.layout.blanks:
                return False
        elif isinstance(n, nodes.Name | nodes.Invoke):
            return False
        elif isinstance(n, nodes.Call) and n.name not in ("LET", "LAMBDA"):
            entry = entry_of(n)
            if entry.volatile or entry.needs_host:
                return False
    return True


def _reduction(node: nodes.Call, references: References, operands: Operands) -> str:
    """SUM(A2:C2, E2) for all rows at once: each argument gives the cells of its window to each cell of the block."""
    names = references.names
    if len(node.args) == 1 and isinstance(node.args[0], Range) and node.name in _GROWING:
        grown = references.growing(node.args[0])
        if grown is not None:
            return names.call("over", names.imported(function_name(node.name)), grown)
    parts = []
    for arg in node.args:
        inner = arg.inner if isinstance(arg, nodes.Paren) else arg
        if isinstance(inner, Range):
            parts.append(references.window(inner))
        elif refers(arg) or holds_constant(arg):
            raise NotWhole  # SUM(IF(x,A1,B1)) passes over a text in A1, and over() sees the text alone
        else:
            parts.append(operands.value(arg))
    return names.call("over", names.imported(function_name(node.name)), *parts)


def _flows(node: nodes.Call, references: References, operands: Operands) -> str:
    """NPV and IRR of one range of cash flows, for each cell in every lane."""
    values, others = (node.args[-1], node.args[:-1]) if node.name == "NPV" else (node.args[0], node.args[1:])
    if not isinstance(values, Range) or (node.name == "NPV" and len(others) != 1):
        raise NotWhole
    if any(isinstance(n, nodes.Missing | nodes.ArrayConst) for other in others for n in walk(other)):
        raise NotWhole
    sides = [operands.number(other) for other in others]
    names = references.names
    return names.call("flows", names.imported(function_name(node.name)), references.window(values), *sides)
