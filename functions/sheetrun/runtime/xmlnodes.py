"""An XML document as the nodes that XPath knows, and the axes along which it walks from one to another."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from typing import Final

from sheetrun.records import dataclass


@dataclass(eq=False, slots=True)
class Node:
    """An element, an attribute, a piece of text, or the document (``kind``: element, attribute, text, root)."""

    kind: str
    name: str
    order: int
    parent: Node | None = None
    text: str = ""
    children: list[Node] = field(default_factory=list)
    attributes: list[Node] = field(default_factory=list)

    def value(self) -> str:
        if self.kind in ("attribute", "text"):
            return self.text
        return "".join(node.text for node in descendants(self) if node.kind == "text")


def document(root: ET.Element) -> Node:
    """The nodes of a parsed document."""
    top, count = Node("root", "", 0), 1
    stack: list[tuple[ET.Element, Node]] = []

    def add(parent: Node, kind: str, name: str, text: str) -> Node:
        nonlocal count
        made = Node(kind, name, count, parent, text)
        (parent.attributes if kind == "attribute" else parent.children).append(made)
        count += 1
        return made

    def enter(element: ET.Element, parent: Node) -> None:
        made = add(parent, "element", element.tag, "")
        for key, text in element.attrib.items():
            add(made, "attribute", key, text)
        if element.text:
            add(made, "text", "", element.text)
        stack.append((element, made))

    places: list[int] = [0]
    enter(root, top)
    while stack:
        element, made = stack[-1]
        at = places[-1]
        if at:  # after a child
            tail = element[at - 1].tail
            if tail:
                add(made, "text", "", tail)
        if at == len(element):
            stack.pop()
            places.pop()
            continue
        places[-1] += 1
        places.append(0)
        enter(element[at], made)
    return top


def descendants(node: Node) -> Iterator[Node]:
    """All below a node but attributes, in document order."""
    stack = list(reversed(node.children))
    while stack:
        each = stack.pop()
        yield each
        stack.extend(reversed(each.children))


def _ancestors(node: Node) -> Iterator[Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def _siblings(node: Node, step: int) -> Iterator[Node]:
    if node.parent is not None and node.kind != "attribute":
        at = next(i for i, each in enumerate(node.parent.children) if each is node) + step
        around = node.parent.children
        while 0 <= at < len(around):
            yield around[at]
            at += step


def _beyond(node: Node, step: int) -> Iterator[Node]:
    """following (step 1) and preceding (-1): all that stands after or before, without ancestors and descendants."""
    for each in (node, *_ancestors(node)):
        for sibling in _siblings(each, step):
            inside = [sibling, *descendants(sibling)]
            yield from inside if step > 0 else reversed(inside)


AXES: Final[dict[str, Callable[[Node], Iterable[Node]]]] = {
    "child": lambda node: node.children,
    "descendant": descendants,
    "descendant-or-self": lambda node: (node, *descendants(node)),
    "parent": lambda node: (node.parent,) if node.parent is not None else (),
    "ancestor": _ancestors,
    "ancestor-or-self": lambda node: (node, *_ancestors(node)),
    "following-sibling": lambda node: _siblings(node, 1),
    "preceding-sibling": lambda node: _siblings(node, -1),
    "following": lambda node: _beyond(node, 1),
    "preceding": lambda node: _beyond(node, -1),
    "attribute": lambda node: node.attributes,
    "self": lambda node: (node,),
}


def passes(test: str, axis: str) -> Callable[[Node], bool]:
    """Whether a node of an axis is what a step names."""
    principal = "attribute" if axis == "attribute" else "element"
    if test == "node()":
        return lambda node: True
    if test == "text()":
        return lambda node: node.kind == "text"
    if test.endswith(")"):  # comments and instructions are not kept
        return lambda node: False
    if test == "*":
        return lambda node: node.kind == principal
    if ":" in test:  # prefixes of an expression are not declared anywhere: the local name decides
        local = test.partition(":")[2]
        return lambda node: node.kind == principal and local in ("*", local_name(node.name))
    return lambda node: node.kind == principal and node.name == test


def local_name(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]
