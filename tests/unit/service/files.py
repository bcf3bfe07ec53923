"""Workbooks written by XlsxWriter for tests of the whole path: a file in, computed cells out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xlsxwriter

from sheetrun.service.local import Model, Run, open_model

#: By address: a constant; "=…" a formula; "{=…}" a CSE array; "#=…" a dynamic array (the address is what it covers).
Cells = Mapping[str, Any]


class File:
    """A workbook on disk. ``cached``: values stored for formulas (0 where there is none)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = xlsxwriter.Workbook(str(path))
        self.book.calc_on_load = False  # the stored values are meant, as in a file by Excel
        self.sheets: dict[str, Any] = {}

    def sheet(self, name: str, cells: Cells, cached: Cells | None = None) -> Any:
        sheet = self.sheets[name] = self.book.add_worksheet(name)
        for address, value in cells.items():
            stored = (cached or {}).get(address, 0)
            if not isinstance(value, str):
                sheet.write(address, value)
            elif value.startswith("="):
                sheet.write_formula(address, value, None, stored)
            elif value.startswith("{="):
                sheet.write_array_formula(address, value, None, stored)
            elif value.startswith("#="):
                sheet.write_dynamic_array_formula(address, value[1:], None, stored)
            else:
                sheet.write_string(address, value.removeprefix("'"))
        return sheet

    def model(self) -> Model:
        self.book.close()
        return open_model(self.path)


def model_of(
    folder: Path, *sheets: Cells, cached: Cells | None = None, names: Mapping[str, str] | None = None
) -> Model:
    """A model whose sheets are Sheet1, Sheet2 …"""
    file = File(folder / "book.xlsx")
    for number, cells in enumerate(sheets, 1):
        file.sheet(f"Sheet{number}", cells, cached if number == 1 else None)
    for name, text in (names or {}).items():
        file.book.define_name(name, text)
    return file.model()


def run_of(folder: Path, *sheets: Cells, **options: Any) -> Run:
    return model_of(folder, *sheets, **options).run(sandboxed=False)


def cells_of(run: Run) -> dict[str, Any]:
    """Formula cells; those of the first sheet without its name."""
    return {address.removeprefix("Sheet1!"): value for address, value in run.cells().items()}


def computed(folder: Path, *sheets: Cells, **options: Any) -> dict[str, Any]:
    return cells_of(run_of(folder, *sheets, **options))


def down(address: str, last: int, formula: Any) -> dict[str, str]:
    """A formula of each row, from the row of ``address`` to ``last``: ``formula(row)`` with the row's number."""
    column, first = address.rstrip("0123456789"), int(address.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    return {f"{column}{row}": formula(row) for row in range(first, last + 1)}


def error(code: str) -> dict[str, str]:
    return {"error": code}


DIV0, NA, VALUE, REF, NAME = map(error, ("#DIV/0!", "#N/A", "#VALUE!", "#REF!", "#NAME?"))


def sales(folder: Path) -> File:
    """A table, two names and a sheet whose name needs quotes."""
    file = File(folder / "book.xlsx")
    sheet = file.sheet("My Sheet", {"D1": 0.1, "E1": "=SUM(Sales[Qty])*Rate", "E2": "=E1*2", "E3": '=E2&""'})
    columns = [{"header": "Item"}, {"header": "Qty"}]
    sheet.add_table("A1:B4", {"name": "Sales", "data": [["a", 1], ["b", 2], ["c", 3]], "columns": columns})
    file.book.define_name("Rate", "='My Sheet'!$D$1")
    file.book.define_name("Total", "='My Sheet'!$E$1")
    return file
