"""Every formula cell against the value that Excel stored: what matches, what differs, what could not be compared.

Numbers match within 1e-9 relative; texts, logicals and errors exactly. Volatile cells and what hangs on them, cells
that could not be computed, cells without a stored value, and stored values that Excel did not calculate (see ``apart``)
are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sheetrun.compiler.units import Refused
from sheetrun.formula.a1 import quote_sheet, range_name
from sheetrun.records import dataclass
from sheetrun.runtime.address import Span
from sheetrun.runtime.cells import TEXT, Mask
from sheetrun.runtime.payload import BadPayload, RunOutput
from sheetrun.runtime.sheet import Area
from sheetrun.service import apart
from sheetrun.service.blockcounts import differing_cells
from sheetrun.service.differences import Differing, judge
from sheetrun.service.findings import LISTED, Proof
from sheetrun.service.planes import Plane, inside
from sheetrun.service.sameness import Texts
from sheetrun.workbook.model import Block, Rect, Sheet, Workbook


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
    needs: apart.Needs | None = None,
    alone: RunOutput | None = None,
    day_first: RunOutput | None = None,
) -> Proof:
    """Compares the cells after a run with the values in the file. ``needs``: which blocks each block reads from.

    ``alone``: what each formula gives from Excel's own values (``runtime.alone``); with it causes are told from
    followers cell by cell, without it block by block. ``day_first``: all cells with dates in texts read with the day
    first, when more of them agree so.
    """
    proof = Proof(formulas=workbook.formula_count)
    texts = Texts.of(workbook.strings, output.strings)
    left_out = _by_sheet((r.sheet, r.rect) for r in refused)
    waved = _by_sheet(volatile)
    failed = _failed(workbook, output)
    uncalculated = apart.not_calculated(workbook.settings)
    found: list[Differing] = []
    for index, sheet in enumerate(workbook.sheets):
        if not sheet.blocks:
            continue
        ours = Plane.of_areas(output.sheets[index])
        comparison = _Comparison(index, sheet, Plane.of_grids(sheet.grids), ours, texts, failed.get(index, []))
        counts = differing_cells(sheet, ours, texts, [*comparison.failed, *sheet.uncached])
        refuse, varies = (_among(sheet.blocks, some.get(index)) for some in (left_out, waved))
        same = (counts.differ == 0) & ~refuse & ~varies
        proof.compared += int(counts.sizes[same].sum())
        proof.matched += int(counts.sizes[same].sum())
        first = len(proof.states)
        proof.states += [(index, block.rect, "matched") for block in sheet.blocks]
        for k in np.flatnonzero(~same).tolist():
            block, size, different = sheet.blocks[k], int(counts.sizes[k]), int(counts.differ[k])
            if refuse[k]:
                proof.unsupported += size
                state = "unsupported"
            elif different > 0 and not varies[k] and uncalculated and len(found) >= LISTED:
                # All these are the writer's values, not Excel's (see ``apart``), and enough of them are listed.
                proof.compared += size - different
                proof.matched += size - different
                proof.stale += different
                state = "stale"
            elif different > 0 and not varies[k]:
                proof.compared += size
                proof.matched += size - different
                found.append(comparison.differing(block, counts.mask(block.rect), first + k))
                state = "mismatched"
            else:
                state, differing = comparison.of(block, proof, first + k, volatile=bool(varies[k]))
                if differing is not None:
                    found.append(differing)
            proof.states[first + k] = (index, block.rect, state)
    proof.errors = [_error(workbook.sheets[r.sheet].name, range_name(*r.rect), r.code, r.detail) for r in refused] + [
        _error(f.sheet, range_name(*(n - 1 for n in f.span)), f.code, f.detail) for f in output.failures
    ]
    if found:
        judge(proof, workbook, output, found, needs or {}, alone, day_first)
    return proof


def _by_sheet(places: Iterable[tuple[int, Rect]]) -> dict[int, set[Rect]]:
    found: dict[int, set[Rect]] = {}
    for sheet, rect in places:
        found.setdefault(sheet, set()).add(rect)
    return found


def _among(blocks: Sequence[Block], some: set[Rect] | None) -> Mask:
    """Which blocks are among some."""
    if not some:
        return np.zeros(len(blocks), np.bool_)
    return np.array([block.rect in some for block in blocks], np.bool_)


def _failed(workbook: Workbook, output: RunOutput) -> dict[int, list[Rect]]:
    """By sheet, the ranges that a run could not compute."""
    by_name = {s.name: i for i, s in enumerate(workbook.sheets)}
    failed: dict[int, list[Rect]] = {}
    for failure in output.failures:
        top, left, bottom, right = failure.span
        failed.setdefault(by_name[failure.sheet], []).append(Rect(top - 1, left - 1, bottom - 1, right - 1))
    return failed


def _error(sheet: str, address: str, code: str, detail: str) -> dict[str, str]:
    return {"cell": f"{quote_sheet(sheet)}!{address}", "code": code, "detail": detail}


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The blocks of one sheet cell by cell. ``failed``: ranges that the run could not compute."""

    index: int
    sheet: Sheet
    excel: Plane
    ours: Plane
    texts: Texts
    failed: list[Rect]

    def of(self, block: Block, proof: Proof, place: int, *, volatile: bool) -> tuple[str, Differing | None]:
        """Counts the cells of a block; its state, and the cells that differ, if any. ``place``: in ``Proof.states``."""
        rect = block.rect
        expected_num, expected_tag = self.excel.get(rect)
        our_num, our_tag = self.ours.get(rect)
        our_tag = self.texts.renumbered(our_tag)
        compare = np.ones(expected_num.shape, np.bool_)
        for other in self.failed:
            if other.overlaps(rect):
                compare[inside(rect, other)] = False
        lost = int((~compare).sum())
        proof.unsupported += lost
        if volatile:
            proof.volatile += int(compare.sum())
            return "volatile", None
        for other in self.sheet.uncached:
            if other.overlaps(rect):
                part = inside(rect, other)
                proof.uncached += int(compare[part].sum())
                compare[part] = False
        same = self.texts.same(expected_num, expected_tag, our_num, our_tag) | ~compare
        compared = int(compare.sum())
        different = compared - int((same & compare).sum())
        proof.compared += compared
        proof.matched += compared - different
        if not different:
            return ("unsupported" if lost else "matched"), None
        return "mismatched", self.differing(block, ~same, place)

    def differing(self, block: Block, mask: Mask, place: int) -> Differing:
        """The cells of a block that differ."""
        bad = np.argwhere(mask)
        expected_num, expected_tag = self.excel.get(block.rect)
        our_num, our_tag = self.ours.get(block.rect)
        our_tag = self.texts.renumbered(our_tag)
        at = bad[:, 0], bad[:, 1]
        excel, ours = (expected_num[at], expected_tag[at]), (our_num[at], our_tag[at])
        return Differing(self.index, self.sheet.name, block, place, bad, excel, ours, self.texts)
