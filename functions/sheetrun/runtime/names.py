"""Defined names and tables as INDIRECT finds them in a text, when a workbook is computed."""

from __future__ import annotations

from sheetrun.records import dataclass
from sheetrun.runtime.address import Span


@dataclass(slots=True)
class Named:
    """A defined name or table as INDIRECT sees it: the reference it stands for."""

    sheet: int
    span: Span


@dataclass(slots=True)
class Tables:
    """A table's place and columns, for structured references inside INDIRECT."""

    sheet: int
    span: Span
    columns: tuple[str, ...]
    header_rows: int
    totals_rows: int
