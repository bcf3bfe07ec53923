"""Cells that differ from Excel's, judged: causes, what follows from them, and what is no error (see ``apart``)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from sheetrun.formula.a1 import quote_sheet, range_name
from sheetrun.formula.r1c1 import shift
from sheetrun.records import dataclass
from sheetrun.runtime.cells import ERROR_CODES, NUMBER, Mask, error_numbers
from sheetrun.runtime.payload import RunOutput
from sheetrun.service import apart
from sheetrun.service.findings import LISTED, Mismatch, Proof
from sheetrun.service.planes import Plane, plain
from sheetrun.service.sameness import Texts
from sheetrun.workbook.model import Block, Rect, Workbook

_NAME: Final = ERROR_CODES["#NAME?"]


@dataclass(slots=True)
class Differing:
    """The cells of a block that differ: places in it (n × 2), and (num, tag) of each, Excel's and ours."""

    sheet: int
    name: str
    block: Block
    state: int  #: where in ``Proof.states`` the block is
    places: Any
    excel: tuple[Any, Any]
    ours: tuple[Any, Any]
    texts: Texts

    @property
    def key(self) -> tuple[int, Rect]:
        return self.sheet, self.block.rect

    def listed(self, i: int, root: bool, reason: str = "") -> Mismatch:
        r, c = self.places[i].tolist()
        row, col = self.block.rect.top + r, self.block.rect.left + c
        text = shift(self.block.text, r, c) if self.block.per_cell and (r or c) else self.block.text
        ours, excel = (plain(num[i], int(tag[i]), self.texts.by_id) for num, tag in (self.ours, self.excel))
        cell = f"{quote_sheet(self.name)}!{range_name(row, col, row, col)}"
        return Mismatch(cell, "=" + text, ours, excel, root, reason)


@dataclass(frozen=True, slots=True)
class _Run:
    """Another run of the workbook."""

    output: RunOutput
    texts: Texts

    @classmethod
    def of(cls, workbook: Workbook, output: RunOutput | None) -> _Run | None:
        return None if output is None else cls(output, Texts.of(workbook.strings, output.strings))

    def agrees(self, one: Differing) -> Mask:
        """Which of the cells that differ have Excel's value in this run."""
        num, tag = Plane.of_areas(self.output.sheets[one.sheet]).get(one.block.rect)
        at = one.places[:, 0], one.places[:, 1]
        return self.texts.same(*one.excel, num[at], self.texts.renumbered(tag[at]))

    def failed(self, one: Differing) -> bool:
        """Whether it could not compute some of the block."""
        for failure in self.output.failures:
            top, left, bottom, right = failure.span
            if failure.sheet == one.name and Rect(top - 1, left - 1, bottom - 1, right - 1).overlaps(one.block.rect):
                return True
        return False


def judge(
    proof: Proof,
    workbook: Workbook,
    output: RunOutput,
    found: list[Differing],
    needs: apart.Needs,
    alone: RunOutput | None,
    day_first: RunOutput | None,
) -> None:
    """Lists what differs: causes first, then what follows from them; and apart what is no error (see ``apart``)."""
    if apart.not_calculated(workbook.settings):
        for one in found:
            _all_apart(one, "not_calculated", proof)
        return
    own, other = _Run.of(workbook, alone), _Run.of(workbook, day_first)
    wrong = {one.key for one in found}
    roots = {one.key: _roots(one, needs, wrong, own) for one in found}
    causes_known = (key for key, root in roots.items() if root.any()) if own is not None else ()
    behind_roots = apart.hanging_on(causes_known, needs)
    behind_circles = apart.hanging_on(apart.circular_blocks(workbook, output.failures), needs)
    follows: list[Mismatch] = []
    for one in found:
        if one.key in behind_circles:
            _all_apart(one, "circular", proof)
            continue
        reasons = _reasons(one, other, rounded=own is not None and one.key not in behind_roots)
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


def _roots(one: Differing, needs: apart.Needs, wrong: set[apart.Place], alone: _Run | None) -> Mask:
    """Which of the cells that differ are causes: their formula gives another result from Excel's own values too."""
    if alone is None or alone.failed(one):
        follows = any(read in wrong and read != one.key for read in needs.get(one.key, ()))
        return np.full(len(one.places), not follows, np.bool_)
    return ~alone.agrees(one)


def _all_apart(one: Differing, reason: str, proof: Proof) -> None:
    """Sets all cells of a block that differ apart."""
    count = len(one.places)
    proof.stale += count
    proof.compared -= count
    proof.states[one.state] = (*proof.states[one.state][:2], "stale")
    proof.apart += [one.listed(i, False, reason) for i in range(min(count, LISTED - len(proof.apart)))]


def _reasons(one: Differing, day_first: _Run | None, *, rounded: bool) -> Any:
    """For each cell that differs why that is no error, or "". ``rounded``: no cause is behind the block."""
    reasons = np.full(len(one.places), "", object)
    (num, tag), (our_num, our_tag) = one.excel, one.ours
    if rounded:
        numbers = (tag == NUMBER) & (our_tag == NUMBER)
        reasons[numbers & ~np.isnan(num) & ~np.isnan(our_num)] = "rounding"
    if apart.unknown_to_writer(one.block.text):
        with np.errstate(all="ignore"):
            reasons[(tag == NUMBER) & (error_numbers(num) == _NAME) & np.isnan(num)] = "unknown_to_writer"
    if day_first is not None:
        reasons[day_first.agrees(one)] = "day_first"
    return reasons
