"""Cells that each add to the one before are one call of the tape, with the results that the script gives cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laned import Lanes
from tests.unit.compiler.making import Cells

from sheetrun.runtime.values import Scalar

LAST = 12
STEPS: Cells = {f"F{n}": (-1.0) ** n * n / 3 for n in range(1, LAST + 1)}
#: For each name the formulas of B2:B12, whose steps are in C or the same for all.
CHAINS = {
    "a sum": "=B1+C2",
    "the step first": "=C2+B1",
    "a difference": "=B1-C2",
    "growth": "=B1*(1+A$1/100)",
    "a step that does not vary": "=B1+F2",
    "the same step": "=B1+$A$1",
}


def lanes_of(formula: str, first: Sequence[Scalar], **cells: Scalar) -> Lanes:
    book: Cells = {"A1": 2.0, **STEPS, f"C1:C{LAST}": "=$A$1*F1", "B1": "=A1", f"B2:B{LAST}": formula, **cells}
    return Lanes(book, [f"B{n}" for n in range(1, LAST + 1)], first)


@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_one_call(name: str, lanes: int) -> None:
    book = lanes_of(CHAINS[name], [2.0] * lanes)
    joined = len(book.replay) - len(book.replay._parts)
    assert joined == LAST - 2, "B2:B12 as one"
    assert book.replay.taped == len(book.replay)
    for values in ([5.0, -0.125, 1e6], [0.1, 0.7, -3.0], [0.0, 1e-300, 1e300]):
        book.again(*values[:lanes])


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_row(lanes: int) -> None:
    steps = {f"{column}5": float(n) for n, column in enumerate("CDEFGH")}
    cells: Cells = {"A1": 2.0, **steps, "B6": "=A1", "C6:H6": "=B6+C5"}
    book = Lanes(cells, ["H6"], [2.0] * lanes)
    assert len(book.replay) - len(book.replay._parts) == 5
    assert list(book.again(*[4.0] * lanes).values()) == [[19.0] * lanes]


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("formula", ["=B1+C2", "=C2+B1", "=B1-C2"])
def test_noise_on_the_way_is_made_0(formula: str, lanes: int) -> None:
    """91.60000000000014 less 91.6 stays, 23.0372 and what cancels it but for noise does not (see ``noise``)."""
    steps = {"C2": 0.1, "C3": 0.2, "C4": -0.3, "C5": 1e-3, "C6": 5.0}
    cells: Cells = {"A1": 2.0, "B1": "=A1", **steps, "B2:B6": formula}
    book = Lanes(cells, [f"B{n}" for n in range(1, 7)], [2.0] * lanes)
    for value in (0.0, 0.3, -0.1, 1e15):
        book.again(*[value] * lanes)


def test_a_chain_that_overflows_leaves_the_tape() -> None:
    book = lanes_of("=B1*(1+A$1)", [2.0, 3.0])
    assert book.replay.taped == len(book.replay)
    book.again(1.0, 1e60)
    assert book.replay.taped == len(book.replay) - (LAST - 1), "B2:B12"
    book.again(2.0, 3.0)


@pytest.mark.parametrize(
    ("formula", "cells"),
    [
        ("=B1+C2", {"B7": 4.0}),  # a constant between
        ("=B1+C2", {"C7": "word"}),
        ("=B1+B$1", {}),  # a step that is the cell before, once
        ("=B1+SUM(B$1:B1)", {}),
    ],
)
def test_what_is_no_chain_throughout(formula: str, cells: dict[str, Scalar]) -> None:
    for lanes in (1, 2):
        book = lanes_of(formula, [2.0] * lanes, **cells)
        book.again(*[7.0] * lanes)
        book.again(*[-0.25] * lanes)


def test_a_step_that_is_a_cell_of_the_chain() -> None:
    cells: Cells = {"A1": 2.0, "B1": "=A1", "B2": "=A1", "B3:B12": "=B2+B1"}
    book = Lanes(cells, ["B12"], [2.0, 3.0])
    assert len(book.replay._parts) == len(book.replay)
    assert list(book.again(1.0, 2.0).values()) == [[144.0, 288.0]]


@given(st.sampled_from(sorted(CHAINS)), st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=2))
def test_any_numbers(name: str, values: list[float]) -> None:
    lanes_of(CHAINS[name], [2.0, 2.0]).again(*values)
    lanes_of(CHAINS[name], [2.0]).again(values[0])
