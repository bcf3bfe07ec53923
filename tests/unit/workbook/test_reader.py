"""Cells, formulas and everything around them, from XML written by hand, and from XlsxWriter and openpyxl."""

# ruff: noqa: E501  (XML reads best on one line)
from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from sheetrun.workbook.errors import DamagedWorkbook, LimitExceeded, WorkbookError
from sheetrun.workbook.model import Block, DataTable, Kind, Rect, Sheet
from sheetrun.workbook.package import Limits
from sheetrun.workbook.reader import read

from .books import MAIN, book_of, parts_of, relationships, sheet_values, sheet_xml, zip_of


def blocks_of(rows: str) -> list[tuple[tuple[int, ...], str]]:
    return [(tuple(block.rect), block.text) for block in read(book_of(rows)).sheets[0].blocks]


def test_every_type_of_value() -> None:
    rows = (
        '<row r="1"><c r="A1"><v>1.5</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="str"><f>A1</f><v>x &amp; y</v></c>'
        '<c r="D1" t="b"><v>1</v></c><c r="E1" t="e"><v>#DIV/0!</v></c><c r="F1" t="d"><v>2020-02-29T12:00:00Z</v></c>'
        '<c r="G1" t="inlineStr"><is><r><t>in</t></r><r><t xml:space="preserve"> line</t></r><rPh sb="0" eb="1">'
        '<t>no</t></rPh></is></c><c r="H1" t="e"><v>#NEW!</v></c><c r="I1" t="b"><v>0</v></c><c r="J1" s="3"/>'
        '<c r="K1" t="d"><v>1900-01-01</v></c><c r="L1" t="n"><v>-1E-300</v></c><c r="M1" t="str"><f>A1</f><v></v></c>'
        "</row>"
    )
    strings = (
        f'<sst xmlns="{MAIN}"><si><t>zero</t></si><si><r><rPr/><t>one </t></r><r><t>_x0041_B_x000D_</t></r>'
        '<rPh sb="0" eb="1"><t>hidden</t></rPh><phoneticPr fontId="1"/></si></sst>'
    )
    book = read(zip_of(parts_of(sheet_xml(rows), strings=strings)))
    assert sheet_values(book) == {
        (0, 0): 1.5,
        (0, 1): "one AB\r",
        (0, 2): "x & y",
        (0, 3): True,
        (0, 4): ("error", "#DIV/0!"),
        (0, 5): 43890.5,
        (0, 6): "in line",
        (0, 7): ("error", "#UNKNOWN!"),
        (0, 8): False,
        (0, 10): 1.0,
        (0, 11): -1e-300,
        (0, 12): "",
    }


def test_dates_count_from_1904_when_the_workbook_says_so() -> None:
    rows = '<row r="1"><c r="A1" t="d"><v>1904-01-02</v></c></row>'
    parts = parts_of(sheet_xml(rows))
    text = str(parts["xl/workbook.xml"]).replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    book = read(zip_of(parts | {"xl/workbook.xml": text}))
    assert book.settings.date1904
    assert sheet_values(book) == {(0, 0): 1.0}


def test_cells_and_rows_without_a_reference_follow_each_other() -> None:
    rows = '<row><c><v>1</v></c><c r="D1"><v>2</v></c><c><v>3</v></c></row><row r="7"><c><v>4</v></c></row><row><c><v>5</v></c></row>'
    assert sheet_values(read(book_of(rows))) == {(0, 0): 1, (0, 3): 2, (0, 4): 3, (6, 0): 4, (7, 0): 5}


def test_formulas_without_a_cached_value_are_told_apart() -> None:
    rows = (
        '<row r="1"><c r="A1"><f>1</f></c><c r="B1"><f>2</f><v></v></c><c r="C1"><f>3</f><v/></c>'
        '<c r="D1"><f>4</f><v>0</v></c></row>'
    )
    sheet = read(book_of(rows)).sheets[0]
    assert sheet.uncached == [Rect(0, 0, 0, 2)]
    assert [block.rect for block in sheet.blocks] == [Rect(0, col, 0, col) for col in range(4)]


def test_shared_formula_in_any_order_and_with_text_of_its_own() -> None:
    rows = (
        '<row r="1"><c r="A1"><f t="shared" si="0"/><v>1</v></c></row>'
        '<row r="2"><c r="A2"><f t="shared" ref="A1:A4" si="0">$B$1+B2</f><v>1</v></c></row>'
        '<row r="3"><c r="A3"><f t="shared" si="0">IGNORED()</f><v>1</v></c></row>'
        '<row r="4"><c r="A4"><f>$B$1+B4</f><v>1</v></c></row>'
    )
    assert blocks_of(rows) == [((0, 0, 3, 0), "$B$1+B1")]


def test_shared_formula_without_text_is_damage() -> None:
    with pytest.raises(DamagedWorkbook) as caught:
        read(book_of('<row r="1"><c r="B1"><f t="shared" si="4"/><v>1</v></c></row>'))
    assert caught.value.reason == "shared_formula_without_text"
    assert caught.value.part == "S1!B1"


METADATA = (
    f'<metadata xmlns="{MAIN}" xmlns:xda="http://schemas.microsoft.com/office/spreadsheetml/2017/dynamicarray">'
    '<metadataTypes count="2"><metadataType name="XLRICHVALUE"/><metadataType name="XLDAPR"/></metadataTypes>'
    '<futureMetadata name="XLRICHVALUE" count="1"><bk><extLst/></bk></futureMetadata>'
    '<futureMetadata name="XLDAPR" count="1"><bk><extLst><ext uri="x"><xda:dynamicArrayProperties fDynamic="1" '
    'fCollapsed="0"/></ext></extLst></bk></futureMetadata>'
    '<cellMetadata count="2"><bk><rc t="1" v="0"/></bk><bk><rc t="2" v="0"/></bk></cellMetadata></metadata>'
)


def test_array_dynamic_array_and_data_table() -> None:
    rows = (
        '<row r="1"><c r="A1"><f t="array" ref="A1:A2">B1:B2*2</f><v>2</v></c>'
        '<c r="C1" cm="2"><f t="array" ref="C1:D2">_xlfn.SEQUENCE(2,2)</f><v>1</v></c><c r="D1"><v>2</v></c>'
        '<c r="F1"><f t="dataTable" ref="F1:G2" dt2D="1" dtr="1" r1="J1" r2="K2" ca="1"/><v>5</v></c></row>'
        '<row r="2"><c r="A2"><v>4</v></c><c r="C2"><v>3</v></c><c r="D2"><f ca="1"/><v>4</v></c><c r="F2"><v>6</v></c>'
        '<c r="H2" cm="1"><f t="array" ref="H2">1</f><v>1</v></c>'
        '<c r="I2"><f t="dataTable" ref="I2" dt2D="0" dtr="0" r1="J1" del1="1"/><v>5</v></c></row>'
    )
    sheet = read(zip_of(parts_of(sheet_xml(rows), metadata=METADATA))).sheets[0]
    assert sheet.blocks == [
        Block(Rect(0, 0, 1, 0), "B1:B2*2", Kind.ARRAY),
        Block(Rect(0, 2, 1, 3), "_xlfn.SEQUENCE(2,2)", Kind.DYNAMIC),
        Block(Rect(0, 5, 1, 6), "", Kind.TABLE, DataTable(True, True, (0, 9), (1, 10))),
        Block(Rect(1, 7, 1, 7), "1", Kind.ARRAY),
        Block(Rect(1, 8, 1, 8), "", Kind.TABLE, DataTable(False, False, None, None)),
    ]


def test_scattered_cells_do_not_cost_their_bounding_box() -> None:
    rows = "".join(
        f'<row r="{row}">' + "".join(f'<c r="{col}{row}"><v>{row}</v></c>' for col in "ABC") + "</row>"
        for row in range(1, 11)
    )
    rows += '<row r="1048576"><c r="A1048576"><v>8</v></c><c r="XFD1048576"><v>9</v></c></row>'
    sheet = read(book_of(rows)).sheets[0]
    assert sum(grid.num.size for grid in sheet.grids) < 20_000
    assert not any(one.rect.overlaps(two.rect) for i, one in enumerate(sheet.grids) for two in sheet.grids[:i])
    cells = sheet_values(read(book_of(rows)))
    assert cells[1048575, 16383] == 9
    assert cells[1048575, 0] == 8
    assert cells[9, 2] == 10
    assert len(cells) == 32


def test_diagonal_is_within_the_limit_or_refused_with_numbers() -> None:
    rows = "".join(f'<row r="{n * 500 + 1}"><c r="A{n * 500 + 1}"><v>1</v></c></row>' for n in range(2000))
    assert sum(grid.num.size for grid in read(book_of(rows)).sheets[0].grids) <= 1_000_000
    with pytest.raises(LimitExceeded, match=r"limit is 1,000"):
        read(book_of(rows), limits=Limits(cells=1000))


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('<row r="1"><c r="A1"><v>abc</v></c></row>', "bad_value"),
        ('<row r="1"><c r="A1"><v>1e999</v></c></row>', "bad_value"),
        ('<row r="1"><c r="A1" t="s"><v>x</v></c></row>', "bad_value"),
        ('<row r="1"><c r="A1" t="zz"><v>1</v></c></row>', "bad_value"),
        ('<row r="1"><c r="A1" t="s"><v>7</v></c></row>', "damaged_workbook"),
        ('<row r="1"><c r="B2"><v>1</v></c></row>', "bad_reference"),
        ('<row r="0"><c r="A1"><v>1</v></c></row>', "bad_reference"),
        ('<row r="1048577"><c><v>1</v></c></row>', "bad_reference"),
        ('<row r="1"><c r="XFE1"><v>1</v></c></row>', "bad_reference"),
        ('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>', "duplicate_cell"),
        ('<row r="1"><c r="A1"><f t="array" ref="A1:B">1</f><v>1</v></c></row>', "bad_formula"),
        ('<row r="1"><c r="A1"><v>1</v></row>', "bad_xml"),
        ('<row r="1"><c r="A1"><f t="array" ref="A1:XFD1048576">1</f><v>1</v></c></row>', "too_many_cells"),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_damage_is_named_with_its_place(rows: str, reason: str, fast: bool) -> None:
    with pytest.raises(WorkbookError) as caught:
        read(book_of(rows), fast=fast)
    assert caught.value.reason == reason
    assert caught.value.part


def test_cells_in_any_order_are_read() -> None:
    rows = '<row r="2"><c r="B2"><v>1</v></c><c r="A2"><f>1+1</f><v>2</v></c></row><row r="1"><c r="A1"><f>1+1</f><v>3</v></c></row>'
    book = read(book_of(rows))
    assert sheet_values(book) == {(1, 1): 1, (1, 0): 2, (0, 0): 3}
    assert [block.rect for block in book.sheets[0].blocks] == [Rect(0, 0, 1, 0)]


def test_names_settings_and_application() -> None:
    names = (
        '<definedNames><definedName name="Rate">S1!$A$1</definedName><definedName name="Local" localSheetId="0" '
        'hidden="1">1+1</definedName><definedName name="_xlnm.Print_Area" localSheetId="0">S1!$A$1</definedName>'
        '</definedNames><calcPr calcMode="manual" iterate="1" iterateCount="7" iterateDelta="0.5" fullPrecision="0" '
        'refMode="R1C1"/>'
    )
    parts = parts_of(sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>'), workbook=names)
    parts["_rels/.rels"] = relationships(
        ("w", "officeDocument", "xl/workbook.xml"), ("a", "extended-properties", "docProps/app.xml")
    )
    parts["docProps/app.xml"] = (
        '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
        "<Application>Microsoft Excel</Application><AppVersion>16.0300</AppVersion></Properties>"
    )
    book = read(zip_of(parts))
    assert [(n.name, n.text, n.sheet, n.hidden) for n in book.names] == [
        ("Rate", "S1!$A$1", None, False),
        ("Local", "1+1", 0, True),
        ("_xlnm.Print_Area", "S1!$A$1", 0, True),
    ]
    settings = book.settings
    assert (settings.manual, settings.iterate, settings.iterate_count, settings.iterate_delta) == (True, True, 7, 0.5)
    assert (settings.full_precision, settings.r1c1) == (False, True)
    assert settings.application == "Microsoft Excel 16.0300"


def test_a_linked_sheet_that_could_not_be_refreshed_is_lost_unless_its_cells_are_there() -> None:
    link = (
        f'<externalLink xmlns="{MAIN}"><externalBook><sheetNames><sheetName val="Old"/><sheetName val="Gone"/></sheetNames>'
        '<sheetDataSet><sheetData sheetId="0" refreshError="1"><row r="1"><cell r="A1"><v>3</v></cell></row></sheetData>'
        '<sheetData sheetId="1" refreshError="1"/></sheetDataSet></externalBook></externalLink>'
    )
    parts = parts_of(
        sheet_xml(""),
        workbook='<externalReferences><externalReference r:id="x1"/></externalReferences>',
        extra={"xl/externalLinks/e1.xml": link},
        extra_rels=(("x1", "externalLink", "externalLinks/e1.xml"),),
    )
    assert read(zip_of(parts)).externals[0].lost == {"Gone"}


def test_external_book_keeps_its_number_target_and_values() -> None:
    link = (
        f'<externalLink xmlns="{MAIN}"><externalBook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships" r:id="t"><sheetNames><sheetName val="Data"/><sheetName val="Empty"/></sheetNames><definedNames>'
        '<definedName name="Tax" refersTo="=Data!$B$1"/></definedNames><sheetDataSet><sheetData sheetId="0"><row r="1">'
        '<cell r="A1" t="str"><v>abc</v></cell><cell r="B1"><v>4.5</v></cell><cell r="C1" t="e"><v>#N/A</v></cell></row>'
        "</sheetData></sheetDataSet></externalBook></externalLink>"
    )
    parts = parts_of(
        sheet_xml(""),
        workbook='<externalReferences><externalReference r:id="x2"/><externalReference r:id="x1"/></externalReferences>',
        extra={
            "xl/externalLinks/e1.xml": link,
            "xl/externalLinks/_rels/e1.xml.rels": relationships(("t", "externalLinkPath", "file:///C:/Budget.xlsx")),
            "xl/externalLinks/e2.xml": f'<externalLink xmlns="{MAIN}"><ddeLink ddeService="a"/></externalLink>',
        },
        extra_rels=(("x1", "externalLink", "externalLinks/e1.xml"), ("x2", "externalLink", "externalLinks/e2.xml")),
    )
    from .books import values

    book = read(zip_of(parts))
    first, second = book.externals
    assert (first.index, first.target, first.sheets) == (1, "", {})
    assert (second.index, second.target, second.names) == (2, "file:///C:/Budget.xlsx", {"Tax": "Data!$B$1"})
    assert values(second.sheets["Data"], book.strings) == {(0, 0): "abc", (0, 1): 4.5, (0, 2): ("error", "#N/A")}
    assert second.sheets["Empty"] == []


def test_hidden_rows_widths_formats_tables_of_xlsxwriter(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet("Data")
        date = made.add_format({"num_format": 14})
        custom = made.add_format({"num_format": '0.0" kg"'})
        sheet.write_row(0, 0, ["a", "b", "c"])
        for row in range(1, 6):
            sheet.write_number(row, 0, row)
            sheet.write_number(row, 1, row, date)
            sheet.write_formula(row, 2, f"=A{row + 1}*2", custom, row * 2)
        sheet.autofilter(0, 0, 5, 2)
        sheet.filter_column(0, "x > 2")
        sheet.set_row(1, None, None, {"hidden": True})
        sheet.set_row(2, None, None, {"hidden": True})
        sheet.set_row(20, None, None, {"hidden": True})
        sheet.set_column(1, 1, 30)
        sheet.set_column(4, 16383, 9, None, {"hidden": True})
        hidden = made.add_worksheet("Hidden")
        hidden.hide()
        hidden.add_table(
            2,
            1,
            6,
            3,
            {
                "name": "Sales",
                "total_row": True,
                "columns": [{"header": "it#em"}, {"header": "line\nbreak"}, {"header": "c"}],
            },
        )
        chart = made.add_chart({"type": "line"})
        chart.add_series({"values": "=Data!$A$2:$A$6"})
        made.add_chartsheet("Chart").set_chart(chart)
    book = read(path)
    data, second, chart_sheet = book.sheets
    assert book.filename == "book.xlsx"
    assert data.hidden_rows == {1, 2, 20}
    assert data.filtered
    assert data.filtered_rows == {1, 2}
    assert data.column_widths[1] == pytest.approx(30.7, abs=0.1)
    assert 4 in data.hidden_columns
    assert max(data.hidden_columns) < 400
    assert [block.rect for block in data.blocks] == [Rect(1, 2, 5, 2)]
    formats = {book.number_formats[style]: rects for style, rects in data.formats.items()}
    assert formats == {"m/d/yyyy": [Rect(1, 1, 5, 1)], '0.0" kg"': [Rect(1, 2, 5, 2)]}
    assert not second.visible
    table = book.tables[0]
    assert (table.name, table.sheet, table.rect) == ("Sales", 1, Rect(2, 1, 6, 3))
    assert (table.columns, table.header_rows, table.totals_rows) == (("it#em", "line\nbreak", "c"), 1, 1)
    assert chart_sheet == Sheet(name="Chart", is_chart=True)


def test_openpyxl_file_has_no_cached_values() -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append([1, True, "text", "=A1+1"])
    sheet.append([2, False, "text", "=A2+1"])
    buffer = io.BytesIO()
    made.save(buffer)
    book = read(buffer.getvalue())
    assert sheet_values(book) == {(0, 0): 1, (0, 1): True, (0, 2): "text", (1, 0): 2, (1, 1): False, (1, 2): "text"}
    assert book.sheets[0].uncached == [Rect(0, 3, 1, 3)]
    assert book.formula_count == 2


def test_progress_reaches_its_total() -> None:
    seen: list[tuple[int, int, int, str]] = []
    read(book_of('<row r="1"><c r="A1"><v>1</v></c></row>'), progress=lambda *what: seen.append(what))
    assert seen[-1][0] == seen[-1][1]
    assert seen[-1][2:] == (1, "S1")


def test_missing_sheet_part_and_module_sheets() -> None:
    parts = parts_of(sheet_xml(""))
    text = str(parts["xl/workbook.xml"])
    module = text.replace("</sheets>", '<sheet name="Module1" sheetId="9" r:id=""/></sheets>')
    assert read(zip_of(parts | {"xl/workbook.xml": module})).sheets[1].is_chart
    del parts["xl/worksheets/sheet1.xml"]
    with pytest.raises(DamagedWorkbook) as caught:
        read(zip_of(parts))
    assert caught.value.reason == "missing_part"
