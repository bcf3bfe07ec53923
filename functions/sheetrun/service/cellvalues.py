"""Computed cells as JSON values by address, and as grids to be written back into the user's file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sheetrun.formula.a1 import cell_name, quote_sheet
from sheetrun.runtime.payload import RunOutput
from sheetrun.service.findings import Proof
from sheetrun.service.planes import Plane, plain
from sheetrun.service.rundata import arrays_now, find_cells
from sheetrun.workbook.model import Grid, Kind, Rect, Workbook


def formula_rects(workbook: Workbook, output: RunOutput) -> Iterable[tuple[int, Rect]]:
    """(sheet, rectangle) of all cells that formulas fill, spilled ones where they are now."""
    arrays = arrays_now(output)
    for index, each in enumerate(workbook.sheets):
        for block in each.blocks:
            rect = block.rect
            if block.kind is Kind.DYNAMIC and not block.filled:
                rect = arrays.get((index, rect.top, rect.left), rect)
            yield index, rect


def cell_values(
    workbook: Workbook, output: RunOutput, wanted: Mapping[str, tuple[int, Rect]] | None = None
) -> dict[str, Any]:
    """Values by address: every formula cell, or what is ``wanted`` under the caller's own references."""
    planes = [Plane.of_areas(areas) for areas in output.sheets]
    if wanted:
        return {ref: rectangle_values(planes[sheet], rect, output.strings) for ref, (sheet, rect) in wanted.items()}
    out: dict[str, Any] = {}
    for index, rect in formula_rects(workbook, output):
        out.update(_by_address(workbook, index, rect, planes[index], output.strings))
    return out


def stored_values(workbook: Workbook, proof: Proof) -> dict[str, Any]:
    """What Excel stored in the formula cells that were compared and are the same, by address."""
    out: dict[str, Any] = {}
    planes = [Plane.of_grids(sheet.grids) for sheet in workbook.sheets]
    for index, rect, state in proof.states:
        if state == "matched":
            stored = _by_address(workbook, index, rect, planes[index], workbook.strings)
            out.update((cell, value) for cell, value in stored if value is not None)
    return out


def _by_address(
    workbook: Workbook, index: int, rect: Rect, plane: Plane, strings: Sequence[str]
) -> Iterable[tuple[str, Any]]:
    prefix = quote_sheet(workbook.sheets[index].name) + "!"
    num, tag = plane.get(rect)
    for r, (row_num, row_tag) in enumerate(zip(num.tolist(), tag.tolist(), strict=True)):
        for c, (n, t) in enumerate(zip(row_num, row_tag, strict=True)):
            yield prefix + cell_name(rect.top + r, rect.left + c), plain(n, t, strings)


def rectangle_values(plane: Plane, rect: Rect, strings: Any) -> Any:
    """One cell as a scalar, a range as a list of rows."""
    num, tag = plane.get(rect)
    rows = [
        [plain(n, t, strings) for n, t in zip(row_num, row_tag, strict=True)]
        for row_num, row_tag in zip(num.tolist(), tag.tolist(), strict=True)
    ]
    return rows[0][0] if rect.size == 1 else rows


def written_grids(workbook: Workbook, output: RunOutput, inputs: Mapping[str, Any]) -> dict[int, list[Grid]]:
    """What to write back: all formula cells and the inputs that were set."""
    planes = [Plane.of_areas(areas) for areas in output.sheets]
    grids: dict[int, list[Grid]] = {}
    places = [*formula_rects(workbook, output), *(find_cells(workbook, reference) for reference in inputs)]
    for index, rect in places:
        num, tag = planes[index].get(rect)
        grids.setdefault(index, []).append(Grid(rect.top, rect.left, num, tag))
    return grids
