"""The fast way of reading rows gives exactly what expat gives, whatever the rows look like."""

# ruff: noqa: E501  (XML reads best on one line)
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheetrun.workbook import archive
from sheetrun.workbook.errors import WorkbookError
from sheetrun.workbook.gather import Gatherer
from sheetrun.workbook.reader import read
from sheetrun.workbook.sheetparser import SheetParser

from .books import MAIN, book_of, comparable, parts_of, sheet_xml, zip_of

STRINGS = (
    f'<sst xmlns="{MAIN}"><si><t>zero</t></si><si><t xml:space="preserve"> one </t></si><si><t>&lt;2</t></si></sst>'
)

KEPT = ' xml:space="preserve"'
CELLS = [
    '<c r="{c}{r}"><v>{r}</v></c>',
    '<c r="{c}{r}" s="1"><v>1.5</v></c>',
    '<c r="{c}{r}" t="s"><v>2</v></c>',
    '<c r="{c}{r}" t="b"><v>1</v></c>',
    '<c r="{c}{r}" t="e"><v>#N/A</v></c>',
    '<c r="{c}{r}" t="str"><f>A{r}&amp;"x"</f><v>t{r}</v></c>',
    '<c r="{c}{r}" t="str"><f>A{r}</f><v></v></c>',
    '<c r="{c}{r}" t="str"><f>A{r}</f><v/></c>',
    '<c r="{c}{r}"><f>A{r}+$B$1*Z{p}</f><v>{r}.25</v></c>',
    '<c r="{c}{r}"><f>IF(A{r}&gt;3,&quot;y&quot;,A{p})</f><v>0</v></c>',
    '<c r="{c}{r}"><f>A{r}*{r}</f><v>0</v></c>',
    '<c r="{c}{r}"><f>A{r}%+"100%"</f></c>',
    '<c r="{c}{r}"><f>A{r}</f><v></v></c>',
    '<c r="{c}{r}"><f t="shared" si="7"/><v>3</v></c>',
    '<c r="{c}{r}"><f t="array" ref="{c}{r}">SUM(A{r})</f><v>3</v></c>',
    '<c r="{c}{r}"><f ca="1"/><v>3</v></c>',
    '<c r="{c}{r}" s="2"/>',
    '<c r="{c}{r}" t="inlineStr"><is><t>in {r}_x000D_&amp;</t></is></c>',
    '<c r="{c}{r}" t="inlineStr"><is><t>same</t></is></c>',
    '<c r="{c}{r}" t="inlineStr" s="2"><is><t xml:space="preserve"> kept {r} </t></is></c>',
    '<c r="{c}{r}" t="inlineStr"><is><t>&lt;&#65;&#x42;_x005F_ é</t></is></c>',
    '<c r="{c}{r}" t="inlineStr"><is><t></t></is></c>',
    '<c r="{c}{r}" t="inlineStr"><is><t/></is></c>',
    '<c r="{c}{r}" t="inlineStr"><is/></c>',
    '<c r="{c}{r}" t="inlineStr"><is><r><t>ri</t></r><r><rPr><b/></rPr><t>ch {r}</t></r></is></c>',
    '<c r="{c}{r}" t="inlineStr"><is><t>han</t><rPh sb="0" eb="1"><t>hint</t></rPh></is></c>',
    '<c r="{c}{r}" t="inlineStr"><is><t><![CDATA[<{r}>]]></t></is></c>',
    '<c r="{c}{r}" t="inlineStr"><f>A{r}</f><is><t>computed {r}</t></is></c>',
    '<c r="{c}{r}" t="inlineStr"><v>in v {r}</v></c>',
    '<c r="{c}{r}"><is><t>{r}</t></is></c>',
    '<c r="{c}{r}" t="str"><f>A{r}</f><v>&#{r};&amp;_x0041_</v></c>',
    '<c r="{c}{r}" t="e"><f>A{r}</f><v>#DIV/0!</v></c>',
    '<c r="{c}{r}" t="b"><f>A{r}</f><v></v></c>',
    '<c r="{c}{r}" t="str"><v xml:space="preserve"> a&#10;_x000D_ </v></c>',
    '<c t="n" r="{c}{r}"><v>4</v></c>',
    "<c><v>5</v></c>",
    '<c r="{c}{r}"><v><![CDATA[6]]></v></c>',
    '<c r="{c}{r}"><!-- </row> --><v>7</v></c>',
    '<c r="{c}{r}">\r\n<v>8</v></c>',
    '<c r="{c}{r}"><v>1_000</v></c>',
    '<c r="{c}{r}"><v/></c>',
    '<c r="{c}{r}" vm="1" t="e"><v>#VALUE!</v></c>',
    '<c r="{c}{r}" t="d"><v>2024-05-06</v></c>',
]
HEADS = [
    '<row r="{r}">',
    '<row r="{r}" spans="1:9" ht="15">',
    '<row r="{r}" hidden="1">',
    "<row>",
    '<row hidden="true" r="{r}">',
]
STYLES = f'<styleSheet xmlns="{MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="9"/><xf numFmtId="14"/></cellXfs></styleSheet>'


@st.composite
def sheets(draw: st.DrawFn) -> str:
    """Bands of rows of one layout, as filled-down models have them, with odd rows between."""
    text = '<row r="1"><c r="Z1"><f t="shared" si="7" ref="Z1:Z9">A1+1</f><v>1</v></c></row>'
    row = 2
    for _ in range(draw(st.integers(1, 4))):
        layout = draw(st.lists(st.sampled_from(CELLS), min_size=0, max_size=4))
        head = draw(st.sampled_from(HEADS))
        for _ in range(draw(st.sampled_from([1, 2, 3, 5, 12, 300]))):
            cells = "".join(cell.format(c="ABCD"[n], r=row, p=row - 1) for n, cell in enumerate(layout))
            text += (head.format(r=row) + cells + "</row>") if cells else f'<row r="{row}"/>'
            row += 1
        row += draw(st.integers(0, 2)) if head != "<row>" else 0
    return text


def same_both_ways(data: bytes) -> None:
    outcomes = []
    for fast in (True, False):
        try:
            outcomes.append(comparable(read(data, fast=fast)))
        except WorkbookError as error:
            outcomes.append((type(error).__name__, error.reason))
    assert outcomes[0] == outcomes[1]


@given(sheets())
@settings(max_examples=120, deadline=None)
def test_same_workbook_both_ways(rows: str) -> None:
    same_both_ways(zip_of(parts_of(sheet_xml(rows), strings=STRINGS, styles=STYLES)))


@given(sheets(), st.integers(40, 4000))
@settings(max_examples=25, deadline=None)
def test_pieces_of_any_size_give_the_same(rows: str, size: int) -> None:
    data = zip_of(parts_of(sheet_xml(rows), strings=STRINGS, styles=STYLES))
    before = archive.CHUNK
    try:
        archive.CHUNK = size * 8
        same_both_ways(data)
    finally:
        archive.CHUNK = before


@pytest.mark.parametrize(
    "rows",
    [
        '<!-- <row r="1"><c r="A1"><v>9</v></c></row> --><row r="1"><c r="A1"><v>1</v></c></row>',
        '<?pi </row><row r="1"><c r="A1"><v>9</v></c></row> ?><row r="2"><c r="A2"><v>1</v></c></row>',
        "".join(f'<row r="{n}"><c r="A{n}" t="str"><v><!--x-->{n}</v></c></row>' for n in range(1, 9)),
        "".join(f'<row r="{n}"><c r="A{n}"><f>A{n}+1</f><v>{n}</v></c></row>' for n in range(1, 900, 2)),
        "".join(
            f'<row r="{n}"><c r="A{n}"><f>B{n - 1 if n > 400 else n}</f><v>{n}</v></c></row>' for n in range(2, 900)
        ),
        "".join(
            f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{"" if n % 3 else " "}{n % 7}</t></is></c></row>'
            + (KEPT if n == 500 else "")
            for n in range(2, 900)
        ),
        "".join(
            f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t{KEPT if n == 700 else ""}>{n}</t></is></c></row>'
            for n in range(2, 900)
        ),
        "".join(
            f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{"&nbsp;" if n == 800 else n}</t></is></c></row>'
            for n in range(2, 900)
        ),
        "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>{4 if n == 800 else 0}</v></c></row>' for n in range(2, 900)),
        "".join(f'<row r="{n}"><c r="A{n}"><v>{"inf" if n == 800 else 0}</v></c></row>' for n in range(2, 900)),
    ],
)
def test_traps(rows: str) -> None:
    same_both_ways(book_of(rows))


def test_prefixes_and_other_encodings_go_to_expat() -> None:
    rows = '<row r="1"><c r="A1" t="str"><f>1</f><v>é</v></c></row>'
    prefixed = sheet_xml(rows).replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?xml", "<?xml")
    prefixed = prefixed.replace("xmlns=", "xmlns:x=")
    latin = sheet_xml(rows).replace("UTF-8", "ISO-8859-1").encode("latin-1")
    wide = sheet_xml(rows).replace("UTF-8", "UTF-16").encode("utf-16")
    expected = comparable(read(book_of(rows)))
    for xml in (prefixed, latin, wide):
        assert comparable(read(zip_of(parts_of(xml)))) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "texts",
    [
        '<c r="B{n}" t="s"><v>0</v></c>',
        '<c r="B{n}" t="inlineStr"><is><t>in the cell, &amp; {n}</t></is></c>',
        '<c r="B{n}" t="str"><f>A{n}&amp;""</f><v>{n}</v></c>',
        '<c r="B{n}" t="b"><v>1</v></c>',
    ],
)
def test_regular_rows_never_reach_expat(monkeypatch: pytest.MonkeyPatch, texts: str) -> None:
    """Guards the speed: the usual rows are not read by the slow way, nor one by one."""
    rows = "".join(
        f'<row r="{n}" spans="1:3"><c r="A{n}"><v>{n}</v></c>{texts.format(n=n)}'
        f'<c r="C{n}"><f>A{n}*2+C{n - 1}</f><v>{n}</v></c></row>'
        for n in range(2, 3000)
    )
    seen: list[int] = []
    cells: list[int] = []
    original, one_by_one = SheetParser.feed, Gatherer.cell

    def feed(self: SheetParser, chunk: bytes) -> None:
        seen.append(len(chunk))
        original(self, chunk)

    def cell(self: Gatherer, row: int, *rest: Any) -> int | None:
        cells.append(row)
        return one_by_one(self, row, *rest)

    monkeypatch.setattr(SheetParser, "feed", feed)
    monkeypatch.setattr(Gatherer, "cell", cell)
    book = read(zip_of(parts_of(sheet_xml(rows), strings=STRINGS)))
    assert sum(seen) < 1000
    assert len(cells) < 60
    assert sum(block.rect.size for sheet in book.sheets for block in sheet.blocks) >= 2998
