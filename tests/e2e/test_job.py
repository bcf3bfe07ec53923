"""Jobs over HTTP against the embedded service, with IAM enforced: the way of a file, and what goes wrong on it."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import pytest
import requests

from sheetrun.service.access import Access
from tests.e2e.conftest import Client, workbook
from tests.elsewhere import Service

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def test_from_upload_to_results(client: Client) -> None:
    data = workbook()
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    made = client.submit({"filename": "Modell Ü.xlsx", "size": len(data), "sha256": digest})
    assert client.upload(made, data).status_code == 204
    job = client.until(made["id"])
    assert job["state"] == "succeeded", job["error"]
    assert job["report"]["formulas"] == 11
    assert job["size"] == len(data)
    assert list(job["timestamps"]) == ["awaiting_upload", "queued", "parsing", "generating", "executing", "succeeded"]
    values = client.call("GET", job["urls"]["results"]["values"])
    assert values.status_code == 302
    stored = requests.get(values.headers["Location"], timeout=30)
    assert stored.status_code == 200
    assert stored.headers["Content-Type"].startswith("application/json")
    assert 110 in json.dumps(stored.json()).replace("110.0", "110").split() or "110" in stored.text
    script = requests.get(client.call("GET", job["urls"]["results"]["script"]).headers["Location"], timeout=30)
    compile(script.text, "model.py", "exec")
    events = client.call("GET", job["urls"]["events"]).json()["events"]
    assert [event["type"] for event in events][-1] == "job.succeeded"


def test_a_file_that_is_no_workbook_fails_with_a_code(client: Client) -> None:
    made = client.submit()
    assert client.upload(made, b"hello").status_code == 204
    job = client.until(made["id"])
    assert (job["state"], job["error"]["code"]) == ("failed", "text_file")


def test_a_damaged_workbook_fails_with_a_code(client: Client) -> None:
    made = client.submit()
    client.upload(made, workbook()[:2000])
    job = client.until(made["id"])
    assert job["state"] == "failed"
    assert job["error"]["code"] not in ("internal_error", "dead_letter")
    assert job["error"]["stage"] == "parse"


def test_another_file_than_was_announced_is_refused(client: Client) -> None:
    digest = base64.b64encode(hashlib.sha256(b"one").digest()).decode()
    made = client.submit({"filename": "a.xlsx", "sha256": digest})
    if client.upload(made, workbook()).status_code == 204:  # the embedded store does not check forms, intake does
        job = client.until(made["id"])
        assert (job["state"], job["error"]["code"]) == ("failed", "checksum_mismatch")
    else:
        assert client.job(made["id"])["state"] == "awaiting_upload"


def test_the_store_refuses_what_the_form_does_not_allow(client: Client, access: Access) -> None:
    made = client.submit()
    fields = made["upload"]["fields"]
    for wrong in (
        {**fields, "key": "uploads/other/job/source"},
        {**fields, "x-amz-signature": "0" * 64},
        {**fields, "Content-Type": "text/html"},
    ):
        answer = requests.post(made["upload"]["url"], data=wrong, files={"file": b"PK"}, timeout=30)
        assert answer.status_code == 403, wrong
    answer = requests.post(made["upload"]["url"], data=fields, files={"file": b""}, timeout=30)
    assert answer.status_code == 400


def test_nothing_in_the_bucket_is_open(service: Service) -> None:
    for path in ("", "/uploads/x", "?list-type=2"):
        answer = requests.get(f"{service.aws_endpoint}/{service.bucket}{path}", timeout=30)
        assert answer.status_code == 403, path
    answer = requests.put(f"{service.aws_endpoint}/{service.bucket}/inbox/local/a.xlsx", data=b"x", timeout=30)
    assert answer.status_code == 403


def test_clients_do_not_see_each_other(client: Client, access: Access) -> None:
    made = client.submit()
    rival = Client(client.url, access.create("rival"))
    assert rival.call("GET", f"/v1/jobs/{made['id']}").status_code == 404
    assert rival.call("POST", f"/v1/jobs/{made['id']}/cancel").status_code == 404
    assert made["id"] not in [job["id"] for job in rival.call("GET", "/v1/jobs").json()["jobs"]]


def test_cancel_before_the_upload(client: Client) -> None:
    made = client.submit()
    answer = client.call("POST", f"/v1/jobs/{made['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
    client.upload(made, workbook())
    time.sleep(1)
    assert client.job(made["id"])["state"] == "cancelled"
    assert client.call("POST", f"/v1/jobs/{made['id']}/cancel").status_code == 409


def test_retry_of_a_failed_job_resumes_where_it_failed(client: Client) -> None:
    made = client.submit()
    client.upload(made, workbook()[:2000])
    client.until(made["id"], "failed")
    answer = client.call("POST", f"/v1/jobs/{made['id']}/retry")
    assert answer.status_code == 202
    assert client.until(made["id"])["state"] == "failed"
    types = [event["type"] for event in client.call("GET", f"/v1/jobs/{made['id']}/events").json()["events"]]
    assert types.count("job.failed") == 2


def test_a_drop_becomes_a_job(client: Client, service: Service, aws: Any) -> None:
    aws("s3").put_object(
        Bucket=service.bucket,
        Key="inbox/local/from elsewhere+1.xlsx",
        Body=workbook(),
        Metadata={"priority": "high"},
    )
    end = time.monotonic() + 30
    found: list[dict[str, Any]] = []
    while not found and time.monotonic() < end:
        jobs = client.call("GET", "/v1/jobs", params={"limit": 100}).json()["jobs"]
        found = [job for job in jobs if job["filename"] == "from elsewhere+1.xlsx"]
        time.sleep(0.2)
    assert found[0]["priority"] == "high"
    assert client.until(found[0]["id"])["state"] in ("succeeded", "partially_succeeded")


def test_conditional_get_and_the_event_stream(client: Client) -> None:
    made = client.submit()
    first = client.call("GET", f"/v1/jobs/{made['id']}")
    again = client.call("GET", f"/v1/jobs/{made['id']}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    stream = client.call("GET", f"/v1/jobs/{made['id']}/events", headers={"Accept": "text/event-stream"})
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert "event: job.created" in stream.text


def test_the_same_idempotency_key_makes_one_job(client: Client) -> None:
    body = {"filename": "once.xlsx"}
    headers = {"Idempotency-Key": f"k-{time.time()}"}
    first = client.call("POST", "/v1/jobs", json=body, headers=headers)
    second = client.call("POST", "/v1/jobs", json=body, headers=headers)
    assert first.json() == second.json()
    assert client.call("POST", "/v1/jobs", json={"filename": "x.xlsx"}, headers=headers).status_code == 422


def test_a_batch(client: Client) -> None:
    jobs = [{"filename": f"{place}.xlsx", "custom_id": f"row {place}"} for place in range(3)]
    answer = client.call("POST", "/v1/batches", json={"jobs": jobs})
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    for job in batch["jobs"][:2]:
        assert client.upload(job, workbook()).status_code == 204
    for job in batch["jobs"][:2]:
        assert client.until(job["id"])["state"] == "succeeded"
    assert client.call("POST", batch["urls"]["cancel"]).json()["counts"] == {
        "total": 3,
        "succeeded": 2,
        "cancelled": 1,
    }


def test_operations(client: Client) -> None:
    assert requests.get(f"{client.url}/v1/health", timeout=30).json()["status"] == "healthy"
    assert client.call("GET", "/v1/capacity").json()["at_capacity"] is False
    assert client.call("GET", "/v1/limits").json()["limits"][0]["name"] == "jobs"
    document = requests.get(f"{client.url}/v1/openapi.json", timeout=30).json()
    assert document["openapi"].startswith("3.1")
    assert requests.get(f"{client.url}/v1/docs", timeout=30).headers["Content-Type"].startswith("text/html")
    assert requests.get(f"{client.url}/v1/jobs", timeout=30).status_code == 401


def test_the_sweep_runs_each_minute(aws: Any) -> None:
    rules = aws("events").list_rules()["Rules"]
    assert [rule["ScheduleExpression"] for rule in rules] == ["rate(1 minute)"]


def test_functions_may_only_do_what_they_need(service: Service, aws: Any) -> None:
    """The parse function's role, asked for what only others may do."""
    role = aws("lambda").get_function(FunctionName="sheetrun-parse")["Configuration"]["Role"].rsplit("/", 1)[-1]
    policy = json.dumps(aws("iam").get_role_policy(RoleName=role, PolicyName="parse")["PolicyDocument"])
    assert "sqs:SendMessage" in policy
    assert '"Resource": "*"' not in policy
    assert "results" not in policy
    assert "s3:Delete" not in policy
