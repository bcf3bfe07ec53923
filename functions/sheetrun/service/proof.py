"""Every formula cell against the value that Excel stored: what matches, what differs, what could not be compared.

Numbers match within 1e-9 relative; texts, logicals and errors exactly. Volatile cells and what hangs on them, cells
that could not be computed, cells without a stored value, and stored values that Excel did not calculate (see ``apart``)
are counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sheetrun.compiler.units import Refused
from sheetrun.formula.a1 import quote_sheet, range_name
from sheetrun.records import dataclass
from sheetrun.runtime.address import Span
from sheetrun.runtime.cells import TEXT
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
    texts = Texts.of(workbook.strings, output.strings)
    left_out = {(r.sheet, r.rect) for r in refused}
    waved = set(volatile)
    failed = _failed(workbook, output)
    uncalculated = apart.not_calculated(workbook.settings)
    found: list[Differing] = []
    for index, sheet in enumerate(workbook.sheets):
        if not sheet.blocks:
            continue
        ours = Plane.of_areas(output.sheets[index])
        comparison = _Comparison(index, sheet, Plane.of_grids(sheet.grids), ours, texts, failed.get(index, []))
        special = [*comparison.failed, *sheet.uncached]
        for block, differ in zip(sheet.blocks, differing_cells(sheet, ours, texts, special), strict=True):
            size = block.rect.size
            varies = (index, block.rect) in waved
            if (index, block.rect) in left_out:
                proof.unsupported += size
                proof.states.append((index, block.rect, "unsupported"))
            elif differ == 0 and not varies:
                proof.compared += size
                proof.matched += size
                proof.states.append((index, block.rect, "matched"))
            elif differ > 0 and not varies and uncalculated and len(found) >= LISTED:
                # All these are the writer's values, not Excel's (see ``apart``), and enough of them are listed.
                proof.compared += size - differ
                proof.matched += size - differ
                proof.stale += differ
                proof.states.append((index, block.rect, "stale"))
            else:
                differing = comparison.of(block, proof, volatile=varies)
                if differing is not None:
                    found.append(differing)
    proof.errors = [_error(workbook.sheets[r.sheet].name, range_name(*r.rect), r.code, r.detail) for r in refused] + [
        _error(f.sheet, range_name(*(n - 1 for n in f.span)), f.code, f.detail) for f in output.failures
    ]
    if found:
        judge(proof, workbook, output, found, needs or {}, alone, day_first)
    return proof


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

    def of(self, block: Block, proof: Proof, *, volatile: bool) -> Differing | None:
        """Counts the cells of a block; gives those that differ, if any."""
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
            proof.states.append((self.index, rect, "volatile"))
            return None
        for other in self.sheet.uncached:
            if other.overlaps(rect):
                part = inside(rect, other)
                proof.uncached += int(compare[part].sum())
                compare[part] = False
        same = self.texts.same(expected_num, expected_tag, our_num, our_tag) | ~compare
        compared = int(compare.sum())
        bad = np.argwhere(~same)
        proof.compared += compared
        proof.matched += compared - len(bad)
        proof.states.append((self.index, rect, "mismatched" if len(bad) else ("unsupported" if lost else "matched")))
        if not len(bad):
            return None
        at = bad[:, 0], bad[:, 1]
        excel, ours = (expected_num[at], expected_tag[at]), (our_num[at], our_tag[at])
        return Differing(self.index, self.sheet.name, block, len(proof.states) - 1, bad, excel, ours, self.texts)
