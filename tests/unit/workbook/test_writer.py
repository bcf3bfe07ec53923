"""Writing back changes values and nothing else: every other byte of the user's file stays."""

# ruff: noqa: E501  (XML reads best on one line)
from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from sheetrun.runtime.cells import EMPTY, LOGICAL, NUMBER, PENDING, TEXT, box
from sheetrun.workbook.cellxml import escape_text, number_text
from sheetrun.workbook.model import Grid
from sheetrun.workbook.reader import read
from sheetrun.workbook.values import unescape
from sheetrun.workbook.writer import write_back

from .books import MAIN, book_of, parts_of, sheet_values, sheet_xml, zip_of


def cell(row: int, col: int, num: float, tag: int = NUMBER) -> Grid:
    return Grid(row, col, np.array([[num]]), np.array([[tag]], dtype=np.int32))


def sheet_of(data: bytes) -> str:
    """The XML of the first sheet."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return archive.read("xl/worksheets/sheet1.xml").decode()


def rows_after(rows: str, *cells: Grid, strings: tuple[str, ...] = (), before: str = "") -> str:
    xml = sheet_xml(rows, before=before)
    after = sheet_of(write_back(zip_of(parts_of(xml)), {0: cells}, strings))
    start, end = xml.index("<sheetData"), len(xml) - xml.index("</worksheet>")
    assert after[:start] == xml[:start]
    return after[start : len(after) - end].removeprefix("<sheetData>").removesuffix("</sheetData>")


@pytest.mark.parametrize(
    ("before", "new", "after"),
    [
        ('<c r="A1" s="2"><f>1+1</f><v>2</v></c>', (0.1, NUMBER), '<c r="A1" s="2"><f>1+1</f><v>0.1</v></c>'),
        ('<c r="A1"><f ca="1">1+1</f></c>', (3.0, NUMBER), '<c r="A1"><f ca="1">1+1</f><v>3</v></c>'),
        ('<c r="A1" t="str" cm="1"><f>1</f><v>a</v></c>', (-0.0, NUMBER), '<c r="A1" cm="1"><f>1</f><v>0</v></c>'),
        ('<c r="A1"><f>1</f><v>0</v></c>', (1.0, LOGICAL), '<c r="A1" t="b"><f>1</f><v>1</v></c>'),
        ('<c r="A1"><f>1</f><v>0</v></c>', (box("#N/A"), NUMBER), '<c r="A1" t="e"><f>1</f><v>#N/A</v></c>'),
        ('<c r="A1"><f>1</f><v/></c>', (0.0, TEXT), '<c r="A1" t="str"><f>1</f><v>a&lt;&amp;_x0001__x005F_x0041_</v></c>'),
        ('<c r="A1"><f>1</f><v>7</v></c>', (0.0, TEXT + 1), '<c r="A1" t="str"><f>1</f><v xml:space="preserve"> b</v></c>'),
        ('<c r="A1" t="e"><f>1</f><v>#REF!</v></c>', (0.0, EMPTY), '<c r="A1"><f>1</f></c>'),
        ('<c r="A1"><f>1</f><v>0.10000000000000001</v></c>', (0.1, NUMBER), '<c r="A1"><f>1</f><v>0.10000000000000001</v></c>'),
        ('<c r="A1"><f>1</f><v>5</v></c>', (9.0, PENDING), '<c r="A1"><f>1</f><v>5</v></c>'),
        ('<c r="A1" s="4"/>', (1e22, NUMBER), '<c r="A1" s="4"><v>1e+22</v></c>'),
        ('<c r="A1" t="inlineStr"><is><t>x</t></is></c>', (2.5, NUMBER), '<c r="A1"><v>2.5</v></c>'),
        ('<c r="A1"><v>1</v></c>', (0.0, TEXT + 1), '<c r="A1" t="inlineStr"><is><t xml:space="preserve"> b</t></is></c>'),
        ('<c r="A1" s="1"><v>1</v></c>', (0.0, EMPTY), '<c r="A1" s="1"/>'),
        ('<c r="A1"><f>1</f><!-- <v>9</v> --><v>1</v></c>', (2.0, NUMBER), '<c r="A1"><f>1</f><!-- <v>9</v> --><v>2</v></c>'),
        ("<c r='A1' t='b'><f>1</f><v>1</v></c>", (2.0, NUMBER), "<c r='A1'><f>1</f><v>2</v></c>"),
    ],
)  # fmt: skip
def test_one_cell(before: str, new: tuple[float, int], after: str) -> None:
    row = '<row r="1" spans="1:2">{}<c r="B1"><v>9</v></c></row>'
    found = rows_after(row.format(before), cell(0, 0, *new), strings=("a<&\x01_x0041_", " b"))
    assert found == row.format(after)


def test_cells_and_rows_that_are_missing_are_inserted_in_order() -> None:
    rows = (
        '<row r="2" spans="2:3"><c r="B2"><v>1</v></c><c r="D2"><v>2</v></c></row><row r="5" s="3" customFormat="1"/>'
    )
    columns = '<cols><col min="1" max="1" width="9" style="7"/></cols>'
    new = [cell(row, col, 10 * row + col) for row, col in ((0, 1), (1, 0), (1, 2), (1, 5), (3, 3), (4, 0), (9, 9))]
    assert rows_after(rows, *new, before=columns) == (
        '<row r="1"><c r="B1"><v>1</v></c></row><row r="2" spans="1:6"><c r="A2" s="7"><v>10</v></c><c r="B2"><v>1</v>'
        '</c><c r="C2"><v>12</v></c><c r="D2"><v>2</v></c><c r="F2"><v>15</v></c></row><row r="4"><c r="D4"><v>33</v>'
        '</c></row><row r="5" s="3" customFormat="1"><c r="A5" s="3"><v>40</v></c></row><row r="10"><c r="J10"><v>99'
        "</v></c></row>"
    )


def test_spilled_text_is_a_result_and_not_a_constant() -> None:
    rows = (
        '<row r="1"><c r="A1"><f t="array" ref="A1:B2">X</f><v>1</v></c></row><row r="2"><c r="B2"><v>1</v></c></row>'
    )
    found = rows_after(rows, *(cell(r, c, 0.0, TEXT) for r, c in ((0, 0), (0, 1), (1, 1))), strings=("t",))
    assert found == (
        '<row r="1"><c r="A1" t="str"><f t="array" ref="A1:B2">X</f><v>t</v></c><c r="B1" t="str"><v>t</v></c></row>'
        '<row r="2"><c r="B2" t="str"><v>t</v></c></row>'
    )


def test_empty_sheet_data_and_prefixes_and_encodings() -> None:
    empty = f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>'
    after = write_back(zip_of(parts_of(empty)), {0: [cell(1, 1, 5.0)]}, [])
    assert sheet_of(after) == empty.replace(
        "<sheetData/>", '<sheetData><row r="2"><c r="B2"><v>5</v></c></row></sheetData>'
    )
    prefixed = f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="A1"><x:f>1</x:f><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    after = write_back(zip_of(parts_of(prefixed)), {0: [cell(0, 0, 5.0)]}, [])
    assert sheet_of(after) == prefixed.replace("<x:v>1</x:v>", "<x:v>5</x:v>")
    rows = '<row r="1"><c r="A1"><f>1</f><v>1</v></c></row>'
    for xml in (
        sheet_xml(rows).replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        sheet_xml(rows).replace("UTF-8", "UTF-16").encode("utf-16"),
    ):
        after = write_back(zip_of(parts_of(xml)), {0: [cell(0, 0, 0.0, TEXT)]}, ["é€"])  # type: ignore[arg-type]
        assert sheet_values(read(after)) == {(0, 0): "é€"}


def real_book() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as made:
        sheet = made.add_worksheet("Model")
        for row in range(50):
            sheet.write_number(row, 0, row)
            sheet.write_formula(row, 1, f"=A{row + 1}*2", None, row * 2)
            sheet.write_string(row, 2, f"text {row}")
        chart = made.add_chart({"type": "line"})
        chart.add_series({"values": "=Model!$A$1:$A$9"})
        sheet.insert_chart("E2", chart)
        made.add_worksheet("Other").write_formula(0, 0, "=1", None, 1)
    return buffer.getvalue()


def raw_entries(data: bytes) -> dict[str, tuple[bytes, tuple[int, ...]]]:
    """Name -> compressed bytes as they lie in the file, and the date."""
    found = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            name_length, extra_length = np.frombuffer(data, "<u2", 2, info.header_offset + 26).tolist()
            start = info.header_offset + 30 + name_length + extra_length
            found[info.filename] = (data[start : start + info.compress_size], info.date_time)
    return found


def test_only_the_changed_sheet_differs_in_the_file() -> None:
    source = real_book()
    result = write_back(source, {0: [Grid(0, 1, np.arange(50.0).reshape(-1, 1), np.zeros((50, 1), np.int32))]}, [])
    before, after = raw_entries(source), raw_entries(result)
    assert list(before) == list(after)
    assert [name for name in before if before[name] != after[name]] == ["xl/worksheets/sheet1.xml"]
    assert [v for (_, col), v in sorted(sheet_values(read(result)).items()) if col == 1] == list(range(50))
    assert read(result).sheets[0].blocks == read(source).sheets[0].blocks


def test_own_values_give_the_own_file() -> None:
    source = real_book()
    book = read(source)
    assert write_back(source, {n: sheet.grids for n, sheet in enumerate(book.sheets)}, book.strings) == source


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive(value: float) -> None:
    assert float(number_text(value)) == value


@given(st.text(st.characters(exclude_categories=())) | st.from_regex(r"(_x[0-9A-Fa-f]{4}_|_|x){0,5}"))
def test_texts_survive(text: str) -> None:
    escaped = escape_text(text)
    assert all(ord(char) >= 32 or char in "\t\n" for char in escaped)
    plain = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert unescape(plain) == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def test_written_text_is_read_again() -> None:
    text = 'tab\t line\n return\r nul\x00 <&> "quoted" _x0041_ _x_ é😀 \x1f end '
    after = write_back(book_of('<row r="1"><c r="A1"><f>1</f><v>1</v></c></row>'), {0: [cell(0, 0, 0, TEXT)]}, [text])
    assert sheet_values(read(after)) == {(0, 0): text}
