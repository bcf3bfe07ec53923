"""Every function gives the same as a filled block, in single cells, and computed on demand, whatever its arguments."""

from __future__ import annotations

import random
from typing import Final
from unittest import mock

import pytest

from sheetrun.compiler import script as writer
from sheetrun.formula.a1 import range_name
from sheetrun.workbook.model import Block, Kind, Rect, Workbook
from tests.unit.compiler.making import run
from tests.unit.compiler.test_equivalence import by_demand, in_cells, same

from .books import book_of
from .formulas import FUNCTIONS, Grammar

_ROWS: Final = 5
_AT_ONCE: Final = 40
_TOP, _LEFT = 100, 40  #: right of all that whole columns of the grammar reach


def filled(calls: list[str]) -> Workbook:
    """Each call filled down a column of its own."""
    workbook = book_of([])
    for i, text in enumerate(calls):
        rect = Rect(_TOP, _LEFT + 2 * i, _TOP + _ROWS - 1, _LEFT + 2 * i)
        workbook.sheets[0].blocks.append(Block(rect, text, Kind.NORMAL))
    return workbook


def calls_of(seed: str) -> list[str]:
    grammar = Grammar(random.Random(seed))
    chosen = [e for e in FUNCTIONS if not e.volatile and e.category != "outside"]
    made = [grammar.call(entry, 1) for entry in chosen]
    return [text for text in made if "XFD1048576" not in text]  # filled down it would wrap, which is refused


@pytest.mark.parametrize("seed", ["one", "two"])
def test_a_block_is_its_cells(seed: str) -> None:
    calls = calls_of(seed)
    assert len(calls) > 450
    for start in range(0, len(calls), _AT_ONCE):
        part = calls[start : start + _AT_ONCE]
        whole = run(filled(part)).cells()
        single = run(in_cells(filled(part))).cells()
        with mock.patch.object(writer, "schedule", by_demand):
            demanded = run(filled(part)).cells()
        for i, text in enumerate(part):
            for row in range(_TOP, _TOP + _ROWS):
                key = "F!" + range_name(row, _LEFT + 2 * i, row, _LEFT + 2 * i)
                found = whole.get(key), single.get(key), demanded.get(key)
                assert all(same(found[0], other) for other in found[1:]), (seed, text, row, found)
