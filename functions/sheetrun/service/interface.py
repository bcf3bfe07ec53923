"""What of a workbook a caller sets and reads: inputs and outputs with their labels, types, formats and rules.

Inputs are constants that formulas read, outputs are formula cells that no formula reads, cells with a name, and the
totals of tables. Names that begin with ``input_`` or ``output_``, and sheets called Inputs or Outputs, say more than
that, and come first. Long runs of equal cells (a column of data) are one entry, a range.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from typing import Any, Final

import numpy as np

from sheetrun.compiler.errors import CannotCompile
from sheetrun.compiler.graph import regions, sheets_of
from sheetrun.compiler.labels import Labels
from sheetrun.compiler.ranges import Range
from sheetrun.compiler.resolve import Resolver, Scope
from sheetrun.compiler.units import Unit
from sheetrun.formula import nodes
from sheetrun.formula.a1 import quote_sheet, range_name
from sheetrun.formula.errors import FormulaError
from sheetrun.formula.parser import parse
from sheetrun.records import dataclass
from sheetrun.runtime.cells import EMPTY, LOGICAL, TEXT, Mask
from sheetrun.runtime.numberformat import is_date_code
from sheetrun.service.planes import Plane, plain
from sheetrun.service.rules import Rule, rules_of
from sheetrun.workbook.model import Grid, Rect, Sheet, Workbook

#: Cells beside each other, all constants or all of one formula, that are still listed one by one.
RUN: Final = 24
MOST: Final = 1000  #: entries of a list
SHOWN: Final = 1000  #: cells of a range whose values are told
TOLD: Final = 20_000  #: cells of all of them

_INPUT: Final = re.compile(r"x?in(put)?s?[_.]", re.IGNORECASE)
_OUTPUT: Final = re.compile(r"x?out(put)?s?[_.]", re.IGNORECASE)
_SHEET_IN: Final = re.compile(r"inputs?", re.IGNORECASE)
_SHEET_OUT: Final = re.compile(r"outputs?", re.IGNORECASE)
_CURRENCY: Final = re.compile(r'\[\$([^\]-]+)(?:-[0-9A-Fa-f]+)?\]|"?([$€£¥₹])"?')
_LITERALS: Final = re.compile(r'"[^"]*"|\\.|_.|\*.')
_WORD: Final = re.compile(r'"\s*([^\W\d_][^"]{0,15}?)\s*"')


@dataclass(frozen=True, slots=True)
class Port:
    """One entry: a cell or a range that is set or read. ``rank``: the smaller, the more surely it is meant."""

    sheet: int
    rect: Rect
    rank: int = 2
    name: str | None = None

    @property
    def order(self) -> tuple[int, int, int, int]:
        return self.rank, self.sheet, self.rect.top, self.rect.left


@dataclass(frozen=True, slots=True)
class Ports:
    """``inputs`` and ``outputs`` in the order in which they are listed, the most important first; at most MOST each."""

    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    counts: tuple[int, int] = (0, 0)  #: how many there are in all

    def to_bytes(self) -> bytes:
        def rows(ports: Iterable[Port]) -> list[list[Any]]:
            return [[p.sheet, *p.rect, p.rank, p.name] for p in ports]

        return json.dumps({"inputs": rows(self.inputs), "outputs": rows(self.outputs), "counts": self.counts}).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Ports:
        def ports(rows: Iterable[Sequence[Any]]) -> tuple[Port, ...]:
            return tuple(Port(row[0], Rect(*row[1:5]), row[5], row[6]) for row in rows)

        found = json.loads(data)
        return cls(ports(found["inputs"]), ports(found["outputs"]), (found["counts"][0], found["counts"][1]))


@dataclass(slots=True)
class Interface:
    """Ports of a workbook as callers see them, with the values of its cells."""

    workbook: Workbook
    ports: Ports
    _labels: Labels = field(init=False)
    _rules: dict[int, list[tuple[Rect, Rule]]] = field(init=False)

    def __post_init__(self) -> None:
        self._labels = Labels(self.workbook)
        self._rules = rules_of(self.workbook)

    def document(self) -> dict[str, Any]:
        """What ``GET /v1/models/{id}`` tells: inputs, outputs, and how many there are."""
        left = TOLD

        def entries(ports: Iterable[Port], *, rules: bool = False) -> Iterator[dict[str, Any]]:
            nonlocal left
            for port in ports:
                left -= port.rect.size
                yield self.entry(port, rules=rules, value=left >= 0)

        return {
            "inputs": list(entries(self.ports.inputs, rules=True)),
            "outputs": list(entries(self.ports.outputs)),
            "date1904": self.workbook.settings.date1904,
            "counts": dict(zip(("inputs", "outputs"), self.ports.counts, strict=True)),
        }

    def entry(self, port: Port, *, rules: bool = False, value: bool = True) -> dict[str, Any]:
        """One entry as JSON. ``value``: whether a range's values are told; a cell's always is."""
        book = self.workbook
        num, tag = Plane.of_grids(book.sheets[port.sheet].grids).get(port.rect)
        code = self.format_at(port.sheet, port.rect)
        entry: dict[str, Any] = {
            "reference": reference(book, port.sheet, port.rect),
            "name": port.name,
            "label": self.label_of(port.sheet, port.rect),
            "type": type_of(num, tag, code),
            "value": _value(num, tag, book.strings)
            if port.rect.size == 1 or (value and port.rect.size <= SHOWN)
            else None,
            "format": code,
        }
        if unit := unit_of(code):
            entry["unit"] = unit
        if port.rect.size > 1:
            entry["shape"] = [port.rect.height, port.rect.width]
        if rules and (rule := self.rule_at(port.sheet, port.rect)):
            entry["validation"] = rule.document()
        return entry

    def label_of(self, sheet: int, rect: Rect) -> str | None:
        """The text beside a cell, or above it."""
        return self._labels.of(sheet, rect)

    def format_at(self, sheet: int, rect: Rect) -> str:
        """The number format of the first cell of a range."""
        book = self.workbook
        for style, rects in book.sheets[sheet].formats.items():
            if style < len(book.number_formats) and any(r.contains(rect.top, rect.left) for r in rects):
                return book.number_formats[style]
        return "General"

    def rule_at(self, sheet: int, rect: Rect) -> Rule | None:
        """What the author lets a cell hold; the first rule counts, as in Excel."""
        for where, rule in self._rules.get(sheet, ()):
            if where.overlaps(rect):
                return rule
        return None


def make_ports(workbook: Workbook, units: Sequence[Unit], scope: Scope) -> Ports:
    """``units``: the workbook's formulas, resolved. Pure, and the same for the same workbook."""
    maps = maps_of(workbook, units, scope)
    names = list(_named_cells(workbook, scope))
    inputs = {(p.sheet, p.rect): p for p in _inputs(workbook, maps)}
    outputs = {(p.sheet, p.rect): p for p in _outputs(workbook, maps)}
    for name, sheet, rect in names:
        _honour(maps[sheet], inputs, outputs, name, sheet, rect)
    found_inputs = sorted(_without_parts(inputs.values()), key=lambda p: p.order)
    found_outputs = sorted(_without_parts(outputs.values()), key=lambda p: p.order)
    counts = len(found_inputs), len(found_outputs)
    return Ports(tuple(found_inputs[:MOST]), tuple(found_outputs[:MOST]), counts)


def maps_of(workbook: Workbook, units: Sequence[Unit], scope: Scope) -> list[Map]:
    """For each sheet, which cells formulas fill and read."""
    maps = [Map.of(sheet) for sheet in workbook.sheets]
    for unit in units:
        for read, rect in regions(unit):
            for sheet in sheets_of(read, scope):
                if sheet < len(maps):
                    maps[sheet].mark(rect, single=read.single)
    for found, sheet_model in zip(maps, workbook.sheets, strict=True):
        for block in sheet_model.blocks:
            found.fill(block.rect)
    return maps


@dataclass(slots=True)
class _Part:
    """A rectangle of used cells: which hold something, which are formulas, which are read, and which one by one."""

    rect: Rect
    filled: Mask
    text: Mask
    formula: Mask
    read: Mask
    single: Mask

    @classmethod
    def of(cls, grid: Grid) -> _Part:
        return cls(grid.rect, grid.tag != EMPTY, grid.tag >= TEXT, *(np.zeros(grid.tag.shape, np.bool_) for _ in "123"))

    def inside(self, rect: Rect) -> tuple[slice, slice]:
        """Where a rectangle lies in the masks; empty slices when it does not."""
        top, left, bottom, right = self.rect
        rows = slice(max(rect.top - top, 0), max(min(rect.bottom, bottom) - top + 1, 0))
        return rows, slice(max(rect.left - left, 0), max(min(rect.right, right) - left + 1, 0))


@dataclass(slots=True)
class Map:
    """The used cells of a sheet."""

    parts: list[_Part]

    @classmethod
    def of(cls, sheet: Sheet) -> Map:
        return cls([_Part.of(grid) for grid in sheet.grids])

    def mark(self, rect: Rect, *, single: bool) -> None:
        for part in self.parts:
            inside = part.inside(rect)
            part.read[inside] = True
            if single:
                part.single[inside] = True

    def fill(self, rect: Rect) -> None:
        for part in self.parts:
            part.formula[part.inside(rect)] = True

    def is_formula(self, rect: Rect) -> bool:
        return any(part.formula[part.inside(rect)].any() for part in self.parts)

    def is_read(self, rect: Rect) -> bool:
        return any(part.read[part.inside(rect)].any() for part in self.parts)


def _inputs(workbook: Workbook, maps: Sequence[Map]) -> Iterator[Port]:
    for index, found in enumerate(maps):
        declared = _SHEET_IN.fullmatch(workbook.sheets[index].name.strip()) is not None
        for part in found.parts:
            constant = part.filled & ~part.formula
            # What is only looked through, as the keys of a table are, is no input when it is text.
            wanted = constant & (part.single | (part.read & ~part.text))
            if declared:
                wanted |= constant & ~part.text
            yield from (Port(index, rect, 0 if declared else 2) for rect in _runs(wanted, part.rect))


def _outputs(workbook: Workbook, maps: Sequence[Map]) -> Iterator[Port]:
    for index, found in enumerate(maps):
        declared = _SHEET_OUT.fullmatch(workbook.sheets[index].name.strip()) is not None
        for part in found.parts:
            wanted = part.formula if declared else part.formula & ~part.read
            yield from (Port(index, rect, 0 if declared else 2) for rect in _runs(wanted, part.rect))
    for table in workbook.tables:
        row = table.rect.bottom
        for col in range(table.rect.left, table.rect.right + 1) if table.totals_rows else ():
            rect = Rect(row, col, row, col)
            if maps[table.sheet].is_formula(rect):
                yield Port(table.sheet, rect, 1)


def _honour(
    found: Map,
    inputs: dict[tuple[int, Rect], Port],
    outputs: dict[tuple[int, Rect], Port],
    name: str,
    sheet: int,
    rect: Rect,
) -> None:
    """A defined name: what it names is an input or an output, by its prefix or by what is in the cells."""
    is_formula = found.is_formula(rect)
    place = sheet, rect
    if _INPUT.match(name) and not is_formula:
        inputs[place] = Port(sheet, rect, 0, name)
    elif _OUTPUT.match(name) and is_formula:
        outputs[place] = Port(sheet, rect, 0, name)
    elif is_formula:
        if rect.size == 1 or place in outputs:
            outputs[place] = Port(sheet, rect, min(1, outputs[place].rank if place in outputs else 1), name)
    elif (rect.size == 1 and found.is_read(rect)) or place in inputs:
        inputs[place] = Port(sheet, rect, min(1, inputs[place].rank if place in inputs else 1), name)


def _without_parts(ports: Iterable[Port]) -> Iterator[Port]:
    """Without unnamed cells that lie in a named range of the same list."""
    every = list(ports)
    named = [p for p in every if p.name is not None and p.rect.size > 1]
    for port in every:
        if port.name is None and any(n.sheet == port.sheet and n.rect.overlaps(port.rect) for n in named):
            continue
        yield port


def _runs(wanted: Mask, where: Rect) -> Iterator[Rect]:
    """The cells of a mask: one by one, and as a range where more than RUN of them stand in a row or column."""
    for top, left, bottom, right in _stretched(wanted.copy()):
        yield Rect(where.top + top, where.left + left, where.top + bottom, where.left + right)


def _stretched(left: Mask) -> Iterator[Rect]:
    for across in (False, True):
        lines = left.T if not across else left
        for line in np.flatnonzero(lines.sum(axis=1) > RUN).tolist():
            for first, last in _stretches(lines[line]):
                if last - first + 1 > RUN:
                    lines[line, first : last + 1] = False
                    yield Rect(line, first, line, last) if across else Rect(first, line, last, line)
    for row, col in np.argwhere(left).tolist():
        yield Rect(row, col, row, col)


def _stretches(line: Mask) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], line, [False])).astype(np.int8)))
    yield from ((first, last - 1) for first, last in edges.reshape(-1, 2).tolist())


def _named_cells(workbook: Workbook, scope: Scope) -> Iterator[tuple[str, int, Rect]]:
    """(name, sheet, rectangle) of the visible names that are cells of the workbook; of one place the first name."""
    for name in workbook.names:
        if name.hidden or name.name.startswith("_xlnm."):
            continue
        try:
            parsed = parse(name.text, 0, 0)
            if not isinstance(parsed, nodes.Cell | nodes.Area | nodes.Structured):
                continue
            tree = Resolver(scope, name.sheet or 0, 0, 0).resolve(parsed)
        except (FormulaError, CannotCompile, RecursionError):
            continue
        if isinstance(tree, Range) and tree.last_sheet is None and tree.sheet < scope.own:
            rect = tree.at(0, 0)
            if tree.fixed_rows and tree.fixed_columns and not (tree.whole_columns or tree.whole_rows):
                yield name.name, tree.sheet, rect


def reference(workbook: Workbook, sheet: int, rect: Rect) -> str:
    """``Sheet!A1:B2``."""
    return f"{quote_sheet(workbook.sheets[sheet].name)}!{range_name(*rect)}"


def _value(num: Any, tag: Any, strings: Sequence[str]) -> Any:
    rows = [
        [plain(n, t, strings) for n, t in zip(row_num, row_tag, strict=True)]
        for row_num, row_tag in zip(num.tolist(), tag.tolist(), strict=True)
    ]
    return rows[0][0] if num.size == 1 else rows


def type_of(num: Any, tag: Any, code: str) -> str:
    """number, date, text, boolean, error or empty: of the first cell that holds something."""
    held = np.argwhere(tag != EMPTY)
    if not len(held):
        return "empty"
    row, col = held[0].tolist()
    first = int(tag[row, col])
    if first >= TEXT:
        return "text"
    if first == LOGICAL:
        return "boolean"
    if np.isnan(num[row, col]):
        return "error"
    return "date" if is_date_code(code) else "number"


def unit_of(code: str) -> str | None:
    """The unit that a number format writes: %, a currency, or a word such as "kg"."""
    section = code.split(";")[0]
    if "%" in _LITERALS.sub("", section):
        return "%"
    if found := _CURRENCY.search(section):
        return str(found[1] or found[2]).strip()
    if found := _WORD.search(section):
        return str(found[1])
    return None
