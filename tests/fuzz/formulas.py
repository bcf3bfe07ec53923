"""Random formulas from a grammar of Excel's whole language: every function of the registry, every kind of operand.

A formula is a function of a ``random.Random`` alone, so a seed names it for good.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final

import sheetrun.runtime.functions  # noqa: F401 - registers all functions
from sheetrun.runtime.registry import Entry, entries
from sheetrun.runtime.signatures import LIFTED

FUNCTIONS: Final[tuple[Entry, ...]] = tuple(entries())
NUMBERS: Final = (
    *("0", "1", "2", "3", "5", "10", "12", "30", "100", "365", "1900", "2024", "45000", "0.1", "0.5", "1.5", "2.675"),
    *("1E-9", "1E-300", "1E+300", "1E+15", "9007199254740993", "2958465", "2958466", "255", "256", "32767", "1048576"),
)
TEXTS: Final = (
    *('""', '"a"', '"apple"', '"Straße"', '"😀x"', '"12"', '" 7 "', '"1e3"', '"50%"', '"$1,234.50"', '"(3)"', '"1/2"'),
    *('"2024-02-29"', '"29 Feb 2023"', '"1/1/1900"', '"13:45"', '"25:00:01"', '"a*"', '"?b"', '"~*"', '">2"', '"<>"'),
    *('"=x"', '"TRUE"', '"A1"', '"R1C1"', '"Data!A1:B3"', '"0.00"', '"#,##0;(#,##0);-"', '"yyyy-mm-dd"', '"[h]:mm:ss"'),
    *('"# ??/??"', '"0.0E+00"', '"@"', '"[>1]0;[Red]x"', '"3+4i"', '"-j"', '"i"', '"FF"', '"1010"', '"XIV"', '"m"'),
    *(
        '"ft"',
        '"(a|b)+"',
        '"[a-z"',
        '"(?<n>x)"',
        '","',
        '" "',
        '"{=1}"',
        '"T[n]"',
        '"<r><a>1</a></r>"',
        '"//a"',
        '"%41"',
    ),
)
ERRORS: Final = ("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!")
ARRAYS: Final = (
    *("{1,2,3}", "{1;2;3}", "{1,2;3,4}", '{"a","b"}', '{1,"x";TRUE,#N/A}', "{0}", "{-1,0.5;2,1E+10}", '{"";"a";"A"}'),
)
CELLS: Final = ("A1", "$B$2", "C$3", "D4", "H12", "Z99", "A5", "B7", "E1", "XFD1048576")
RANGES: Final = (
    *("A1:A12", "$A$1:$D$12", "B1:B12", "A1:H1", "C2:E4", "D1:D12", "Z50:Z60", "A:A", "1:1", "A:C", "E1:E12", "F1:F12"),
    *("Data!A1:C5", "Data!$B:$B", "Data:Other!A1", "Data:Other!A1:B3", "G1:H12", "(A1:B2,C3:D4)", "A1:C3 B2:D4"),
)
STRUCTURED: Final = (
    *("T[n]", "T[[#All],[n]]", "T[#Headers]", "T[[#Totals],[n]]", "T[[n]:[s]]", "T[#Data]", "T", "T[[#Headers],[s]]"),
)
NAMES: Final = ("Rate", "Column", "Moving", "Doubled", "Corner", "Missing", "Text")
SPILLS: Final = ("J1#", "Data!E1#", "A1#")
BINARY: Final = ("+", "-", "*", "/", "^", "&", "=", "<>", "<", "<=", ">", ">=")
#: Functions whose results can be as large as their arguments say: these stay small, or one formula fills the memory.
LARGE: Final = frozenset({"SEQUENCE", "RANDARRAY", "MAKEARRAY", "MUNIT", "EXPAND", "REPT"})
_SMALL: Final = ("0", "1", "2", "3", "7", "-1", "2.5", '"2"', "TRUE", "A1", "#N/A", "")


class Grammar:
    """Formulas from one source of chance."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._bound: list[str] = []
        self._lambdas: list[tuple[str, int]] = []

    def formula(self) -> str:
        """A formula without its ``=``."""
        self._bound, self._lambdas = [], []
        return self.expression(self.chance.choice((1, 2, 2, 3, 3, 4)))

    def call(self, entry: Entry, depth: int = 2) -> str:
        """A call of one function with a number of arguments that it can take (now and then one more)."""
        least, most = entry.arity()
        count = self.chance.randint(least, least + 4 if most is None else most)
        if self.chance.random() < 0.01:
            count += 1
        if entry.name in LARGE:
            return f"{entry.name}({','.join(self._pick(_SMALL) for _ in range(max(count, least)))})"
        return f"{entry.name}({','.join(self._argument(entry, i, depth - 1) for i in range(count))})"

    def expression(self, depth: int) -> str:
        if depth <= 0:
            return self._leaf()
        pick = self.chance.random()
        if pick < 0.58:
            return self.call(self.chance.choice(FUNCTIONS), depth)
        if pick < 0.76:
            return f"{self._operand(depth)}{self._pick(BINARY)}{self._operand(depth)}"
        if pick < 0.82:
            return self._pick(("-{}", "+{}", "{}%", "({})", "@{}", "--{}")).format(self._operand(depth))
        if pick < 0.90:
            return self._let(depth)
        if pick < 0.94:
            return f"{self._lambda(depth, count := self.chance.randint(0, 3))}({self._list(depth - 1, count)})"
        return self._leaf()

    def _operand(self, depth: int) -> str:
        inner = self.expression(depth - 1)
        return f"({inner})" if self.chance.random() < 0.5 else inner

    def _list(self, depth: int, count: int) -> str:
        return ",".join(self.expression(depth) for _ in range(count))

    def _let(self, depth: int) -> str:
        before, lambdas = len(self._bound), len(self._lambdas)
        parts = []
        for _ in range(self.chance.randint(1, 3)):
            name = f"v{len(self._bound) + len(self._lambdas)}_"
            if self.chance.random() < 0.3:
                count = self.chance.randint(0, 2)
                parts.append(f"{name},{self._lambda(depth - 1, count)}")
                self._lambdas.append((name, count))
            else:
                parts.append(f"{name},{self.expression(depth - 1)}")
                self._bound.append(name)
        text = f"LET({','.join(parts)},{self.expression(depth - 1)})"
        del self._bound[before:], self._lambdas[lambdas:]
        return text

    def _lambda(self, depth: int, count: int) -> str:
        before = len(self._bound)
        names = [f"p{before + i}_" for i in range(count)]
        self._bound += names
        text = f"LAMBDA({','.join([*names, self.expression(depth - 1)])})"
        del self._bound[before:]
        return text

    def _leaf(self) -> str:
        pick = self.chance.random()
        if self._bound and pick < 0.35:
            return self._pick(self._bound)
        if self._lambdas and pick < 0.45:
            name, count = self.chance.choice(self._lambdas)
            return f"{name}({','.join(self._pick(NUMBERS) for _ in range(count))})"
        kinds: tuple[tuple[float, Callable[[], str]], ...] = (
            (0.25, lambda: self._pick(NUMBERS)),
            (0.35, lambda: "-" + self._pick(NUMBERS)),
            (0.50, lambda: self._pick(TEXTS)),
            (0.55, lambda: self._pick(("TRUE", "FALSE"))),
            (0.58, lambda: self._pick(ERRORS)),
            (0.63, lambda: self._pick(ARRAYS)),
            (0.78, lambda: self._pick(CELLS)),
            (0.88, lambda: self._pick(RANGES)),
            (0.93, lambda: self._pick(STRUCTURED)),
            (0.97, lambda: self._pick(NAMES)),
            (1.00, lambda: self._pick(SPILLS)),
        )
        pick = self.chance.random()
        return next(make for limit, make in kinds if pick < limit)()

    def _argument(self, entry: Entry, index: int, depth: int) -> str:
        """Mostly of the kind that the function wants, so that calls get past their checks."""
        kind = entry.kind_of(index) or "any"
        pick = self.chance.random()
        if pick < 0.03:
            return ""
        if kind == "raw" and pick < (0.5 if entry.category == "lambdas" else 0.35):
            eta = self._pick(("_xleta.SUM", "_xleta.LEN", "_xleta.ABS"))
            return eta if pick < 0.08 else self._lambda(depth, self.chance.randint(0, 3))
        if pick < 0.2:
            return self.expression(depth)
        if kind in ("number", "integer"):
            return self._pick(NUMBERS) if pick < 0.7 else self._pick((*CELLS, *ARRAYS, *TEXTS, "-1", "-2.5", *RANGES))
        if kind == "text":
            return self._pick(TEXTS) if pick < 0.75 else self._pick((*CELLS, *NUMBERS, *ARRAYS, *RANGES))
        if kind == "logical":
            return self._pick(("TRUE", "FALSE", "0", "1", "A1", *TEXTS[:3]))
        if kind in LIFTED or kind == "lazy":
            return self._leaf()
        return self._pick((*RANGES, *RANGES, *ARRAYS, *STRUCTURED, *CELLS, *SPILLS, *NAMES))

    def _pick(self, choices: Sequence[str]) -> str:
        return self.chance.choice(choices)
