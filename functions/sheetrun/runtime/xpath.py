"""XPath 1.0 for FILTERXML: a path in, the nodes that it selects out, in document order.

The whole language (https://www.w3.org/TR/1999/REC-xpath-19991116) but for variables, ``id``, ``lang`` and the namespace
axis. An expression is compiled to Python functions of a ``Context``; its values are node lists, floats, texts, logicals.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from sheetrun.runtime.xmlnodes import AXES, Node, descendants, local_name, passes


class XPathError(ValueError):
    """The text is no XPath."""


@dataclass(frozen=True, slots=True)
class Context:
    node: Node
    position: int = 1
    size: int = 1


Value: TypeAlias = list[Node] | float | str | bool
Compiled: TypeAlias = Callable[[Context], Value]


def select(top: Node, path: str) -> list[Node]:
    """The nodes that a path selects from a document. Raises XPathError (what is no node list included)."""
    found = _Parser(path).whole()(Context(top))
    if not isinstance(found, list):
        raise XPathError("the expression selects no nodes")
    return found


# -- conversions and comparison -----------------------------------------------------------------------------------------

_NUMBER: Final = re.compile(r"\s*-?(?:\d+(?:\.\d*)?|\.\d+)\s*\Z", re.ASCII)


def _text(value: Value) -> str:
    if isinstance(value, list):
        return value[0].value() if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isfinite(value):
            return str(int(value)) if value.is_integer() else repr(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _number(value: Value) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, bool):
        return float(value)
    text = _text(value)
    return float(text) if _NUMBER.match(text) else math.nan


def _truth(value: Value) -> bool:
    if isinstance(value, float):
        return value != 0.0 and not math.isnan(value)
    return bool(value)


_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _compared(op: str, left: Value, right: Value) -> bool:
    """Of node lists it is enough that one node holds (3.4 of the recommendation)."""
    if isinstance(left, list) and not isinstance(right, bool):
        return any(_compared(op, node.value(), right) for node in left)
    if isinstance(right, list) and not isinstance(left, bool):
        return any(_compared(op, left, node.value()) for node in right)
    compare = _COMPARE[op]
    if op not in ("=", "!="):
        return compare(_number(left), _number(right))
    if isinstance(left, bool) or isinstance(right, bool):
        return compare(_truth(left), _truth(right))
    if isinstance(left, float) or isinstance(right, float):
        return compare(_number(left), _number(right))
    return compare(left, right)


# -- functions ----------------------------------------------------------------------------------------------------------


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
    return math.fsum(_number([node]) for node in _nodes(nodes))


def _nodes(value: Value) -> list[Node]:
    if not isinstance(value, list):
        raise XPathError("a function wants nodes")
    return value


def _divided(a: float, b: float) -> float:
    if b == 0.0:
        return math.nan if a == 0.0 or math.isnan(a) else math.copysign(math.inf, a)
    return a / b


def _remainder(a: float, b: float) -> float:
    return math.fmod(a, b) if b != 0.0 and math.isfinite(a) else math.nan


def _name(value: Value, convert: Callable[[str], str]) -> str:
    return convert(_nodes(value)[0].name) if value else ""


#: name -> (function, how its arguments are converted, least number of arguments). One that has no argument where it may
#: have one works on the context's node.
_FUNCTIONS: Final[dict[str, tuple[Callable[..., Value], tuple[Callable[[Value], Any], ...], int]]] = {
    "count": (lambda nodes: float(len(nodes)), (_nodes,), 1),
    "sum": (_total, (_nodes,), 1),
    "name": (lambda v: _name(v, str), (_nodes,), 0),
    "local-name": (lambda v: _name(v, local_name), (_nodes,), 0),
    "namespace-uri": (lambda v: _name(v, lambda name: name[1:].rpartition("}")[0]), (_nodes,), 0),
    "string": (lambda v: v, (_text,), 0),
    "starts-with": (str.startswith, (_text, _text), 2),
    "contains": (lambda a, b: b in a, (_text, _text), 2),
    "substring-before": (lambda a, b: a.partition(b)[0] if b in a else "", (_text, _text), 2),
    "substring-after": (lambda a, b: a.partition(b)[2], (_text, _text), 2),
    "substring": (_substring, (_text, _number, _number), 2),
    "string-length": (lambda text: float(len(text)), (_text,), 0),
    "normalize-space": (lambda text: " ".join(text.split()), (_text,), 0),
    "translate": (_translate, (_text, _text, _text), 3),
    "boolean": (lambda v: v, (_truth,), 1),
    "not": (lambda v: not v, (_truth,), 1),
    "true": (lambda: True, (), 0),
    "false": (lambda: False, (), 0),
    "number": (lambda v: v, (_number,), 0),
    "floor": (lambda v: float(math.floor(v)) if math.isfinite(v) else v, (_number,), 1),
    "ceiling": (lambda v: float(math.ceil(v)) if math.isfinite(v) else v, (_number,), 1),
    "round": (_round, (_number,), 1),
}

# -- the parser ---------------------------------------------------------------------------------------------------------

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<literal>"[^"]*"|'[^']*')|(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<sign>//|::|\.\.|!=|<=|>=|[/.@()\[\],|+\-=<>*])
    |(?P<word>[^\W\d][\w.\-]*(?::(?:\*|[^\W\d][\w.\-]*))?))""",
    re.VERBOSE,
)
_LEVELS: Final = (("or",), ("and",), ("=", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "div", "mod"))
_ARITHMETIC: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "div": _divided,
    "mod": _remainder,
}
_DEEPEST: Final = 60


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        text, at = text.strip(), 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise XPathError("a character that has no meaning")
            self.tokens.append(match[match.lastgroup or 0])
            at = match.end()
        self.at = self.depth = 0

    def whole(self) -> Compiled:
        found = self.level(0)
        if self.at < len(self.tokens):
            raise XPathError("the expression goes on after its end")
        return found

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> bool:
        if self.peek() in wanted and self.peek():
            self.at += 1
            return True
        return False

    def demand(self, token: str) -> None:
        if not self.take(token):
            raise XPathError(f"{token} is missing")

    def level(self, depth: int) -> Compiled:
        if depth == len(_LEVELS):
            return self.unary()
        left = self.level(depth + 1)
        while self.peek() in _LEVELS[depth]:
            op = self.peek()
            self.at += 1
            left = self.joined(op, left, self.level(depth + 1))
        return left

    @staticmethod
    def joined(op: str, left: Compiled, right: Compiled) -> Compiled:
        if op == "or":
            return lambda at: _truth(left(at)) or _truth(right(at))
        if op == "and":
            return lambda at: _truth(left(at)) and _truth(right(at))
        if op in _COMPARE:
            return lambda at: _compared(op, left(at), right(at))
        compute = _ARITHMETIC[op]
        return lambda at: compute(_number(left(at)), _number(right(at)))

    def unary(self) -> Compiled:
        if self.take("-"):
            inner = self.unary()
            return lambda at: -_number(inner(at))
        left = self.path()
        while self.take("|"):
            left = partial(_united, left, self.path())
        return left

    def path(self) -> Compiled:
        """A location path, or an expression that steps may follow."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise XPathError("the expression is too deep")
        token, following = self.peek(), self.tokens[self.at + 1 : self.at + 2]
        start: Compiled = lambda at: [at.node]  # noqa: E731 - replaced below
        steps: list[Callable[[list[Node]], list[Node]]] = []
        if token in ("/", "//"):
            start = _root
            self.at += 1
            if token == "//":  # a token of a path  # nosec B105
                steps += [_whole_tree, self.step()]
            elif self.starts_step():
                steps.append(self.step())
        elif token[:1] in ("'", '"', "(") or token[:1].isdigit() or (token[:1] == "." and token[1:].isdigit()):
            start = self.filtered(self.primary())
        elif following == ["("] and token in _FUNCTIONS | _POSITIONS | {"concat": 0}:
            start = self.filtered(self.call())
        else:
            steps.append(self.step())
        while self.peek() in ("/", "//"):
            if self.take("//"):
                steps.append(_whole_tree)
            else:
                self.at += 1
            steps.append(self.step())
        self.depth -= 1
        return partial(_walked, start, tuple(steps)) if steps or start is _root else start

    def starts_step(self) -> bool:
        return self.peek() in (".", "..", "@", "*") or self.peek()[:1].isalpha() or self.peek()[:1] == "_"

    def primary(self) -> Compiled:
        if self.take("("):
            inner = self.level(0)
            self.demand(")")
            return inner
        token = self.peek()
        self.at += 1
        value: Value = token[1:-1] if token[0] in "'\"" else float(token)
        return lambda at: value

    def call(self) -> Compiled:
        name = self.peek()
        self.at += 2
        args: list[Compiled] = []
        while not self.take(")"):
            if args:
                self.demand(",")
            args.append(self.level(0))
        if name in _POSITIONS:
            return _POSITIONS[name]
        if name == "concat":
            return lambda at: "".join(_text(arg(at)) for arg in args)
        function, kinds, least = _FUNCTIONS[name]
        if not least <= len(args) <= len(kinds):
            raise XPathError(f"{name} has another number of arguments")
        if not args and kinds:
            args.append(lambda at: [at.node])
        return lambda at: function(*(kind(arg(at)) for kind, arg in zip(kinds, args, strict=False)))

    def filtered(self, inner: Compiled) -> Compiled:
        while self.take("["):
            inner = partial(_kept, inner, self.level(0))
            self.demand("]")
        return inner

    def step(self) -> Callable[[list[Node]], list[Node]]:
        if self.take("."):
            return lambda nodes: nodes
        if self.take(".."):
            axis, test = "parent", "node()"
        else:
            axis = "attribute" if self.take("@") else "child"
            if self.tokens[self.at + 1 : self.at + 2] == ["::"]:
                axis = self.peek()
                self.at += 2
            test = self.peek()
            if axis not in AXES or not (test == "*" or test[:1].isalpha() or test[:1] == "_"):
                raise XPathError("a step has no name")
            self.at += 1
            if self.take("("):
                self.demand(")")
                test += "()"
                if test not in ("node()", "text()", "comment()", "processing-instruction()"):
                    raise XPathError(f"the function {test} is not known")
        conditions = []
        while self.take("["):
            conditions.append(self.level(0))
            self.demand("]")
        return partial(_stepped, AXES[axis], passes(test, axis), tuple(conditions))


_POSITIONS: Final[dict[str, Compiled]] = {
    "last": lambda at: float(at.size),
    "position": lambda at: float(at.position),
}


def _root(at: Context) -> list[Node]:
    node = at.node
    while node.parent is not None:
        node = node.parent
    return [node]


def _whole_tree(nodes: list[Node]) -> list[Node]:
    return _ordered(each for node in nodes for each in (node, *descendants(node)))


def _ordered(nodes: Iterator[Node]) -> list[Node]:
    """Document order, each node once."""
    return [node for _, node in sorted({node.order: node for node in nodes}.items())]


def _walked(start: Compiled, steps: tuple[Callable[[list[Node]], list[Node]], ...], at: Context) -> list[Node]:
    nodes = _nodes(start(at))
    for step in steps:
        nodes = step(nodes)
    return nodes


def _united(left: Compiled, right: Compiled, at: Context) -> list[Node]:
    return _ordered(iter([*_nodes(left(at)), *_nodes(right(at))]))


def _kept(inner: Compiled, condition: Compiled, at: Context) -> list[Node]:
    return _holding(_nodes(inner(at)), condition)


def _holding(nodes: list[Node], condition: Compiled) -> list[Node]:
    """A number as a condition is a position."""
    kept = []
    for place, node in enumerate(nodes, 1):
        value = condition(Context(node, place, len(nodes)))
        if value == place if isinstance(value, float) else _truth(value):
            kept.append(node)
    return kept


def _stepped(
    axis: Callable[[Node], Any], passes: Callable[[Node], bool], conditions: tuple[Compiled, ...], nodes: list[Node]
) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        chosen = [each for each in axis(node) if passes(each)]
        for condition in conditions:
            chosen = _holding(chosen, condition)
        found += chosen
    return _ordered(iter(found))
