"""Reads the text of one formula into a tree (``nodes``): Excel's whole grammar, without recursion.

Two states take turns: a value is expected, or a value has been read and an operator may follow. Each state is a table
from the kind of token to the step that handles it; a step returns the next table. Operators that wait for their right
side stand on a stack with their precedence (shunting-yard), open parentheses and calls on a second one, so neither a
long sum nor deep nesting costs Python's stack.

Precedence, tightest first (Microsoft: "Calculation operators and precedence in Excel"):

    :   blank   @x   %   -x +x   ^   * /   + -   &   = <> < <= > >=      and the comma of a union last, in parentheses

All binary operators group to the left, ``^`` too: ``2^3^2`` is 64, and ``-2^2`` is 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

from sheetrun.formula import axes, lexer, literals, r1c1
from sheetrun.formula.errors import FormulaTooLarge
from sheetrun.formula.nodes import (
    Call,
    Error,
    Invoke,
    Logical,
    Name,
    Node,
    Paren,
    Percent,
    Spill,
    Structured,
)
from sheetrun.formula.prefix import read_prefix
from sheetrun.formula.stacks import IMPLICIT, INTERSECTION, MISSING, PERCENT, PRECEDENCE, RANGE, SIGN, Operator, Stacks
from sheetrun.formula.structured import BadReference, read_structured

Step = Callable[["_Parser", str], "Steps"]
Steps = list[Step]


def parse(text: str, row: int, col: int, *, r1c1: bool = False) -> Node:
    """The tree of a formula held by the cell at (row, col), both 0-based; ``r1c1`` says how references are written.

    A leading ``=`` is allowed. Raises FormulaError with the place, FormulaTooLarge beyond ``lexer.MAX_LENGTH`` or
    ``stacks.MAX_DEPTH``.
    """
    if len(text) > lexer.MAX_LENGTH:
        detail = f"The formula has {len(text)} characters, more than {lexer.MAX_LENGTH}"
        raise FormulaTooLarge(detail, lexer.MAX_LENGTH, text)
    return _Parser(text, row, col, r1c1).run()


class _Parser(Stacks):
    """The steps: each handles one kind of token in one state, and returns the table of the next state."""

    __slots__ = ()

    def run(self) -> Node:
        steps = _VALUE
        for index, (kind, token) in enumerate(lexer.tokenize(self.text, r1c1=self.r1c1)):
            self.index = index
            steps = steps[kind](self, token)
        return self.value

    # -- a value is expected -----------------------------------------------------------------------------------------

    def reference(self, token: str) -> Steps:
        if self.r1c1:
            try:
                self.value = r1c1.read_reference(token, self.prefix)
            except ValueError as error:
                self.fail(f"Not a reference: {error}")
        else:
            self.value = axes.a1_reference(token, self.row, self.col, self.prefix)
        self.prefix = None
        return _AFTER

    def rows(self, token: str) -> Steps:
        if self.r1c1:
            try:
                self.value = r1c1.read_rows(token, self.prefix)
            except ValueError as error:
                self.fail(f"Not a reference: {error}")
        else:
            self.value = axes.a1_rows(token, self.row, self.prefix)
        self.prefix = None
        return _AFTER

    def columns(self, token: str) -> Steps:
        if self.r1c1:
            try:
                self.value = r1c1.read_columns(token, self.prefix)
            except ValueError as error:
                self.fail(f"Not a reference: {error}")
        else:
            self.value = axes.a1_columns(token, self.col, self.prefix)
        self.prefix = None
        return _AFTER

    def number(self, token: str) -> Steps:
        try:
            self.value = literals.number(token)
        except literals.BadLiteral as error:
            self.fail(error.detail, error.offset)
        return _AFTER

    def string(self, token: str) -> Steps:
        self.value = literals.text(token)
        return _AFTER

    def array(self, token: str) -> Steps:
        try:
            self.value = literals.array_constant(token)
        except literals.BadLiteral as error:
            self.fail(error.detail, error.offset)
        return _AFTER

    def error(self, token: str) -> Steps:
        self.value = Error(token.upper())
        self.prefix = None
        return _AFTER_REF_ERROR if self.value.code == "#REF!" else _AFTER

    def name(self, token: str) -> Steps:
        upper = token.upper()
        if upper in ("TRUE", "FALSE") and self.prefix is None:
            self.value = Logical(upper == "TRUE")
            return _AFTER
        optional = literals.optional_parameter(token)
        if optional is None:
            self.value = Name(literals.variable_name(token), self.prefix, literals.names_function(token))
        else:
            self.value = Structured(None, (), optional)  # as people type it: [y]
        self.prefix = None
        return _AFTER

    def quoted_name(self, token: str) -> Steps:
        self.value = Name(token[1:-1].replace("''", "'"), self.prefix)
        self.prefix = None
        return _AFTER

    def structured(self, token: str) -> Steps:
        try:
            node = read_structured(token)
        except BadReference as error:
            self.fail(error.detail, error.offset)
        if self.prefix is not None and isinstance(node, Structured):
            node = Structured(node.table, node.items, node.first, node.last, self.prefix)
        self.value = node
        self.prefix = None
        return _AFTER

    def read_prefix(self, token: str) -> Steps:
        self.prefix = read_prefix(token)
        return _AFTER_PREFIX

    def end_of_span(self, token: str) -> Steps:
        """``Sheet1!Start:Sheet1!Stop``: after a prefix, ``Start:Sheet1!`` is a name and another prefix."""
        name, colon, prefix = token.partition(":")
        if not colon or token[0] in "'[":
            self.no_reference(token)
        self.name(name)
        self.colon(colon)
        return self.read_prefix(prefix)

    def sign(self, token: str) -> Steps:
        if token not in "+-":  # a token of a formula  # nosec B105
            self.fail(f"A value is missing before {token}")
        self.push_prefix(SIGN, token)
        return _VALUE

    def at(self, token: str) -> Steps:
        self.push_prefix(IMPLICIT, token)
        return _VALUE

    def open_group(self, token: str) -> Steps:
        self.open(None, None)
        return _VALUE

    def open_call(self, token: str) -> Steps:
        if self.prefix is None:
            self.open(token, None)
        else:  # a name of a sheet or of another workbook that holds a LAMBDA or a macro
            function = Name(literals.variable_name(token), self.prefix, literals.names_function(token))
            self.prefix = None
            self.open(None, function)
        return _VALUE

    def leave_out(self, token: str) -> Steps:
        """A comma where a value is expected: an argument left out."""
        self.refuse_dangling()
        if not self.in_call():
            self.fail("A value is missing before the comma")
        self.arguments.append(MISSING)
        return _VALUE

    def close_without_value(self, token: str) -> Steps:
        self.refuse_dangling()
        if not self.frames:
            self.fail("This parenthesis closes nothing")
        if not self.in_call():
            self.fail("The parentheses are empty" if not self.arguments else "A value is missing after the comma")
        if self.arguments:
            self.arguments.append(MISSING)
        self.finish_call()
        return _AFTER

    def end_without_value(self, token: str) -> NoReturn:
        self.refuse_dangling()
        if self.frames:
            self.fail_at(self.frames[-1].place, "This parenthesis is never closed", token_end=True)
        self.fail("A value is missing after the comma" if self.arguments else "The formula is empty")

    # -- a value has been read ---------------------------------------------------------------------------------------

    def binary(self, token: str) -> Steps:
        precedence = PRECEDENCE[token]
        operators = self.operators
        if operators and operators[-1].precedence >= precedence:
            self.reduce(precedence)
        operators.append(Operator(precedence, token, self.value, self.index))
        self.postfixes = 0
        return _VALUE

    def colon(self, token: str) -> Steps:
        self.reduce(RANGE)
        self.operators.append(Operator(RANGE, ":", self.value, self.index))
        self.postfixes = 0
        return _VALUE

    def blank(self, token: str) -> Steps:
        self.reduce(INTERSECTION)
        self.operators.append(Operator(INTERSECTION, " ", self.value, self.index))
        self.postfixes = 0
        return _VALUE

    def percent(self, token: str) -> Steps:
        self.reduce(PERCENT)
        self.count_postfix()
        self.value = Percent(self.value)
        return _AFTER

    def spill(self, token: str) -> Steps:
        self.require_reference(self.value, self.index, "#")
        self.count_postfix()
        self.value = Spill(self.value)
        return _AFTER

    def invoke(self, token: str) -> Steps:
        if not isinstance(self.value, Call | Invoke | Paren | Error):
            self.fail("An operator is missing before this parenthesis: only a function can be called")
        self.count_postfix()
        self.open(None, self.value)
        return _VALUE

    def comma(self, token: str) -> Steps:
        """Ends an argument, or a part of a union: in parentheses, or in a name (``Sheet1!A1,Sheet1!C1``)."""
        self.reduce(-1)
        self.arguments.append(self.value)
        self.postfixes = 0
        return _VALUE

    def close(self, token: str) -> Steps:
        if not self.frames:
            self.fail("This parenthesis closes nothing")
        self.reduce(-1)
        self.arguments.append(self.value)
        if self.in_call():
            self.finish_call()
        else:
            inner = self.union(self.arguments)
            self.leave_frame()
            self.value = Paren(inner)
        return _AFTER

    def end(self, token: str) -> Steps:
        if self.frames:
            self.fail_at(self.frames[-1].place, "This parenthesis is never closed", token_end=True)
        self.reduce(-1)
        self.value = self.union([*self.arguments, self.value])
        return _AFTER

    def skip(self, token: str) -> Steps:
        """The reference after ``#REF!``: ``#REF!A1`` is what became of ``Gone!A1``."""
        return _AFTER

    def open_lost_call(self, token: str) -> Steps:
        """``#REF!Fn(1)``: a function of a workbook or sheet that is gone."""
        self.open(None, self.value)
        return _VALUE

    # -- what goes wrong ---------------------------------------------------------------------------------------------

    def unexpected_value(self, token: str) -> NoReturn:
        self.fail("An operator is missing before this")

    def no_value(self, token: str) -> NoReturn:
        self.refuse_dangling()
        self.fail(f"A value is expected here, not {token}" if token.strip() else "A value is expected here")

    def no_reference(self, token: str) -> NoReturn:
        self.fail_at(self.index - 1, "No reference follows this")

    def bad(self, token: str) -> NoReturn:
        raise lexer.bad_token(self.text, self.place(self.index))


def _steps(otherwise: Step, steps: dict[int, Step], base: Steps | None = None) -> Steps:
    table = list(base) if base else [otherwise] * (lexer.BAD + 1)
    table[lexer.BAD] = _Parser.bad
    for kind, step in steps.items():
        table[kind] = step
    return table


_REFERENCES: Final[dict[int, Step]] = {
    lexer.REF: _Parser.reference,
    lexer.ROWS: _Parser.rows,
    lexer.COLUMNS: _Parser.columns,
    lexer.NAME: _Parser.name,
    lexer.STRUCTURED: _Parser.structured,
    lexer.ERROR: _Parser.error,
    lexer.FUNCTION: _Parser.open_call,
}
_VALUE: Final = _steps(
    _Parser.no_value,
    {
        **_REFERENCES,
        lexer.END: _Parser.end_without_value,
        lexer.OPERATOR: _Parser.sign,
        lexer.COMMA: _Parser.leave_out,
        lexer.CLOSE: _Parser.close_without_value,
        lexer.NUMBER: _Parser.number,
        lexer.OPEN: _Parser.open_group,
        lexer.STRING: _Parser.string,
        lexer.PREFIX: _Parser.read_prefix,
        lexer.AT: _Parser.at,
        lexer.ARRAY: _Parser.array,
        lexer.QUOTED: _Parser.bad,
    },
)
_AFTER_PREFIX: Final = _steps(
    _Parser.no_reference,
    {**_REFERENCES, lexer.QUOTED: _Parser.quoted_name, lexer.PREFIX: _Parser.end_of_span},
)
_AFTER: Final = _steps(
    _Parser.unexpected_value,
    {
        lexer.END: _Parser.end,
        lexer.OPERATOR: _Parser.binary,
        lexer.COMMA: _Parser.comma,
        lexer.CLOSE: _Parser.close,
        lexer.OPEN: _Parser.invoke,
        lexer.PERCENT: _Parser.percent,
        lexer.COLON: _Parser.colon,
        lexer.HASH: _Parser.spill,
        lexer.SPACE: _Parser.blank,
        lexer.QUOTED: _Parser.bad,
    },
)
_AFTER_REF_ERROR: Final = _steps(
    _Parser.unexpected_value,
    {
        **dict.fromkeys(
            (lexer.REF, lexer.ROWS, lexer.COLUMNS, lexer.NAME, lexer.STRUCTURED, lexer.ERROR), _Parser.skip
        ),
        lexer.FUNCTION: _Parser.open_lost_call,
    },
    _AFTER,
)
