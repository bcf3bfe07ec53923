"""Reports: what they say, that nothing of a workbook can break out of them, and pictures that tell the truth."""

from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.report import Node, block_graph, render_graph, render_html
from sheetrun.report.cells import place_of
from sheetrun.report.graph import arrange, simplify
from sheetrun.report.heatmap import STATES, draw_sheet, make_bins, runs
from sheetrun.report.markup import clean, tag
from sheetrun.report.workbook import percent

REPORT: dict[str, Any] = {
    "formulas": 12,
    "compared": 10,
    "matched": 10,
    "mismatched": 0,
    "volatile": 0,
    "unsupported": 0,
    "duration_ms": {"execute": 12.5},
}
SHEETS = [("Summary", (30, 5)), ("Data", (5000, 300))]
STATES_OF = [(0, (3, 1, 9, 1), "matched"), (1, (0, 0, 4999, 299), "matched")]


class Outline(HTMLParser):
    """Names of elements and attributes, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def outline(html: str) -> Outline:
    seen = Outline()
    seen.feed(html)
    return seen


def test_a_full_match_is_the_headline() -> None:
    html = render_html("model.xlsx", REPORT, SHEETS, STATES_OF)
    text = " ".join(outline(html).text)
    assert "Every compared cell equals Excel’s value" in text
    assert "10 of 10 compared cells match." in text
    assert "100 %" in text
    assert "12 ms" in text
    assert "What differs" not in text


def test_differences_are_counted_listed_and_explained() -> None:
    mismatches = [
        {"cell": "Summary!B4", "formula": "=A1*2", "ours": 4.0, "excel": 5, "root": True},
        {"cell": "Data!C1", "formula": "=Summary!B4", "ours": {"error": "#N/A"}, "excel": None, "root": False},
    ]
    report = {**REPORT, "matched": 7, "mismatched": 3, "mismatches": mismatches, "manual_calculation": True}
    text = " ".join(outline(render_html("m.xlsx", report, SHEETS, STATES_OF)).text)
    for part in ("3 cells differ from Excel’s value", "=A1*2", "2.0e-01", "cause", "follows", "#N/A", "manual"):
        assert part in text
    assert "1 more are counted and not listed." in text


def test_what_could_not_be_computed_is_grouped_by_reason() -> None:
    errors = [{"cell": f"Data!A{n}", "code": "unsupported_function", "detail": "CUBEVALUE"} for n in range(1, 12)]
    text = " ".join(outline(render_html("m.xlsx", {**REPORT, "unsupported": 11, "errors": errors}, SHEETS, [])).text)
    assert text.count("unsupported_function") == 1
    assert "and 5 more" in text
    assert "11 could not be computed" in text


def test_with_changed_inputs_stored_values_do_not_count() -> None:
    report = {**REPORT, "inputs_changed": True, "matched": 2, "mismatched": 8, "mismatches": [{"cell": "A!A1"}]}
    html = render_html("m.xlsx", report, SHEETS, STATES_OF)
    text = " ".join(outline(html).text)
    assert "Calculated with your inputs" in text
    assert "What differs" not in text
    assert "var(--bad)" not in re.sub(r"<style>.*?</style>", "", html, flags=re.S)


HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>\x00\u202e]]>&amp;"


def test_nothing_of_a_workbook_becomes_markup_and_nothing_is_loaded() -> None:
    mismatch = {"cell": HOSTILE, "formula": HOSTILE, "ours": HOSTILE, "excel": {"error": HOSTILE}, "root": True}
    error = {"cell": HOSTILE, "code": HOSTILE, "detail": HOSTILE}
    cell = {"label": HOSTILE, "reference": HOSTILE, "value": HOSTILE}
    report = {
        **REPORT,
        "matched": 9,
        "mismatched": 1,
        "mismatches": [mismatch],
        "errors": [error],
        "application": HOSTILE,
    }
    report["duration_ms"] = {HOSTILE: 1}
    graph = render_graph([Node("a", HOSTILE, HOSTILE, HOSTILE)], [])
    sheets = [(HOSTILE, (3, 3))]
    states = [(0, (0, 0, 1, 1), HOSTILE)]
    html = render_html(HOSTILE, report, sheets, states, inputs=[cell], outputs=[cell], graph=graph)  # type: ignore[list-item, arg-type]
    seen = outline(html)
    assert {"script", "img", "link", "iframe", "object", "a"}.isdisjoint(seen.elements)
    assert not any(name.startswith("on") or name in ("src", "href") for name in seen.attributes)
    assert "\x00" not in html
    assert "\u202e" not in html
    assert "default-src &#x27;none&#x27;" in html


@given(st.text(), st.text())
def test_any_text_is_one_text_node_in_svg_and_html(content: str, attribute: str) -> None:
    root = ElementTree.fromstring(tag("text", content, title=attribute).encode())
    assert (root.text or "").replace("\n", " ") == clean(content).replace("\n", " ")
    assert len(root) == 0


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "100 %"),
        (0.5, "50.0 %"),
        (0.99949, "99.9 %"),
        (0.99999, "99.999 %"),
        (0.99999999, "99.9999 %"),
        (0.0, "0.0 %"),
    ],
)
def test_a_share_reads_whole_only_when_it_is(share: float, text: str) -> None:
    assert percent(share) == text


def test_one_wrong_cell_of_a_large_sheet_is_seen() -> None:
    states = [((0, 0, 99_999, 499), "matched"), ((70_123, 333, 70_123, 333), "mismatched")]
    bins = make_bins(100_000, 500, states)
    assert sum(line.count(STATES.index("mismatched")) for line in bins) == 1
    assert "differs" in draw_sheet((100_000, 500), states)


@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.lists(st.tuples(st.integers(0, 250), st.integers(0, 250), st.integers(0, 60), st.integers(0, 60)), max_size=8),
)
def test_runs_cover_the_bins_exactly(rows: int, columns: int, rects: list[tuple[int, int, int, int]]) -> None:
    states = [((t, le, t + h, le + w), STATES[1 + n % 6]) for n, (t, le, h, w) in enumerate(rects)]
    bins = make_bins(rows, columns, states)
    drawn = [bytearray(len(bins[0])) for _ in bins]
    for code, top, left, bottom, right in runs(bins):
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                assert drawn[row][column] == 0
                drawn[row][column] = code
    assert drawn == bins


def test_a_block_with_one_wrong_cell_is_not_red_as_a_whole() -> None:
    report = {**REPORT, "matched": 9, "mismatched": 1, "mismatches": [{"cell": "Data!B2", "formula": "=1"}]}
    html = render_html("m.xlsx", report, [("x", (1, 1)), ("Data", (4, 4))], [(1, (0, 0, 3, 3), "mismatched")])
    assert "B2: differs" in html
    assert "as in Excel" in html


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ("Sheet1!A1", ("Sheet1", 0, 0)),
        ("'It''s here'!$AB$12", ("It's here", 11, 27)),
        ("A1", None),
        ("S!A1:B2", None),
        ("S!A0", None),
    ],
)
def test_references_are_places(reference: str, place: tuple[str, int, int] | None) -> None:
    assert place_of(reference) == place


def chain(*ids: str) -> tuple[list[Node], list[tuple[str, str]]]:
    return [Node(one, one, "S") for one in ids], list(itertools.pairwise(ids))


def test_layers_follow_the_longest_path() -> None:
    nodes, edges = chain("a", "b", "c", "d")
    layers = arrange(nodes, [*edges, ("a", "d")])
    assert [[node.id for node in layer] for layer in layers] == [["a"], ["b"], ["c"], ["d"]]


def test_circles_are_laid_out_and_what_follows_stays_behind_them() -> None:
    nodes, edges = chain("in", "x", "y", "out")
    layers = arrange(nodes, [*edges, ("y", "x")])
    assert [[node.id for node in layer] for layer in layers] == [["in"], ["x"], ["y"], ["out"]]


def test_blocks_become_nodes_and_reads_become_edges() -> None:
    first, second = (0, (0, 0, 9, 0)), (1, (2, 1, 2, 1))
    nodes, edges = block_graph(
        ["In", "Out"], [(first, [first]), (second, [first, (0, (50, 50, 50, 50))])], [(1, (2, 1, 2, 1), "mismatched")]
    )
    assert [(node.label, node.group, node.state, node.cells) for node in nodes] == [
        ("A1:A10", "In", "matched", 10),
        ("B3", "Out", "mismatched", 1),
    ]
    assert edges == [(nodes[0].id, nodes[1].id)]


def test_large_graphs_are_simplified_and_lose_no_cell() -> None:
    nodes = [Node(f"n{n}", f"A{n}", f"Sheet {n % 7}", "mismatched" if n == 500 else "matched", 2) for n in range(2000)]
    edges = [(f"n{n}", f"n{n + 1}") for n in range(1999)]
    merged, links = simplify(nodes, edges, 50)
    assert len(merged) == 7
    assert sum(node.cells for node in merged) == 4000
    assert sum(node.state == "mismatched" for node in merged) == 1
    assert all(a != b for a, b in links)
    root = ElementTree.fromstring(render_graph(nodes, edges, limit=50))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_an_empty_graph_is_a_picture_too() -> None:
    assert ElementTree.fromstring(render_graph([], [])).attrib["width"]


def test_pictures_are_the_same_every_time() -> None:
    nodes, edges = chain(*(f"b{n}" for n in range(30)))
    assert render_graph(nodes, edges) == render_graph(nodes, list(reversed(edges)))
