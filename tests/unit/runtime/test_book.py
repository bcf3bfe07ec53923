"""How a book computes steps: in order, on demand, through long chains and cycles, and past failures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from calls import book_of

from sheetrun.runtime.book import Book
from sheetrun.runtime.errors import NA, VALUE, Raised, Unsupported
from sheetrun.runtime.failures import describe
from sheetrun.runtime.sheet import Area, Sheet
from sheetrun.runtime.steps import solve, step
from sheetrun.runtime.values import encode


def cached(book: Book, **cells: Any) -> Book:
    """Gives each sheet what Excel stored in some cells (A1="x" …), on the first sheet."""
    book.cached = [[] for _ in book.sheets]
    for address, value in cells.items():
        span = book.sheets[0].ref[address].span
        num, tag = encode(float(value) if isinstance(value, int) else value)
        book.cached[0].append(Area(span.top, span.left, np.full((1, 1), num), np.full((1, 1), tag, np.int32)))
    return book


def test_steps_run_in_order_and_read_each_other() -> None:
    book = book_of(S=[[2]])
    seen = []

    @step("S!B1")
    def double(book: Book) -> None:
        book["S"]["B1"] = book["S"].n["A1"] * 2

    @step("S!C1:C2", needs=["double"])
    def both(book: Book) -> None:
        book["S"]["C1:C2"] = np.full((2, 1), book["S"].n["B1"] + 1)

    book.run([double, both], lambda done, of, name: seen.append((done, of, name)))
    assert book["S"]["B1:C2"].to_rows() == [[4.0, 5.0], [None, 5.0]]
    assert seen == [(1, 2, "double"), (2, 2, "both")]
    assert not book.failures


def test_a_step_out_of_turn_runs_with_what_it_needs() -> None:
    book = book_of(S=[[1]])

    @step("S!D1")
    def early(book: Book) -> None:
        book["S"]["D1"] = book["S"].ref["A1"].moved(0, 2, 1, 1).cell()

    @step("S!B1")
    def middle(book: Book) -> None:
        book["S"]["B1"] = book["S"].n["A1"] + 1

    @step("S!C1", needs=["middle"])
    def late(book: Book) -> None:
        book["S"]["C1"] = book["S"].n["B1"] + 1

    book.run([early, middle, late])
    assert book["S"]["A1:D1"].to_rows() == [[1.0, 2.0, 3.0, 3.0]]
    assert not book.failures


def solved(book: Book, address: str, formula: Any) -> None:
    @solve(f"S!{address}")
    def cells(book: Book) -> None:
        book["S"].define(address, lambda row, col: formula(book.live("S"), row, col))

    book.run([cells])


def test_cells_are_solved_in_whatever_order_they_need() -> None:
    book = book_of(S=[[1]])
    solved(book, "B1:B9", lambda s, row, col: s.number(row + 1, 2) + 1.0 if row < 9 else 100.0)
    assert book["S"].n["B1:B9"].ravel().tolist() == [108.0, 107.0, 106.0, 105.0, 104.0, 103.0, 102.0, 101.0, 100.0]


def test_a_chain_longer_than_the_stack() -> None:
    book = book_of(S=[[1]])
    solved(book, "A1:A20000", lambda s, row, col: s.number(row + 1, 1) + 1.0 if row < 20_000 else 1.0)
    assert book["S"]["A1"] == 20_000.0
    assert not book.failures


def test_a_formula_that_raises_an_error_has_it_as_its_value() -> None:
    book = book_of(S=[[1]])

    def formula(s: Sheet, row: int, col: int) -> Any:
        if row == 1:
            raise Raised(VALUE)
        return NA

    solved(book, "B1:B2", formula)
    assert book["S"]["B1:B2"].to_rows() == [[VALUE], [NA]]


def test_a_cycle_keeps_what_excel_stored() -> None:
    book = cached(book_of(S=[[1]]), B1=5, C1=7)
    solved(book, "B1:C1", lambda s, row, col: s.number(1, 5 - col) + 1.0)
    assert book["S"]["B1:C1"].to_rows() == [[5.0, 7.0]]
    assert {f.code for f in book.failures} == {"circular_reference"}
    assert set(book.circular) == {(0, 1, 2), (0, 1, 3)}


def test_iterative_calculation_goes_on_until_it_settles() -> None:
    book = cached(book_of(S=[[1]]), B1=0)
    book.iteration.on = True
    book.iteration.delta = 1e-12
    solved(book, "B1", lambda s, row, col: s.number(1, 2) / 2.0 + 1.0)
    assert book["S"]["B1"] == pytest.approx(2.0, abs=1e-11)
    assert book.circular == [(0, 1, 2)]
    assert not book.failures


def test_a_cycle_that_has_settled_stays_as_it_is_until_something_changes() -> None:
    book = cached(book_of(S=[[1]]), B1=1.9995)
    book.iteration.on = True
    solved(book, "B1", lambda s, row, col: s.number(1, 2) / 2.0 + 1.0)
    assert book["S"]["B1"] == 1.9995
    book = cached(book_of(S=[[1]]), B1=1.9995)
    book.iteration.on = True
    book.override(0, 1, 1, 2.0)
    solved(book, "B1", lambda s, row, col: s.number(1, 2) / 2.0 + s.number(1, 1) / 2.0)
    assert book["S"]["B1"] == 1.9995 / 2.0 + 1.0


def test_iterative_calculation_stops_after_its_rounds() -> None:
    book = cached(book_of(S=[[1]]), B1=10)
    book.iteration.on = True
    book.iteration.count = 7
    solved(book, "B1", lambda s, row, col: s.number(1, 2) + 1.0)
    assert book["S"]["B1"] == 17.0


def test_what_fails_keeps_its_cached_value_and_the_rest_goes_on() -> None:
    book = cached(book_of(S=[[1]]), B1="stored", B2=3)

    @step("S!B1", "S!B2", "S!B3", "S!B4")
    def mixed(book: Book) -> None:
        s = book["S"]
        s["B1"] = refuse()
        s["B2"] = 1 / 0
        s["B3"] = fail()
        s["B4"] = s.n["A1"] + 41

    book.run([mixed])
    assert book["S"]["B1:B4"].to_rows() == [["stored"], [3.0], [VALUE], [42.0]]
    assert [(f.sheet, f.span.top, f.code) for f in book.failures] == [
        ("S", 1, "external_link"),
        ("S", 2, "internal_error"),
    ]
    assert book.failures[0].detail == "another workbook"


def refuse() -> Any:
    raise Unsupported("external_link", "another workbook")


def fail() -> Any:
    raise Raised(VALUE)


def test_cells_that_no_step_stores_say_so() -> None:
    book = cached(book_of(S=[[1]]), B1=8)

    @step("S!B1:B2")
    def forgetful(book: Book) -> None:
        book["S"]["B2"] = 1

    book.run([forgetful])
    assert book["S"]["B1:B2"].to_rows() == [[8.0], [1.0]]
    assert [f.code for f in book.failures] == ["not_computed"]


def test_the_callers_values_stand_above_formulas() -> None:
    book = cached(book_of(S=[[1, None, None]]), B1=5, C1=6)
    book.override(0, 1, 1, 10.0)
    book.override(0, 1, 2, "mine")
    book.override(0, 1, 3, 7.0)
    book.override(0, 9, 9, True)

    @step("S!B1", "S!C1", "S!D1")
    def formulas(book: Book) -> None:
        s = book["S"]
        s["B1"] = s.n["A1"] + 1
        s["C1"] = refuse()
        s["D1"] = s.n["A1"] + s.n["C1"]

    book.run([formulas])
    assert book["S"]["A1:D1"].to_rows() == [[10.0, "mine", 7.0, 17.0]]
    assert book["S"]["I9"] is True


def test_steps_can_run_again() -> None:
    book = book_of(S=[[1]])

    @step("S!B1")
    def double(book: Book) -> None:
        book["S"]["B1"] = book["S"].n["A1"] * 2

    book.run([double])
    book["S"]["A1"] = 4
    book.again(["double"])
    assert book["S"]["B1"] == 8.0


def test_array_formulas_and_spills_on_demand() -> None:
    book = book_of(S=[[1]])

    @solve("S!B1:C2", "S!E1", "S!H1")
    def arrays(book: Book) -> None:
        s = book["S"]
        s.define_array("B1:C2", lambda: np.array([[1.0], [2.0]]))
        s.define_spill("E1", lambda: book.live("S")["B1:B2"])
        s.define("H1", lambda row, col: book.live("S")["E2"])

    book.run([arrays])
    assert book["S"]["B1:C2"].to_rows() == [[1.0, 1.0], [2.0, 2.0]]
    assert book["S"]["E1:E2"].to_rows() == [[1.0], [2.0]]
    assert book["S"]["H1"] == 2.0


def test_chance_has_a_seed() -> None:
    assert [Book(seed=4).random() for _ in range(2)] == [Book(seed=4).random() for _ in range(2)]
    assert Book(seed=4).random() != Book(seed=5).random()


def test_texts_of_a_new_sheet_get_their_numbers() -> None:
    book = Book()
    tag = np.array([[encode("12%")[1]]], np.int32)
    sheet = book.add_sheet("S", [Area(1, 1, np.zeros((1, 1)), tag)])
    assert sheet.n["A1"] == 0.12
    assert sheet["A1"] == "12%"


def test_reasons() -> None:
    assert describe(Unsupported("a", "b")) == ("a", "b")
    assert describe(MemoryError())[0] == "out_of_memory"
    assert describe(KeyError("x"))[0] == "internal_error"
