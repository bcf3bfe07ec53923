"""One formula as a Python expression: for one cell, for the cell of a loop, or for a whole block at once.

``Layout`` says what a relative reference becomes. ``Emitter`` walks the resolved tree; a place in the tree *wants* its
operand as a number (arithmetic), as a value, as an array, or as a reference, and the text depends on that alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sheetrun.compiler.depth import check_depth
from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.layout import Layout, NotAlike, NotTracked, NotWhole, Tracks
from sheetrun.compiler.literal import literal
from sheetrun.compiler.ranges import Defined, OptionalParameter, Passed, Range
from sheetrun.compiler.scriptnames import Names, function_name
from sheetrun.compiler.traits import PASSING, holds_array, is_arithmetic, is_zero, joined, may_refer, refers
from sheetrun.compiler.trees import children, walk
from sheetrun.compiler.units import entry_of
from sheetrun.formula import nodes
from sheetrun.formula.a1 import cell_name, column_name, range_name
from sheetrun.formula.nodes import Axis
from sheetrun.runtime.address import is_vast
from sheetrun.runtime.cells import ERROR_CODES
from sheetrun.runtime.registry import LIFTED, Entry
from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, Rect

_ERROR_NAMES: Final = {
    "#NULL!": "NULL_ERROR",
    "#DIV/0!": "DIV0_ERROR",
    "#VALUE!": "VALUE_ERROR",
    "#REF!": "REF_ERROR",
    "#NAME?": "NAME_ERROR",
    "#NUM!": "NUM_ERROR",
    "#N/A": "NA_ERROR",
    "#SPILL!": "SPILL_ERROR",
    "#CALC!": "CALC_ERROR",
}
#: Expressions shorter than this are never too deep; longer ones are tried.
_LONG: Final = 180
_COMPARISONS: Final = {"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_INFIX: Final = {"+": 1, "-": 1, "*": 2}  # operator -> precedence in Python
_NAMED: Final = {"+": "plus", "-": "minus", "*": "times"}
_ATOM: Final = 9
_QUOTES: Final = ('"', "'")
#: Parameters of kind array whose argument is still computed cell by cell (no array mode inside), as in Excel.
_NO_ARRAY_MODE: Final = frozenset({"MATCH", "VLOOKUP", "HLOOKUP", "SMALL", "LARGE", "PERCENTILE", "QUARTILE", "IRR"})
#: Functions that can be computed for all cells of a block at once from arguments that are arrays over the block.
OVER: Final = frozenset({"SUM", "MAX", "MIN", "AVERAGE", "COUNT", "COUNTA", "PRODUCT", "AND", "OR"})


#: Those of them that can be computed over ranges that grow from cell to cell (``SUM(A$2:A2)``) in one pass.
GROWING: Final = OVER - {"AND", "OR"}


class Emitter:
    """Writes expressions for one layout. ``sheet``: index of the host's sheet; ``alias(sheet)`` names it in the code."""

    def __init__(
        self,
        layout: Layout,
        sheet: int,
        names: Names,
        alias: Any,
        sheet_name: Any,
        *,
        arrays: bool,
        varies: Callable[[Range], bool] = lambda _: True,
        tracks: Tracks | None = None,
    ) -> None:
        """``varies``: whether a reference may have another value in another scenario (for ``lanes``). ``tracks``: the
        lists of the loop that the formula is in."""
        self.layout = layout
        self._tracks = tracks
        self._varies = varies
        self.sheet = sheet
        self.names = names
        self._alias = alias
        self._sheet_name = sheet_name
        self._arrays = arrays  # array mode: ranges stay arrays, nothing intersects
        self._constants = True  # may the formula hold an array constant?
        self._variables: dict[str, str] = {}
        self._taken: set[str] = {"r", "c", "book"}

    def formula(self, tree: Any) -> str:
        """The whole formula; a sum or difference at the top is cleared of rounding noise."""
        self._constants = any(isinstance(n, nodes.ArrayConst) for n in walk(tree))
        try:
            text = self._formula(tree)
        except RecursionError:
            raise CannotCompile("too_deep", "the formula is nested too deeply") from None
        if len(text) > _LONG:
            check_depth(text)
        return text

    def _formula(self, tree: Any) -> str:
        if isinstance(tree, nodes.Binary) and tree.op in "+-":
            return self._use("add" if tree.op == "+" else "sub", self.number(tree.left), self.number(tree.right))
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
                return self._use("div", self.number(operand), "100.0"), _ATOM
            case nodes.Binary(op, left, right) if op in _INFIX:
                if self._shapes_differ(left, right):
                    return self._use(_NAMED[op], self.number(left), self.number(right)), _ATOM
                mine = _INFIX[op]
                return f"{self.number(left, mine)} {op} {self.number(right, mine + 1)}", mine
            case nodes.Binary("/", left, right):
                return self._use("div", self.number(left), self.number(right)), _ATOM
            case nodes.Binary("^", left, right):
                return self._use("power", self.number(left), self.number(right)), _ATOM
            case Range():
                return self._range(node, "number"), _ATOM
            case nodes.Call(name, _) if name not in ("LET", "LAMBDA") and entry_of(node).returns == "number":
                if not self._gives_array(node):
                    return self.value(node), _ATOM
        return self._use("num", self.value(node)), _ATOM

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
                return self._error(code)
            case nodes.Missing():
                return self._name("MISSING")
            case nodes.ArrayConst(rows):
                return self._array_constant(rows)
            case nodes.Paren(inner):
                return self.value(inner)
            case Range():
                return self._range(node, "value")
            case nodes.Binary("&"):
                return self._use("concat", *(self.value(part) for part in joined(node)))
            case nodes.Binary(op, left, right) if op in _COMPARISONS:
                return self._use(_COMPARISONS[op], self.value(left), self.value(right))
            case nodes.Unary("+", operand):
                return self.value(operand)
            case nodes.Binary() | nodes.Unary() | nodes.Percent():
                return self.number(node)
            case Defined(key):
                return self.names.lambdas.setdefault(key, self._bind_function(key))
            case Passed(name):
                return self._name(function_name(name))
            case nodes.Name(name):
                return self._settled(self._variable(name))
            case nodes.Implicit(operand):
                return self._single(self._with_arrays(True, self.reference, operand))
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
                return self._settled(text) if name in ("LET",) else text
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
                return self._range(node, "ref")
            case nodes.Paren(inner):
                return self.reference(inner)
            case nodes.Union(parts):
                return self._use("union", *(self.reference(p) for p in parts))
            case nodes.Intersection(left, right):
                return self._use("intersection", self.reference(left), self.reference(right))
            case nodes.RangeOp(left, right):
                return self._use("range_between", self.reference(left), self.reference(right))
            case nodes.Spill(anchor):
                return self._use("spilled", self.reference(anchor))
            case nodes.Name(name):
                return self._variable(name)
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
                return self._range(node, "arr")
            case nodes.Paren(inner):
                return self.array(inner)
        return self.reference(node)

    def _constant(self, value: float) -> str:
        blanks = self.layout.blanks
        return blanks[value] if blanks is not None and value in blanks else literal(float(value))

    # -- references ----------------------------------------------------------------------------------------------

    def _range(self, node: Range, want: str) -> str:
        if node.last_sheet is not None:
            return self._three_d(node, want)
        if want in ("number", "value") and not node.single and not self._arrays:
            try:
                narrowed = self._intersect(node)
            except NotWhole:
                if self.layout.whole:
                    raise
                text = self._single(self._range(node, "ref"))  # only the run can tell, cell by cell
                return self._use("num", text) if want == "number" else text
            if narrowed is None:
                return self._error("#VALUE!")
            node = narrowed
        if self._tracks is not None:
            tracked = self._tracked(node, want, self._tracks)
            if tracked is not None:
                return tracked
        sheet = self._alias(node.sheet)
        accessor = {"number": ".n", "value": "", "arr": ".arr", "ref": ".ref"}[want]
        return f"{sheet}{accessor}[{self._key(node, want)}]"

    def _tracked(self, node: Range, want: str, tracks: Tracks) -> str | None:
        """A cell from a list of the loop; None for what is read from the sheet. Raises NotTracked."""
        rect = self.layout.rect
        along, across = (node.top, node.left) if tracks.by_row else (node.left, node.top)
        one = node.single or (node.top == node.bottom and node.left == node.right and want in ("number", "value"))
        if not one or want == "ref" or node.wraps(rect):
            if tracks.holds(node.sheet, node.over(rect)):
                raise NotTracked
            return None
        if along.absolute:
            if tracks.holds(node.sheet, node.over(rect)):
                raise NotTracked
            return self._hoisted(node, want, tracks) if across.absolute else None
        line = across.at(rect.left if tracks.by_row else rect.top)
        first, last = (rect.top, rect.bottom) if tracks.by_row else (rect.left, rect.right)
        mine = (node.sheet, line) in tracks.own
        name = self._track(tracks, (node.sheet, line, want == "number" and not mine), along.at(first), along.at(last))
        text = f"{name}[{self._axis(along, True, 'r' if tracks.by_row else 'c')}]"
        if want == "number":
            return self._use("num", text) if mine else text
        return self._use("boxed", text) if want == "arr" else text

    def track_of(self, sheet: int, rect: Rect) -> str:
        """The list of the unit that is being written."""
        tracks = self._tracks
        assert tracks is not None
        line, first, last = (rect.left, rect.top, rect.bottom) if tracks.by_row else (rect.top, rect.left, rect.right)
        return self._track(tracks, (sheet, line, False), first, last)

    def _track(self, tracks: Tracks, key: tuple[int, int, bool], first: int, last: int) -> str:
        known = tracks.used.get(key)
        if known is None:
            sheet, line, numbers = key
            place = column_name(line).lower() if tracks.by_row else str(line + 1)
            name = f"{self._alias(sheet)}_{place}{'_n' if numbers else ''}"
            known = self.names.script.local(name, (key, tracks.by_row)), first, last
        tracks.used[key] = known[0], min(first, known[1]), max(last, known[2])
        return known[0]

    def _hoisted(self, node: Range, want: str, tracks: Tracks) -> str:
        """A cell that is the same in every turn, read once before the loop."""
        address = _address(node.at(0, 0))
        alias = self._alias(node.sheet)
        text = alias + {"number": ".n", "value": "", "arr": ".arr"}[want] + f"[{literal(address)}]"
        name = tracks.fixed.get(text)
        if name is None:
            ending = {"number": "_n", "value": "", "arr": "_arr"}[want]
            name = tracks.fixed[text] = self.names.script.local(f"{alias}_{address.lower()}{ending}", text)
        return name

    def _three_d(self, node: Range, want: str) -> str:
        if self._tracks is not None and any(sheet >= node.sheet for sheet, _ in self._tracks.targets):
            raise NotTracked
        first, last = self._sheet_name(node.sheet), self._sheet_name(node.last_sheet)
        key = self._key(node, "ref")
        text = f"book.span({literal(first)}, {literal(last)}, {key if key.startswith(_QUOTES) else f'({key})'})"
        return self._use("num", text) if want == "number" else text

    def _key(self, node: Range, want: str) -> str:
        """What stands in the brackets."""
        layout = self.layout
        if layout.blanks is not None and node in layout.blanks:
            return layout.blanks[node]
        if layout.fixed:
            return literal(_address(node.at(layout.rect.top, layout.rect.left)))
        if layout.lanes and want in ("arr", "ref") and self._varies(node):
            raise NotWhole
        if layout.whole and not layout.moving:
            return literal(_address(self._over(node, want)))
        if node.fixed_rows and node.fixed_columns:
            return literal(_address(node.at(0, 0)))
        if node.wraps(layout.rect):
            raise CannotCompile("reference_wraps", "a relative reference leaves the sheet within the block")
        if node.single or (node.top == node.bottom and node.left == node.right and want in ("number", "value")):
            top, left = self._axis(node.top, layout.row_var, "r"), self._axis(node.left, layout.col_var, "c")
            return f"{top}, {left}"
        return self._corners(node)

    def _corners(self, node: Range) -> str:
        layout = self.layout
        top, left = self._axis(node.top, layout.row_var, "r"), self._axis(node.left, layout.col_var, "c")
        bottom, right = self._axis(node.bottom, layout.row_var, "r"), self._axis(node.right, layout.col_var, "c")
        return f"{top}, {left}, {bottom}, {right}"

    def _axis(self, axis: Axis, variable: bool, name: str) -> str:
        if axis.absolute:
            return str(axis.index + 1)
        if not variable:
            host = self.layout.rect.top if name == "r" else self.layout.rect.left
            return str(axis.at(host) + 1)
        if axis.index == 0:
            return name
        return f"{name} {'+' if axis.index > 0 else '-'} {abs(axis.index)}"

    def _over(self, node: Range, want: str) -> Rect:
        """The rectangle that the block's cells refer to, one cell each, or all the same."""
        rect = self.layout.rect
        if node.fixed_rows and node.fixed_columns:
            return node.at(rect.top, rect.left)
        if want in ("arr", "ref"):
            if not self._same_for_all(node):
                raise NotWhole
            return node.at(rect.top, rect.left)
        if node.wraps(rect) or node.top != node.bottom or node.left != node.right:
            raise NotWhole
        found = node.over(rect)
        if self.layout.lanes and (found.height, found.width) not in ((rect.height, rect.width), (1, 1)):
            raise NotWhole  # a row that meets a column: the cells of a block are one axis here
        return found

    def _intersect(self, node: Range) -> Range | None:
        """Implicit intersection of a written range with the host: the range of one cell, for every host cell."""
        rect = self.layout.rect
        if self.layout.blanks is not None:
            raise NotAlike
        if self.layout.fixed:
            node = node.anchored(rect.top, rect.left)  # F1:$F$1 is one cell here, whatever its corners are elsewhere
        first, last = node.at(rect.top, rect.left), node.at(rect.bottom, rect.right)
        if first.size == 1 and node.top == node.bottom and node.left == node.right:
            return node
        if node.left == node.right:
            if first.top <= rect.top and rect.bottom <= last.bottom and last.top <= rect.bottom:
                return Range(node.sheet, Axis(0, False), node.left, Axis(0, False), node.right, True)
        elif node.top == node.bottom:
            if first.left <= rect.left and rect.right <= last.right and last.left <= rect.right:
                return Range(node.sheet, node.top, Axis(0, False), node.bottom, Axis(0, False), True)
        elif first.contains(rect.top, rect.left) and last.contains(rect.bottom, rect.right):
            return Range(node.sheet, Axis(0, False), Axis(0, False), Axis(0, False), Axis(0, False), True)
        if self.layout.whole or not self.layout.fixed:
            raise NotWhole
        return None

    def host(self) -> str:
        """The cell that holds the formula, as a Ref."""
        layout = self.layout
        if layout.whole:
            raise NotWhole
        if layout.blanks is not None:
            return f"{self._alias(self.sheet)}.ref[{layout.blanks[None]}]"
        here = Range(self.sheet, Axis(0, False), Axis(0, False), Axis(0, False), Axis(0, False), True)
        return self._range(here, "ref")

    def _settled(self, text: str) -> str:
        """A reference made at run time as a value."""
        if self._arrays or self.layout.whole:
            return self._use("spread", text)
        return self._single(text)

    def _single(self, text: str) -> str:
        if self.layout.whole:
            raise NotWhole
        return self._use("single", text, self.host())

    # -- calls -----------------------------------------------------------------------------------------------------

    def _call(self, node: nodes.Call, want: str) -> str:
        if node.name == "LET":
            return self._let(node, want)
        entry = entry_of(node)
        if self.layout.whole:
            over = self._whole_call(node, entry)
            if over is not None:
                return over
        args = [self._argument(node, entry, i, want) for i in range(len(node.args))]
        if entry.needs_host:
            args.insert(0, self.host())
        return self._use(function_name(node.name), *args)

    def _argument(self, node: nodes.Call, entry: Entry, i: int, want: str) -> str:
        arg, kind = node.args[i], entry.kind_of(i)
        if isinstance(arg, nodes.Missing):
            text = self._name("MISSING")
            return f"lambda: {text}" if kind == "lazy" else text
        if kind == "lazy":
            return f"lambda: {self._passed(arg, want)}"
        if kind in ("number", "integer"):
            return self.number(arg) if is_arithmetic(arg) or isinstance(arg, Range) else self.value(arg)
        if kind == "strict" and self._arrays and _of_cells(arg):
            return self._error("#VALUE!")
        if kind in LIFTED:
            return self.value(arg)
        if node.name in PASSING:  # the test of IF, the index of CHOOSE
            return self.value(arg)
        if self.layout.lanes and not isinstance(arg, Range | nodes.Number | nodes.Text | nodes.Logical):
            raise NotWhole  # an array that is computed: its rows and columns are not those of scenarios
        if (
            node.name == "INDEX" and i == 0
        ):  # INDEX(A1:A9>=0,0) is an array in every Excel, also without Ctrl+Shift+Enter
            return self._with_arrays(True, self.reference, arg)
        if kind == "array" and entry.whole_columns and isinstance(arg, Range) and self._is_vast(arg):
            return self.reference(arg)
        if kind == "array" and node.name not in _NO_ARRAY_MODE:
            return self._with_arrays(True, self.array, arg)
        if node.name == "COUNTA" and isinstance(arg, nodes.Call) and entry_of(arg).returns == "array":
            return self._use("elements", self.array(arg))
        if kind in ("array", "values"):
            return self.array(arg)
        return self.reference(arg)

    def _is_vast(self, arg: Range) -> bool:
        """Whether a range is so large that what is read of it ends with the used range."""
        if arg.whole_columns or arg.whole_rows:
            return True
        rect = arg.over(self.layout.rect)
        return is_vast(rect.height, rect.width)

    def _passed(self, arg: Any, want: str) -> str:
        """A branch: as a reference where that is wanted of the whole."""
        return self.reference(arg) if want == "ref" else self.value(arg)

    def _with_arrays(self, on: bool, emit: Any, *args: Any) -> str:
        before, self._arrays = self._arrays, on
        try:
            return str(emit(*args))
        finally:
            self._arrays = before

    def _whole_call(self, node: nodes.Call, entry: Entry) -> str | None:
        """Over a block: a reduction of each cell's arguments, or None for an ordinary call; else raises NotWhole."""
        if entry.volatile or entry.needs_host or entry.returns in ("array", "ref"):
            raise NotWhole
        if node.name in OVER:
            return self._reduction(node)
        if node.name in ("NPV", "IRR") and self.layout.lanes:
            return self._flows(node)
        if node.name == "CHOOSE" and any(not self._same_for_all(a) for a in node.args[:1]):
            raise NotWhole
        for i, arg in enumerate(node.args):
            kind = entry.kind_of(i)
            if kind in LIFTED or kind == "lazy" or node.name in PASSING:
                if any(isinstance(n, nodes.ArrayConst) for n in walk(arg)):
                    raise NotWhole
            elif not self._same_for_all(arg):
                raise NotWhole
        if node.name == "INDEX" and (len(node.args) < 2 or is_zero(node.args[1]) or is_zero(node.args[-1])):
            raise NotWhole
        return None

    def _same_for_all(self, node: Any) -> bool:
        """Whether the argument is the same for every cell of the block."""
        rect = self.layout.rect
        for n in walk(node):
            if isinstance(n, Range) and self.layout.lanes and self._varies(n):
                return False
            if isinstance(n, Range) and not self.layout.moving:
                rows_same = n.fixed_rows or rect.height == 1
                columns_same = n.fixed_columns or rect.width == 1
                if not (rows_same and columns_same) or (n.single and not (n.fixed_rows and n.fixed_columns)):
                    return False
            elif isinstance(n, nodes.Name | nodes.Invoke):
                return False
            elif isinstance(n, nodes.Call) and n.name not in ("LET", "LAMBDA"):
                entry = entry_of(n)
                if entry.volatile or entry.needs_host:
                    return False
        return True

    def _reduction(self, node: nodes.Call) -> str:
        """SUM(A2:C2, E2) for all rows at once: each argument gives the cells of its window to each cell of the block."""
        grown = self._growing(node) if len(node.args) == 1 and node.name in GROWING else None
        if grown is not None:
            return self._use("over", self._name(function_name(node.name)), grown)
        parts = []
        for arg in node.args:
            inner = arg.inner if isinstance(arg, nodes.Paren) else arg
            if isinstance(inner, Range):
                parts.append(self._window(inner))
            elif refers(arg) or any(isinstance(n, nodes.ArrayConst) for n in walk(arg)):
                raise NotWhole  # SUM(IF(x,A1,B1)) passes over a text in A1, and over() sees the text alone
            else:
                parts.append(self.value(arg))
        return self._use("over", self._name(function_name(node.name)), *parts)

    def _flows(self, node: nodes.Call) -> str:
        """NPV and IRR of one range of cash flows, for each cell in every lane."""
        values, others = (node.args[-1], node.args[:-1]) if node.name == "NPV" else (node.args[0], node.args[1:])
        if not isinstance(values, Range) or (node.name == "NPV" and len(others) != 1):
            raise NotWhole
        if any(isinstance(n, nodes.Missing | nodes.ArrayConst) for other in others for n in walk(other)):
            raise NotWhole
        sides = [self.number(other) for other in others]
        return self._use("flows", self._name(function_name(node.name)), self._window(values), *sides)

    def _growing(self, node: nodes.Call) -> str | None:
        """SUM(A$2:A2) filled down, or SUM($B2:B2) filled to the right: one pass over the longest range."""
        arg, rect = node.args[0], self.layout.rect
        if self.layout.lanes or not isinstance(arg, Range) or arg.last_sheet is not None or arg.wraps(rect):
            return None
        down = arg.top.absolute and not arg.bottom.absolute and (arg.fixed_columns or rect.width == 1)
        right = arg.left.absolute and not arg.right.absolute and (arg.fixed_rows or rect.height == 1)
        first = arg.at(rect.top, rect.left)
        if down and rect.height > 1 and arg.bottom.at(rect.top) >= arg.top.index:
            return f"{self._alias(arg.sheet)}.growing({literal(_address(first))}, {rect.height}, 1)"
        if right and rect.width > 1 and first.height == 1 and arg.right.at(rect.left) >= arg.left.index:
            return f"{self._alias(arg.sheet)}.growing({literal(_address(first))}, 1, {rect.width})"
        return None

    def _window(self, node: Range) -> str:
        rect = self.layout.rect
        if node.last_sheet is not None or node.wraps(rect):
            raise NotWhole
        if self.layout.moving:
            if node.whole_columns or node.whole_rows:
                raise NotWhole
            return f"{self._alias(node.sheet)}.window(({self._corners(node)}), 1, 1)"
        if node.top.absolute != node.bottom.absolute or node.left.absolute != node.right.absolute:
            raise NotWhole
        first = node.at(rect.top, rect.left)
        if first.size > 100_000 or node.whole_columns or node.whole_rows:
            raise NotWhole
        steps = (1 if node.fixed_rows else rect.height, 1 if node.fixed_columns else rect.width)
        if self.layout.lanes and steps not in ((rect.height, rect.width), (1, 1)):
            raise NotWhole
        return f"{self._alias(node.sheet)}.window({literal(_address(first))}, {steps[0]}, {steps[1]})"

    def _let(self, node: nodes.Call, want: str) -> str:
        """``LET(x, 1, x+y)`` becomes ``let(1.0, lambda x: …)``, so that each variable is computed once."""
        if self.layout.whole:
            raise NotWhole
        *pairs, body = node.args
        return self._let_step(list(pairs), body, want)

    def _let_step(self, pairs: list[Any], body: Any, want: str) -> str:
        if not pairs:
            return self._with_arrays(True, self._passed, body, want)
        name, value, *rest = pairs
        text = self._with_arrays(True, self.reference, value)
        variable = self._bind(name.name)
        inner = self._let_step(rest, body, want)
        self._unbind(name.name)
        return self._use("let", text, f"lambda {variable}: {inner}")

    def _bind(self, name: str) -> str:
        variable = self.names.script.variable(name, self._taken)
        self._taken.add(variable)
        self._variables.setdefault(name.casefold(), "")
        self._variables[name.casefold()] = f"{variable}\0{self._variables[name.casefold()]}"
        return variable

    def _bind_function(self, key: str) -> str:
        known = self.names.script.lambdas.get(key)
        if known is None:
            known = self.names.script.lambdas[key] = self.names.script.new(key.partition("!")[2], "function")
        return known

    def _unbind(self, name: str) -> None:
        self._variables[name.casefold()] = self._variables[name.casefold()].split("\0", 1)[1]

    def _variable(self, name: str) -> str:
        bound = self._variables.get(name.casefold(), "").split("\0", 1)[0]
        if not bound:
            raise CannotCompile("unknown_name", f"the name {name} is not defined")
        return bound

    def _lambda(self, node: nodes.Call) -> str:
        *parameters, body = node.args
        variables = [self._bind(p.name) for p in parameters]  # type: ignore[union-attr]
        text = self._with_arrays(True, self.reference, body)
        for p in parameters:
            self._unbind(p.name)  # type: ignore[union-attr]
        optional = next((i for i, p in enumerate(parameters) if isinstance(p, OptionalParameter)), len(parameters))
        heads = ", ".join(v if i < optional else f"{v}={self._name('MISSING')}" for i, v in enumerate(variables))
        return f"(lambda {heads}: {text})" if heads else f"(lambda: {text})"

    def _invoke(self, node: nodes.Invoke) -> str:
        if self.layout.whole:
            raise NotWhole
        args = [self._with_arrays(True, self.reference, a) for a in node.args]
        function = self._function_text(node.function)
        return self._use("called", function, *args)

    def _function_text(self, node: Any) -> str:
        """What is called: a LAMBDA, a variable that holds one, or a defined name that is one."""
        if isinstance(node, nodes.Call) and node.name == "LAMBDA":
            return self._lambda(node)
        return self.reference(node)

    def function_body(self, tree: Any) -> str:
        """The LAMBDA of a defined name."""
        return self._with_arrays(True, self._function_text, tree)

    # -- small things ----------------------------------------------------------------------------------------------

    def _use(self, function: str, *args: str) -> str:
        return f"{self._name(function)}({', '.join(args)})"

    def _name(self, name: str) -> str:
        self.names.imports.add(name)
        return name

    def _error(self, code: str) -> str:
        known = _ERROR_NAMES.get(code)
        if known is not None:
            return self._name(known)
        if code not in ERROR_CODES:
            raise CannotCompile("not_supported", f"the error {code} is not known")
        return self._use("ExcelError", literal(code))

    def _array_constant(self, rows: Any) -> str:
        if self.layout.whole:
            raise NotWhole
        lines = [", ".join(self.value(cell) for cell in row) for row in rows]
        if any(isinstance(cell, nodes.Error) for row in rows for cell in row):  # names: no constant of the code
            return self._use("text_array", f"[{', '.join(f'[{line}]' for line in lines)}]")
        comma = "," if len(rows[0]) == 1 else ""
        text = ", ".join(f"({line}{comma})" for line in lines)
        return self._use("text_array", f"({text}{',' if len(lines) == 1 else ''})")

    def _shapes_differ(self, left: Any, right: Any) -> bool:
        """In array mode: may the operands be arrays whose shapes NumPy cannot pair?"""
        if not self._arrays and not self._variables:
            if self._constants and any(isinstance(n, nodes.ArrayConst) for side in (left, right) for n in walk(side)):
                return True
            return holds_array(left) and holds_array(right)
        shapes = [self._shape(side) for side in (left, right)]
        if None in shapes:
            return True
        (a, b), (c, d) = shapes  # type: ignore[misc]
        return not ((a == c or 1 in (a, c)) and (b == d or 1 in (b, d)))

    def _shape(self, node: Any) -> tuple[int, int] | None:
        """The shape of an operand in array mode where the text tells it."""
        match node:
            case nodes.Number() | nodes.Text() | nodes.Logical():
                return 1, 1
            case Range() if node.last_sheet is None:
                if node.single:
                    return 1, 1
                if self.layout.blanks is not None or self._is_vast(node):
                    return None
                rect = node.at(self.layout.rect.top, self.layout.rect.left)
                return rect.height, rect.width
            case nodes.Paren(inner):
                return self._shape(inner)
            case nodes.Unary(_, operand) | nodes.Percent(operand):
                return self._shape(operand)
            case nodes.Binary(_, left, right):
                a, b = self._shape(left), self._shape(right)
                if a is None or b is None:
                    return None
                return max(a[0], b[0]), max(a[1], b[1])
        return None

    def _gives_array(self, node: nodes.Call) -> bool:
        """Whether a call of a function that returns a number may give an Arr (lifted over arrays)."""
        if self.layout.whole or self._arrays:
            return True
        return any(
            isinstance(n, nodes.ArrayConst | nodes.Call | nodes.Name | nodes.Invoke) or holds_array(n)
            for n in children(node)
        )


def _of_cells(node: Any) -> bool:
    """Whether an argument is several cells as they stand, which the functions of the Analysis ToolPak refuse."""
    match node:
        case nodes.Paren(inner):
            return _of_cells(inner)
        case Range():
            return not node.single and (node.top != node.bottom or node.left != node.right)
        case nodes.Spill():
            return True
    return False


def _address(rect: Rect) -> str:
    if rect.top == 0 and rect.bottom == MAX_ROWS - 1:
        return range_name(*rect)
    if rect.left == 0 and rect.right == MAX_COLUMNS - 1:
        return range_name(*rect)
    return cell_name(rect.top, rect.left) if rect.size == 1 else range_name(*rect)
