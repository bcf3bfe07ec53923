"""``POST /v1/jobs`` as a value: every field checked, every fault named with its path.

Written by hand and not with a model library: this runs in the function whose cold start clients feel
(docs/decisions/0003-hand-written-edge.md).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any
from urllib.parse import urlsplit

from sheetrun.jobs.errors import TooLarge, Unprocessable
from sheetrun.jobs.states import TASKS, Kind, Priority
from sheetrun.records import dataclass
from sheetrun.service.addresses import refusal
from sheetrun.service.references import is_reference
from sheetrun.settings import Settings

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm")
DATASET_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".ndjson")
#: What to do with a file of another kind.
ADVICE = {
    ".json": "Write one JSON object per line and name the file .jsonl.",
    ".xls": "Open it in Excel and save it as .xlsx (Excel Workbook).",
    ".xlsb": "Open it in Excel and save it as .xlsx (Excel Workbook).",
    ".xlt": "Open it in Excel and save it as .xlsx (Excel Workbook).",
    ".ods": "Open it in LibreOffice or Excel and save it as .xlsx.",
    ".numbers": "Export it from Numbers as Excel (.xlsx).",
}
_FIELDS = frozenset(
    {
        "filename",
        "kind",
        "task",
        "size",
        "sha256",
        "inputs",
        "outputs",
        "priority",
        "webhook_url",
        "deadline_seconds",
        "retain_seconds",
        "metadata",
        "replaces",
    }
)
MAX_INPUTS = 10_000
MAX_METADATA = 50
_REFERENCES = "is no reference; write Sheet!A1, 'Sheet with space'!A1:B9, a defined name or Table[Column]"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """A request that was checked, with the defaults filled in."""

    filename: str
    kind: Kind
    task: str
    priority: Priority
    deadline_seconds: int
    retain_seconds: int
    size: int | None = None
    sha256: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] | None = None
    webhook_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    custom_id: str | None = None
    replaces: str | None = None  #: a model that this workbook is to be the next version of


class Faults:
    """Collects faults, so that a caller sees all of them at once."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []

    def add(self, path: str, code: str, detail: str) -> None:
        self.found.append({"path": path, "code": code, "detail": detail})

    def raise_any(self) -> None:
        if not self.found:
            return
        only = self.found[0]
        if len(self.found) == 1:
            raise Unprocessable(f"{only['path']}: {only['detail']}", code=_code_of(only), errors=self.found)
        raise Unprocessable(f"{len(self.found)} fields do not validate.", errors=self.found)


def _code_of(fault: Mapping[str, str]) -> str:
    return fault["code"] if fault["code"] == "unsupported_format" else "invalid_request"


def job_request(body: Any, settings: Settings, *, path: str = "", also: frozenset[str] = frozenset()) -> JobRequest:
    """Raises ``Unprocessable`` with every fault, ``TooLarge`` for a size over the limit. ``path`` begins every path."""
    faults = Faults()
    if not isinstance(body, dict):
        faults.add(path or "$", "type", "must be a JSON object")
        faults.raise_any()
    for name in body:
        if name not in _FIELDS | also:
            faults.add(f"{path}{name}", "unknown_field", "no such field")
    filename = _filename(body, faults, path)
    kind = _kind(body, filename, faults, path)
    task = _choice(body, "task", TASKS[kind], TASKS[kind][0], faults, path)
    priority = _choice(body, "priority", tuple(Priority), Priority.NORMAL, faults, path)
    size = integer_field(body, "size", 1, None, faults, path)
    deadline = integer_field(body, "deadline_seconds", 1, settings.max_deadline_seconds, faults, path)
    retain = integer_field(body, "retain_seconds", 1, settings.max_retain_seconds, faults, path)
    request = JobRequest(
        filename=filename,
        kind=kind,
        task=task,
        priority=Priority(priority),
        size=size,
        sha256=_sha256(body, faults, path),
        inputs=input_field(body, kind, faults, path),
        outputs=output_field(body, kind, faults, path),
        webhook_url=_webhook(body, settings.webhook_private, faults, path),
        deadline_seconds=deadline if deadline is not None else settings.default_deadline_seconds,
        retain_seconds=retain if retain is not None else settings.default_retain_seconds,
        metadata=_metadata(body, faults, path),
        replaces=_replaces(body, kind, faults, path),
        custom_id=_custom_id(body, faults, path) if "custom_id" in also else None,
    )
    faults.raise_any()
    if size is not None and size > settings.max_upload_bytes:
        raise TooLarge(
            f"{path}size: {size} bytes is over the limit of {settings.max_upload_bytes}.",
            code="file_too_large",
            errors=[{"path": f"{path}size", "code": "too_large", "detail": f"at most {settings.max_upload_bytes}"}],
            extra={"max_bytes": settings.max_upload_bytes},
        )
    if size == 0:
        raise Unprocessable(
            f"{path}size: an empty file holds nothing to compute.",
            errors=[{"path": f"{path}size", "code": "empty_file", "detail": "an empty file holds nothing to compute."}],
        )
    return request


def _filename(body: Mapping[str, Any], faults: Faults, path: str) -> str:
    name = body.get("filename")
    where = f"{path}filename"
    if name is None:
        faults.add(where, "required", "is required")
        return "x.xlsx"
    if not isinstance(name, str):
        faults.add(where, "type", "must be a string")
        return "x.xlsx"
    if not 1 <= len(name) <= 255:
        faults.add(where, "length", "must have 1 to 255 characters")
    elif "/" in name or "\\" in name:
        faults.add(where, "path_separator", "must be a plain name, with no / or \\")
    elif name in (".", ".."):
        faults.add(where, "path_separator", "must be the name of a file")
    elif any(ord(char) < 32 or ord(char) == 127 or 0xD800 <= ord(char) <= 0xDFFF for char in name):
        faults.add(where, "control_character", "must not hold control characters")
    elif not name.strip():
        faults.add(where, "length", "must not be blank")
    else:
        return name
    return "x.xlsx"


def suffix_of(filename: str) -> str:
    """``.xlsx`` of ``Model.XLSX``; empty when there is none."""
    dot = filename.rfind(".")
    return filename[dot:].lower() if dot > 0 else ""


def _kind(body: Mapping[str, Any], filename: str, faults: Faults, path: str) -> Kind:
    """As given; else as the task says, for a task of one kind alone; else as the suffix says."""
    suffix = suffix_of(filename)
    given, task = body.get("kind"), body.get("task")
    if given is not None and given not in (Kind.WORKBOOK, Kind.DATASET):
        faults.add(f"{path}kind", "choice", "must be workbook or dataset")
        return Kind.WORKBOOK
    kind = Kind(given) if given is not None else Kind.WORKBOOK
    if given is None and (suffix in DATASET_SUFFIXES or task in TASKS[Kind.DATASET]):
        kind = Kind.DATASET
    if suffix in ADVICE:
        faults.add(f"{path}filename", "unsupported_format", f"{suffix} files cannot be read. {ADVICE[suffix]}")
    elif kind is Kind.DATASET and suffix not in DATASET_SUFFIXES + WORKBOOK_SUFFIXES:
        known = ", ".join(DATASET_SUFFIXES + WORKBOOK_SUFFIXES)
        faults.add(f"{path}filename", "unsupported_format", f"a dataset must end in one of {known}")
    elif kind is Kind.WORKBOOK and suffix not in WORKBOOK_SUFFIXES:
        known = ", ".join(DATASET_SUFFIXES)
        faults.add(
            f"{path}filename",
            "unsupported_format",
            f"a workbook must end in .xlsx or .xlsm, a dataset in one of {known}",
        )
    return kind


def _choice(
    body: Mapping[str, Any], name: str, choices: tuple[str, ...], default: str, faults: Faults, path: str
) -> str:
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or value not in choices:
        faults.add(f"{path}{name}", "choice", f"must be one of {', '.join(choices)}")
        return default
    return value


def integer_field(
    body: Mapping[str, Any], name: str, low: int, high: int | None, faults: Faults, path: str
) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        faults.add(f"{path}{name}", "type", "must be a whole number")
        return None
    if value < low or (high is not None and value > high):
        limits = f"at least {low}" if high is None else f"between {low} and {high}"
        faults.add(f"{path}{name}", "range", f"must be {limits}")
        return None
    return value


def _sha256(body: Mapping[str, Any], faults: Faults, path: str) -> str | None:
    value = body.get("sha256")
    if value is None:
        return None
    try:
        if not isinstance(value, str) or len(base64.b64decode(value, validate=True)) != 32:
            raise ValueError
    except (ValueError, binascii.Error):
        faults.add(f"{path}sha256", "format", "must be the SHA-256 of the file, 32 bytes, in base64")
        return None
    return value


def input_field(body: Mapping[str, Any], kind: Kind, faults: Faults, path: str) -> Mapping[str, Any]:
    """``inputs``: references and values of the forms that there are."""
    value = body.get("inputs")
    where = f"{path}inputs"
    if value is None:
        return {}
    if not isinstance(value, dict):
        faults.add(where, "type", "must be an object: reference to value")
        return {}
    if kind is Kind.DATASET and value:
        faults.add(where, "not_for_datasets", "only a workbook has inputs")
        return {}
    if len(value) > MAX_INPUTS:
        faults.add(where, "length", f"must have at most {MAX_INPUTS} members")
        return {}
    for reference, cell in value.items():
        if not 1 <= len(reference) <= 512:
            faults.add(where, "length", "a reference has 1 to 512 characters")
        elif not is_reference(reference):
            faults.add(f"{where}.{reference}", "bad_reference", _REFERENCES)
        elif not is_value(cell):
            faults.add(f"{where}.{reference}", "type", 'must be a number, text, boolean, null or {"error": "#N/A"}')
    return value


def is_value(value: Any) -> bool:
    """Whether a JSON value can be a cell's, or the rows of a range."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 10**308
    if isinstance(value, list):
        return all(isinstance(row, list) and all(is_value(item) for item in row) for row in value)
    if isinstance(value, dict):
        return set(value) == {"error"} and isinstance(value["error"], str)
    return value is None or isinstance(value, str | bool)


def output_field(body: Mapping[str, Any], kind: Kind, faults: Faults, path: str) -> tuple[str, ...] | None:
    """``outputs``: a list of references; None when there is none."""
    value = body.get("outputs")
    where = f"{path}outputs"
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) and 1 <= len(item) <= 512 for item in value):
        faults.add(where, "type", "must be a list of references")
        return None
    if kind is Kind.DATASET:
        faults.add(where, "not_for_datasets", "only a workbook has outputs")
        return None
    if not 1 <= len(value) <= MAX_INPUTS:
        faults.add(where, "length", f"must have 1 to {MAX_INPUTS} members; leave it out for every formula cell")
        return None
    for place, reference in enumerate(value):
        if not is_reference(reference):
            faults.add(f"{where}[{place}]", "bad_reference", _REFERENCES)
    return tuple(value)


def _webhook(body: Mapping[str, Any], private: bool, faults: Faults, path: str) -> str | None:
    value = body.get("webhook_url")
    if value is None:
        return None
    where = f"{path}webhook_url"
    if not isinstance(value, str) or len(value) > 2048:
        faults.add(where, "type", "must be a URL of at most 2048 characters")
        return None
    problem = webhook_problem(value, private=private)
    if problem is not None:
        faults.add(where, "url", problem)
        return None
    return value


#: The characters of a URI (RFC 3986, 2), and of what stands behind its host.
_URL = re.compile(r"(?:[!#$&-;=?-Z\[\]_a-z~]|%[0-9A-Fa-f]{2})+")
_PATH = re.compile(r"[^\[\]]*")


def webhook_problem(url: str, *, private: bool = False) -> str | None:
    """Why a URL cannot be a receiver, seen from its text alone (its addresses are judged when it is called).

    ``private``: http:// and hosts that are not public are let in too (``SHEETRUN_WEBHOOK_PRIVATE``).
    """
    if not _URL.fullmatch(url):
        return "must be made of a URL's characters (escape others with %, write other names in their xn-- form)"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        return "must begin with https://"
    if not host or parts.username or parts.password or parts.fragment:
        return "must name a host, with no user, password or fragment"
    if port == 0:
        return "has a port that cannot be"
    if not _PATH.fullmatch(parts.path + parts.query):
        return "must have brackets escaped with %"
    if private:
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        name = host.lower().rstrip(".")
        if "." not in name or name.endswith((".localhost", ".internal", ".local")):
            return "must name a public host"
        return None
    return None if refusal(host) is None else "must name a public address"


def _replaces(body: Mapping[str, Any], kind: Kind, faults: Faults, path: str) -> str | None:
    value = body.get("replaces")
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= 64:
        faults.add(f"{path}replaces", "type", "must be a model's id")
        return None
    if kind is Kind.DATASET:
        faults.add(f"{path}replaces", "not_for_datasets", "only a workbook is a model")
        return None
    return value


_CUSTOM_ID = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")


def _custom_id(body: Mapping[str, Any], faults: Faults, path: str) -> str | None:
    value = body.get("custom_id")
    if not isinstance(value, str) or not _CUSTOM_ID.fullmatch(value):
        faults.add(f"{path}custom_id", "format", "must be 1 to 255 characters, none of them control characters")
        return None
    return value


def _metadata(body: Mapping[str, Any], faults: Faults, path: str) -> Mapping[str, str]:
    value = body.get("metadata")
    where = f"{path}metadata"
    if value is None:
        return {}
    if not isinstance(value, dict):
        faults.add(where, "type", "must be an object of strings")
        return {}
    if len(value) > MAX_METADATA:
        faults.add(where, "length", f"must have at most {MAX_METADATA} members")
    for name, text in value.items():
        if not 1 <= len(name) <= 64:
            faults.add(where, "length", "a name has 1 to 64 characters")
        elif not isinstance(text, str) or len(text) > 512:
            faults.add(f"{where}.{name}", "type", "must be a string of at most 512 characters")
    return value
