"""Walks over formula trees, resolved or not: which nodes stand under a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, Final

from sheetrun.compiler.ranges import Defined, Passed, Range
from sheetrun.formula import nodes

_NO_NODES: Final = frozenset({"str", "float", "bool", "int"})  #: annotations of fields that hold no nodes
_fields: Final[dict[type[Any], tuple[str, ...]]] = {}


def child_fields(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a kind of node that may hold nodes."""
    found = _fields.get(kind)
    if found is None:
        leaf = kind in (Range, Defined, Passed, nodes.ArrayConst)
        found = _fields[kind] = () if leaf else tuple(f.name for f in fields(kind) if f.type not in _NO_NODES)
    return found


def is_node(value: Any) -> bool:
    """Whether a field's value is a node (axes and prefixes belong to theirs)."""
    return hasattr(value, "__dataclass_fields__") and not isinstance(value, nodes.Axis | nodes.Prefix)


def children(node: Any) -> list[Any]:
    """The nodes right under a node."""
    out: list[Any] = []
    for name in child_fields(type(node)):
        value = getattr(node, name)
        if type(value) is tuple:
            out.extend(v for v in value if is_node(v))
        elif is_node(value):
            out.append(value)
    return out


def walk(tree: Any) -> Iterator[Any]:
    """All nodes of a tree, parents first."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(children(node))


def depth(tree: Any, most: int) -> int:
    """How many levels a tree has; counting stops above ``most``."""
    level, count = [tree], 0
    while level and count <= most:
        level, count = [child for node in level for child in children(node)], count + 1
    return count


def rebuilt(node: Any, leaf: Callable[[Any], Any]) -> Any:
    """The tree with what ``leaf`` makes of its nodes: another node, or the same one for those to be looked into."""
    new = leaf(node)
    if new is not node:
        return new
    changes: dict[str, Any] = {}
    for name in child_fields(type(node)):
        value = getattr(node, name)
        if type(value) is tuple:
            changes[name] = tuple([rebuilt(v, leaf) if is_node(v) else v for v in value])
        elif is_node(value):
            changes[name] = rebuilt(value, leaf)
    return replace(node, **changes) if changes else node
