"""One formula as a Python expression: for one cell, for the cell of a loop, or for a whole block at once.

``Emitter`` walks the resolved tree; a place in the tree *wants* its operand as a number (arithmetic), as a value, as an
array, or as a reference, and the text depends on that alone. What a reference becomes in a layout is in ``references``,
what a call over a whole block is in ``wholecalls``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sheetrun.compiler.constants import array_text, error_text
from sheetrun.compiler.depth import check_depth
from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.layout import Layout, NotAlike, NotWhole
from sheetrun.compiler.literal import literal
from sheetrun.compiler.ranges import Defined, OptionalParameter, Passed, Range
from sheetrun.compiler.references import References
from sheetrun.compiler.scriptnames import Names, function_name
from sheetrun.compiler.shapes import is_vast_range, pair
from sheetrun.compiler.tracks import Tracks
from sheetrun.compiler.traits import (
    PASSING,
    gives_array,
    holds_array,
    holds_constant,
    is_arithmetic,
    is_call,
    joined,
    may_refer,
    of_cells,
)
from sheetrun.compiler.units import entry_of
from sheetrun.compiler.variables import Variables
from sheetrun.compiler.wholecalls import whole_call
from sheetrun.formula import nodes
from sheetrun.runtime.registry import Entry
from sheetrun.runtime.signatures import LIFTED

#: Functions that see an error in their first argument. In an array formula that fills more cells than the argument has,
#: they see #N/A there: ``{=ISERROR(A1:A3)}`` in four cells ends in TRUE (measured for those of one argument).
_SEES_ERRORS: Final = frozenset(
    {"IFERROR", "IFNA", "ISERROR", "ISERR", "ISNA", "ERROR.TYPE"}
    | {"ISBLANK", "ISLOGICAL", "ISNONTEXT", "ISNUMBER", "ISTEXT"}
)
#: Expressions shorter than this are never too deep; longer ones are tried.
_LONG: Final = 180
_COMPARISONS: Final = {"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_INFIX: Final = {"+": 1, "-": 1, "*": 2}  # operator -> precedence in Python
_NAMED: Final = {"+": "plus", "-": "minus", "*": "times"}
_ATOM: Final = 9
#: Of a range they take the first cell, whatever row or column they stand in (measured).
_FIRST_CELL: Final = frozenset({"N", "T"})
#: Arguments that are arrays in every Excel, also without Ctrl+Shift+Enter: ``INDEX(A1:A9>=0,0)``,
#: ``AGGREGATE(15,6,ROW(A1:A9)/(A1:A9<>""),1)`` (measured; the first argument is number 0).
_ARRAYS_ALWAYS: Final = frozenset({("INDEX", 0), ("AGGREGATE", 2)})
#: Parameters of kind array whose argument is still computed cell by cell (no array mode inside), as in Excel.
_NO_ARRAY_MODE: Final = frozenset({"MATCH", "VLOOKUP", "HLOOKUP", "SMALL", "LARGE", "PERCENTILE", "QUARTILE", "IRR"})


class Emitter:
    """Writes the expression of one formula for one layout."""

    def __init__(
        self,
        layout: Layout,
        sheet: int,
        names: Names,
        alias: Callable[[int], str],
        title: Callable[[int], str],
        *,
        arrays: bool,
        varies: Callable[[Range], bool] = lambda _: True,
        tracks: Tracks | None = None,
    ) -> None:
        """``sheet``: index of the host's; ``alias(sheet)`` is what a sheet is called in the code, ``title(sheet)`` in the
        file. ``varies``: whether a reference may have another value in another scenario (for ``lanes``). ``tracks``: the
        lists of the loop that the formula is in."""
        self.layout = layout
        self.names = names
        self._references = References(layout, sheet, names, alias, title, varies, tracks)
        self._variables = Variables(names.script)
        self._arrays = arrays  # array mode: ranges stay arrays, nothing intersects
        self._constants = True  # may the formula hold an array constant?
        self._fills = layout.fills  # where what is computed cell by cell is computed for all cells of an array formula

    def formula(self, tree: Any) -> str:
        """The whole formula; a sum or difference at the top is cleared of rounding noise."""
        self._constants = holds_constant(tree)
        try:
            text = self._formula(tree)
        except RecursionError:
            raise CannotCompile("too_deep", "the formula is nested too deeply") from None
        if len(text) > _LONG:
            check_depth(text)
        return text

    def _formula(self, tree: Any) -> str:
        if isinstance(tree, nodes.Binary) and tree.op in "+-":
            return self.names.call("add" if tree.op == "+" else "sub", self.number(tree.left), self.number(tree.right))
        return self.value(tree)

    # -- what is wanted ------------------------------------------------------------------------------------------

    def number(self, node: Any, tight: int = 0) -> str:
        """As an operand of arithmetic. ``tight``: precedence that surrounds it."""
        text, precedence = self._number(node)
        return f"({text})" if precedence < tight else text

    def _number(self, node: Any) -> tuple[str, int]:
        match node:
            case nodes.Number(value):
                return self._constant(value), _ATOM
            case nodes.Paren(inner):
                return self._number(inner)
            case nodes.Unary("+", operand):
                return self._number(operand)
            case nodes.Unary(_, operand):
                return f"-{self.number(operand, 3)}", 3
            case nodes.Percent(operand):
                return self.names.call("div", self.number(operand), "100.0"), _ATOM
            case nodes.Binary(op, left, right) if op in _INFIX:
                if self._shapes_differ(left, right):
                    return self.names.call(_NAMED[op], self.number(left), self.number(right)), _ATOM
                mine = _INFIX[op]
                return f"{self.number(left, mine)} {op} {self.number(right, mine + 1)}", mine
            case nodes.Binary("/", left, right):
                return self.names.call("div", self.number(left), self.number(right)), _ATOM
            case nodes.Binary("^", left, right):
                return self.names.call("power", self.number(left), self.number(right)), _ATOM
            case Range():
                return self._references.text(node, "number", arrays=self._arrays), _ATOM
            case nodes.Call() if is_call(node) and entry_of(node).returns == "number":
                if not (self.layout.whole or self._arrays or gives_array(node)):
                    return self.value(node), _ATOM
        return self.names.call("num", self.value(node)), _ATOM

    def value(self, node: Any) -> str:
        """As a value: a scalar, or an Arr in array mode or over a block."""
        match node:
            case nodes.Number(value):
                return self._constant(value)
            case nodes.Text(value):
                return literal(value)
            case nodes.Logical(value):
                return literal(value)
            case nodes.Error(code):
                return error_text(code, self.names)
            case nodes.Missing():
                return self.names.imported("MISSING")
            case nodes.ArrayConst(rows):
                if self.layout.whole:
                    raise NotWhole
                return array_text(rows, self.value, self.names)
            case nodes.Paren(inner):
                return self.value(inner)
            case Range():
                return self._references.text(node, "value", arrays=self._arrays)
            case nodes.Binary("&"):
                return self.names.call("concat", *(self.value(part) for part in joined(node)))
            case nodes.Binary(op, left, right) if op in _COMPARISONS:
                return self.names.call(_COMPARISONS[op], self.value(left), self.value(right))
            case nodes.Unary("+", operand):
                return self.value(operand)
            case nodes.Binary() | nodes.Unary() | nodes.Percent():
                return self.number(node)
            case Defined(key):
                return self.names.defined(key)
            case Passed(name):
                return self.names.imported(function_name(name))
            case nodes.Name(name):
                return self._settled(self._variables.of(name))
            case nodes.Implicit(operand):
                return self._references.single(self._in_array_mode(self.reference, operand))
            case nodes.Union() | nodes.Intersection() | nodes.RangeOp() | nodes.Spill():
                if self.layout.whole and not self._arrays:
                    raise NotWhole  # an array for each cell of the block
                return self._settled(self.reference(node))
            case nodes.Invoke():
                return self._settled(self._invoke(node))
            case nodes.Call("LAMBDA", _):
                return self._lambda(node)
            case nodes.Call(name, _) if name in PASSING:
                text = self._call(node, "value")
                return self._settled(text) if name == "LET" else text
            case nodes.Call():
                text = self._call(node, "value")
                entry = entry_of(node)
                if entry.returns in ("ref", "any") and (entry.returns == "ref" or may_refer(node.name)):
                    return self._settled(text)
                return text
        raise CannotCompile("not_supported", f"{type(node).__name__} is not supported here")

    def reference(self, node: Any) -> str:
        """As a reference where the node is one, else as a value."""
        match node:
            case Range():
                return self._references.text(node, "ref", arrays=self._arrays)
            case nodes.Paren(inner):
                return self.reference(inner)
            case nodes.Union(parts):
                return self.names.call("union", *(self.reference(p) for p in parts))
            case nodes.Intersection(left, right):
                return self.names.call("intersection", self.reference(left), self.reference(right))
            case nodes.RangeOp(left, right):
                return self.names.call("range_between", self.reference(left), self.reference(right))
            case nodes.Spill(anchor):
                return self.names.call("spilled", self.reference(anchor))
            case nodes.Name(name):
                return self._variables.of(name)
            case Defined() | Passed():
                return self.value(node)
            case nodes.Invoke():
                return self._invoke(node)
            case nodes.Call(name, _) if name != "LAMBDA":
                return self._call(node, "ref")
        return self.value(node)

    def array(self, node: Any) -> str:
        """As an Arr: also one cell. Array mode inside."""
        match node:
            case Range():
                return self._references.text(node, "arr", arrays=self._arrays)
            case nodes.Paren(inner):
                return self.array(inner)
        return self.reference(node)

    def _constant(self, value: float) -> str:
        blanks = self.layout.blanks
        return blanks[value] if blanks is not None and value in blanks else literal(float(value))

    def _settled(self, text: str) -> str:
        return self._references.settled(text, arrays=self._arrays)

    # -- calls -----------------------------------------------------------------------------------------------------

    def _call(self, node: nodes.Call, want: str) -> str:
        if node.name == "LET":
            return self._let(node, want)
        entry = entry_of(node)
        if self.layout.whole:
            over = whole_call(node, entry, self._references, self)
            if over is not None:
                return over
        args = [self._argument(node, entry, i, want) for i in range(len(node.args))]
        if entry.needs_host:
            args.insert(0, self._references.host())
        return self.names.call(function_name(node.name), *args)

    def _argument(self, node: nodes.Call, entry: Entry, i: int, want: str) -> str:
        fills, kind = self._fills, entry.kind_of(i)
        if fills is not None and not (kind in LIFTED or kind == "lazy" or node.name in PASSING):
            self._fills = None  # what is inside is not computed cell by cell
        text = self._given(node, entry, i, want)
        self._fills = fills
        if fills is None or i or node.name not in _SEES_ERRORS:
            return text
        thunk = "lambda: " if kind == "lazy" else ""
        return thunk + self.names.call("filling", text.removeprefix(thunk), repr(fills))

    def _given(self, node: nodes.Call, entry: Entry, i: int, want: str) -> str:
        arg, kind = node.args[i], entry.kind_of(i)
        if isinstance(arg, nodes.Missing):
            text = self.names.imported("MISSING")
            return f"lambda: {text}" if kind == "lazy" else text
        if kind == "lazy":
            return f"lambda: {self._passed(arg, want)}"
        if kind in ("number", "integer"):
            return self.number(arg) if is_arithmetic(arg) or isinstance(arg, Range) else self.value(arg)
        if kind == "strict" and self._arrays and of_cells(arg):
            return error_text("#VALUE!", self.names)
        if node.name in _FIRST_CELL and isinstance(arg, Range):
            if self.layout.blanks is not None and not arg.single:
                raise NotAlike  # the first cell of what stands in a blank is no blank
            return self.value(arg.first_cell())
        if kind in LIFTED:
            return self.value(arg)
        if node.name in PASSING:  # the test of IF, the index of CHOOSE
            return self.value(arg)
        if self.layout.lanes and not isinstance(arg, Range | nodes.Number | nodes.Text | nodes.Logical):
            raise NotWhole  # an array that is computed: its rows and columns are not those of scenarios
        if (node.name, i) in _ARRAYS_ALWAYS:
            return self._in_array_mode(self.reference, arg)
        if kind == "array" and entry.whole_columns and isinstance(arg, Range) and is_vast_range(arg, self.layout):
            return self.reference(arg)
        if kind == "array" and node.name not in _NO_ARRAY_MODE:
            return self._in_array_mode(self.array, arg)
        if node.name == "COUNTA" and is_call(arg) and entry_of(arg).returns == "array":
            return self.names.call("elements", self.array(arg))
        if kind in ("array", "values"):
            return self.array(arg)
        return self.reference(arg)

    def _passed(self, arg: Any, want: str) -> str:
        """A branch: as a reference where that is wanted of the whole."""
        return self.reference(arg) if want == "ref" else self.value(arg)

    def _in_array_mode(self, emit: Callable[..., str], *args: Any) -> str:
        before, self._arrays = self._arrays, True
        try:
            return emit(*args)
        finally:
            self._arrays = before

    def _shapes_differ(self, left: Any, right: Any) -> bool:
        """In array mode: may the operands be arrays whose shapes NumPy cannot pair?"""
        if self._arrays or self._variables:
            return not pair(left, right, self.layout)
        if self._constants and (holds_constant(left) or holds_constant(right)):
            return True
        return holds_array(left) and holds_array(right)

    # -- functions made in the formula -----------------------------------------------------------------------------

    def _let(self, node: nodes.Call, want: str) -> str:
        """``LET(x, 1, x+y)`` becomes ``let(1.0, lambda x: …)``, so that each variable is computed once."""
        if self.layout.whole:
            raise NotWhole
        *pairs, body = node.args
        self._fills = None
        return self._let_step(list(pairs), body, want)

    def _let_step(self, pairs: list[Any], body: Any, want: str) -> str:
        if not pairs:
            return self._in_array_mode(self._passed, body, want)
        name, value, *rest = pairs
        text = self._in_array_mode(self.reference, value)
        with self._variables.bound(name.name) as (variable,):
            inner = self._let_step(rest, body, want)
        return self.names.call("let", text, f"lambda {variable}: {inner}")

    def _lambda(self, node: nodes.Call) -> str:
        *parameters, body = node.args
        with self._variables.bound(*(p.name for p in parameters)) as variables:  # type: ignore[union-attr]
            text = self._in_array_mode(self.reference, body)
        optional = next((i for i, p in enumerate(parameters) if isinstance(p, OptionalParameter)), len(parameters))
        missing = [f"{v}={self.names.imported('MISSING')}" for v in variables[optional:]]
        heads = ", ".join(variables[:optional] + missing)
        return f"(lambda {heads}: {text})" if heads else f"(lambda: {text})"

    def _invoke(self, node: nodes.Invoke) -> str:
        if self.layout.whole:
            raise NotWhole
        self._fills = None
        args = [self._in_array_mode(self.reference, a) for a in node.args]
        return self.names.call("called", self._function_text(node.function), *args)

    def _function_text(self, node: Any) -> str:
        """What is called: a LAMBDA, a variable that holds one, or a defined name that is one."""
        if isinstance(node, nodes.Call) and node.name == "LAMBDA":
            return self._lambda(node)
        return self.reference(node)

    def function_body(self, tree: Any) -> str:
        """The LAMBDA of a defined name."""
        return self._in_array_mode(self._function_text, tree)
