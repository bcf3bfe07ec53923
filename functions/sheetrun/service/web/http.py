"""Requests and answers as values, from and to API Gateway's events of version 1 (REST) and 2 (HTTP, function URLs)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any
from urllib.parse import parse_qs, unquote

from sheetrun.jobs.errors import Malformed, TooLarge, Unprocessable
from sheetrun.records import dataclass

JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json; charset=utf-8"
LONGEST_CURSOR = 64
_HALF = re.compile(r"\\u[dD][89a-fA-F]")  #: the escape of half a surrogate pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Header names are in lower case; ``path`` is decoded and begins with ``/``; ``base`` ends without ``/``."""

    method: str
    path: str
    base: str
    headers: Mapping[str, str]
    query: Mapping[str, tuple[str, ...]]
    body: bytes
    request_id: str
    remaining: float = 29.0  #: seconds until the gateway gives up

    @property
    def api_key(self) -> str | None:
        if key := self.headers.get("x-api-key"):
            return key.strip()
        scheme, _, rest = self.headers.get("authorization", "").partition(" ")
        return rest.strip() if scheme.lower() == "bearer" else None

    def one(self, name: str) -> str | None:
        """A query parameter's last value."""
        values = self.query.get(name)
        return values[-1] if values else None

    def integer(self, name: str, default: int, low: int, high: int, *, clamp: bool = False) -> int:
        """Raises ``Unprocessable``; with ``clamp`` a number that is too large counts as the largest."""
        text = self.one(name)
        if text is None:
            return default
        try:
            number = int(text) if text.isascii() and len(text) < 1000 else None
        except ValueError:
            number = None
        if number is not None and clamp and number > high:
            number = high
        if number is None or not low <= number <= high:
            raise Unprocessable(
                f"{name} must be a whole number from {low} to {high}.",
                code="invalid_parameter",
                errors=[{"path": name, "code": "range", "detail": f"{low} to {high}"}],
            )
        return number

    def cursor(self, name: str = "after") -> str | None:
        """Where to go on; blank counts as absent. Raises ``Unprocessable``."""
        text = self.one(name)
        if text is not None and len(text) > LONGEST_CURSOR:
            raise Unprocessable(
                f"{name} must be the cursor of an earlier page.",
                code="invalid_parameter",
                errors=[{"path": name, "code": "length", "detail": f"at most {LONGEST_CURSOR} characters"}],
            )
        return text or None

    def json(self, limit: int) -> Any:
        """The body. Raises ``Malformed`` (400), ``TooLarge`` (413)."""
        if len(self.body) > limit:
            raise TooLarge(
                f"The body has {len(self.body)} bytes, over the limit of {limit}.",
                code="body_too_large",
                extra={"max_bytes": limit},
            )
        if not self.body.strip():
            raise Malformed("The body is empty; it must be JSON.", code="malformed_json")
        try:
            text = self.body.decode("utf-8")
            value = json.loads(text, parse_constant=_no_constant)
            if _HALF.search(text):  # only then can a text hold half a character, which nothing behind us can store
                json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("The body is not UTF-8.", code="malformed_json") from None
        except UnicodeEncodeError:
            raise Malformed(
                "The body holds half of a surrogate pair (\\ud800 to \\udfff) alone.", code="malformed_json"
            ) from None
        except RecursionError:
            raise Malformed("The body is nested too deeply.", code="malformed_json") from None
        except ValueError as problem:
            raise Malformed(f"The body is not JSON: {problem}.", code="malformed_json") from None
        return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """``body`` is text; nothing binary leaves through the API (results are fetched from the store)."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, headers: Mapping[str, str]) -> Response:
        return Response(status=self.status, body=self.body, headers={**self.headers, **headers})


def answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(status=status, body=body, headers={"Content-Type": JSON, **(headers or {})})


def request_of(event: Mapping[str, Any], *, public_url: str, remaining: float) -> Request:
    """A gateway's event as a request."""
    context = event.get("requestContext") or {}
    headers = {name.lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
    if "http" in context:
        method = str(context["http"]["method"])
        path = str(event.get("rawPath") or "/")
        stage = str(context.get("stage") or "$default")
        if stage != "$default" and path.startswith(f"/{stage}/"):
            path = path[len(stage) + 1 :]
        query = parse_qs(str(event.get("rawQueryString") or ""), keep_blank_values=True)
    else:
        method = str(event.get("httpMethod") or "GET")
        path = str(event.get("path") or "/")
        many = event.get("multiValueQueryStringParameters") or {}
        single = event.get("queryStringParameters") or {}
        query = {**{name: [value] for name, value in single.items()}, **many}
    return Request(
        method=method.upper(),
        path=unquote(path).rstrip("/") or "/",
        base=public_url.rstrip("/") or _base(context, headers, path),
        headers=headers,
        query={name: tuple(str(value) for value in values) for name, values in query.items()},
        body=raw,
        request_id=str(context.get("requestId") or ""),
        remaining=remaining,
    )


def _base(context: Mapping[str, Any], headers: Mapping[str, str], path: str) -> str:
    """The URL by which the client reached the stage.

    On AWS, and wherever the API's id is in the host name, that is host and stage. Emulators also serve an API by path,
    on a host that many APIs share; there the path of the request as the client wrote it is not in the event, so the
    form that all of them understand is given back.
    """
    host = headers.get("x-forwarded-host") or headers.get("host") or str(context.get("domainName") or "localhost")
    scheme = headers.get("x-forwarded-proto", "").lower() or ("http" if _local(host) else "https")
    whole = str(context.get("path") or "")
    stage = str(context.get("stage") or "")
    api = str(context.get("apiId") or "")
    if "http" in context:
        return f"{scheme}://{host}" + (f"/{stage}" if stage not in ("", "$default") else "")
    if _local(host) and not host.startswith(f"{api}."):
        return f"{scheme}://{host}/restapis/{api}/{stage}/_user_request_"
    prefix = whole[: len(whole) - len(path)] if whole.endswith(path) else f"/{stage}"
    return f"{scheme}://{host}{prefix}"


def _local(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if not host.startswith("[") else host[1:].partition("]")[0]
    return name in ("localhost", "::1") or name.endswith((".localhost", ".localstack.cloud")) or _is_ipv4(name)


def _is_ipv4(name: str) -> bool:
    parts = name.split(".")
    return len(parts) == 4 and all(part.isdigit() for part in parts)


def event_answer(response: Response) -> dict[str, Any]:
    """An answer in the form that both gateway versions take."""
    return {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "body": response.body,
        "isBase64Encoded": False,
    }
