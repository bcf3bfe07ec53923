"""Errors that Excel stores as rich values (#SPILL!, #CALC! …): read as what they are, written back unharmed."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from sheetrun.runtime.cells import NUMBER, box, unbox
from sheetrun.workbook.model import Grid
from sheetrun.workbook.reader import read
from sheetrun.workbook.writer import write_back
from tests.unit.workbook.books import HEAD, MAIN, parts_of, sheet_xml, zip_of

RICH = "http://schemas.microsoft.com/office/spreadsheetml/2017/richdata"
#: vm 1: #SPILL!, 2: #CALC!, 3: #FIELD!, 4: an entity, 5: an error type that nobody has seen, 6: no rich value at all
STRUCTURES = (
    f'{HEAD}<rvStructures xmlns="{RICH}" count="3"><s t="_error"><k n="colOffset" t="i"/><k n="errorType" t="i"/></s>'
    '<s t="_linkedentity"><k n="errorType" t="i"/></s><s t="_error"><k n="errorType" t="i"/></s></rvStructures>'
)
VALUES = (
    f'{HEAD}<rvData xmlns="{RICH}" count="5"><rv s="0"><v>3</v><v>8</v></rv><rv s="2"><v>13</v></rv>'
    '<rv s="2"><v>12</v></rv><rv s="1"><v>8</v></rv><rv s="2"><v>14</v></rv></rvData>'
)
METADATA = (
    f'{HEAD}<metadata xmlns="{MAIN}" xmlns:xlrd="{RICH}"><metadataTypes count="2"><metadataType name="XLDAPR"/>'
    '<metadataType name="XLRICHVALUE"/></metadataTypes><futureMetadata name="XLRICHVALUE" count="5">'
    + "".join(f'<bk><extLst><ext uri="x"><xlrd:rvb i="{i}"/></ext></extLst></bk>' for i in range(5))
    + '</futureMetadata><valueMetadata count="6">'
    + "".join(f'<bk><rc t="2" v="{i}"/></bk>' for i in range(5))
    + '<bk><rc t="1" v="0"/></bk></valueMetadata></metadata>'
)


def book(rows: str) -> bytes:
    parts = parts_of(
        sheet_xml(rows),
        metadata=METADATA,
        extra={"xl/richData/v.xml": VALUES, "xl/richData/s.xml": STRUCTURES},
        extra_rels=(("v", "rdRichValue", "richData/v.xml"), ("s", "rdRichValueStructure", "richData/s.xml")),
    )
    return zip_of(parts)


def cell(reference: str, vm: int) -> str:
    return f'<c r="{reference}" t="e" vm="{vm}"><f>SEQUENCE(3)</f><v>#VALUE!</v></c>'


def errors(data: bytes, fast: bool) -> list[str]:
    grid = read(data, fast=fast).sheets[0].grids[0]
    assert (grid.tag == NUMBER).all()
    return [unbox(value) for value in grid.num.ravel().tolist()]


@pytest.mark.parametrize("fast", [True, False])
def test_the_value_metadata_says_which_error_it_is(fast: bool) -> None:
    rows = f'<row r="1">{"".join(cell(f"{letter}1", vm) for vm, letter in enumerate("ABCDEFG", 1))}</row>'
    expected = ["#SPILL!", "#CALC!", "#FIELD!", "#VALUE!", "#VALUE!", "#VALUE!", "#VALUE!"]
    assert errors(book(rows), fast) == expected


@pytest.mark.parametrize("fast", [True, False])
def test_in_rows_that_look_the_same(fast: bool) -> None:
    rows = "".join(f'<row r="{r}">{cell(f"A{r}", 2)}</row>' for r in range(1, 301))
    assert errors(book(rows), fast) == ["#CALC!"] * 300


def test_without_the_parts_the_stand_in_stays() -> None:
    data = zip_of(parts_of(sheet_xml(f'<row r="1">{cell("A1", 1)}</row>'), metadata=METADATA))
    assert errors(data, True) == ["#VALUE!"]


def sheet_after(data: bytes, number: float) -> str:
    grid = Grid(0, 0, np.array([[number]]), np.zeros((1, 1), np.int32))
    with zipfile.ZipFile(io.BytesIO(write_back(data, {0: [grid]}, []))) as archive:
        return archive.read("xl/worksheets/sheet1.xml").decode()


def test_a_cell_that_keeps_its_error_keeps_its_bytes() -> None:
    data = book(f'<row r="1">{cell("A1", 1)}</row>')
    assert cell("A1", 1) in sheet_after(data, box("#SPILL!"))


def test_what_told_of_the_old_error_goes_with_it() -> None:
    data = book(f'<row r="1">{cell("A1", 1)}</row>')
    assert '<c r="A1"><f>SEQUENCE(3)</f><v>5</v></c>' in sheet_after(data, 5.0)
    assert '<c r="A1" t="e"><f>SEQUENCE(3)</f><v>#VALUE!</v></c>' in sheet_after(data, box("#VALUE!"))


def test_young_errors_are_written_as_excel_writes_them_for_older_readers() -> None:
    data = book('<row r="1"><c r="A1"><f>FILTER(B1,FALSE)</f><v>1</v></c></row>')
    assert '<c r="A1" t="e"><f>FILTER(B1,FALSE)</f><v>#VALUE!</v></c>' in sheet_after(data, box("#CALC!"))
    assert '<c r="A1" t="e"><f>FILTER(B1,FALSE)</f><v>#N/A</v></c>' in sheet_after(data, box("#N/A"))
