"""The proof: which formula cells match what Excel stored, and which are set apart and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sheetrun.compiler.units import Refused
from sheetrun.runtime.address import Span
from sheetrun.runtime.failures import Failure
from sheetrun.runtime.payload import RunOutput
from sheetrun.runtime.sheet import Area
from sheetrun.service.planes import Plane
from sheetrun.service.proof import prove
from sheetrun.workbook.model import Grid, Rect, Workbook
from tests.unit.compiler.making import error, grid_of, rect_of, workbook_of

NONE: dict[str, Any] = {}


def stored(values: list[Any], formula: str = "=X1") -> Workbook:
    """One block in A1:An with these values in the file."""
    cached = {f"A{n}": value for n, value in enumerate(values, 1)}
    return workbook_of({f"A1:A{len(values)}": formula}, cached=cached)


def output(values: list[Any], **options: Any) -> RunOutput:
    strings: list[str] = ["never used"]  # so that the ids of texts differ from those in the file
    grid = grid_of({(n, 0): value for n, value in enumerate(values)}, strings, len(values), 1)
    parts = {"failures": [], "circular": [], "spills": []} | options
    return RunOutput([[Area(1, 1, grid.num, grid.tag)]], strings, **parts)


@pytest.mark.parametrize(
    ("excel", "ours", "match"),
    [
        (1, 1, True),
        (1, 2, False),
        (1, 1 + 1e-10, True),
        (1, 1 + 1e-8, False),
        (1e300, 1e300 * (1 + 1e-10), True),
        (0, 0, True),
        (0, 1e-300, False),
        (-1, 1, False),
        (-0.0, 0.0, True),
        ("a", "a", True),
        ("a", "A", False),
        ("", "", True),
        ("1", 1, False),
        (1, True, False),
        (True, True, True),
        (True, False, False),
        (error("#N/A"), error("#N/A"), True),
        (error("#N/A"), error("#VALUE!"), False),
        (error("#N/A"), 1, False),
        (1, error("#N/A"), False),
        ("#N/A", error("#N/A"), False),
        (None, None, True),
        (None, 0, False),
    ],
)
def test_what_is_equal(excel: Any, ours: Any, match: bool) -> None:
    proof = prove(stored([excel]), output([ours]), [], [])
    assert (proof.compared, proof.matched, proof.mismatched) == (1, int(match), int(not match))
    assert proof.states == [(0, Rect(0, 0, 0, 0), "matched" if match else "mismatched")]
    assert len(proof.mismatches) == int(not match)


def test_a_mismatch_says_where_what_and_why() -> None:
    proof = prove(stored([1, 2, 3]), output([1, 5, error("#REF!")]), [], [])
    assert [(m.cell, m.formula, m.ours, m.excel) for m in proof.mismatches] == [
        ("Sheet1!A2", "=X2", 5, 2),
        ("Sheet1!A3", "=X3", {"error": "#REF!"}, 3),
    ]
    assert (
        proof.counts().items()
        >= {
            "formulas": 3,
            "compared": 3,
            "matched": 1,
            "mismatched": 2,
            "volatile": 0,
            "unsupported": 0,
            "uncached": 0,
        }.items()
    )


def test_roots_of_mismatches_come_first() -> None:
    workbook = workbook_of({"A1": "=B1", "B1": "=C1", "C1": "=1"}, cached={"A1": 1, "B1": 1, "C1": 2})
    rects = {name: (0, rect_of(name)) for name in ("A1", "B1", "C1")}
    needs = {rects["A1"]: [rects["B1"]], rects["B1"]: [rects["C1"]], rects["C1"]: []}
    grid = grid_of({(0, 0): 9, (0, 1): 9, (0, 2): 2}, [], 1, 3)
    result = RunOutput([[Area(1, 1, grid.num, grid.tag)]], [], [], [], [])
    proof = prove(workbook, result, [], [], needs)
    assert [(m.cell, m.root) for m in proof.mismatches] == [("Sheet1!B1", True), ("Sheet1!A1", False)]


def test_volatile_blocks_are_set_apart() -> None:
    proof = prove(stored([1, 2]), output([5, 6]), [], [(0, Rect(0, 0, 1, 0))])
    assert (proof.compared, proof.volatile, proof.mismatched) == (0, 2, 0)
    assert proof.states == [(0, Rect(0, 0, 1, 0), "volatile")]


def test_refused_blocks_are_unsupported() -> None:
    refused = [Refused(0, Rect(0, 0, 1, 0), "FOO(1)", "unknown_function", "the function FOO is not known")]
    proof = prove(stored([1, 2]), output([1, 2]), refused, [])
    assert (proof.compared, proof.unsupported) == (0, 2)
    assert proof.errors == [
        {"cell": "Sheet1!A1:A2", "code": "unknown_function", "detail": "the function FOO is not known"}
    ]


def test_cells_that_failed_are_unsupported_and_the_others_compared() -> None:
    failures = [Failure("Sheet1", Span(2, 1, 3, 1), "internal_error", "no")]
    proof = prove(stored([1, 2, 3, 4]), output([1, 2, 3, 5], failures=failures), [], [])
    assert (proof.compared, proof.matched, proof.unsupported) == (2, 1, 2)
    assert proof.errors == [{"cell": "Sheet1!A2:A3", "code": "internal_error", "detail": "no"}]


def test_cells_without_a_stored_value_are_not_compared() -> None:
    workbook = stored([1, None, 3])
    workbook.sheets[0].uncached = [Rect(1, 0, 1, 0)]
    proof = prove(workbook, output([1, 99, 3]), [], [])
    assert (proof.compared, proof.matched, proof.uncached) == (2, 2, 1)


def test_many_mismatches_are_counted_and_some_listed() -> None:
    proof = prove(stored([1] * 3000), output([2] * 3000), [], [])
    assert proof.mismatched == 3000
    assert len(proof.mismatches) == 1000


def test_the_sum_of_all_parts_is_all_formulas() -> None:
    workbook = workbook_of({"A1:A4": "=X1", "B1:B2": "=RAND()", "C1": "=FOO()"})
    grid = grid_of({}, [], 4, 3)
    failures = [Failure("Sheet1", Span(1, 1, 1, 1), "x", "y")]
    result = RunOutput([[Area(1, 1, grid.num, grid.tag)]], [], failures, [], [])
    refused = [Refused(0, rect_of("C1"), "FOO()", "unknown_function", "")]
    proof = prove(workbook, result, refused, [(0, rect_of("B1:B2"))])
    assert proof.formulas == 7 == proof.compared + proof.volatile + proof.unsupported + proof.uncached


def test_a_plane_gives_any_rectangle_of_several_grids() -> None:
    one, two = np.array([[1.0, 2.0]]), np.array([[3.0]])
    tags = [np.zeros((1, 2), np.int32), np.zeros((1, 1), np.int32)]
    plane = Plane.of_grids([Grid(1, 1, one, tags[0]), Grid(2, 3, two, tags[1])])
    num, tag = plane.get(Rect(0, 0, 3, 3))
    assert num.tolist() == [[0, 0, 0, 0], [0, 1, 2, 0], [0, 0, 0, 3], [0, 0, 0, 0]]
    assert tag.tolist() == [[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 0], [1, 1, 1, 1]]
    assert plane.get(Rect(1, 1, 1, 2))[0].tolist() == [[1, 2]]
    assert plane.get(Rect(7, 7, 7, 7))[1].tolist() == [[1]]
