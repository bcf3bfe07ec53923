"""Every formula cell against the value that Excel stored: what matches, what differs, what could not be compared.

Numbers match within 1e-9 relative; texts, logicals and errors exactly. Volatile cells and what hangs on them, cells
that could not be computed, and cells without a stored value are counted apart.
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
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, Mask, error_numbers, unbox
from sheetrun.runtime.payload import BadPayload, RunOutput
from sheetrun.runtime.sheet import Area
from sheetrun.workbook.model import Block, Grid, Rect, Sheet, Workbook

TOLERANCE: Final = 1e-9
#: Mismatches listed in a report; the counts are always whole.
LISTED: Final = 1000


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A cell that differs. ``root``: none of the blocks it reads from differs, so the cause is here."""

    cell: str
    formula: str
    ours: Any
    excel: Any
    root: bool = True


@dataclass(slots=True)
class Proof:
    """The result of the comparison. Counts are of formula cells."""

    formulas: int = 0
    compared: int = 0
    matched: int = 0
    volatile: int = 0
    unsupported: int = 0
    uncached: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)
    #: per sheet, rectangles (0-based) with their state: "matched", "mismatched", "unsupported", "volatile"
    states: list[tuple[int, Rect, str]] = field(default_factory=list)

    @property
    def mismatched(self) -> int:
        return self.compared - self.matched

    def counts(self) -> dict[str, int]:
        return {
            "formulas": self.formulas,
            "compared": self.compared,
            "matched": self.matched,
            "mismatched": self.mismatched,
            "volatile": self.volatile,
            "unsupported": self.unsupported,
            "uncached": self.uncached,
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
    wholes = (area.span for area in areas)
    return span.inside() and any(
        w.top <= span.top and span.bottom <= w.bottom and w.left <= span.left and span.right <= w.right for w in wholes
    )


def prove(
    workbook: Workbook,
    output: RunOutput,
    refused: Sequence[Refused],
    volatile: Sequence[tuple[int, Rect]],
    needs: dict[tuple[int, Rect], list[tuple[int, Rect]]] | None = None,
) -> Proof:
    """Compares the cells after a run with the values in the file. ``needs``: which blocks each block reads from."""
    proof = Proof(formulas=workbook.formula_count)
    strings = _common_strings(workbook.strings, output.strings)
    left_out = {(r.sheet, r.rect) for r in refused}
    waved = set(volatile)
    failed: dict[int, list[Rect]] = {}
    by_name = {s.name: i for i, s in enumerate(workbook.sheets)}
    for failure in output.failures:
        top, left, bottom, right = failure.span
        failed.setdefault(by_name[failure.sheet], []).append(Rect(top - 1, left - 1, bottom - 1, right - 1))
    wrong: set[tuple[int, Rect]] = set()
    found: list[tuple[int, Block, Mismatch]] = []
    for index, sheet in enumerate(workbook.sheets):
        if not sheet.blocks:
            continue
        excel, ours = Plane.of_grids(sheet.grids), Plane.of_areas(output.sheets[index])
        for block in sheet.blocks:
            key = (index, block.rect)
            if key in left_out:
                proof.unsupported += block.rect.size
                proof.states.append((index, block.rect, "unsupported"))
                continue
            mismatches = _compare_block(proof, index, sheet, block, excel, ours, strings, failed, key in waved, output)
            if mismatches:
                wrong.add(key)
                found.extend((index, block, m) for m in mismatches)
    proof.errors = [_error(workbook.sheets[r.sheet].name, range_name(*r.rect), r.code, r.detail) for r in refused] + [
        _error(f.sheet, range_name(*(n - 1 for n in f.span)), f.code, f.detail) for f in output.failures
    ]
    for index, block, mismatch in found:
        reads = (needs or {}).get((index, block.rect), ())
        root = not any(r in wrong for r in reads if r != (index, block.rect))
        if len(proof.mismatches) < LISTED or root:
            proof.mismatches.append(Mismatch(mismatch.cell, mismatch.formula, mismatch.ours, mismatch.excel, root))
    proof.mismatches.sort(key=lambda m: not m.root)
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
    output: RunOutput,
) -> list[Mismatch]:
    rect = block.rect
    (ids, canonical), texts = strings
    expected_num, expected_tag = excel.get(rect)
    our_num, our_tag = ours.get(rect)
    our_tag = np.where(our_tag >= TEXT, TEXT + ids[np.maximum(our_tag - TEXT, 0)], our_tag) if len(ids) else our_tag
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
        return []
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
    out = []
    for r, c in bad[:LISTED].tolist():
        row, col = rect.top + r, rect.left + c
        text = shift(block.text, r, c) if block.per_cell and (r or c) else block.text
        out.append(
            Mismatch(
                f"{quote_sheet(sheet.name)}!{range_name(row, col, row, col)}",
                "=" + text,
                plain(our_num[r, c], int(our_tag[r, c]), texts),
                plain(expected_num[r, c], int(expected_tag[r, c]), texts),
            )
        )
    return out


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
