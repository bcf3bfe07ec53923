"""Pivot tables: what their rows and columns stand for, and GETPIVOTDATA on what is stored of them."""

from __future__ import annotations

from typing import Any

import pytest

from sheetrun.runtime.address import Span
from sheetrun.service.local import Model
from sheetrun.workbook.reader import read
from sheetrun.workbook.store import dump, load

from .books import HEAD, MAIN, parts_of, relationships, sheet_xml, zip_of

CACHE = (
    f'{HEAD}<pivotCacheDefinition xmlns="{MAIN}"><cacheFields count="5">'
    '<cacheField name="Region"><sharedItems><s v="East"/><s v="West"/></sharedItems></cacheField>'
    '<cacheField name="Year"><sharedItems><n v="2024"/><n v="2025"/></sharedItems></cacheField>'
    '<cacheField name="Sales"><sharedItems/></cacheField>'
    '<cacheField name="Day"><sharedItems><d v="2024-03-01T00:00:00"/><m/></sharedItems></cacheField>'
    '<cacheField name="Month"><sharedItems><d v="2024-03-01T00:00:00"/></sharedItems>'
    '<fieldGroup><groupItems><s v="Jan"/><s v="Feb"/></groupItems></fieldGroup></cacheField>'
    "</cacheFields></pivotCacheDefinition>"
)
#: East 2024 and 2025, West 2025 down the rows (years under regions); two data fields across.
PIVOT = (
    f'{HEAD}<pivotTableDefinition xmlns="{MAIN}"><location ref="A3:C9" firstHeaderRow="0" firstDataRow="1"'
    ' firstDataCol="1"/><pivotFields count="5">'
    '<pivotField axis="axisRow"><items><item x="0"/><item x="1" n="The West"/><item t="default"/></items></pivotField>'
    '<pivotField axis="axisRow"><items><item x="0"/><item x="1"/><item t="default"/></items></pivotField>'
    '<pivotField dataField="1"/>'
    '<pivotField axis="axisPage"><items><item x="0"/><item x="1"/></items></pivotField>'
    '<pivotField><items><item x="0"/><item x="1"/></items></pivotField></pivotFields>'
    '<rowFields><field x="0"/><field x="1"/></rowFields>'
    '<rowItems><i><x/></i><i r="1"><x/></i><i r="1"><x v="1"/></i><i><x v="1"/></i><i r="1"><x v="1"/></i>'
    '<i t="grand"><x/></i></rowItems><colFields><field x="-2"/></colFields>'
    '<colItems><i><x/></i><i i="1"><x v="1"/></i></colItems><pageFields><pageField fld="3" item="0"/></pageFields>'
    '<dataFields><dataField name="Sum of Sales" fld="2"/><dataField name="Count" fld="2"/></dataFields>'
    "</pivotTableDefinition>"
)
SHOWN = {4: (30, 3), 5: (10, 1), 6: (20, 2), 7: (40, 4), 8: (None, 4), 9: (70, 7)}


def book(formulas: list[str], pivot: str = PIVOT, cache: str | None = CACHE) -> bytes:
    rows = {row: [f'<c r="{c}{row}"><v>{v}</v></c>' for c, v in zip("BC", shown, strict=True) if v is not None]
            for row, shown in SHOWN.items()}  # fmt: skip
    for number, text in enumerate(formulas, 1):
        text = text.replace("&", "&amp;").replace("<", "&lt;")
        rows.setdefault(number, []).append(f'<c r="F{number}"><f>{text}</f><v>-1</v></c>')
    xml = sheet_xml("".join(f'<row r="{row}">{"".join(cells)}</row>' for row, cells in sorted(rows.items())))
    extra: dict[str, Any] = {
        "xl/worksheets/_rels/sheet1.xml.rels": relationships(("p", "pivotTable", "../pivotTables/p1.xml")),
        "xl/pivotTables/p1.xml": pivot,
    }
    if cache is not None:
        extra["xl/pivotTables/_rels/p1.xml.rels"] = relationships(("c", "pivotCacheDefinition", "../pivotCache/c1.xml"))
        extra["xl/pivotCache/c1.xml"] = cache
    return zip_of(parts_of(xml, extra=extra))


def computed(*formulas: str, **options: Any) -> list[Any]:
    """The results; the code of the reason where there is none."""
    from pathlib import Path

    run = Model(Path("book.xlsx"), read(book(list(formulas), **options)), 0.0).run(sandboxed=False)
    failed = {error["cell"]: error["code"] for error in run.report["errors"]}
    return [failed.get(cell, value) for cell, value in run.cells().items()]


REF = {"error": "#REF!"}


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ('"Sum of Sales",$A$3', 70),
        ('"sales",A5', 70),
        ('"Count",B7', 7),
        ('"Sales",A3,"Region","East"', 30),
        ('"Sales",A3,"region","east","Year",2024', 10),
        ('"Sales",A3,"Year",2025,"Region","East"', 20),
        ('"Sales",A3,"Year","2025","Region","East"', 20),
        ('"Count",A3,"Region","The West"', 4),
        ('"Count",A3,"Region","West","Year",2025', 4),
        ('"Sales",A3,"Region","West","Year",2025', "pivot"),  # nothing is to be seen there
        ('"Sales",A3,"Region","West","Year",2024', REF),
        ('"Sales",A3,"Year",2024', REF),
        ('"Sales",A3,"Region","North"', REF),
        ('"Sales",A3,"City","East"', REF),
        ('"Profit",A3', REF),
        ('"Sales",A3,"Region"', REF),
        ('"Sales",A3,"Day",DATE(2024,3,1)', 70),
        ('"Sales",A3,"Day","(blank)"', REF),
        ('"Sales",A3,"Month",1', "pivot"),
        ('"Sales",Z1', "pivot"),
        ('"Sales",A3,"Region",NA()', {"error": "#N/A"}),
    ],
)
def test_getpivotdata(arguments: str, wanted: Any) -> None:
    assert computed(f"GETPIVOTDATA({arguments})") == [wanted]


def test_what_cannot_be_understood_is_left_out() -> None:
    assert computed('GETPIVOTDATA("Sales",A3)', cache=None) == ["pivot"]
    assert computed('GETPIVOTDATA("Sales",A3)', pivot=PIVOT.replace('ref="A3:C9"', 'ref="?"')) == ["pivot"]
    assert computed('GETPIVOTDATA("Sales",A3)', pivot=PIVOT.replace('item x="1"', 'item x="9"')) == ["pivot"]


def test_pivots_are_kept_in_the_artefact() -> None:
    workbook = read(book(["1+1"]))
    (pivot,) = workbook.pivots
    assert (pivot.span, pivot.top, pivot.left) == (Span(3, 1, 9, 3), 4, 2)
    assert (len(pivot.rows), len(pivot.columns), pivot.grouped) == (6, 2, frozenset({4}))
    assert load(dump(workbook)).pivots == workbook.pivots
