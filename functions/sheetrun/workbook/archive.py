"""A zip file read with suspicion: its directory is checked before anything is inflated, and inflating has limits.

Own code in place of ``zipfile`` for two reasons: the checks come before the work (counts, sizes and overlaps are
known from the directory alone), and writing back needs the raw bytes of every entry. Layout: APPNOTE.TXT 6.3.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from sheetrun.records import dataclass
from sheetrun.workbook.errors import DamagedWorkbook, LimitExceeded, UnsupportedFormat

STORED, DEFLATED = 0, 8
CHUNK = 1 << 20

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_UTF8_FLAG, _DESCRIPTOR_FLAG, _ENCRYPTED_FLAGS = 0x800, 0x8, 0x1 | 0x40


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may cost, in the document's own units. The defaults fit a 3 GB function."""

    file_bytes: int = 512 * 2**20  #: the file as uploaded
    entries: int = 20_000  #: parts in the zip
    part_bytes: int = 2 * 2**30  #: one part, uncompressed
    total_bytes: int = 4 * 2**30  #: all parts, uncompressed
    compression_ratio: int = 400  #: uncompressed : compressed, for parts over ``ratio_from`` bytes
    ratio_from: int = 16 * 2**20
    sheets: int = 2_000
    cells: int = 40_000_000  #: cells held in grids, empty ones between others included
    strings: int = 20_000_000
    string_bytes: int = 512 * 2**20  #: the shared strings part, uncompressed: it is read as a whole
    text_length: int = 2**20  #: characters in one text; Excel's own limit is 32,767
    names: int = 200_000
    styles: int = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: where it lies in the file and what the directory says about it. Offsets in bytes."""

    name: str
    method: int
    crc: int
    compressed: int
    size: int
    header: int  #: of the local header
    data: int  #: of the compressed bytes
    central: tuple[int, int]  #: first byte of its directory record, and the byte after it


@dataclass(frozen=True, slots=True)
class Archive:
    """``entries`` in directory order. ``directory`` is where the central directory starts, ``tail`` what follows it."""

    data: bytes
    entries: tuple[Entry, ...]
    directory: int
    tail: int

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """The entry's bytes, inflated piece by piece; never more than the directory promised.

        Raises DamagedWorkbook when they are cut off, too long, or do not fit their checksum.
        """
        crc = 0
        total = 0
        for chunk in _inflate(self.data, entry):
            total += len(chunk)
            if total > entry.size:
                raise DamagedWorkbook("The part is longer than the zip directory says.", part=entry.name)
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if total != entry.size or crc != entry.crc:
            raise DamagedWorkbook("The part is cut off or changed (checksum).", part=entry.name, code="bad_checksum")

    def read(self, entry: Entry) -> bytes:
        return b"".join(self.chunks(entry))


def open_archive(data: bytes, limits: Limits) -> Archive:
    """The directory of a zip, checked. Raises DamagedWorkbook, UnsupportedFormat, LimitExceeded."""
    count, size, directory, tail = _find_directory(data)
    if count > limits.entries:
        raise LimitExceeded(
            f"The file has {count:,} parts; the limit is {limits.entries:,}.", code="too_many_parts", part=None
        )
    entries = _read_directory(data, directory, directory + size, limits)
    _check_names(entries)
    _check_sizes(entries, limits)
    _check_overlaps(entries, directory)
    return Archive(data, tuple(entries), directory, tail)


def _truncated(detail: str) -> DamagedWorkbook:
    return DamagedWorkbook(detail + " Upload the file again.", code="truncated_zip")


def _find_directory(data: bytes) -> tuple[int, int, int, int]:
    """Entry count, directory size, directory offset, offset of what follows the directory."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if at < 0 or at + _END.size > len(data):
        raise _truncated("The end of the file is missing.")
    _, disk, _, _, count, size, offset, _ = _END.unpack_from(data, at)
    if disk not in (0, 0xFFFF):
        raise DamagedWorkbook("The file is one piece of a zip in several pieces.", code="truncated_zip")
    locator = at - _END64_LOCATOR.size
    if 0xFFFF_FFFF in (size, offset) or count == 0xFFFF:
        if locator < 0 or data[locator : locator + 4] != b"PK\x06\x07":
            raise _truncated("The zip64 record is missing.")
        end64 = _END64_LOCATOR.unpack_from(data, locator)[2]
        if end64 + _END64.size > len(data) or data[end64 : end64 + 4] != b"PK\x06\x06":
            raise _truncated("The zip64 record is damaged.")
        count, size, offset = _END64.unpack_from(data, end64)[7:]
    if offset + size > at:
        raise _truncated("The directory of the zip is damaged.")
    return count, size, offset, offset + size


def _read_directory(data: bytes, at: int, end: int, limits: Limits) -> list[Entry]:
    entries: list[Entry] = []
    while at < end:
        if at + _CENTRAL.size > end or data[at : at + 4] != b"PK\x01\x02":
            raise _truncated("The directory of the zip is damaged.")
        record = _CENTRAL.unpack_from(data, at)
        flags, method = record[5], record[6]
        crc, compressed, size = record[9:12]
        name_length, extra_length, comment_length = record[12:15]
        header = record[18]
        names_at = at + _CENTRAL.size
        after = names_at + name_length + extra_length + comment_length
        if after > end:
            raise _truncated("The directory of the zip is damaged.")
        raw = data[names_at : names_at + name_length]
        name = raw.decode("utf-8" if flags & _UTF8_FLAG else "cp437", "replace").replace("\\", "/")
        extra = data[names_at + name_length : names_at + name_length + extra_length]
        size, compressed, header = _widen(extra, size, compressed, header)
        if flags & _ENCRYPTED_FLAGS:
            raise UnsupportedFormat(
                "The zip is encrypted. Remove the password and upload it again.", part=name, code="encrypted_workbook"
            )
        if method not in (STORED, DEFLATED):
            raise UnsupportedFormat(
                f"Compression method {method} is not used by Excel. Save the file again in Excel.",
                part=name,
                code="compression_method",
            )
        entries.append(
            Entry(name, method, crc, compressed, size, header, _data_offset(data, header, name), (at, after))
        )
        if len(entries) > limits.entries:
            raise LimitExceeded(f"The file has more than {limits.entries:,} parts.", code="too_many_parts")
        at = after
    return entries


def _widen(extra: bytes, size: int, compressed: int, header: int) -> tuple[int, int, int]:
    """The 64-bit sizes where the directory record has only 0xFFFFFFFF (extra field 1)."""
    wide = 0xFFFF_FFFF
    if wide not in (size, compressed, header):
        return size, compressed, header
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            numbers = iter(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            return (
                next(numbers, wide) if size == wide else size,
                next(numbers, wide) if compressed == wide else compressed,
                next(numbers, wide) if header == wide else header,
            )
        at += 4 + length
    return size, compressed, header


def _data_offset(data: bytes, header: int, name: str) -> int:
    if header + _LOCAL.size > len(data) or data[header : header + 4] != b"PK\x03\x04":
        raise DamagedWorkbook("The zip directory points to the wrong place.", part=name, code="truncated_zip")
    local = _LOCAL.unpack_from(data, header)
    name_length: int = local[-2]
    extra_length: int = local[-1]
    return header + _LOCAL.size + name_length + extra_length


def _check_names(entries: list[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        pieces = entry.name.split("/")
        if entry.name.startswith("/") or ".." in pieces or ":" in pieces[0] or "\0" in entry.name:
            raise DamagedWorkbook("A part has a name that leads out of the file.", part=entry.name, code="unsafe_name")
        key = entry.name.lower()  # part names are the same in any case (ECMA-376 part 2, 6.2.2.3)
        if key in seen:
            raise DamagedWorkbook("A part is in the file twice.", part=entry.name, code="duplicate_part")
        seen.add(key)


def _check_sizes(entries: list[Entry], limits: Limits) -> None:
    for entry in entries:
        if entry.size > limits.part_bytes:
            raise LimitExceeded(
                f"A part has {entry.size:,} bytes; the limit is {limits.part_bytes:,}.",
                part=entry.name,
                code="part_too_large",
            )
        if entry.size > limits.ratio_from and entry.size > limits.compression_ratio * max(1, entry.compressed):
            raise LimitExceeded(
                f"A part is compressed {entry.size // max(1, entry.compressed):,} : 1; "
                f"the limit is {limits.compression_ratio:,} : 1.",
                part=entry.name,
                code="compression_ratio",
            )
    total = sum(entry.size for entry in entries)
    packed = sum(entry.compressed for entry in entries)
    if total > 4 * limits.ratio_from and total > limits.compression_ratio * max(1, packed):
        raise LimitExceeded(
            f"The parts are compressed {total // max(1, packed):,} : 1; the limit is {limits.compression_ratio:,} : 1.",
            code="compression_ratio",
        )
    if total > limits.total_bytes:
        raise LimitExceeded(
            f"The file unpacks to {total:,} bytes; the limit is {limits.total_bytes:,}.", code="file_too_large"
        )


def _check_overlaps(entries: list[Entry], directory: int) -> None:
    """Entries that share bytes are how a small zip becomes a large one (Fifield, "A better zip bomb", 2019)."""
    ordered = sorted(entries, key=lambda entry: entry.header)
    for position, entry in enumerate(ordered):
        following = ordered[position + 1].header if position + 1 < len(ordered) else directory
        if entry.data + entry.compressed > following:
            raise DamagedWorkbook("Parts of the zip overlap.", part=entry.name, code="overlapping_parts")


def _inflate(data: bytes, entry: Entry) -> Iterator[bytes]:
    view = memoryview(data)[entry.data : entry.data + entry.compressed]
    if entry.method == STORED:
        for at in range(0, len(view), CHUNK):
            yield bytes(view[at : at + CHUNK])
        return
    inflater = zlib.decompressobj(-15)
    pending: bytes | memoryview
    try:
        for at in range(0, len(view), CHUNK // 8):
            pending = view[at : at + CHUNK // 8]
            while True:
                chunk = inflater.decompress(pending, CHUNK)
                if chunk:
                    yield chunk
                pending = inflater.unconsumed_tail
                if not pending and len(chunk) < CHUNK:
                    break
            if inflater.eof:
                break
        chunk = inflater.flush()
    except zlib.error as error:
        raise DamagedWorkbook(
            f"The part cannot be unpacked ({error}).", part=entry.name, code="truncated_zip"
        ) from None
    if chunk:
        yield chunk


def rebuild(archive: Archive, replaced: dict[int, bytes]) -> bytes:
    """The same zip with the content of some entries changed (by position in ``entries``).

    Every other entry keeps its bytes, compressed ones included; order, names, times and comments stay.
    """
    data = memoryview(archive.data)
    order = sorted(range(len(archive.entries)), key=lambda position: archive.entries[position].header)
    pieces: list[bytes | memoryview] = []
    size = 0
    headers: dict[int, int] = {}
    changed: dict[int, tuple[int, int, int]] = {}  # position -> crc, compressed, size
    first = archive.entries[order[0]].header if order else archive.directory
    pieces.append(data[:first])
    size += first
    for place, position in enumerate(order):
        entry = archive.entries[position]
        following = archive.entries[order[place + 1]].header if place + 1 < len(order) else archive.directory
        headers[position] = size
        if position in replaced:
            local, body, numbers = _pack_entry(archive, entry, replaced[position])
            changed[position] = numbers
            pieces += (local, body)
            size += len(local) + len(body)
        else:
            pieces.append(data[entry.header : following])  # a data descriptor, if any, comes along
            size += following - entry.header
    directory = size
    for position, entry in enumerate(archive.entries):
        record = _central_record(archive, entry, headers[position], changed.get(position))
        pieces.append(record)
        size += len(record)
    pieces.append(_end_record(archive, directory, size - directory))
    return b"".join(pieces)


def _pack_entry(archive: Archive, entry: Entry, content: bytes) -> tuple[bytes, bytes, tuple[int, int, int]]:
    if entry.method == DEFLATED:
        packer = zlib.compressobj(6 if len(content) < 16 * 2**20 else 1, zlib.DEFLATED, -15)
        body = packer.compress(content) + packer.flush()
    else:
        body = content
    numbers = (zlib.crc32(content), len(body), len(content))
    fields = list(_LOCAL.unpack_from(archive.data, entry.header))
    fields[3] &= ~_DESCRIPTOR_FLAG
    fields[7:10] = numbers
    name_at = entry.header + _LOCAL.size
    name_length, extra_length = fields[10], fields[11]
    extra = _without_zip64(archive.data[name_at + name_length : name_at + name_length + extra_length])
    fields[11] = len(extra)
    return _LOCAL.pack(*fields) + archive.data[name_at : name_at + name_length] + extra, body, numbers


def _central_record(archive: Archive, entry: Entry, header: int, changed: tuple[int, int, int] | None) -> bytes:
    start, end = entry.central
    fields = list(_CENTRAL.unpack_from(archive.data, start))
    name_length, extra_length = fields[12], fields[13]
    names_at = start + _CENTRAL.size
    extra = archive.data[names_at + name_length : names_at + name_length + extra_length]
    crc, compressed, size = changed or (entry.crc, entry.compressed, entry.size)
    if max(compressed, size, header) >= 0xFFFF_FFFF:
        raise LimitExceeded("The workbook would be larger than 4 GB.", part=entry.name, code="file_too_large")
    if changed:
        fields[5] &= ~_DESCRIPTOR_FLAG
    if changed or 0xFFFF_FFFF in (fields[10], fields[11], fields[18]):
        extra = _without_zip64(extra)
    fields[9:12] = crc, compressed, size
    fields[13] = len(extra)
    fields[18] = header
    after = archive.data[names_at + name_length + extra_length : end]
    return _CENTRAL.pack(*fields) + archive.data[names_at : names_at + name_length] + extra + after


def _without_zip64(extra: bytes) -> bytes:
    """Extra fields without the one that holds 64-bit sizes: all sizes written here fit 32 bits."""
    kept = b""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind != 1:
            kept += extra[at : at + 4 + length]
        at += 4 + length
    return kept


def _end_record(archive: Archive, directory: int, size: int) -> bytes:
    """The end record, with its comment; a zip64 record before it is dropped, since nothing needs it any more."""
    at = archive.data.rfind(b"PK\x05\x06", max(0, len(archive.data) - 65_557))
    comment_length = _END.unpack_from(archive.data, at)[-1]
    comment = archive.data[at + _END.size : at + _END.size + comment_length]
    count = len(archive.entries)
    return _END.pack(b"PK\x05\x06", 0, 0, count, count, size, directory, len(comment)) + comment
