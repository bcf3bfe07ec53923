"""What is refused, and with which code: everything that is no workbook, or that is made to hurt."""

# ruff: noqa: E501  (XML reads best on one line)
from __future__ import annotations

import gzip
import struct
import zipfile

import pytest

from sheetrun.workbook.archive import open_archive
from sheetrun.workbook.errors import DamagedWorkbook, LimitExceeded, NotAWorkbook, UnsupportedFormat, WorkbookError
from sheetrun.workbook.package import Limits
from sheetrun.workbook.reader import read

from .books import book_of, parts_of, sheet_xml, zip_of

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
ROW = '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row>'


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (b"", NotAWorkbook, "empty_file"),
        (b"a,b\n1,2\n", NotAWorkbook, "text_file"),
        ("a;b\nä;ö".encode("utf-16"), NotAWorkbook, "text_file"),
        (b"%PDF-1.7 ...", NotAWorkbook, "pdf"),
        (b"<html><table>", NotAWorkbook, "html"),
        (b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'>", UnsupportedFormat, "xml_spreadsheet"),
        (gzip.compress(b"x"), NotAWorkbook, "archive"),
        (b"\x00\x01\x02\x03", NotAWorkbook, "not_a_workbook"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), UnsupportedFormat, "encrypted_workbook"),
        (OLE + "Workbook".encode("utf-16-le"), UnsupportedFormat, "legacy_xls"),
        (OLE + "WordDocument".encode("utf-16-le"), NotAWorkbook, "other_office_document"),
        (b"\x09\x08\x10\x00\x00\x06", UnsupportedFormat, "legacy_xls"),
        (zip_of({"a.txt": "x"}), NotAWorkbook, "plain_zip"),
        (zip_of({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), UnsupportedFormat, "opendocument"),
        (zip_of({"xl/workbook.bin": b"x", "[Content_Types].xml": "<Types/>"}), UnsupportedFormat, "binary_xlsb"),
        (zip_of({"Index/Document.iwa": b"x"}), UnsupportedFormat, "apple_numbers"),
    ],
)  # fmt: skip
def test_says_what_the_file_is(data: bytes, error: type[WorkbookError], reason: str) -> None:
    with pytest.raises(error) as caught:
        read(data)
    assert caught.value.reason == reason
    assert caught.value.detail.endswith(".")


def test_word_document_is_told_apart() -> None:
    parts = parts_of(sheet_xml(ROW))
    types = str(parts["[Content_Types].xml"]).replace("spreadsheetml.sheet.main", "wordprocessingml.document.main")
    with pytest.raises(NotAWorkbook) as caught:
        read(zip_of(parts | {"[Content_Types].xml": types}))
    assert caught.value.reason == "other_office_document"


@pytest.mark.parametrize("keep", [30, 200, 700, -1, -22, -60])
def test_truncated_file_is_damaged(keep: int) -> None:
    data = book_of(ROW)
    with pytest.raises(DamagedWorkbook):
        read(data[:keep])


def test_every_flipped_byte_is_read_or_refused() -> None:
    data = book_of(ROW)
    for position in range(0, len(data), 3):
        changed = bytearray(data)
        changed[position] ^= 0x5A
        try:
            read(bytes(changed))
        except WorkbookError:
            continue


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "C:/x", "a\\..\\..\\b"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    parts = parts_of(sheet_xml(ROW))
    with pytest.raises(DamagedWorkbook) as caught:
        read(zip_of(parts | {name: "x"}))
    assert caught.value.reason == "unsafe_name"


def test_duplicate_parts_are_refused() -> None:
    parts = parts_of(sheet_xml(ROW))
    with pytest.raises(DamagedWorkbook) as caught:
        read(zip_of(parts | {"XL/Workbook.xml": "x"}))
    assert caught.value.reason == "duplicate_part"


def test_overlapping_parts_are_refused() -> None:
    data = bytearray(zip_of({"a": b"x" * 100, "b": b"x" * 100}, zipfile.ZIP_STORED))
    records = [at for at in range(len(data)) if data[at : at + 4] == b"PK\x01\x02"]
    first = struct.unpack_from("<L", data, records[0] + 42)[0]
    struct.pack_into("<L", data, records[1] + 42, first)
    with pytest.raises(DamagedWorkbook) as caught:
        open_archive(bytes(data), Limits())
    assert caught.value.reason == "overlapping_parts"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(file_bytes=100), "file_too_large"),
        (Limits(entries=3), "too_many_parts"),
        (Limits(part_bytes=50), "part_too_large"),
        (Limits(total_bytes=500), "file_too_large"),
        (Limits(compression_ratio=2, ratio_from=0), "compression_ratio"),
        (Limits(sheets=1), "too_many_sheets"),
        (Limits(cells=1), "too_many_cells"),
    ],
)
def test_limits(limits: Limits, reason: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        read(book_of(ROW * 1 + '<row r="2"><c r="A2"><v>1</v></c></row>', ROW), limits=limits)
    assert caught.value.reason == reason


def test_zip_bomb_is_refused_before_it_is_inflated() -> None:
    parts = parts_of(sheet_xml(ROW))
    with pytest.raises(LimitExceeded) as caught:
        read(zip_of(parts | {"xl/media/bomb.bin": bytes(32 * 2**20)}))
    assert caught.value.reason == "compression_ratio"


def test_wrong_size_in_the_directory_is_damage() -> None:
    data = bytearray(book_of(ROW))
    at = data.rindex(b"xl/worksheets/sheet1.xml") - 46
    struct.pack_into("<L", data, at + 24, 10)
    with pytest.raises(DamagedWorkbook):
        read(bytes(data))


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "_rels/.rels"])
@pytest.mark.parametrize("prolog", ["<!DOCTYPE x [<!ENTITY a 'b'>]>", "<!DOCTYPE x SYSTEM 'file:///etc/passwd'>"])
def test_document_types_are_refused(part: str, prolog: str) -> None:
    parts = parts_of(sheet_xml(ROW), strings="<sst><si><t>a</t></si></sst>")
    text = str(parts[part])
    at = text.index("?>") + 2 if text.startswith("<?xml") else 0
    with pytest.raises(DamagedWorkbook) as caught:
        read(zip_of(parts | {part: text[:at] + prolog + text[at:]}))
    assert caught.value.reason == "xml_entities"
    assert caught.value.part == part


def test_one_part_used_a_thousand_times_is_refused() -> None:
    entries = "".join(f'<sheet name="x{n}" sheetId="{n + 9}" r:id="s1"/>' for n in range(1500))
    big = sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>' + f"<!--{'x' * 200_000}-->")
    parts = parts_of(big)
    text = str(parts["xl/workbook.xml"]).replace("</sheets>", entries + "</sheets>")
    with pytest.raises(LimitExceeded) as caught:
        read(zip_of(parts | {"xl/workbook.xml": text}))
    assert caught.value.reason == "file_too_large"


def test_strict_namespaces_and_odd_paths() -> None:
    from .books import STRICT_MAIN, STRICT_RELS, sheet_values

    parts = parts_of(sheet_xml(ROW, main=STRICT_MAIN), main=STRICT_MAIN, rels=STRICT_RELS)
    book = read(zip_of(parts))
    assert sheet_values(book) == {(0, 0): 2.0}
    moved = {name.replace("xl/", "Model/Deep/"): text for name, text in parts_of(sheet_xml(ROW)).items()}
    moved["_rels/.rels"] = str(moved["_rels/.rels"]).replace("xl/workbook.xml", "/Model/Deep/workbook.xml")
    moved["[Content_Types].xml"] = str(moved["[Content_Types].xml"]).replace("/xl/", "/Model/Deep/")
    assert sheet_values(read(zip_of(moved))) == {(0, 0): 2.0}
