"""The edges: gateway events of both versions, settings, SQS batches, batches of notifications, signed names."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import Any

import pytest

from sheetrun.aws.blobs import _disposition
from sheetrun.service.batches import arrivals, each_record, step_records
from sheetrun.service.fakes import FakeClock, FakeLog
from sheetrun.service.steps import Again, Done, Outcome
from sheetrun.service.web.http import request_of
from sheetrun.settings import Settings, SettingsError


def v1(route: str, host: str, **context: Any) -> dict[str, Any]:
    return {
        "httpMethod": "GET",
        "path": route,
        "headers": {"Host": host},
        "requestContext": {"stage": "prod", "path": f"/prod{route}", "apiId": "abc123", **context},
    }


@pytest.mark.parametrize(
    ("event", "base"),
    [
        (v1("/v1/jobs", "abc123.execute-api.eu-west-1.amazonaws.com"), "https://abc123.execute-api.eu-west-1.amazonaws.com/prod"),
        (v1("/v1/jobs", "api.example.com", path="/sheets/v1/jobs"), "https://api.example.com/sheets"),
        (v1("/v1/jobs", "api.example.com", path="/v1/jobs"), "https://api.example.com"),
        (v1("/v1/jobs", "127.0.0.1:4566"), "http://127.0.0.1:4566/restapis/abc123/prod/_user_request_"),
        (v1("/v1/jobs", "localhost:4566"), "http://localhost:4566/restapis/abc123/prod/_user_request_"),
        (v1("/v1/jobs", "abc123.execute-api.localhost.localstack.cloud:4566"), "http://abc123.execute-api.localhost.localstack.cloud:4566/prod"),
    ],
)  # fmt: skip
def test_the_base_is_the_one_that_the_client_used(event: dict[str, Any], base: str) -> None:
    assert request_of(event, public_url="", remaining=1).base == base
    assert request_of(event, public_url="https://x.example/", remaining=1).base == "https://x.example"


def test_the_scheme_of_a_forwarded_request_is_written_small() -> None:
    """One emulator says HTTP, and links with that are followed by nobody who compares letters."""
    event = v1("/v1/jobs", "127.0.0.1:4566")
    event["headers"]["X-Forwarded-Proto"] = "HTTP"
    assert request_of(event, public_url="", remaining=1).base.startswith("http://127.0.0.1:4566/")


def test_version_2_events_are_read_too() -> None:
    event = {
        "version": "2.0",
        "rawPath": "/prod/v1/jobs/a%20b",
        "rawQueryString": "state=failed&state=expired&empty=",
        "headers": {"host": "abc.execute-api.eu-west-1.amazonaws.com", "x-forwarded-proto": "https"},
        "requestContext": {"http": {"method": "POST"}, "stage": "prod", "requestId": "r"},
        "body": base64.b64encode(b'{"a": 1}').decode(),
        "isBase64Encoded": True,
    }
    request = request_of(event, public_url="", remaining=1)
    assert (request.method, request.path) == ("POST", "/v1/jobs/a b")
    assert request.query == {"state": ("failed", "expired"), "empty": ("",)}
    assert request.base == "https://abc.execute-api.eu-west-1.amazonaws.com/prod"
    assert request.json(100) == {"a": 1}


def test_settings_name_everything_that_is_wrong() -> None:
    assert Settings.from_environment({"SHEETRUN_MAX_ATTEMPTS": "5", "OTHER": "x"}).max_attempts == 5
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(
            {
                "SHEETRUN_MAX_ATTEMPTS": "0",
                "SHEETRUN_RETRY_DELAYS": "1,x",
                "SHEETRUN_COLOUR": "red",
                "SHEETRUN_QUEUES": "nonsense",
                "SHEETRUN_DEFAULT_RETAIN_SECONDS": "9999999",
            }
        )
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert "SHEETRUN_MAX_ATTEMPTS='0': must be between 1 and 10" in lines
    assert "SHEETRUN_COLOUR: no such setting" in lines


def record(body: Any, number: int = 1) -> dict[str, Any]:
    return {
        "messageId": f"m{number}",
        "receiptHandle": "r",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q",
        "body": body if isinstance(body, str) else json.dumps(body),
    }


def test_only_what_failed_comes_back() -> None:
    outcomes: dict[str, Outcome] = {"a": Done(), "b": Again(7)}
    delays: list[tuple[str, str, int]] = []
    event = {
        "Records": [
            record({"job_id": "a", "step": "parse", "epoch": 1}, 1),
            record({"job_id": "b", "step": "parse", "epoch": 1}, 2),
            record({"job_id": "c", "step": "dance", "epoch": 1}, 3),
            record("[]", 4),
            record("{", 5),
        ]
    }
    answer = step_records(
        event,
        lambda message: outcomes[message.job_id],
        lambda source, receipt, seconds: delays.append((source, receipt, seconds)),
        FakeLog(),
    )
    assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == ["m2", "m3", "m4", "m5"]
    assert delays == [("arn:aws:sqs:eu-west-1:1:q", "r", 7)]


def test_a_bug_is_not_swallowed() -> None:
    def broken(_: Any) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        each_record({"Records": [record({})]}, broken, FakeLog())


def test_notifications_are_read_as_the_store_writes_them() -> None:
    clock = FakeClock()
    note = {
        "eventName": "ObjectCreated:Post",
        "eventTime": "2026-01-31T09:30:00.123Z",
        "s3": {"object": {"key": "inbox/acme/a+b%2Bc%C3%BC.xlsx", "eTag": "e", "sequencer": "7"}},
    }
    bare = {"eventName": "s3:ObjectCreated:Put", "s3": {"object": {"key": "k"}}}
    deleted = {"eventName": "ObjectRemoved:Delete", "s3": {"object": {"key": "k"}}}
    found = arrivals(record({"Records": [note, bare, deleted]}), clock)
    assert [(arrival.key, arrival.sequencer) for arrival in found] == [("inbox/acme/a b+cü.xlsx", "7"), ("k", "")]
    assert found[1].at == clock.now()
    assert arrivals(record({"Service": "Amazon S3", "Event": "s3:TestEvent"}), clock) == []


def test_a_hostile_file_name_cannot_leave_its_header() -> None:
    header = _disposition('a"\r\nSet-Cookie: x\\ü.xlsx')
    assert "\r" not in header
    assert "\n" not in header
    assert header.startswith("attachment; filename=\"a___Set-Cookie: x__.xlsx\"; filename*=UTF-8''a%22%0D%0A")


def test_the_edge_loads_nothing_that_computes() -> None:
    code = (
        "import sys, sheetrun.bootstrap, sheetrun.service.web.assembly as a;"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('numpy', 'pandas', 'pydantic')"
        " or m.startswith(('sheetrun.compiler', 'sheetrun.runtime', 'sheetrun.workbook'))];"
        "print(sorted(bad)[:3]); sys.exit(bool(bad))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
