"""Every formula cell against the value that Excel stored: what matches, what differs, what could not be compared.

Numbers match within 1e-9 relative; texts, logicals and errors exactly. Volatile cells and what hangs on them, cells
that could not be computed, cells without a stored value, and stored values that Excel did not calculate (see ``apart``)
are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from sheetrun.compiler.units import Refused
from sheetrun.formula.a1 import quote_sheet, range_name
from sheetrun.formula.r1c1 import shift
from sheetrun.runtime.address import Span
from sheetrun.runtime.cells import EMPTY, ERROR_CODES, LOGICAL, NUMBER, TEXT, Mask, error_numbers, unbox
from sheetrun.runtime.payload import BadPayload, RunOutput
from sheetrun.runtime.sheet import Area
from sheetrun.service import apart
from sheetrun.workbook.model import Block, Grid, Rect, Sheet, Workbook

TOLERANCE: Final = 1e-9
#: Mismatches listed in a report; the counts are always whole.
LISTED: Final = 1000
_FEW: Final = 500
_NAME: Final = ERROR_CODES["#NAME?"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A cell that differs. ``root``: the cause is here, not in what it reads. ``reason``: of one that is set apart."""

    cell: str
    formula: str
    ours: Any
    excel: Any
    root: bool = True
    reason: str = ""


@dataclass(slots=True)
class Proof:
    """The result of the comparison. Counts are of formula cells."""

    formulas: int = 0
    compared: int = 0
    matched: int = 0
    volatile: int = 0
    unsupported: int = 0
    uncached: int = 0
    stale: int = 0  #: differ because Excel did not calculate the stored value (see ``apart``)
    locale: int = 0  #: differ because the file was saved in a country that writes the day first
    rounding: int = 0  #: differ by what rounding before them became
    mismatches: list[Mismatch] = field(default_factory=list)
    apart: list[Mismatch] = field(default_factory=list)  #: those that are ``stale`` or ``rounding``
    errors: list[dict[str, str]] = field(default_factory=list)
    #: per sheet, rectangles (0-based) with their state: "matched", "mismatched", "unsupported", "volatile"
    states: list[tuple[int, Rect, str]] = field(default_factory=list)

    @property
    def mismatched(self) -> int:
        return self.compared - self.matched

    def differing(self) -> list[tuple[int, Span]]:
        """(sheet, range) of the blocks with cells that differ; none, which stands for all, where there are many."""
        found = [(sheet, Span(*(at + 1 for at in rect))) for sheet, rect, state in self.states if state == "mismatched"]
        return found if len(found) <= _FEW else []

    def counts(self) -> dict[str, int]:
        return {
            "formulas": self.formulas,
            "compared": self.compared,
            "matched": self.matched,
            "mismatched": self.mismatched,
            "volatile": self.volatile,
            "unsupported": self.unsupported,
            "uncached": self.uncached,
            "stale": self.stale,
            "locale": self.locale,
            "rounding": self.rounding,
        }


class Plane:
    """Cells of one sheet as whole rectangles: (num, tag) of any rectangle, 0-based."""

    def __init__(self, areas: Iterable[tuple[int, int, Any, Any]]) -> None:
        self._areas = list(areas)

    @classmethod
    def of_grids(cls, grids: Iterable[Grid]) -> Plane:
        return cls((g.top, g.left, g.num, g.tag) for g in grids)

    @classmethod
    def of_areas(cls, areas: Iterable[Area]) -> Plane:
        return cls((a.top - 1, a.left - 1, a.num, a.tag) for a in areas)

    def get(self, rect: Rect) -> tuple[Any, Any]:
        num = tag = None
        for top, left, cells, tags in self._areas:
            rows, columns = cells.shape
            r0, c0 = max(rect.top, top), max(rect.left, left)
            r1, c1 = min(rect.bottom, top + rows - 1), min(rect.right, left + columns - 1)
            if r0 > r1 or c0 > c1:
                continue
            here = (slice(r0 - top, r1 - top + 1), slice(c0 - left, c1 - left + 1))
            if (r0, c0, r1, c1) == tuple(rect):
                return cells[here], tags[here]
            if num is None or tag is None:
                num, tag = np.zeros((rect.height, rect.width)), np.full((rect.height, rect.width), EMPTY, np.int32)
            there = (slice(r0 - rect.top, r1 - rect.top + 1), slice(c0 - rect.left, c1 - rect.left + 1))
            num[there], tag[there] = cells[here], tags[here]
        if num is None:
            return np.zeros((rect.height, rect.width)), np.full((rect.height, rect.width), EMPTY, np.int32)
        return num, tag


def check_fits(workbook: Workbook, output: RunOutput) -> None:
    """Raises BadPayload for an output that no run of the workbook gives: a sandbox may have been made to say anything."""
    names = {sheet.name for sheet in workbook.sheets}
    if len(output.sheets) != len(workbook.sheets):
        raise BadPayload("the output has not the workbook's sheets")
    if any(f.sheet not in names for f in output.failures):
        raise BadPayload("a failure is on a sheet that the workbook has not")
    if not all(f.span.inside() for f in output.failures):
        raise BadPayload("a failure is not on the sheet")
    if not all(0 <= sheet < len(names) and _held(output.sheets[sheet], span) for sheet, span in output.spills):
        raise BadPayload("a spill is not among the cells")
    for areas in output.sheets:
        for area in areas:
            if area.tag.size and not 0 <= area.tag.min() <= area.tag.max() < TEXT + len(output.strings):
                raise BadPayload("a cell has a text that is not there")


def _held(areas: Sequence[Area], span: Span) -> bool:
    """Whether one of the areas holds a range."""
    return span.inside() and any(area.span.holds(span) for area in areas)


def prove(
    workbook: Workbook,
    output: RunOutput,
    refused: Sequence[Refused],
    volatile: Sequence[tuple[int, Rect]],
    needs: dict[tuple[int, Rect], list[tuple[int, Rect]]] | None = None,
    alone: RunOutput | None = None,
    day_first: RunOutput | None = None,
) -> Proof:
    """Compares the cells after a run with the values in the file. ``needs``: which blocks each block reads from.

    ``alone``: what each formula gives from Excel's own values (``runtime.alone``); with it causes are told from
    followers cell by cell, without it block by block. ``day_first``: all cells with dates in texts read with the day
    first, when more of them agree so.
    """
    proof = Proof(formulas=workbook.formula_count)
    strings = _common_strings(workbook.strings, output.strings)
    left_out = {(r.sheet, r.rect) for r in refused}
    waved = set(volatile)
    failed: dict[int, list[Rect]] = {}
    by_name = {s.name: i for i, s in enumerate(workbook.sheets)}
    for failure in output.failures:
        top, left, bottom, right = failure.span
        failed.setdefault(by_name[failure.sheet], []).append(Rect(top - 1, left - 1, bottom - 1, right - 1))
    found: list[_Differing] = []
    uncalculated = apart.not_calculated(workbook.settings)
    for index, sheet in enumerate(workbook.sheets):
        if not sheet.blocks:
            continue
        excel, ours = Plane.of_grids(sheet.grids), Plane.of_areas(output.sheets[index])
        special = [*failed.get(index, ()), *sheet.uncached]
        counts = _differing_cells(sheet, ours, strings, special)
        for block, differ in zip(sheet.blocks, counts, strict=True):
            key = (index, block.rect)
            size = block.rect.size
            if key in left_out:
                proof.unsupported += size
                proof.states.append((index, block.rect, "unsupported"))
            elif differ == 0 and key not in waved:
                proof.compared += size
                proof.matched += size
                proof.states.append((index, block.rect, "matched"))
            elif differ > 0 and key not in waved and uncalculated and len(found) >= LISTED:
                # All these are the writer's values, not Excel's (see ``apart``), and enough of them are listed.
                proof.compared += size - differ
                proof.matched += size - differ
                proof.stale += differ
                proof.states.append((index, block.rect, "stale"))
            else:
                differing = _compare_block(proof, index, sheet, block, excel, ours, strings, failed, key in waved)
                if differing is not None:
                    found.append(differing)
    proof.errors = [_error(workbook.sheets[r.sheet].name, range_name(*r.rect), r.code, r.detail) for r in refused] + [
        _error(f.sheet, range_name(*(n - 1 for n in f.span)), f.code, f.detail) for f in output.failures
    ]
    if found:
        _judge(proof, workbook, output, found, needs or {}, alone, day_first)
    return proof


def _error(sheet: str, address: str, code: str, detail: str) -> dict[str, str]:
    return {"cell": f"{quote_sheet(sheet)}!{address}", "code": code, "detail": detail}


def _common_strings(excel: Sequence[str], ours: Sequence[str]) -> tuple[Any, list[str]]:
    """For each of our strings the id of the equal one in the file (or a new id), and all strings by id."""
    known: dict[str, int] = {}
    for i, text in enumerate(excel):
        known.setdefault(text, i)
    texts = list(excel)
    ids = np.empty(len(ours), np.int32)
    for i, text in enumerate(ours):
        found = known.get(text)
        if found is None:
            found = known[text] = len(texts)
            texts.append(text)
        ids[i] = found
    canonical = np.array([known[t] for t in texts], np.int32)
    return (ids, canonical), texts


def _differing_cells(
    sheet: Sheet, ours: Plane, strings: tuple[Any, list[str]], special: Sequence[Rect]
) -> Sequence[int]:
    """For each block how many cells differ, all blocks at once; -1 where that must be seen cell by cell: where a special
    range (failed, or without a stored value) lies over the block, or no single grid holds it."""
    rects = np.array([block.rect for block in sheet.blocks], np.int64)
    counts = np.full(len(rects), -1, np.int64)
    for grid in sheet.grids:
        top, left, bottom, right = grid.rect
        inside = (rects[:, 0] >= top) & (rects[:, 1] >= left) & (rects[:, 2] <= bottom) & (rects[:, 3] <= right)
        if not inside.any():
            continue
        num, tag = ours.get(grid.rect)
        tag = _renumbered(tag, strings)
        bad = (grid.num != num) | (grid.tag != tag)
        at = np.nonzero(bad)  # these few may still be close enough, or errors, which are equal to nothing
        bad[at] = ~_same(grid.num[at], grid.tag[at], num[at], tag[at], strings[0][1])
        within = rects[inside] - (top, left, top, left)
        number = _sums(bad, within)
        if special:
            over = np.zeros(bad.shape, np.bool_)
            for rect in special:
                if rect.overlaps(grid.rect):
                    over[_inside(grid.rect, rect)] = True
            number[_sums(over, within) > 0] = -1
        counts[inside] = number
    numbers: list[int] = counts.tolist()
    return numbers


def _sums(mask: Mask, rects: Any) -> Any:
    """How many cells of a mask are set in each of many rectangles (n × 4: top, left, bottom, right; corners included)."""
    top, left, bottom, right = rects.T
    if not mask.any():
        return np.zeros(len(rects), np.int64)
    table = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1, out=table[1:, 1:])
    return table[bottom + 1, right + 1] - table[top, right + 1] - table[bottom + 1, left] + table[top, left]


def _compare_block(
    proof: Proof,
    index: int,
    sheet: Sheet,
    block: Block,
    excel: Plane,
    ours: Plane,
    strings: tuple[Any, list[str]],
    failed: dict[int, list[Rect]],
    volatile: bool,
) -> _Differing | None:
    rect = block.rect
    (_, canonical), texts = strings
    expected_num, expected_tag = excel.get(rect)
    our_num, our_tag = ours.get(rect)
    our_tag = _renumbered(our_tag, strings)
    compare = np.ones(expected_num.shape, np.bool_)
    for other in failed.get(index, ()):
        if other.overlaps(rect):
            compare[_inside(rect, other)] = False
    lost = int((~compare).sum())
    proof.unsupported += lost
    if volatile:
        count = int(compare.sum())
        proof.volatile += count
        proof.states.append((index, rect, "volatile"))
        return None
    for other in sheet.uncached:
        if other.overlaps(rect):
            part = _inside(rect, other)
            proof.uncached += int(compare[part].sum())
            compare[part] = False
    same = _same(expected_num, expected_tag, our_num, our_tag, canonical) | ~compare
    compared = int(compare.sum())
    proof.compared += compared
    bad = np.argwhere(~same)
    proof.matched += compared - len(bad)
    state = "mismatched" if len(bad) else ("unsupported" if lost else "matched")
    proof.states.append((index, rect, state))
    if not len(bad):
        return None
    at = bad[:, 0], bad[:, 1]
    excels, our = (expected_num[at], expected_tag[at]), (our_num[at], our_tag[at])
    return _Differing(index, sheet.name, block, len(proof.states) - 1, bad, excels, our, texts)


def _renumbered(tag: Any, strings: tuple[Any, list[str]]) -> Any:
    """Our tags with the ids of the common strings."""
    ids = strings[0][0]
    return np.where(tag >= TEXT, TEXT + ids[np.maximum(tag - TEXT, 0)], tag) if len(ids) else tag


@dataclass(slots=True)
class _Differing:
    """The cells of a block that differ: places in it (n × 2), and (num, tag) of each, Excel's and ours."""

    sheet: int
    name: str
    block: Block
    state: int  #: where in ``Proof.states`` the block is
    places: Any
    excel: tuple[Any, Any]
    ours: tuple[Any, Any]
    texts: Sequence[str]

    @property
    def key(self) -> tuple[int, Rect]:
        return self.sheet, self.block.rect

    def listed(self, i: int, root: bool, reason: str = "") -> Mismatch:
        r, c = self.places[i].tolist()
        row, col = self.block.rect.top + r, self.block.rect.left + c
        text = shift(self.block.text, r, c) if self.block.per_cell and (r or c) else self.block.text
        ours, excel = (plain(num[i], int(tag[i]), self.texts) for num, tag in (self.ours, self.excel))
        cell = f"{quote_sheet(self.name)}!{range_name(row, col, row, col)}"
        return Mismatch(cell, "=" + text, ours, excel, root, reason)


def _judge(
    proof: Proof,
    workbook: Workbook,
    output: RunOutput,
    found: list[_Differing],
    needs: apart.Needs,
    alone: RunOutput | None,
    day_first: RunOutput | None,
) -> None:
    """Lists what differs: causes first, then what follows from them; and apart what is no error (see ``apart``)."""
    own = None if alone is None else _common_strings(workbook.strings, alone.strings)
    wrong = {one.key for one in found}
    roots = {one.key: _roots(one, needs, wrong, own, alone) for one in found}
    behind_roots = apart.hanging_on((key for key, root in roots.items() if root.any()), needs)
    behind_circles = apart.hanging_on(apart.circular_blocks(workbook, output.failures), needs)
    uncalculated = apart.not_calculated(workbook.settings)
    follows: list[Mismatch] = []
    for one in found:
        count = len(one.places)
        reasons = np.full(count, "", object)
        if uncalculated:
            reasons[:] = "not_calculated"
        elif one.key in behind_circles:
            reasons[:] = "circular"
        else:
            if alone is not None and one.key not in behind_roots:
                numbers = (one.excel[1] == NUMBER) & (one.ours[1] == NUMBER)
                reasons[numbers & ~np.isnan(one.excel[0]) & ~np.isnan(one.ours[0])] = "rounding"
            if apart.unknown_to_writer(one.block.text):
                with np.errstate(all="ignore"):
                    reasons[
                        (one.excel[1] == NUMBER) & (error_numbers(one.excel[0]) == _NAME) & np.isnan(one.excel[0])
                    ] = "unknown_to_writer"
            if day_first is not None:
                reasons[_agrees(one, day_first, _common_strings(workbook.strings, day_first.strings))] = "day_first"
        set_apart = reasons != ""
        proof.rounding += int((reasons == "rounding").sum())
        proof.locale += int((reasons == "day_first").sum())
        proof.stale += int((set_apart & (reasons != "rounding") & (reasons != "day_first")).sum())
        proof.compared -= int(set_apart.sum())
        if set_apart.all():
            proof.states[one.state] = (*proof.states[one.state][:2], "stale")
        for i in np.flatnonzero(set_apart)[: LISTED - len(proof.apart)].tolist():
            proof.apart.append(one.listed(i, False, str(reasons[i])))
        causes = roots[one.key]
        for i in np.flatnonzero(~set_apart & causes)[: LISTED - len(proof.mismatches)].tolist():
            proof.mismatches.append(one.listed(i, True))
        for i in np.flatnonzero(~set_apart & ~causes)[: LISTED - len(follows)].tolist():
            follows.append(one.listed(i, False))
    proof.mismatches.extend(follows[: LISTED - len(proof.mismatches)])


def _roots(
    one: _Differing,
    needs: apart.Needs,
    wrong: set[tuple[int, Rect]],
    own: tuple[Any, list[str]] | None,
    alone: RunOutput | None,
) -> Mask:
    """Which of the cells that differ are causes: their formula gives another result from Excel's own values too."""
    count = len(one.places)
    if alone is None or own is None or any(_covers(failure, one) for failure in alone.failures):
        follows = any(read in wrong and read != one.key for read in needs.get(one.key, ()))
        return np.full(count, not follows, np.bool_)
    return ~_agrees(one, alone, own)


def _agrees(one: _Differing, output: RunOutput, strings: tuple[Any, list[str]]) -> Mask:
    """Which of the cells that differ have Excel's value in another run."""
    num, tag = Plane.of_areas(output.sheets[one.sheet]).get(one.block.rect)
    at = one.places[:, 0], one.places[:, 1]
    return _same(*one.excel, num[at], _renumbered(tag[at], strings), strings[0][1])


def _covers(failure: Any, one: _Differing) -> bool:
    top, left, bottom, right = failure.span
    return failure.sheet == one.name and Rect(top - 1, left - 1, bottom - 1, right - 1).overlaps(one.block.rect)


def _inside(rect: Rect, other: Rect) -> tuple[slice, slice]:
    return (
        slice(max(other.top - rect.top, 0), other.bottom - rect.top + 1),
        slice(max(other.left - rect.left, 0), other.right - rect.left + 1),
    )


def _same(num: Any, tag: Any, our_num: Any, our_tag: Any, canonical: Any) -> Mask:
    """Which cells are equal. An empty stored value equals an empty text."""
    with np.errstate(all="ignore"):
        close = np.abs(num - our_num) <= TOLERANCE * np.maximum(np.abs(num), np.abs(our_num))
    nan, our_nan = np.isnan(num) & (tag == NUMBER), np.isnan(our_num) & (our_tag == NUMBER)
    numbers = (tag == NUMBER) & (our_tag == NUMBER) & ~nan & ~our_nan & close
    errors = nan & our_nan
    if errors.any():
        errors &= error_numbers(num) == error_numbers(our_num)
    logicals = (tag == LOGICAL) & (our_tag == LOGICAL) & (num == our_num)
    texts = (tag >= TEXT) & (our_tag >= TEXT)
    if texts.any():
        left, right = canonical[np.where(texts, tag - TEXT, 0)], canonical[np.where(texts, our_tag - TEXT, 0)]
        texts &= left == right
    same: Mask = numbers | errors | logicals | texts | ((tag == EMPTY) & (our_tag == EMPTY))
    return same


def plain(num: float, tag: int, texts: Sequence[str]) -> Any:
    """A cell as a JSON value (API: "Values")."""
    if tag >= TEXT:
        return texts[tag - TEXT]
    if tag == LOGICAL:
        return bool(num)
    if tag == EMPTY:
        return None
    value = float(num)
    if value != value:
        return {"error": unbox(value)}
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
