"""Data validation is read from both places where files keep it, and what is damaged is left out."""

from __future__ import annotations

from pathlib import Path

import xlsxwriter

from sheetrun.workbook.model import Rect, Validation
from sheetrun.workbook.reader import read
from sheetrun.workbook.store import dump, load
from tests.unit.workbook.books import parts_of, sheet_xml, zip_of


def test_rules_of_a_sheet(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "book.xlsx")
    sheet = book.add_worksheet()
    sheet.write("A1", 1)
    sheet.data_validation("A1:A3", {"validate": "list", "source": ["low", "high"]})
    sheet.data_validation("B1", {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 1})
    sheet.data_validation("C1", {"validate": "integer", "criteria": ">=", "value": "=$A$1", "ignore_blank": False})
    book.close()
    found = read(tmp_path / "book.xlsx")
    assert found.sheets[0].validations == [
        Validation("list", "between", '"low,high"', "", True, (Rect(0, 0, 2, 0),)),
        Validation("decimal", "between", "0", "1", True, (Rect(0, 1, 0, 1),)),
        Validation("whole", "greaterThanOrEqual", "$A$1", "", False, (Rect(0, 2, 0, 2),)),
    ]
    assert load(dump(found)).sheets[0].validations == found.sheets[0].validations


def test_lists_on_other_sheets_stand_in_an_extension() -> None:
    rules = (
        '<extLst><ext><x14:dataValidations xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"'
        ' xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main">'
        '<x14:dataValidation type="list"><x14:formula1><xm:f>Lists!$A$1:$A$3</xm:f></x14:formula1>'
        "<xm:sqref>B2 nonsense D4:D5</xm:sqref></x14:dataValidation></x14:dataValidations></ext></extLst>"
    )
    found = read(zip_of(parts_of(sheet_xml("<row r='1'><c r='A1'><v>1</v></c></row>", after=rules))))
    rects = (Rect(1, 1, 1, 1), Rect(3, 3, 4, 3))
    assert found.sheets[0].validations == [Validation("list", "between", "Lists!$A$1:$A$3", "", False, rects)]
