"""What is measured: the workbooks, the cells that every engine must agree on, and the scenarios. Data alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CACHE: Final = ROOT / "build" / "bench"  #: the workbooks, and the last run's samples


@dataclass(frozen=True, slots=True)
class Book:
    """``probes``: the cells whose values are compared. ``quick``: small enough for a run of one minute."""

    name: str
    formulas: int
    what: str
    probes: tuple[str, ...]
    quick: bool = False

    @property
    def path(self) -> Path:
        return CACHE / f"{self.name}.xlsx"


@dataclass(frozen=True, slots=True)
class Sweep:
    """One input over a range of numbers, and the cells that are read for each of its values."""

    book: str
    cell: str
    low: float
    high: float
    outputs: tuple[str, ...]
    ours: int  #: scenarios that we compute in one call; peers compute as many as fit in their seconds


def _chain(name: str, rows: int, what: str, *, quick: bool = False) -> Book:
    last, middle = rows + 1, rows // 2 + 1
    probes = ("Model!C2", f"Model!G{middle}", f"Model!J{middle}", f"Model!K{last}", f"Model!L{last}")
    return Book(name, rows * 10, what, probes, quick)


def _lookup() -> tuple[str, ...]:
    return tuple(f"Model!{column}{row}" for row in (2, 6251, 12501) for column in "DEFG")


_RETURNS: Final = tuple(f"Returns!B{row}" for row in range(1, 13))

BOOKS: Final = {
    book.name: book
    for book in (
        _chain("chain_10k", 1_000, "ten columns of arithmetic filled down", quick=True),
        _chain("chain_100k", 10_000, "the same, ten times as long"),
        _chain("chain_1m", 100_000, "the same, a hundred times as long"),
        Book(
            "running_100k",
            100_000,
            "running totals and recurrences: each row needs the one above",
            ("Model!C25001", "Model!D25001", "Model!E25001", "Model!F12501", "Model!F25001"),
        ),
        Book("expand_20k", 20_000, "SUM($B$2:Bn) in row n", ("Model!C2", "Model!C10001", "Model!C20001")),
        Book("lookup_nox_50k", 50_000, "VLOOKUP and INDEX/MATCH in 20,000 rows, exact and approximate", _lookup()),
        Book(
            "agg_5k",
            5_000,
            "SUMIFS and COUNTIFS over 50,000 rows",
            ("Model!C2", "Model!D2", "Model!C1251", "Model!D1251", "Model!C2501", "Model!D2501"),
        ),
        Book(
            "finance",
            19_062,
            "a project finance model on 30 sheets: dates, texts, debt, IRR",
            (*_RETURNS, "P01!B18", "P24!BJ16", "Timeline!BJ7", "Debt!BJ6"),
            quick=True,
        ),
        Book(
            "scattered_5k", 5_000, "no pattern: every formula differs", ("Model!A1", "Model!CV13", "Model!GR25"), True
        ),
        Book("scattered_50k", 50_000, "the same, ten times as many", ("Model!A1", "Model!CV125", "Model!GR250")),
        _chain("small_200", 20, "a small sheet", quick=True),
    )
}

#: The names of the same sheet in growing sizes.
GROWTH: Final = ("chain_10k", "chain_100k", "chain_1m")

SWEEPS: Final = (
    Sweep("chain_10k", "Params!B1", 1.0, 1.2, tuple(f"Model!L{row}" for row in range(2, 1002)), 20_000),
    Sweep("finance", "Inputs!B2", 0.01, 0.04, ("Returns!B1", "Returns!B2", "Returns!B4", "Returns!B8"), 100_000),
)

#: Real workbooks of the open corpus, when it is beside the project (see tests/fidelity).
REAL: Final = {
    "DICE_2013": "anthofflab+MimiDICE2013.jl/data/DICE_2013_Excel.xlsx",
    "RICE_2010": "anthofflab+MimiRICE2010.jl/data/RICE_2010_base_000.xlsx",
    "Leontief": "EnergyInnovation+eps-canada/InputData/io-model/TLIM/Total Leontief Inverse Matrix.xlsx",
}
