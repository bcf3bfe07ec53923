"""Pictures of the results, drawn with matplotlib outside the sandbox: from numbers and labels, never from the file."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sheetrun.records import dataclass

_INK, _TEAL, _LINE, _AMBER = "#1c2526", "#0f5c63", "#e3e2dc", "#e0a33e"
_MOST: Final = 24  # plots of distributions
_LABEL: Final = 28  # characters
_STYLE: Final = {
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "grid.linewidth": 0.6,
    "xtick.color": "#5c6b6d",
    "ytick.color": "#5c6b6d",
    "figure.facecolor": "white",
    "text.parse_math": False,  # a column called "$x^2$" is a name, not mathematics
    "savefig.dpi": 130,
}


@dataclass(frozen=True, slots=True)
class Plot:
    """``name`` is a file name without suffix, ``title`` what it shows."""

    name: str
    title: str
    png: bytes


def draw_plots(results: Mapping[str, Any]) -> list[Plot]:
    """In the order of the columns; the same results give the same pictures."""
    import matplotlib as mpl

    mpl.use("agg")
    with mpl.rc_context(dict(_STYLE)):
        return list(_plots(results))


def _plots(results: Mapping[str, Any]) -> Iterator[Plot]:
    shapes = list(results.get("distributions", {}).items())[:_MOST]
    limits = results.get("outliers", {})
    for number, (name, shape) in enumerate(shapes, 1):
        yield Plot(f"distribution_{number:02}", name, _distribution(name, shape, limits.get(name, {})))
    related = results.get("correlations", {})
    if len(related.get("columns", ())) > 1:
        yield Plot("correlations", "Pearson’s correlations", _matrix(related["columns"][:25], related["pearson"]))


def _distribution(name: str, shape: Mapping[str, Any], limits: Mapping[str, Any]) -> bytes:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(4.6, 2.5), layout="constrained")
    axes = figure.add_subplot()
    counts = shape["counts"]
    if shape["kind"] == "histogram":
        edges = shape["edges"]
        axes.stairs(counts, edges, fill=True, color=_TEAL)
        for fence in ("low fence", "high fence"):
            if limits.get(fence) is not None and edges[0] < limits[fence] < edges[-1]:
                axes.axvline(limits[fence], color=_AMBER, linewidth=1.2, linestyle="--")
    elif shape["kind"] == "timeline":
        axes.fill_between(range(len(counts)), counts, color=_TEAL, alpha=0.85, linewidth=0)
        axes.set_ylim(bottom=0)
        step = max(1, len(counts) // 5)
        axes.set_xticks(range(0, len(counts), step), [_short(text) for text in shape["labels"][::step]])
    else:
        labels = [_short(text) for text in shape["labels"][:12]][::-1]
        axes.barh(range(len(labels)), counts[:12][::-1], color=_TEAL, height=0.7)
        axes.set_yticks(range(len(labels)), labels)
        axes.grid(visible=False, axis="y")
    count_axis = axes.xaxis if shape["kind"] == "bars" else axes.yaxis
    count_axis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_title(_short(name, 46), loc="left", fontweight="bold", fontsize=10)
    return _png(figure)


def _matrix(names: Sequence[str], values: Sequence[Sequence[float | None]]) -> bytes:
    from matplotlib.figure import Figure

    count = len(names)
    size = max(3.4, min(9.0, 1.8 + 0.42 * count))
    figure = Figure(figsize=(size + 1.1, size), layout="constrained")
    axes = figure.add_subplot()
    table = [[float("nan") if value is None else value for value in row[:count]] for row in values[:count]]
    image = axes.imshow(table, cmap="BrBG", vmin=-1, vmax=1)
    axes.grid(visible=False)
    axes.set_xticks(range(count), [_short(name, 18) for name in names], rotation=45, ha="right")
    axes.set_yticks(range(count), [_short(name, 18) for name in names])
    if count <= 12:
        for row, line in enumerate(table):
            for column, value in enumerate(line):
                if value == value:
                    colour = "white" if abs(value) > 0.6 else _INK
                    axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(image, ax=axes, shrink=0.8)
    return _png(figure)


def _short(text: str, length: int = _LABEL) -> str:
    """What the font can show, on one line."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"


def _png(figure: Any) -> bytes:
    import warnings

    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
