"""An expression compiled to Python functions of a ``Context``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from sheetrun.runtime.xmlnodes import AXES, Node, passes
from sheetrun.runtime.xpath.functions import ARITHMETIC, FUNCTIONS
from sheetrun.runtime.xpath.steps import Compiled, kept, root, stepped, united, walked, whole_tree
from sheetrun.runtime.xpath.values import COMPARISONS, Value, XPathError, compared, number_of, text_of, truth_of

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<literal>"[^"]*"|'[^']*')|(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<sign>//|::|\.\.|!=|<=|>=|[/.@()\[\],|+\-=<>*])
    |(?P<word>[^\W\d][\w.\-]*(?::(?:\*|[^\W\d][\w.\-]*))?))""",
    re.VERBOSE,
)
_LEVELS: Final = (("or",), ("and",), ("=", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "div", "mod"))
_DEEPEST: Final = 60


class Parser:
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
            return lambda at: truth_of(left(at)) or truth_of(right(at))
        if op == "and":
            return lambda at: truth_of(left(at)) and truth_of(right(at))
        if op in COMPARISONS:
            return lambda at: compared(op, left(at), right(at))
        compute = ARITHMETIC[op]
        return lambda at: compute(number_of(left(at)), number_of(right(at)))

    def unary(self) -> Compiled:
        if self.take("-"):
            inner = self.unary()
            return lambda at: -number_of(inner(at))
        left = self.path()
        while self.take("|"):
            left = partial(united, left, self.path())
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
            start = root
            self.at += 1
            if token == "//":  # a token of a path  # nosec B105
                steps += [whole_tree, self.step()]
            elif self.starts_step():
                steps.append(self.step())
        elif token[:1] in ("'", '"', "(") or token[:1].isdigit() or (token[:1] == "." and token[1:].isdigit()):
            start = self.filtered(self.primary())
        elif following == ["("] and token in FUNCTIONS | _POSITIONS | {"concat": 0}:
            start = self.filtered(self.call())
        else:
            steps.append(self.step())
        while self.peek() in ("/", "//"):
            if self.take("//"):
                steps.append(whole_tree)
            else:
                self.at += 1
            steps.append(self.step())
        self.depth -= 1
        return partial(walked, start, tuple(steps)) if steps or start is root else start

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
            return lambda at: "".join(text_of(arg(at)) for arg in args)
        function, kinds, least = FUNCTIONS[name]
        if not least <= len(args) <= len(kinds):
            raise XPathError(f"{name} has another number of arguments")
        if not args and kinds:
            args.append(lambda at: [at.node])
        return lambda at: function(*(kind(arg(at)) for kind, arg in zip(kinds, args, strict=False)))

    def filtered(self, inner: Compiled) -> Compiled:
        while self.take("["):
            inner = partial(kept, inner, self.level(0))
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
        return partial(stepped, AXES[axis], passes(test, axis), tuple(conditions))


_POSITIONS: Final[dict[str, Compiled]] = {
    "last": lambda at: float(at.size),
    "position": lambda at: float(at.position),
}
