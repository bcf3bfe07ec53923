"""The report of a dataset: what it holds, what is wrong with it, how it is distributed, what goes together."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from sheetrun.report.markup import Markup, clean, join, tag
from sheetrun.report.page import bars, folded, footer, milliseconds, number, page, section, table, tiles, top
from sheetrun.report.workbook import percent

_SHOWN = 40
_SEVERITY = {"high": "bad", "medium": "warn", "low": "calm"}


def render_dataset(
    document: Mapping[str, Any], plots: Sequence[tuple[str, bytes]], seconds: Mapping[str, float]
) -> str:
    """A page for people, in one file. ``document``: the results as JSON has them. ``plots``: (title, PNG)."""
    facts = document["dataset"]
    quality: Mapping[str, Any] = document.get("data_quality", {})
    filename = facts["filename"] or "Dataset"
    return page(
        f"{filename}: report",
        top(filename, _written(facts)),
        tiles(_facts(facts, quality)),
        _issues(quality),
        _columns(facts["columns"], quality.get("columns", {})),
        _numbers(facts["columns"], document.get("statistical_summary", {})),
        _others(facts["columns"], document.get("statistical_summary", {})),
        _pictures(plots),
        _related(document.get("correlations", {})),
        _outside(document.get("outliers", {})),
        section("Time", tag("div", bars(_times(seconds)), class_="card")) if seconds else None,
        footer(
            "Calculated by a pandas script that was made for this file; it is among the results and can be run again.",
            "A column’s type is found from a sample; values that do not fit it count as missing, and are listed above.",
        ),
    )


def _written(facts: Mapping[str, Any]) -> str:
    names = {"csv": "CSV", "jsonl": "JSON lines", "parquet": "Parquet", "xlsx": "Excel"}
    parts = [names.get(facts["format"], facts["format"])]
    if facts.get("sheet"):
        parts.append(f"sheet {clean(facts['sheet'], 40)}")
    if facts["format"] == "csv":
        mark = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}.get(facts["delimiter"], "")
        parts += [part for part in (mark, facts["encoding"]) if part]
    return ", ".join(parts)


def _facts(facts: Mapping[str, Any], quality: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = [(f"{facts['rows']:,}", "rows", ""), (f"{len(facts['columns']):,}", "columns", "")]
    if quality:
        share = quality.get("complete share")
        issues, doubled = len(quality.get("issues", ())), quality.get("duplicate rows", 0)
        found += [
            (percent(share) if share is not None else "–", "complete", "good" if share == 1 else ""),
            (f"{doubled:,}", "duplicate rows", "warn" if doubled else ""),
            (f"{issues:,}", "to look at", "bad" if issues else "good"),
        ]
    return found


def _issues(quality: Mapping[str, Any]) -> Markup | None:
    issues = quality.get("issues")
    if issues is None:
        return None
    if not issues:
        return section("What to look at", tag("div", "Nothing stands out.", class_="card good"))
    rows = [
        (
            tag("span", one["severity"], class_=f"pill {_SEVERITY.get(one['severity'], 'soft')}"),
            tag("code", clean(one["column"], 60)) if one["column"] else tag("span", "whole table", class_="soft"),
            one["issue"],
            f"{one['count']:,}",
        )
        for one in issues
    ]
    return section("What to look at", _card(("", "Column", "Issue", "Rows"), rows, frozenset({3})))


def _card(heads: Sequence[str], rows: Sequence[Sequence[object]], numeric: frozenset[int]) -> Markup:
    parts: list[object] = [table(heads, rows[:_SHOWN], numeric)]
    if len(rows) > _SHOWN:
        parts.append(folded(f"{len(rows) - _SHOWN:,} more", table(heads, rows[_SHOWN:], numeric)))
    return tag("div", *parts, class_="card")


def _columns(types: Mapping[str, str], details: Mapping[str, Any]) -> Markup:
    rows = []
    for name, kind in types.items():
        one = details.get(name, {})
        cells = [tag("code", clean(name, 60)), kind]
        if details:
            missing, share = one.get("missing", 0), one.get("missing share")
            cells.append(f"{missing:,} ({percent(share)})" if missing and share is not None else "")
            cells.append(f"{one.get('distinct', 0):,}")
        rows.append(cells)
    heads = ("Column", "Type", "Missing", "Distinct") if details else ("Column", "Type")
    return section("Columns", _card(heads, rows, frozenset({2, 3})))


def _numbers(types: Mapping[str, str], summary: Mapping[str, Any]) -> Markup | None:
    names = [name for name in summary if types.get(name) in ("integer", "number")]
    if not names:
        return None
    keys = ("mean", "sd", "min", "p5", "median", "p95", "max")
    rows = [[tag("code", clean(name, 40)), *(_figure(summary[name].get(key)) for key in keys)] for name in names]
    return section("Numbers", _card(("Column", *keys), rows, frozenset(range(1, 8))))


def _others(types: Mapping[str, str], summary: Mapping[str, Any]) -> Markup | None:
    rows = []
    for name, one in summary.items():
        kind = types.get(name)
        if kind in ("category", "logical"):
            parts = [
                join([clean(value, 30), tag("span", f" {count:,}", class_="soft")]) for value, count in one["top"][:6]
            ]
            told: object = join(parts, ", ")
        elif kind == "date":
            told = f"{clean(one['first'], 30)} to {clean(one['last'], 30)}"
        elif kind == "text":
            told = f"{one['distinct']:,} different, {_figure(one['mean length'])} characters on average"
        else:
            continue
        rows.append((tag("code", clean(name, 40)), kind, f"{one['count']:,}", told))
    if not rows:
        return None
    return section("Categories, dates and texts", _card(("Column", "Type", "Values", "What"), rows, frozenset({2})))


def _figure(value: Any) -> str:
    return "–" if value is None else number(float(value))


def _pictures(plots: Sequence[tuple[str, bytes]]) -> Markup | None:
    if not plots:
        return None
    cards = [
        tag(
            "div",
            tag(
                "img",
                class_="plot",
                alt=clean(title, 80),
                src=f"data:image/png;base64,{base64.b64encode(png).decode()}",
            ),
            class_="card",
            style="padding:10px",
        )
        for title, png in plots
    ]
    return section("Distributions", tag("div", *cards, class_="grid"))


def _related(related: Mapping[str, Any]) -> Markup | None:
    strongest = related.get("strongest", ())
    explained = related.get("explained", ())
    pairs = [
        (
            join([tag("code", clean(one["first"], 40)), " and ", tag("code", clean(one["second"], 40))]),
            _figure(one["pearson"]),
            _figure(one["spearman"]),
            f"{one['rows']:,}",
        )
        for one in strongest[:12]
    ]
    shares = [
        (
            join([tag("code", clean(one["category"], 40)), " explains ", tag("code", clean(one["number"], 40))]),
            percent(one["share"]),
            f"{one['groups']:,}",
        )
        for one in explained[:8]
        if one["share"] >= 0.01
    ]
    if not pairs and not shares:
        return None
    return section(
        "What goes together",
        _card(("Numbers", "Pearson", "Spearman", "Rows"), pairs, frozenset({1, 2, 3})) if pairs else None,
        tag("div", style="height:14px") if pairs and shares else None,
        _card(("Categories and numbers", "of its variance", "groups"), shares, frozenset({1, 2})) if shares else None,
    )


def _outside(outliers: Mapping[str, Any]) -> Markup | None:
    rows = [
        (
            tag("code", clean(name, 40)),
            f"{one['outside']:,}",
            f"{one['far outside']:,}",
            f"{_figure(one['low fence'])} … {_figure(one['high fence'])}",
            ", ".join(f"{_figure(far['value'])} (row {far['row']:,})" for far in one["farthest"][:3]),
        )
        for name, one in outliers.items()
        if one["outside"] or one["by score"]
    ]
    if not rows:
        return None
    heads = ("Column", "Outside", "Far outside", "Fences", "Farthest")
    return section("Outliers", _card(heads, rows, frozenset({1, 2})))


def _times(seconds: Mapping[str, float]) -> list[tuple[str, float, str]]:
    return [
        (name.replace("_", " ").capitalize(), value * 1000, milliseconds(value * 1000))
        for name, value in seconds.items()
    ]
