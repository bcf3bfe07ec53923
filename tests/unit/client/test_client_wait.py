"""Following jobs to their end, and what they leave: waiting, events, results in files and as values."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sheetrun.client import (
    BadAnswer,
    ConnectionFailed,
    JobFailed,
    Request,
    Response,
    WaitTimeout,
)

from .service import STORE, Scripted, Watch, client_of, job, query


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
