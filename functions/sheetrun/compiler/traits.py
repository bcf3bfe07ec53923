"""What a part of a formula is like, as far as its text tells: a reference, an array, arithmetic."""

from __future__ import annotations

from typing import Any, Final, TypeGuard

from sheetrun.compiler.ranges import Range
from sheetrun.compiler.trees import children, walk
from sheetrun.compiler.units import entry_of
from sheetrun.formula import nodes

#: Functions that may give an array, beside those that always do.
GIVING_ARRAYS: Final = frozenset({"TAKE", "DROP", "TRIMRANGE", "REDUCE", "REGEXEXTRACT", "FILTERXML"})
_ARRAYS: Final = GIVING_ARRAYS | {"ROW", "COLUMN"}
#: Functions that hand on one of their arguments: what is wanted of the call is wanted of these arguments.
PASSING: Final = frozenset({"IF", "IFS", "IFERROR", "IFNA", "CHOOSE", "SWITCH", "LET"})


def refers(node: Any) -> bool:
    """Whether the result of an argument may be a reference: a range, or a function that hands one on."""
    while isinstance(node, nodes.Paren):
        node = node.inner
    if not isinstance(node, nodes.Call):
        return isinstance(node, Range)
    if node.name in PASSING:
        return any(refers(arg) for arg in node.args[0 if node.name in ("IFERROR", "IFNA") else 1 :])
    return may_refer(node.name)


def may_refer(name: str) -> bool:
    return name in ("INDEX", "CHOOSE", "XLOOKUP", "OFFSET", "INDIRECT", "SINGLE")


def is_call(node: Any) -> TypeGuard[nodes.Call]:
    """Whether a function of the registry is called, which LET and LAMBDA are not."""
    return isinstance(node, nodes.Call) and node.name not in ("LET", "LAMBDA")


def holds_array(node: Any) -> bool:
    """Whether something in an operand may be an array though nothing is in array mode: ROW(A1:A9), FILTER, a constant."""
    return any(
        isinstance(n, nodes.ArrayConst | nodes.Name | nodes.Invoke)
        or (
            is_call(n)
            and (n.name in _ARRAYS or entry_of(n).returns in ("array", "ref") or entry_of(n).kind_of(0) == "ref")
        )
        for n in walk(node)
    )


def gives_array(node: nodes.Call) -> bool:
    """Whether a call of a function that returns a number may give an array though nothing is in array mode."""
    return any(
        isinstance(n, nodes.ArrayConst | nodes.Call | nodes.Name | nodes.Invoke) or holds_array(n)
        for n in children(node)
    )


def holds_constant(node: Any) -> bool:
    """Whether an array constant stands in a part of a formula."""
    return any(isinstance(n, nodes.ArrayConst) for n in walk(node))


def of_cells(node: Any) -> bool:
    """Whether an argument is several cells as they stand, which the functions of the Analysis ToolPak refuse."""
    match node:
        case nodes.Paren(inner):
            return of_cells(inner)
        case Range():
            return not node.single and not node.one
        case nodes.Spill():
            return True
    return False


def joined(node: Any) -> list[Any]:
    """The operands of ``a & b & c``."""
    parts: list[Any] = []
    while isinstance(node, nodes.Binary) and node.op == "&":
        parts.append(node.right)
        node = node.left
    return [node, *reversed(parts)]


def is_arithmetic(node: Any) -> bool:
    while isinstance(node, nodes.Paren):
        node = node.inner
    if isinstance(node, nodes.Binary):
        return node.op in "+-*/^"
    return isinstance(node, nodes.Unary | nodes.Percent)


def is_zero(node: Any) -> bool:
    return isinstance(node, nodes.Missing) or (isinstance(node, nodes.Number) and node.value == 0)
