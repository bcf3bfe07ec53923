"""Names, tables and sheets of a formula replaced by what they stand for. Formula tree in, resolved tree out.

A defined name becomes its definition (a reference, a constant or a formula) in place, seen from the host cell; a
structured reference becomes the range of its table; a sheet name becomes the sheet's index. LET variables and LAMBDA
parameters stay names.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from typing import Any, Final

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.ranges import Defined, OptionalParameter, Passed, Range, Resolved
from sheetrun.compiler.trees import child_fields, is_node
from sheetrun.formula import nodes
from sheetrun.formula.errors import FormulaError
from sheetrun.formula.nodes import Axis
from sheetrun.formula.parser import parse
from sheetrun.records import dataclass
from sheetrun.runtime.registry import find
from sheetrun.workbook.model import MAX_COLUMNS, MAX_ROWS, DefinedName, Rect, Sheet, Table, Workbook

_LAMBDA = re.compile(r"\s*(?:_xlfn\.)?LAMBDA\s*\(", re.IGNORECASE)
_DEEPEST_NAME: Final = 32
_MOST_NAMES: Final = 5_000  #: of one formula, those within names included
_EDGE_ROWS: Final = (Axis(0, True), Axis(MAX_ROWS - 1, True))
_EDGE_COLUMNS: Final = (Axis(0, True), Axis(MAX_COLUMNS - 1, True))


@dataclass(slots=True)
class Scope:
    """What is known of a workbook by name. Sheets of external books follow the workbook's own, by index."""

    workbook: Workbook
    sheets: dict[str, int] = field(default_factory=dict)
    names: dict[tuple[int | None, str], DefinedName] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    externals: list[tuple[str, Sheet]] = field(default_factory=list)
    external_names: dict[tuple[str, str], str] = field(default_factory=dict)
    refused: dict[str, CannotCompile] = field(default_factory=dict)  #: LAMBDAs that cannot be used, and why
    lost: set[str] = field(default_factory=set)
    functions: dict[str, Resolved | None] = field(default_factory=dict)  #: bodies of Defined; None while resolving
    own: int = 0  #: number of the workbook's own sheets

    @classmethod
    def of(cls, workbook: Workbook) -> Scope:
        scope = cls(workbook, own=len(workbook.sheets))
        for i, sheet in enumerate(workbook.sheets):
            scope.sheets[_fold(sheet.name)] = i
        for name in workbook.names:
            scope.names.setdefault((name.sheet, _fold(name.name)), name)
        for table in workbook.tables:
            scope.tables[_fold(table.name)] = table
        for book in workbook.externals:
            for sheet_name, grids in book.sheets.items():
                if sheet_name in book.lost:
                    scope.lost.add(_fold(f"[{book.index}]{sheet_name}"))
                label = f"[{book.index}]{sheet_name}"
                scope.sheets[_fold(label)] = scope.own + len(scope.externals)
                scope.externals.append((label, Sheet(label, grids=grids)))
            for name_text, refers in book.names.items():
                scope.external_names[str(book.index), _fold(name_text)] = refers
        return scope

    def sheet_name(self, index: int) -> str:
        if index < self.own:
            return self.workbook.sheets[index].name
        return self.externals[index - self.own][0]

    def sheet(self, index: int) -> Sheet:
        return self.workbook.sheets[index] if index < self.own else self.externals[index - self.own][1]


def _fold(text: str) -> str:
    return text.casefold()


class Resolver:
    """Resolves formulas of one sheet at one host cell."""

    def __init__(self, scope: Scope, sheet: int, row: int, col: int) -> None:
        self._scope = scope
        self._sheet = sheet
        self._row = row
        self._col = col
        self._names: list[str] = []
        self._expanded = [0]  #: names put in so far, also by resolvers within

    def resolve(self, node: Resolved, bound: frozenset[str] = frozenset()) -> Resolved:
        """The tree with references resolved; ``bound`` are the variables of LET and LAMBDA in force (folded)."""
        match node:
            case nodes.Cell(row, col, prefix):
                return self._range(prefix, row, col, row, col, single=True)
            case nodes.Area(top, left, bottom, right, prefix):
                return self._range(prefix, top, left, bottom, right)
            case nodes.Rows(first, last, prefix):
                return self._range(prefix, first, _EDGE_COLUMNS[0], last, _EDGE_COLUMNS[1])
            case nodes.Columns(first, last, prefix):
                return self._range(prefix, _EDGE_ROWS[0], first, _EDGE_ROWS[1], last)
            case nodes.Name(name, _, True) if _may_be_passed(name.upper()):
                return Passed(name.upper())
            case nodes.Name(name, prefix):
                if prefix is None and _fold(name) in bound:
                    return node
                return self._named(name, prefix, bound)
            case nodes.Structured():
                return self._structured(node)
            case nodes.Call("LET", args):
                return self._let(args, bound)
            case nodes.Call("LAMBDA", args):
                return self._lambda(args, bound)
            case nodes.Call(name, args):
                return self._call(name, args, bound)
            case nodes.Invoke(nodes.Name(name, prefix), args) if prefix is None and _fold(name) not in bound:
                return self._call(name.upper(), args, bound)
            case nodes.RangeOp(left, right):
                return self._between(self.resolve(left, bound), self.resolve(right, bound))
            case nodes.Binary():
                return self._chain(node, bound)
        return self._children(node, bound)  # type: ignore[no-any-return]

    def _chain(self, node: nodes.Binary, bound: frozenset[str]) -> Resolved:
        """``a + b + c …``: as long as it may be, for chains nest to the left."""
        links: list[nodes.Binary] = []
        first: Any = node
        while isinstance(first, nodes.Binary):
            links.append(first)
            first = first.left
        left: Any = self.resolve(first, bound)
        for link in reversed(links):
            left = nodes.Binary(link.op, left, self.resolve(link.right, bound))  # type: ignore[arg-type]
        return left  # type: ignore[no-any-return]

    def _children(self, node: Any, bound: frozenset[str]) -> Any:
        """The same node with resolved children."""
        changes: dict[str, Any] = {}
        for name in child_fields(type(node)):
            value = getattr(node, name)
            if isinstance(value, tuple):
                changes[name] = tuple(self.resolve(v, bound) if is_node(v) else v for v in value)
            elif is_node(value):
                changes[name] = self.resolve(value, bound)
        return replace(node, **changes) if changes else node

    # -- references ----------------------------------------------------------------------------------------------

    def _range(
        self, prefix: nodes.Prefix | None, top: Axis, left: Axis, bottom: Axis, right: Axis, *, single: bool = False
    ) -> Resolved:
        if prefix is None:
            return Range(self._sheet, top, left, bottom, right, single)
        first = self._find_sheet(prefix.book, prefix.sheet)
        if first is None:
            return nodes.Error("#REF!")
        last = None
        if prefix.last_sheet is not None:
            last = self._find_sheet(prefix.book, prefix.last_sheet)
            if last is None:
                return nodes.Error("#REF!")
        return Range(first, top, left, bottom, right, single, last)

    def _find_sheet(self, book: str | None, sheet: str | None) -> int | None:
        if sheet is None:
            return self._sheet
        if book is None or book == "0":
            return self._scope.sheets.get(_fold(sheet))
        found = self._scope.sheets.get(_fold(f"[{book}]{sheet}"))
        if _fold(f"[{book}]{sheet}") in self._scope.lost:
            return None
        if found is None:
            raise CannotCompile("external_link", f"the file has no cached values of [{book}]{sheet}")
        return found

    def _between(self, left: Resolved, right: Resolved) -> Resolved:
        """``left:right``: the one Range around both where both are ranges, and it is the same for every host."""
        if not (isinstance(left, Range) and isinstance(right, Range)) or left.sheet != right.sheet:
            return nodes.RangeOp(left, right)  # type: ignore[arg-type]
        down = (left.top, left.bottom, right.top, right.bottom)
        across = (left.left, left.right, right.left, right.right)
        fixed = all(len({axis.absolute for axis in axes}) == 1 for axes in (down, across))
        if not fixed or left.last_sheet is not None or right.last_sheet is not None:
            return nodes.RangeOp(left, right)  # type: ignore[arg-type]
        (top, bottom), (first, last) = ((min(axes, key=_index), max(axes, key=_index)) for axes in (down, across))
        return Range(left.sheet, top, first, bottom, last)

    # -- names ---------------------------------------------------------------------------------------------------

    def _named(self, name: str, prefix: nodes.Prefix | None, bound: frozenset[str]) -> Resolved:
        folded = _fold(name)
        if prefix is not None and prefix.book not in (None, "0"):
            return self._external_name(str(prefix.book), folded)
        sheet = self._sheet
        if prefix is not None and prefix.sheet is not None:
            found = self._scope.sheets.get(_fold(prefix.sheet))
            if found is None:
                return nodes.Error("#REF!")
            sheet = found
        definition = self._scope.names.get((sheet, folded)) or self._scope.names.get((None, folded))
        if definition is None:
            table = self._scope.tables.get(folded)
            if table is not None:
                return rect_range(table.sheet, _body(table))
            return nodes.Error("#NAME?")
        return self._defined(definition, sheet)

    def _defined(self, definition: DefinedName, sheet: int) -> Resolved:
        folded = _fold(definition.name)
        if _LAMBDA.match(definition.text):
            return self._function(definition, sheet)
        if folded in self._names or len(self._names) >= _DEEPEST_NAME:
            raise CannotCompile("recursive_name", f"the name {definition.name} is defined by itself")
        self._expanded[0] += 1
        if self._expanded[0] > _MOST_NAMES:  # each of a chain of names may say the one before twice
            raise CannotCompile("too_long", f"the formula needs the meaning of more than {_MOST_NAMES:,} names")
        try:
            tree = parse(definition.text, 0, 0)
        except FormulaError as error:
            raise CannotCompile("bad_name", f"the name {definition.name} cannot be read: {error}") from error
        inner = Resolver(self._scope, sheet if definition.sheet is None else definition.sheet, self._row, self._col)
        inner._names = [*self._names, folded]
        inner._expanded = self._expanded
        return inner.resolve(tree)

    def _function(self, definition: DefinedName, sheet: int) -> Resolved:
        """A name that is a LAMBDA: resolved once, and called by its key."""
        key = f"{'' if definition.sheet is None else definition.sheet}!{_fold(definition.name)}"
        functions = self._scope.functions
        if key in self._scope.refused:
            raise self._scope.refused[key]
        if key not in functions:
            functions[key] = None
            try:
                tree = parse(definition.text, 0, 0)
                home = sheet if definition.sheet is None else definition.sheet
                functions[key] = Resolver(self._scope, home, 0, 0).resolve(tree)
            except (FormulaError, CannotCompile) as error:
                del functions[key]
                detail = f"the name {definition.name} cannot be used: {error}"
                refusal = CannotCompile("bad_name", detail) if isinstance(error, FormulaError) else error
                self._scope.refused[key] = refusal
                raise refusal from error
        return Defined(key)

    def _external_name(self, book: str, folded: str) -> Resolved:
        text = self._scope.external_names.get((book, folded))
        if text is None:
            raise CannotCompile("external_link", f"the file does not hold the name {folded} of workbook [{book}]")
        tree = parse(text.removeprefix("="), 0, 0)
        return self.resolve(_in_book(tree, book))

    # -- structured references -------------------------------------------------------------------------------------

    def _structured(self, node: nodes.Structured) -> Resolved:
        if node.prefix is not None and node.prefix.book not in (None, "0"):
            raise CannotCompile("external_link", "a table of another workbook")
        table = self._table(node.table)
        if table is None:
            return nodes.Error("#REF!") if node.table is None else nodes.Error("#NAME?")
        columns = [_fold(c) for c in table.columns]
        left, right = 0, len(columns) - 1
        if node.first is not None:
            if _fold(node.first) not in columns:
                return nodes.Error("#REF!")
            left = right = columns.index(_fold(node.first))
        if node.last is not None:
            if _fold(node.last) not in columns:
                return nodes.Error("#REF!")
            right = columns.index(_fold(node.last))
        left, right = table.rect.left + min(left, right), table.rect.left + max(left, right)
        if "this row" in node.items and not _body(table).top <= self._row <= _body(table).bottom:
            return nodes.Error("#VALUE!")
        rows = self._table_rows(table, node.items)
        if rows is None:
            return nodes.Error("#REF!")
        if isinstance(rows, Axis):
            axes = rows, Axis(left, True), rows, Axis(right, True)
            return Range(table.sheet, *axes, single=left == right)
        return rect_range(table.sheet, Rect(rows[0], left, rows[1], right))

    def _table(self, name: str | None) -> Table | None:
        if name is not None:
            return self._scope.tables.get(_fold(name))
        here = (t for t in self._scope.workbook.tables if t.sheet == self._sheet)
        return next((t for t in here if t.rect.contains(self._row, self._col)), None)

    def _table_rows(self, table: Table, items: tuple[str, ...]) -> tuple[int, int] | Axis | None:
        """First and last row of the parts asked for; an Axis for "this row"; None when the part does not exist."""
        rect, body = table.rect, _body(table)
        if "this row" in items:
            return Axis(0, False)
        if "all" in items:
            return rect.top, rect.bottom
        spans = []
        for item in items or ("data",):
            if item == "headers":
                spans.append((rect.top, rect.top + table.header_rows - 1))
            elif item == "totals":
                spans.append((rect.bottom - table.totals_rows + 1, rect.bottom))
            else:
                spans.append((body.top, body.bottom))
        top, bottom = min(s[0] for s in spans), max(s[1] for s in spans)
        return None if bottom < top else (top, bottom)

    # -- calls -----------------------------------------------------------------------------------------------------

    def _let(self, args: tuple[nodes.Node, ...], bound: frozenset[str]) -> Resolved:
        if len(args) < 3 or len(args) % 2 == 0:
            raise CannotCompile("bad_arguments", "LET needs pairs of name and value, and a result")
        out: list[Any] = []
        for name, value in zip(args[:-1:2], args[1:-1:2], strict=True):
            out.append(_variable(name))
            out.append(self.resolve(value, bound))
            bound = bound | {_fold(_variable(name).name)}
        out.append(self.resolve(args[-1], bound))
        return nodes.Call("LET", tuple(out))

    def _lambda(self, args: tuple[nodes.Node, ...], bound: frozenset[str]) -> Resolved:
        parameters = tuple(_variable(a) for a in args[:-1])
        inner = bound | {_fold(p.name) for p in parameters}
        return nodes.Call("LAMBDA", (*parameters, self.resolve(args[-1], inner)))  # type: ignore[arg-type]

    def _call(self, name: str, args: tuple[nodes.Node, ...], bound: frozenset[str]) -> Resolved:
        resolved = tuple(self.resolve(a, bound) for a in args)
        if _fold(name) in bound and find(name) is None:  # ``N(x)`` is Excel's N also where a variable is called N
            return nodes.Invoke(nodes.Name(name), resolved)  # type: ignore[arg-type]
        definition = self._scope.names.get((self._sheet, _fold(name))) or self._scope.names.get((None, _fold(name)))
        if definition is not None and find(name) is None:  # SUBTOTAL(9,A1:A3) beside a cell that is named Subtotal
            return nodes.Invoke(self._defined(definition, self._sheet), resolved)  # type: ignore[arg-type]
        return nodes.Call(name, resolved)  # type: ignore[arg-type]


def _may_be_passed(name: str) -> bool:
    """Whether a function is one of values alone: IF looks at formulas, CELL at the sheet."""
    entry = find(name)
    return entry is not None and not entry.needs_host and all(p.kind != "lazy" for p in entry.parameters)


def _variable(node: Any) -> nodes.Name:
    if isinstance(node, nodes.Structured) and node.table is None and node.first and not node.items:
        return OptionalParameter(node.first)  # LAMBDA(x,[y],…)
    if not isinstance(node, nodes.Name):
        raise CannotCompile("bad_arguments", "a variable of LET or LAMBDA must be a name")
    return node


def _body(table: Table) -> Rect:
    """The data rows of a table."""
    rect = table.rect
    return Rect(rect.top + table.header_rows, rect.left, rect.bottom - table.totals_rows, rect.right)


def rect_range(sheet: int, rect: Rect) -> Range:
    """A rectangle as a reference with all axes absolute."""
    top, left, bottom, right = (Axis(i, True) for i in rect)
    return Range(sheet, top, left, bottom, right)


def _index(axis: Axis) -> int:
    return axis.index


def _in_book(tree: Any, book: str) -> Any:
    """The references of an external name, all in that book."""
    if isinstance(tree, nodes.Cell | nodes.Area | nodes.Rows | nodes.Columns):
        prefix = tree.prefix or nodes.Prefix()
        return replace(tree, prefix=replace(prefix, book=book))
    return tree
