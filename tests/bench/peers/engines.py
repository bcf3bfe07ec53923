"""A peer computes one workbook, in a process of its own with its own packages. It prints one JSON object.

``python engines.py ENGINE run FILE CELL…``                          the cells, after load and calculation
``python engines.py ENGINE sweep FILE SECONDS INPUT LOW HIGH CELL…`` recalculations a second, the last one's cells
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

Cell = tuple[str, int, int]  #: sheet, row, column, from 1


class Engine(Protocol):
    """Opened with a path, calculated."""

    def set(self, cell: Cell, value: float) -> None: ...

    def calculate(self) -> None: ...

    def get(self, cell: Cell) -> Any: ...


class Formualizer:
    def __init__(self, path: str) -> None:
        import formualizer

        self._book = formualizer.load_workbook(path)
        self.calculate()

    def set(self, cell: Cell, value: float) -> None:
        self._book.set_value(*cell, value)

    def calculate(self) -> None:
        self._book.evaluate_all()

    def get(self, cell: Cell) -> Any:
        return self._book.get_value(*cell)


class IronCalc:
    def __init__(self, path: str) -> None:
        import ironcalc

        self._book = ironcalc.load_from_xlsx(path, "en", "UTC", "en")
        self._sheets = {sheet["name"]: i for i, sheet in enumerate(self._book.get_worksheets_properties())}
        self.calculate()

    def set(self, cell: Cell, value: float) -> None:
        sheet, row, column = cell
        self._book.update_cell_with_number(self._sheets[sheet], row, column, value)

    def calculate(self) -> None:
        self._book.evaluate()

    def get(self, cell: Cell) -> Any:
        sheet, row, column = cell
        return self._book.get_cell_value(self._sheets[sheet], row, column)


class Pycel:
    """It computes what is asked for, when it is asked for."""

    def __init__(self, path: str) -> None:
        import pycel

        sys.setrecursionlimit(100_000)
        self._book = pycel.ExcelCompiler(path)
        self._computed = False

    def set(self, cell: Cell, value: float) -> None:
        self._book.set_value(_address(cell), value)

    def calculate(self) -> None:
        self._computed = False

    def get(self, cell: Cell) -> Any:
        self._book.evaluate(_address(cell))  # the stored value, and the graph below it
        if not self._computed:
            self._book.recalculate()
            self._computed = True
        return self._book.evaluate(_address(cell))


class Formulas:
    """Its inputs are given to a compiled function, so it is only measured for whole workbooks."""

    def __init__(self, path: str) -> None:
        import formulas

        self._solution = formulas.ExcelModel().loads(path).finish().calculate()
        self._keys = {re.sub(r"'\[[^\]]*\]([^']*)'!", r"\1!", str(key)).upper(): key for key in self._solution}

    def get(self, cell: Cell) -> Any:
        return self._solution[self._keys[_address(cell).upper()]].value[0, 0]


ENGINES: Final[dict[str, Callable[[str], Engine]]] = {
    "formualizer": Formualizer,
    "ironcalc": IronCalc,
    "pycel": Pycel,
}
READERS: Final[dict[str, Callable[[str], Engine | Formulas]]] = {**ENGINES, "formulas": Formulas}


def _cell(reference: str) -> Cell:
    sheet, _, name = reference.rpartition("!")
    letters = name.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return sheet, int(name[len(letters) :]), column


def _address(cell: Cell) -> str:
    sheet, row, column = cell
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(65 + digit) + letters
    return f"{sheet}!{letters}{row}"


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool | int | None):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def run(engine: str, path: str, references: Sequence[str]) -> dict[str, Any]:
    book = READERS[engine](path)
    return {"cells": {name: _plain(book.get(_cell(name))) for name in references}}


def sweep(
    engine: str, path: str, seconds: float, span: tuple[str, float, float], names: Sequence[str]
) -> dict[str, Any]:
    """Sets the input, calculates, reads every output, until the seconds are over; the last round is at ``high``."""
    book = ENGINES[engine](path)
    target, outputs = _cell(span[0]), [_cell(name) for name in names]

    def once(value: float) -> list[Any]:
        book.set(target, value)
        book.calculate()
        return [book.get(cell) for cell in outputs]

    low, high = span[1:]
    once((low + high) / 2)
    count, wall, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        once(low + (high - low) * (count % 100) / 100)
        count += 1
    spent = time.process_time() - cpu
    return {"count": count, "cpu": spent, "cells": dict(zip(names, map(_plain, once(high)), strict=True))}


def main(arguments: Sequence[str]) -> None:
    engine, task, path, *rest = arguments
    if task == "run":
        found = run(engine, path, rest)
    else:
        seconds, target, low, high, *outputs = rest
        found = sweep(engine, path, float(seconds), (target, float(low), float(high)), outputs)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
