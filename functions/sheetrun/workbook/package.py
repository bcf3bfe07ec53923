"""Opens what was uploaded: tells a workbook from everything else, and finds its parts whatever they are called.

An .xlsx is a zip of parts (ECMA-376 part 2): ``_rels/.rels`` names the workbook part, each part's own ``.rels`` the
parts that it uses. Nothing here trusts a conventional path such as ``xl/workbook.xml``.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

from sheetrun.records import dataclass
from sheetrun.workbook.archive import Archive, Entry, Limits, open_archive
from sheetrun.workbook.errors import DamagedWorkbook, LimitExceeded, NotAWorkbook, UnsupportedFormat
from sheetrun.workbook.markup import read_elements

__all__ = ["Limits", "Package", "Relationship", "load_source", "open_package"]

_WORKBOOK_TYPES = ("spreadsheetml.sheet.main+xml", "ms-excel.sheet.macroenabled.main+xml", "template")


@dataclass(frozen=True, slots=True)
class Relationship:
    """``kind`` is the last word of the type URI ("worksheet"), ``target`` a part name, or a URL when external."""

    id: str
    kind: str
    target: str
    external: bool


class Package:
    """The parts of one workbook file, found by name in any case."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._entries = {entry.name.lower(): entry for entry in archive.entries}
        self._defaults: dict[str, str] = {}
        self._overrides: dict[str, str] = {}
        self.workbook = ""  #: the name of the workbook part
        self._relationships: dict[str, dict[str, Relationship]] = {}
        # Each part is read once, small ones twice. More means that parts refer to the same one again and again.
        self._left = 2 * sum(entry.size for entry in archive.entries) + 2**24

    def entry(self, part: str) -> Entry:
        """Raises DamagedWorkbook when the part is missing."""
        entry = self._entries.get(part.lower())
        if entry is None:
            raise DamagedWorkbook("A part is missing from the file.", part=part, code="missing_part")
        return entry

    def has(self, part: str) -> bool:
        return part.lower() in self._entries

    def chunks(self, part: str) -> Iterator[bytes]:
        """The part's bytes. Raises DamagedWorkbook, LimitExceeded (a part is used far too often)."""
        entry = self.entry(part)
        self._left -= entry.size + 1024
        if self._left < 0:
            raise LimitExceeded("The part is used again and again.", part=part, code="file_too_large")
        return self.archive.chunks(entry)

    def size(self, part: str) -> int:
        """Bytes, uncompressed."""
        return self.entry(part).size

    def content_type(self, part: str) -> str:
        """In lower case; "" when the file does not say."""
        override = self._overrides.get("/" + part.lower())
        return override or self._defaults.get(part.rpartition(".")[2].lower(), "")

    def relationships(self, part: str) -> dict[str, Relationship]:
        """What the part refers to, by relationship id; empty when it has no ``.rels``. "" is the package itself."""
        if part in self._relationships:
            return self._relationships[part]
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", name + ".rels")
        if not self.has(rels):
            return {}
        found = self._relationships[part] = {}
        for tag, attributes in read_elements(self.chunks(rels), rels):
            if tag == "Relationship":
                external = attributes.get("TargetMode") == "External"
                target = attributes.get("Target", "")
                if not external:
                    target = posixpath.normpath(posixpath.join("/", folder, _unquoted(target.replace("\\", "/"))))
                    target = target.lstrip("/")
                kind = attributes.get("Type", "").rpartition("/")[2]
                relationship = Relationship(attributes.get("Id", ""), kind, target, external)
                found[relationship.id] = relationship
        return found

    def related(self, part: str, kind: str) -> str | None:
        """The first part of that kind that ``part`` refers to and that is there."""
        for relationship in self.relationships(part).values():
            if relationship.kind == kind and not relationship.external and self.has(relationship.target):
                return relationship.target
        return None

    def _read_content_types(self) -> None:
        part = "[Content_Types].xml"
        for tag, attributes in read_elements(self.chunks(part), part):
            if tag == "Default":
                self._defaults[attributes.get("Extension", "").lower()] = attributes.get("ContentType", "").lower()
            elif tag == "Override":
                self._overrides[attributes.get("PartName", "").lower()] = attributes.get("ContentType", "").lower()


def load_source(source: bytes | str | os.PathLike[str], limits: Limits) -> bytes:
    """The bytes of a file given as bytes or as a path. Raises LimitExceeded before reading a file that is too large."""
    size = len(source) if isinstance(source, bytes) else os.stat(source).st_size
    if size > limits.file_bytes:
        raise LimitExceeded(
            f"The file has {size:,} bytes; the limit is {limits.file_bytes:,}.", code="file_too_large", part=None
        )
    if isinstance(source, bytes):
        return source
    with open(source, "rb") as file:
        return file.read()


def open_package(data: bytes, limits: Limits) -> Package:
    """Checks the file and finds its workbook part.

    Raises NotAWorkbook, UnsupportedFormat, DamagedWorkbook, LimitExceeded; each says what to do.
    """
    if not data.startswith(b"PK\x03\x04"):
        raise _what_it_is(data)
    package = Package(open_archive(data, limits))
    _refuse_other_zips(package)
    package._read_content_types()
    part = package.related("", "officeDocument")
    if part is None:
        raise DamagedWorkbook("The file does not say where its workbook is.", part="_rels/.rels", code="missing_part")
    kind = package.content_type(part)
    if "sheet.binary" in kind:
        raise _xlsb()
    if "wordprocessingml" in kind or "presentationml" in kind or "ms-word" in kind or "ms-powerpoint" in kind:
        raise NotAWorkbook(
            "This is a Word or PowerPoint document. Upload an Excel workbook (.xlsx).", code="other_office_document"
        )
    if kind and not any(word in kind for word in _WORKBOOK_TYPES) and kind not in ("application/xml", "text/xml"):
        raise NotAWorkbook(f"The main part is not a workbook ({kind}). Upload an .xlsx or .xlsm file.", part=part)
    package.workbook = part
    return package


def _xlsb() -> UnsupportedFormat:
    return UnsupportedFormat(
        "This is a binary workbook (.xlsb). Open it in Excel and save it as .xlsx.", code="binary_xlsb"
    )


def _refuse_other_zips(package: Package) -> None:
    if package.has("mimetype"):
        mime = package.archive.read(package.entry("mimetype"))[:200].decode("ascii", "replace")
        if "opendocument.spreadsheet" in mime:
            raise UnsupportedFormat(
                "This is an OpenDocument spreadsheet (.ods). Save it as .xlsx and upload that.", code="opendocument"
            )
        if "opendocument" in mime:
            raise NotAWorkbook("This is an OpenDocument text or drawing, not a workbook.", code="other_office_document")
    if package.has("xl/workbook.bin"):
        raise _xlsb()
    if package.has("Index/Document.iwa") or package.has("Index.zip"):
        raise UnsupportedFormat(
            "This is an Apple Numbers or Pages document. Export it to Excel (.xlsx) and upload that.",
            code="apple_numbers",
        )
    if not package.has("[Content_Types].xml"):
        raise NotAWorkbook(
            "This is a zip, but not a workbook. If the workbook is inside, unpack it and upload it.", code="plain_zip"
        )


#: First bytes -> (what it is, code). Longest first where one begins like another.
_SIGNATURES = (
    (b"%PDF", "a PDF document", "pdf"),
    (b"{\\rtf", "an RTF document", "rtf"),
    (b"\x89PNG", "an image", "image"),
    (b"\xff\xd8\xff", "an image", "image"),
    (b"GIF8", "an image", "image"),
    (b"\x1f\x8b", "a gzip archive", "archive"),
    (b"7z\xbc\xaf", "a 7z archive", "archive"),
    (b"Rar!", "a RAR archive", "archive"),
    (b"PAR1", 'a Parquet file: upload it with kind "dataset"', "parquet"),
    (b"MZ", "a program", "program"),
    (b"\x7fELF", "a program", "program"),
    (b"SQLite format 3", "a database", "database"),
)
_LEGACY_BIFF = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x10\x00", b"\x09\x08\x08\x00")


def _what_it_is(data: bytes) -> NotAWorkbook | UnsupportedFormat | DamagedWorkbook:
    """The error for a file that is no zip."""
    if not data:
        return NotAWorkbook("The file is empty.", code="empty_file")
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole_document(data)
    if data.startswith(_LEGACY_BIFF):
        return _legacy_xls()
    if data.startswith(b"PK"):
        return _truncated_start()
    for signature, what, code in _SIGNATURES:
        if data.startswith(signature):
            return NotAWorkbook(f"This is {what}, not an Excel workbook (.xlsx).", code=code)
    head = data[:4096]
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        return UnsupportedFormat(
            "This is an XML spreadsheet of Excel 2003. Open it in Excel and save it as .xlsx.", code="xml_spreadsheet"
        )
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html", b"<table")):
        return NotAWorkbook(
            "This is a web page. If Excel opens it, save it there as .xlsx and upload that.", code="html"
        )
    if _looks_like_text(head):
        return NotAWorkbook(
            'This is a text file, not an Excel workbook. For a CSV, upload it with kind "dataset".', code="text_file"
        )
    return NotAWorkbook("This is not an Excel workbook (.xlsx or .xlsm).")


def _truncated_start() -> DamagedWorkbook:
    return DamagedWorkbook("The zip has no readable start. Upload the file again.", code="truncated_zip")


def _legacy_xls() -> UnsupportedFormat:
    return UnsupportedFormat(
        "This is a workbook of Excel 97-2003 (.xls). Open it in Excel and save it as .xlsx.", code="legacy_xls"
    )


def _ole_document(data: bytes) -> NotAWorkbook | UnsupportedFormat:
    """OLE2 compound files: names of their streams are UTF-16 (MS-CFB 2.6.1)."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return UnsupportedFormat(
            "The workbook is encrypted. Remove the password (File > Info > Protect Workbook) and upload it again.",
            code="encrypted_workbook",
        )
    if "Workbook".encode("utf-16-le") in data or "Book\0".encode("utf-16-le") in data:
        return _legacy_xls()
    return NotAWorkbook("This is an old Office document, not a workbook (.xlsx).", code="other_office_document")


def _looks_like_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return True
    return not any(byte < 32 and byte not in (9, 10, 12, 13) for byte in head)


def _unquoted(target: str) -> str:
    if "%" not in target:
        return target
    from urllib.parse import unquote  # few files need it, and it brings much

    return unquote(target)
