"""What the use cases need from the object store, as a role (the other ports are in ``ports``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from typing import BinaryIO, Protocol

from sheetrun.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat:
    """An object without its bytes."""

    size: int
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadForm:
    """A presigned POST: send ``fields``, then the file as ``file``, as multipart/form-data to ``url``."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Blob:
    """An object that is to be kept."""

    key: str
    data: bytes
    content_type: str


class Blobs(Protocol):
    """Objects by key."""

    def put(self, key: str, data: bytes, *, content_type: str) -> None: ...

    def put_all(self, blobs: Sequence[Blob]) -> None:
        """Several, at once. When it raises, some of them may be there."""

    def writing(self, key: str, *, content_type: str) -> AbstractContextManager[BinaryIO]:
        """An object of any size, written piece by piece with little memory; it is there when the block ends well, and
        not at all when it does not."""

    def get(self, key: str, *, etag: str | None = None) -> bytes:
        """Raises ``StepFailed`` when it is gone, or (with ``etag``) is not the object that was accepted."""

    def get_all(self, wanted: Sequence[tuple[str, str | None]]) -> list[bytes]:
        """Several (key, etag), at once, in the order in which they are named."""

    def head(self, key: str) -> Stat | None: ...

    def sha256(self, key: str) -> str:
        """The object's SHA-256 in base64: the one that the store keeps, or computed from the bytes."""

    def delete_all(self, prefix: str) -> int:
        """Deletes every object under a prefix; how many there were."""

    def delete(self, key: str) -> None: ...

    def presign_post(self, key: str, *, min_bytes: int, max_bytes: int, sha256: str | None, seconds: int) -> UploadForm:
        """Sizes and ``sha256`` (base64) are enforced by the store."""

    def presign_get(self, key: str, *, filename: str, content_type: str | None, seconds: int) -> str: ...

    def start_multipart(self, key: str) -> str: ...

    def presign_part(self, key: str, upload_id: str, number: int, *, seconds: int) -> str: ...

    def complete_multipart(self, key: str, upload_id: str) -> None:
        """Puts the uploaded parts together. Raises ``Conflict`` when there are none."""

    def abort_multipart(self, key: str, upload_id: str) -> None:
        """Deletes the parts of an upload that was not completed; no harm when it was."""

    def check(self) -> None:
        """Raises ``StepRetryable`` when the store does not answer."""
