"""The functions of a script while they are written: each a list of statements that compute units of one sheet."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from sheetrun.compiler.scriptnames import Names
from sheetrun.compiler.units import Unit
from sheetrun.records import dataclass

#: A step ends after this many statements even when the sheet goes on.
MOST_STATEMENTS: Final = 40


@dataclass(slots=True)
class Statement:
    """One statement (several lines) and what it computes."""

    lines: list[str]
    computes: list[tuple[tuple[Unit, ...], int]]  #: units and the offset of their line


@dataclass(slots=True)
class Step:
    """``solved``: its cells are computed when they are asked for. ``alone``: takes no other parts."""

    name: str
    sheet: int
    solved: bool
    alone: bool
    names: Names
    statements: list[Statement] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return self.alone or len(self.statements) >= MOST_STATEMENTS

    def add(self, statement: Statement, units: tuple[Unit, ...]) -> None:
        self.statements.append(statement)
        self.units.extend(units)
