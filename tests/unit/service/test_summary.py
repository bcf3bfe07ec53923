"""What many scenarios say together, against what NumPy says of them all at once."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.report.scenarios import render_scenarios
from sheetrun.service import summary
from sheetrun.service.summary import Summary, histogram, sensitivities

FLOATS = st.floats(-1e12, 1e12)


@given(st.lists(FLOATS, min_size=1, max_size=60), st.integers(1, 20))
def test_moments_do_not_depend_on_the_division(values: list[float], size: int) -> None:
    told = Summary({}, {"Y": "number"}, len(values))
    for first in range(0, len(values), size):
        part = np.array(values[first : first + size])
        told.add({"Y": part}, [None] * len(part))
    found = told.document()["outputs"]["Y"]
    scale = max(1.0, *map(abs, values))
    assert found["count"] == len(values)
    assert found["mean"] == pytest.approx(np.mean(values), abs=1e-9 * scale)
    if len(values) > 1:
        assert found["sd"] == pytest.approx(np.std(values, ddof=1), rel=1e-6, abs=1e-6 * scale)
    assert (found["min"], found["max"]) == (min(values), max(values))
    assert found["percentiles"]["p50"] == pytest.approx(np.median(values), abs=1e-9 * scale)
    assert sum(found["histogram"]["counts"]) == len(values)


def test_errors_are_left_out_and_counted() -> None:
    told = Summary({"X": "number"}, {"Y": "number", "W": "text", "L": "logical"}, 4)
    reasons = [None, "Y: #DIV/0!", None, "Y: #DIV/0!"]
    columns = {"X": np.arange(4.0), "Y": np.array([1, np.nan, 3, np.nan]), "W": ["a", None, "a", "b"], "L": [True] * 4}
    told.add(columns, reasons)
    found = told.document()
    assert found["failed"] == 2
    assert found["failures"] == [{"reason": "Y: #DIV/0!", "count": 2, "scenarios": [2, 4]}]
    assert (found["outputs"]["Y"]["count"], found["outputs"]["Y"]["mean"]) == (2, 2)
    assert found["outputs"]["W"]["values"][0] == {"value": "a", "count": 2}
    assert found["outputs"]["L"]["values"] == [{"value": "TRUE", "count": 4}]


def test_nothing_but_errors() -> None:
    told = Summary({}, {"Y": "number"}, 2)
    told.add({"Y": np.full(2, np.nan)}, ["Y: #N/A"] * 2)
    document = told.document()
    assert document["outputs"]["Y"] == {"type": "number", "count": 0}
    assert "Y: #N/A" in render_scenarios("m.xlsx", {**document, "in_turn": None})


def test_memory_is_bounded_by_taking_some_at_random(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "_KEPT", 20_000)
    count, chance = 100_000, np.random.default_rng(3)
    told = Summary({}, {"Y": "number"}, count)
    values = chance.normal(5, 2, count)
    for first in range(0, count, 10_000):
        told.add({"Y": values[first : first + 10_000]}, [None] * 10_000)
    found = told.document()
    assert found["scenarios"] == found["outputs"]["Y"]["count"] == count
    assert found["estimated_from"] == pytest.approx(20_000, rel=0.1)
    assert found["outputs"]["Y"]["mean"] == pytest.approx(values.mean())
    assert found["outputs"]["Y"]["percentiles"]["p95"] == pytest.approx(np.percentile(values, 95), abs=0.15)


def test_a_tornado_orders_inputs_by_what_they_move() -> None:
    chance = np.random.default_rng(4)
    inputs = {"small": chance.random(5000), "large": chance.random(5000), "still": np.ones(5000)}
    found = sensitivities(inputs, inputs["small"] - 10 * inputs["large"])
    assert [one["input"] for one in found] == ["large", "small"]
    assert found[0]["low"] > found[0]["high"]
    assert found[0]["correlation"] == pytest.approx(-0.99, abs=0.01)


def test_a_tornado_of_a_long_grid_looks_at_all_of_it() -> None:
    slow = np.repeat([0.0, 1.0], 300_000)
    assert sensitivities({"slow": slow}, slow * 7)[0] == {"input": "slow", "low": 0, "high": 7, "correlation": 1}


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [1.0, 1.0 + 2**-52], [-1e308, 1e308], [0.0, 5e-324]])
def test_histograms_of_odd_ranges(values: list[float]) -> None:
    assert sum(histogram(np.array(values))["counts"]) == len(values)


def test_numbers_that_overflow_are_null() -> None:
    told = Summary({"X": "number"}, {"Y": "number"}, 3)
    told.add({"X": np.arange(3.0), "Y": np.array([-1.7e308, 0, 1.7e308])}, [None] * 3)
    document = told.document()
    assert document["outputs"]["Y"]["sd"] is None
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert "<svg" not in render_scenarios("m.xlsx", {**document, "in_turn": None})  # no axes are so long


def test_a_page_has_nothing_of_a_workbook_as_markup() -> None:
    hostile = "<script>alert(1)</script>$\\frac{'!A1"
    told = Summary({hostile: "number"}, {hostile + "2": "number", hostile + "3": "text"}, 3)
    columns = {hostile: np.arange(3.0), hostile + "2": np.arange(3.0), hostile + "3": [hostile] * 3}
    told.add(columns, [None, hostile, None])
    page = render_scenarios(hostile, {**told.document(), "in_turn": hostile})
    assert "<script" not in page
    assert page.count("<svg") == 2
    assert "#0102" not in page  # every colour is the page's own
    assert render_scenarios(hostile, {**told.document(), "in_turn": hostile}) == page
