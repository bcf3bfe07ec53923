"""The object store behind a service: files to it by presigned forms and parts, results from it by presigned links."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

from sheetrun.client.errors import BadAnswer, SheetrunError, UploadRejected
from sheetrun.client.session import Session
from sheetrun.client.transport import Request, Response
from sheetrun.client.upload import Form, Part, Source, store_error

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 3
_COMPLETING: Final = 60.0  #: seconds more that the store may take to put parts together


class Store:
    """What a session's service hands over to another host. ``timeout``: seconds of each exchange."""

    def __init__(self, session: Session, timeout: float) -> None:
        self._session = session
        self._timeout = timeout

    def upload(self, source: Source, upload: object, job: str) -> None:
        """Sends a job's file as the service said. Raises UploadRejected and FileUnreadable."""
        if not isinstance(upload, Mapping) or not isinstance(upload.get("method"), str):
            raise BadAnswer(self._session.base, 202, "and the job has no upload")
        if upload["method"] == "MULTIPART":
            self._upload_parts(source, upload, job)
            return
        form = Form({str(k): str(v) for k, v in upload.get("fields", {}).items()}, source)
        headers = {"Content-Type": form.content_type}
        self._put(Request("POST", str(upload["url"]), headers, form, self._timeout), job)

    def _upload_parts(self, source: Source, upload: Mapping[str, Any], job: str) -> None:
        size = int(upload["part_size"])
        for part in upload["parts"]:
            body = Part(source, (int(part["number"]) - 1) * size, size)
            self._put(Request("PUT", str(part["url"]), {}, body, self._timeout), job)
        complete = self._session.link(str(upload["complete_url"]))
        self._session.call("POST", complete, repeatable=True, timeout=self._timeout + _COMPLETING)

    def result(self, route: str) -> Response:
        """The answer that holds a result, wherever the service sends us for it."""
        url = self._session.address(route)
        response = self._session.send(Request("GET", url, {"Accept": "*/*"}, timeout=self._timeout))
        for _ in range(_MOST_REDIRECTS):
            if response.status not in _REDIRECTS:
                return response
            response.content()
            url = urljoin(url, response.headers.get("location", ""))
            response = self._get(Request("GET", url, timeout=self._timeout))
        raise BadAnswer(url, response.status, "one redirect too many")

    def _put(self, request: Request, job: str) -> None:
        def failed(response: Response) -> SheetrunError | None:
            if response.status < 400:
                return None
            code, message = store_error(response.content())
            return UploadRejected(response.status, code, message, job)

        self._session.attempt(lambda: self._session.transport.send(request), failed=failed).content()

    def _get(self, request: Request) -> Response:
        def failed(response: Response) -> SheetrunError | None:
            if response.status < 400:
                return None
            code, message = store_error(response.content())
            address = request.url.partition("?")[0]
            return BadAnswer(address, response.status, f"the result cannot be had: {message or code}")

        return self._session.attempt(lambda: self._session.transport.send(request), failed=failed)


def save(response: Response, to: str | os.PathLike[str]) -> None:
    """Writes an answer to a file: whole, or not at all."""
    target = Path(to)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with partial.open("wb") as file:
            for chunk in response.chunks():
                file.write(chunk)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
