"""Looking at jobs: one with its ETag, held until there is news, lists in pages, events and results."""

from __future__ import annotations

import json

import pytest

from sheetrun.jobs.job import Progress
from sheetrun.service.views import etag
from tests.support import Bench


def test_etag_and_304(bench: Bench) -> None:
    made = bench.submit()
    status, headers, _ = bench.call("GET", f"/v1/jobs/{made['id']}")
    assert status == 200
    tag = headers["etag"]
    status, headers, body = bench.call("GET", f"/v1/jobs/{made['id']}", headers={"If-None-Match": f"W/{tag}"})
    assert (status, body) == (304, "")
    assert headers["etag"] == tag
    bench.upload(made)
    assert bench.call("GET", f"/v1/jobs/{made['id']}", headers={"If-None-Match": tag})[0] == 200


def test_wait_holds_until_the_time_is_over_or_the_job_changes(bench: Bench) -> None:
    made = bench.submit()
    begun = bench.clock.now()
    _, _, job = bench.call("GET", f"/v1/jobs/{made['id']}", query={"wait": "5"})
    assert job["state"] == "awaiting_upload"
    assert 5 <= (bench.clock.now() - begun).total_seconds() < 6

    looks = 0
    sleep = bench.clock.sleep

    def arrives(seconds: float) -> None:
        nonlocal looks
        looks += 1
        sleep(seconds)
        if looks == 3:
            bench.upload(made)

    bench.clock.sleep = arrives  # type: ignore[method-assign]
    _, _, job = bench.call("GET", f"/v1/jobs/{made['id']}", query={"wait": "20"})
    assert job["state"] == "queued"
    assert looks == 3


@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "W/other"}])
def test_wait_until_the_end_holds_through_every_change(bench: Bench, headers: dict[str, str]) -> None:
    made = bench.submit()
    _, tagged, _ = bench.call("GET", f"/v1/jobs/{made['id']}")
    looks = 0
    sleep = bench.clock.sleep

    def goes_on(seconds: float) -> None:
        nonlocal looks
        looks += 1
        sleep(seconds)
        if looks == 2:
            bench.upload(made)
        elif looks > 2 and (message := bench.next_message()) is not None:
            bench.step(message)

    bench.clock.sleep = goes_on  # type: ignore[method-assign]
    query = {"wait": "20", "until": "ended"}
    tag = {"If-None-Match": tagged["etag"]} if headers else {}
    status, _, job = bench.call("GET", f"/v1/jobs/{made['id']}", query=query, headers=tag)
    assert (status, job["state"], looks) == (200, "succeeded", 5)
    assert bench.call("GET", f"/v1/jobs/{made['id']}", query=query)[2]["state"] == "succeeded"
    assert looks == 5  # what has ended is not waited for


def test_wait_for_something_else_is_422(bench: Bench) -> None:
    made = bench.submit()
    for text, expected in (("", 200), ("changed", 200), ("succeeded", 422)):
        assert bench.call("GET", f"/v1/jobs/{made['id']}", query={"until": text})[0] == expected


@pytest.mark.parametrize("wait", ["-1", "abc", "1e3", ""])
def test_a_wait_that_is_no_number_is_422(bench: Bench, wait: str) -> None:
    made = bench.submit()
    assert bench.call("GET", f"/v1/jobs/{made['id']}", query={"wait": wait})[0] == 422


def test_lists_are_newest_first_in_pages(bench: Bench) -> None:
    ids = []
    for _ in range(5):
        bench.clock.advance(1)
        ids.append(bench.submit()["id"])
    status, headers, page = bench.call("GET", "/v1/jobs", query={"limit": "2"})
    assert status == 200
    assert [job["id"] for job in page["jobs"]] == [ids[4], ids[3]]
    assert headers["link"] == f'<https://api.example.com/v/v1/jobs?limit=2&after={ids[3]}>; rel="next"'
    _, headers, page = bench.call("GET", "/v1/jobs", query={"limit": "3", "after": page["after"]})
    assert [job["id"] for job in page["jobs"]] == [ids[2], ids[1], ids[0]]
    assert "link" not in headers


def test_lists_can_be_filtered(bench: Bench) -> None:
    first = bench.submit()
    bench.clock.advance(10)
    second = bench.submit()
    bench.call("POST", f"/v1/jobs/{second['id']}/cancel")
    found = bench.call("GET", "/v1/jobs", query={"state": "cancelled"})[2]["jobs"]
    assert [job["id"] for job in found] == [second["id"]]
    after = first["created_at"]
    found = bench.call("GET", "/v1/jobs", query={"created_after": after})[2]["jobs"]
    assert [job["id"] for job in found] == [second["id"]]
    assert bench.call("GET", "/v1/jobs", query={"kind": "dataset"})[2]["jobs"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"state": "sleeping"},
        {"kind": "x"},
        {"created_after": "yesterday"},
        {"after": "../etc"},
    ],
)
def test_a_wrong_filter_is_422(bench: Bench, query: dict[str, str]) -> None:
    status, _, problem = bench.call("GET", "/v1/jobs", query=query)
    assert status == 422
    assert problem["code"] == "invalid_parameter"


def test_results_before_the_end_and_unknown_ones(bench: Bench) -> None:
    made = bench.submit()
    status, headers, problem = bench.call("GET", f"/v1/jobs/{made['id']}/results/values")
    assert (status, problem["code"]) == (409, "not_finished")
    assert headers["retry-after"] == "1"
    bench.upload(made)
    bench.run_all()
    status, _, problem = bench.call("GET", f"/v1/jobs/{made['id']}/results/nothing")
    assert (status, problem["code"]) == (404, "no_such_result")


def test_events_as_json_and_as_a_stream(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made)
    bench.run_all()
    path = f"/v1/jobs/{made['id']}/events"
    _, _, found = bench.call("GET", path)
    types = [event["type"] for event in found["events"]]
    assert types[:3] == ["job.created", "job.queued", "job.parsing"]
    assert types[-1] == "job.succeeded"
    assert found["next"] == len(types)
    assert [event["id"] for event in found["events"]] == list(range(1, len(types) + 1))
    _, _, rest = bench.call("GET", path, query={"after": "2", "wait": "20"})
    assert rest["events"][0]["id"] == 3
    status, headers, text = bench.call("GET", path, headers={"Accept": "text/event-stream", "Last-Event-ID": "2"})
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    assert text.startswith("retry: 1000\n\nid: 3\nevent: job.parsing\ndata: {")
    blocks = [block for block in text.split("\n\n") if block.startswith("id: ")]
    assert json.loads(blocks[-1].split("data: ", 1)[1])["type"] == "job.succeeded"
    status, _, _ = bench.call("GET", path, headers={"Accept": "text/event-stream", "Last-Event-ID": str(len(types))})
    assert status == 204


def test_a_stream_with_nothing_new_says_so(bench: Bench) -> None:
    made = bench.submit()
    status, _, text = bench.call(
        "GET", f"/v1/jobs/{made['id']}/events", headers={"Accept": "text/event-stream", "Last-Event-ID": "1"}
    )
    assert status == 200
    assert text == "retry: 1000\n: still waiting\n\n"


def test_the_etag_is_that_of_what_a_client_sees(bench: Bench) -> None:
    made = bench.submit()
    job = bench.table.get(made["id"])
    assert job is not None
    beat = job.evolve(rev=job.rev + 1, lease_until=bench.clock.now())
    assert etag(beat) == etag(job)
    assert etag(job.evolve(progress=Progress(done=1, total=2, message="Inputs"))) != etag(job)


def test_a_next_link_keeps_every_value_of_a_filter(bench: Bench) -> None:
    for _ in range(2):
        bench.submit()
    _, headers, _ = bench.call("GET", "/v1/jobs", query={"state": ["awaiting_upload", "queued"], "limit": "1"})
    assert "state=awaiting_upload&state=queued" in headers["link"]


def test_a_stream_may_begin_after_an_event(bench: Bench) -> None:
    made = bench.submit()
    bench.upload(made)
    path = f"/v1/jobs/{made['id']}/events"
    _, _, text = bench.call("GET", path, query={"after": "1"}, headers={"Accept": "text/event-stream"})
    assert text.startswith("retry: 1000\n\nid: 2\n")
