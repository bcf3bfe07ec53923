"""A job's story as server-sent events, through the gateway."""

from __future__ import annotations

from typing import Any

import pytest
import requests

import sheetrun.client
from tests.e2e.conftest import Client, workbook

pytestmark = pytest.mark.e2e


def finished(client: Client) -> tuple[str, list[dict[str, Any]]]:
    made = client.submit()
    client.upload(made, workbook())
    client.until(made["id"], "succeeded")
    return made["id"], client.call("GET", f"/v1/jobs/{made['id']}/events").json()["events"]


def test_a_job_is_followed_from_its_creation_to_its_end(client: Client) -> None:
    """As an EventSource does: it comes back with Last-Event-ID, after the retry that it was told, until 204."""
    made = client.submit()
    got = []
    with sheetrun.client.Client(client.url, client.key) as ours:
        for event in ours.stream(made["id"]):
            got.append(event)
            if len(got) == 1:
                client.upload(made, workbook())
    events = client.call("GET", f"/v1/jobs/{made['id']}/events").json()["events"]
    assert [event.id for event in got] == list(range(1, len(events) + 1)), "nothing twice, nothing left out"
    assert got[-1].type == "job.succeeded"


def test_who_comes_late_gets_the_whole_story_and_who_comes_back_the_rest(client: Client) -> None:
    job_id, events = finished(client)
    url = f"/v1/jobs/{job_id}/events"

    def piece(headers: dict[str, str]) -> requests.Response:
        return client.call("GET", url, headers={"Accept": "text/event-stream", **headers})

    whole = piece({})
    assert whole.headers["Content-Type"].startswith("text/event-stream")
    assert "no-cache" in whole.headers["Cache-Control"]
    assert [line for line in whole.text.split("\n") if line.startswith("id: ")] == [f"id: {e['id']}" for e in events]
    assert whole.text.startswith("retry: ")
    rest = piece({"Last-Event-ID": str(events[2]["id"])})
    assert [line for line in rest.text.split("\n") if line.startswith("id: ")] == [f"id: {e['id']}" for e in events[3:]]
    assert piece({"Last-Event-ID": str(events[-1]["id"])}).status_code == 204, "an EventSource stops at that"
    assert piece({"Last-Event-ID": "not a number"}).text == whole.text


def test_json_and_stream_are_one_list(client: Client) -> None:
    job_id, events = finished(client)
    with sheetrun.client.Client(client.url, client.key) as ours:
        streamed = list(ours.stream(job_id))
        polled = list(ours.events(job_id))
        rest = list(ours.stream(job_id, after=events[-2]["id"]))
    assert [(e.id, e.type, dict(e.data)) for e in streamed] == [(e["id"], e["type"], e["data"]) for e in events]
    assert streamed == polled
    assert rest == streamed[-1:]


def test_a_long_poll_ends_with_the_first_news(client: Client) -> None:
    made = client.submit()
    first = client.call("GET", f"/v1/jobs/{made['id']}/events").json()
    client.upload(made, workbook())
    news = client.call("GET", f"/v1/jobs/{made['id']}/events", params={"after": first["next"], "wait": 25}).json()
    assert news["events"][0]["id"] == first["next"] + 1
