"""Objects in S3."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import quote

from botocore.exceptions import ClientError

from sheetrun.aws.clients import Clients, dependency
from sheetrun.jobs.errors import Conflict, StepFailed
from sheetrun.service.blobs import Blob, Stat, UploadForm

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE = 8  #: requests; a client has ten connections
PIECE = 2**20  #: bytes read at once
WRITTEN_PART = 16 * 2**20  #: of an object that is written piece by piece; ten thousand of them are 160 GB
_GONE = frozenset({"404", "NoSuchKey", "NotFound"})


class S3Blobs:
    """``service.blobs.Blobs``."""

    def __init__(self, clients: Clients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    @property
    def _s3(self) -> S3Client:
        return self._clients.s3

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        with dependency("store"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type)

    def put_all(self, blobs: Sequence[Blob]) -> None:
        self._at_once(lambda blob: self.put(blob.key, blob.data, content_type=blob.content_type), blobs)

    def get_all(self, wanted: Sequence[tuple[str, str | None]]) -> list[bytes]:
        return self._at_once(lambda one: self.get(one[0], etag=one[1]), wanted)

    def _at_once(self, call: Callable[[T], R], things: Sequence[T]) -> list[R]:
        """S3 takes tens of milliseconds for a request, and any number of them side by side."""
        with ThreadPoolExecutor(min(AT_ONCE, max(1, len(things)))) as pool:
            return list(pool.map(call, things))

    @contextmanager
    def writing(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        writer = _Writer(self._s3, self._bucket, key, content_type)
        try:
            yield writer  # type: ignore[misc]
            writer.finish()
        except BaseException:
            writer.abort()
            raise

    def get(self, key: str, *, etag: str | None = None) -> bytes:
        options: dict[str, Any] = {} if etag is None else {"IfMatch": etag}
        with dependency("store"):
            try:
                return self._s3.get_object(Bucket=self._bucket, Key=key, **options)["Body"].read()
            except ClientError as error:
                _refuse(error, key)
                raise

    def head(self, key: str) -> Stat | None:
        with dependency("store"):
            try:
                found = self._s3.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if _code(error) in _GONE:
                    return None
                raise
        return Stat(size=found["ContentLength"], etag=found["ETag"].strip('"'), metadata=found.get("Metadata", {}))

    def sha256(self, key: str) -> str:
        with dependency("store"):
            try:
                kept = self._s3.head_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
                whole = kept.get("ChecksumSHA256")
                if whole is not None and "-" not in whole:
                    return whole
                state = hashlib.sha256()
                for piece in self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].iter_chunks(PIECE):
                    state.update(piece)
            except ClientError as error:
                _refuse(error, key)
                raise
        return base64.b64encode(state.digest()).decode()

    def delete_all(self, prefix: str) -> int:
        count = 0
        with dependency("store"):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                keys: Any = [{"Key": found["Key"]} for found in page.get("Contents", [])]
                if keys:
                    self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True})
                    count += len(keys)
        return count

    def delete(self, key: str) -> None:
        with dependency("store"):
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def presign_post(self, key: str, *, min_bytes: int, max_bytes: int, sha256: str | None, seconds: int) -> UploadForm:
        """The policy fixes the key, the size, and (with ``sha256``) the content."""
        fields: dict[str, str] = {}
        if sha256 is not None:
            fields = {"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-sha256": sha256}
        conditions: list[Any] = [
            ["content-length-range", min_bytes, max_bytes],
            *({name: fields[name]} for name in fields),
        ]
        with dependency("store"):
            form = self._s3.generate_presigned_post(
                Bucket=self._bucket, Key=key, Fields=fields, Conditions=conditions, ExpiresIn=seconds
            )
        return UploadForm(url=form["url"], fields=form["fields"])

    def presign_get(self, key: str, *, filename: str, content_type: str | None, seconds: int) -> str:
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentDisposition": _disposition(filename),
        }
        if content_type is not None:
            parameters["ResponseContentType"] = content_type
        with dependency("store"):
            return self._s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)

    def start_multipart(self, key: str) -> str:
        with dependency("store"):
            return self._s3.create_multipart_upload(Bucket=self._bucket, Key=key)["UploadId"]

    def presign_part(self, key: str, upload_id: str, number: int, *, seconds: int) -> str:
        parameters = {"Bucket": self._bucket, "Key": key, "UploadId": upload_id, "PartNumber": number}
        with dependency("store"):
            return self._s3.generate_presigned_url("upload_part", Params=parameters, ExpiresIn=seconds)

    def complete_multipart(self, key: str, upload_id: str) -> None:
        """The store knows which parts came; the client need not say."""
        with dependency("store"):
            try:
                parts: list[Any] = []
                pages = self._s3.get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload_id)
                for page in pages:
                    parts += [
                        {"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in page.get("Parts", [])
                    ]
                if not parts:
                    raise Conflict("No part was uploaded.", code="no_parts")
                self._s3.complete_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
                )
            except ClientError as error:
                if _code(error) in ("NoSuchUpload", "InvalidPart", "EntityTooSmall"):
                    raise Conflict(
                        f"The parts do not make a file: {_code(error)}.", code="upload_incomplete"
                    ) from error
                raise

    def abort_multipart(self, key: str, upload_id: str) -> None:
        with dependency("store"):
            try:
                self._s3.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
            except ClientError as error:
                if _code(error) != "NoSuchUpload":
                    raise

    def check(self) -> None:
        with dependency("store"):
            self._s3.list_objects_v2(Bucket=self._bucket, MaxKeys=1, Prefix="health/")


class _Writer(io.RawIOBase):
    """A multipart upload that looks like a file; what fits into one part is put at once."""

    def __init__(self, s3: S3Client, bucket: str, key: str, content_type: str) -> None:
        super().__init__()
        self._s3, self._type = s3, content_type
        self._place: Any = {"Bucket": bucket, "Key": key}
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[Any] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._buffer += view
        self._written += len(view)
        while len(self._buffer) >= WRITTEN_PART:
            self._part(bytes(self._buffer[:WRITTEN_PART]))
            del self._buffer[:WRITTEN_PART]
        return len(view)

    def _part(self, data: bytes) -> None:
        with dependency("store"):
            if self._upload_id is None:
                made = self._s3.create_multipart_upload(**self._place, ContentType=self._type)
                self._upload_id = made["UploadId"]
            number = len(self._parts) + 1
            done = self._s3.upload_part(**self._place, UploadId=self._upload_id, PartNumber=number, Body=data)
        self._parts.append({"PartNumber": number, "ETag": done["ETag"]})

    def finish(self) -> None:
        if self._upload_id is None:
            with dependency("store"):
                self._s3.put_object(**self._place, Body=bytes(self._buffer), ContentType=self._type)
            return
        if self._buffer:
            self._part(bytes(self._buffer))
        with dependency("store"):
            self._s3.complete_multipart_upload(
                **self._place, UploadId=self._upload_id, MultipartUpload={"Parts": self._parts}
            )

    def abort(self) -> None:
        if self._upload_id is not None:
            with dependency("store"):
                self._s3.abort_multipart_upload(**self._place, UploadId=self._upload_id)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _refuse(error: ClientError, key: str) -> None:
    """What no second try can mend."""
    if _code(error) in _GONE:
        raise StepFailed("object_missing", "a file of the job is not there any more") from error
    if _code(error) in ("PreconditionFailed", "412"):
        raise StepFailed("source_changed", "the file was replaced after it had been accepted") from error


def _disposition(filename: str) -> str:
    """RFC 6266: a plain name for old clients, the real one for all others."""
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\' else "_" for char in filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
