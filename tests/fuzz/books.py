"""Workbooks full of random formulas, and what a run of one may give: values, errors of Excel, typed reasons."""

from __future__ import annotations

import random
import signal
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import numpy as np

from sheetrun.compiler.script import compile_workbook
from sheetrun.formula.a1 import cell_name, range_name
from sheetrun.runtime.cells import ERROR_CODES, NUMBER, TEXT, unbox
from sheetrun.runtime.payload import RunOutput
from sheetrun.service.local import _in_process
from sheetrun.service.proof import check_fits
from sheetrun.service.rundata import run_input
from sheetrun.workbook.model import Rect, Settings, Table, Workbook
from tests.unit.compiler.making import workbook_of

from .formulas import Grammar

#: Cells of every kind: numbers, dates, texts, logicals, errors, gaps.
_COLUMNS: Final[dict[str, list[Any]]] = {
    "A": [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233],
    "B": [-5.5, 0.1, 2.25, 1e-17, 1e15, -3, 0, 7, 2.675, 1e300, 100, 0.05],
    "C": [45000, 45031.5, 60, 61, 1, 2958465, 366, 44197, 44228, 44256, 44287, 0.75],
    "D": ["apple", "Banana", "", "12", "a*b", "x?y", "éa", "😀", "1/2/2024", "TRUE", "=1", "A1"],
    "E": [True, False, None, 3, "z", True, None, None, 0, "", False, 9],
    "F": [1, {"error": "#N/A"}, 2, {"error": "#DIV/0!"}, "t", {"error": "#VALUE!"}, 4, None, 5, 6, 7, 8],
    "G": [10, 20, 30, None, None, 60, "70", 80, 90, 100, 110, 120],
    "H": [None] * 12,
}
_TABLE: Final = Table("T", 0, Rect(49, 25, 54, 27), ("n", "s", "l"), 1, 1)
_NAMES: Final = {
    "Rate": "0.05",
    "Column": "Data!$B$1:$B$5",
    "Moving": "Data!A1",
    "Doubled": "LAMBDA(x,x*2)",
    "Corner": "OFFSET(Data!$A$1,1,1,2,2)",
    "Text": '"12"&"3"',
}
SECONDS: Final = 60  #: no workbook may take longer
#: Characters of a text in a cell.
LONGEST: Final = 32767


class Hang(BaseException):
    """A batch takes too long."""


@contextmanager
def deadline(seconds: int) -> Iterator[None]:
    """Raises Hang in what takes more time of the processor (on the main thread of a process)."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def batch(seed: str, count: int) -> list[str]:
    """The formulas of a batch, each with the mark of how it is entered (see ``making.Cells``)."""
    chance = random.Random(seed)
    grammar = Grammar(chance)
    made = []
    for _ in range(count):
        text = grammar.formula()
        mark = chance.choice(("=", "=", "fill=", "{=", "#=", "#=", "#="))
        made.append(mark + text + ("}" if mark == "{=" else ""))
    return made


def book_of(formulas: Sequence[str], date1904: bool = False) -> Workbook:
    """Formulas on a sheet of their own, beside cells and names of every kind for them to read."""
    cells: dict[str, Any] = {f"{letter}{i + 1}": v for letter, rows in _COLUMNS.items() for i, v in enumerate(rows)}
    cells |= {"Z50": "n", "AA50": "s", "AB50": "l", "J1:K2": "#=SEQUENCE(2,2)"}
    for row in range(51, 55):
        cells |= {f"Z{row}": row - 50, f"AA{row}": f"s{row}", f"AB{row}": row % 2 == 0}
    for i, text in enumerate(formulas):
        row, col = 100 + 5 * (i // 8), 4 * (i % 8)
        if text.startswith("fill="):
            cells[range_name(row, col, row + 2, col + 1)] = text.removeprefix("fill")
        elif text.startswith("{="):
            cells[range_name(row, col, row + 1, col + 1)] = text
        else:
            cells[cell_name(row, col)] = text
    data = {f"{c}{r}": (r * 7 + len(c)) if c != "C" else f"k{r}" for c in "ABC" for r in range(1, 6)}
    data["E1:E3"] = "#=Data!A1:A3*2"
    return workbook_of(
        cells,
        data,
        {"A1": 4, "B2": "x", "A3": 5.5},
        titles=["F", "Data", "Other"],
        names=_NAMES,
        tables=[_TABLE],
        settings=Settings(date1904=date1904),
    )


def faults(formulas: Sequence[str], date1904: bool = False) -> list[str]:
    """What is wrong with a batch: nothing, or a line for each formula that breaks the rule, with how it does."""
    found = _try(formulas, date1904)
    if not found or len(formulas) == 1:
        return [f"{formulas[0]}   {fault}" for fault in found[:1]] if formulas else []
    half = len(formulas) // 2
    apart = [*faults(formulas[:half], date1904), *faults(formulas[half:], date1904)]
    return apart or [f"only together, among {len(formulas)} formulas: {found[0]}"]


def _try(formulas: Sequence[str], date1904: bool) -> list[str]:
    try:
        with deadline(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("error")
            workbook = book_of(formulas, date1904)
            script = compile_workbook(workbook)
            output = _in_process(script.text, run_input(workbook, script.text).to_bytes())
            check_fits(workbook, output)
            wrong = [f"{f.sheet}!{f.span}: {f.detail}" for f in output.failures if f.code == "internal_error"]
            return wrong + list(_not_values(output))
    except Hang:
        return [f"takes more than {SECONDS} s"]
    except Exception as error:
        return [f"{type(error).__name__}: {str(error)[:300]}"]


def _not_values(output: RunOutput) -> Iterator[str]:
    """Cells that hold what no cell of Excel can hold."""
    for area in output.sheets[0]:
        numbers = area.tag == NUMBER
        if np.isinf(area.num[numbers]).any():
            yield "an infinite number"
        for boxed in area.num[numbers & np.isnan(area.num)].tolist():
            if unbox(boxed) not in ERROR_CODES:
                yield "a NaN that is no error"
        for tag in np.unique(area.tag[area.tag >= TEXT]).tolist():
            if len(output.strings[tag - TEXT]) > LONGEST:
                yield "a text longer than a cell"
