"""The report of many scenarios: how each output is distributed, which input moves it, and what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sheetrun.report.markup import Markup, clean, tag
from sheetrun.report.page import footer, number, page, section, table, tiles, top

_OUTPUTS = 24  # outputs that are drawn; the rest are in the table and in the summary
_PERCENTILES = ("p5", "p50", "p95")


def render_scenarios(name: str, summary: Mapping[str, Any]) -> str:
    """A page for people, in one file. ``summary``: as ``service.summary`` makes it."""
    outputs, tornado = summary["outputs"], summary["tornado"]
    numeric = [output for output, one in outputs.items() if one["type"] == "number" and one.get("count")]
    drawn = [output for output in numeric if _drawable(outputs[output])][:_OUTPUTS]
    return page(
        f"{name}: scenarios",
        top(name or "Scenarios", f"{summary['scenarios']:,} scenarios", _how(summary)),
        tiles(_facts(summary)),
        section("Outputs", tag("div", _numbers(outputs, numeric), class_="card")) if numeric else None,
        *(_output(output, outputs[output], tornado.get(output, [])) for output in drawn),
        tag("p", f"{len(numeric) - len(drawn):,} more outputs are in the summary.", class_="soft")
        if len(numeric) > len(drawn)
        else None,
        _words(outputs),
        _failures(summary["failures"]),
        _inputs(summary["inputs"]),
        footer(
            "Bars of a tornado: the mean of the output where an input is in its lowest and in its highest tenth. ρ is "
            "the rank correlation of input and output.",
            _estimated(summary),
        ),
    )


def _drawable(one: Mapping[str, Any]) -> bool:
    """Whether the numbers are small enough for axes."""
    return all(abs(one[end]) < 1e150 for end in ("min", "max"))


def _how(summary: Mapping[str, Any]) -> str:
    return f"computed one after another: {clean(summary['in_turn'], 120)}" if summary.get("in_turn") else ""


def _estimated(summary: Mapping[str, Any]) -> str:
    if "estimated_from" not in summary:
        return "Every figure is of all scenarios; bars of a tornado are of 200,000 of them at most."
    return (
        "Counts, means and standard deviations are of all scenarios; percentiles and histograms of "
        f"{summary['estimated_from']:,} of them, chosen at random."
    )


def _facts(summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    failed = summary["failed"]
    return [
        (f"{summary['scenarios']:,}", "scenarios", ""),
        (f"{len(summary['inputs']):,}", "inputs that are numbers", ""),
        (f"{len(summary['outputs']):,}", "outputs", ""),
        (f"{failed:,}", "with an error", "warn" if failed else "good"),
    ]


def _numbers(outputs: Mapping[str, Any], names: Sequence[str]) -> Markup:
    heads = ("Output", "Mean", "Standard deviation", *(p.replace("p", "P") for p in _PERCENTILES), "Least", "Greatest")
    rows = [
        (
            tag("code", clean(name, 80), class_="ref"),
            _figure(outputs[name].get("mean")),
            _figure(outputs[name].get("sd")),
            *(_figure(outputs[name]["percentiles"][p]) for p in _PERCENTILES),
            _figure(outputs[name].get("min")),
            _figure(outputs[name].get("max")),
        )
        for name in names
    ]
    return table(heads, rows, frozenset(range(1, len(heads))))


def _figure(value: float | None) -> str:
    return "–" if value is None else number(value)


def _output(name: str, one: Mapping[str, Any], tornado: Sequence[Mapping[str, Any]]) -> Markup:
    from sheetrun.report.plots import histogram_svg, tornado_svg

    pictures = [tag("div", histogram_svg(one), class_="card plotted")]
    if tornado and all(bar["low"] is not None and bar["high"] is not None for bar in tornado):
        pictures.append(tag("div", tornado_svg(one["mean"], tornado), class_="card plotted"))
    return section(clean(name, 80), tag("div", *pictures, class_="pair"))


def _words(outputs: Mapping[str, Any]) -> Markup | None:
    rows = [
        (
            tag("code", clean(name, 80), class_="ref"),
            f"{one['distinct']:,}",
            ", ".join(f"{clean(value['value'], 40)} ({value['count']:,})" for value in one["values"][:6]),
        )
        for name, one in outputs.items()
        if one["type"] != "number"
    ]
    if not rows:
        return None
    return section(
        "Texts and logicals", tag("div", table(("Output", "Different", "Most frequent"), rows), class_="card")
    )


def _failures(failures: Sequence[Mapping[str, Any]]) -> Markup | None:
    if not failures:
        return None
    rows = [
        (
            clean(one["reason"], 120),
            f"{one['count']:,}",
            ", ".join(f"{n:,}" for n in one["scenarios"][:8]) + (" …" if one["count"] > 8 else ""),
        )
        for one in failures[:50]
    ]
    shown = tag("div", table(("First error of a scenario", "Scenarios", "Which"), rows, frozenset({1})), class_="card")
    return section("What failed", shown)


def _inputs(inputs: Mapping[str, Any]) -> Markup | None:
    if not inputs:
        return None
    rows = [
        (tag("code", clean(name, 80), class_="ref"), *(_figure(one.get(key)) for key in ("mean", "sd", "min", "max")))
        for name, one in inputs.items()
    ]
    heads = ("Input", "Mean", "Standard deviation", "Least", "Greatest")
    return section("Inputs", tag("div", table(heads, rows, frozenset({1, 2, 3, 4})), class_="card"))
