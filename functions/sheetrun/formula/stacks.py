"""The stacks of the parser: operators that wait for their right side, and parentheses and calls that are open.

Kept apart from the grammar (``parser``): here is how values are joined to nodes, and what a failure says.
"""

from __future__ import annotations

from typing import Final, NamedTuple, NoReturn

from sheetrun.formula import lexer, literals
from sheetrun.formula.errors import FormulaError, FormulaTooLarge
from sheetrun.formula.nodes import (
    Area,
    ArrayConst,
    Binary,
    Call,
    Cell,
    Implicit,
    Intersection,
    Invoke,
    Logical,
    Missing,
    Node,
    Number,
    Percent,
    Prefix,
    RangeOp,
    Spill,
    Text,
    Unary,
    Union,
)

#: Parentheses, calls and signs inside one another. Excel stops at 64 calls; a tree this deep is still safe to walk.
MAX_DEPTH = 256

RANGE: Final = 9
INTERSECTION: Final = 8
IMPLICIT: Final = 7
PERCENT: Final = 6
SIGN: Final = 5
PRECEDENCE: Final = {
    "^": 4,
    "*": 3,
    "/": 3,
    "+": 2,
    "-": 2,
    "&": 1,
    "=": 0,
    "<>": 0,
    "<": 0,
    "<=": 0,
    ">": 0,
    ">=": 0,
}
_NO_REFERENCE: Final = (Number, Text, Logical, ArrayConst, Binary, Unary, Percent)


class Operator(NamedTuple):
    """An operator that waits for its right side. ``left`` is None for a sign and ``@``."""

    precedence: int
    symbol: str
    left: Node | None
    place: int  #: index of its token


class Frame(NamedTuple):
    """What an open parenthesis interrupted, and what it opened: a group, NAME(…) or function(…)."""

    operators: list[Operator]
    arguments: list[Node]
    name: str | None
    function: Node | None
    place: int  #: index of the token that opened it
    postfixes: int


MISSING: Final = Missing()


class Stacks:
    """What has been read of one formula, for a host cell at (row, col)."""

    __slots__ = (
        "arguments",
        "col",
        "depth",
        "frames",
        "index",
        "operators",
        "postfixes",
        "prefix",
        "r1c1",
        "row",
        "text",
        "value",
    )

    def __init__(self, text: str, row: int, col: int, r1c1: bool) -> None:
        self.text = text
        self.row = row
        self.col = col
        self.r1c1 = r1c1
        self.index = 0  #: of the token being read
        self.value: Node = MISSING  #: the value just read
        self.prefix: Prefix | None = None  #: read, and waiting for its reference
        self.operators: list[Operator] = []  #: of the innermost frame
        self.arguments: list[Node] = []  #: of the innermost frame
        self.frames: list[Frame] = []
        self.depth = 0
        self.postfixes = 0  #: how many in a row

    def reduce(self, precedence: int) -> None:
        """Give the value to the waiting operators that bind at least as tightly."""
        operators = self.operators
        value = self.value
        while operators and operators[-1].precedence >= precedence:
            tightness, symbol, left, index = operators.pop()
            if left is None:
                self.depth -= 1
                value = Implicit(value) if symbol == "@" else Unary(symbol, value)
            elif tightness < SIGN:
                value = Binary(symbol, left, value)
            else:
                self.require_reference(left, index, symbol)
                self.require_reference(value, index, symbol)
                value = _span(left, value) if tightness == RANGE else Intersection(left, value)
        self.value = value

    def push_prefix(self, precedence: int, symbol: str) -> None:
        """A sign or ``@``. After a tighter operator it is as tight: ``A1:@B1:C1`` is ``(A1:@B1):C1``."""
        self.deepen()
        if self.operators:
            precedence = max(precedence, self.operators[-1].precedence)
        self.operators.append(Operator(precedence, symbol, None, self.index))

    def union(self, parts: list[Node]) -> Node:
        if len(parts) == 1:
            return parts[0]
        for part in parts:
            self.require_reference(part, self.index, ",")
        return Union(tuple(parts))

    def require_reference(self, node: Node, index: int, symbol: str) -> None:
        if isinstance(node, _NO_REFERENCE):
            if symbol == " ":
                self.fail_at(index, "An operator is missing here")
            beside = "before it" if symbol == "#" else "on both sides"
            self.fail_at(index, f"{symbol} needs a reference {beside}")

    def open(self, name: str | None, function: Node | None) -> None:
        self.deepen()
        self.frames.append(Frame(self.operators, self.arguments, name, function, self.index, self.postfixes))
        self.operators = []
        self.arguments = []
        self.postfixes = 0

    def in_call(self) -> bool:
        return bool(self.frames) and (self.frames[-1].name is not None or self.frames[-1].function is not None)

    def finish_call(self) -> None:
        arguments = tuple(self.arguments)
        frame = self.leave_frame()
        if frame.function is not None:
            self.value = Invoke(frame.function, arguments)
            return
        token = frame.name or ""
        name = literals.function_name(token)
        if name in ("ANCHORARRAY", "SINGLE") and literals.is_file_function(token):
            if len(arguments) != 1:
                self.fail_at(frame.place, f"{name} takes one argument, not {len(arguments)}")
            self.value = Spill(arguments[0]) if name == "ANCHORARRAY" else Implicit(arguments[0])
            return
        self.value = Call(name, arguments)

    def leave_frame(self) -> Frame:
        frame = self.frames.pop()
        self.operators = frame.operators
        self.arguments = frame.arguments
        self.postfixes = frame.postfixes
        self.depth -= 1
        return frame

    def deepen(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.too_deep()

    def count_postfix(self) -> None:
        self.postfixes += 1
        if self.postfixes > MAX_DEPTH:
            self.too_deep()

    def too_deep(self) -> NoReturn:
        detail = f"The formula is nested deeper than {MAX_DEPTH} levels"
        raise FormulaTooLarge(detail, self.place(self.index), self.text)

    # -- what a failure says ----------------------------------------------------------------------------------------

    def refuse_dangling(self) -> None:
        if self.operators:
            operator = self.operators[-1]
            symbol = "this blank" if operator.symbol == " " else operator.symbol
            self.fail_at(operator.place, f"A value is missing after {symbol}")

    def fail(self, detail: str, offset: int = 0) -> NoReturn:
        raise FormulaError(detail, self.place(self.index) + offset, self.text)

    def fail_at(self, index: int, detail: str, *, token_end: bool = False) -> NoReturn:
        position = self.place(index)
        if token_end:  # the token of a call begins with its name, and the parenthesis is meant
            position = self.text.index("(", position)
        raise FormulaError(detail, position, self.text)

    def place(self, index: int) -> int:
        return lexer.place(self.text, index, r1c1=self.r1c1)


def _span(left: Node, right: Node) -> Node:
    """``left:right``; with blanks around the colon two plain cells are still one area."""
    if isinstance(left, Cell) and isinstance(right, Cell) and right.prefix is None:
        return Area(left.row, left.col, right.row, right.col, left.prefix)
    return RangeOp(left, right)
