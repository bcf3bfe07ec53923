"""The script: parts of the schedule as functions, with the original formulas as comments and a map from lines to cells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.expressions import Emitter
from sheetrun.compiler.formtexts import Blanks, FormTexts, columns_of, names_of
from sheetrun.compiler.graph import region
from sheetrun.compiler.labels import Labels
from sheetrun.compiler.layout import Layout, NotAlike, NotTracked, NotWhole
from sheetrun.compiler.literal import comment, literal
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.resolve import Scope
from sheetrun.compiler.schedule import Alike, Loop, Part, Solve, Whole, schedule, units_of
from sheetrun.compiler.scriptnames import Names, ScriptNames
from sheetrun.compiler.tracks import Tracks
from sheetrun.compiler.units import Refused, Unit, make_units
from sheetrun.formula import nodes
from sheetrun.formula.a1 import cell_name, quote_sheet, range_name
from sheetrun.workbook.model import Block, Kind, Rect, Workbook

#: A function of the script ends after this many parts even when the sheet goes on.
_PARTS_PER_FUNCTION = 40
#: Words in a line of a list of cells.
_WORDS = 16


@dataclass(frozen=True, slots=True)
class Mapped:
    """A line of the script (1-based) and the cells that it computes."""

    line: int
    sheet: str
    address: str


@dataclass(frozen=True, slots=True)
class Script:
    """The generated program. ``text`` has no data in it; ``standalone`` writes the workbook's constants in."""

    text: str
    lines: tuple[Mapped, ...]
    refused: tuple[Refused, ...]
    volatile: tuple[tuple[int, Rect], ...]  #: blocks that are volatile or hang on a volatile block
    blocks: int
    needs: dict[tuple[int, Rect], list[tuple[int, Rect]]]  #: for each block the blocks that it reads from

    def line_map(self) -> bytes:
        """The line map as JSON: ``[[line, sheet, address], …]``."""
        return json.dumps([[m.line, m.sheet, m.address] for m in self.lines], separators=(",", ":")).encode()


@dataclass(slots=True)
class _Statement:
    """One statement (several lines) and what it computes."""

    lines: list[str]
    computes: list[tuple[Unit, int]]  #: unit and the offset of its line


@dataclass(slots=True)
class Function:
    name: str
    sheet: int
    solved: bool
    alone: bool
    names: Names
    statements: list[_Statement] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)


def compile_workbook(workbook: Workbook, *, progress: Callable[[int, int], None] | None = None) -> Script:
    """The script of a workbook. Byte-identical for the same workbook. ``progress``: blocks written, of how many."""
    return Writer(workbook).script(progress)


class Writer:
    """Writes a script, part by part."""

    def __init__(self, workbook: Workbook) -> None:
        #: Loops keep lines of cells in lists; not where each result must be rounded to what its cell shows.
        self.tracked = workbook.settings.full_precision
        self._workbook = workbook
        self._scope = Scope.of(workbook)
        self._labels = Labels(workbook)
        self._functions: list[Function] = []
        self._names = ScriptNames()
        self._imports: set[str] = {"main"}
        self._refused: list[Refused] = []
        self._forms = FormTexts()
        self.units: list[Unit] = []  #: after ``script``: the workbook's formulas, resolved

    @property
    def scope(self) -> Scope:
        return self._scope

    def script(self, progress: Callable[[int, int], None] | None = None) -> Script:
        units, parts = self._planned()
        self.units = units
        done = 0
        for part in self._chosen(units, parts):
            self._add(part)
            done += len(units_of(part))
            if progress is not None:
                progress(done, len(units))
        self._functions = [f for f in self._functions if f.statements]
        text, lines = self._assemble(units)
        return Script(
            text,
            tuple(lines),
            tuple(sorted(self._refused, key=lambda r: (r.sheet, r.rect))),
            tuple(_volatile(units, parts)),
            len(units),
            {(u.sheet, u.rect): [(units[n].sheet, units[n].rect) for n in sorted(u.needs)] for u in units},
        )

    def _planned(self) -> tuple[list[Unit], list[Part]]:
        """The formulas, resolved, and the order in which they are computed."""
        units, self._refused = make_units(self._workbook, self._scope)
        return units, schedule(units, self._scope)

    def _chosen(self, units: list[Unit], parts: list[Part]) -> Iterable[Part]:
        """Which parts are written: here all."""
        return parts

    # -- statements ------------------------------------------------------------------------------------------------

    def _add(self, part: Part) -> None:
        units = units_of(part)
        function = self._function(part)
        if isinstance(part, Solve):
            for unit in units:
                self._try(function, [unit], lambda u=unit: self._define(function, u))
        elif isinstance(part, Loop):
            self._try_loop(function, part)
        elif isinstance(part, Alike):
            self._try_alike(function, part)
        else:
            self._try(function, list(units), lambda: self._whole(function, part.unit))

    def _try(self, function: Function, units: list[Unit], write: object) -> None:
        try:
            statement: _Statement = write()  # type: ignore[operator]
        except CannotCompile as error:
            self._refuse(units, error)
            return
        function.statements.append(statement)
        function.units.extend(units)

    def _try_alike(self, function: Function, part: Alike) -> None:
        try:
            statement = self._alike(function, part)
        except (NotAlike, CannotCompile):
            for unit in part.units:
                self._try(function, [unit], lambda u=unit: self._whole(function, u))
            return
        function.statements.append(statement)
        function.units.extend(part.units)

    def _refuse(self, units: list[Unit], error: CannotCompile) -> None:
        self._refused.extend(Refused(u.sheet, u.rect, u.block.text, error.code, error.detail) for u in units)

    def _try_loop(self, function: Function, part: Loop) -> None:
        """A loop without the units that cannot be written."""
        try:
            statement = self._loop(function, part)
        except CannotCompile:
            good = []
            for unit in part.units:
                try:
                    self._loop_line(function, unit, part)
                    good.append(unit)
                except CannotCompile as error:
                    self._refuse([unit], error)
            if not good:
                return
            part = Loop(tuple(good), part.by_row, part.forward, part.inner_forward)
            statement = self._loop(function, part)
        function.statements.append(statement)
        function.units.extend(part.units)

    def _function(self, part: Part) -> Function:
        """The function that a part goes into: the last one while it is on the same sheet and not full."""
        unit = units_of(part)[0]
        # What is computed again by others, or computes others again, stands alone.
        alone = isinstance(part, Solve) or unit.block.kind is Kind.TABLE
        solved = isinstance(part, Solve)
        last = self._functions[-1] if self._functions else None
        if (
            last is not None
            and last.sheet == unit.sheet
            and not last.alone
            and not alone
            and len(last.statements) < _PARTS_PER_FUNCTION
        ):
            return last
        sheet = self._scope.sheet_name(unit.sheet)
        first = range_name(unit.rect.top, unit.rect.left, unit.rect.top, unit.rect.left).lower()
        name = self._names.new(f"{sheet}_{first}", "sheet")
        function = Function(name, unit.sheet, solved, alone, Names(self._names))
        self._functions.append(function)
        return function

    def _emitter(self, function: Function, layout: Layout, unit: Unit, tracks: Tracks | None = None) -> Emitter:
        def alias(sheet: int) -> str:
            return self._alias(function, sheet)

        def varies(reference: Range) -> bool:
            return self._varies(unit, reference)

        name = self._scope.sheet_name
        return Emitter(
            layout, unit.sheet, function.names, alias, name, arrays=unit.arrays, varies=varies, tracks=tracks
        )

    def _form_emitter(self, unit: Unit, blanks: Blanks) -> tuple[Emitter, Names]:
        """Writes the form of a unit, for any formula of it."""
        function = Function("", unit.sheet, False, False, Names(self._names))
        layout = Layout(Rect(0, 0, 0, 0), blanks=blanks)
        return self._emitter(function, layout, unit), function.names

    def _alike(self, function: Function, part: Alike) -> _Statement:
        """A loop over a list of cells, and of what stands in the blanks of their form."""
        text = self._forms.text(part.units[0], part.form, self._form_emitter)
        if text is None:
            raise NotAlike
        lists = columns_of(part.units, part.form)
        names = [self._names.local(name, ("blank", name)) for name in names_of(part.form)]
        function.names.imports.add("alike")
        sheet = self._alias(function, part.units[0].sheet)
        expression = text.named(names, function.names, self._names.sheets)
        first = part.units[0]
        heading = f"# {len(part.units)} cells like {cell_name(*first.rect[:2])}: ={comment(first.block.text)}"
        lines = [heading, f"for {', '.join(names)} in alike("]
        for column in lists:
            *wrapped, last = _wrapped(column)
            lines += [f"    {literal(line + ' ')}" for line in wrapped] + [f"    {literal(last)},"]
        lines += ["):", f"    {sheet}[{names[0]}] = {expression}"]
        return _Statement(lines, [(unit, len(lines) - 1) for unit in part.units])

    def _alias(self, function: Function, sheet: int) -> str:
        """What a sheet is called in a function."""
        known = self._names.sheets.get(sheet)
        if known is None:
            known = self._names.sheets[sheet] = self._names.new(self._scope.sheet_name(sheet), "sheet")
        function.names.aliases[sheet] = known
        return known

    def _varies(self, _unit: Unit, _reference: Range) -> bool:
        """Whether what a unit reads through a reference may be another value in another scenario."""
        return True

    def _expression(self, function: Function, unit: Unit, layout: Layout, tracks: Tracks | None = None) -> str:
        """The formula for one cell, or for the cell of a loop."""
        if unit.form is not None and layout.fixed:
            text = self._forms.text(unit, unit.form, self._form_emitter)
            if text is not None:
                return text.of(unit.blanks, unit.rect, function.names, self._names.sheets)
        emitter = self._emitter(function, layout, unit, tracks)
        whole = isinstance(unit.tree, Range) and unit.block.kind is Kind.DYNAMIC and layout.fixed
        return emitter.reference(unit.tree) if whole else emitter.formula(unit.tree)

    def _block_layout(self, rect: Rect) -> Layout:
        """For the formula of a whole block at once."""
        return Layout(rect, whole=True)

    def _heading(self, unit: Unit, indent: str = "") -> str:
        """The comment over a block: range, label, original formula."""
        label = self._labels.of(unit.sheet, unit.rect)
        name = f" {comment(label)}:" if label else ":"
        braces = ("{=", "}") if unit.block.kind is Kind.ARRAY else ("=", "")
        return f"{indent}# {range_name(*unit.rect)}{name} {braces[0]}{comment(unit.block.text)}{braces[1]}"

    def _whole(self, function: Function, unit: Unit) -> _Statement:
        rect = unit.rect
        address = literal(range_name(*rect))
        if unit.block.kind is Kind.TABLE:
            return self._data_table(function, unit, address)
        if unit.block.filled:
            return self._loop(function, Loop((unit,), rect.height >= rect.width, True, {}))
        if not unit.scalar or rect.size == 1:
            expression = self._expression(function, unit, Layout(Rect(rect.top, rect.left, rect.top, rect.left)))
            sheet = self._alias(function, unit.sheet)
            if unit.block.kind is Kind.DYNAMIC:
                line = f"{sheet}.spill({address}, {expression})"
            else:
                line = f"{sheet}[{address}] = {expression}"
            return _Statement([self._heading(unit), line], [(unit, 1)])
        try:
            emitter = self._emitter(function, self._block_layout(rect), unit)
            expression = emitter.formula(unit.tree)
            line = f"{self._alias(function, unit.sheet)}[{address}] = {expression}"
            return _Statement([self._heading(unit), line], [(unit, 1)])
        except NotWhole:
            by_row = rect.height >= rect.width
            return self._loop(function, Loop((unit,), by_row, True, {}))

    def _data_table(self, function: Function, unit: Unit, address: str) -> _Statement:
        """A what-if table: which cells are its inputs, and which functions compute what it tabulates."""
        table = unit.block.table
        if table is None or table.first_input is None:
            raise CannotCompile("data_table", "the data table has no input cell")
        first = cell_name(*table.first_input)
        if table.two_inputs and table.second_input is not None:
            row, column = literal(first), literal(cell_name(*table.second_input))
        else:
            row, column = (literal(first), "None") if table.by_row else ("None", literal(first))
        through = ", ".join(literal(name) for name in self._between(unit))
        sheet = self._alias(function, unit.sheet)
        line = f"{sheet}.data_table({address}, row={row}, column={column}, through=[{through}])"
        heading = f"# {range_name(*unit.rect)}: what-if data table"
        return _Statement([heading, line], [(unit, 1)])

    def _between(self, table: Unit) -> list[str]:
        """The functions that compute, from the table's inputs, the formulas that it tabulates; in order."""
        inputs = [read.at(0, 0) for read in table.reads[2:]]
        above = self._ancestors(table)
        affected: set[int] = set()
        names = []
        for function in self._functions:
            for unit in function.units:
                if unit.index in above and (
                    unit.needs & affected
                    or any(
                        read.sheet == table.sheet and region(unit, read).overlaps(rect)
                        for read in unit.reads
                        for rect in inputs
                    )
                ):
                    affected.add(unit.index)
            if any(unit.index in affected for unit in function.units):
                names.append(function.name)
        return names

    def _ancestors(self, unit: Unit) -> set[int]:
        """All units that a unit reads from, directly or not."""
        by_index = {u.index: u for f in self._functions for u in f.units}
        found: set[int] = set()
        stack = list(unit.needs)
        while stack:
            index = stack.pop()
            if index not in found and index in by_index:
                found.add(index)
                stack.extend(by_index[index].needs)
        return found

    def _loop(self, function: Function, part: Loop) -> _Statement:
        """One loop over rows or columns; within a turn the units in their order."""
        tracks = Tracks.of(part, function.names, partial(self._alias, function)) if self.tracked else None
        try:
            return self._written_loop(function, part, tracks)
        except NotTracked:
            return self._written_loop(function, part, None)

    def _written_loop(self, function: Function, part: Loop, tracks: Tracks | None) -> _Statement:
        span = _extent(part)
        variable, word = ("r", "rows") if part.by_row else ("c", "columns")
        first, last = (span[0] + 1, span[1] + 1) if part.forward else (span[1] + 1, span[0] + 1)
        function.names.imports.add(word)
        head = [self._heading(part.units[0])] if len(part.units) == 1 else []
        lines: list[str] = []
        computes: list[tuple[Unit, int]] = []
        for unit in part.units:
            if len(part.units) > 1:
                lines.append(self._heading(unit, "    "))
            for line in self._loop_line(function, unit, part, tracks):
                lines.append("    " + line)
            computes.append((unit, len(lines)))
        before, after = ([], []) if tracks is None else ([*tracks.before()], [*tracks.after()])
        offset = len(head) + len(before)
        loop = f"for {variable} in {word}({first}, {last}):"
        return _Statement([*head, *before, loop, *lines, *after], [(unit, offset + at) for unit, at in computes])

    def _loop_line(self, function: Function, unit: Unit, part: Loop, tracks: Tracks | None = None) -> list[str]:
        """What one turn of the loop does for a unit: its cells in this row or column, where it has any."""
        rect = unit.rect
        across = rect.width if part.by_row else rect.height
        low, high = (rect.top, rect.bottom) if part.by_row else (rect.left, rect.right)
        variable = "r" if part.by_row else "c"
        inner_loop = across > 1
        layout = Layout(rect, row_var=part.by_row or inner_loop, col_var=not part.by_row or inner_loop)
        if high == low and tracks is None:
            layout = Layout(rect, row_var=not part.by_row and inner_loop, col_var=part.by_row and inner_loop)
        expression = self._expression(function, unit, layout, tracks)
        sheet = self._alias(function, unit.sheet)
        row = "r" if layout.row_var else str(rect.top + 1)
        column = "c" if layout.col_var else str(rect.left + 1)
        lines = [f"{sheet}[{row}, {column}] = {expression}"]
        if tracks is not None:
            lines = [f"{tracks.target(unit)}[{variable}] = {function.names.call('kept', expression)}"]
        if unit.block.kind is Kind.DYNAMIC:
            lines = [f"{sheet}.spill(({row}, {column}), {expression})"]
        if inner_loop:
            inner, word = ("c", "columns") if part.by_row else ("r", "rows")
            start, end = (rect.left, rect.right) if part.by_row else (rect.top, rect.bottom)
            if not part.inner_forward.get(unit.index, True):
                start, end = end, start
            function.names.imports.add(word)
            lines = [f"for {inner} in {word}({start + 1}, {end + 1}):", "    " + lines[0]]
        if (low, high) != _extent(part):
            test = f"{variable} == {low + 1}" if low == high else f"{low + 1} <= {variable} <= {high + 1}"
            lines = [f"if {test}:", *("    " + line for line in lines)]
        return lines

    def _define(self, function: Function, unit: Unit) -> _Statement:
        rect = unit.rect
        address = literal(range_name(*rect))
        if not unit.scalar:
            emitter = self._emitter(function, Layout(Rect(rect.top, rect.left, rect.top, rect.left)), unit)
            how = "define_spill" if unit.block.kind is Kind.DYNAMIC else "define_array"
            line = f"{self._alias(function, unit.sheet)}.{how}({address}, lambda: {emitter.formula(unit.tree)})"
        else:
            layout = Layout(rect, row_var=rect.height > 1, col_var=rect.width > 1)
            emitter = self._emitter(function, layout, unit)
            line = f"{self._alias(function, unit.sheet)}.define({address}, lambda r, c: {emitter.formula(unit.tree)})"
        return _Statement([self._heading(unit), line], [(unit, 1)])

    # -- the whole text ----------------------------------------------------------------------------------------------

    def _assemble(self, units: list[Unit]) -> tuple[str, list[Mapped]]:
        owner = {u.index: f.name for f in self._functions for u in f.units}
        body: list[str] = []
        mapped: list[tuple[int, Unit]] = []
        shared = self._shared_lambdas()
        for key, text in shared.items():
            body += ["", f"# {comment(key.partition('!')[2])}", f"{self._names.lambdas[key]} = {text}"]
        definitions = {function.name: self._definitions(function, shared) for function in self._functions}
        for function in self._functions:
            self._imports |= function.names.imports | {"solve" if function.solved else "step"}
            body += ["", ""]
            body += self._decorator(function, owner)
            body.append(f"def {function.name}(book):")
            where = comment(self._scope.sheet_name(function.sheet)).replace("\\", "/").replace('"', "'")
            body.append(f'    """Sheet {where}."""')
            reader = "book.live({})" if function.solved else "book[{}]"
            for sheet, alias in sorted(function.names.aliases.items(), key=lambda item: item[0]):
                body.append(f"    {alias} = {reader.format(literal(self._scope.sheet_name(sheet)))}")
            body += ["    " + line for line in definitions[function.name]]
            for statement in function.statements:
                body.append("")
                start = len(body)
                body += ["    " + line for line in statement.lines]
                mapped += [(start + offset, unit) for unit, offset in statement.computes]
        body += ["", "", "STEPS = ["] + [f"    {f.name}," for f in self._functions] + ["]"]
        head = list(self._head())
        lines = [Mapped(len(head) + at + 1, self._scope.sheet_name(u.sheet), range_name(*u.rect)) for at, u in mapped]
        tail = ["", 'if __name__ == "__main__":', "    main(STEPS, __file__)", ""]
        return "\n".join(head + body + tail), lines

    def _definitions(self, function: Function, shared: dict[str, str]) -> list[str]:
        """The defined LAMBDAs that a function of the script calls and that look at cells, as local functions."""
        lines: list[str] = []
        done = set(shared)
        while set(function.names.lambdas) - done:
            for key, name in list(function.names.lambdas.items()):
                if key not in done:
                    done.add(key)
                    text = self._emitter(function, *_nowhere(function.sheet)).function_body(self._scope.functions[key])
                    lines += ["", f"# {comment(key.partition('!')[2])}", f"{name} = {text}"]
        return lines

    def _shared_lambdas(self) -> dict[str, str]:
        """The defined LAMBDAs that look at nothing but their arguments, by key: their text, for the whole script."""
        texts: dict[str, str] = {}
        calls: dict[str, set[str]] = {}
        waiting = sorted({key for function in self._functions for key in function.names.lambdas})
        while waiting:
            key = waiting.pop()
            if key in calls:
                continue
            alone = Function("", 0, False, False, Names(self._names))
            text = self._emitter(alone, *_nowhere(0)).function_body(self._scope.functions[key])
            calls[key] = set(alone.names.lambdas)
            waiting.extend(sorted(calls[key] - set(calls)))
            if not alone.names.aliases and "book" not in text:
                texts[key] = text
                self._imports |= alone.names.imports
        while True:  # one that calls one that looks at cells does so too
            impure = [key for key in texts if not calls[key] <= set(texts)]
            if not impure:
                return dict(sorted(texts.items()))
            for key in impure:
                del texts[key]

    def _head(self) -> Iterator[str]:
        name = comment(self._workbook.filename or "workbook").replace("\\", "/").replace('"', "'")
        yield f'"""{name} as Python, generated by Sheetrun: the same cells, computed the same way.'
        yield ""
        yield "Each block stands under its range and its formula in Excel. ``s[...]`` is a cell or a range as it is,"
        yield "``s.n[...]`` as numbers; rows and columns count from 1."
        if self._refused:
            yield ""
            yield f"Not computed here, kept as Excel left them: {len(self._refused)} blocks (see the report)."
        yield '"""'
        yield ""
        names = sorted(self._imports, key=lambda n: (not n.isupper(), n))
        yield "from sheetrun.runtime.api import ("
        for name in names:
            yield f"    {name},"
        yield ")"

    def _decorator(self, function: Function, owner: dict[int, str]) -> Iterator[str]:
        targets = []
        for index, units in groupby(function.units, lambda unit: unit.sheet):
            sheet = quote_sheet(self._scope.sheet_name(index))
            targets += [literal(f"{sheet}!{addresses}") for addresses in _addresses(list(units))]
        needs = sorted({owner[n] for u in function.units for n in u.needs if n in owner} - {function.name})
        yield f"@{'solve' if function.solved else 'step'}("
        for target in targets:
            yield f"    {target},"
        if needs:
            yield f"    needs=[{', '.join(literal(n) for n in needs)}],"
        yield ")"


def _addresses(units: list[Unit]) -> Iterator[str]:
    """The ranges of units, those of very many in long lines."""
    found = [range_name(*u.rect) for u in units]
    return iter(found if len(found) <= _PARTS_PER_FUNCTION else _wrapped(found))


def _wrapped(words: list[str]) -> list[str]:
    """Words in lines of equal number, for a table that nobody reads word by word."""
    return [" ".join(words[start : start + _WORDS]) for start in range(0, len(words), _WORDS)]


def _nowhere(sheet: int) -> tuple[Layout, Unit]:
    """The host of a formula that belongs to no cell."""
    rect = Rect(0, 0, 0, 0)
    return Layout(rect), Unit(-1, sheet, Block(rect, "", Kind.DYNAMIC), nodes.Missing())


def _extent(part: Loop) -> tuple[int, int]:
    """First and last row (or column) of all units of a loop, 0-based."""
    if part.by_row:
        return min(u.rect.top for u in part.units), max(u.rect.bottom for u in part.units)
    return min(u.rect.left for u in part.units), max(u.rect.right for u in part.units)


def _volatile(units: list[Unit], parts: list[Part]) -> Iterator[tuple[int, Rect]]:
    """Volatile blocks and all that depend on them, or may: where only the run tells what a block reads."""
    marked: set[int] = set()
    anywhere = any(unit.volatile for unit in units)
    for part in parts:
        members = units_of(part)
        if any(u.volatile or (anywhere and u.dynamic) or u.needs & marked for u in members):
            marked.update(u.index for u in members)
    for unit in units:
        if unit.index in marked:
            yield unit.sheet, unit.rect


__all__ = ["Mapped", "Script", "Whole", "compile_workbook"]
