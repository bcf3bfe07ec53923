"""XPath 1.0 for FILTERXML: a path in, the nodes that it selects out, in document order.

The whole language (https://www.w3.org/TR/1999/REC-xpath-19991116) but for variables, ``id``, ``lang`` and the namespace
axis. An expression is compiled to Python functions of a ``Context``; its values are node lists, floats, texts, logicals.
"""

from __future__ import annotations

from sheetrun.runtime.xmlnodes import Node
from sheetrun.runtime.xpath.parser import Parser
from sheetrun.runtime.xpath.steps import Context
from sheetrun.runtime.xpath.values import XPathError

__all__ = ["XPathError", "select"]


def select(top: Node, path: str) -> list[Node]:
    """The nodes that a path selects from a document. Raises XPathError (what is no node list included)."""
    found = Parser(path).whole()(Context(top))
    if not isinstance(found, list):
        raise XPathError("the expression selects no nodes")
    return found
