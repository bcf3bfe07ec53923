"""Hostile workbooks by name: how to make each, and the codes with which it may end ("" means that it was computed)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from tests.security.evil.zips import ONE_CELL, Part, deflated, plain_parts, write, zeros
from tests.unit.workbook.books import HEAD, MAIN, RELS, parts_of, relationships, sheet_xml, zip_of

MIB = 2**20


@dataclass(frozen=True)
class Case:
    """``codes``: of the refusal, or of the cells that were not computed."""

    make: Callable[[], bytes]
    codes: frozenset[str]


CASES: dict[str, Case] = {}


def case(*codes: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    def register(make: Callable[[], bytes]) -> Callable[[], bytes]:
        CASES[make.__name__.replace("_", " ")] = Case(make, frozenset(codes))
        return make

    return register


def one_sheet(rows: str = ONE_CELL, before: str = "", after: str = "", **more: str) -> bytes:
    return zip_of(parts_of(sheet_xml(rows, before, after), **more))


def changed(**parts: str | bytes) -> bytes:
    """A workbook with some parts replaced: keys are file names with ``__`` for ``/`` and ``_`` for the dot."""
    found = parts_of(sheet_xml(ONE_CELL))
    for key, content in parts.items():
        name = next(name for name in found if name.replace("/", "__").replace(".", "_") == key)
        found[name] = content
    return zip_of(found)


# ---- the zip ----------------------------------------------------------------------------------------------------------


@case("compression_ratio")
def a_part_of_nothing_but_blanks() -> bytes:
    return write([*plain_parts(), zeros("xl/media/blank.xml", 256 * MIB)])


@case("compression_ratio")
def a_sheet_of_nothing_but_blanks() -> bytes:
    parts = [part for part in plain_parts() if "sheet1" not in part.name]
    return write([*parts, zeros("xl/worksheets/sheet1.xml", 256 * MIB)])


@case("compression_ratio", "file_too_large")
def twenty_parts_just_under_the_limit() -> bytes:
    return write([*plain_parts(), *(zeros(f"xl/media/{n}.xml", 15 * MIB) for n in range(20))])


@case("plain_zip")
def a_zip_in_a_zip_in_a_zip() -> bytes:
    data = b" " * MIB
    for depth in range(20):
        data = zip_of({f"{depth}.zip": data})
    return data


@case("")
def a_bomb_that_nobody_opens() -> bytes:
    return zip_of(parts_of(sheet_xml(ONE_CELL), extra={"xl/media/x.zip": zip_of({"y": b" " * 15 * MIB})}))


@case("overlapping_parts", "compression_ratio")
def parts_that_share_their_bytes() -> bytes:
    kernel = deflated("xl/media/0", b" " * 10 * MIB)
    at = len(write([*plain_parts(), kernel])) - len(write(plain_parts()))
    start = write([*plain_parts(), kernel]).index(b"xl/media/0") - 30
    copies = [Part(f"xl/media/{n}", kernel.packed, kernel.size, kernel.crc, at=start) for n in range(1, 500)]
    assert at > 0
    return write([*plain_parts(), kernel, *copies])


@case("too_many_parts")
def thirty_thousand_parts() -> bytes:
    return write([*plain_parts(), *(Part(f"x/{n}", b"", 0, 0, method=0) for n in range(30_000))])


@case("damaged_workbook")
def a_part_longer_than_the_directory_says() -> bytes:
    parts = [part for part in plain_parts() if "sheet1" not in part.name]
    return write([*parts, deflated("xl/worksheets/sheet1.xml", b" " * 15 * MIB, size=1000)])


@case("part_too_large")
def a_part_of_four_gigabytes_by_its_own_account() -> bytes:
    return write([*plain_parts(), Part("xl/media/x", b"\3\0", 0xFFFF_FFF0, 0)])


@case("truncated_zip", "part_too_large")
def a_part_of_eight_exabytes_by_its_own_account() -> bytes:
    data = bytearray(write([*plain_parts(), Part("xl/media/x", b"\3\0", 0xFFFF_FFFF, 0)]))
    end = data.rindex(b"PK\5\6")
    at = data.rindex(b"PK\1\2")
    extra = struct.pack("<HHQ", 1, 8, 2**63 - 1)
    data[at + 30 : at + 32] = struct.pack("<H", len(extra))
    data[end:end] = extra
    size = struct.unpack_from("<L", data, end + len(extra) + 12)[0]
    struct.pack_into("<L", data, end + len(extra) + 12, size + len(extra))
    return bytes(data)


def _named(name: str) -> Callable[[], bytes]:
    return lambda: write([*plain_parts(), deflated(name, b"x")])


for _name in ("../../etc/cron.d/x", "/etc/passwd", "..\\..\\x", "C:/x", "a/../../x", "x\0.xml"):
    CASES[f"a part called {_name!r}"] = Case(_named(_name), frozenset({"unsafe_name"}))


@case("duplicate_part")
def two_parts_of_one_name() -> bytes:
    return write([*plain_parts(), deflated("XL/Workbook.xml", b"<other/>")])


# ---- XML --------------------------------------------------------------------------------------------------------------

_LAUGHS = (
    "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 20)) + "]>"
)
_OUTSIDE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
_DTD = '<!DOCTYPE x SYSTEM "http://169.254.169.254/latest/meta-data/">'
_PARAMETER = '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://169.254.169.254/"> %p;]>'


def _with_prolog(part: str, prolog: str, inside: str) -> Callable[[], bytes]:
    def make() -> bytes:
        parts = parts_of(sheet_xml(ONE_CELL), strings=f'{HEAD}<sst xmlns="{MAIN}"><si><t>x</t></si></sst>')
        text = parts[part]
        assert isinstance(text, str)
        head, _, rest = text.partition("?>\n")
        parts[part] = f"{head}?>\n{prolog}{rest.replace('<si><t>x', f'<si><t>{inside}')}"
        return zip_of(parts)

    return make


for _part in (
    "[Content_Types].xml",
    "_rels/.rels",
    "xl/workbook.xml",
    "xl/sharedStrings.xml",
    "xl/worksheets/sheet1.xml",
):
    for _kind, (_prolog, _inside) in {
        "billion laughs": (_LAUGHS, "&a19;"),
        "an external entity": (_OUTSIDE, "&e;"),
        "an external document type": (_DTD, ""),
        "a parameter entity": (_PARAMETER, ""),
    }.items():
        CASES[f"{_kind} in {_part}"] = Case(_with_prolog(_part, _prolog, _inside), frozenset({"xml_entities"}))


@case("", "bad_xml", "too_deep")
def a_million_elements_deep() -> bytes:
    return one_sheet(after="<x>" * 1_000_000 + "</x>" * 1_000_000)


@case("bad_xml", "too_deep")
def a_million_elements_deep_and_never_closed() -> bytes:
    return one_sheet(after="<x>" * 1_000_000)


@case("token_too_long")
def an_element_with_a_million_attributes() -> bytes:
    return one_sheet(after="<x " + " ".join(f'a{n}=""' for n in range(1_000_000)) + "/>")


@case("token_too_long")
def a_tag_of_forty_megabytes() -> bytes:
    noise = b"".join(b"%032x" % (n * 2654435761 % 2**64) for n in range(40 * MIB // 32))
    return changed(
        xl__worksheets__sheet1_xml=sheet_xml(ONE_CELL, after="@").encode().replace(b"@", b'<x a="' + noise + b'"/>')
    )


# ---- dimensions -------------------------------------------------------------------------------------------------------


@case("")
def a_dimension_of_the_whole_sheet() -> bytes:
    return one_sheet(before='<dimension ref="A1:XFD1048576"/>')


for _row in ("999999999999", "-5", "0", "1e9", "1048577", "9" * 5000, "x"):

    def _odd_row(row: str = _row) -> bytes:
        return one_sheet(f'<row r="{row}"><c r="A{row}"><v>1</v></c><c r="B{row}"><f>1+1</f><v>2</v></c></row>')

    CASES[f"row {_row[:20]}"] = Case(_odd_row, frozenset({"bad_reference", "bad_value"}))

for _cell in ("ZZZZ1", "XFE1", "A" * 10_000 + "1", "1A", "", "$A$1", "A1:B2"):

    def _odd_cell(cell: str = _cell) -> bytes:
        return one_sheet(f'<row r="1"><c r="{cell}"><f>1+1</f><v>2</v></c></row>')

    CASES[f"cell {_cell[:20]!r}"] = Case(_odd_cell, frozenset({"bad_reference", "bad_value", ""}))


@case("")
def two_cells_at_the_ends_of_the_sheet() -> bytes:
    return one_sheet(ONE_CELL + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


@case("too_many_cells")
def ten_thousand_cells_far_from_each_other() -> bytes:
    rows = (
        f'<row r="{n * 100}"><c r="{_letters(n * 7 % 16384)}{n * 100}"><v>1</v></c></row>' for n in range(1, 10_000)
    )
    return one_sheet(ONE_CELL + "".join(rows))


def _letters(number: int) -> str:
    number += 1
    text = ""
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(65 + digit) + text
    return text


@case("too_many_cells")
def an_array_formula_over_the_whole_sheet() -> bytes:
    return one_sheet('<row r="1"><c r="A1"><f t="array" ref="A1:XFD1048576">1+1</f><v>2</v></c></row>')


@case("shared_formula_without_text")
def a_shared_formula_over_the_whole_sheet() -> bytes:
    return one_sheet(
        '<row r="1"><c r="A1"><f t="shared" si="0" ref="A1:XFD1048576">1+1</f><v>2</v></c>'
        '<c r="B1"><f t="shared" si="4294967296"/><v>2</v></c></row>'
    )


@case("too_many_cells")
def a_data_table_over_the_whole_sheet() -> bytes:
    return one_sheet('<row r="1"><c r="A1"><f t="dataTable" ref="A1:XFD1048576" r1="A1"/><v>2</v></c></row>')


@case("too_many_sheets")
def fifty_thousand_sheets_that_are_one() -> bytes:
    entries = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="s1"/>' for n in range(1, 50_000))
    book = f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELS}"><sheets>{entries}</sheets></workbook>'
    return changed(xl__workbook_xml=book)


@case("too_many_names")
def a_million_names() -> bytes:
    defined = "".join(f'<definedName name="name_{n}">1</definedName>' for n in range(1_000_000))
    return zip_of(parts_of(sheet_xml(ONE_CELL), workbook=f"<definedNames>{defined}</definedNames>"))


# ---- texts ------------------------------------------------------------------------------------------------------------


@case("text_too_long")
def a_shared_string_of_fifteen_megabytes() -> bytes:
    text = "x" * (15 * MIB)
    cells = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><f>A1&amp;A1</f><v>0</v></c></row>'
    return one_sheet(cells, strings=f'{HEAD}<sst xmlns="{MAIN}"><si><t>{text}</t></si></sst>')


@case("bad_value", "bad_reference", "damaged_workbook")
def a_shared_string_that_is_not_there() -> bytes:
    return one_sheet('<row r="1"><c r="A1" t="s"><v>99999999999</v></c><c r="B1"><f>1</f></c></row>')


# ---- parts beside the sheets: many small things in each ----------------------------------------------------------------

_MANY = 1_001_000


def _many(
    part: str, before: str, element: str, after: str, link: tuple[str, str, str], count: int = _MANY
) -> Callable[[], bytes]:
    def make() -> bytes:
        pieces: dict[str, str | bytes] = {part: before + element * count + after}
        return zip_of(parts_of(sheet_xml(ONE_CELL), extra=pieces, extra_rels=(link,)))

    return make


_STYLES = (f'<styleSheet xmlns="{MAIN}"><fonts>', "<b/>", "</fonts></styleSheet>", ("s", "styles", "styles.xml"))
_METADATA = (
    f'<metadata xmlns="{MAIN}"><cellMetadata>',
    "<bk/>",
    "</cellMetadata></metadata>",
    ("m", "sheetMetadata", "metadata.xml"),
)
_TEXTS = (f'<sst xmlns="{MAIN}"><si>', "<r/>", "</si></sst>", ("t", "sharedStrings", "sharedStrings.xml"))
CASES["a million fonts"] = Case(_many("xl/styles.xml", *_STYLES), frozenset({"too_many_elements"}))
CASES["a million pieces of metadata"] = Case(_many("xl/metadata.xml", *_METADATA), frozenset({"too_many_elements"}))
CASES["a text of very many runs"] = Case(_many("xl/sharedStrings.xml", *_TEXTS, 100_000), frozenset({""}))


@case("")
def a_name_of_a_sheet_that_is_not_there() -> bytes:
    defined = '<definedNames><definedName name="x" localSheetId="999999999">1</definedName></definedNames>'
    return zip_of(parts_of(sheet_xml(ONE_CELL), workbook=defined))


@case("")
def an_endless_iteration() -> bytes:
    rows = '<row r="1"><c r="B1"><f>B1+1</f><v>1</v></c></row>'
    return zip_of(
        parts_of(sheet_xml(rows), workbook='<calcPr iterate="1" iterateCount="4294967295" iterateDelta="0"/>')
    )


@case("")
def columns_in_a_comment() -> bytes:
    hidden = '<!-- <col min="1" max="999999999" style="1"/> -->'
    return one_sheet(before=f'<cols>{hidden}<col min="1" max="2" width="9"/></cols>')


@case("bad_reference")
def a_column_far_outside() -> bytes:
    return one_sheet(before='<cols><col min="1" max="999999999" width="9"/></cols>')


@case("")
def numbers_that_only_look_like_digits() -> bytes:
    return one_sheet(
        '<row r="1"><c r="A1" s="²"><v>1</v></c><c r="B1" s="³" cm="²" vm="³"><f>A1*2</f><v>2</v></c></row>'
    )


# ---- relationships, macros, links -------------------------------------------------------------------------------------


def _sheet_at(target: str, *, external: bool = False) -> Callable[[], bytes]:
    mode = ' TargetMode="External"' if external else ""
    rels = (
        f'{HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="s1" Type="{RELS}/worksheet" Target="{target}"{mode}/></Relationships>'
    )
    return lambda: changed(xl___rels__workbook_xml_rels=rels)


for _target, _external in (
    ("workbook.xml", False),
    ("../../../../../etc/passwd", False),
    ("/etc/passwd", False),
    ("file:///etc/passwd", False),
    ("file:///etc/passwd", True),
    ("http://169.254.169.254/sheet.xml", True),
    ("http://169.254.169.254/sheet.xml", False),
    ("_rels/workbook.xml.rels", False),
    ("", False),
    ("%00", False),
    ("%2e%2e/%2e%2e/etc/passwd", False),
):
    CASES[f"a sheet at {_target!r}{' outside' if _external else ''}"] = Case(
        _sheet_at(_target, external=_external),
        frozenset({"missing_part", "damaged_workbook", "bad_xml", "not_a_sheet", "no_formulas"}),
    )


@case("not_a_workbook")
def a_workbook_that_is_its_own_relationship() -> bytes:
    return changed(_rels___rels=relationships(("w", "officeDocument", "_rels/.rels")))


@case("")
def drawings_that_go_round() -> bytes:
    extra = {
        "xl/worksheets/_rels/sheet1.xml.rels": relationships(("d", "drawing", "../drawings/d.xml")),
        "xl/drawings/d.xml": "<x/>",
        "xl/drawings/_rels/d.xml.rels": relationships(
            ("d", "drawing", "d.xml"), ("s", "worksheet", "../worksheets/sheet1.xml")
        ),
    }
    return zip_of(parts_of(sheet_xml(ONE_CELL), extra=extra))


@case("too_many_elements")
def three_hundred_thousand_relationships() -> bytes:
    links = [("s1", "worksheet", "worksheets/sheet1.xml"), *((f"x{n}", "image", f"m/{n}") for n in range(300_000))]
    return changed(xl___rels__workbook_xml_rels=relationships(*links))


@case("")
def a_macro() -> bytes:
    """Neither it nor its signature is ever opened: see the test of what is read."""
    return zip_of(parts_of(sheet_xml(ONE_CELL), extra={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + b"Shell" * 1000}))


@case("external_link,bad_formula", "bad_formula", "external_link")
def links_to_other_workbooks() -> bytes:
    link = f'{HEAD}<externalLink xmlns="{MAIN}" xmlns:r="{RELS}"><externalBook r:id="e"/></externalLink>'
    extra = {
        "xl/externalLinks/externalLink1.xml": link,
        "xl/externalLinks/_rels/externalLink1.xml.rels": relationships(
            ("e", "externalLinkPath", "http://169.254.169.254/x.xlsx")
        ),
    }
    rows = (
        '<row r="1"><c r="B1"><f>[1]Sheet1!A1+1</f><v>2</v></c><c r="C1"><f>cmd|\' /C calc\'!A0</f><v>0</v></c></row>'
    )
    return zip_of(
        parts_of(
            sheet_xml(rows),
            workbook='<externalReferences><externalReference r:id="x1"/></externalReferences>',
            extra=extra,
            extra_rels=(("x1", "externalLink", "externalLinks/externalLink1.xml"),),
        )
    )
