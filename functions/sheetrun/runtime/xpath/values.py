"""The values of XPath (nodes, numbers, texts, logicals): how one becomes another, and how they compare."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from sheetrun.runtime.xmlnodes import Node


class XPathError(ValueError):
    """The text is no XPath."""


Value: TypeAlias = list[Node] | float | str | bool

_NUMBER: Final = re.compile(r"\s*-?(?:\d+(?:\.\d*)?|\.\d+)\s*\Z", re.ASCII)


def text_of(value: Value) -> str:
    if isinstance(value, list):
        return value[0].value() if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isfinite(value):
            return str(int(value)) if value.is_integer() else repr(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def number_of(value: Value) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, bool):
        return float(value)
    text = text_of(value)
    return float(text) if _NUMBER.match(text) else math.nan


def truth_of(value: Value) -> bool:
    if isinstance(value, float):
        return value != 0.0 and not math.isnan(value)
    return bool(value)


COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compared(op: str, left: Value, right: Value) -> bool:
    """Of node lists it is enough that one node holds (3.4 of the recommendation)."""
    if isinstance(left, list) and not isinstance(right, bool):
        return any(compared(op, node.value(), right) for node in left)
    if isinstance(right, list) and not isinstance(left, bool):
        return any(compared(op, left, node.value()) for node in right)
    compare = COMPARISONS[op]
    if op not in ("=", "!="):
        return compare(number_of(left), number_of(right))
    if isinstance(left, bool) or isinstance(right, bool):
        return compare(truth_of(left), truth_of(right))
    if isinstance(left, float) or isinstance(right, float):
        return compare(number_of(left), number_of(right))
    return compare(left, right)


def nodes_of(value: Value) -> list[Node]:
    """Raises XPathError for what is no list of nodes."""
    if not isinstance(value, list):
        raise XPathError("a function wants nodes")
    return value
