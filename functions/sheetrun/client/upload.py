"""Sending a file to an object store: the checksum, and the multipart/form-data of a presigned POST, read from disk.

Form after RFC 7578; the ``file`` part comes last, as S3 demands ("POST Object", Amazon S3 API reference).
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

from sheetrun.client.errors import SheetrunError
from sheetrun.records import dataclass

_CHUNK = 1 << 18


class FileUnreadable(SheetrunError):
    """The file to submit cannot be read, or has no name."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be sent: a path, or bytes in memory. ``size`` in bytes, ``sha256`` as base64 (what S3 compares)."""

    filename: str
    path: Path | None
    data: bytes | None
    size: int
    sha256: str

    def chunks(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start``, at most ``length`` of them. Raises FileUnreadable."""
        left = self.size - start if length is None else min(length, self.size - start)
        if self.data is not None:
            yield self.data[start : start + left]
            return
        try:
            with (self.path or Path()).open("rb") as file:
                file.seek(start)
                while left > 0 and (chunk := file.read(min(_CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise _unreadable(self.path, error) from error
        if left > 0:
            raise FileUnreadable(f"{self.path} became shorter while it was sent")


def open_source(file: str | os.PathLike[str] | bytes | BinaryIO, filename: str | None = None) -> Source:
    """A source from a path, bytes, or an open binary file (read to its end). Raises FileUnreadable."""
    if isinstance(file, bytes | bytearray | memoryview):
        return _from_bytes(bytes(file), filename)
    if not isinstance(file, str | os.PathLike):
        name = getattr(file, "name", None)
        return _from_bytes(file.read(), filename or (Path(name).name if isinstance(name, str) else None))
    path = Path(file)
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise _unreadable(path, error) from error
    return Source(filename or path.name, path, None, size, base64.b64encode(digest.digest()).decode())


def _from_bytes(data: bytes, filename: str | None) -> Source:
    if not filename:
        raise FileUnreadable("bytes need a filename: submit(data, filename='model.xlsx')")
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return Source(filename, None, data, len(data), digest)


def _unreadable(path: Path | None, error: OSError) -> FileUnreadable:
    if isinstance(error, FileNotFoundError):
        return FileUnreadable(f"no such file: {path}")
    if isinstance(error, IsADirectoryError):
        return FileUnreadable(f"{path} is a directory")
    return FileUnreadable(f"cannot read {path}: {error.strerror or error}")


class Form:
    """The body of a presigned POST: ``fields`` in their order, then the file. Can be sent more than once."""

    def __init__(self, fields: Mapping[str, str], source: Source) -> None:
        self._source = source
        self.boundary = f"sheetrun-{secrets.token_hex(16)}"
        head = "".join(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        kind = fields.get("Content-Type", "application/octet-stream")
        head += (
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="file"; '
            f'filename="{_quoted(source.filename)}"\r\nContent-Type: {kind}\r\n\r\n'
        )
        self._head = head.encode()
        self._tail = f"\r\n--{self.boundary}--\r\n".encode()

    @property
    def length(self) -> int:
        return len(self._head) + self._source.size + len(self._tail)

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        yield from self._source.chunks()
        yield self._tail


class Part:
    """One part of a multipart upload: a slice of the source."""

    def __init__(self, source: Source, start: int, length: int) -> None:
        self._source, self._start = source, start
        self.length = max(0, min(length, source.size - start))

    def __iter__(self) -> Iterator[bytes]:
        return self._source.chunks(self._start, self.length)


def _quoted(name: str) -> str:
    """A name inside a quoted header parameter (HTML standard, "multipart form data": percent for CR, LF and quote)."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def store_error(content: bytes) -> tuple[str, str]:
    """(Code, Message) of an S3 error document; ("Unknown", start of the text) where it is none."""
    try:
        root = ElementTree.fromstring(content)  # the answer of the store that the upload went to  # nosec B314
    except ElementTree.ParseError:
        return "Unknown", content[:200].decode("utf-8", "replace").strip()
    values = {child.tag.rpartition("}")[2]: child.text or "" for child in root}
    return values.get("Code", "Unknown"), values.get("Message", "")
