"""The frame that all reports share: one HTML file with its style in it, readable in light and dark and on paper.

A content security policy forbids scripts, fonts and every address: what a report needs is inside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sheetrun.report.markup import Markup, clean, join, tag
from sheetrun.report.style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(title: str, *sections: object) -> str:
    """A whole document."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content="Sheetrun"),
        tag("title", clean(title, 200)),
        tag("style", Markup(STYLE)),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', tag('main', *sections)), lang='en')}\n"


def top(name: str, *facts: str) -> Markup:
    """Title line: what the report is of, and facts about it."""
    told = tag("div", " · ".join(fact for fact in facts if fact), class_="soft small") if any(facts) else None
    return tag("header", tag("div", tag("h1", clean(name, 200)), told), tag("span", "Sheetrun", class_="brand"))


def section(title: str, *content: object) -> Markup:
    return join([tag("h2", title), *content])


def tiles(facts: Sequence[tuple[str, str, str]]) -> Markup:
    """(value, label, tone) in boxes; a tone is "", good, bad, warn or calm."""
    boxes = [
        tag("div", tag("b", value, class_=tone or None), tag("span", label), class_="tile")
        for value, label, tone in facts
    ]
    return tag("div", *boxes, class_="tiles")


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], numeric: frozenset[int] = frozenset()) -> Markup:
    """A table; columns in ``numeric`` stand to the right."""

    def line(name: str, cells: Sequence[object]) -> Markup:
        return tag("tr", *(tag(name, cell, class_="n" if i in numeric else None) for i, cell in enumerate(cells)))

    whole = tag("table", tag("thead", line("th", heads)), tag("tbody", *(line("td", row) for row in rows)))
    return tag("div", whole, class_="scroll")


def bars(rows: Sequence[tuple[str, float, str]]) -> Markup:
    """(label, value, shown value) as horizontal bars against the largest."""
    most = max((value for _, value, _ in rows), default=0.0) or 1.0
    parts: list[object] = []
    for label, value, shown in rows:
        fill = tag("div", class_="fill", style=f"width:{max(0.0, min(100.0, 100 * value / most)):.1f}%")
        parts += [tag("span", label), tag("div", fill, class_="track"), tag("span", shown, class_="soft")]
    return tag("div", *parts, class_="bars")


def folded(summary: str, content: object) -> Markup:
    return tag("details", tag("summary", summary), content)


def footer(*lines: str) -> Markup:
    return tag("footer", *(tag("div", line) for line in lines))


def number(value: float) -> str:
    """``1,204``, ``0.0731``, ``1.2e+09``: short, for people."""
    if value != value:
        return "–"
    if abs(value) >= 1e12 or (value and abs(value) < 1e-4):
        return f"{value:.4g}"
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.4g}"


def milliseconds(value: float) -> str:
    if value < 1000:
        return f"{value:.0f} ms"
    return f"{value / 1000:.2f} s" if value < 60_000 else f"{value / 60_000:.1f} min"
