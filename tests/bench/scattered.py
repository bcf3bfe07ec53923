"""A workbook with no pattern to exploit: every formula differs, and needs cells from anywhere before it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell as a1

ROWS: Final = 200  #: of the input sheet
COLUMNS: Final = 20  #: of the input sheet; the last one holds texts
WIDTH: Final = 200  #: columns of formulas


class _Author:
    """Thinks of formulas, each from inputs and cells that are already there."""

    def __init__(self) -> None:
        self.chance = random.Random(3)
        self.done: list[tuple[int, int]] = []
        self._forms = (
            lambda: f"{self.cell()}+{self.cell()}",
            lambda: f"{self.cell()}-{self.cell()}*{round(self.chance.random(), 2)}",
            lambda: f"({self.cell()}+{self.cell()})/(1+ABS({self.cell()}))",
            lambda: f"IF({self.cell()}>{self.cell()},{self.cell()},{self.cell()})",
            lambda: f"MAX({self.cell()},{self.cell()},{self.chance.randrange(10)})",
            lambda: f"MIN({self.cell()},{self.cell()})",
            lambda: f"SUM({self.area()})+{self.cell()}",
            lambda: f"AVERAGE({self.area()})-{self.cell()}",
            lambda: f"ROUND({self.cell()},2)",
            lambda: f"SQRT(ABS({self.cell()}))",
            lambda: f"INT({self.cell()})",
            lambda: f"LEN({self.text()})+{self.cell()}",
            lambda: f"IF(AND({self.cell()}>0,{self.cell()}<10),{self.cell()},-{self.cell()})",
            lambda: f"MOD(INT({self.cell()}),7)",
            lambda: f'COUNTIF({self.area()},">0")',
            lambda: f'IF(LEFT({self.text()},1)="a",{self.cell()},0)',
            lambda: f"SUMPRODUCT({self.area()})*0.01",
            lambda: f"SIN({self.cell()})*10",
        )

    def formula(self) -> str:
        return "=" + self.chance.choice(self._forms)()

    def cell(self) -> str:
        if not self.done or self.chance.random() < 0.35:
            return f"In!{a1(self.chance.randrange(ROWS), self.chance.randrange(COLUMNS - 1))}"
        return str(a1(*self.chance.choice(self.done)))

    def area(self) -> str:
        row, column = self.chance.randrange(ROWS - 10), self.chance.randrange(COLUMNS - 4)
        end = a1(row + self.chance.randrange(1, 10), column + self.chance.randrange(3))
        return f"In!{a1(row, column)}:{end}"

    def text(self) -> str:
        return f"In!{a1(self.chance.randrange(ROWS), COLUMNS - 1)}"

    def inputs(self) -> list[list[float | str]]:
        return [
            [*(round(self.chance.uniform(-50, 50), 3) for _ in range(COLUMNS - 1)), self._word()] for _ in range(ROWS)
        ]

    def _word(self) -> str:
        return "".join(self.chance.choice("abcdefgh") for _ in range(self.chance.randrange(3, 9)))


def scattered(path: Path, count: int) -> None:
    """``count`` formulas fill a rectangle in a shuffled order of dependence."""
    author = _Author()
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("In")
    for row, values in enumerate(author.inputs()):
        sheet.write_row(row, 0, values)
    sheet = book.add_worksheet("Model")
    places = [divmod(i, WIDTH) for i in range(count)]
    author.chance.shuffle(places)
    for place in places:
        sheet.write_formula(*place, author.formula())
        author.done.append(place)
    book.close()
