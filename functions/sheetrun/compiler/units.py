"""What the compiler works on: one unit per block of equal formulas, resolved, with what it reads."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Final

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.forms import Form, form_of, stand_in_text
from sheetrun.compiler.ranges import Defined, Range, Resolved
from sheetrun.compiler.resolve import Resolver, Scope, rect_range
from sheetrun.compiler.trees import children, walk
from sheetrun.formula import nodes
from sheetrun.formula.errors import FormulaError
from sheetrun.formula.forms import FormKey, cut
from sheetrun.formula.parser import parse
from sheetrun.formula.r1c1 import relative_key
from sheetrun.records import dataclass
from sheetrun.runtime import functions as _functions  # noqa: F401 - registers all functions
from sheetrun.runtime.registry import Entry, find
from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, Block, Kind, Rect, Workbook

#: Functions whose reference is known only when they run.
DYNAMIC: Final = frozenset({"OFFSET", "INDIRECT"})
_TWICE: Final = 2  #: formulas of a form before it is worked out for all
_UNSEEN: Final[list[Unit]] = []
_NO_TREE: Final = nodes.Missing()
#: Functions that look at where a reference is, not at what is in it: the indices of such arguments.
_PLACE_ONLY: Final[dict[str, frozenset[int]]] = {
    "ROW": frozenset({0}),
    "ROWS": frozenset({0}),
    "COLUMN": frozenset({0}),
    "COLUMNS": frozenset({0}),
    "AREAS": frozenset({0}),
    "OFFSET": frozenset({0}),
    "SHEET": frozenset({0}),
    "SHEETS": frozenset({0}),
    "ISREF": frozenset({0}),
    "ISFORMULA": frozenset({0}),
    "FORMULATEXT": frozenset({0}),
}


@dataclass(slots=True)
class Unit:
    """A block ready for scheduling."""

    index: int
    sheet: int
    block: Block
    own_tree: Resolved = field(default_factory=nodes.Missing)
    own_reads: tuple[Range, ...] = ()
    dynamic: bool = False  #: reads what only the run can tell
    volatile: bool = False  #: has the clock, chance or the machine in it (OFFSET and INDIRECT give the same again)
    functions: tuple[str, ...] = ()  #: defined LAMBDAs that it calls, directly or not
    needs: set[int] = field(default_factory=set)  #: indices of units that it reads from
    form: Form | None = None  #: what it shares with others, in the place of a tree of its own
    blanks: list[str] = field(default_factory=list)  #: what the formula has in the blanks of its form
    rect: Rect = field(init=False)

    def __post_init__(self) -> None:
        self.rect = self.block.rect

    @property
    def tree(self) -> Resolved:
        """The formula, resolved."""
        return self.own_tree if self.form is None else self.form.tree_of(self.blanks, self.block.rect)

    @property
    def reads(self) -> tuple[Range, ...]:
        """The static references whose *values* it needs."""
        return self.own_reads if self.form is None else self.form.reads_of(self.blanks, self.block.rect)

    @property
    def scalar(self) -> bool:
        """One result per cell (not an array over the whole rectangle)."""
        return self.block.per_cell

    @property
    def arrays(self) -> bool:
        """Ranges in the formula stay arrays (nothing intersects with the cell's row or column)."""
        return self.block.kind is not Kind.NORMAL


@dataclass(frozen=True, slots=True)
class Refused:
    """A block that keeps its cached values, and why."""

    sheet: int
    rect: Rect
    text: str
    code: str
    detail: str


def make_units(workbook: Workbook, scope: Scope) -> tuple[list[Unit], list[Refused]]:
    """Parses and resolves every block; equal formulas are parsed once, and those of one form together."""
    units: list[Unit] = []
    refused: list[Refused] = []
    trees: dict[str, nodes.Node] = {}
    forms = _Forms(scope)
    for s, sheet in enumerate(workbook.sheets):
        for block in sheet.blocks:
            try:
                waiting: list[Unit] | None = None
                blanks: list[str] = []
                if block.kind is Kind.NORMAL and block.rect.size == 1:
                    key, blanks = cut(block.text)
                    known = forms.of(s, key, block)
                    if isinstance(known, Form):
                        units.append(_of_form(len(units), s, block, known, blanks))
                        continue
                    waiting = known
                if block.kind is Kind.TABLE:
                    units.append(_data_table(len(units), s, block))
                    continue
                tree = _tree(block, trees)
                resolved = Resolver(scope, s, block.rect.top, block.rect.left).resolve(tree)
                called = check_calls(resolved, scope)
            except RecursionError:
                refused.append(Refused(s, block.rect, block.text, "too_deep", "the formula is nested too deeply"))
                continue
            except (CannotCompile, FormulaError) as error:
                code = error.code if isinstance(error, CannotCompile) else "bad_formula"
                refused.append(Refused(s, block.rect, block.text, code, str(error)))
                continue
            unit = Unit(len(units), s, block, resolved, functions=called)
            _describe(unit, scope)
            units.append(unit)
            if waiting is not None:
                unit.blanks = blanks
                waiting.append(unit)
    return units, refused


def _of_form(index: int, sheet: int, block: Block, form: Form, blanks: list[str]) -> Unit:
    form.members += 1
    return Unit(
        index, sheet, block, _NO_TREE, (), dynamic=form.dynamic, volatile=form.volatile, form=form, blanks=blanks
    )


def _give_form(unit: Unit, form: Form, blanks: list[str]) -> None:
    unit.form, unit.blanks = form, blanks
    unit.dynamic, unit.volatile = form.dynamic, form.volatile
    form.members += 1


class _Forms:
    """The forms that occur more than twice on a sheet; others are not worth a form."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        #: The form, or None where there can be none; as long as it is not worked out, the units that may have it.
        self._known: dict[tuple[int, FormKey], Form | list[Unit] | None] = {}

    def of(self, sheet: int, key: FormKey, block: Block) -> Form | list[Unit] | None:
        """The form of a block; a list to put its unit into when it is too early to tell; None: it has no form."""
        known = self._known.get((sheet, key), _UNSEEN)
        if type(known) is Form:
            return known
        if known is _UNSEEN:
            known = self._known[sheet, key] = []
        if not isinstance(known, list) or len(known) < _TWICE:
            return known
        form = self._known[sheet, key] = self._make(sheet, key, block)
        if form is not None:
            for unit in known:
                _give_form(unit, form, unit.blanks)
        return form

    def _make(self, sheet: int, key: FormKey, block: Block) -> Form | None:
        text = stand_in_text(key)
        if text is None:
            return None
        try:
            parsed = parse(text, block.rect.top, block.rect.left)
            tree = Resolver(self._scope, sheet, block.rect.top, block.rect.left).resolve(parsed)
            called = check_calls(tree, self._scope)
        except (CannotCompile, FormulaError, RecursionError):
            return None  # each formula says so itself
        form = None if called or any(map(_resizing, walk(tree))) else form_of(key, parsed, tree)
        if form is not None:
            unit = Unit(-1, sheet, block, tree)
            _describe(unit, self._scope)
            form.reads = tuple((read, form.references.get(read)) for read in unit.own_reads)
            form.dynamic, form.volatile = unit.dynamic, unit.volatile
        return form


def _tree(block: Block, trees: dict[str, nodes.Node]) -> nodes.Node:
    top, left = block.rect.top, block.rect.left
    key = relative_key(block.text, top, left)
    tree = trees.get(key)
    if tree is None:
        tree = trees[key] = parse(block.text, top, left)
    return tree


def _data_table(index: int, sheet: int, block: Block) -> Unit:
    """A what-if data table: it reads its headers, the formulas it tabulates and its input cells."""
    table, rect = block.table, block.rect
    if table is None or table.first_input is None or (table.two_inputs and table.second_input is None):
        raise CannotCompile("data_table", "an input cell of the data table was deleted")
    if rect.top == 0 or rect.left == 0:
        raise CannotCompile("data_table", "the data table has no room for its headers")
    inputs = [place for place in (table.first_input, table.second_input) if place is not None]
    reads = [
        Rect(rect.top - 1, rect.left - 1, rect.top - 1, rect.right),
        Rect(rect.top, rect.left - 1, rect.bottom, rect.left - 1),
        *(Rect(row, col, row, col) for row, col in inputs),
    ]
    return Unit(index, sheet, block, nodes.Missing(), tuple(rect_range(sheet, r) for r in reads))


def check_calls(tree: Resolved, scope: Scope) -> tuple[str, ...]:
    """Every function must be known and have a fitting number of arguments. The defined LAMBDAs that are called, sorted."""
    found: set[str] = set()
    stack: list[Any] = [tree]
    while stack:
        for node in walk(stack.pop()):
            if isinstance(node, Defined) and node.key not in found:
                found.add(node.key)
                stack.append(scope.functions[node.key])
            elif isinstance(node, nodes.Call) and node.name not in ("LET", "LAMBDA"):
                _check_call(node)
    return tuple(sorted(found))


def _check_call(node: nodes.Call) -> None:
    entry = find(node.name)
    if entry is None:
        raise _unknown(node.name)
    least, most = entry.arity()
    if len(node.args) < least or (most is not None and len(node.args) > most):
        raise CannotCompile("bad_arguments", f"{node.name} cannot take {len(node.args)} arguments")


def _unknown(name: str) -> CannotCompile:
    own = name.removeprefix("_XLL.")
    if own != name:
        return CannotCompile("add_in", f"{own} is here a function of an add-in, which is not in the file")
    if name == "_FV":  # how a file writes A1.Price
        return CannotCompile("linked_data_type", "a field of a linked data type is kept by a service")
    return CannotCompile("unknown_function", f"the function {name} is not known")


def entry_of(node: nodes.Call) -> Entry:
    found = find(node.name)
    if found is None:
        raise _unknown(node.name)
    return found


def _describe(unit: Unit, scope: Scope) -> None:
    """Fills in what the unit reads and whether that is known before the run."""
    reads: dict[Range, None] = {}
    stack: list[tuple[Any, bool]] = [(unit.own_tree, True), *((scope.functions[key], True) for key in unit.functions)]
    while stack:
        node, read = stack.pop()
        if isinstance(node, Range):
            if read:
                reads[node] = None
            continue
        if isinstance(node, nodes.Call):
            if node.name in DYNAMIC:
                unit.dynamic = True
            entry = find(node.name)
            if entry is not None and entry.volatile and node.name not in DYNAMIC:
                unit.volatile = True
            if read and (ranges := _resizing(node)) is not None:
                resized = _resized(*ranges)
                if resized is None:
                    unit.dynamic = True
                else:
                    reads[resized] = None
            places = _PLACE_ONLY.get(node.name, frozenset())
            stack.extend((a, read and not (i in places and isinstance(a, Range))) for i, a in enumerate(node.args))
            continue
        if isinstance(node, nodes.RangeOp):
            around = _around(node)
            if around is None:
                unit.dynamic = True
            elif read:
                reads[around] = None
        stack.extend((c, read) for c in children(node))
    unit.own_reads = tuple(reads)


def _resizing(node: Any) -> tuple[Range, Range] | None:
    """The ranges of a call that reads as many cells of the second one as the first one has, from its first cell on; None
    where that is the second one itself."""
    match node:
        case nodes.Call("SUMIF" | "AVERAGEIF", (Range() as tested, _, Range() as values)):
            return (tested, values) if _size(tested) != _size(values) else None
    return None


def _size(found: Range) -> list[tuple[int, bool | None]]:
    """Of its rows and its columns how many more than one there are, at a host, and which end of them moves with the host."""
    pairs = (found.top, found.bottom), (found.left, found.right)
    return [(b.index - a.index, a.absolute if a.absolute != b.absolute else None) for a, b in pairs]


def _resized(tested: Range, values: Range) -> Range | None:
    """The cells of ``SUMIF(tested, …, values)``; None where that is another shape for each host. Source: Microsoft, "SUMIF
    function": the range to sum need not have the size of the other."""
    first = values.first_cell()
    mixed = tested.top.absolute != tested.bottom.absolute or tested.left.absolute != tested.right.absolute
    if mixed or not first.one or first.last_sheet is not None:
        return None
    rows, columns = (abs(b.index - a.index) for a, b in ((tested.top, tested.bottom), (tested.left, tested.right)))
    top, bottom = _ends(first.top, rows, MAX_ROWS)
    left, right = _ends(first.left, columns, MAX_COLUMNS)
    return Range(first.sheet, top, left, bottom, right)


def _ends(first: nodes.Axis, more: int, size: int) -> tuple[nodes.Axis, nodes.Axis]:
    """From a coordinate on so many more; what may reach over the edge of the sheet is all of it."""
    if first.absolute:
        return first, nodes.Axis(min(first.index + more, size - 1), True)
    if more > size // 4:
        return nodes.Axis(0, True), nodes.Axis(size - 1, True)
    return first, nodes.Axis(first.index + more, False)


def _around(node: nodes.RangeOp) -> Range | None:
    """A range that surely holds ``left:right`` (the sides pick cells out of known ranges); None when that is unknown."""
    ranges: list[Range] = []
    sides: tuple[Any, Any] = (node.left, node.right)
    for side in sides:
        found = [
            n for n in walk(side) if (isinstance(n, Range) and not n.single) or (isinstance(n, Range) and n is side)
        ]
        if isinstance(side, Range):
            ranges.append(side)
        elif isinstance(side, nodes.Call) and side.name in ("INDEX", "XLOOKUP") and found:
            ranges.extend(found)
        else:
            return None
    sheets = {r.sheet for r in ranges}
    if len(sheets) != 1 or any(r.last_sheet is not None for r in ranges):
        return None
    same = {(r.top.absolute, r.bottom.absolute, r.left.absolute, r.right.absolute) for r in ranges}
    if len(same) != 1:
        return None
    first = ranges[0]
    return Range(
        first.sheet,
        min((r.top for r in ranges), key=lambda a: a.index),
        min((r.left for r in ranges), key=lambda a: a.index),
        max((r.bottom for r in ranges), key=lambda a: a.index),
        max((r.right for r in ranges), key=lambda a: a.index),
    )
