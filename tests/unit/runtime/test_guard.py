"""A statement that cannot be computed does not stop the others, also where it stands for a list of cells."""

from __future__ import annotations

import linecache
from typing import Any

from calls import book_of

SCRIPT = """
from sheetrun.runtime.api import step, together

def picky(number):
    if number == 2.0:
        raise RuntimeError("two")
    return number * 2.0

@step('S!B1 B2 B3', 'S!C1')
def s_b1(book):
    s = book['S']
    for cell, ref1 in together('B1 B2 B3', 'A1 A2 A3'):
        s[cell] = picky(s.n[ref1])
    s['C1'] = s.n['B1'] + s.n['B3']
"""


def test_one_cell_of_a_list_that_cannot_be_computed() -> None:
    name = "<guard>"
    linecache.cache[name] = (len(SCRIPT), None, SCRIPT.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"__name__": "model"}
    exec(compile(SCRIPT, name, "exec"), namespace)
    book = book_of(S=[[1, 10, 0], [2, 20, None], [3, 30, None]])
    book.run([namespace["s_b1"]])
    assert [book["S"].cell(row, 2) for row in (1, 2, 3)] == [2.0, None, 6.0]
    assert book["S"].cell(1, 3) == 8.0
    (failure,) = book.failures
    assert (failure.sheet, failure.span) == ("S", (2, 2, 2, 2))
