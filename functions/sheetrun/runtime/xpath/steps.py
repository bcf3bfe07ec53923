"""Walking a document: from nodes to nodes, in document order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from sheetrun.records import dataclass
from sheetrun.runtime.xmlnodes import Node, descendants
from sheetrun.runtime.xpath.values import Value, nodes_of, truth_of


@dataclass(frozen=True, slots=True)
class Context:
    node: Node
    position: int = 1
    size: int = 1


Compiled: TypeAlias = Callable[[Context], Value]


def root(at: Context) -> list[Node]:
    node = at.node
    while node.parent is not None:
        node = node.parent
    return [node]


def whole_tree(nodes: list[Node]) -> list[Node]:
    return _ordered(each for node in nodes for each in (node, *descendants(node)))


def _ordered(nodes: Iterator[Node]) -> list[Node]:
    """Document order, each node once."""
    return [node for _, node in sorted({node.order: node for node in nodes}.items())]


def walked(start: Compiled, steps: tuple[Callable[[list[Node]], list[Node]], ...], at: Context) -> list[Node]:
    nodes = nodes_of(start(at))
    for step in steps:
        nodes = step(nodes)
    return nodes


def united(left: Compiled, right: Compiled, at: Context) -> list[Node]:
    return _ordered(iter([*nodes_of(left(at)), *nodes_of(right(at))]))


def kept(inner: Compiled, condition: Compiled, at: Context) -> list[Node]:
    return _holding(nodes_of(inner(at)), condition)


def _holding(nodes: list[Node], condition: Compiled) -> list[Node]:
    """A number as a condition is a position."""
    found = []
    for place, node in enumerate(nodes, 1):
        value = condition(Context(node, place, len(nodes)))
        if value == place if isinstance(value, float) else truth_of(value):
            found.append(node)
    return found


def stepped(
    axis: Callable[[Node], Any], passes: Callable[[Node], bool], conditions: tuple[Compiled, ...], nodes: list[Node]
) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        chosen = [each for each in axis(node) if passes(each)]
        for condition in conditions:
            chosen = _holding(chosen, condition)
        found += chosen
    return _ordered(iter(found))
