"""CHAR and CODE: the characters of Windows, and of the Macintosh where the file is one of Excel for Mac."""

from __future__ import annotations

import pytest
from tests.unit.compiler.making import Settings, run, workbook_of

CELLS = {"A1": "=CHAR(128)", "A2": "=CODE(CHAR(240))", "A3": "=CHAR(65)", "A4": "=CODE(UNICHAR(9731))"}


@pytest.mark.parametrize(
    ("application", "euro"), [("Microsoft Excel 16.0300", "€"), ("Microsoft Macintosh Excel 16.0300", "Ä"), ("", "€")]
)
def test_the_file_says_whose_characters(application: str, euro: str) -> None:
    found = run(workbook_of(CELLS, settings=Settings(application=application))).cells()
    assert found == {"Sheet1!A1": euro, "Sheet1!A2": 240.0, "Sheet1!A3": "A", "Sheet1!A4": 63.0}
