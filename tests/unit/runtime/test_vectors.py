"""A function gives each cell of an array the bits that it gives the cell alone."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

import sheetrun.runtime.functions  # noqa: F401 - registers all functions
from sheetrun.runtime.registry import Entry, entries
from sheetrun.runtime.values import Arr

POOLS: list[Callable[[random.Random], float]] = [
    lambda chance: chance.uniform(-5.0, 5.0),
    lambda chance: chance.uniform(0.0, 1.0),
    lambda chance: float(chance.randint(-3, 60)),
    lambda chance: chance.uniform(-1e5, 1e5),
    lambda chance: chance.choice([0.0, 1.0, 0.1, 0.05, -1.0, 2.5, 1e-9, 40000.5]),
]


@pytest.mark.parametrize("entry", [e for e in entries() if e.vector is not None], ids=lambda e: e.name)
def test_an_array_as_its_cells(entry: Entry) -> None:
    chance = random.Random(entry.name)
    for pool in POOLS:
        columns = [[pool(chance) for _ in range(100)] for _ in entry.parameters]
        with np.errstate(all="ignore"):
            together = Arr.of(entry.call(*(np.array(column)[:, None] for column in columns)))
            each = [Arr.of(entry.call(*row)).cell(0, 0) for row in zip(*columns, strict=True)]
        for row, one, found in zip(zip(*columns, strict=True), each, together, strict=True):
            assert found == one, row
