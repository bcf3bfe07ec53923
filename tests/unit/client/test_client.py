"""What the client sends and how it reads the answers, against a service in memory."""

from __future__ import annotations

import base64
import hashlib
import json
import pickle
import threading
from pathlib import Path

import pytest

import sheetrun.client
from sheetrun.client import (
    AtCapacity,
    BadAnswer,
    BatchItem,
    Client,
    ConnectionFailed,
    NotConfigured,
    QuotaExceeded,
    Request,
    RequestRejected,
    Response,
    RetryPolicy,
    UploadRejected,
)
from sheetrun.client.upload import FileUnreadable

from .service import STORE, Scripted, Watch, awaiting, client_of, job, problem

CREATED = Response.of_json(202, awaiting())


def created(_: Request) -> Response:
    return Response.of_json(202, awaiting())


def test_every_public_name_exists() -> None:
    for name in sheetrun.client.__all__:
        assert getattr(sheetrun.client, name).__name__ == name
    with pytest.raises(AttributeError, match="nothing"):
        _ = sheetrun.client.nothing  # type: ignore[attr-defined]


def test_submit_creates_the_job_and_uploads_the_file_as_a_form(tmp_path: Path) -> None:
    path = tmp_path / "model.xlsx"
    path.write_bytes(b"PK\x03\x04" * 200_000)
    service = Scripted().on("POST service/v1/jobs", created).on("POST store/uploads", Response(204))
    client, sent = client_of(service)

    made = client.submit(path, inputs={"Inputs!B2": 0.07}, outputs=["NPV"], metadata={"team": "a"}, priority="high")

    create, upload = sent.requests
    assert made.id == "job_1"
    assert made.state == "awaiting_upload"
    assert create.json() == {
        "filename": "model.xlsx",
        "size": 800_000,
        "sha256": base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode(),
        "inputs": {"Inputs!B2": 0.07},
        "outputs": ["NPV"],
        "metadata": {"team": "a"},
        "priority": "high",
    }
    assert create.headers["x-api-key"] == "key-1"
    assert len(create.headers["Idempotency-Key"]) == 36
    content = upload.content()
    assert upload.body is not None
    assert not isinstance(upload.body, bytes)
    assert upload.body.length == len(content)
    boundary = upload.headers["Content-Type"].partition("boundary=")[2].encode()
    parts = content.split(b"--" + boundary)
    assert [part.split(b'name="')[1].split(b'"')[0] for part in parts[1:-1]] == [b"key", b"policy", b"file"]
    assert parts[-2].endswith(b"\r\n\r\n" + path.read_bytes() + b"\r\n")
    assert "x-api-key" not in upload.headers, "the key must not reach the object store"


def test_a_replayed_creation_does_not_upload_again() -> None:
    client, sent = client_of(Scripted().on("POST service/v1/jobs", Response.of_json(202, job("executing"))))
    assert client.submit(b"x", filename="m.xlsx", idempotency_key="mine").state == "executing"
    assert len(sent.requests) == 1
    assert sent.requests[0].headers["Idempotency-Key"] == "mine"


def test_a_large_file_goes_up_in_parts() -> None:
    upload = {
        "method": "MULTIPART",
        "part_size": 4,
        "parts": [{"number": n, "url": f"{STORE}/{n}"} for n in (1, 2, 3)],
        "complete_url": "/v1/jobs/job_1/complete",
    }
    service = Scripted().on("POST service/v1/jobs", Response.of_json(202, job("awaiting_upload", upload=upload)))
    for number in (1, 2, 3):
        service.on(f"PUT store/uploads/{number}", Response(200, {"ETag": f'"e{number}"'}))
    service.on("POST service/v1/jobs/job_1/complete", Response.of_json(200, job()))
    client, sent = client_of(service)

    client.submit(b"abcdefghij", filename="big.xlsx")

    assert [request.content() for request in sent.requests[1:4]] == [b"abcd", b"efgh", b"ij"]
    assert sent.requests[4].url == "http://service.test/v1/jobs/job_1/complete"


def test_the_stores_refusal_is_told_with_its_code() -> None:
    body = b"<Error><Code>EntityTooLarge</Code><Message>Your proposed upload is too large</Message></Error>"
    service = Scripted().on("POST service/v1/jobs", created).on("POST store/uploads", Response(400, {}, body))
    client, sent = client_of(service)
    with pytest.raises(UploadRejected, match="EntityTooLarge") as caught:
        client.submit(b"x", filename="m.xlsx")
    assert caught.value.hint
    assert len(sent.requests) == 2, "a refusal is not sent again"


def test_an_upload_is_sent_again_when_the_store_stumbles() -> None:
    service = Scripted().on("POST service/v1/jobs", created)
    service.on("POST store/uploads", Response(503, {}, b"<Error><Code>SlowDown</Code></Error>"), Response(204))
    client, sent = client_of(service)
    client.submit(b"abc", filename="m.xlsx")
    assert sent.requests[1].content() == sent.requests[2].content()


@pytest.mark.parametrize("missing", ["nowhere.xlsx", "."])
def test_a_file_that_cannot_be_read_is_told_before_any_request(missing: str, tmp_path: Path) -> None:
    client, sent = client_of(Scripted())
    with pytest.raises(FileUnreadable, match=r"no such file|is a directory"):
        client.submit(tmp_path / missing)
    with pytest.raises(FileUnreadable, match="filename"):
        client.submit(b"x")
    assert not sent.requests


@pytest.mark.parametrize(
    ("status", "kind"), [(404, RequestRejected), (422, RequestRejected), (429, QuotaExceeded), (503, AtCapacity)]
)
def test_problem_documents_become_errors_with_all_members(status: int, kind: type[Exception]) -> None:
    answer = problem(
        status,
        "some_code",
        "what happened",
        request_id="req-7",
        retryable=False,
        errors=[{"path": "inputs.X", "code": "unknown", "detail": "no such cell"}],
        headers={"Retry-After": "3"},
    )
    client, _ = client_of(lambda _: answer, retry=RetryPolicy(attempts=1))
    with pytest.raises(kind) as caught:
        client.job("job_1")
    error = caught.value
    assert isinstance(error, sheetrun.client.ApiError)
    assert (error.status, error.code, error.request_id, error.retry_after) == (status, "some_code", "req-7", 3.0)
    assert str(error) == f"what happened; inputs.X: no such cell (some_code, {status}, request req-7)"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_shed_requests_are_repeated_after_the_time_that_the_service_names() -> None:
    watch = Watch()
    service = Scripted().on(
        "POST service/v1/jobs",
        problem(429, "quota_exceeded", headers={"Retry-After": "7"}),
        problem(503, "at_capacity"),
        Response.of_json(202, job("queued")),
    )
    client, sent = client_of(service, watch=watch)
    client.submit(b"x", filename="m.xlsx")
    assert watch.slept == [7.5, 1.0]
    assert len({request.headers["Idempotency-Key"] for request in sent.requests}) == 1


def test_a_long_retry_after_is_the_callers_decision() -> None:
    watch = Watch()
    client, _ = client_of(lambda _: problem(429, "quota_exceeded", headers={"Retry-After": "3600"}), watch=watch)
    with pytest.raises(QuotaExceeded):
        client.job("job_1")
    assert watch.slept == []


def test_a_lost_answer_is_asked_again_only_where_that_does_no_harm() -> None:
    def lost(request: Request) -> Response:
        raise ConnectionFailed("service.test", "the connection was closed", True)

    client, sent = client_of(lost)
    with pytest.raises(ConnectionFailed):
        client.job("job_1")
    assert len(sent.requests) == 4
    sent.requests.clear()
    with pytest.raises(ConnectionFailed):
        client.cancel("job_1")
    assert len(sent.requests) == 1


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1]", b"{}"])
def test_an_answer_of_something_else_is_named_so(body: bytes) -> None:
    client, _ = client_of(lambda _: Response(200, {}, body))
    with pytest.raises(BadAnswer, match=r"service\.test"):
        client.job("job_1")


def test_addresses_and_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHEETRUN_URL", raising=False)
    with pytest.raises(NotConfigured, match="no service address"):
        Client()
    monkeypatch.setenv("SHEETRUN_URL", "http://host:1/stage")
    assert repr(Client()) == "<Client http://host:1/stage/v1>"
    with pytest.raises(NotConfigured, match="not the address"):
        Client("host")


def test_batches_upload_every_file_and_keep_single_refusals_apart() -> None:
    raw = {
        "id": "batch_1",
        "counts": {"awaiting_upload": 2, "total": 2},
        "jobs": [
            awaiting(custom_id="a.xlsx"),
            job(
                "awaiting_upload",
                id="job_2",
                custom_id="b",
                upload={"method": "POST", "url": f"{STORE}/b", "fields": {}},
            ),
        ],
    }
    service = Scripted().on("POST service/v1/batches", Response.of_json(202, raw))
    service.on("POST store/uploads", Response(204)).on("POST store/uploads/b", Response(403, {}, b"no"))
    ended = {**raw, "counts": {"total": 2, "succeeded": 1, "expired": 1}}
    service.on("GET service/v1/batches/batch_1", Response.of_json(200, raw), Response.of_json(200, ended))
    client, sent = client_of(service)

    batch = client.submit_batch(
        [BatchItem(b"1", filename="a.xlsx"), BatchItem(b"2", "b", filename="x.xlsx", task="recalculate")]
    )

    body = sent.requests[0].json()["jobs"]
    assert [(one["custom_id"], one["filename"], one.get("task")) for one in body] == [
        ("a.xlsx", "a.xlsx", None),
        ("b", "x.xlsx", "recalculate"),
    ]
    assert list(batch.upload_errors) == ["b"]
    assert client.wait_batch(batch).ended
    with pytest.raises(ValueError, match="two jobs"):
        client.submit_batch(["x/a.xlsx", "y/a.xlsx"])


def test_models_are_calculated_and_fanned_out() -> None:
    service = Scripted().on(
        "POST service/v1/models/job_1/calculate", Response.of_json(200, {"outputs": {"NPV": 12.5}, "duration_ms": 3})
    )
    service.on("POST service/v1/models/job_1/scenarios", Response.of_json(202, job(kind="scenarios")))
    client, sent = client_of(service)
    assert client.calculate("job_1", {"Inputs!B2": 1}, ["NPV"])["NPV"] == 12.5
    assert client.scenarios("job_1", grid={"Inputs!B2": (1, 2)}).kind == "scenarios"
    assert sent.requests[0].json() == {"inputs": {"Inputs!B2": 1}, "outputs": ["NPV"]}
    assert sent.requests[1].json() == {"grid": {"Inputs!B2": [1, 2]}}
    with pytest.raises(ValueError, match="one of"):
        client.scenarios("job_1", [{}], grid={})


def test_models_are_asked_and_sought() -> None:
    route = "service/v1/models/job_1"
    chain = {"NPV": {"steps": [{"cell": "NPV"}], "complete": True}}
    service = Scripted()
    service.on(f"GET {route}", Response.of_json(200, {"inputs": []}))
    service.on(f"GET {route}/openapi.json", Response.of_json(200, {"openapi": "3.1.0"}))
    service.on(f"GET {route}/versions", Response.of_json(200, {"versions": [{"version": 2}, {"version": 1}]}))
    service.on(f"GET {route}/diff", Response.of_json(200, {"formulas": []}))
    answer = {"outputs": {"NPV": 1}, "duration_ms": 3, "explain": chain, "errors": [{"cell": "A1", "code": "x"}]}
    service.on(f"POST {route}/calculate", Response.of_json(200, answer))
    sought = {"input": {"value": 0.07}, "output": {"value": 100}, "evaluations": 12}
    service.on(f"POST {route}/goal-seek", Response.of_json(200, sought))
    service.on(f"POST {route}/data-table", Response.of_json(200, {"tables": {"NPV": [[1, 2]]}}))
    service.on("POST service/v1/jobs", Response.of_json(202, job(model="job_1")))
    client, sent = client_of(service)
    assert client.model("job_1", version=2) == {"inputs": []}
    assert client.model_openapi("job_1")["openapi"] == "3.1.0"
    assert [each["version"] for each in client.versions("job_1")] == [2, 1]
    assert client.diff("job_1", 1, 2) == {"formulas": []}
    done = client.calculate("job_1", {"a": 1}, ["NPV"], explain=["NPV"], version=1, strict=False, seconds=5)
    assert done.explain == chain
    assert done.errors[0]["cell"] == "A1"
    goal = client.goal_seek("job_1", "NPV", 100, "Rate", bounds=(0, 1), tolerance=1e-6)
    assert (goal.input, goal.output, goal.evaluations) == (0.07, 100, 12)
    table = client.data_table("job_1", ["NPV"], {"Rate": (1, 2)}, {"Years": (3,)})
    assert table["NPV"] == [[1, 2]]
    assert client.submit(b"PK", filename="a.xlsx", replaces="job_1").raw["model"] == "job_1"
    assert [request.url.partition("?")[2] for request in sent.requests[:4]] == ["version=2", "", "", "from=1&to=2"]
    assert [request.json() for request in sent.requests[4:7]] == [
        {
            "inputs": {"a": 1},
            "outputs": ["NPV"],
            "explain": ["NPV"],
            "version": 1,
            "strict": False,
            "timeout_seconds": 5,
        },
        {"inputs": {}, "output": "NPV", "target": 100, "input": "Rate", "bounds": [0, 1], "tolerance": 1e-6},
        {"inputs": {}, "outputs": ["NPV"], "row": {"Rate": [1, 2]}, "column": {"Years": [3]}},
    ]
    assert sent.requests[7].json()["replaces"] == "job_1"
    with pytest.raises(ValueError, match="id"):
        client.calculate("")


def test_scenarios_of_a_file_and_what_they_say_together() -> None:
    service = (
        Scripted().on("POST store/uploads", Response(204)).on("GET store/summary", Response.of_json(200, {"n": 1}))
    )
    service.on("POST service/v1/models/job_1/scenarios", Response.of_json(202, awaiting()))
    service.on(
        "GET service/v1/jobs/job_1/results/summary", Response(302, {"location": "http://store.test/summary"}, b"")
    )
    client, sent = client_of(service)
    made = client.scenarios("job_1", file=b"Inputs!B2\n1\n", filename="s.csv", outputs=["NPV"], version=2)
    body = sent.requests[0].json()
    assert (body["filename"], body["size"], body["outputs"], body["version"]) == ("s.csv", 12, ["NPV"], 2)
    assert sent.requests[1].method == "POST"
    assert client.summary(made) == {"n": 1}


def test_health_is_read_also_when_it_is_bad() -> None:
    client, _ = client_of(lambda _: Response.of_json(503, {"status": "unhealthy"}))
    assert client.health()["status"] == "unhealthy"


def test_ids_cannot_leave_their_place_in_the_address() -> None:
    client, sent = client_of(lambda _: Response.of_json(200, job()))
    client.job("../keys?x=1")
    assert json.dumps(sent.requests[0].url).endswith('/v1/jobs/..%2Fkeys%3Fx%3D1"')
    with pytest.raises(ValueError, match="id"):
        client.job("")


def test_one_client_serves_many_threads() -> None:
    client, sent = client_of(lambda _: Response.of_json(200, job()))
    threads = [threading.Thread(target=client.job, args=("job_1",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent.requests) == 8


def test_an_error_that_says_the_same_as_the_detail_is_told_once() -> None:
    errors = [{"path": "size", "code": "range", "detail": "must be at least 1"}]
    error = sheetrun.client.ApiError(422, "invalid_request", "", "size: must be at least 1", errors=errors)
    assert str(error) == "size: must be at least 1 (invalid_request, 422)"
