"""Everything that a generated script may import: operators, errors, steps, and each Excel function by its name.

Dots in Excel's names are underscores here: ``from sheetrun.runtime.api import NORM_DIST``.
"""

from __future__ import annotations

from typing import Any

import sheetrun.runtime.functions  # noqa: F401 - tells the registry where functions come from
from sheetrun.runtime.alike import alike, together
from sheetrun.runtime.errors import CALC as CALC_ERROR
from sheetrun.runtime.errors import DIV0 as DIV0_ERROR
from sheetrun.runtime.errors import NA as NA_ERROR
from sheetrun.runtime.errors import NAME as NAME_ERROR
from sheetrun.runtime.errors import NULL as NULL_ERROR
from sheetrun.runtime.errors import NUM as NUM_ERROR
from sheetrun.runtime.errors import REF as REF_ERROR
from sheetrun.runtime.errors import SPILL as SPILL_ERROR
from sheetrun.runtime.errors import VALUE as VALUE_ERROR
from sheetrun.runtime.errors import ExcelError
from sheetrun.runtime.flows import flows
from sheetrun.runtime.functions.lambdas import called
from sheetrun.runtime.lanes import each
from sheetrun.runtime.ops import add, concat, div, eq, ge, gt, le, lt, minus, ne, num, plus, power, sub, times
from sheetrun.runtime.phrases import columns, elements, filling, let, rows, text_array
from sheetrun.runtime.refops import intersection, range_between, single, spilled, spread, union
from sheetrun.runtime.registry import entries, find
from sheetrun.runtime.standalone import main
from sheetrun.runtime.steps import solve, step
from sheetrun.runtime.tracks import boxed, kept
from sheetrun.runtime.values import MISSING
from sheetrun.runtime.windows import over

__all__ = [
    "CALC_ERROR",
    "DIV0_ERROR",
    "MISSING",
    "NAME_ERROR",
    "NA_ERROR",
    "NULL_ERROR",
    "NUM_ERROR",
    "REF_ERROR",
    "SPILL_ERROR",
    "VALUE_ERROR",
    "ExcelError",
    "add",
    "alike",
    "boxed",
    "called",
    "columns",
    "concat",
    "div",
    "each",
    "elements",
    "eq",
    "filling",
    "flows",
    "ge",
    "gt",
    "intersection",
    "kept",
    "le",
    "let",
    "lt",
    "main",
    "minus",
    "ne",
    "num",
    "over",
    "plus",
    "power",
    "range_between",
    "rows",
    "single",
    "solve",
    "spilled",
    "spread",
    "step",
    "sub",
    "text_array",
    "times",
    "together",
    "union",
]

#: What is here beside Excel's functions.
RUNTIME_NAMES = frozenset(__all__)


def __getattr__(name: str) -> Any:
    """An Excel function by its name in a script."""
    entry = (find(name) or find(name.replace("_", "."))) if name.isupper() else None
    if entry is None:
        raise AttributeError(f"{name} is no Excel function known here")
    return entry.call


def __dir__() -> list[str]:
    return sorted([*__all__, *(entry.name.replace(".", "_") for entry in entries())])
