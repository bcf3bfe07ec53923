"""Scenarios by number: any division gives the same ones, and samples have the distributions that were asked for."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.service.draws import BLOCK, Grid, Listed, Table, draws_of
from sheetrun.service.scenarios import OWN

COUNT = 3 * BLOCK + 100
SAMPLE = {
    "normal": {"normal": [10, 2]},
    "lognormal": {"lognormal": [0, 0.25]},
    "uniform": {"uniform": [-1, 3]},
    "triangular": {"triangular": [0, 1, 4]},
    "discrete": {"discrete": [["a", 1], ["b", 0], ["c", 3]]},
    "fixed": {"triangular": [2, 2, 2]},
}


def sampled(sample: dict[str, Any], count: int = COUNT, **more: Any) -> Any:
    return draws_of({"sample": sample, "count": count, "seed": 5, "skip": 0, "correlations": [], **more})


@given(st.lists(st.integers(0, COUNT), min_size=1, max_size=4))
def test_any_division_gives_the_same_sample(cuts: list[int]) -> None:
    draws = sampled({name: SAMPLE[name] for name in ("normal", "discrete")})
    whole = draws.part(0, COUNT)
    edges = sorted({0, *cuts, COUNT})
    for first, end in pairwise(edges):
        part = draws.part(first, end)
        np.testing.assert_array_equal(part["normal"], whole["normal"][first:end])
        assert part["discrete"] == whole["discrete"][first:end]


def test_jobs_that_share_a_sample_have_different_parts_of_it() -> None:
    whole = sampled({"x": SAMPLE["normal"]}).part(0, COUNT)["x"]
    rest = sampled({"x": SAMPLE["normal"]}, COUNT - 5000, skip=5000)
    np.testing.assert_array_equal(rest.part(0, COUNT - 5000)["x"], whole[5000:])
    assert not np.array_equal(sampled({"x": SAMPLE["normal"]}, seed=6).part(0, COUNT)["x"], whole)


def test_distributions() -> None:
    part = sampled(SAMPLE).part(0, COUNT)
    means = {"normal": 10, "lognormal": np.exp(0.25**2 / 2), "uniform": 1, "triangular": 5 / 3, "fixed": 2}
    spreads = {
        "normal": 2,
        "lognormal": np.sqrt((np.exp(0.25**2) - 1) * np.exp(0.25**2)),
        "uniform": 4 / np.sqrt(12),
        "triangular": np.sqrt((16 + 1 - 4) / 18),
        "fixed": 0,
    }
    for name, mean in means.items():
        assert part[name].mean() == pytest.approx(mean, abs=5 * spreads[name] / np.sqrt(COUNT))
        assert part[name].std() == pytest.approx(spreads[name], rel=0.05)
    assert part["uniform"].min() >= -1
    assert part["uniform"].max() <= 3
    assert part["triangular"].min() >= 0
    assert part["triangular"].max() <= 4
    words = part["discrete"]
    assert set(words) == {"a", "c"}
    assert words.count("c") / COUNT == pytest.approx(0.75, abs=0.02)


def test_correlations_are_those_of_the_normals() -> None:
    normal = {"normal": [0, 1]}
    sample = {"a": normal, "b": {"normal": [5, 3]}, "c": normal, "d": {"uniform": [0, 1]}}
    draws = sampled(sample, correlations=[["a", "b", -0.8], ["a", "d", 0.5]])
    part = draws.part(0, COUNT)
    found = np.corrcoef([part[name] for name in "abcd"])
    assert found[0, 1] == pytest.approx(-0.8, abs=0.02)
    assert found[0, 2] == pytest.approx(0, abs=0.04)
    assert found[0, 3] == pytest.approx(0.49, abs=0.03)
    assert 0 <= part["d"].min() < part["d"].max() <= 1
    np.testing.assert_array_equal(draws.part(7, 9)["b"], part["b"][7:9])


def test_a_grid_counts_with_the_last_digit_first() -> None:
    grid = draws_of({"grid": {"x": [1, 2], "y": [True, None], "z": [0.5]}})
    assert isinstance(grid, Grid)
    assert grid.count == 4
    part = grid.part(1, 4)
    assert part["x"].tolist() == [1, 2, 2]
    assert part["y"] == [None, True, None]
    assert part["z"].tolist() == [0.5] * 3


def test_a_list_may_name_other_inputs_in_each_row() -> None:
    listed = draws_of({"scenarios": [{"x": 1}, {"y": "a", "x": 2}, {}]})
    assert isinstance(listed, Listed)
    assert listed.part(0, 3) == {"x": [1, 2, OWN], "y": [OWN, "a", OWN]}
    assert listed.part(0, 2)["x"].tolist() == [1, 2]


def test_a_table() -> None:
    table = Table({"x": np.arange(4.0), "y": ["a", OWN, 1.0, 2.0]})
    assert table.count == 4
    assert table.part(2, 4)["y"].tolist() == [1, 2]
    assert table.part(0, 2)["y"] == ["a", OWN]
