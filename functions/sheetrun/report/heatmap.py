"""A sheet seen from above: where its formulas are, and how each came out, as a small SVG of few rectangles.

Large sheets are drawn in bins; a bin shows the worst that is in it, so a single wrong cell is never lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sheetrun.formula.a1 import range_name
from sheetrun.report.markup import Markup, tag

#: (top, left, bottom, right), 0-based, both corners included.
Rect = tuple[int, int, int, int]

#: From harmless to worst; the index is the code of a bin.
STATES: Final = ("", "matched", "computed", "uncached", "volatile", "unsupported", "mismatched")
COLOURS: Final = {
    "matched": "var(--good)",
    "computed": "var(--accent)",
    "uncached": "var(--soft)",
    "volatile": "var(--calm)",
    "unsupported": "var(--warn)",
    "mismatched": "var(--bad)",
}
LABELS: Final = {
    "matched": "as in Excel",
    "computed": "calculated with your inputs",
    "uncached": "no stored value",
    "volatile": "volatile",
    "unsupported": "not computed",
    "mismatched": "differs",
}
_MOST_ROWS, _MOST_COLUMNS = 72, 64
_WIDTH, _LEFT, _TOP = 300.0, 26.0, 12.0


def draw_sheet(size: tuple[int, int], states: Iterable[tuple[Rect, str]]) -> Markup:
    """An SVG of a sheet of ``size`` (rows, columns used). A state that is not in ``STATES`` counts as unsupported."""
    rows, columns = max(size[0], 1), max(size[1], 1)
    bins = make_bins(rows, columns, states)
    down, across = len(bins), len(bins[0])
    width = (_WIDTH - _LEFT) / max(across, 9)
    height = max(2.2, min(width * 0.4, 7.0))
    inner = (width * across, height * down)
    parts: list[object] = [
        tag("rect", x=_n(_LEFT), y=_n(_TOP), width=_n(inner[0]), height=_n(inner[1]), fill="var(--none)", rx="1")
    ]
    for code, top, left, bottom, right in runs(bins):
        name = STATES[code]
        first, last = _first_cell(top, down, rows), _first_cell(bottom + 1, down, rows) - 1
        west, east = _first_cell(left, across, columns), _first_cell(right + 1, across, columns) - 1
        parts.append(
            tag(
                "rect",
                tag("title", f"{range_name(first, west, last, east)}: {LABELS[name]}"),
                x=_n(_LEFT + left * width),
                y=_n(_TOP + top * height),
                width=_n((right - left + 1) * width),
                height=_n((bottom - top + 1) * height),
                fill=COLOURS[name],
            )
        )
    if width >= 6:
        parts.append(_lines(across, down, width, height))
    letters = range_name(0, columns - 1, 0, columns - 1).rstrip("1")
    parts += [
        _label(_LEFT, 8, "A", "start"),
        _label(_LEFT + inner[0], 8, letters, "end") if columns > 1 else None,
        _label(_LEFT - 4, _TOP + 7, "1", "end"),
        _label(_LEFT - 4, _TOP + inner[1], _short(rows), "end") if inner[1] > 18 else None,
    ]
    box = f"0 0 {_n(_WIDTH)} {_n(_TOP + 2 + max(inner[1], 9.0))}"
    return tag("svg", *parts, viewBox=box, role="img", aria_label="Map of the sheet")


def _lines(across: int, down: int, width: float, height: float) -> Markup:
    """The grid between cells, where they are large enough to be seen."""
    upright = "".join(f"M{_n(_LEFT + i * width)} {_n(_TOP)}v{_n(down * height)}" for i in range(1, across))
    level = "".join(f"M{_n(_LEFT)} {_n(_TOP + i * height)}h{_n(across * width)}" for i in range(1, down))
    return tag("path", d=upright + level, stroke="var(--card)", stroke_width=".5", stroke_opacity=".55", fill="none")


def make_bins(rows: int, columns: int, states: Iterable[tuple[Rect, str]]) -> list[bytearray]:
    """Codes of ``STATES`` by bin, the worst wins."""
    down, across = min(rows, _MOST_ROWS), min(columns, _MOST_COLUMNS)
    bins = [bytearray(across) for _ in range(down)]
    codes = {name: code for code, name in enumerate(STATES)}
    unknown = codes["unsupported"]
    ordered = sorted(((codes.get(state, unknown), rect) for rect, state in states), key=lambda item: item[0])
    for code, (top, left, bottom, right) in ordered:
        if top >= rows or left >= columns or bottom < 0 or right < 0:
            continue
        west, east = max(left, 0) * across // columns, min(right, columns - 1) * across // columns
        for row in range(max(top, 0) * down // rows, min(bottom, rows - 1) * down // rows + 1):
            bins[row][west : east + 1] = bytes([code]) * (east - west + 1)
    return bins


def runs(bins: Sequence[bytearray]) -> list[tuple[int, int, int, int, int]]:
    """(code, top, left, bottom, right) of rectangles of equal bins: runs along a row, joined with equal ones below."""
    done: list[tuple[int, int, int, int, int]] = []
    begun: dict[tuple[int, int, int], int] = {}  # (code, left, right) -> top
    for row in range(len(bins) + 1):
        here = set(_row_runs(bins[row])) if row < len(bins) else set()
        for key in [key for key in begun if key not in here]:
            code, left, right = key
            done.append((code, begun.pop(key), left, row - 1, right))
        for key in here:
            begun.setdefault(key, row)
    return sorted(done, key=lambda run: (run[1], run[2]))


def _row_runs(line: bytearray) -> Iterable[tuple[int, int, int]]:
    start = 0
    for column in range(1, len(line) + 1):
        if column == len(line) or line[column] != line[start]:
            if line[start]:
                yield line[start], start, column - 1
            start = column


def legend(states: Iterable[str]) -> Markup:
    """What the colours mean; only those that occur."""
    present = set(states)
    items = [
        tag("span", tag("i", style=f"background:{COLOURS[name]}"), LABELS[name])
        for name in STATES[1:]
        if name in present
    ]
    return tag("div", *items, class_="legend")


def _first_cell(edge: int, bins: int, cells: int) -> int:
    """The first cell whose bin is ``edge``."""
    return -(-edge * cells // bins)


def _short(rows: int) -> str:
    return str(rows) if rows < 10_000 else f"{rows // 1000}k"


def _label(x: float, y: float, text: str, anchor: str) -> Markup:
    return tag("text", text, x=_n(x), y=_n(y), text_anchor=anchor, font_size="8", fill="var(--soft)")


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
