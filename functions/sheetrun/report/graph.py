"""The dependency graph of a workbook's blocks as an SVG: inputs on the left, what follows from them to the right.

Layers by longest path, order within a layer by barycenters (Sugiyama, Tagawa and Toda 1981), edges as curves. Too many
nodes are no picture: then blocks of one sheet that stand in the same layer are drawn as one, and at last whole sheets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sheetrun.formula.a1 import range_name
from sheetrun.records import dataclass
from sheetrun.report.heatmap import COLOURS, LABELS, STATES, Rect
from sheetrun.report.markup import Markup, clean, tag

LIMIT: Final = 150  # nodes in one picture
_WIDTH, _HEIGHT, _GAP, _BETWEEN, _EDGE = 128.0, 30.0, 10.0, 64.0, 14.0
_SWEEPS: Final = 8


@dataclass(frozen=True, slots=True)
class Node:
    """A block (or several). ``group`` is its sheet, ``cells`` how many formula cells it stands for."""

    id: str
    label: str
    group: str
    state: str = "matched"
    cells: int = 1


Edge = tuple[str, str]  #: from what is read to what reads it


def block_graph(
    sheets: Sequence[str],
    needs: Iterable[tuple[tuple[int, Rect], Iterable[tuple[int, Rect]]]],
    states: Iterable[tuple[int, Rect, str]] = (),
) -> tuple[list[Node], list[Edge]]:
    """Nodes and edges from blocks (sheet index, rectangle) with the blocks that each reads. Order is the caller's."""
    outcome = {(index, tuple(rect)): state for index, rect, state in states}
    needs = list(needs)
    known = {(index, tuple(rect)) for (index, rect), _ in needs}
    nodes: list[Node] = []
    edges: list[Edge] = []
    for (index, rect), reads in needs:
        key = (index, tuple(rect))
        top, left, bottom, right = rect
        cells = (bottom - top + 1) * (right - left + 1)
        label = range_name(top, left, bottom, right)
        nodes.append(Node(_id(key), label, sheets[index], outcome.get(key, "matched"), cells))
        edges += [(_id(other), _id(key)) for n, r in reads if (other := (n, tuple(r))) in known and other != key]
    return nodes, edges


def _id(key: tuple[int, tuple[int, ...]]) -> str:
    return f"{key[0]}:{','.join(map(str, key[1]))}"


def render_graph(nodes: Sequence[Node], edges: Iterable[Edge], *, limit: int = LIMIT) -> str:
    """A whole SVG document, with its own colours, for a page or a file. Unknown ends of edges are left out."""
    chosen, links = simplify(nodes, edges, limit)
    layers = arrange(chosen, links)
    tallest = max((len(layer) for layer in layers), default=1)
    height = 2 * _EDGE + tallest * (_HEIGHT + _GAP) - _GAP
    width = 2 * _EDGE + max(len(layers), 1) * (_WIDTH + _BETWEEN) - _BETWEEN
    places: dict[str, tuple[float, float]] = {}
    for column, layer in enumerate(layers):
        room = (height - 2 * _EDGE + _GAP) / max(len(layer), 1)
        for row, node in enumerate(layer):
            places[node.id] = (_EDGE + column * (_WIDTH + _BETWEEN), _EDGE + (row + 0.5) * room - (_HEIGHT + _GAP) / 2)
    groups = {group: number for number, group in enumerate(dict.fromkeys(node.group for node in nodes))}
    body = [_curve(places[a], places[b]) for a, b in links]
    body += [_box(node, places[node.id], groups[node.group]) for layer in layers for node in layer]
    return tag(
        "svg",
        tag("style", Markup(_STYLE)),
        *body,
        xmlns="http://www.w3.org/2000/svg",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        class_="blocks",
        role="img",
        aria_label="Dependency graph",
    )


#: Outside a report the page's colours are not there, so the picture has its own.
_STYLE = """
.blocks { --good:#1d8a5b; --bad:#c93a3a; --warn:#b7791f; --calm:#7a7fb8; --accent:#0f5c63; --soft:#5c6b6d }
.blocks text { font:11px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif; fill:#1c2526 }
.blocks .sub { font-size:9.5px; fill:#5c6b6d }
.blocks .box { fill:#fff; stroke:#d5d8d6 }
.blocks path { fill:none; stroke:#7d9295; stroke-opacity:.4 }
@media screen and (prefers-color-scheme:dark) {
.blocks { --good:#4fc08d; --bad:#f07272; --warn:#e0a33e; --calm:#a3a8e0; --accent:#6cc3c9; --soft:#9aa8a8 }
.blocks text { fill:#e6ebea } .blocks .sub { fill:#9aa8a8 } .blocks .box { fill:#222b2c; stroke:#384445 } }
"""


def _box(node: Node, place: tuple[float, float], group: int) -> Markup:
    x, y = place
    state = node.state if node.state in COLOURS else "unsupported"
    sheet = clean(node.group, 60)
    hue = group * 137.508 % 360  # the golden angle keeps neighbours apart
    title = f"{sheet}!{clean(node.label, 80)}: {node.cells:,} cell{'' if node.cells == 1 else 's'}, {LABELS[state]}"
    return tag(
        "g",
        tag("title", title),
        tag("rect", x=_n(x), y=_n(y), width=_n(_WIDTH), height=_n(_HEIGHT), rx="5", class_="box"),
        tag("rect", x=_n(x), y=_n(y), width="5", height=_n(_HEIGHT), rx="2", fill=f"hsl({hue:.0f} 45% 55%)"),
        tag("circle", cx=_n(x + _WIDTH - 10), cy=_n(y + 10), r="3.2", fill=COLOURS[state]),
        tag("text", _fit(clean(node.label), 17), x=_n(x + 11), y=_n(y + 13)),
        tag("text", _fit(sheet, 21), x=_n(x + 11), y=_n(y + 24.5), class_="sub"),
    )


def _curve(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    x2, y2 = end[0], end[1] + _HEIGHT / 2
    bend = max(_BETWEEN / 2, (x2 - x1) / 2) if x2 > x1 else _BETWEEN
    return tag("path", d=f"M{_n(x1)} {_n(y1)}C{_n(x1 + bend)} {_n(y1)} {_n(x2 - bend)} {_n(y2)} {_n(x2)} {_n(y2)}")


def _fit(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def simplify(nodes: Sequence[Node], edges: Iterable[Edge], limit: int) -> tuple[list[Node], list[Edge]]:
    """At most ``limit`` nodes: blocks as they are, else one a sheet and layer, else one a sheet (the largest ones)."""
    known = {node.id for node in nodes}
    links = sorted({(a, b) for a, b in edges if a != b and a in known and b in known})
    if len(nodes) <= limit:
        return list(nodes), links
    depth = _depths([node.id for node in nodes], links)
    merged, between = _merge(nodes, links, {node.id: (node.group, depth[node.id]) for node in nodes})
    if len(merged) > limit:
        merged, between = _merge(nodes, links, {node.id: (node.group, 0) for node in nodes})
    if len(merged) > limit:
        merged = sorted(merged, key=lambda node: -node.cells)[:limit]
        kept = {node.id for node in merged}
        between = [(a, b) for a, b in between if a in kept and b in kept]
    return merged, between


def _merge(
    nodes: Sequence[Node], links: Sequence[Edge], keys: Mapping[str, tuple[str, int]]
) -> tuple[list[Node], list[Edge]]:
    together: dict[tuple[str, int], list[Node]] = {}
    for node in nodes:
        together.setdefault(keys[node.id], []).append(node)
    ids = {key: f"m{number}" for number, key in enumerate(together)}
    merged = []
    for key, members in together.items():
        worst = max(
            (member.state for member in members), key=lambda state: STATES.index(state) if state in STATES else 0
        )
        label = members[0].label if len(members) == 1 else f"{len(members):,} blocks"
        cells = sum(member.cells for member in members)
        merged.append(replace(members[0], id=ids[key], label=label, state=worst, cells=cells))
    between = sorted({(ids[keys[a]], ids[keys[b]]) for a, b in links if keys[a] != keys[b]})
    return merged, between


def arrange(nodes: Sequence[Node], links: Sequence[Edge]) -> list[list[Node]]:
    """Layers from left to right, each from top to bottom."""
    depth = _depths([node.id for node in nodes], links)
    layers: list[list[Node]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in nodes:
        layers[depth[node.id]].append(node)
    before: dict[str, list[str]] = {node.id: [] for node in nodes}
    after: dict[str, list[str]] = {node.id: [] for node in nodes}
    for a, b in links:
        before[b].append(a)
        after[a].append(b)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        heights: dict[str, float] = {}
        for layer in layers if forward else reversed(layers):
            _order(layer, before if forward else after, heights)
            heights |= {node.id: (row + 0.5) / len(layer) for row, node in enumerate(layer)}
    return layers


def _order(layer: list[Node], near: Mapping[str, list[str]], heights: Mapping[str, float]) -> None:
    """By the mean height of the neighbours that stand already; without any, where it was."""
    own = {node.id: (row + 0.5) / len(layer) for row, node in enumerate(layer)}

    def centre(node: Node) -> float:
        seen = [heights[other] for other in near[node.id] if other in heights]
        return sum(seen) / len(seen) if seen else own[node.id]

    layer.sort(key=centre)


def _depths(ids: Sequence[str], links: Sequence[Edge]) -> dict[str, int]:
    """The longest path to each node; an edge that would close a circle does not count."""
    after: dict[str, list[str]] = {one: [] for one in ids}
    reached = {b for _, b in links}
    for a, b in links:
        after[a].append(b)
    finished: dict[str, None] = {}  # in the order in which a depth-first walk leaves them
    forward: dict[str, list[str]] = {one: [] for one in ids}
    walked: set[str] = set()
    for root in sorted(ids, key=lambda one: one in reached):  # those that read nothing come first
        if root in walked:
            continue
        walked.add(root)
        path = [(root, iter(after[root]))]
        while path:
            here, rest = path[-1]
            other = next(rest, None)
            if other is None:
                finished[here] = None
                path.pop()
            elif other not in walked:
                walked.add(other)
                forward[here].append(other)
                path.append((other, iter(after[other])))
            elif other in finished:  # else it is on the path: the edge goes back
                forward[here].append(other)
    depth = dict.fromkeys(ids, 0)
    for here in reversed(finished):
        for other in forward[here]:
            depth[other] = max(depth[other], depth[here] + 1)
    return depth
