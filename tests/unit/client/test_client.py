"""What the client sends and how it reads the answers, against a service in memory."""

from __future__ import annotations

import base64
import hashlib
import json
import pickle
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

import sheetrun.client
from sheetrun.client import (
    AtCapacity,
    BadAnswer,
    BatchItem,
    Client,
    ConnectionFailed,
    JobFailed,
    NotConfigured,
    QuotaExceeded,
    Request,
    RequestRejected,
    Response,
    RetryPolicy,
    UploadRejected,
    WaitTimeout,
)
from sheetrun.client.upload import FileUnreadable

from .service import STORE, Scripted, Watch, awaiting, client_of, job, problem, query

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


def test_wait_holds_follows_changes_and_ends() -> None:
    report = {"formulas": 3, "compared": 3, "matched": 3, "duration_ms": {"parse": 4}}
    service = Scripted().on(
        "GET service/v1/jobs/job_1",
        Response.of_json(200, job("queued"), {"ETag": '"1"'}),
        Response(304),
        Response.of_json(200, job("executing"), {"ETag": '"2"'}),
        Response.of_json(200, job("succeeded", report=report)),
    )
    client, sent = client_of(service)
    seen: list[str] = []
    done = client.wait("job_1", on_progress=lambda news: seen.append(news.state))
    assert seen == ["queued", "executing", "succeeded"]
    assert done.report is not None
    assert (done.report.matched, done.report.duration_ms) == (3, {"parse": 4.0})
    assert [query(request).get("wait") for request in sent.requests] == [None, "20", "20", "20"]
    assert [request.headers.get("If-None-Match") for request in sent.requests] == [None, '"1"', '"1"', '"2"']


def test_wait_without_an_ear_for_changes_is_held_until_the_end() -> None:
    client, sent = client_of(
        Scripted().on(
            "GET service/v1/jobs/job_1",
            Response.of_json(200, job("executing")),
            Response.of_json(200, job("succeeded")),
        )
    )
    assert client.wait("job_1").state == "succeeded"
    assert [(query(request)["wait"], query(request)["until"]) for request in sent.requests] == [("20", "ended")] * 2


def test_wait_does_not_ask_in_a_busy_loop_and_gives_up_in_time() -> None:
    watch = Watch()
    client, sent = client_of(
        Scripted().on("GET service/v1/jobs/job_1", lambda _: Response.of_json(200, job())), watch=watch
    )
    with pytest.raises(WaitTimeout, match="still queued after 2 s"):
        client.wait("job_1", timeout=2)
    assert watch.time == pytest.approx(2)
    assert len(sent.requests) < 12


def test_a_failed_job_raises_with_its_reason_or_is_given_back() -> None:
    error = {
        "code": "damaged_workbook",
        "title": "Damaged",
        "detail": "a part is cut off",
        "stage": "parsing",
        "retryable": False,
        "errors": [{"cell": "Sheet1!A1", "code": "x", "detail": "bad"}],
    }
    client, _ = client_of(lambda _: Response.of_json(200, job("failed", error=error)))
    with pytest.raises(JobFailed, match="a part is cut off") as caught:
        client.wait("job_1")
    assert caught.value.job.error is not None
    assert caught.value.job.error.errors[0].cell == "Sheet1!A1"
    assert client.wait("job_1", check=False).state == "failed"


def test_jobs_follows_cursors_and_sends_filters() -> None:
    def page(request: Request) -> Response:
        after = query(request).get("after")
        if after is None:
            link = {"Link": '<http://elsewhere/v1/jobs?after=c%2F1&limit=2>; rel="next"'}
            return Response.of_json(200, {"jobs": [job(), job()]}, link)
        assert after == "c/1"
        return Response.of_json(200, {"jobs": [job("succeeded")]})

    client, sent = client_of(page)
    states = [
        one.state for one in client.jobs(state="queued", created_after=datetime(2026, 1, 2, tzinfo=UTC), page_size=2)
    ]
    assert states == ["queued", "queued", "succeeded"]
    assert query(sent.requests[0]) == {"state": "queued", "created_after": "2026-01-02T00:00:00Z", "limit": "2"}
    assert sent.requests[1].url.startswith("http://service.test/v1/jobs?"), "the key must not follow a link elsewhere"
    with pytest.raises(ValueError, match="zone"):
        next(client.jobs(created_after=datetime(2026, 1, 2)))


def test_events_are_given_once_and_in_order_until_the_end() -> None:
    def events(request: Request) -> Response:
        after = int(query(request)["after"])
        story = [{"id": n, "type": t, "at": "2026-01-31T09:30:00.000Z", "data": {}} for n, t in enumerate(types, 1)]
        return Response.of_json(200, {"events": story[after : after + 2], "next": min(after + 2, len(story))})

    types = ["job.queued", "job.parsing", "job.succeeded"]
    service = Scripted().on("GET service/v1/jobs/job_1/events", events)
    service.on("GET service/v1/jobs/job_1", Response.of_json(200, job("succeeded")))
    client, _ = client_of(service)
    assert [event.id for event in client.events("job_1")] == [1, 2, 3]
    assert [event.type for event in client.events("job_1", after=2, follow=False)] == ["job.succeeded"]


def test_fetch_follows_the_link_without_the_key_and_writes_whole_files(tmp_path: Path) -> None:
    service = Scripted().on("GET service/v1/jobs/job_1/results/plots/a b.png", Response(404))
    service.on("GET service/v1/jobs/job_1/results/script", lambda _: Response(302, {"Location": f"{STORE}/s?sig=1"}))
    service.on("GET store/uploads/s", lambda _: Response(200, {}, b"print(1)\n"))
    client, sent = client_of(service)
    assert client.fetch("job_1", "script") == b"print(1)\n"
    assert "x-api-key" not in sent.requests[1].headers
    target = tmp_path / "model.py"
    assert client.fetch("job_1", "script", to=target) == b""
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"print(1)\n"]


def test_a_broken_download_leaves_no_file(tmp_path: Path) -> None:
    class Broken:
        def read(self, amount: int | None = None, /) -> bytes:
            raise ConnectionResetError

    client, _ = client_of(lambda _: Response(200, {}, Broken()))
    with pytest.raises(ConnectionFailed, match="broke off"):
        client.fetch("job_1", "script", to=tmp_path / "out.py")
    assert list(tmp_path.iterdir()) == []


def test_values_are_the_cells() -> None:
    client, _ = client_of(
        lambda _: Response.of_json(200, {"cells": {"A!A1": 1, "A!A2": {"error": "#N/A"}}, "report": {}})
    )
    assert client.values("job_1") == {"A!A1": 1, "A!A2": {"error": "#N/A"}}


def test_results_of_a_dataset_are_an_object() -> None:
    found = {"dataset": {"rows": 3}, "outliers": {}}
    client, _ = client_of(Scripted().on("GET service/v1/jobs/job_1/results/results", Response.of_json(200, found)))
    assert client.results("job_1") == found
    client, _ = client_of(lambda _: Response.of_json(200, [1]))
    with pytest.raises(BadAnswer):
        client.results("job_1")


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
