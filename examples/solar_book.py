"""The workbook being written: styles, formulas with their values, and sheets with a year a column."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter
from solar_model import YEARS, Model
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

INK, TEAL, PALE, INPUT, LINE = "#1F2933", "#0F5C63", "#E8F1F2", "#FFF8E1", "#C7D3D6"
FIRST = 4  # column of the first operating year: E (D is the year of construction)
LAST = FIRST + YEARS - 1
LAST_LETTER = xl_col_to_name(LAST)
_REFERENCE = re.compile(r"\[(?:(\w+)\.)?(\w+)(-1)?\]")


class Book:
    """The workbook being written: formats by number format and style, and the rows of the timeline sheets."""

    def __init__(self, path: Path, model: Model) -> None:
        self.book: Workbook = xlsxwriter.Workbook(str(path))
        self.model = model
        self.formats: dict[tuple[str, str], Format] = {}
        self.timelines: dict[str, Timeline] = {}
        created = datetime.datetime(2026, 1, 15, tzinfo=datetime.UTC)
        self.book.set_properties({"title": "Solar farm, project finance", "author": "Sheetrun", "created": created})

    def style(self, kind: str = "calc", number: str = "#,##0") -> Format:
        """One of: title, note, head, section, label, input, calc, total, unit."""
        if (kind, number) not in self.formats:
            base: dict[str, Any] = {"font_name": "Arial", "font_size": 10, "font_color": INK, "num_format": number}
            extra: dict[str, dict[str, Any]] = {
                "title": {"font_size": 16, "bold": True, "font_color": TEAL},
                "note": {"italic": True, "font_color": "#5A6B70"},
                "head": {"bold": True, "font_color": "#FFFFFF", "bg_color": TEAL, "align": "right"},
                "head_left": {"bold": True, "font_color": "#FFFFFF", "bg_color": TEAL},
                "section": {"bold": True, "font_color": TEAL, "bottom": 1, "bottom_color": TEAL},
                "input": {"font_color": "#0B3D91", "bg_color": INPUT, "border": 1, "border_color": LINE},
                "total": {"bold": True, "top": 1, "top_color": LINE, "bg_color": PALE},
                "unit": {"font_color": "#5A6B70"},
                "big": {"font_size": 14, "bold": True, "font_color": TEAL, "bg_color": PALE, "align": "right"},
                "big_label": {"bg_color": PALE},
            }
            self.formats[kind, number] = self.book.add_format(base | extra.get(kind, {}))
        return self.formats[kind, number]

    def sheet(self, name: str, title: str, note: str, widths: Sequence[float]) -> Worksheet:
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.write_string(0, 0, title, self.style("title"))
        sheet.write_string(1, 0, note, self.style("note"))
        return sheet

    def name(self, name: str, place: str) -> None:
        self.book.define_name(name, f"={place}")


def formula(sheet: Worksheet, row: int, column: int, text: str, style: Format, value: object) -> None:
    """A formula with the value that Excel would have stored; NaN stands for an empty text."""
    shown = "" if isinstance(value, float) and math.isnan(value) else value
    sheet.write_formula(row, column, text, style, shown)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a timeline. ``first`` is the formula of its first column, where that is another one."""

    key: str
    label: str
    unit: str
    text: str
    first: str = ""
    number: str = "#,##0"
    total: str = "SUM"
    strong: bool = False


#: What the column of totals can do.
_TOTALS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "SUM": math.fsum,
    "MIN": min,
    "MAX": max,
    "AVERAGE": lambda values: math.fsum(values) / len(values),
}


class Timeline:
    """A sheet with a year a column: E to AC, and D for construction where a row has 26 values.

    Formulas are templates: ``[energy]`` is that row in the same column, ``[energy-1]`` in the column before,
    ``[Debt.tax]`` on another sheet, ``[year]`` and ``[calendar]`` the two heading rows.
    """

    def __init__(self, b: Book, name: str, title: str, note: str, rows: Sequence[Row | str]) -> None:
        self.b, self.name = b, name
        self.sheet = b.sheet(name, title, note, (34, 10, 13, 11, *([11] * YEARS)))
        self.at = {"year": "$4", "calendar": "$5"}
        self.at |= {row.key: str(line) for line, row in enumerate(rows, 6) if isinstance(row, Row)}
        b.timelines[name] = self
        self._heading()
        for index, row in enumerate(rows, 5):
            if isinstance(row, str):
                for column in range(LAST + 1):
                    self.sheet.write(index, column, "" if column else row, b.style("section"))
            else:
                self._write(index, row, b.model.rows[row.key])
        self.end = 5 + len(rows)

    def line(self, key: str) -> int:
        """The row's number as Excel counts."""
        return int(self.at[key])

    def span(self, key: str, first: str = "E") -> str:
        """All years of a row: ``Debt!$E$9:$AC$9``."""
        line = self.at[key].lstrip("$")
        return f"{self.name}!${first}${line}:${LAST_LETTER}${line}"

    def _heading(self) -> None:
        b, sheet = self.b, self.sheet
        for row, text in ((3, "Year of operation"), (4, "Calendar year")):
            for column in range(LAST + 1):
                sheet.write(row, column, "" if column else text, b.style("head" if column else "head_left"))
        sheet.write_string(3, 2, "Total", b.style("head"))
        start = b.model.inputs.start_year
        for column in range(FIRST - 1, LAST + 1):
            here, before, number = xl_col_to_name(column), xl_col_to_name(column - 1), column - FIRST + 1
            if number == 0:
                sheet.write_number(3, column, 0, b.style("head", "0"))
            else:
                formula(sheet, 3, column, f"={before}4+1", b.style("head", "0"), number)
            formula(sheet, 4, column, f"=StartYear+{here}4-1", b.style("head", "0"), start + number - 1)
        sheet.freeze_panes(5, 3)

    def _write(self, index: int, row: Row, values: Sequence[float]) -> None:
        b, sheet = self.b, self.sheet
        kind = "total" if row.strong else "calc"
        style = b.style(kind, row.number)
        for column in range(FIRST):
            sheet.write_blank(index, column, None, style)
        sheet.write_string(index, 0, row.label, b.style("total" if row.strong else "label"))
        sheet.write_string(index, 1, row.unit, b.style("total" if row.strong else "unit"))
        first = FIRST if len(values) == YEARS else FIRST - 1
        for offset, value in enumerate(values):
            template = row.first if row.first and offset == 0 else row.text
            formula(sheet, index, first + offset, f"={self._filled(template, first + offset)}", style, value)
        if row.total:
            known = [value for value in values if not math.isnan(value)]
            text = f"={row.total}({xl_col_to_name(first)}{index + 1}:{LAST_LETTER}{index + 1})"
            formula(sheet, index, 2, text, style, _TOTALS[row.total](known))

    def _filled(self, template: str, column: int) -> str:
        def reference(match: re.Match[str]) -> str:
            other, key, before = match.groups()
            letter = xl_col_to_name(column - 1 if before else column)
            sheet = self.b.timelines[other] if other else self
            return f"{other + '!' if other else ''}{letter}{sheet.at[key]}"

        return _REFERENCE.sub(reference, template)
