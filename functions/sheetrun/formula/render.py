"""Writes a tree as formula text again, as Excel shows it: no blanks, no ``_xlfn.``, ``[@Qty]`` for the row at hand.

What ``parse`` made, ``parse`` makes again of the text. A tree that was put together otherwise gets the parentheses that
its meaning needs. Each node is written between two neighbours: the operator that waits on its left and the one that
follows on its right, whose precedences decide whether it can stand bare.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sheetrun.formula import lexer
from sheetrun.formula.a1 import MAX_COLUMNS, MAX_ROWS, column_name
from sheetrun.formula.nodes import (
    Area,
    ArrayConst,
    Axis,
    Binary,
    Call,
    Cell,
    Columns,
    Error,
    Implicit,
    Intersection,
    Invoke,
    Logical,
    Missing,
    Name,
    Node,
    Number,
    Paren,
    Percent,
    Prefix,
    RangeOp,
    Rows,
    Spill,
    Structured,
    Text,
    Unary,
    Union,
)
from sheetrun.formula.prefix import write_prefix
from sheetrun.formula.stacks import IMPLICIT, INTERSECTION, PERCENT, PRECEDENCE, RANGE, SIGN
from sheetrun.formula.structured import THIS_ROW, escape_column

_ATOM: Final = RANGE + 1
_NOTHING: Final = -1  #: beside an argument
_PARENTHESES: Final = -2  #: around a union
_SIMPLE_COLUMN: Final = re.compile(r"\w+")
_PLAIN_COLUMN: Final = re.compile(r"\w[\w .]*(?<! )")
#: What ``#`` and a call can follow without more ado.
_SPILLS: Final = (Cell, Name, Call, Paren, Structured)
_CALLABLE: Final = (Call, Invoke, Paren, Error)


class _Piece(NamedTuple):
    """A node still to be written, and the precedence of the operators on either side."""

    node: Node
    left: int
    right: int


_Pieces = list[_Piece | str]


def to_text(node: Node, row: int, col: int) -> str:
    """The formula (without ``=``) for a host cell at (row, col), both 0-based. References off the sheet are #REF!.

    Raises ValueError for a number that no formula can hold (infinite, or not a number).
    """
    out: list[str] = []
    last_name = -3  # index in out; none yet
    waiting: _Pieces = [_Piece(node, _PARENTHESES, _NOTHING)]
    while waiting:
        piece = waiting.pop()
        if isinstance(piece, str):
            if piece == "(" and last_name == len(out) - 2 and out[-1] == " ":
                out[-2] = f"({out[-2]})"  # a name, a blank and a parenthesis would read as a call
            out.append(piece)
            continue
        leaf = _LEAVES.get(type(piece.node))
        if leaf is not None:
            if isinstance(piece.node, Name):
                last_name = len(out)
            out.append(leaf(piece.node, row, col))
        else:
            waiting.extend(reversed(_spell(*piece)))
    return "".join(out)


def _spell(node: Node, left: int, right: int) -> _Pieces:
    """A node with nodes below as a row of pieces."""
    match node:
        case Binary(op, first, second):
            return _infix(node, op, PRECEDENCE[op], first, second, left, right)
        case RangeOp(first, second):
            return _infix(node, _colon(first, second), RANGE, first, second, left, right)
        case Intersection(first, second):
            return _infix(node, " ", INTERSECTION, first, second, left, right)
        case Unary(op, operand):
            own = max(SIGN, left)
            return [op, _Piece(operand, own, _NOTHING)] if own >= right else _enclosed(node)
        case Implicit(operand):
            own = max(IMPLICIT, left)
            if own < right or _needs_parentheses(operand, own):
                return ["_xlfn.SINGLE(", _Piece(operand, _NOTHING, _NOTHING), ")"]
            return ["@", _Piece(operand, own, _NOTHING)]
        case Percent(operand):
            return [_Piece(operand, max(left, _NOTHING), PERCENT), "%"] if left < PERCENT >= right else _enclosed(node)
        case Spill(anchor):
            if isinstance(anchor, _SPILLS):
                return [_Piece(anchor, _NOTHING, _NOTHING), "#"]
            return ["_xlfn.ANCHORARRAY(", _Piece(anchor, _NOTHING, _NOTHING), ")"]
        case Paren(inner):
            return ["(", _Piece(inner, _PARENTHESES, _NOTHING), ")"]
        case Union(parts):
            return _list(parts) if left == _PARENTHESES else _enclosed(node)
        case Call(name, args):
            return [f"{name}(", *_list(args), ")"]
        case Invoke(function, args):
            bare = isinstance(function, _CALLABLE) or (isinstance(function, Name) and function.prefix is not None)
            called: _Pieces = [_Piece(function, _NOTHING, _NOTHING)] if bare else _enclosed(function)
            return [*called, "(", *_list(args), ")"]
        case Number(value):  # one below zero reads as a sign and a number
            return [_number(value)] if value >= 0 or max(SIGN, left) >= right else ["(", _number(value), ")"]
        case _:
            raise TypeError(f"{node!r} is not a node of a formula")


def _infix(node: Node, symbol: str, own: int, first: Node, second: Node, left: int, right: int) -> _Pieces:
    if own <= left or own < right:
        return _enclosed(node)
    return [_Piece(first, max(left, _NOTHING), own), symbol, _Piece(second, own, _NOTHING)]


def _enclosed(node: Node) -> _Pieces:
    return ["(", _Piece(node, _PARENTHESES, _NOTHING), ")"]


def _list(nodes: tuple[Node, ...]) -> _Pieces:
    pieces: _Pieces = []
    for number, node in enumerate(nodes):
        if number:
            pieces.append(",")
        pieces.append(_Piece(node, _NOTHING, _NOTHING))
    return pieces


def _needs_parentheses(node: Node, left: int) -> bool:
    match node:
        case Binary(op):
            return PRECEDENCE[op] <= left
        case Percent():
            return left >= PERCENT
        case Intersection():
            return left >= INTERSECTION
        case RangeOp():
            return left >= RANGE
        case Union():
            return True
        case _:
            return False


def _colon(first: Node, second: Node) -> str:
    """Blanks keep a colon from reading as part of a reference.

    ``Start : Sheet1!A1`` is not in the sheets ``Start:Sheet1!``, ``a : b`` are not columns, and of ``x:A1 : B2`` the
    corners ``A1:B2`` make no area.
    """
    begin = _first(second)
    if not isinstance(begin, Cell | Area | Rows | Columns | Name | Structured):
        return ":"
    match _last(first):
        case Name():
            apart = begin.prefix is not None or isinstance(begin, Name | Columns)
        case Cell():
            apart = begin.prefix is None and isinstance(begin, Cell | Area) and not isinstance(second, Spill)
        case _:
            apart = False
    return " : " if apart else ":"


def _first(node: Node) -> Node:
    """What stands at the beginning of a reference's text."""
    while True:
        match node:
            case RangeOp(left) | Intersection(left):
                node = left
            case Spill(inner) | Invoke(inner):
                node = inner
            case _:
                return node


def _last(node: Node) -> Node:
    """What stands at the end of a reference's text."""
    while isinstance(node, RangeOp | Intersection):
        node = node.right
    return node


# -- leaves ------------------------------------------------------------------------------------------------------------


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot stand in a formula")
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if 1e-20 < abs(value) < 1e21:  # Excel writes small and large numbers out as far as that
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return repr(value).upper()


def _text(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _literal(node: Number | Text | Logical | Error) -> str:
    match node:
        case Number(value):
            return _number(value)
        case Text(value):
            return _text(value)
        case Logical(value):
            return "TRUE" if value else "FALSE"
        case Error(code):
            return code


def _array(node: ArrayConst) -> str:
    return "{" + ";".join(",".join(map(_literal, row)) for row in node.rows) + "}"


def _prefixed(prefix: Prefix | None, text: str | None) -> str:
    return (write_prefix(prefix) if prefix is not None else "") + ("#REF!" if text is None else text)


def _row(axis: Axis, host: int) -> str | None:
    index = axis.at(host)
    return f"{'$' if axis.absolute else ''}{index + 1}" if 0 <= index < MAX_ROWS else None


def _column(axis: Axis, host: int) -> str | None:
    index = axis.at(host)
    return f"{'$' if axis.absolute else ''}{column_name(index)}" if 0 <= index < MAX_COLUMNS else None


def _joined(separator: str, *parts: str | None) -> str | None:
    """None where one of the parts is off the sheet."""
    known = [part for part in parts if part is not None]
    return separator.join(known) if len(known) == len(parts) else None


def _cell(node: Cell, row: int, col: int) -> str:
    return _prefixed(node.prefix, _joined("", _column(node.col, col), _row(node.row, row)))


def _area(node: Area, row: int, col: int) -> str:
    first = _joined("", _column(node.first_col, col), _row(node.first_row, row))
    last = _joined("", _column(node.last_col, col), _row(node.last_row, row))
    return _prefixed(node.prefix, _joined(":", first, last))


def _rows(node: Rows, row: int, col: int) -> str:
    return _prefixed(node.prefix, _joined(":", _row(node.first, row), _row(node.last, row)))


def _columns(node: Columns, row: int, col: int) -> str:
    return _prefixed(node.prefix, _joined(":", _column(node.first, col), _column(node.last, col)))


@lru_cache(maxsize=4096)
def _name(node: Name, row: int, col: int) -> str:
    reads_as_name = lexer.tokenize(node.name) == [(lexer.NAME, node.name), (lexer.END, "")]
    if node.prefix is not None:  # what is no name there is the item of a DDE link
        name = node.name if reads_as_name else "'" + node.name.replace("'", "''") + "'"
        return _prefixed(node.prefix, name)
    if reads_as_name and node.name.upper() not in ("TRUE", "FALSE"):
        return node.name
    return f"_xlpm.{node.name}"  # a variable that would read as something else


@lru_cache(maxsize=4096)
def _structured(node: Structured, row: int, col: int) -> str:
    return _prefixed(node.prefix, (node.table or "") + "[" + _inside_brackets(node) + "]")


def _inside_brackets(node: Structured) -> str:
    columns = ":".join(f"[{escape_column(name)}]" for name in (node.first, node.last) if name is not None)
    if node.items == (THIS_ROW,):
        simple = node.last is None and node.first is not None and _SIMPLE_COLUMN.fullmatch(node.first)
        return f"@{node.first if simple else columns}"
    if not node.items:
        plain = node.last is None and node.first is not None and _PLAIN_COLUMN.fullmatch(node.first)
        return node.first or "" if plain else columns
    items = ["#This Row" if item == THIS_ROW else f"#{item.capitalize()}" for item in node.items]
    if len(items) == 1 and not columns:
        return items[0]
    return ",".join([*(f"[{item}]" for item in items), *([columns] if columns else [])])


#: How each kind of leaf is written. Any: each function takes its own kind of node.
_LEAVES: Final[dict[type, Callable[[Any, int, int], str]]] = {
    Text: lambda node, row, col: _text(node.value),
    Logical: lambda node, row, col: _literal(node),
    Error: lambda node, row, col: node.code,
    Missing: lambda node, row, col: "",
    ArrayConst: lambda node, row, col: _array(node),
    Cell: _cell,
    Area: _area,
    Rows: _rows,
    Columns: _columns,
    Name: _name,
    Structured: _structured,
}
