"""Writes the workbooks: ``python -m tests.bench.books [NAME…]`` makes what is missing.

They are the same on every machine. The stored values are zeros, so nobody can answer from them.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from .catalogue import BOOKS, CACHE
from .finance import finance
from .inputs import PARAMETERS, chain_inputs, wave
from .scattered import scattered

#: The columns C to L of a chain.
CHAIN: Final = (
    "=A{r}*Params!$B$1+B{r}",
    "=C{r}+Params!$B$2",
    "=C{r}*D{r}-Params!$B$3",
    "=(D{r}+E{r})/Params!$B$4",
    "=F{r}*2-E{r}/3+Params!$B$10",
    "=IF(G{r}>Params!$B$5,G{r},F{r})",
    "=H{r}*Params!$B$6+G{r}*Params!$B$7",
    "=ROUND(I{r},4)",
    "=MAX(J{r},C{r},D{r})-MIN(E{r},F{r})",
    "=K{r}/(Params!$B$9+ABS(J{r}))+C{r}",
)
RUNNING: Final = (
    "=C{p}+B{r}",
    "=D{p}*Params!$B$6+B{r}*(1-Params!$B$6)",
    "=IF(B{r}>E{p},B{r},E{p}*0.99)",
    "=F{p}*(1+0.001)+B{r}-MIN(F{p},D{r})",
)


@contextmanager
def workbook(path: Path, *, in_order: bool = True) -> Iterator[Any]:
    """An XlsxWriter workbook. ``in_order``: cells are written row by row, so no sheet is held in memory."""
    book = xlsxwriter.Workbook(path, {"constant_memory": in_order})
    yield book
    book.close()


def chain(path: Path, rows: int) -> None:
    """Ten formulas a row that need the row and ten parameters."""
    with workbook(path) as book:
        _parameters(book)
        sheet = book.add_worksheet("Model")
        sheet.write_row(0, 0, ["a", "b", *(f"f{i}" for i in range(len(CHAIN)))])
        for row, (a, b) in enumerate(zip(*chain_inputs(rows), strict=True), 1):
            sheet.write_row(row, 0, [a, b, *(formula.format(r=row + 1) for formula in CHAIN)])


def running(path: Path, rows: int) -> None:
    """Totals, smoothing, decaying peaks and balances: four recurrences down the sheet."""
    with workbook(path) as book:
        _parameters(book)
        sheet = book.add_worksheet("Model")
        sheet.write_row(0, 0, ["t", "x", "total", "smooth", "peak", "balance"])
        for row in range(rows):
            formulas = [formula.format(r=row + 2, p=row + 1) for formula in RUNNING] if row else ["=B2"] * 4
            sheet.write_row(row + 1, 0, [row, wave(row), *formulas])


def expand(path: Path, rows: int) -> None:
    """A running total as a range that grows: quadratic for whoever reads each range anew."""
    with workbook(path) as book:
        sheet = book.add_worksheet("Model")
        sheet.write_row(0, 0, ["t", "x", "total"])
        for row in range(rows):
            sheet.write_row(row + 1, 0, [row, wave(row), f"=SUM($B$2:B{row + 2})"])


def lookup(path: Path, rows: int, table: int) -> None:
    """Four lookups a row: by number, by text, by number again, and the nearest below."""
    chance = random.Random(1)
    last = table + 1
    with workbook(path) as book:
        sheet = book.add_worksheet("Table")
        sheet.write_row(0, 0, ["key", "name", "price", "stock"])
        for i in range(table):
            key = i * 3 + 1
            sheet.write_row(i + 1, 0, [key, f"item-{key:06d}", ((i * 7919) % 10007) / 100, i % 500])
        sheet = book.add_worksheet("Model")
        sheet.write_row(0, 0, ["key", "name", "near", "vlookup", "by name", "by key", "nearest"])
        for row in range(2, rows + 2):
            key, name = (chance.randrange(table) * 3 + 1 for _ in range(2))
            cells = [
                key,
                f"item-{name:06d}",
                chance.randrange(1, table * 3),
                f"=VLOOKUP(A{row},Table!$A$2:$D${last},3,FALSE)",
                f"=INDEX(Table!$C$2:$C${last},MATCH(B{row},Table!$B$2:$B${last},0))",
                f"=INDEX(Table!$D$2:$D${last},MATCH(A{row},Table!$A$2:$A${last},0))",
                f"=VLOOKUP(C{row},Table!$A$2:$D${last},3,TRUE)",
            ]
            sheet.write_row(row - 1, 0, cells)


def aggregate(path: Path, rows: int, data: int) -> None:
    """Sums and counts by criteria: every row asks the whole table."""
    chance = random.Random(2)
    last = data + 1
    with workbook(path) as book:
        sheet = book.add_worksheet("Data")
        sheet.write_row(0, 0, ["region", "product", "qty", "amount"])
        for row in range(data):
            region, product, quantity = chance.randrange(50), chance.randrange(100), chance.randrange(1, 100)
            sheet.write_row(row + 1, 0, [f"R{region}", f"P{product}", quantity, round(chance.random() * 1000, 2)])
        sheet = book.add_worksheet("Model")
        sheet.write_row(0, 0, ["region", "product", "sumifs", "countifs"])
        for i in range(rows):
            row = i + 2
            cells = [
                f"R{i % 50}",
                f"P{(i // 50) % 100}",
                f"=SUMIFS(Data!$D$2:$D${last},Data!$A$2:$A${last},A{row},Data!$B$2:$B${last},B{row})",
                f'=COUNTIFS(Data!$A$2:$A${last},A{row},Data!$C$2:$C${last},">50")',
            ]
            sheet.write_row(i + 1, 0, cells)


def _parameters(book: Any) -> None:
    sheet = book.add_worksheet("Params")
    for row, value in enumerate(PARAMETERS):
        sheet.write_row(row, 0, [f"p{row + 1}", value])


MAKERS: Final[dict[str, Callable[[Path], None]]] = {
    "chain_10k": partial(chain, rows=1_000),
    "chain_100k": partial(chain, rows=10_000),
    "chain_1m": partial(chain, rows=100_000),
    "running_100k": partial(running, rows=25_000),
    "expand_20k": partial(expand, rows=20_000),
    "lookup_nox_50k": partial(lookup, rows=12_500, table=20_000),
    "agg_5k": partial(aggregate, rows=2_500, data=50_000),
    "finance": finance,
    "scattered_5k": partial(scattered, count=5_000),
    "scattered_50k": partial(scattered, count=50_000),
    "small_200": partial(chain, rows=20),
}


def make(names: list[str]) -> None:
    """Writes those that are not there; a name appears when its file is whole."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = BOOKS[name].path
        if not path.exists():
            print(f"bench: writing {path.name}", flush=True)
            half = path.with_suffix(".part")
            MAKERS[name](half)
            half.rename(path)


if __name__ == "__main__":
    make(sys.argv[1:] or list(BOOKS))
