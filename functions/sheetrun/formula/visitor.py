"""Walks and rewrites trees without recursion: a sum of four thousand terms is a tree four thousand deep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sheetrun.formula.nodes import (
    Binary,
    Call,
    Implicit,
    Intersection,
    Invoke,
    Node,
    Paren,
    Percent,
    RangeOp,
    Spill,
    Unary,
    Union,
)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, from left to right; none for literals and references."""
    match node:
        case Binary(_, left, right) | RangeOp(left, right) | Intersection(left, right):
            return (left, right)
        case Call(_, args):
            return args
        case Paren(inner) | Unary(_, inner) | Percent(inner) | Implicit(inner) | Spill(inner):
            return (inner,)
        case Union(parts):
            return parts
        case Invoke(function, args):
            return (function, *args)
        case _:
            return ()


def with_children(node: Node, new: Sequence[Node]) -> Node:
    """The node with other nodes below it, as many as ``children`` gives."""
    match node:
        case Binary(op):
            left, right = new
            return Binary(op, left, right)
        case RangeOp():
            return RangeOp(*new)
        case Intersection():
            return Intersection(*new)
        case Call(name):
            return Call(name, tuple(new))
        case Paren():
            return Paren(*new)
        case Unary(op):
            return Unary(op, *new)
        case Percent():
            return Percent(*new)
        case Implicit():
            return Implicit(*new)
        case Spill():
            return Spill(*new)
        case Union():
            return Union(tuple(new))
        case Invoke():
            return Invoke(new[0], tuple(new[1:]))
        case _:
            return node


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it: each before what is below it, from left to right."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def map_children(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with ``change`` applied to each node directly below; the same object where nothing changed."""
    old = children(node)
    new = [change(child) for child in old]
    return node if all(map(_same, old, new)) else with_children(node, new)


def transform(node: Node, change: Callable[[Node], Node]) -> Node:
    """The tree with ``change`` applied to every node, from the leaves up; unchanged parts stay the same objects."""
    done: list[Node] = []
    waiting: list[tuple[Node, bool]] = [(node, False)]
    while waiting:
        current, ready = waiting.pop()
        below = children(current)
        if below and not ready:
            waiting.append((current, True))
            waiting.extend((child, False) for child in reversed(below))
            continue
        if below:
            new = done[-len(below) :]
            del done[-len(below) :]
            if not all(map(_same, below, new)):
                current = with_children(current, new)
        done.append(change(current))
    return done[0]


def _same(old: Node, new: Node) -> bool:
    return old is new
