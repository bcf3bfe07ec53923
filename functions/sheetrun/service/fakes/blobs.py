"""The object store in memory: conditional like the real one."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from sheetrun.jobs.errors import Conflict, StepFailed
from sheetrun.service.blobs import Blob, Stat, UploadForm


class MemoryBlobs:
    """Objects in a dictionary. ``upload`` does what a client's presigned POST would."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str, dict[str, str]]] = {}
        self.parts: dict[str, list[bytes]] = {}

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        self.objects[key] = (bytes(data), content_type, {})

    def put_all(self, blobs: Sequence[Blob]) -> None:
        for blob in blobs:
            self.put(blob.key, blob.data, content_type=blob.content_type)

    def get_all(self, wanted: Sequence[tuple[str, str | None]]) -> list[bytes]:
        return [self.get(key, etag=etag) for key, etag in wanted]

    @contextmanager
    def writing(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        buffer = io.BytesIO()
        yield buffer
        self.put(key, buffer.getvalue(), content_type=content_type)

    def upload(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> Stat:
        self.objects[key] = (data, "application/octet-stream", dict(metadata or {}))
        stat = self.head(key)
        assert stat is not None
        return stat

    def get(self, key: str, *, etag: str | None = None) -> bytes:
        if key not in self.objects:
            raise StepFailed("object_missing", f"{key} is not there any more")
        if etag is not None and _etag(self.objects[key][0]) != etag:
            raise StepFailed("source_changed", "the file was replaced after it had been accepted")
        return self.objects[key][0]

    def head(self, key: str) -> Stat | None:
        if key not in self.objects:
            return None
        data, _, metadata = self.objects[key]
        return Stat(size=len(data), etag=_etag(data), metadata=metadata)

    def sha256(self, key: str) -> str:
        return base64.b64encode(hashlib.sha256(self.get(key)).digest()).decode()

    def delete_all(self, prefix: str) -> int:
        doomed = [key for key in self.objects if key.startswith(prefix)]
        for key in doomed:
            del self.objects[key]
        return len(doomed)

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def presign_post(self, key: str, *, min_bytes: int, max_bytes: int, sha256: str | None, seconds: int) -> UploadForm:
        fields = {"key": key, "policy": f"{min_bytes}..{max_bytes}"}
        if sha256 is not None:
            fields["x-amz-checksum-sha256"] = sha256
        return UploadForm(url="memory://bucket", fields=fields)

    def presign_get(self, key: str, *, filename: str, content_type: str | None, seconds: int) -> str:
        return f"memory://bucket/{key}?expires={seconds}"

    def start_multipart(self, key: str) -> str:
        self.parts[key] = []
        return f"upload-{key}"

    def presign_part(self, key: str, upload_id: str, number: int, *, seconds: int) -> str:
        return f"memory://bucket/{key}?partNumber={number}&uploadId={upload_id}"

    def complete_multipart(self, key: str, upload_id: str) -> None:
        parts = self.parts.pop(key, [])
        if not parts:
            raise Conflict("No part was uploaded.", code="no_parts")
        self.upload(key, b"".join(parts))

    def abort_multipart(self, key: str, upload_id: str) -> None:
        self.parts.pop(key, None)

    def check(self) -> None:
        return None


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
