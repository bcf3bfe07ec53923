"""What the API takes and refuses: submissions, keys, faults in a body, limits, in the words of the wire contract."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from tests.support import Bench


def test_a_submission_is_accepted_with_where_to_upload(bench: Bench) -> None:
    status, headers, job = bench.call("POST", "/v1/jobs", {"filename": "m.xlsx", "metadata": {"k": "v"}})
    assert status == 202
    assert headers["location"] == f"https://api.example.com/v/v1/jobs/{job['id']}" == job["urls"]["self"]
    assert headers["retry-after"] == "2"
    assert headers["ratelimit-policy"] == (
        '"jobs";q=600;w=60, "uploads";q=100000;w=86400, "bytes";q=1099511627776;w=86400;qu="content-bytes"'
    )
    assert '"uploads";r=99999;t=' in headers["ratelimit"]
    assert headers["ratelimit"].startswith('"jobs";r=599;t=')
    assert job["state"] == "awaiting_upload"
    assert job["running"] is True
    assert job["kind"] == "workbook"
    assert job["task"] == "recalculate"
    assert job["upload"]["method"] == "POST"
    assert job["upload"]["max_bytes"] == 104_857_600
    assert job["metadata"] == {"k": "v"}
    for name in (
        "id",
        "size",
        "client",
        "priority",
        "progress",
        "timestamps",
        "attempts",
        "error",
        "report",
        "expires_at",
    ):
        assert name in job


def test_a_checksum_goes_into_the_form(bench: Bench) -> None:
    digest = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    job = bench.submit({"filename": "m.xlsx", "sha256": digest, "size": 1})
    assert job["upload"]["fields"]["x-amz-checksum-sha256"] == digest


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "filename"),
        ({"filename": ""}, "filename"),
        ({"filename": "a/b.xlsx"}, "filename"),
        ({"filename": "..\\b.xlsx"}, "filename"),
        ({"filename": "a\x00.xlsx"}, "filename"),
        ({"filename": "x" * 252 + ".xlsx"}, "filename"),
        ({"filename": 7}, "filename"),
        ({"filename": "a.pdf"}, "filename"),
        ({"filename": "a.xlsx", "kind": "poem"}, "kind"),
        ({"filename": "a.xlsx", "task": "guess"}, "task"),
        ({"filename": "a.xlsx", "size": -1}, "size"),
        ({"filename": "a.xlsx", "size": "12"}, "size"),
        ({"filename": "a.xlsx", "size": True}, "size"),
        ({"filename": "a.xlsx", "size": 0}, "size"),
        ({"filename": "a.xlsx", "sha256": "xyz"}, "sha256"),
        ({"filename": "a.xlsx", "inputs": []}, "inputs"),
        ({"filename": "a.xlsx", "inputs": {"A1": {"x": 1}}}, "inputs.A1"),
        ({"filename": "a.xlsx", "outputs": "A1"}, "outputs"),
        ({"filename": "a.xlsx", "outputs": []}, "outputs"),
        ({"filename": "a.xlsx", "priority": "urgent"}, "priority"),
        ({"filename": "a.xlsx", "webhook_url": "http://example.com"}, "webhook_url"),
        ({"filename": "a.xlsx", "webhook_url": "https://10.0.0.1/x"}, "webhook_url"),
        ({"filename": "a.xlsx", "deadline_seconds": 0}, "deadline_seconds"),
        ({"filename": "a.xlsx", "retain_seconds": 10**9}, "retain_seconds"),
        ({"filename": "a.xlsx", "metadata": {"k": 1}}, "metadata.k"),
        ({"filename": "a.xlsx", "colour": "red"}, "colour"),
    ],
)
def test_what_does_not_validate_is_422_and_names_the_field(bench: Bench, body: Any, path: str) -> None:
    status, headers, problem = bench.call("POST", "/v1/jobs", body)
    assert status == 422
    assert headers["content-type"].startswith("application/problem+json")
    assert [error["path"] for error in problem["errors"]] == [path]
    assert problem["retryable"] is False
    assert bench.table.jobs == {}


def test_every_fault_is_named_at_once(bench: Bench) -> None:
    _, _, problem = bench.call("POST", "/v1/jobs", {"filename": "a/b.xlsx", "priority": 3, "size": -1})
    assert {error["path"] for error in problem["errors"]} == {"filename", "priority", "size"}


@pytest.mark.parametrize("suffix", [".xls", ".xlsb", ".ods", ".numbers"])
def test_other_spreadsheets_are_told_what_to_do(bench: Bench, suffix: str) -> None:
    status, _, problem = bench.call("POST", "/v1/jobs", {"filename": f"a{suffix}"})
    assert status == 422
    assert problem["code"] == "unsupported_format"
    assert ".xlsx" in problem["detail"]


def test_a_size_over_the_limit_is_413(bench: Bench) -> None:
    status, _, problem = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx", "size": 10**12})
    assert status == 413
    assert problem["code"] == "file_too_large"
    assert problem["max_bytes"] == bench.settings.max_upload_bytes


@pytest.mark.parametrize("text", ["", "{", "nope", '{"filename": NaN}', "[" * 100_000])
def test_a_body_that_is_not_json_is_400(bench: Bench, text: str) -> None:
    status, _, problem = bench.call("POST", "/v1/jobs", text)
    assert status == 400
    assert problem["code"] == "malformed_json"


def test_a_body_that_is_not_an_object_is_422(bench: Bench) -> None:
    assert bench.call("POST", "/v1/jobs", [1])[0] == 422


def test_a_body_over_its_limit_is_413() -> None:
    bench = Bench(max_body_bytes=1024)
    status, _, problem = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx", "metadata": {"k": "x" * 2000}})
    assert status == 413
    assert problem["code"] == "body_too_large"


@pytest.mark.parametrize("key", [None, "nonsense", "sr_AAAAAAAAAAA_" + "x" * 32])
def test_no_key_and_a_wrong_one_are_401(bench: Bench, key: str | None) -> None:
    status, headers, problem = bench.call("GET", "/v1/jobs", key=key)
    assert status == 401
    assert headers["www-authenticate"] == "Bearer"
    assert problem["code"] in ("missing_api_key", "invalid_api_key")


def test_a_key_may_come_as_a_bearer_token(bench: Bench) -> None:
    assert bench.call("GET", "/v1/jobs", key=None, headers={"Authorization": f"Bearer {bench.key}"})[0] == 200


def test_a_key_that_was_revoked_or_is_past_its_days_is_401(bench: Bench) -> None:
    short = bench.access.create("acme", days=1)
    other = bench.access.create("acme")
    bench.clock.advance(86_401)
    assert bench.call("GET", "/v1/jobs", key=short)[0] == 401
    assert bench.access.revoke(other.split("_")[1])
    bench.clock.advance(31)
    assert bench.call("GET", "/v1/jobs", key=other)[0] == 401


def test_a_scope_that_is_missing_is_403(bench: Bench) -> None:
    reader = bench.access.create("acme", scopes=frozenset({"read"}))
    status, _, problem = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx"}, key=reader)
    assert status == 403
    assert problem["code"] == "missing_scope"
    assert bench.call("GET", "/v1/jobs", key=reader)[0] == 200


def test_another_clients_job_is_not_there(bench: Bench) -> None:
    job = bench.submit()
    other = bench.access.create("rival")
    for method, path in [
        ("GET", ""),
        ("POST", "/cancel"),
        ("POST", "/retry"),
        ("POST", "/upload/complete"),
        ("GET", "/events"),
        ("GET", "/results/values"),
    ]:
        status, _, problem = bench.call(method, f"/v1/jobs/{job['id']}{path}", key=other)
        assert status == 404, path
        assert problem["code"] == "job_not_found"
    assert bench.call("GET", "/v1/jobs", key=other)[2]["jobs"] == []


def test_unknown_routes_and_methods(bench: Bench) -> None:
    assert bench.call("GET", "/v1/nothing")[0] == 404
    status, headers, problem = bench.call("DELETE", "/v1/jobs")
    assert status == 405
    assert headers["allow"] == "GET, POST"
    assert problem["code"] == "method_not_allowed"
    assert bench.call("OPTIONS", "/v1/jobs", key=None)[0] == 204


def test_cancel_twice_is_a_conflict_once_it_has_ended(bench: Bench) -> None:
    made = bench.submit()
    assert bench.call("POST", f"/v1/jobs/{made['id']}/cancel")[0] == 202
    status, _, problem = bench.call("POST", f"/v1/jobs/{made['id']}/cancel")
    assert status == 409
    assert problem["code"] == "job_ended"


def test_the_same_key_replays_and_another_body_is_refused(bench: Bench) -> None:
    body = {"filename": "a.xlsx"}
    headers = {"Idempotency-Key": '"k-1"'}
    first = bench.call("POST", "/v1/jobs", body, headers=headers)
    second = bench.call("POST", "/v1/jobs", body, headers={"Idempotency-Key": "k-1"})
    assert second[0] == 202
    assert second[2] == first[2]
    assert second[1]["idempotency-replayed"] == "true"
    assert len(bench.table.jobs) == 1
    status, _, problem = bench.call("POST", "/v1/jobs", {"filename": "b.xlsx"}, headers=headers)
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    bench.clock.advance(86_401)
    third = bench.call("POST", "/v1/jobs", body, headers=headers)
    assert third[2]["id"] != first[2]["id"]


def test_a_key_whose_first_call_is_running_is_409_and_after_a_crash_makes_the_same_job(bench: Bench) -> None:
    reserve = bench.table.reserve
    body = {"filename": "a.xlsx"}
    first = bench.submit(body, headers={"Idempotency-Key": "k"})
    kept, at = bench.table._answers[("acme", "k")]
    from dataclasses import replace

    bench.table._answers[("acme", "k")] = (replace(kept, answer=None), at)
    assert reserve == bench.table.reserve
    status, headers, problem = bench.call("POST", "/v1/jobs", body, headers={"Idempotency-Key": "k"})
    assert (status, problem["code"]) == (409, "idempotency_in_progress")
    assert headers["retry-after"] == "1"
    bench.clock.advance(31)
    again = bench.submit(body, headers={"Idempotency-Key": "k"})
    assert again["id"] == first["id"]
    assert len(bench.table.jobs) == 1


def test_a_refusal_does_not_use_up_the_key(bench: Bench) -> None:
    headers = {"Idempotency-Key": "k"}
    assert bench.call("POST", "/v1/jobs", {"filename": "a"}, headers=headers)[0] == 422
    assert bench.call("POST", "/v1/jobs", {"filename": "a.xlsx"}, headers=headers)[0] == 202
    assert bench.call("POST", "/v1/jobs", {"filename": "a.xlsx"}, headers={"Idempotency-Key": "x" * 300})[0] == 400


def test_too_many_requests_are_429_and_looking_is_not_metered() -> None:
    bench = Bench(requests_per_minute=2)
    made = bench.submit()
    bench.submit()
    status, headers, problem = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx"})
    assert (status, problem["code"]) == (429, "quota_exceeded")
    assert problem["violated-policies"] == ["jobs"]
    assert int(headers["retry-after"]) >= 30
    assert "r=0" in headers["ratelimit"]
    assert bench.call("GET", f"/v1/jobs/{made['id']}")[0] == 200
    assert bench.call("POST", f"/v1/jobs/{made['id']}/cancel")[0] == 202
    bench.clock.advance(31)
    bench.submit()


def test_who_is_turned_away_is_counted() -> None:
    bench = Bench(requests_per_minute=1)
    bench.submit()
    assert bench.call("POST", "/v1/jobs", {"filename": "a.xlsx"})[0] == 429
    told = [facts["answer"] for _, event, facts in bench.log.lines if event == "turned_away"]
    assert told == ["429"]


def test_a_full_service_is_503_and_a_client_over_its_share_429() -> None:
    bench = Bench(max_jobs=2, max_client_jobs=1)
    first = bench.submit()
    status, headers, problem = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx"})
    assert (status, problem["code"], problem["limit"]) == (429, "quota_exceeded", 1)
    assert problem["violated-policies"] == ["jobs-under-way"]
    assert "retry-after" in headers
    bench.submit(key=bench.access.create("other"))
    status, _, problem = bench.call("POST", "/v1/jobs", {"filename": "a.xlsx"}, key=bench.access.create("third"))
    assert (status, problem["code"], problem["limit"]) == (503, "at_capacity", 2)
    bench.call("POST", f"/v1/jobs/{first['id']}/cancel")
    bench.submit()


def test_a_large_file_is_uploaded_in_parts(bench: Bench) -> None:
    size = 150 * 2**20
    job = bench.submit({"filename": "big.xlsx", "size": size})
    upload = job["upload"]
    assert upload["method"] == "MULTIPART"
    assert upload["part_size"] * len(upload["parts"]) >= size
    assert [part["number"] for part in upload["parts"]] == list(range(1, 11))
    path = f"/v1/jobs/{job['id']}/upload/complete"
    assert upload["complete_url"].endswith(path)
    assert bench.call("POST", path)[2]["code"] == "no_parts"
    key = f"uploads/acme/{job['id']}/source"
    bench.blobs.start_multipart(key)
    bench.blobs.parts[key].append(bytes(size))
    status, _, job = bench.call("POST", path)
    assert (status, job["state"]) == (202, "queued")
    small = bench.submit()
    assert bench.call("POST", f"/v1/jobs/{small['id']}/upload/complete")[2]["code"] == "not_multipart"


def test_health_needs_no_key_and_names_what_does_not_answer(bench: Bench) -> None:
    status, _, health = bench.call("GET", "/v1/health", key=None)
    assert (status, health["status"]) == (200, "healthy")
    assert set(health["dependencies"]) == {"object_store", "queues", "table"}
    assert health["capacity"] == {"under_way": 0, "limit": 10_000, "at_capacity": False}
    assert health["concurrency"] == {"running": 0, "limit": 100, "working": 0, "waiting": {}}
    bench.queues.down = True
    assert bench.call("GET", "/v1/health", key=None)[0] == 200, "remembered for a moment: anybody may ask"
    bench.clock.advance(2)
    status, _, health = bench.call("GET", "/v1/health", key=None)
    assert (status, health["status"]) == (503, "unhealthy")
    assert health["dependencies"]["queues"]["status"] == "unhealthy"


def test_capacity_and_limits(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made)
    _, _, capacity = bench.call("GET", "/v1/capacity")
    assert capacity["at_capacity"] is False
    assert (capacity["service"]["running"], capacity["service"]["queued"]) == (1, 0)
    assert capacity["service"]["messages"] == {"parse-normal": 1}
    assert (capacity["client"]["running"], capacity["client"]["running_limit"]) == (1, 50)
    _, _, limits = bench.call("GET", "/v1/limits")
    assert limits["limits"][0]["limit"] == 600
    assert limits["limits"][0]["remaining"] == 599


def test_metrics_are_for_operators(bench: Bench) -> None:
    bench.upload(bench.submit())
    status, headers, text = bench.call("GET", "/v1/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "\nsheetrun_jobs_under_way 1\n" in f"\n{text}"
    assert 'sheetrun_queue_messages{queue="parse-normal"} 1' in text
    reader = bench.access.create("acme", scopes=frozenset({"read"}))
    assert bench.call("GET", "/v1/metrics", key=reader)[0] == 403


def test_a_fault_of_ours_is_a_problem_document_without_details(bench: Bench) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret of the table")

    bench.table.page = broken  # type: ignore[method-assign, assignment]
    status, headers, problem = bench.call("GET", "/v1/jobs")
    assert (status, problem["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(problem)
    assert headers["x-request-id"] == "r-1" == problem["request_id"]


@pytest.mark.parametrize("text", ['{"filename": "a.xlsx", "metadata": {"k": "\\ud800"}}', '{"\\udFff": 1}'])
def test_half_a_surrogate_pair_is_400_for_nothing_could_store_it(bench: Bench, text: str) -> None:
    status, _, problem = bench.call("POST", "/v1/jobs", text)
    assert (status, problem["code"]) == (400, "malformed_json")
    assert "surrogate" in problem["detail"]


def test_a_whole_surrogate_pair_is_one_character(bench: Bench) -> None:
    status, _, job = bench.call("POST", "/v1/jobs", '{"filename": "\\ud83d\\ude00.xlsx"}')
    assert (status, job["filename"]) == (202, "\N{GRINNING FACE}.xlsx")


def test_a_body_that_is_nested_too_deeply_is_told_so_in_plain_words(bench: Bench) -> None:
    assert bench.call("POST", "/v1/jobs", "[" * 100_000)[2]["detail"] == "The body is nested too deeply."


@pytest.mark.parametrize("body", [{"filename": 1}, "{", {"filename": "a.xlsx", "size": 10**12}])
def test_a_refusal_was_counted_and_says_what_is_left(bench: Bench, body: Any) -> None:
    _, headers, problem = bench.call("POST", "/v1/jobs", body)
    assert headers["ratelimit"].startswith('"jobs";r=')
    assert headers["ratelimit-policy"].startswith('"jobs";q=')
    assert "headers" not in problem
