"""Health, metrics and dead letters of the embedded service, and its lines in the log."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import SECONDS, Client, workbook

pytestmark = pytest.mark.e2e


def metrics(client: Client) -> dict[str, float]:
    answer = client.call("GET", "/v1/metrics")
    assert answer.status_code == 200, answer.text
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_count_what_ended(client: Client) -> None:
    name = "sheetrun_jobs_ended_total[('state', 'cancelled')]"
    before = metrics(client).get(name, 0)
    made = client.submit()
    assert client.call("POST", f"/v1/jobs/{made['id']}/cancel").status_code == 202
    end = time.monotonic() + SECONDS
    while metrics(client).get(name, 0) <= before:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert metrics(client)["sheetrun_queue_messages[('queue', 'generate')]"] >= 0


def test_health_has_its_detail_and_needs_no_key(client: Client) -> None:
    health = requests.get(f"{client.url}/v1/health", timeout=SECONDS).json()
    assert health["status"] == "healthy"
    assert all(line["latency_ms"] >= 0 for line in health["dependencies"].values())
    assert health["capacity"]["limit"] > 0
    assert "parse-normal" in health["concurrency"]["waiting"]


def queue_of(aws: Any, name: str) -> str:
    (url,) = [url for url in aws("sqs").list_queues()["QueueUrls"] if f"-{name}" in url]
    return str(url)


@pytest.mark.parametrize("name", ["StepDeadLetters", "IntakeDeadLetters", "DeliverDeadLetters"])
def test_dead_letters_of_every_queue_are_buried_and_redriven(client: Client, aws: Any, name: str) -> None:
    made = client.submit()
    mark = made["id"]
    body: dict[str, Any] = {"job_id": mark, "step": "parse", "epoch": 99}
    if name == "IntakeDeadLetters":
        body = {"Records": [{"eventName": "x", "mark": mark}]}
    elif name == "DeliverDeadLetters":
        body = {"job_id": mark, "event": 1}
    aws("sqs").send_message(QueueUrl=queue_of(aws, name), MessageBody=json.dumps(body))
    end = time.monotonic() + SECONDS
    mine: list[dict[str, Any]] = []
    while not mine:
        assert time.monotonic() < end
        time.sleep(0.1)
        letters = client.call("GET", "/v1/dead-letters", params={"limit": 100}).json()["dead_letters"]
        mine = [letter for letter in letters if mark in json.dumps(letter["message"])]
    answer = client.call("POST", "/v1/dead-letters/redrive", json={"ids": [mine[0]["id"]]}).json()
    if name == "StepDeadLetters":  # it was stale: its job waits for an upload, so there is nothing to retry
        assert [one["code"] for one in answer["skipped"]] == ["not_retryable"]
        assert client.call("DELETE", f"/v1/dead-letters/{mine[0]['id']}").status_code == 204
    else:
        assert answer == {"redriven": [mine[0]["id"]], "skipped": []}


def test_a_job_can_be_followed_through_the_logs_of_all_functions(client: Client, aws: Any) -> None:
    made = client.submit()
    client.upload(made, workbook())
    client.until(made["id"], "succeeded")
    wanted = {"intake", "parse", "generate", "execute"}
    end = time.monotonic() + SECONDS
    found: set[str] = set()
    while found != wanted:
        assert time.monotonic() < end, found
        for function in wanted - found:
            events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/sheetrun-{function}")["events"]
            lines = [event["message"] for event in events if made["id"] in event["message"]]
            if lines:
                line = json.loads(lines[0][lines[0].index("{") :])
                assert line["function"] == f"sheetrun-{function}"
                assert line["job_id"] == made["id"]
                found.add(function)
        time.sleep(0.2)
