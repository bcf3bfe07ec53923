"""Zip files that no program would write: entries that overlap, lie about their sizes, come by the ten thousand."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from tests.unit.workbook.books import parts_of, sheet_xml

ONE_CELL = '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><f>A1*2</f><v>2</v></c></row>'


@dataclass(frozen=True)
class Part:
    """An entry as it is to be written: ``size`` is what the directory says."""

    name: str
    packed: bytes
    size: int
    crc: int
    method: int = 8
    at: int | None = None  #: of the local header, when it is not where it should be


def deflated(name: str, data: bytes, *, size: int | None = None) -> Part:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    return Part(name, packed, len(data) if size is None else size, zlib.crc32(data))


def zeros(name: str, size: int) -> Part:
    """``size`` blanks, packed without ever being in memory at once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece, crc, packed = b" " * 2**20, 0, []
    for _ in range(size // len(piece)):
        crc = zlib.crc32(piece, crc)
        packed.append(packer.compress(piece))
    packed.append(packer.flush())
    return Part(name, b"".join(packed), size // len(piece) * len(piece), crc)


def write(parts: list[Part]) -> bytes:
    """A zip of the parts; those with ``at`` have no bytes of their own."""
    body, directory = bytearray(), bytearray()
    for part in parts:
        name = part.name.encode()
        at = len(body) if part.at is None else part.at
        if part.at is None:
            body += struct.pack(
                "<4s2B4HL2L2H", b"PK\3\4", 20, 0, 0x800, part.method, 0, 0, part.crc, len(part.packed),
                part.size & 0xFFFF_FFFF, len(name), 0,
            )  # fmt: skip
            body += name + part.packed
        directory += struct.pack(
            "<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0x800, part.method, 0, 0, part.crc, len(part.packed),
            part.size & 0xFFFF_FFFF, len(name), 0, 0, 0, 0, 0, at,
        )  # fmt: skip
        directory += name
    count = min(len(parts), 0xFFFE)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return bytes(body + directory + end)


def workbook_and(*parts: Part, **more: str | bytes) -> bytes:
    """A whole workbook with further parts; ``more`` replaces parts by the name without what is not a letter."""
    return write([*plain_parts(), *parts])


def plain_parts(*sheets: str) -> list[Part]:
    found = parts_of(*(sheets or (sheet_xml(ONE_CELL),)))
    return [deflated(name, text.encode() if isinstance(text, str) else text) for name, text in found.items()]
