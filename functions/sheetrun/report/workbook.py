"""The report of a workbook run: does it match Excel, where not, why, and how long it took."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sheetrun.report.cells import place_of
from sheetrun.report.heatmap import Rect, draw_sheet, legend
from sheetrun.report.markup import Markup, clean, join, tag
from sheetrun.report.page import bars, folded, footer, milliseconds, number, page, section, table, tiles, top

_SHOWN = 25  # rows before a list is folded
_CELLS_SHOWN = 12  # inputs and outputs, likewise
_SHEETS = 60  # maps drawn; the rest are counted
_STAGES = {"parse": "Read", "generate": "Write the script", "execute": "Run and compare"}


def render_html(
    filename: str,
    report: Mapping[str, Any],
    sheets: Sequence[tuple[str, tuple[int, int]]],
    states: Sequence[tuple[int, Rect, str]],
    *,
    inputs: Sequence[Mapping[str, Any]] = (),
    outputs: Sequence[Mapping[str, Any]] = (),
    graph: str | None = None,
) -> str:
    """A page for people, in one file.

    ``report``: the job's report (counts, ``duration_ms``, ``mismatches``, ``errors``). ``sheets``: name and used size
    (rows, columns) of each. ``states``: sheet index, rectangle (0-based, corners included), and how its cells came out:
    matched, mismatched, unsupported, volatile. ``inputs``, ``outputs``: cells as in the model's schema (reference,
    name, label, value). ``graph``: an SVG of ``render_graph``.
    """
    changed = bool(report.get("inputs_changed"))
    name = filename or "Workbook"
    return page(
        f"{name}: report",
        top(name, f"{len(sheets):,} sheet{'' if len(sheets) == 1 else 's'}", _made_with(report)),
        _hero(report, changed),
        tiles(_facts(report, changed)),
        _notes(report),
        _differences(report, changed),
        _not_computed(report),
        _maps(sheets, states, report, changed),
        _cells("Inputs", inputs),
        _cells("Outputs", outputs),
        section("How blocks depend on each other", tag("div", Markup(graph), class_="card graph")) if graph else None,
        _timings(report),
        footer(
            "Every formula cell was calculated by a Python script made from the workbook and compared with the value "
            "that Excel stored in it: numbers within 1e-9 relative, texts, logicals and errors exactly.",
            "Volatile cells (NOW, RAND and what hangs on them) change by their nature and are counted apart.",
        ),
    )


def _count(report: Mapping[str, Any], name: str) -> int:
    value = report.get(name, 0)
    return int(value) if isinstance(value, int | float) else 0


def _made_with(report: Mapping[str, Any]) -> str:
    application = clean(report.get("application") or "", 60)
    return f"saved by {application}" if application else ""


def _hero(report: Mapping[str, Any], changed: bool) -> Markup:
    share, tone, verdict, told = _verdict(report, changed)
    text = tag("div", tag("p", verdict, class_=f"verdict {tone}"), tag("p", told, class_="soft"))
    return tag("div", _ring(share, tone), text, class_="card hero")


def _verdict(report: Mapping[str, Any], changed: bool) -> tuple[float, str, str, str]:
    """(share, tone, headline, sentence)."""
    compared, matched, unsupported = (_count(report, name) for name in ("compared", "matched", "unsupported"))
    formulas = _count(report, "formulas")
    if changed:
        done = formulas - unsupported
        told = f"{done:,} of {formulas:,} formula cells were calculated. Excel’s stored values belong to other inputs."
        share = done / formulas if formulas else 1.0
        return share, "warn" if unsupported else "good", "Calculated with your inputs", told
    if compared == 0:
        told = "The file holds no stored values for the cells that were calculated."
        return 0.0, "warn", "There was nothing to compare", told
    told = f"{matched:,} of {compared:,} compared cells match."
    if unsupported:
        told += f" {unsupported:,} could not be computed and kept Excel’s value."
    missing = compared - matched
    if missing:
        verdict = f"{missing:,} cell{' differs' if missing == 1 else 's differ'} from Excel’s value"
        return matched / compared, "bad", verdict, told
    return 1.0, "good", f"Every {'computed' if unsupported else 'compared'} cell equals Excel’s value", told


def percent(share: float) -> str:
    """A share for people that reads 100 % only when it is whole."""
    if share >= 1:
        return "100 %"
    for digits in (1, 2, 3, 4):
        text = f"{share * 100:.{digits}f}"
        if float(text) < 100:
            return f"{text} %"
    return "99.9999 %"


def _ring(share: float, tone: str) -> Markup:
    around = 2 * math.pi * 60
    common = {"cx": "74", "cy": "74", "r": "60", "fill": "none", "stroke_width": "13"}
    colour = f"var(--{tone})"
    wrong = tone == "bad"
    drawn = min(share, 0.985) if wrong else share  # a single wrong cell of a million is seen
    dash = f"{drawn * around:.2f} {around:.2f}"
    stroke = "var(--good)" if wrong else colour
    arc = tag("circle", **common, stroke=stroke, stroke_dasharray=dash, transform="rotate(-90 74 74)")
    text = percent(share)
    label = tag(
        "text",
        text,
        x="74",
        y="75",
        text_anchor="middle",
        dominant_baseline="central",
        font_size="27" if len(text) <= 5 else "22" if len(text) == 6 else "19",
        font_weight="650",
        fill=colour,
    )
    track = tag("circle", **common, stroke=colour if wrong else "var(--none)")
    return tag("svg", track, arc, label, viewBox="0 0 148 148", role="img", aria_label=text)


def _facts(report: Mapping[str, Any], changed: bool) -> list[tuple[str, str, str]]:
    def one(name: str, label: str, tone: str = "") -> tuple[str, str, str]:
        value = _count(report, name)
        return f"{value:,}", label, tone if value else ""

    facts = [one("formulas", "formula cells")]
    if not changed:
        facts += [one("compared", "compared"), one("matched", "match", "good"), one("mismatched", "differ", "bad")]
    facts += [one("unsupported", "not computed", "warn"), one("volatile", "volatile", "calm")]
    if _count(report, "stale") and not changed:
        facts.append(one("stale", "stale in the file", "calm"))
    if _count(report, "locale") and not changed:
        facts.append(one("locale", "match with the day first", "calm"))
    if _count(report, "rounding") and not changed:
        facts.append(one("rounding", "differ by rounding", "calm"))
    if _count(report, "uncached") and not changed:
        facts.append(one("uncached", "without a stored value"))
    if _count(report, "circular"):
        facts.append(one("circular", "in a circle", "warn"))
    return facts


def _notes(report: Mapping[str, Any]) -> Markup | None:
    notes = []
    if report.get("manual_calculation"):
        notes.append(
            "The workbook is set to manual calculation: values that Excel stored may be older than its inputs, "
            "and a difference need not be ours."
        )
    if report.get("precision_as_displayed"):
        notes.append("The workbook is set to precision as displayed: every result is rounded to what its cell shows.")
    if _count(report, "stale"):
        notes.append(
            "Stale cells hold values that Excel did not calculate when the file was saved; they are neither matches nor "
            "differences."
        )
    if _count(report, "circular"):
        notes.append("Some cells refer to themselves in a circle; they have the value that Excel gives such cells.")
    return tag("div", *(tag("p", note, class_="soft") for note in notes), style="margin-top:16px") if notes else None


def _differences(report: Mapping[str, Any], changed: bool) -> Markup | None:
    found = [one for one in report.get("mismatches") or () if isinstance(one, Mapping)]
    if changed or not found:
        return None
    rows = [
        (
            tag("code", clean(one.get("cell", ""), 80), class_="ref"),
            tag("code", clean(one.get("formula", ""), 300)),
            _value(one.get("ours")),
            _value(one.get("excel")),
            _distance(one.get("ours"), one.get("excel")),
            tag("span", "cause", class_="pill bad")
            if one.get("root", True)
            else tag("span", "follows", class_="pill soft"),
        )
        for one in found
    ]
    heads = ("Cell", "Formula", "Ours", "Excel", "Relative", "")
    told = "Causes first: what follows from another difference usually goes away with it."
    shown = tag("div", _long(heads, rows, frozenset({2, 3, 4}), _count(report, "mismatched")), class_="card")
    return section("What differs", tag("p", told, class_="soft"), shown)


def _not_computed(report: Mapping[str, Any]) -> Markup | None:
    found = [one for one in report.get("errors") or () if isinstance(one, Mapping)]
    if not found:
        return None
    groups: dict[tuple[str, str], list[str]] = {}
    for one in found:
        groups.setdefault((str(one.get("code", "")), str(one.get("detail", ""))), []).append(str(one.get("cell", "")))
    rows = []
    for (code, detail), cells in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        listed = join([tag("code", clean(cell, 80), class_="ref") for cell in cells[:6]], ", ")
        more = tag("span", f" and {len(cells) - 6:,} more", class_="soft") if len(cells) > 6 else None
        rows.append((clean(detail, 300), tag("code", clean(code, 60), class_="name"), join([listed, more])))
    told = "These cells keep the value that Excel stored; everything else was calculated."
    shown = tag("div", _long(("Reason", "Code", "Where"), rows, frozenset(), len(rows)), class_="card")
    return section("What could not be computed", tag("p", told, class_="soft"), shown)


def _long(
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    numeric: frozenset[int],
    total: int,
    *,
    shown: int = _SHOWN,
) -> Markup:
    """A table with its tail folded, and a word on what is not listed at all."""
    parts: list[object] = [table(heads, rows[:shown], numeric)]
    if len(rows) > shown:
        parts.append(folded(f"{len(rows) - shown:,} more", table(heads, rows[shown:], numeric)))
    if total > len(rows):
        parts.append(tag("p", f"{total - len(rows):,} more are counted and not listed.", class_="soft small"))
    return join(parts)


def _value(value: Any) -> Markup:
    if value is None:
        return tag("span", "empty", class_="soft")
    if isinstance(value, bool):
        return tag("code", "TRUE" if value else "FALSE")
    if isinstance(value, Mapping):
        return tag("code", clean(value.get("error", "#?"), 20), class_="warn")
    if isinstance(value, int | float):
        return tag("code", f"{value:.15g}")
    return tag("code", f"“{clean(value, 80)}”")


def _distance(ours: Any, excel: Any) -> str:
    numbers = [v for v in (ours, excel) if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < 2:
        return ""
    largest = max(abs(v) for v in numbers)
    return f"{abs(numbers[0] - numbers[1]) / largest:.1e}" if largest else ""


def _cells(title: str, cells: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not cells:
        return None
    named = any(one.get("name") for one in cells)
    rows = [
        (
            clean(one.get("label") or one.get("name") or "", 80),
            tag("code", clean(one.get("reference", ""), 80), class_="ref"),
            *([tag("code", clean(one.get("name") or "", 60), class_="name")] if named else []),
            _plain(one),
        )
        for one in cells
    ]
    heads = ("Label", "Cell", "Name", "Value") if named else ("Label", "Cell", "Value")
    shown = _long(heads, rows, frozenset({len(heads) - 1}), len(rows), shown=_CELLS_SHOWN)
    return section(title, tag("div", shown, class_="card"))


def _plain(cell: Mapping[str, Any]) -> Markup:
    """A cell's value with its unit; of a range its size."""
    value, unit = cell.get("value"), clean(cell.get("unit") or "", 16)
    if "shape" in cell:
        height, width = cell["shape"]
        return tag("span", f"{height:,} × {width:,} cells", class_="soft")
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _value(value)
    if unit == "%":
        return tag("code", f"{number(100 * value)} %")
    text = str(int(value)) if float(value).is_integer() and abs(value) < 10_000 else number(value)  # it may be a year
    return tag("code", f"{text} {unit}".rstrip())


_Found = dict[int, list[tuple[Rect, str]]]


def _maps(
    sheets: Sequence[tuple[str, tuple[int, int]]],
    states: Sequence[tuple[int, Rect, str]],
    report: Mapping[str, Any],
    changed: bool,
) -> Markup | None:
    by_sheet: _Found = {}
    for index, rect, state in states:
        shown = "computed" if changed and state in ("matched", "mismatched") else state
        by_sheet.setdefault(index, []).append((rect, shown))
    lines = {index: _sheet_line(sheets[index][1], found) for index, found in by_sheet.items() if index < len(sheets)}
    if not changed:
        _narrow(by_sheet, sheets, report)
    drawn = sorted(lines)[:_SHEETS]
    if not drawn:
        return None
    cards = [
        tag(
            "div",
            tag("h3", clean(sheets[index][0], 60)),
            tag("div", lines[index], class_="line"),
            draw_sheet(sheets[index][1], by_sheet[index]),
            class_="card sheet",
        )
        for index in drawn
    ]
    left_out = len(lines) - len(drawn)
    more = tag("p", f"{left_out:,} more sheets with formulas are not drawn.", class_="soft") if left_out else None
    present = {state for index in drawn for _, state in by_sheet[index]}
    return section("Sheets", legend(present), tag("div", *cards, class_="grid"), more)


def _sheet_line(size: tuple[int, int], found: Sequence[tuple[Rect, str]]) -> str:
    cells = sum((bottom - top + 1) * (right - left + 1) for (top, left, bottom, right), _ in found)
    blocks = f"{len(found):,} block{'' if len(found) == 1 else 's'}"
    return f"{cells:,} formula cell{'' if cells == 1 else 's'} in {blocks} · {size[0]:,} × {size[1]:,}"


def _narrow(by_sheet: _Found, sheets: Sequence[tuple[str, tuple[int, int]]], report: Mapping[str, Any]) -> None:
    """A block in which one cell differs is a block that matches with one red cell: where all of them are known."""
    listed = [str(one.get("cell", "")) for one in report.get("mismatches") or () if isinstance(one, Mapping)]
    places = [place for cell in listed if (place := place_of(cell)) is not None]
    if len(places) != _count(report, "mismatched"):
        return
    names = {name.casefold(): index for index, (name, _) in enumerate(sheets)}
    for index, found in by_sheet.items():
        by_sheet[index] = [(rect, "matched" if state == "mismatched" else state) for rect, state in found]
    for sheet, row, column in places:
        if sheet.casefold() in names:
            by_sheet.setdefault(names[sheet.casefold()], []).append(((row, column, row, column), "mismatched"))


def _timings(report: Mapping[str, Any]) -> Markup | None:
    durations = report.get("duration_ms")
    if not isinstance(durations, Mapping):
        return None
    known = [
        (_STAGES.get(str(stage), str(stage)), float(value), milliseconds(float(value)))
        for stage, value in durations.items()
        if isinstance(value, int | float)
    ]
    return section("Time", tag("div", bars(known), class_="card")) if known else None
