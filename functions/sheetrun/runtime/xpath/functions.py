"""The functions and the arithmetic of XPath."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from sheetrun.runtime.xmlnodes import local_name
from sheetrun.runtime.xpath.values import Value, nodes_of, number_of, text_of, truth_of


def _round(number: float) -> float:
    return float(math.floor(number + 0.5)) if math.isfinite(number) else number


def _substring(text: str, start: float, length: float = math.inf) -> str:
    first = _round(start)
    last = first + _round(length)
    return "".join(c for at, c in enumerate(text, 1) if first <= at < last)


def _translate(text: str, old: str, new: str) -> str:
    table: dict[int, str] = {}
    for at, char in enumerate(old):
        table.setdefault(ord(char), new[at : at + 1])
    return text.translate(table)


def _total(nodes: Value) -> float:
    return math.fsum(number_of([node]) for node in nodes_of(nodes))


def _divided(a: float, b: float) -> float:
    if b == 0.0:
        return math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a)
    return a / b


def _remainder(a: float, b: float) -> float:
    return math.fmod(a, b) if b != 0.0 and math.isfinite(a) else math.nan


def _name(value: Value, convert: Callable[[str], str]) -> str:
    return convert(nodes_of(value)[0].name) if value else ""


#: name -> (function, how its arguments are converted, least number of arguments). One that has no argument where it may
#: have one works on the context's node.
FUNCTIONS: Final[dict[str, tuple[Callable[..., Value], tuple[Callable[[Value], Any], ...], int]]] = {
    "count": (lambda nodes: float(len(nodes)), (nodes_of,), 1),
    "sum": (_total, (nodes_of,), 1),
    "name": (lambda v: _name(v, str), (nodes_of,), 0),
    "local-name": (lambda v: _name(v, local_name), (nodes_of,), 0),
    "namespace-uri": (lambda v: _name(v, lambda name: name[1:].rpartition("}")[0]), (nodes_of,), 0),
    "string": (lambda v: v, (text_of,), 0),
    "starts-with": (str.startswith, (text_of, text_of), 2),
    "contains": (lambda a, b: b in a, (text_of, text_of), 2),
    "substring-before": (lambda a, b: a.partition(b)[0] if b in a else "", (text_of, text_of), 2),
    "substring-after": (lambda a, b: a.partition(b)[2], (text_of, text_of), 2),
    "substring": (_substring, (text_of, number_of, number_of), 2),
    "string-length": (lambda text: float(len(text)), (text_of,), 0),
    "normalize-space": (lambda text: " ".join(text.split()), (text_of,), 0),
    "translate": (_translate, (text_of, text_of, text_of), 3),
    "boolean": (lambda v: v, (truth_of,), 1),
    "not": (lambda v: not v, (truth_of,), 1),
    "true": (lambda: True, (), 0),
    "false": (lambda: False, (), 0),
    "number": (lambda v: v, (number_of,), 0),
    "floor": (lambda v: float(math.floor(v)) if math.isfinite(v) else v, (number_of,), 1),
    "ceiling": (lambda v: float(math.ceil(v)) if math.isfinite(v) else v, (number_of,), 1),
    "round": (_round, (number_of,), 1),
}
ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": _divided,
    "mod": _remainder,
}
