"""A workbook with the values of a run in place of those that Excel stored: what a model's calls start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sheetrun.runtime.cells import TEXT
from sheetrun.runtime.payload import RunOutput
from sheetrun.runtime.sheet import Area
from sheetrun.service.rundata import arrays_now
from sheetrun.workbook.model import Block, Grid, Kind, Rect, Workbook


def recalculated(workbook: Workbook, output: RunOutput) -> Workbook:
    """The same formulas over the computed cells, dynamic arrays where they are now. Texts of the run join those of the
    workbook, each kept once."""
    strings = list(workbook.strings)
    known = {text: index for index, text in enumerate(strings)}
    ids = np.empty(len(output.strings) or 1, np.int32)
    for index, text in enumerate(output.strings):
        place = known.setdefault(text, len(strings))
        if place == len(strings):
            strings.append(text)
        ids[index] = place
    arrays = arrays_now(output)
    sheets = [
        replace(
            sheet,
            grids=[_grid(area, ids) for area in areas],
            blocks=[_now(block, index, arrays) for block in sheet.blocks],
            uncached=[],
        )
        for index, (sheet, areas) in enumerate(zip(workbook.sheets, output.sheets, strict=True))
    ]
    return replace(workbook, sheets=sheets, strings=strings)


def _now(block: Block, sheet: int, arrays: Mapping[tuple[int, int, int], Rect]) -> Block:
    if block.kind is not Kind.DYNAMIC or block.filled:
        return block
    top, left = block.rect[:2]
    return replace(block, rect=arrays.get((sheet, top, left), Rect(top, left, top, left)))


def _grid(area: Area, ids: Any) -> Grid:
    texts = area.tag >= TEXT
    num, tag = area.num, area.tag
    if texts.any():
        num, tag = num.copy(), tag.copy()
        tag[texts] = TEXT + ids[tag[texts] - TEXT]
        num[texts] = 0.0
    return Grid(area.top - 1, area.left - 1, num, tag)


def as_output(workbook: Workbook) -> RunOutput:
    """The cells of a recalculated workbook as if they came from a run."""
    sheets: Sequence[Sequence[Area]] = [
        [Area(g.top + 1, g.left + 1, g.num, g.tag) for g in sheet.grids] for sheet in workbook.sheets
    ]
    return RunOutput(sheets, workbook.strings, [], [], [])
