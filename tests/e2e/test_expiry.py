"""What is past its time can be read by nobody, and is then really gone: rows, artefacts, uploads, parts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.e2e.conftest import SECONDS, Client, workbook
from tests.elsewhere import Service

pytestmark = pytest.mark.e2e


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.2)


def rows(aws: Any, table: str, text: str) -> list[str]:
    """Keys of the rows that hold a text anywhere."""
    found = []
    for page in aws("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        found += [f"{item['pk']['S']} {item['sk']['S']}" for item in page["Items"] if text in json.dumps(item)]
    return found


def objects(aws: Any, bucket: str, text: str) -> list[str]:
    pages = aws("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [found["Key"] for page in pages for found in page.get("Contents", []) if text in found["Key"]]


def sweep(aws: Any) -> None:
    answer = aws("lambda").invoke(FunctionName="sheetrun-sweep", Payload="{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_a_job_past_its_time_is_gone_with_everything(client: Client, service: Service, aws: Any) -> None:
    made = client.submit({"filename": "a.xlsx", "retain_seconds": 2, "outputs": ["Sheet!B1"]})
    client.upload(made, workbook())
    ended = client.until(made["id"], "succeeded")
    link = client.call("GET", f"/v1/jobs/{made['id']}/results/values").headers["Location"]
    assert requests.get(link, timeout=SECONDS).status_code == 200
    assert rows(aws, service.table, made["id"])
    assert objects(aws, service.bucket, made["id"])
    until(lambda: client.call("GET", f"/v1/jobs/{made['id']}").status_code == 404, "still readable")
    for path in ("/events", "/results/values", "/results/workbook"):
        assert client.call("GET", f"/v1/jobs/{made['id']}{path}").status_code == 404
    listed = client.call("GET", "/v1/jobs", params={"created_after": ended["created_at"]}).json()["jobs"]
    assert made["id"] not in [job["id"] for job in listed]
    sweep(aws)
    until(lambda: not objects(aws, service.bucket, made["id"]), "objects are left")
    until(lambda: not rows(aws, service.table, made["id"]), "rows are left")
    assert requests.get(link, timeout=SECONDS).status_code in (403, 404)


def test_a_late_file_and_unfinished_parts_do_not_stay(client: Client, service: Service, aws: Any) -> None:
    late = client.submit({"filename": "a.xlsx", "retain_seconds": 1})
    assert client.call("POST", f"/v1/jobs/{late['id']}/cancel").status_code == 202
    parts = client.submit({"filename": "b.xlsx", "size": 150 * 2**20, "retain_seconds": 1})
    piece = requests.put(parts["upload"]["parts"][0]["url"], data=b"x" * (5 * 2**20), timeout=SECONDS)
    assert piece.status_code == 200
    assert client.call("POST", f"/v1/jobs/{parts['id']}/cancel").status_code == 202
    for job in (late, parts):
        until(lambda job=job: client.call("GET", f"/v1/jobs/{job['id']}").status_code == 404, "readable")  # type: ignore[misc]
    sweep(aws)
    until(lambda: not rows(aws, service.table, late["id"]), "rows are left")
    until(lambda: not rows(aws, service.table, parts["id"]), "rows are left")
    unfinished = aws("s3").list_multipart_uploads(Bucket=service.bucket).get("Uploads", [])
    assert parts["id"] not in json.dumps([upload["Key"] for upload in unfinished])
    client.upload(late, workbook())
    until(lambda: not objects(aws, service.bucket, late["id"]), "the late file is left")
