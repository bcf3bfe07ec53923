"""Histograms and tornadoes as SVG, drawn by matplotlib, in the colours of the page they stand in.

matplotlib knows no style sheets: it draws in colours that stand for ours, and they are exchanged in its output.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from sheetrun.report.markup import Markup, clean

_ACCENT, _INK, _SOFT, _LINE, _WARN = "#010203", "#010204", "#010205", "#010206", "#010207"
_EXCHANGED: Final = {
    _ACCENT: "var(--accent)",
    _INK: "var(--ink)",
    _SOFT: "var(--soft)",
    _LINE: "var(--line)",
    _WARN: "var(--warn)",
}
_BARS: Final = 10
_STYLE: Final = {
    "svg.fonttype": "none",  # texts stay texts
    "svg.hashsalt": "sheetrun",  # the same picture every time
    "font.family": "sans-serif",
    "font.size": 9.5,
    "text.color": _INK,
    "text.parse_math": False,  # a dollar sign in a reference is one
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _SOFT,
    "axes.titlecolor": _INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "axes.formatter.useoffset": False,
}


def histogram_svg(one: Mapping[str, Any]) -> Markup:
    """``one``: an output of a summary, with ``histogram``, ``percentiles`` and ``mean``."""
    edges, counts = one["histogram"]["edges"], one["histogram"]["counts"]

    def draw(axes: Any) -> None:
        widths = [high - low for low, high in pairwise(edges)]
        axes.bar(edges[:-1], counts, width=[w or 1 for w in widths], align="edge", color=_ACCENT, linewidth=0)
        for name, dashes in (("p5", (4, 3)), ("p50", (1, 0)), ("p95", (4, 3))):
            axes.axvline(one["percentiles"][name], color=_INK, linewidth=1, dashes=dashes)
        axes.set_title("Distribution; lines at P5, P50, P95")
        axes.yaxis.set_visible(False)

    return _picture(draw, 3.0)


def tornado_svg(mean: float, bars: Sequence[Mapping[str, Any]]) -> Markup:
    """``bars``: the strongest first, as ``service.summary.sensitivities`` has them."""
    shown = list(reversed(bars[:_BARS]))

    def draw(axes: Any) -> None:
        for place, one in enumerate(shown):
            for end, colour in ((one["low"], _WARN), (one["high"], _ACCENT)):
                axes.barh(place, end - mean, left=mean, height=0.62, color=colour, linewidth=0)
        axes.axvline(mean, color=_INK, linewidth=1)
        axes.set_yticks(range(len(shown)), [_label(one) for one in shown])
        axes.tick_params(axis="y", length=0)
        axes.set_title("What moves its mean: input low (amber), input high")

    return _picture(draw, max(1.6, 0.9 + 0.3 * len(shown)))


def _label(one: Mapping[str, Any]) -> str:
    rho = "" if one["correlation"] is None else f"  ρ {one['correlation']:+.2f}"
    return f"{clean(one['input'], 28)}{rho}"


def _picture(draw: Any, height: float) -> Markup:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(5.4, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        figure.patch.set_alpha(0)
        axes.patch.set_alpha(0)
        draw(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    svg = text[text.index("<svg") :]
    for stands, colour in _EXCHANGED.items():
        svg = svg.replace(stands, colour)
    return Markup(svg)
