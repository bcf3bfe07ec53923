"""Criteria of COUNTIF, SUMIFS and kin: ``">=5"``, ``"<>"``, ``"ab*"``, a bare value; tested on one cell or an array.

Source: Microsoft, "COUNTIF function" and "Using wildcard characters in searches"; ECMA-376 part 1, 18.17.7.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import numpy as np

from sheetrun.records import dataclass
from sheetrun.runtime import pool
from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, TEXT, Mask
from sheetrun.runtime.coerce import number_in_text
from sheetrun.runtime.compare import compare_texts, equal_numbers
from sheetrun.runtime.distinct import distinct
from sheetrun.runtime.errors import ExcelError
from sheetrun.runtime.values import Arr, Scalar

_OPERATORS: Final = ("<>", "<=", ">=", "=", "<", ">")
_ERRORS: Final = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA", "#SPILL!", "#CALC!"}
)


@lru_cache(maxsize=4096)
def wildcard(pattern: str) -> re.Pattern[str] | None:
    """``*``, ``?`` and ``~`` as a regular expression that matches the whole folded text; None for a plain text."""
    if not any(c in pattern for c in "*?~"):
        return None
    out = []
    escaped = False
    for c in pool.fold(pattern):
        if escaped:
            out.append(re.escape(c) if c in "*?~" else re.escape("~" + c))
            escaped = False
        elif c == "~":
            escaped = True
        else:
            out.append(".*" if c == "*" else "." if c == "?" else re.escape(c))
    if escaped:
        out.append("~")
    return re.compile("".join(out) + r"\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition. ``value`` is the right side in its own type; None stands for "no operand" (``"="``, ``"<>"``)."""

    op: str
    value: Scalar
    written: bool  #: the operator stood in the text: ``"="`` tests for empty, a criterion of empty for 0

    @classmethod
    def parse(cls, value: Scalar) -> Criterion:
        """From what was passed: an empty cell counts as 0, a text may begin with an operator."""
        if value is None:
            return cls("=", 0.0, False)
        if not isinstance(value, str):
            return cls("=", value, False)
        for op in _OPERATORS:
            if value.startswith(op):
                return cls(op, _operand(value[len(op) :]), True)
        return cls("=", _operand(value) if value else "", False)

    def matches(self, cell: Scalar) -> bool:
        return bool(self.mask(Arr.of(cell))[0, 0])

    def matches_empty(self) -> bool:
        """Whether a cell outside the used range counts."""
        return self.matches(None)

    def mask(self, cells: Arr) -> Mask:
        """Which cells satisfy the condition. Shape as the array."""
        found: Mask = self._mask(cells)
        return found

    def _mask(self, cells: Arr) -> Any:
        if self.op == "<>" and isinstance(self.value, float):  # measured: the text "23" is not the number 23 here
            return ~(Criterion("=", self.value, self.written).mask(cells) & (cells.tags() == NUMBER))
        if self.op == "<>":
            return ~Criterion("=", self.value, self.written).mask(cells)
        if self.op == "=":
            return self._equal(cells)
        return self._ordered(cells)

    def _equal(self, cells: Arr) -> Any:
        value, tag = self.value, cells.tags()
        if value is None:  # "=" alone: really empty
            return tag == EMPTY
        if isinstance(value, ExcelError):
            return cells.errors() & (np.isnan(cells.num) & (_codes(cells) == value.number))
        if isinstance(value, bool):
            return (tag == LOGICAL) & (cells.num == float(value))
        if isinstance(value, str):
            return self._equal_text(cells, value)
        number = np.float64(value)
        with np.errstate(invalid="ignore"):
            same = equal_numbers(cells.num, np.full((1, 1), number))
        return same & ((tag == NUMBER) | (tag >= TEXT))  # a text that reads as the number counts too

    def _equal_text(self, cells: Arr, value: str) -> Any:
        tag = cells.tags()
        if value == "":
            return (tag == EMPTY) | ((tag >= TEXT) & (tag == pool.tag_of("")))
        pattern = wildcard(value)
        texts = tag >= TEXT
        if not texts.any():
            return texts
        ids = np.where(texts, tag - TEXT, 0)
        if pattern is None:
            wanted = pool.intern(pool.fold(value))
            return texts & (pool.folded()[ids] == wanted)
        used = distinct(ids[texts])
        hits = np.array([pattern.match(pool.fold(pool.text(i))) is not None for i in used.tolist()])
        return texts & np.isin(ids, used[hits])

    def _ordered(self, cells: Arr) -> Any:
        value, tag = self.value, cells.tags()
        if value is None or isinstance(value, ExcelError):
            return np.zeros(cells.shape, np.bool_)
        if isinstance(value, str):
            texts = tag >= TEXT
            used = distinct(tag[texts]) - TEXT
            hits = np.array([self._holds(compare_texts(pool.text(i), value)) for i in used.tolist()], np.bool_)
            return texts & np.isin(tag - TEXT, used[hits])
        kind = LOGICAL if isinstance(value, bool) else NUMBER
        number = np.full((1, 1), float(value))
        with np.errstate(invalid="ignore"):
            same = equal_numbers(cells.num, number)
            below = ~same & (cells.num < number)
            above = ~same & (cells.num > number)
        hit = {"<": below, "<=": below | same, ">": above, ">=": above | same}[self.op]
        return hit & (tag == kind)

    def _holds(self, order: int) -> bool:
        return {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[self.op]


def _operand(text: str) -> Scalar:
    if text == "":
        return None
    upper = text.upper()
    if upper in ("TRUE", "FALSE"):
        return upper == "TRUE"
    if upper in _ERRORS:
        return ExcelError(upper)
    number = number_in_text(text)
    return number if number == number else text


def _codes(cells: Arr) -> Any:
    from sheetrun.runtime.cells import error_numbers

    return error_numbers(cells.num)
